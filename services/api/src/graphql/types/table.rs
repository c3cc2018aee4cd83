//! The same answers flat.

use std::sync::Arc;

use async_graphql::SimpleObject;
use vigie_metrics::{TableAnswer, TableQuery, TableRow};
use vigie_model::window::buckets;

use crate::error::{ApiError, Code, Result};
use crate::graphql::context::View;
use crate::graphql::enums::{Dimension, Granularity, Level, MetricName, NoDataReason, TargetStatus, Unit};
use crate::graphql::inputs::{ScopeInput, WindowInput};
use crate::graphql::parts::count;
use crate::graphql::scalars::DateTime;

/// Answers as flat rows: one for each metric, part of the scope and bucket.
#[derive(SimpleObject)]
pub struct Table {
    /// By part, then metric in the order of the enum, then bucket. Empty where there is nothing to show.
    pub rows: Vec<Row>,
    /// What a person should know of it: why there are no rows. Null where there is nothing to say.
    pub notice: Option<String>,
}

/// One row of a table.
#[derive(SimpleObject)]
pub struct Row {
    /// Which metric.
    pub metric: MetricName,
    /// The service's slug, where the table is cut by services.
    pub service: Option<String>,
    /// The team's slug, where the table is cut by teams; null for what no team runs.
    pub team: Option<String>,
    /// The environment, where the table is cut by environments.
    pub environment: Option<String>,
    /// The first instant of the bucket, or of the window.
    pub from: DateTime,
    /// The first instant behind it.
    pub to: DateTime,
    /// The value in its unit; null: no data, and `noData` says why.
    pub value: Option<f64>,
    /// What the value is measured in.
    pub unit: Unit,
    /// How many rows the value rests on.
    pub sample_size: i32,
    /// What was divided; null for a median.
    pub numerator: Option<f64>,
    /// What it was divided by; null for a median.
    pub denominator: Option<f64>,
    /// The objective of the target in force at the end; null: none.
    pub target: Option<f64>,
    /// How the value stands to it.
    pub status: TargetStatus,
    /// The level by DORA's survey; null: none.
    pub level: Option<Level>,
    /// Why there is no value; null where there is one.
    pub no_data: Option<NoDataReason>,
}

impl From<TableRow> for Row {
    fn from(row: TableRow) -> Self {
        let text = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        Self {
            metric: row.metric.into(),
            service: text(row.service),
            team: text(row.team),
            environment: text(row.environment),
            from: DateTime::at(row.from),
            to: DateTime::at(row.to),
            value: row.value,
            unit: row.unit.into(),
            sample_size: count(row.sample_size),
            numerator: row.numerator,
            denominator: row.denominator,
            target: row.target,
            status: row.status.into(),
            level: row.level.map(Into::into),
            no_data: row.no_data.map(Into::into),
        }
    }
}

/// What a table is asked for.
#[derive(Debug, Clone, Default)]
pub struct TableArgs {
    /// Whose rows count.
    pub scope: ScopeInput,
    /// In which window.
    pub window: WindowInput,
    /// Which metrics; none: all.
    pub metrics: Vec<MetricName>,
    /// Into which parts the scope is cut.
    pub by: Vec<Dimension>,
    /// Into which buckets the window is cut; none: one row for all of it.
    pub every: Option<Granularity>,
}

/// The rows of a table. What was asked wrongly is no error: there are no rows, and a notice says why.
///
/// # Errors
/// The state of the data cannot be had.
pub fn answer(view: Result<Arc<View>>, args: TableArgs) -> Result<TableAnswer> {
    let view = match view {
        Ok(view) => view,
        Err(error) if error.code == Code::BadInput => return Ok(TableAnswer::notice(error.message)),
        Err(error) => return Err(error),
    };
    let asked = query(&view, args);
    Ok(asked.map_or_else(TableAnswer::notice, |query| view.snapshot.table(&query, view.now)))
}

fn query(view: &View, args: TableArgs) -> std::result::Result<TableQuery, String> {
    let text = |error: ApiError| error.message;
    let mut metrics: Vec<MetricName> = args.metrics;
    metrics.sort();
    metrics.dedup();
    let mut by = args.by;
    by.dedup();
    let query = TableQuery {
        scope: args.scope.spec().map_err(text)?,
        window: view.window(&args.window).map_err(text)?,
        metrics: metrics.into_iter().map(Into::into).collect(),
        by: by.into_iter().map(Into::into).collect(),
        every: args.every.map(Into::into),
    };
    afford(view, &query)?;
    Ok(query)
}

/// Takes what the rows cost from the request's budget.
fn afford(view: &View, query: &TableQuery) -> std::result::Result<(), String> {
    let scope = view.snapshot.scope(&query.scope).map_err(|error| error.to_string())?;
    let parts = view.snapshot.breakdowns(&scope, &query.by);
    let for_each: u64 = parts.iter().map(|part| view.price(&part.scope)).sum();
    let steps = match query.every {
        None => 1,
        Some(every) => buckets(query.window, view.snapshot.zone(), every).map_err(|error| error.to_string())?.len(),
    };
    let metrics = if query.metrics.is_empty() { MetricName::all().count() } else { query.metrics.len() };
    let price = for_each.saturating_mul(steps as u64).saturating_mul(metrics as u64);
    view.budget.spend(price).map_err(|error| error.message)
}
