//! `/v1/table`: answers as CSV, or flat JSON, for spreadsheets and dashboards.

use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use vigie_metrics::{TableAnswer, TableRow};
use vigie_model::format_time;

use super::answer::{Form, Made, answer};
use super::body::Ready;
use super::telemetry::{Route, Stopwatch};
use crate::auth::Right;
use crate::error::{ApiError, Result};
use crate::graphql::table::{self, TableArgs};
use crate::graphql::{Ask, DateTime, Dimension, Duration, Granularity, MetricName};
use crate::state::State;

/// `GET /v1/table`
pub async fn get(request: HttpRequest, state: Data<State>) -> HttpResponse {
    let watch = Stopwatch::start();
    let response = match ask(&request, &state).await {
        Ok((ready, Format::Csv)) => ready.response("text/csv; charset=utf-8; header=present"),
        Ok((ready, Format::Json)) => ready.response("application/json"),
        Err(error) => error.response(),
    };
    state.telemetry.answered(Route::Table, response.status(), watch);
    response
}

async fn ask(request: &HttpRequest, state: &State) -> Result<(Ready, Format)> {
    let access = state.gate.admit(request).await?;
    access.need(Right::Read)?;
    let asked = Asked::parse(request.query_string())?;
    let format = asked.format;
    let text = Bytes::copy_from_slice(request.query_string().as_bytes());
    let ready =
        answer(state, &access, request, Form::Table, text, async |_, ask| make(state, ask, asked).await).await?;
    Ok((ready, format))
}

async fn make(state: &State, ask: Ask, asked: Asked) -> Result<Made> {
    let view = ask.view(asked.as_of).await;
    state
        .aside
        .run(move || {
            let answer = table::answer(view, asked.args)?;
            let notice = answer.notice.clone().filter(|_| asked.format == Format::Csv);
            Ok(Made { body: asked.format.render(&answer)?, repeatable: true, notice })
        })
        .await?
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Csv,
    Json,
}

/// What the address asks for.
#[derive(Debug, Default)]
struct Asked {
    args: TableArgs,
    as_of: Option<DateTime>,
    format: Format,
}

const PARAMETERS: [&str; 12] =
    ["team", "service", "environment", "from", "to", "last", "month", "metrics", "by", "every", "asOf", "format"];

impl Asked {
    fn parse(query: &str) -> Result<Self> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|error| ApiError::bad_input(format!("the address cannot be read: {error}")))?;
        let mut asked = Self::default();
        for (name, value) in pairs.into_inner() {
            // An empty value is what a dashboard sends for "all".
            if !value.is_empty() {
                asked.take(&name, value)?;
            }
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: String) -> Result<()> {
        let (scope, window) = (&mut self.args.scope, &mut self.args.window);
        match name {
            "team" => scope.team.get_or_insert_default().push(value),
            "service" => scope.service.get_or_insert_default().push(value),
            "environment" => scope.environment = Some(value),
            "from" => window.from = Some(DateTime::read(&value)),
            "to" => window.to = Some(DateTime::read(&value)),
            "last" => window.last = Some(Duration::read(&value)),
            "month" => window.month = Some(value),
            "metrics" => self.args.metrics.extend(words::<MetricName>("metrics", &value)?),
            "by" => self.args.by.extend(words::<Dimension>("by", &value)?),
            "every" => self.args.every = words::<Granularity>("every", &value)?.pop(),
            "asOf" => self.as_of = Some(DateTime::read(&value)),
            "format" => self.format = format(&value)?,
            unknown => {
                let message = format!("{unknown}: there is no such parameter; there are {}", PARAMETERS.join(", "));
                return Err(ApiError::bad_input(message));
            }
        }
        Ok(())
    }
}

fn format(value: &str) -> Result<Format> {
    match value {
        "csv" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        other => Err(ApiError::bad_input(format!("format: {other:?} is none; write csv or json"))),
    }
}

/// Words of a closed set, in any case, one or several with commas between.
fn words<T: async_graphql::resolver_utils::EnumType + Copy>(name: &str, value: &str) -> Result<Vec<T>> {
    let word = |text: &str| {
        let text = text.trim();
        let found = T::items().iter().find(|item| item.name.eq_ignore_ascii_case(text));
        found.map(|item| item.value).ok_or_else(|| {
            let known: Vec<&str> = T::items().iter().map(|item| item.name).collect();
            ApiError::bad_input(format!("{name}: {text:?} is none of {}", known.join(", ")))
        })
    };
    value.split(',').map(word).collect()
}

/// A row as it is written, by the names that GraphQL has for its fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    metric: String,
    service: Option<&'a str>,
    team: Option<&'a str>,
    environment: Option<&'a str>,
    from: String,
    to: String,
    value: Option<f64>,
    unit: String,
    sample_size: u64,
    numerator: Option<f64>,
    denominator: Option<f64>,
    target: Option<f64>,
    status: &'static str,
    level: Option<&'static str>,
    no_data: Option<&'static str>,
}

const HEADER: [&str; 15] = [
    "metric",
    "service",
    "team",
    "environment",
    "from",
    "to",
    "value",
    "unit",
    "sampleSize",
    "numerator",
    "denominator",
    "target",
    "status",
    "level",
    "noData",
];

impl<'a> From<&'a TableRow> for Line<'a> {
    fn from(row: &'a TableRow) -> Self {
        Self {
            metric: row.metric.as_str().to_uppercase(),
            service: row.service.as_deref(),
            team: row.team.as_deref(),
            environment: row.environment.as_deref(),
            from: format_time(row.from),
            to: format_time(row.to),
            value: row.value,
            unit: row.unit.as_str().to_uppercase(),
            sample_size: row.sample_size,
            numerator: row.numerator,
            denominator: row.denominator,
            target: row.target,
            status: row.status.as_str(),
            level: row.level.map(|level| level.as_str()),
            no_data: row.no_data.map(|reason| reason.as_str()),
        }
    }
}

#[derive(Serialize)]
struct Flat<'a> {
    rows: Vec<Line<'a>>,
    notice: Option<&'a str>,
}

impl Format {
    fn render(self, answer: &TableAnswer) -> Result<Vec<u8>> {
        let failed = |error: &dyn std::fmt::Display| ApiError::internal("a table could not be written", error);
        let rows = answer.rows.iter().map(Line::from);
        match self {
            Self::Json => {
                let flat = Flat { rows: rows.collect(), notice: answer.notice.as_deref() };
                serde_json::to_vec(&flat).map_err(|error| failed(&error))
            }
            Self::Csv => {
                // The header by hand: it is there without rows too.
                let mut file = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .has_headers(false)
                    .from_writer(Vec::new());
                file.write_record(HEADER).map_err(|error| failed(&error))?;
                for row in rows {
                    file.serialize(row).map_err(|error| failed(&error))?;
                }
                file.into_inner().map_err(|error| failed(&error))
            }
        }
    }
}
