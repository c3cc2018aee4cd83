//! A repository as the folds see it: its commit graph and its merged pull requests.
//!
//! Commits are numbered; a commit that others name as a parent and that was never recorded has a number too, and
//! a walk ends there. Of numbers beyond its own, which a [`Source`](super::source::Source) gives to commits that are
//! only listed, it knows nothing.

use std::collections::{BTreeMap, BinaryHeap};
use std::hash::BuildHasher;
use std::sync::OnceLock;

use hashbrown::hash_table::Entry as Place;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use smallvec::SmallVec;
use vigie_model::views::{Commit, PullRequest};

mod marks;
mod recorded;

pub use marks::Marks;
pub use recorded::{Pull, Recorded};

/// A commit's number in its [`Repository`].
pub type Node = u32;

#[derive(Debug, Clone)]
struct Entry {
    sha: Box<str>,
    /// `None`: named by others, never recorded.
    commit: Option<Box<Recorded>>,
    /// `None`: unknown; empty: a root.
    parents: Option<SmallVec<[Node; 2]>>,
}

/// See the module's documentation.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The numbers by the hashes of their entries.
    numbers: HashTable<Node>,
    hasher: DefaultHashBuilder,
    entries: Vec<Entry>,
    pulls: BTreeMap<i64, Pull>,
    derived: OnceLock<Derived>,
}

/// What is found from the whole graph, once per state of it.
#[derive(Debug, Clone, Default)]
struct Derived {
    /// The longest way to a root or an unknown commit; greater than that of every parent.
    generation: Vec<u32>,
    /// A walk from here ends at an unknown commit somewhere.
    incomplete: Vec<bool>,
    /// The merged pull request of a merge commit; of several the lowest number.
    by_merge: HashMap<Node, i64>,
}

impl Repository {
    /// An empty one with room for so many commits.
    #[must_use]
    pub fn with_capacity(commits: usize) -> Self {
        Self { numbers: HashTable::with_capacity(commits), entries: Vec::with_capacity(commits), ..Self::default() }
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.pulls.is_empty()
    }

    /// Takes a commit in, or its newer state.
    pub fn put_commit(&mut self, commit: Commit) {
        self.derived = OnceLock::new();
        let node = self.number(&commit.sha);
        let parents = commit.parents.as_ref().map(|parents| parents.iter().map(|sha| self.number(sha)).collect());
        let entry = &mut self.entries[node as usize];
        entry.parents = parents;
        entry.commit = Some(Box::new(Recorded::new(commit)));
    }

    /// Forgets a commit that was deleted.
    pub fn remove_commit(&mut self, sha: &str) {
        self.derived = OnceLock::new();
        if let Some(node) = self.find(sha) {
            let entry = &mut self.entries[node as usize];
            entry.commit = None;
            entry.parents = None;
        }
    }

    /// Takes a pull request in, or its newer state.
    pub fn put_pull_request(&mut self, pull: PullRequest) {
        self.derived = OnceLock::new();
        let pull = Pull::new(pull, |sha| self.number(sha));
        self.pulls.insert(pull.number, pull);
    }

    /// Forgets a pull request that was deleted.
    pub fn remove_pull_request(&mut self, number: i64) {
        self.derived = OnceLock::new();
        self.pulls.remove(&number);
    }

    fn number(&mut self, sha: &str) -> Node {
        let Self { numbers, hasher, entries, .. } = self;
        let hash_of = |sha: &str| hasher.hash_one(sha);
        let is_it = |node: &Node| *entries[*node as usize].sha == *sha;
        match numbers.entry(hash_of(sha), is_it, |node| hash_of(&entries[*node as usize].sha)) {
            Place::Occupied(known) => *known.get(),
            Place::Vacant(place) => {
                let node = Node::try_from(entries.len()).unwrap_or(Node::MAX);
                place.insert(node);
                entries.push(Entry { sha: sha.into(), commit: None, parents: None });
                node
            }
        }
    }

    /// How many commits have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of a hash (lower case), recorded or not.
    #[must_use]
    pub fn find(&self, sha: &str) -> Option<Node> {
        self.numbers.find(self.hasher.hash_one(sha), |node| *self.entries[*node as usize].sha == *sha).copied()
    }

    /// The number of a *known revision*: a commit that was recorded with its parents.
    #[must_use]
    pub fn find_known(&self, revision: &str) -> Option<Node> {
        self.find(revision).filter(|&node| self.parents(node).is_some())
    }

