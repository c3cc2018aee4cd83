//! Rows by what their source calls them, so that one is found without a look at all of them.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The hash of each row's name, and the row; ascending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Box<[(u64, u32)]>);

impl Names {
    /// Of the source and the id of every row, in their order.
    pub(crate) fn new<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut hashes: Vec<(u64, u32)> = names.zip(0..).map(|((source, id), row)| (hash(source, id), row)).collect();
        hashes.sort_unstable();
        Self(hashes.into())
    }

    /// The rows of this name, and perhaps, as hashes may agree by chance, of others.
    pub(crate) fn rows(&self, source: &str, id: &str) -> impl Iterator<Item = usize> + use<'_> {
        let hash = hash(source, id);
        let low = self.0.partition_point(|(own, _)| *own < hash);
        self.0[low..].iter().take_while(move |(own, _)| *own == hash).map(|(_, row)| *row as usize)
    }
}

fn hash(source: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, id).hash(&mut hasher);
    hasher.finish()
}
