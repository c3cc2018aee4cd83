//! The runs of pulls: when each source was asked, and what came of it.
//!
//! A run is written under the lease of its source: of each source one runs at a time, and a run that still says so when
//! the next one begins was cut off. What a run recorded is counted in the transaction that records it.

mod copy;

use sqlx::{AssertSqlSafe, Row};
use vigie_model::{DAY, Time};

use crate::connection::{Tx, each};
use crate::deliveries::{Unmapped, write_unmapped};
use crate::keeping::{Cursor, LeaseProof, check_lease, write_cursor};
use crate::{Result, Store, StoreError};

pub(crate) use copy::copy_pull_runs;

/// Runs of a source that are kept, and for how long those of all of them are.
const KEPT: i64 = 200;
const KEPT_FOR: Time = 90 * DAY;

/// How a run of a pull stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PullState {
    /// It reads.
    Running,
    /// It read all that there was.
    Succeeded,
    /// Something kept it from going on; the error says what.
    Failed,
    /// It was stopped, or its process died; the next one goes on where it stood.
    Interrupted,
}

impl PullState {
    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Interrupted];

    /// As the database and messages have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl std::fmt::Display for PullState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How far a run has come, beside what it recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullStanding {
    /// Requests that it sent.
    pub requests: u64,
    /// How much of `total` is done, in whatever its source counts.
    pub done: u64,
    /// See [`PullStanding::done`].
    pub total: u64,
    /// Everything up to this instant was read.
    pub read_until: Option<Time>,
    /// What the source's limit of requests leaves.
    pub quota_left: Option<u64>,
    /// What is missing or odd, a sentence each.
    pub notes: Vec<String>,
}

/// A page of a pull, written with its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullPage {
    /// Where the next run goes on.
    pub cursor: Cursor,
    /// The run.
    pub run: i64,
    /// How far it has come with this page.
    pub standing: PullStanding,
    /// Services that were guessed.
    pub unmapped: Vec<Unmapped>,
    /// Shows that nobody else pulls the source.
    pub lease: LeaseProof,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullEnd {
    /// Never [`PullState::Running`].
    pub state: PullState,
    /// Why it failed.
    pub error: Option<String>,
    /// How far it came; `None`: as its last page said.
    pub standing: Option<PullStanding>,
    /// When the source is asked again; `None`: when somebody does so.
    pub next_run_at: Option<Time>,
}

/// A run of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRun {
    /// Its number; later ones have larger numbers.
    pub id: i64,
    /// What was asked: what the source's cursor is kept under.
    pub source: String,
    /// When it began.
    pub started_at: Time,
    /// When it ended; `None`: it has not, or nobody knows.
    pub ended_at: Option<Time>,
    /// How it stands.
    pub state: PullState,
    /// How many events it recorded.
    pub events: u64,
    /// How many were known already.
    pub duplicates: u64,
    /// How far it has come.
    pub standing: PullStanding,
    /// Why it failed.
    pub error: Option<String>,
    /// When the source is asked again.
    pub next_run_at: Option<Time>,
}

/// The lease that a run of a source holds.
#[must_use]
pub fn lease_of(source: &str) -> String {
    format!("pull {source}")
}

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledSource {
    /// Its latest run; one that says it runs and has no lease was cut off, and is told to be interrupted.
    pub last: PullRun,
    /// When the latest run ended that read all that there was.
    pub succeeded_at: Option<Time>,
    /// How many runs have failed since.
    pub failures: u64,
}

/// Which runs are meant. Everything that is given has to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PullFilter {
    /// How they stand.
    pub state: Option<PullState>,
    /// What was asked.
    pub source: Option<String>,
    /// Runs before this one, for the next page.
    pub before: Option<i64>,
}

const RUN: &str = "SELECT id, source, started_at, ended_at, state, events, duplicates, requests, done, total, read_until, \
    quota_left, notes, error, next_run_at FROM pull_runs";