    /// Whether the hash was recorded as a commit, with or without parents.
    #[must_use]
    pub fn has_commit(&self, revision: &str) -> bool {
        self.find(revision).is_some_and(|node| self.commit(node).is_some())
    }

    /// The recorded commit.
    #[must_use]
    pub fn commit(&self, node: Node) -> Option<&Recorded> {
        self.entries.get(node as usize)?.commit.as_deref()
    }

    /// Its hash.
    #[must_use]
    pub fn sha(&self, node: Node) -> &str {
        &self.entries[node as usize].sha
    }

    /// Its parents; `None`: unknown, a walk ends here.
    #[must_use]
    pub fn parents(&self, node: Node) -> Option<&[Node]> {
        self.entries.get(node as usize)?.parents.as_deref()
    }

    /// Whether it is known to have more than one parent.
    #[must_use]
    pub fn is_merge(&self, node: Node) -> bool {
        self.parents(node).is_some_and(|parents| parents.len() > 1)
    }

    /// The pull request of this number.
    #[must_use]
    pub fn pull(&self, number: i64) -> Option<&Pull> {
        self.pulls.get(&number)
    }

    /// Every pull request.
    pub fn pulls(&self) -> impl Iterator<Item = &Pull> {
        self.pulls.values()
    }

    /// The merged pull request whose merge commit this is; of several the one with the lowest number.
    #[must_use]
    pub fn merged_by(&self, node: Node) -> Option<&Pull> {
        self.derived().by_merge.get(&node).and_then(|number| self.pulls.get(number))
    }

