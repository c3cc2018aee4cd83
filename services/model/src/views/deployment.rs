//! Deployments.

use std::borrow::Cow;
use std::sync::Arc;

use super::own;
use crate::Time;
use crate::entity::Entity;
use crate::event::{ListedCommit, Value};
use crate::kinds::deployment;

/// See the `deployment` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Who reported it.
    pub source: Arc<str>,
    /// The service as it was named.
    pub service: Box<str>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// The source's id.
    pub id: Box<str>,
    /// The revision as it was given.
    pub revision: Option<Box<str>>,
    /// The repository that it names, lower case.
    pub repository: Option<Box<str>>,
    /// What it ships: `(repository, revision)`, both lower case, sorted; the repository is `None` where none was
    /// given (the fold finds it). Empty where no revision is known.
    pub revisions: Vec<(Option<Box<str>>, Box<str>)>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When the first users met it.
    pub exposed_at: Option<Time>,
    /// When it ended and how; `None`: in progress.
    pub finished: Option<(Time, Outcome)>,
    /// What was changed.
    pub category: Box<str>,
    /// What set it off.
    pub trigger: Option<Box<str>>,
    /// `Some(true)`: its source says that it goes back.
    pub rollback: bool,
    /// Its source says that it mends something in a hurry.
    pub unplanned: bool,
    /// Guessed from a tag or a merge.
    pub inferred: bool,
    /// What it ships, for senders without a commit graph.
    pub commits: Vec<ListedCommit>,
    /// The branch it was built from.
    pub branch: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

/// How a deployment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is live.
    Succeeded,
    /// It is not.
    Failed,
    /// It was given up.
    Cancelled,
}

impl Outcome {
    /// As it is written in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Deployment {
    /// The repositories that an entity names, be it complete or not.
    pub fn repositories(entity: &Entity) -> impl Iterator<Item = Cow<'_, str>> {
        let shipped = match entity.get(deployment::REVISIONS) {
            Some(Value::Revisions(list)) => list,
            _ => Vec::new(),
        };
        let shipped = shipped.into_iter().map(|shipped| Cow::Owned(shipped.repository.into()));
        shipped.chain(entity.text(deployment::REPOSITORY).map(Cow::Borrowed))
    }

    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use deployment as d;
        let outcome = match entity.text(d::OUTCOME) {
            Some("succeeded") => Some(Outcome::Succeeded),
            Some("failed") => Some(Outcome::Failed),
            Some(_) => Some(Outcome::Cancelled),
            None => None,
        };
        let finished = match (entity.time(d::FINISHED_AT), outcome) {
            (Some(at), Some(outcome)) => Some((at, outcome)),
            (None, None) => None,
            _ => return None,
        };
        let mut revisions: Vec<(Option<Box<str>>, Box<str>)> = match entity.get(d::REVISIONS) {
            Some(Value::Revisions(list)) => {
                list.into_iter().map(|r| (Some(r.repository), r.revision.to_lowercase().into())).collect()
            }
            _ => entity
                .text(d::REVISION)
                .map(|revision| (own(entity.text(d::REPOSITORY)), revision.to_lowercase().into()))
                .into_iter()
                .collect(),
        };
        revisions.sort();
        revisions.dedup();
        Some(Self {
            source: entity.source.clone(),
            service: entity.text(d::SERVICE)?.into(),
            environment: entity.text(d::ENVIRONMENT)?.into(),
            id: entity.text(d::ID)?.into(),
            revision: own(entity.text(d::REVISION)).or_else(|| match entity.get(d::REVISIONS) {
                Some(Value::Revisions(list)) => list.into_iter().next().map(|r| r.revision),
                _ => None,
            }),
            repository: own(entity.text(d::REPOSITORY)),
            revisions,
            started_at: entity.time(d::STARTED_AT),
            exposed_at: entity.time(d::EXPOSED_AT),
            finished,
            category: entity.text(d::CATEGORY).unwrap_or("application").into(),
            trigger: own(entity.text(d::TRIGGER)),
            rollback: entity.is(d::ROLLBACK),
            unplanned: entity.is(d::UNPLANNED),
            inferred: entity.is(d::INFERRED),
            commits: match entity.get(d::COMMITS) {
                Some(Value::Commits(list)) => list,
                _ => Vec::new(),
            },
            branch: own(entity.text(d::BRANCH)),
            url: own(entity.text(d::URL)),
        })
    }
}