/// The condition of a filter, its parameters in this order from `$1`. PostgreSQL has to be told the type of what is only
/// asked for being null.
const MATCHES: &str = "(CAST($1 AS TEXT) IS NULL OR state = $1) AND (CAST($2 AS TEXT) IS NULL OR source = $2) \
    AND (CAST($3 AS BIGINT) IS NULL OR id < $3)";

macro_rules! run {
    ($row:expr) => {{
        let row = $row;
        let whole = |place: usize| row.try_get(place).map(|number: i64| u64::try_from(number).unwrap_or(0));
        let id: i64 = row.try_get(0)?;
        let notes: String = row.try_get(12)?;
        PullRun {
            id,
            source: row.try_get(1)?,
            started_at: row.try_get(2)?,
            ended_at: row.try_get(3)?,
            state: state(id, row.try_get(4)?)?,
            events: whole(5)?,
            duplicates: whole(6)?,
            standing: PullStanding {
                requests: whole(7)?,
                done: whole(8)?,
                total: whole(9)?,
                read_until: row.try_get(10)?,
                quota_left: row.try_get::<Option<i64>, _>(11)?.map(|left| u64::try_from(left).unwrap_or(0)),
                notes: notes.lines().map(str::to_owned).collect(),
            },
            error: row.try_get(13)?,
            next_run_at: row.try_get(14)?,
        }
    }};
}

use run;

impl Store {
    /// Notes that a run begins; gives its number. A run of the source that was cut off is noted as such, and those that
    /// were kept for long enough are forgotten.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], those of the database.
    pub async fn begin_pull(&self, source: &str, lease: &LeaseProof, now: Time) -> Result<i64> {
        let mut tx = self.begin().await?;
        check_lease(&mut tx, lease).await?;
        let cut = "UPDATE pull_runs SET state = 'interrupted' WHERE source = $1 AND state = 'running'";
        let old = "DELETE FROM pull_runs WHERE started_at < $2 OR (source = $1 AND id <= \
            (SELECT id FROM pull_runs WHERE source = $1 ORDER BY id DESC LIMIT 1 OFFSET $3))";
        let new = "INSERT INTO pull_runs (source, started_at, state, events, duplicates, requests, done, total, notes) \
            VALUES ($1, $2, 'running', 0, 0, 0, 0, 0, '') RETURNING id";
        let id = each!(&mut tx, connection => {
            sqlx::query(cut).bind(source).execute(&mut *connection).await?;
            let query = sqlx::query(old).bind(source).bind(now.saturating_sub(KEPT_FOR)).bind(KEPT - 1);
            query.execute(&mut *connection).await?;
            sqlx::query(new).bind(source).bind(now).fetch_one(connection).await?.try_get(0)?
        });
        tx.commit().await?;
        Ok(id)
    }

    /// Notes how a run ended.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], those of the database.
    pub async fn end_pull(&self, run: i64, end: &PullEnd, lease: &LeaseProof, now: Time) -> Result<()> {
        let mut tx = self.begin().await?;
        check_lease(&mut tx, lease).await?;
        if let Some(standing) = &end.standing {
            write_standing(&mut tx, run, standing, (0, 0)).await?;
        }
        let sql = "UPDATE pull_runs SET state = $2, ended_at = $3, error = $4, next_run_at = $5 WHERE id = $1";
        each!(&mut tx, connection => {
            let query = sqlx::query(sql).bind(run).bind(end.state.as_str()).bind(now).bind(end.error.as_deref());
            query.bind(end.next_run_at).execute(connection).await?;
        });
        tx.commit().await
    }

