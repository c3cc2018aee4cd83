//! What every handler shares. One for all threads of a server.

use std::sync::Arc;
use std::time::Duration;

use vigie_engine::Engine;

use crate::aside::Aside;
use crate::auth::{Auth, Gate};
use crate::graphql::{CostLimits, Graphql, MAX_ROWS, TextLimits};
use crate::http::telemetry::Telemetry;
use crate::memory::Answers;
use crate::team_view::TeamViews;

/// How much a client may ask of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a GraphQL request, its variables included.
    pub query_bytes: usize,
    /// The text of a query.
    pub text: TextLimits,
    /// The cost of a query.
    pub cost: CostLimits,
    /// Values and rows that a request may really use.
    pub rows: u64,
    /// Bytes of a request to the intake, unpacked.
    pub intake_bytes: usize,
    /// Bytes of a single event.
    pub event_bytes: usize,
    /// How long a body may take to come.
    pub patience: Duration,
    /// Bytes of answers that are remembered.
    pub answer_bytes: usize,
    /// Connections at a time, for each worker.
    pub connections: usize,
    /// For how long the oldest event may wait before the server calls itself not ready.
    pub ready_lag: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_bytes: 1024 * 1024,
            text: TextLimits::default(),
            cost: CostLimits::default(),
            rows: MAX_ROWS,
            intake_bytes: 10 * 1024 * 1024,
            event_bytes: 1024 * 1024,
            patience: Duration::from_secs(30),
            answer_bytes: 64 * 1024 * 1024,
            connections: 10_000,
            ready_lag: Duration::from_secs(60),
        }
    }
}

/// See the module's documentation.
pub struct State {
    pub(crate) engine: Engine,
    pub(crate) gate: Gate,
    pub(crate) graphql: Graphql,
    pub(crate) answers: Answers,
    pub(crate) teams: Arc<TeamViews>,
    pub(crate) aside: Arc<Aside>,
    pub(crate) telemetry: Telemetry,
    pub(crate) limits: Limits,
    pub(crate) demo: bool,
    /// The team of those who see everything.
    pub(crate) nobody: Arc<str>,
}

impl State {
    pub(crate) fn new(engine: Engine, auth: Auth, limits: Limits, demo: bool, threads: usize) -> Self {
        let aside = Arc::new(Aside::new(threads));
        Self {
            gate: Gate::new(auth, engine.clone()),
            graphql: Graphql::new(limits.text, limits.cost, aside.clone()),
            answers: Answers::new(limits.answer_bytes),
            teams: Arc::default(),
            telemetry: Telemetry::default(),
            nobody: "".into(),
            aside,
            engine,
            limits,
            demo,
        }
    }
}
