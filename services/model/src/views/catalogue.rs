//! Services and teams, and the notes on them.

use super::own;
use crate::Time;
use crate::entity::Entity;
use crate::event::{RepositoryPaths, Value};
use crate::kinds::{note, service, team};

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
                Some(Value::Repositories(list)) => list,
                _ => Vec::new(),
            },
            production: entity
                .texts(s::PRODUCTION)
                .unwrap_or_default()
                .iter()
                .map(|e| e.to_lowercase().into())
                .collect(),
            formerly: entity.texts(s::FORMERLY).unwrap_or_default(),
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
        let (service, team) = (own(entity.text(n::SERVICE)), own(entity.text(n::TEAM)));
        if service.is_none() && team.is_none() {
            return None;
        }
        Some(Self {
            service,
            team,
            from: entity.time(n::FROM)?,
            to: entity.time(n::TO),
            text: entity.text(n::TEXT)?.into(),
        })
    }
}
