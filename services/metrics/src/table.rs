//! Answers as flat rows, for tables, spreadsheets and Grafana.

use std::sync::Arc;

use vigie_model::Time;
use vigie_model::settings::{MetricName, Unit};
use vigie_model::window::{Granularity, Window, buckets};

use crate::answer::{NoData, TargetStatus};
use crate::breakdown::Dimension;
use crate::levels::Level;
use crate::scope::ScopeSpec;
use crate::snapshot::Snapshot;

/// The most rows that a table may have.
pub const MAX_TABLE_ROWS: usize = 200_000;

/// A question for a table: a row for each metric, part of the scope and bucket.
#[derive(Debug, Clone)]
pub struct TableQuery {
    /// Which services.
    pub scope: ScopeSpec,
    /// The window, cut at now.
    pub window: Window,
    /// Which metrics; empty: all.
    pub metrics: Vec<MetricName>,
    /// What the scope is cut by.
    pub by: Vec<Dimension>,
    /// What the window is cut by; none: one row for all of it.
    pub every: Option<Granularity>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// Which metric.
    pub metric: MetricName,
    /// The service, where the table is cut by services.
    pub service: Option<Arc<str>>,
    /// The team, where it is cut by teams.
    pub team: Option<Arc<str>>,
    /// The environment, where it is cut by environments.
    pub environment: Option<Arc<str>>,
    /// The bucket's first instant.
    pub from: Time,
    /// The first instant after it.
    pub to: Time,
    /// In the unit.
    pub value: Option<f64>,
    /// What the value is measured in.
    pub unit: Unit,
    /// How many rows the value rests on.
    pub sample_size: u64,
    /// See the table in metrics.md.
    pub numerator: Option<f64>,
    /// See the table in metrics.md.
    pub denominator: Option<f64>,
    /// The objective.
    pub target: Option<f64>,
    /// How the value stands to it.
    pub status: TargetStatus,
    /// DORA's level.
    pub level: Option<Level>,
    /// Why there is no value.
    pub no_data: Option<NoData>,
}

/// The rows of a table; where there are none, the notice says why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableAnswer {
    /// By part, then metric, then bucket.
    pub rows: Vec<TableRow>,
    /// What a person should know of it.
    pub notice: Option<String>,
}

impl TableAnswer {
    /// No rows, and why.
    #[must_use]
    pub fn notice(notice: impl Into<String>) -> Self {
        Self { rows: Vec::new(), notice: Some(notice.into()) }
    }
}

impl Snapshot {
    /// The rows of a table. Never an error: where there is nothing to show, a notice says why.
    #[must_use]
    pub fn table(&self, query: &TableQuery, now: Time) -> TableAnswer {
        let scope = match self.scope(&query.scope) {
            Ok(scope) => scope,
            Err(error) => return TableAnswer::notice(error.to_string()),
        };
        if scope.is_empty() {
            return TableAnswer::notice("no service is in this scope");
        }
        if query.window.from >= query.window.to {
            return TableAnswer::notice("the window is empty: it begins now or later");
        }
        let windows: Vec<Window> = match query.every {
            None => vec![query.window],
            Some(every) => match buckets(query.window, self.zone(), every) {
                Ok(all) => all.iter().map(|(from, to)| Window::new(*from, *to)).collect(),
                Err(error) => return TableAnswer::notice(error.to_string()),
            },
        };
        let metrics = match query.metrics.as_slice() {
            [] => MetricName::ALL,
            some => some,
        };
        let parts = self.breakdowns(&scope, &query.by);
        let count = parts.len() * metrics.len() * windows.len();
        if count > MAX_TABLE_ROWS {
            return TableAnswer::notice(format!(
                "the table would have {count} rows, and {MAX_TABLE_ROWS} are allowed; ask for longer steps, a \
                 shorter window, fewer metrics or a smaller scope"
            ));
        }
        let mut rows = Vec::with_capacity(count);
        for part in &parts {
            let answers = self.ask_each(metrics, &part.scope, windows.clone(), now);
            for (metric, answers) in metrics.iter().zip(answers) {
                rows.extend(answers.into_iter().zip(&windows).map(|(answer, window)| TableRow {
                    metric: *metric,
                    service: part.service.clone(),
                    team: part.team.clone(),
                    environment: part.environment.clone(),
                    from: window.from,
                    to: window.to,
                    value: answer.value,
                    unit: answer.unit,
                    sample_size: answer.sample_size,
                    numerator: answer.numerator,
                    denominator: answer.denominator,
                    target: answer.target.map(|target| target.objective),
                    status: answer.status,
                    level: answer.level,
                    no_data: answer.no_data,
                }));
            }
        }
        TableAnswer { rows, notice: None }
    }
}
