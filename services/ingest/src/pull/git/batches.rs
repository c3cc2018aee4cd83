//! The events of a pull, batch by batch, read by several threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use gix::hashtable::{HashMap, HashSet};
use gix::objs::FindExt;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::{ObjectId, ThreadSafeRepository, oid};
use vigie_model::kinds::commit::{AUTHOR, BOT};
use vigie_model::people::Concealer;
use vigie_model::{Event, FieldId, Time, Value};

use super::commit::{self, CommitContext, RawCommit};
use super::cursor::Cursor;
use super::deployment::{self, DeploymentContext};
use super::graph::NewCommits;
use super::paths::Paths;
use super::tags::Tag;
use super::warnings::Counts;
use super::{GitError, GitPlan, text};
use crate::ordered::{Ordered, Push, ordered};
use crate::pull::PullBatch;

/// Commits or deployments of one batch.
const BATCH: usize = 1_000;
/// Where paths are compared, the same trees are looked at again and again.
const TREE_CACHE_BYTES: usize = 32 << 20;

/// What there is to do.
#[derive(Debug)]
pub(super) struct Work {
    pub commit: CommitContext,
    pub deployment: DeploymentContext,
    pub concealer: Arc<Concealer>,
    pub with_paths: bool,
    /// Commits whose parents are unknown.
    pub boundary: HashSet,
    pub commits: NewCommits,
    /// First-parent commits that are deployments, oldest first, each with the time when it was finished.
    pub merges: Vec<(ObjectId, Time)>,
    /// Tags that are new, or were moved.
    pub tags: Vec<(Tag, bool)>,
}

/// A part of the work.
#[derive(Debug, Clone)]
enum Job {
    /// Deployments of commits that were given before.
    Merges(Vec<usize>),
    /// Commits, and their deployments.
    Commits(Range<usize>),
    Tags(Range<usize>),
}

/// What a part of the work gave.
struct Done {
    job: Job,
    events: Vec<Event>,
    /// The places of the merges that are among the events.
    merges: Vec<usize>,
    counts: Counts,
}

/// The batches of a pull.
pub struct GitBatches {
    plan: GitPlan,
    work: Arc<Work>,
    results: Ordered<Result<Done, GitError>>,
    cursor: Cursor,
    frontier: HashSet,
    /// The tips of now: all that the last cursor needs.
    tips: HashSet,
    merges_done: Vec<bool>,
    merged: usize,
    jobs_left: usize,
    done: u64,
    counts: Counts,
    warnings: Vec<String>,
}

impl GitBatches {
    pub(super) fn start(
        repository: ThreadSafeRepository,
        work: Work,
        threads: usize,
        cursor: Cursor,
        tips: HashSet,
        plan: GitPlan,
        warnings: Vec<String>,
    ) -> Result<Self, GitError> {
        let work = Arc::new(work);
        let places: Arc<HashMap<ObjectId, usize>> =
            Arc::new(work.merges.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect());
        let jobs = jobs(&work);
        let jobs_left = jobs.len();
        let results = {
            let work = Arc::clone(&work);
            ordered(
                threads,
                move |push: Push<Job>| {
                    let _ = jobs.into_iter().all(push);
                },
                move || {
                    let mut reader = Reader::new(&repository, Arc::clone(&work), Arc::clone(&places));
                    move |job| reader.run(job)
                },
            )?
        };
        Ok(Self {
            frontier: cursor.tips.iter().copied().collect(),
            merges_done: vec![false; work.merges.len()],
            merged: 0,
            jobs_left,
            done: 0,
            counts: Counts::default(),
            plan,
            work,
            results,
            cursor,
            tips,
            warnings,
        })
    }

    /// What the batches will hold.
    #[must_use]
    pub fn plan(&self) -> &GitPlan {
        &self.plan
    }

    /// What was odd so far, a sentence each: complete once the batches are over.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.counts.sentences()).collect()
    }

    /// Takes a part of the work as given.
    fn advance(&mut self, done: &Done) {
        match &done.job {
            Job::Commits(range) => {
                for (id, _) in self.work.commits.part(range.clone()) {
                    for parent in self.work.commits.links(id).iter().flat_map(|links| &links.parents) {
                        self.frontier.remove(parent);
                    }
                    self.frontier.insert(id.to_owned());
                }
            }
            Job::Tags(range) => {
                let tags: &mut BTreeMap<_, _> = Arc::make_mut(&mut self.cursor.tags);
                for (tag, _) in &self.work.tags[range.clone()] {
                    tags.insert(tag.name.clone(), tag.target);
                }
            }
            Job::Merges(_) => {}
        }
        for at in &done.merges {
            self.merges_done[*at] = true;
        }
        while self.merges_done.get(self.merged) == Some(&true) {
            self.cursor.merged = Some(self.work.merges[self.merged]);
            self.merged += 1;
        }
        self.jobs_left -= 1;
        if self.jobs_left == 0 {
            // What is reachable from no tip of now (a branch before it was rewritten) needs no remembering.
            self.frontier.retain(|id| self.tips.contains(id));
        }
        self.cursor.tips = self.frontier.iter().copied().collect();
        self.cursor.tips.sort_unstable();
        self.counts.add(done.counts);
        self.done += done.events.len() as u64;
    }
}

