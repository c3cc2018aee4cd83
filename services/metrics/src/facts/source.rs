//! A repository as one service uses it: which of its paths are the service's, and the commits that the service's
//! deployments list.
//!
//! A listed commit has a number like any other, so that nothing after this has to ask whether a commit was recorded
//! or only listed. Those that the repository has no number for follow its own.

use hashbrown::HashMap;
use vigie_model::Time;
use vigie_model::event::ListedCommit;
use vigie_model::pattern::PathSet;

use super::repository::{Node, Repository};

/// See the module's documentation.
pub struct Source<'a> {
    /// Its name, lower case.
    pub name: Box<str>,
    /// What is known of it.
    pub repository: &'a Repository,
    /// Which of its paths are the service's.
    pub paths: PathSet,
    /// The listed commits that the repository has no number for, in the order of their numbers.
    further: Vec<Box<str>>,
    numbers: HashMap<Box<str>, Node>,
    /// When listed commits were written; where two lists disagree, the earlier.
    authored_at: HashMap<Node, Time>,
}

/// A commit of a deployed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shipped {
    /// The number of its [`Source`].
    pub source: usize,
    /// Its number there.
    pub node: Node,
}

impl<'a> Source<'a> {
    /// A repository of which no deployment lists a commit yet.
    #[must_use]
    pub fn new(name: Box<str>, repository: &'a Repository, paths: PathSet) -> Self {
        Self { name, repository, paths, further: Vec::new(), numbers: HashMap::new(), authored_at: HashMap::new() }
    }

    /// Takes in that a deployment lists a commit.
    pub fn list(&mut self, commit: &ListedCommit) {
        let node = self.find(&commit.sha).unwrap_or_else(|| {
            let node = Node::try_from(self.len()).unwrap_or(Node::MAX);
            self.numbers.insert(commit.sha.clone(), node);
            self.further.push(commit.sha.clone());
            node
        });
        let earliest = self.authored_at.entry(node).or_insert(commit.authored_at);
        *earliest = commit.authored_at.min(*earliest);
    }

    /// How many commits have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.repository.len() + self.further.len()
    }

    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of a hash (lower case): recorded, named by others or listed.
    #[must_use]
    pub fn find(&self, sha: &str) -> Option<Node> {
        self.repository.find(sha).or_else(|| self.numbers.get(sha).copied())
    }

    /// A commit's hash.
    #[must_use]
    pub fn sha(&self, node: Node) -> &str {
        match (node as usize).checked_sub(self.repository.len()) {
            Some(beyond) => &self.further[beyond],
            None => self.repository.sha(node),
        }
    }

    /// When a commit was written; `None` of one that others only name.
    #[must_use]
    pub fn authored_at(&self, node: Node) -> Option<Time> {
        let recorded = self.repository.commit(node).map(|commit| commit.authored_at);
        recorded.or_else(|| self.authored_at.get(&node).copied())
    }

    /// Every commit whose hash begins so.
    pub fn with_prefix<'p>(&'p self, prefix: &'p str) -> impl Iterator<Item = Node> + 'p {
        let exact = self.numbers.get(prefix).copied();
        // As in the repository: only an abbreviated hash pays for a scan.
        let rest = if exact.is_some() || prefix.len() >= 40 { &[] } else { self.further.as_slice() };
        let first = Node::try_from(self.repository.len()).unwrap_or(Node::MAX);
        let found = rest.iter().zip(first..).filter(move |(sha, _)| sha.starts_with(prefix)).map(|(_, node)| node);
        self.repository.with_prefix(prefix).chain(exact).chain(found)
    }

    /// Whether it is known what a commit touches.
    #[must_use]
    pub fn knows_paths(&self, node: Node) -> bool {
        self.repository.commit(node).is_some_and(|commit| commit.paths().is_some())
    }

    /// Whether a commit touches the service's part: a merge touches nothing, unknown paths do.
    #[must_use]
    pub fn touches(&self, node: Node) -> bool {
        if self.paths.is_everything() {
            return true;
        }
        if self.repository.is_merge(node) {
            return false;
        }
        match self.repository.commit(node).and_then(|commit| commit.paths()) {
            Some(paths) => self.paths.touches(paths),
            None => true,
        }
    }
}
