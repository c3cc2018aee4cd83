//! The commits that are new, and an order in which each comes after its parents.
//!
//! A walk from the tips, newest first, that paints what was given before as known and ends where nothing unknown is
//! left to look at: a run after a few commits reads a few commits. Where clocks were wrong, it may give a commit
//! again (the log recognises it), and never misses one.

use std::collections::BinaryHeap;
use std::ops::Range;

use gix::hashtable::HashMap;
use gix::{ObjectId, oid};
use smallvec::SmallVec;

use super::GitError;
use super::links::{Links, Reader};

/// The new commits.
#[derive(Debug, Default)]
pub(super) struct NewCommits {
    /// Each after its parents.
    order: Vec<u32>,
    nodes: Vec<Node>,
    index: HashMap<ObjectId, u32>,
    /// The bytes of commits that had to be read.
    kept: Vec<u8>,
}

#[derive(Debug)]
struct Node {
    id: ObjectId,
    links: Links,
    /// Its parents' places; those of new commits are all there.
    parents: SmallVec<[u32; 2]>,
    is_known: bool,
    is_waiting: bool,
}

impl NewCommits {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Some of them, each after its parents: the hash, and the commit's bytes if they were kept.
    pub fn part(&self, range: Range<usize>) -> impl Iterator<Item = (&oid, Option<&[u8]>)> {
        self.order[range].iter().map(|at| {
            let node = &self.nodes[*at as usize];
            (&*node.id, node.links.kept.clone().and_then(|range| self.kept.get(range)))
        })
    }

    /// The parents of one of them, or of another commit that was met.
    pub fn links(&self, id: &oid) -> Option<&Links> {
        self.index.get(id).map(|at| &self.nodes[*at as usize].links)
    }

    /// Whether this commit is one of them.
    pub fn contains(&self, id: &oid) -> bool {
        self.index.get(id).is_some_and(|at| self.is_new(*at))
    }

    fn is_new(&self, at: u32) -> bool {
        let node = &self.nodes[at as usize];
        !node.is_known && !node.is_waiting
    }
}

/// What is reachable from `tips` and not from `known`. Of the latter, those that are not here say nothing.
pub(super) fn new_commits(reader: &mut Reader, tips: &[ObjectId], known: &[ObjectId]) -> Result<NewCommits, GitError> {
    let mut walk = Walk::default();
    for id in known {
        if let Some(links) = reader.links(id, None)? {
            let at = walk.insert(*id, links);
            walk.paint(at);
        }
    }
    let mut starts = Vec::with_capacity(tips.len());
    for id in tips {
        starts.push(match walk.commits.index.get(id) {
            Some(at) => *at,
            None => walk.add(*id, reader)?,
        });
    }
    while walk.unknown_waiting > 0
        && let Some((_, _, at)) = walk.heap.pop()
    {
        walk.visit(at, reader)?;
    }
    let mut commits = walk.commits;
    commits.order = parents_first(&starts, &commits);
    Ok(commits)
}

#[derive(Default)]
struct Walk {
    commits: NewCommits,
    /// Newest first; at the same second the known ones first, so that they stop the others.
    heap: BinaryHeap<(i64, bool, u32)>,
    unknown_waiting: usize,
}

impl Walk {
    fn insert(&mut self, id: ObjectId, links: Links) -> u32 {
        let nodes = &mut self.commits.nodes;
        // More than 4,000 million commits do not fit anywhere.
        let at = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        nodes.push(Node { id, links, parents: SmallVec::new(), is_known: false, is_waiting: false });
        self.commits.index.insert(id, at);
        at
    }

    /// Adds a commit that nothing is known of.
    fn add(&mut self, id: ObjectId, reader: &mut Reader) -> Result<u32, GitError> {
        let links = reader.links(&id, Some(&mut self.commits.kept))?;
        let links = links.ok_or_else(|| GitError::object(&id, "it is missing"))?;
        let at = self.insert(id, links);
        let node = &mut self.commits.nodes[at as usize];
        node.is_waiting = true;
        self.heap.push((node.links.seconds.unwrap_or(0), false, at));
        self.unknown_waiting += 1;
        Ok(at)
    }

    /// Marks a commit as known. It has to be visited (again), as its parents are known too.
    fn paint(&mut self, at: u32) {
        let node = &mut self.commits.nodes[at as usize];
        if node.is_known {
            return;
        }
        if node.is_waiting {
            self.unknown_waiting -= 1;
        }
        node.is_known = true;
        node.is_waiting = true;
        self.heap.push((node.links.seconds.unwrap_or(0), true, at));
    }

    fn visit(&mut self, at: u32, reader: &mut Reader) -> Result<(), GitError> {
        let node = &mut self.commits.nodes[at as usize];
        // One that was painted while it waited is in the heap twice.
        if !std::mem::take(&mut node.is_waiting) {
            return Ok(());
        }
        let is_known = node.is_known;
        if !is_known {
            self.unknown_waiting -= 1;
        }
        let ids = node.links.parents.clone();
        let mut parents = SmallVec::with_capacity(ids.len());
        for id in ids {
            let parent = match self.commits.index.get(&id) {
                Some(parent) => *parent,
                None if is_known => match reader.links(&id, None)? {
                    Some(links) => self.insert(id, links),
                    None => continue,
                },
                None => self.add(id, reader)?,
            };
            if is_known {
                self.paint(parent);
            }
            parents.push(parent);
        }
        self.commits.nodes[at as usize].parents = parents;
        Ok(())
    }
}

/// The new commits reachable from `starts`, each after its parents, first parents first.
fn parents_first(starts: &[u32], commits: &NewCommits) -> Vec<u32> {
    let mut order = Vec::new();
    let mut is_seen = vec![false; commits.nodes.len()];
    let mut see = |at: u32| commits.is_new(at) && !std::mem::replace(&mut is_seen[at as usize], true);
    // Each with the number of its parents that were gone into: no recursion, as histories are long.
    let mut path: Vec<(u32, usize)> = Vec::new();
    for start in starts {
        if see(*start) {
            path.push((*start, 0));
        }
        while let Some((at, next)) = path.last_mut() {
            match commits.nodes[*at as usize].parents.get(*next) {
                Some(parent) => {
                    *next += 1;
                    if see(*parent) {
                        path.push((*parent, 0));
                    }
                }
                None => {
                    order.push(*at);
                    path.pop();
                }
            }
        }
    }
    order
}