    /// Every commit whose hash begins so.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Node> + 'a {
        let exact = self.find(prefix);
        // Full hashes are the rule; only an abbreviated one pays for a scan.
        let rest = if exact.is_some() || prefix.len() >= 40 { &[] } else { self.entries.as_slice() };
        let found = rest.iter().zip(0..).filter(move |(entry, _)| entry.sha.starts_with(prefix)).map(|(_, node)| node);
        exact.into_iter().chain(found)
    }

    fn derived(&self) -> &Derived {
        self.derived.get_or_init(|| self.derive())
    }

    fn derive(&self) -> Derived {
        let count = self.entries.len();
        let mut derived =
            Derived { generation: vec![u32::MAX; count], incomplete: vec![true; count], by_merge: HashMap::new() };
        // Kahn's algorithm from the roots up. A cycle, which only made-up hashes can have, keeps the greatest
        // generation and counts as incomplete; nothing here loops on it.
        let mut children: Vec<SmallVec<[Node; 2]>> = vec![SmallVec::new(); count];
        let mut open = vec![0_u32; count];
        let mut ready: Vec<Node> = Vec::new();
        for (entry, node) in self.entries.iter().zip(0..) {
            match entry.parents.as_deref() {
                Some(parents) if !parents.is_empty() => {
                    for &parent in parents {
                        children[parent as usize].push(node);
                        open[node as usize] += 1;
                    }
                }
                Some(_) => {
                    derived.generation[node as usize] = 0;
                    derived.incomplete[node as usize] = false;
                    ready.push(node);
                }
                None => {
                    derived.generation[node as usize] = 0;
                    ready.push(node);
                }
            }
        }
        while let Some(node) = ready.pop() {
            for child in std::mem::take(&mut children[node as usize]) {
                open[child as usize] -= 1;
                if open[child as usize] == 0 {
                    let parents = self.parents(child).unwrap_or_default();
                    let deepest = parents.iter().map(|&p| derived.generation[p as usize]).max().unwrap_or(0);
                    derived.generation[child as usize] = deepest.saturating_add(1);
                    derived.incomplete[child as usize] = parents.iter().any(|&p| derived.incomplete[p as usize]);
                    ready.push(child);
                }
            }
        }
        for pull in self.pulls.values() {
            if let (Some(_), Some(node)) = (pull.merged_at, pull.merge) {
                derived.by_merge.entry(node).or_insert(pull.number); // ascending numbers: the lowest stays
            }
        }
        derived
    }

    /// Whether a walk from here ends at an unknown commit somewhere.
    #[must_use]
    pub fn is_incomplete(&self, node: Node) -> bool {
        self.derived().incomplete[node as usize]
    }

    /// Whether `ancestor` is reached from `from` by one step or more.
    #[must_use]
    pub fn is_proper_ancestor(&self, ancestor: Node, from: Node) -> bool {
        if ancestor == from {
            return false;
        }
        let generation = &self.derived().generation;
        let bound = generation[ancestor as usize];
        let mut seen = hashbrown::HashSet::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            for &parent in self.parents(node).unwrap_or_default() {
                if parent == ancestor {
                    return true;
                }
                // What is no deeper than the one sought cannot lead to it.
                if generation[parent as usize] > bound && seen.insert(parent) {
                    stack.push(parent);
                }
            }
        }
        false
    }

    /// The commits reachable from `from` (itself included) and not in `reached`, which they are added to.
    /// `reached` holds a closed set: every reachable commit of each of its members.
    pub fn walk_new(&self, from: Node, reached: &mut Marks) -> Vec<Node> {
        let mut new = Vec::new();
        if reached.insert(from) {
            new.push(from);
        }
        let mut next = 0;
        while next < new.len() {
            for &parent in self.parents(new[next]).unwrap_or_default() {
                if reached.insert(parent) {
                    new.push(parent);
                }
            }
            next += 1;
        }
        new
    }

    /// The commits reachable from `include` and not from `exclude`.
    ///
    /// Commits are visited from the highest generation down, so that when one is visited every way to it has
    /// been, and the visit ends where only excluded ones are left.
    #[must_use]
    pub fn between(&self, include: &[Node], exclude: Node) -> Vec<Node> {
        const IN: u8 = 1;
        const OUT: u8 = 2;
        let generation = &self.derived().generation;
        let mut colours: HashMap<Node, u8> = HashMap::new();
        let mut heap: BinaryHeap<(u32, Node)> = BinaryHeap::new();
        // How many in the heap are not excluded: at none of them, nothing more can be found.
        let mut open = 0_usize;
        let mut found = Vec::new();
        let mut pending: SmallVec<[(Node, u8); 8]> = include.iter().map(|&node| (node, IN)).collect();
        pending.push((exclude, OUT));
        loop {
            for (node, colour) in pending.drain(..) {
                let old = colours.get(&node).copied().unwrap_or(0);
                let new = old | colour;
                if old == 0 {
                    heap.push((generation[node as usize], node));
                    open += usize::from(new == IN);
                } else if old == IN && new != IN {
                    open -= 1;
                }
                colours.insert(node, new);
            }
            if open == 0 {
                return found;
            }
            let Some((_, node)) = heap.pop() else { return found };
            let colour = colours[&node];
            if colour == IN {
                open -= 1;
                found.push(node);
            }
            for &parent in self.parents(node).unwrap_or_default() {
                // In a cycle of made-up hashes a parent may have been visited: it is not visited again.
                if colours.get(&parent).is_none_or(|old| old | colour != *old)
                    && generation[parent as usize] < generation[node as usize]
                {
                    pending.push((parent, colour));
                }
            }
        }
    }

    /// For each of `nodes` how many recorded commits are reachable from it, itself included.
    ///
    /// Along a chain, where each reaches the one before, the walk of each begins where the last one ended.
    #[must_use]
    pub fn reachable_counts(&self, nodes: &[Node]) -> HashMap<Node, usize> {
        let generation = &self.derived().generation;
        let mut order: Vec<Node> = nodes.to_vec();
        order.sort_by_key(|&node| (generation[node as usize], node));
        order.dedup();
        let mut counts = HashMap::new();
        let mut reached = Marks::new(self.len());
        let mut last: Option<(Node, usize)> = None;
        for node in order {
            let below = last.filter(|&(last, _)| self.reaches_within(node, last, &reached));
            if below.is_none() {
                reached = Marks::new(self.len());
            }
            let new = self.walk_new(node, &mut reached).iter().filter(|&&n| self.commit(n).is_some()).count();
            let count = below.map_or(0, |(_, count)| count) + new;
            counts.insert(node, count);
            last = Some((node, count));
        }
        counts
    }

    /// Whether a walk from `from` that stops at `reached` meets `goal`, which is in it and reached all of it.
    fn reaches_within(&self, from: Node, goal: Node, reached: &Marks) -> bool {
        let mut seen = hashbrown::HashSet::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            for &parent in self.parents(node).unwrap_or_default() {
                if parent == goal {
                    return true;
                }
                if !reached.contains(parent) && seen.insert(parent) {
                    stack.push(parent);
                }
            }
        }
        false
    }
}
