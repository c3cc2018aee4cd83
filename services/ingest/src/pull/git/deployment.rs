//! The event of a deployment that is guessed from a tag or a merge.

use std::sync::Arc;

use vigie_model::kinds::deployment as d;
use vigie_model::{Event, Kind, Time, Value};

use super::tags::Tag;
use super::text;
use super::warnings::Counts;

/// What all deployments of a pull have in common.
#[derive(Debug, Clone)]
pub(super) struct DeploymentContext {
    pub source: Arc<str>,
    pub service: Box<str>,
    /// In lower case.
    pub environment: Box<str>,
    /// In lower case.
    pub repository: Box<str>,
    pub now: Time,
}

/// The deployment of a tag. `is_moved`: an earlier run gave it with another target.
pub(super) fn of_tag(tag: &Tag, is_moved: bool, context: &DeploymentContext, counts: &mut Counts) -> Option<Event> {
    let finished_at = text::time(tag.seconds);
    counts.impossible_dates += u64::from(finished_at.is_none());
    counts.future_dates += u64::from(finished_at.is_some_and(|at| at > context.now));
    let finished_at = finished_at.unwrap_or(0);
    let id = text::id(tag.name.as_bytes())?;
    let mut event = event(id, &tag.commit, finished_at, context);
    if is_moved {
        // The new target may be older than the old one, and still is what the tag says now.
        event.at = finished_at.max(context.now);
    }
    Some(event)
}

/// The deployment of a first-parent commit.
pub(super) fn of_merge(commit: &gix::oid, finished_at: Time, context: &DeploymentContext) -> Event {
    event(commit.to_string().into(), commit, finished_at, context)
}

fn event(id: Box<str>, commit: &gix::oid, finished_at: Time, context: &DeploymentContext) -> Event {
    Event {
        kind: Kind::Deployment,
        source: context.source.clone(),
        at: finished_at,
        timeless: false,
        partial: false,
        deleted: false,
        fields: vec![
            (d::SERVICE, Value::Text(context.service.clone())),
            (d::ENVIRONMENT, Value::Text(context.environment.clone())),
            (d::ID, Value::Text(id)),
            (d::REVISION, Value::Text(commit.to_string().into())),
            (d::REPOSITORY, Value::Text(context.repository.clone())),
            (d::FINISHED_AT, Value::Time(finished_at)),
            (d::OUTCOME, Value::Text("succeeded".into())),
            (d::INFERRED, Value::Bool(true)),
        ],
    }
}
