//! A repository, opened for a pull.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gix::hashtable::HashSet;
use gix::{ObjectId, ThreadSafeRepository};
use vigie_model::json::shorten;

use super::batches::{GitBatches, Work};
use super::commit::CommitContext;
use super::cursor::Cursor;
use super::deployment::DeploymentContext;
use super::graph::{NewCommits, new_commits};
use super::links::Reader;
use super::merges::new_merges;
use super::repository::{self, Branch};
use super::tags::{self, Tags};
use super::{Deployments, GitError, GitOptions, GitPlan, SOURCE, text};

/// A repository that was found, with the branch and the tags to read.
#[derive(Debug)]
pub struct GitPull {
    repository: ThreadSafeRepository,
    options: GitOptions,
    branch: Branch,
    tags: Tags,
    /// The repository's name and the service, as they were given or guessed.
    name: Box<str>,
    service: Box<str>,
    warnings: Vec<String>,
}

impl GitPull {
    /// Finds the repository of `path` (its folder, a subfolder, a bare one, a linked worktree).
    ///
    /// # Errors
    /// See [`GitError`].
    pub fn open(path: &Path, options: GitOptions) -> Result<Self, GitError> {
        let repository = repository::open(path, options.is_exact)?;
        let mut warnings = Vec::new();
        let branch = repository::branch(&repository, options.branch.as_deref(), &mut warnings)?;
        let tags = tags::find(&repository, &options.deployments)?;
        warn_of_tags(&tags, &options.deployments, &mut warnings)?;
        if let Ok(Some(boundary)) = repository.shallow_commits() {
            warnings.push(format!(
                "this is a shallow clone: what lies behind {} of its commits is unknown; `git fetch --unshallow` gets it",
                boundary.len()
            ));
        }
        let given = |name: &Option<String>| name.as_ref().and_then(|name| text::id(name.as_bytes()));
        let name = given(&options.repository)
            .or_else(|| repository::name(&repository).map(Into::into))
            .unwrap_or_else(|| "repository".into());
        let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&name);
        let service = given(&options.service).unwrap_or_else(|| last.into());
        Ok(Self { repository: repository.into_sync(), options, branch, tags, name, service, warnings })
    }

    /// What is new since the cursor of an earlier run; `None`: everything.
    ///
    /// # Errors
    /// See [`GitError`].
    pub fn since(self, cursor: Option<&Cursor>) -> Result<GitBatches, GitError> {
        let mut cursor = cursor.cloned().unwrap_or_default();
        let mut warnings = self.warnings;
        let repository = self.repository.to_thread_local();
        let mut reader = Reader::new(&repository);
        // Commits that were given without their paths, or without their parents, are given again with them.
        let is_completed = |id: &ObjectId| !reader.boundary.contains(id) && repository.has_object(id);
        if (self.options.with_paths && !cursor.with_paths) || cursor.boundary.iter().any(is_completed) {
            cursor.tips.clear();
        }
        cursor.with_paths = self.options.with_paths;
        cursor.boundary = reader.boundary.iter().copied().collect();
        cursor.boundary.sort_unstable();
        let known: HashSet = cursor.tips.iter().copied().collect();
        let is_first = known.is_empty();
        let is_seen = |tag: &tags::Tag| cursor.tags.get(&tag.name) == Some(&tag.target);
        // A tag that was given was given with all that is reachable from it.
        let of_tags = self.tags.matching.iter().filter(|tag| is_first || !is_seen(tag)).map(|tag| tag.commit);
        let tips = distinct(std::iter::once(self.branch.tip).chain(of_tags).filter(|tip| !known.contains(tip)));
        let commits =
            if tips.is_empty() { NewCommits::default() } else { new_commits(&mut reader, &tips, &cursor.tips)? };
        let merges = match self.options.deployments {
            Deployments::EveryMerge => new_merges(&mut reader, self.branch.tip, cursor.merged, &commits)?,
            _ => Vec::new(),
        };
        let new_tags = self.tags.matching.iter().filter(|tag| !is_seen(tag));
        let new_tags: Vec<_> = new_tags.map(|tag| (tag.clone(), cursor.tags.contains_key(&tag.name))).collect();
        forget_tags(&mut cursor, &self.tags, &self.options.deployments, &mut warnings);
        let all_tips =
            std::iter::once(self.branch.tip).chain(self.tags.matching.iter().map(|tag| tag.commit)).collect();
        let plan = GitPlan {
            path: repository::folder(&repository),
            repository: self.name.to_lowercase(),
            service: self.service.to_string(),
            branch: self.branch.name,
            commits: commits.len() as u64,
            deployments: (merges.len() + new_tags.len()) as u64,
        };
        let source: Arc<str> = SOURCE.name.into();
        let work = Work {
            commit: CommitContext {
                source: source.clone(),
                repository: plan.repository.as_str().into(),
                now: self.options.now,
            },
            deployment: DeploymentContext {
                source,
                service: self.service,
                environment: text::id(self.options.environment.to_lowercase().as_bytes())
                    .unwrap_or_else(|| "production".into()),
                repository: plan.repository.as_str().into(),
                now: self.options.now,
            },
            concealer: self.options.concealer,
            with_paths: self.options.with_paths,
            boundary: std::mem::take(&mut reader.boundary),
            commits,
            merges,
            tags: new_tags,
        };
        drop(reader);
        GitBatches::start(self.repository, work, self.options.threads, cursor, all_tips, plan, warnings)
    }
}