impl Iterator for GitBatches {
    type Item = Result<PullBatch<Cursor>, GitError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.jobs_left == 0 {
            return None;
        }
        let done = match self.results.next()? {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => {
                self.jobs_left = 0;
                return Some(Err(error));
            }
            Err(error) => {
                self.jobs_left = 0;
                return Some(Err(error.into()));
            }
        };
        self.advance(&done);
        Some(Ok(PullBatch {
            events: done.events,
            cursor: self.cursor.clone(),
            done: self.done,
            total: self.plan.commits + self.plan.deployments,
            read_until: None,
        }))
    }
}

/// The work in parts: what concerns known commits first, then commits, then tags.
fn jobs(work: &Work) -> Vec<Job> {
    let old: Vec<usize> = (0..work.merges.len()).filter(|at| !work.commits.contains(&work.merges[*at].0)).collect();
    let merges = old.chunks(BATCH).map(|part| Job::Merges(part.to_vec()));
    let ranges = |len: usize| (0..len).step_by(BATCH).map(move |start| start..len.min(start + BATCH));
    let commits = ranges(work.commits.len()).map(Job::Commits);
    merges.chain(commits).chain(ranges(work.tags.len()).map(Job::Tags)).collect()
}

/// What one thread needs.
struct Reader {
    repository: gix::Repository,
    work: Arc<Work>,
    places: Arc<HashMap<ObjectId, usize>>,
    buffer: Vec<u8>,
    paths: Paths,
    authors: Authors,
}

impl Reader {
    fn new(repository: &ThreadSafeRepository, work: Arc<Work>, places: Arc<HashMap<ObjectId, usize>>) -> Self {
        let mut repository = repository.to_thread_local();
        if work.with_paths {
            repository.object_cache_size_if_unset(TREE_CACHE_BYTES);
            repository.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(TREE_CACHE_BYTES)));
        }
        Self { repository, work, places, buffer: Vec::new(), paths: Paths::default(), authors: Authors::default() }
    }

    fn run(&mut self, job: Job) -> Result<Done, GitError> {
        let work = Arc::clone(&self.work);
        let mut done = Done { job, events: Vec::with_capacity(BATCH), merges: Vec::new(), counts: Counts::default() };
        match &done.job {
            Job::Merges(places) => {
                done.events.extend(places.iter().map(|at| {
                    let (commit, finished_at) = work.merges[*at];
                    deployment::of_merge(&commit, finished_at, &work.deployment)
                }));
                done.merges.clone_from(places);
            }
            Job::Commits(range) => {
                for (id, kept) in work.commits.part(range.clone()) {
                    let event = self.commit(id, kept, &mut done.counts)?;
                    done.events.push(event);
                    if let Some(at) = self.places.get(id) {
                        done.events.push(deployment::of_merge(id, work.merges[*at].1, &work.deployment));
                        done.merges.push(*at);
                    }
                }
            }
            Job::Tags(range) => {
                for (tag, is_moved) in &work.tags[range.clone()] {
                    done.events.extend(deployment::of_tag(tag, *is_moved, &work.deployment, &mut done.counts));
                }
            }
        }
        Ok(done)
    }

    fn commit(&mut self, id: &oid, kept: Option<&[u8]>, counts: &mut Counts) -> Result<Event, GitError> {
        let object = match kept {
            Some(object) => object,
            None => {
                let object = self.repository.objects.find(id, &mut self.buffer);
                object.map_err(|e| GitError::object(id, e.probable_cause()))?.data
            }
        };
        let raw = RawCommit::of(object);
        let is_cut_off = self.work.boundary.contains(id);
        let paths = if self.work.with_paths {
            let paths = self.paths.of(&self.repository, &raw, is_cut_off);
            counts.unknown_paths += u64::from(paths.is_none());
            paths
        } else {
            None
        };
        let mut event = commit::event(id, &raw, !is_cut_off, paths, &self.work.commit, counts);
        self.authors.conceal(&mut event, &raw, &self.work.concealer);
        Ok(event)
    }
}

/// Authors that were concealed already: a history has few, each again and again.
#[derive(Default)]
struct Authors(std::collections::HashMap<Box<[u8]>, [Option<Value>; 2]>);

impl Authors {
    fn conceal(&mut self, event: &mut Event, raw: &RawCommit, concealer: &Concealer) {
        const FIELDS: [FieldId; 2] = [AUTHOR, BOT];
        let (author, _) = text::signature(raw.author);
        if let Some(known) = self.0.get(author) {
            for (field, value) in FIELDS.into_iter().zip(known) {
                match value {
                    Some(value) => event.set(field, value.clone()),
                    None => event.remove(field),
                }
            }
            return;
        }
        concealer.conceal(event);
        // An endless number of authors is no history, and is not to fill the memory.
        if self.0.len() < 100_000 {
            self.0.insert(author.into(), FIELDS.map(|field| event.get(field).cloned()));
        }
    }
}
