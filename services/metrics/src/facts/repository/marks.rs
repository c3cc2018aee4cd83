//! Sets of commits.

use super::Node;

/// A set of a repository's commits.
#[derive(Debug, Clone)]
pub struct Marks {
    bits: Vec<u64>,
}

impl Marks {
    /// The empty set of a repository of so many commits.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { bits: vec![0; len.div_ceil(64)] }
    }
    /// Adds a commit; whether it is new.
    pub fn insert(&mut self, node: Node) -> bool {
        let (word, bit) = (node as usize / 64, 1_u64 << (node % 64));
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_new
    }
    /// Adds what another set of the same repository holds.
    pub fn join(&mut self, other: &Self) {
        for (own, other) in self.bits.iter_mut().zip(&other.bits) {
            *own |= other;
        }
    }
    /// Whether it holds a commit.
    #[must_use]
    pub fn contains(&self, node: Node) -> bool {
        self.bits[node as usize / 64] & (1_u64 << (node % 64)) != 0
    }
}
