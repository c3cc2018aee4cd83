//! Typed views of complete entities: what the folds read.
//!
//! A view is made from an [`Entity`] by `from_entity`, which answers `None` where the entity is deleted or still
//! lacks something that it cannot be computed without. Names that are compared without regard to case are in
//! lower case here.

use std::sync::Arc;

use crate::Time;
use crate::entity::Entity;
use crate::event::{ListedCommit, RepositoryPaths, Value};
use crate::kinds::{availability, commit, deployment, incident, maintenance, note, pull_request, service, team};
use crate::settings::Severity;

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

fn own(text: Option<&str>) -> Option<Box<str>> {
    text.map(Into::into)
}

impl Deployment {
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
                list.iter().map(|r| (Some(r.repository.clone()), r.revision.to_lowercase().into())).collect()
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
                Some(Value::Revisions(list)) => list.first().map(|r| r.revision.clone()),
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
                Some(Value::Commits(list)) => list.clone(),
                _ => Vec::new(),
            },
            branch: own(entity.text(d::BRANCH)),
            url: own(entity.text(d::URL)),
        })
    }
}

/// See the `commit` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its hash, lower case.
    pub sha: Box<str>,
    /// Its parents; `None`: unknown.
    pub parents: Option<Vec<Box<str>>>,
    /// When it was written.
    pub authored_at: Time,
    /// When it was committed.
    pub committed_at: Option<Time>,
    /// Its author is a program.
    pub bot: bool,
    /// The first line of its message.
    pub title: Option<Box<str>>,
    /// The hashes (7 digits or more, lower case) that its message says it reverts.
    pub reverts: Vec<Box<str>>,
    /// What it touches; `None`: unknown.
    pub paths: Option<Vec<Box<str>>>,
}

impl Commit {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use commit as c;
        let message = entity.text(c::MESSAGE);
        Some(Self {
            sha: entity.text(c::SHA)?.into(),
            parents: entity.texts(c::PARENTS).map(<[_]>::to_vec),
            authored_at: entity.time(c::AUTHORED_AT)?,
            committed_at: entity.time(c::COMMITTED_AT),
            bot: entity.is(c::BOT),
            title: message.and_then(|m| m.lines().next()).filter(|line| !line.is_empty()).map(Into::into),
            reverts: message.map(reverted).unwrap_or_default(),
            paths: entity.texts(c::PATHS).map(<[_]>::to_vec),
        })
    }
}

/// The hashes of `This reverts commit SHA` in a message.
fn reverted(message: &str) -> Vec<Box<str>> {
    let mut found = Vec::new();
    for part in message.split("This reverts commit ").skip(1) {
        let part = part.trim_start();
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        if (7..=64).contains(&digits) {
            found.push(part[..digits].to_ascii_lowercase().into());
        }
    }
    found
}

/// See the `pull_request` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number in the repository.
    pub number: i64,
    /// When it was opened.
    pub opened_at: Time,
    /// When its first commit was written.
    pub first_commit_at: Option<Time>,
    /// The first review by someone other than the author.
    pub first_review_at: Option<Time>,
    /// When it was merged.
    pub merged_at: Option<Time>,
    /// The commit that it became on its base.
    pub merge_sha: Option<Box<str>>,
    /// The commits that its event lists.
    pub commits: Vec<Box<str>>,
    /// Its author is a program.
    pub bot: bool,
    /// The pull request that it takes back.
    pub reverts: Option<i64>,
    /// Its title.
    pub title: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl PullRequest {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use pull_request as p;
        Some(Self {
            number: entity.int(p::NUMBER)?,
            opened_at: entity.time(p::OPENED_AT)?,
            first_commit_at: entity.time(p::FIRST_COMMIT_AT),
            first_review_at: entity.time(p::FIRST_REVIEW_AT),
            merged_at: entity.time(p::MERGED_AT),
            merge_sha: own(entity.text(p::MERGE_SHA)),
            commits: entity.texts(p::COMMITS).map(<[_]>::to_vec).unwrap_or_default(),
            bot: entity.is(p::BOT),
            reverts: entity.int(p::REVERTS),
            title: own(entity.text(p::TITLE)),
            url: own(entity.text(p::URL)),
        })
    }
}

/// See the `incident` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Who reported it.
    pub source: Arc<str>,
    /// The source's id.
    pub id: Box<str>,
    /// The services that it names, as they were named, sorted.
    pub services: Vec<Box<str>>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// What it is called.
    pub title: Option<Box<str>>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// When it began.
    pub started_at: Time,
    /// When it was noticed.
    pub detected_at: Option<Time>,
    /// When somebody took it up.
    pub acknowledged_at: Option<Time>,
    /// When users were well again.
    pub mitigated_at: Option<Time>,
    /// When it was over.
    pub resolved_at: Option<Time>,
    /// The id of the deployment that caused it.
    pub deployment: Option<Box<str>>,
    /// The revision that caused it, lower case.
    pub revision: Option<Box<str>>,
    /// `source:id` of the incident that it repeats.
    pub same_as: Option<Box<str>>,
    /// Where to read more.
    pub url: Option<Box<str>>,
}