fn distinct(ids: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::default();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// Tags that are gone say nothing of the deployments that they were.
fn forget_tags(cursor: &mut Cursor, tags: &Tags, deployments: &Deployments, warnings: &mut Vec<String>) {
    if matches!(deployments, Deployments::EveryMerge | Deployments::None) {
        return;
    }
    let here: std::collections::HashSet<&str> =
        tags.matching.iter().map(|tag| &*tag.name).chain(tags.others.iter().map(String::as_str)).collect();
    let gone = cursor.tags.keys().filter(|name| !here.contains(name.as_str())).count();
    if gone > 0 {
        let what = if gone == 1 {
            "1 tag that was given before is".to_owned()
        } else {
            format!("{gone} tags that were given before are")
        };
        warnings.push(format!("{what} gone: the deployments stay"));
        let kept: BTreeMap<_, _> = cursor
            .tags
            .iter()
            .filter(|(name, _)| here.contains(name.as_str()))
            .map(|(n, id)| (n.clone(), *id))
            .collect();
        cursor.tags = Arc::new(kept);
    }
}

fn warn_of_tags(tags: &Tags, deployments: &Deployments, warnings: &mut Vec<String>) -> Result<(), GitError> {
    if !tags.no_commits.is_empty() {
        let names: Vec<String> = tags.no_commits.iter().take(5).map(|name| shorten(name)).collect();
        let more = if tags.no_commits.len() > names.len() { ", …" } else { "" };
        warnings.push(format!(
            "{} of the tags point to no commit that is here ({}{more}): they are no deployments",
            tags.no_commits.len(),
            names.join(", ")
        ));
    }
    if !tags.matching.is_empty() {
        return Ok(());
    }
    match deployments {
        Deployments::Tags(patterns) if tags.no_commits.is_empty() => {
            Err(GitError::NoMatchingTags { patterns: patterns.clone(), tags: tags.others.clone() })
        }
        Deployments::Versions => {
            warnings.push(
                "no tag looks like a version, so the commits were read and no deployments: name the tags with --tags \
                 'PATTERN', or take every merge for one with --every-merge"
                    .to_owned(),
            );
            Ok(())
        }
        Deployments::Tags(_) | Deployments::EveryMerge | Deployments::None => Ok(()),
    }
}
