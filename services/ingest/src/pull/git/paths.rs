//! Which paths a commit touches, compared with its first parent.

use gix::bstr::BStr;
use gix::diff::tree as diff_trees;
use gix::diff::tree::visit::{Action, Change};
use gix::diff::tree::{State, Visit};
use gix::objs::{FindExt, TreeRefIter};
use gix::{ObjectId, Repository};

use super::commit::RawCommit;

/// A commit that touches more says nothing of its paths: its event would be too large.
const MAX_BYTES: usize = 800_000;

/// Compares trees, with room that is used again and again.
#[derive(Default)]
pub(super) struct Paths {
    state: State,
    before: Vec<u8>,
    after: Vec<u8>,
    parent: Vec<u8>,
}

impl Paths {
    /// The paths of a commit, sorted; of a merge none. `None` where they cannot be told: too many, or trees are
    /// missing (a partial clone).
    pub fn of(&mut self, repository: &Repository, raw: &RawCommit, is_cut_off: bool) -> Option<Vec<Box<str>>> {
        if is_cut_off {
            return None;
        }
        let mut parents = raw.parents();
        let (first, second) = (parents.next(), parents.next());
        if second.is_some() {
            return Some(Vec::new());
        }
        let tree = ObjectId::from_hex(raw.tree).ok()?;
        let kind = tree.kind();
        let before = match first {
            Some(first) => {
                let parent = repository.objects.find(&first, &mut self.parent).ok()?;
                let before = ObjectId::from_hex(RawCommit::of(parent.data).tree).ok()?;
                if before == tree {
                    return Some(Vec::new());
                }
                repository.objects.find_tree_iter(&before, &mut self.before).ok()?
            }
            None => TreeRefIter::from_bytes(&[], kind),
        };
        let after = repository.objects.find_tree_iter(&tree, &mut self.after).ok()?;
        let mut names = Names::default();
        diff_trees(before, after, &mut self.state, &repository.objects, &mut names).ok()?;
        names.paths.sort_unstable();
        // A file that became a folder is told of twice.
        names.paths.dedup();
        Some(names.paths)
    }
}

/// Collects the paths of files, links and submodules.
#[derive(Default)]
struct Names {
    queue: std::collections::VecDeque<Vec<u8>>,
    path: Vec<u8>,
    paths: Vec<Box<str>>,
    bytes: usize,
}

impl Visit for Names {
    fn pop_front_tracked_path_and_set_current(&mut self) {
        self.path = self.queue.pop_front().unwrap_or_default();
    }
    fn push_back_tracked_path_component(&mut self, component: &BStr) {
        self.push_path_component(component);
        self.queue.push_back(self.path.clone());
    }
    fn push_path_component(&mut self, component: &BStr) {
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(component);
    }
    fn pop_path_component(&mut self) {
        let end = self.path.iter().rposition(|b| *b == b'/').unwrap_or(0);
        self.path.truncate(end);
    }
    fn visit(&mut self, change: Change) -> Action {
        if change.entry_mode().is_tree() {
            return std::ops::ControlFlow::Continue(());
        }
        let path = String::from_utf8_lossy(&self.path).replace('\0', "");
        self.bytes += path.len() + 3;
        if self.bytes > MAX_BYTES || path.len() > 4_096 {
            return std::ops::ControlFlow::Break(());
        }
        self.paths.push(path.into());
        std::ops::ControlFlow::Continue(())
    }
}