impl Incident {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use incident as i;
        let mut services: Vec<Box<str>> = entity.texts(i::SERVICES).map(<[_]>::to_vec).unwrap_or_default();
        services.extend(own(entity.text(i::SERVICE)));
        services.sort();
        services.dedup();
        if services.is_empty() {
            return None;
        }
        Some(Self {
            source: entity.source.clone(),
            id: entity.text(i::ID)?.into(),
            services,
            environment: entity.text(i::ENVIRONMENT).unwrap_or("production").into(),
            title: own(entity.text(i::TITLE)),
            severity: entity.text(i::SEVERITY).and_then(Severity::parse),
            started_at: entity.time(i::STARTED_AT)?,
            detected_at: entity.time(i::DETECTED_AT),
            acknowledged_at: entity.time(i::ACKNOWLEDGED_AT),
            mitigated_at: entity.time(i::MITIGATED_AT),
            resolved_at: entity.time(i::RESOLVED_AT),
            deployment: own(entity.text(i::DEPLOYMENT)),
            revision: entity.text(i::REVISION).map(|r| r.to_lowercase().into()),
            same_as: own(entity.text(i::SAME_AS)),
            url: own(entity.text(i::URL)),
        })
    }

    /// `mitigated_at`, else `resolved_at`; `None`: open.
    #[must_use]
    pub fn restored_at(&self) -> Option<Time> {
        self.mitigated_at.or(self.resolved_at)
    }
}

/// See the `availability` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// When the interval begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// What is known of it.
    pub sample: Sample,
}

/// What an availability event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// Up or down throughout.
    Up(bool),
    /// So many good requests of so many.
    Requests {
        /// Answered well.
        good: i64,
        /// All.
        total: i64,
    },
}

impl Availability {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use availability as a;
        let sample = match (entity.bool(a::UP), entity.int(a::GOOD), entity.int(a::TOTAL)) {
            (Some(up), _, _) => Sample::Up(up),
            (None, Some(good), Some(total)) => Sample::Requests { good, total },
            _ => return None,
        };
        let (from, to) = (entity.time(a::FROM)?, entity.time(a::TO)?);
        (from < to).then(|| Self {
            environment: entity.text(a::ENVIRONMENT).unwrap_or("production").into(),
            from,
            to,
            sample,
        })
    }
}

/// See the `maintenance` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Who announced it.
    pub source: Arc<str>,
    /// The environment as it was named, lower case.
    pub environment: Box<str>,
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// It was recorded after it began.
    pub declared_late: bool,
}

impl Maintenance {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use maintenance as m;
        let (from, to) = (entity.time(m::FROM)?, entity.time(m::TO)?);
        (from < to).then(|| Self {
            source: entity.source.clone(),
            environment: entity.text(m::ENVIRONMENT).unwrap_or("production").into(),
            from,
            to,
            declared_late: entity.first_recorded_at > from,
        })
    }
}

/// See the `service` kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceEntry {
    /// What events call it.
    pub slug: Box<str>,
    /// What people call it.
    pub name: Option<Box<str>>,
    /// The team that runs it.
    pub team: Option<Box<str>>,
    /// Where its code lives.
    pub repositories: Vec<RepositoryPaths>,
    /// The environments that together are its production, lower case.
    pub production: Vec<Box<str>>,
    /// Slugs that it had before.
    pub formerly: Vec<Box<str>>,
    /// Since when it is no longer run.
    pub archived_at: Option<Time>,
}

impl ServiceEntry {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use service as s;
        Some(Self {
            slug: entity.text(s::SLUG)?.into(),
            name: own(entity.text(s::NAME)),
            team: own(entity.text(s::TEAM)),
            repositories: match entity.get(s::REPOSITORIES) {
                Some(Value::Repositories(list)) => list.clone(),
                _ => Vec::new(),
            },
            production: entity
                .texts(s::PRODUCTION)
                .unwrap_or_default()
                .iter()
                .map(|e| e.to_lowercase().into())
                .collect(),
            formerly: entity.texts(s::FORMERLY).map(<[_]>::to_vec).unwrap_or_default(),
            archived_at: entity.time(s::ARCHIVED_AT),
        })
    }
}

/// See the `team` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamEntry {
    /// What events call it.
    pub slug: Box<str>,
    /// What people call it.
    pub name: Option<Box<str>>,
    /// The team above it.
    pub parent: Option<Box<str>>,
}

impl TeamEntry {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use team as t;
        Some(Self {
            slug: entity.text(t::SLUG)?.into(),
            name: own(entity.text(t::NAME)),
            parent: own(entity.text(t::PARENT)),
        })
    }
}

/// See the `note` kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The service it is about.
    pub service: Option<Box<str>>,
    /// The team it is about.
    pub team: Option<Box<str>>,
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Option<Time>,
    /// What it says.
    pub text: Box<str>,
}

impl Note {
    /// See the module's documentation.
    #[must_use]
    pub fn from_entity(entity: &Entity) -> Option<Self> {
        use note as n;
        Some(Self {
            service: own(entity.text(n::SERVICE)),
            team: own(entity.text(n::TEAM)),
            from: entity.time(n::FROM)?,
            to: entity.time(n::TO),
            text: entity.text(n::TEXT)?.into(),
        })
    }
}