    /// Runs, the latest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pull_runs(&self, filter: &PullFilter, limit: i64) -> Result<Vec<PullRun>> {
        let sql = format!("{RUN} WHERE {MATCHES} ORDER BY id DESC LIMIT $4");
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(filter.state.map(PullState::as_str));
            let rows = query.bind(filter.source.as_deref()).bind(filter.before).bind(limit).fetch_all(connection).await?;
            rows.iter().map(|row| Ok(run!(row))).collect()
        })
    }

    /// How many runs there are of a filter.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_pull_runs(&self, filter: &PullFilter) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM pull_runs WHERE {MATCHES}");
        let mut reader = self.backend().reader().await?;
        let count: i64 = each!(&mut reader, connection => {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(filter.state.map(PullState::as_str));
            query.bind(filter.source.as_deref()).bind(filter.before).fetch_one(connection).await?.try_get(0)?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How a source stands; `None`: no run of it is on record.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pulled_source(&self, source: &str, now: Time) -> Result<Option<PulledSource>> {
        let last = format!("{RUN} WHERE source = $1 ORDER BY id DESC LIMIT 1");
        let success =
            "SELECT id, ended_at FROM pull_runs WHERE source = $1 AND state = 'succeeded' ORDER BY id DESC LIMIT 1";
        let failures = "SELECT count(*) FROM pull_runs WHERE source = $1 AND state = 'failed' AND id > $2";
        let mut reader = self.backend().reader().await?;
        each!(&mut reader, connection => {
            let last = sqlx::query(AssertSqlSafe(last)).bind(source).fetch_optional(&mut *connection).await?;
            let Some(row) = last else { return Ok(None) };
            let mut last = run!(&row);
            let lease = "SELECT 1 FROM lease WHERE name = $1 AND until > $2";
            let lease = sqlx::query(lease).bind(lease_of(source)).bind(now).fetch_optional(&mut *connection).await?;
            if last.state == PullState::Running && lease.is_none() {
                last.state = PullState::Interrupted;
            }
            let success = sqlx::query(success).bind(source).fetch_optional(&mut *connection).await?;
            let (id, succeeded_at) = match success {
                Some(row) => (row.try_get(0)?, row.try_get(1)?),
                None => (0_i64, None),
            };
            let failures: i64 = sqlx::query(failures).bind(source).bind(id).fetch_one(connection).await?.try_get(0)?;
            Ok(Some(PulledSource { last, succeeded_at, failures: u64::try_from(failures).unwrap_or(0) }))
        })
    }

    /// How every source stands of which a run is on record, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn pulled_sources(&self, now: Time) -> Result<Vec<PulledSource>> {
        let sources: Vec<String> = {
            let mut reader = self.backend().reader().await?;
            each!(&mut reader, connection => {
                let sql = "SELECT DISTINCT source FROM pull_runs ORDER BY source";
                let rows = sqlx::query(sql).fetch_all(connection).await?;
                rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_>>()?
            })
        };
        let mut all = Vec::with_capacity(sources.len());
        for source in sources {
            all.extend(self.pulled_source(&source, now).await?);
        }
        Ok(all)
    }
}

/// In the transaction that records the page's events. `outcomes`: how many were new, and how many known.
pub(crate) async fn write_page(tx: &mut Tx, page: &PullPage, outcomes: (usize, usize), now: Time) -> Result<()> {
    check_lease(tx, &page.lease).await?;
    write_cursor(tx, &page.cursor, now).await?;
    for unmapped in &page.unmapped {
        write_unmapped(tx, unmapped, now).await?;
    }
    write_standing(tx, page.run, &page.standing, outcomes).await
}

async fn write_standing(tx: &mut Tx, run: i64, standing: &PullStanding, outcomes: (usize, usize)) -> Result<()> {
    let sql = "UPDATE pull_runs SET events = events + $2, duplicates = duplicates + $3, requests = $4, done = $5, \
        total = $6, read_until = $7, quota_left = $8, notes = $9 WHERE id = $1";
    let (new, known) = (whole(outcomes.0 as u64), whole(outcomes.1 as u64));
    each!(tx, connection => {
        let query = sqlx::query(sql).bind(run).bind(new).bind(known).bind(whole(standing.requests));
        let query = query.bind(whole(standing.done)).bind(whole(standing.total)).bind(standing.read_until);
        let query = query.bind(standing.quota_left.map(whole)).bind(standing.notes.join("\n"));
        query.execute(connection).await?;
    });
    Ok(())
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn state(id: i64, name: &str) -> Result<PullState> {
    PullState::parse(name).ok_or_else(|| StoreError::Corrupt {
        table: "pull_runs",
        column: "state",
        row: format!("id {id}"),
        reason: format!("{name:?} is none"),
    })
}
