//! Runs of pulls, for those who administer.

use async_graphql::{Enum, ID, Object};
use vigie_engine::{PullFilter, PullRun as Kept, PullState as Kind};

use crate::error::{ApiError, Result};
use crate::graphql::context::Ask;
use crate::graphql::page::{Connection, Edge, PageArgs, bad_cursor, connection, decode, encode};
use crate::graphql::parts::count;
use crate::graphql::scalars::DateTime;

/// How a run of a pull stands.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub enum PullState {
    /// It reads, or its process died and nobody has asked the source since.
    Running,
    /// It read all that there was.
    Succeeded,
    /// Something kept it from going on: `error` says what. The source is asked again after a pause.
    Failed,
    /// It was stopped, or its process died; the next one goes on where it stood.
    Interrupted,
}

/// See the GraphQL type.
pub struct PullRun(Kept);

/// A run of a pull: a source was asked for what is new.
#[Object]
impl PullRun {
    /// Its number. Later ones have larger numbers.
    async fn id(&self) -> ID {
        ID::from(self.0.id)
    }

    /// What was asked, like `git /srv/git/shop` or `prometheus http://prometheus:9090`.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// How it stands.
    async fn state(&self) -> PullState {
        self.0.state.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime {
        DateTime::at(self.0.started_at)
    }

    /// When it ended; null: it has not, or its process died.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime::at)
    }

    /// How many events it recorded.
    async fn events(&self) -> i32 {
        count(self.0.events)
    }

    /// How many of its events were known already.
    async fn duplicates(&self) -> i32 {
        count(self.0.duplicates)
    }

    /// How many requests it sent.
    async fn requests(&self) -> i32 {
        count(self.0.standing.requests)
    }

    /// How much of what there was to read is read, from 0 to 1; null: that is not known yet.
    #[allow(clippy::cast_precision_loss)] // a share
    async fn progress(&self) -> Option<f64> {
        let standing = &self.0.standing;
        (standing.total > 0).then(|| standing.done as f64 / standing.total as f64)
    }

    /// Everything up to this instant was read; null: the source is not read along time.
    async fn read_until(&self) -> Option<DateTime> {
        self.0.standing.read_until.map(DateTime::at)
    }

    /// How many more requests the source answers for now; null: it says nothing of that.
    async fn quota_left(&self) -> Option<i32> {
        self.0.standing.quota_left.map(count)
    }

    /// What is missing or odd, and why: a sentence each.
    async fn notes(&self) -> &[String] {
        &self.0.standing.notes
    }

    /// Why it failed.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// When the source is asked again; null: when somebody does so.
    async fn next_run_at(&self) -> Option<DateTime> {
        self.0.next_run_at.map(DateTime::at)
    }
}

/// A page of runs, the latest first.
///
/// # Errors
/// Only those who administer may see them; a bad cursor; the database does not answer.
pub async fn page(
    ask: &Ask,
    state: Option<PullState>,
    source: Option<String>,
    page: &PageArgs,
    is_counted: bool,
) -> Result<Connection<PullRun>> {
    let engine = ask.admin()?;
    let before = page
        .after
        .as_deref()
        .map(|cursor| decode(cursor).and_then(|text| text.parse().ok()).ok_or_else(|| bad_cursor(cursor)));
    let filter = PullFilter { state: state.map(Into::into), source, before: None };
    let away = |error: vigie_engine::StoreError| ApiError::from(vigie_engine::EngineError::from(error));
    let total = match is_counted {
        true => engine.store().count_pull_runs(&filter).await.map_err(away)?,
        false => 0,
    };
    let filter = PullFilter { before: before.transpose()?, ..filter };
    let first = i64::try_from(page.first).unwrap_or(0);
    let mut found = engine.store().pull_runs(&filter, first.saturating_add(1)).await.map_err(away)?;
    let has_next = found.len() > page.first;
    found.truncate(page.first);
    let mut rows = connection(page.after.is_some(), has_next, total);
    rows.edges.extend(found.into_iter().map(|row| Edge::new(encode(&row.id.to_string()), PullRun(row))));
    Ok(rows)
}
