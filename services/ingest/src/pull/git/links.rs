//! What a commit says of its place in history: from the commit-graph where there is one, else from the commit.

use std::ops::Range;

use gix::commitgraph::Position;
use gix::hashtable::HashSet;
use gix::objs::{Find, Kind};
use gix::{ObjectId, Repository};
use smallvec::SmallVec;

use super::GitError;
use super::commit::RawCommit;

/// So many bytes of commits that were read for their links are kept, so that they need not be read twice.
const KEPT_BYTES: usize = 128 << 20;

/// What the walk needs to know of a commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    pub parents: SmallVec<[ObjectId; 1]>,
    /// The committer's seconds since 1970, as they are written.
    pub seconds: Option<i64>,
    /// Where its bytes were kept.
    pub kept: Option<Range<usize>>,
}

/// Reads links.
pub(super) struct Reader<'r> {
    repository: &'r Repository,
    graph: Option<gix::commitgraph::Graph>,
    /// The commits whose parents are cut off.
    pub boundary: HashSet,
    buffer: Vec<u8>,
}

impl<'r> Reader<'r> {
    pub fn new(repository: &'r Repository) -> Self {
        let boundary: HashSet = match repository.shallow_commits() {
            Ok(Some(commits)) => commits.iter().copied().collect(),
            _ => HashSet::default(),
        };
        // Of a shallow clone the commit-graph would know too much; a damaged one is no loss.
        let graph = boundary.is_empty().then(|| repository.commit_graph_if_enabled().ok().flatten()).flatten();
        Self { repository, graph, boundary, buffer: Vec::new() }
    }

    /// The links of a commit; `None` where it is not here. Its bytes go to `kept`, where they are wanted and there is
    /// room.
    pub fn links(&mut self, id: &ObjectId, kept: Option<&mut Vec<u8>>) -> Result<Option<Links>, GitError> {
        if let Some(links) = self.graph.as_ref().and_then(|graph| of_graph(graph, id)) {
            return Ok(Some(links));
        }
        let object = self.repository.objects.try_find(id, &mut self.buffer);
        let Some(object) = object.map_err(|e| GitError::object(id, e.probable_cause()))? else {
            return Ok(None);
        };
        if object.kind != Kind::Commit {
            return Err(GitError::object(id, format!("it is a {}, not a commit", object.kind)));
        }
        let raw = RawCommit::of(object.data);
        let parents = if self.boundary.contains(id) { SmallVec::new() } else { raw.parents().collect() };
        let kept = kept.filter(|kept| kept.len() + object.data.len() <= KEPT_BYTES).map(|kept| {
            let start = kept.len();
            kept.extend_from_slice(object.data);
            start..kept.len()
        });
        Ok(Some(Links { parents, seconds: raw.committed_seconds(), kept }))
    }
}

fn of_graph(graph: &gix::commitgraph::Graph, id: &ObjectId) -> Option<Links> {
    let commit = graph.commit_by_id(id)?;
    let parents = commit.iter_parents().map(|parent| parent.ok().map(|at: Position| graph.id_at(at).to_owned()));
    let seconds = i64::try_from(commit.committer_timestamp()).ok();
    Some(Links { parents: parents.collect::<Option<_>>()?, seconds, kept: None })
}
