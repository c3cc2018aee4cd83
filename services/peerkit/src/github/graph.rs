//! Walks over the commits of a repository.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::model::{Repository, Sha};

/// Everything that these commits are or come after.
pub(crate) fn reachable<'a>(repository: &'a Repository, roots: impl IntoIterator<Item = &'a Sha>) -> HashSet<&'a str> {
    let mut seen = HashSet::new();
    let mut open: Vec<_> = roots.into_iter().collect();
    while let Some(sha) = open.pop() {
        if let Some(commit) = repository.commits.get(sha)
            && seen.insert(sha.as_str())
        {
            open.extend(&commit.parents);
        }
    }
    seen
}

/// A commit and all before it, newest first: by the time of committing, and never a parent before its child.
pub(crate) fn history(repository: &Repository, head: &Sha) -> Vec<Sha> {
    let mut seen = HashSet::from([head.clone()]);
    let mut open = BinaryHeap::new();
    let mut order = 0_i64;
    let mut found = Vec::new();
    let mut push = |open: &mut BinaryHeap<_>, sha: &Sha| {
        if let Some(commit) = repository.commits.get(sha) {
            order -= 1;
            open.push((commit.committed_at, order, sha.clone()));
        }
    };
    push(&mut open, head);
    while let Some((_, _, sha)) = open.pop() {
        for parent in &repository.commits[&sha].parents {
            if seen.insert(parent.clone()) {
                push(&mut open, parent);
            }
        }
        found.push(sha);
    }
    found
}

/// What `head` has and `base` has not, oldest first.
pub(crate) fn ahead(repository: &Repository, base: &Sha, head: &Sha) -> Vec<Sha> {
    let known = reachable(repository, [base]);
    let mut seen = HashSet::new();
    let mut open = vec![head];
    let mut found = Vec::new();
    while let Some(sha) = open.pop() {
        if let Some(commit) = repository.commits.get(sha)
            && !known.contains(sha.as_str())
            && seen.insert(sha)
        {
            open.extend(&commit.parents);
            found.push(commit);
        }
    }
    // the walk found children before parents, which times alone don't tell within a second
    found.reverse();
    found.sort_by_key(|commit| commit.committed_at);
    found.into_iter().map(|commit| commit.sha.clone()).collect()
}

/// Histories that were asked for, so that a page doesn't walk everything before it again. What comes before a commit
/// never changes.
#[derive(Default)]
pub(crate) struct Histories(Mutex<HashMap<Place, Arc<Vec<Sha>>>>);

/// A repository and a commit of it.
type Place = (i64, Sha);

impl Histories {
    pub fn of(&self, repository: &Repository, head: &Sha) -> Arc<Vec<Sha>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // large organisations would fill the memory
        if known.len() > 64 {
            known.clear();
        }
        let key = (repository.id, head.clone());
        known.entry(key).or_insert_with(|| Arc::new(history(repository, head))).clone()
    }
}
