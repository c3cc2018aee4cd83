//! Prometheus' HTTP API, as far as it is asked.

use reqwest::StatusCode;
use serde::Deserialize;
use vigie_model::{SECOND, Time};

use super::super::http::{Answer, Http, NoAnswer, brief};
use super::super::{PullError, Traffic};
use super::naming::Labels;

/// A series with its samples, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub labels: Labels,
    pub points: Vec<(Time, f64)>,
}

/// Instants that are asked for: every `step` from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub first: Time,
    pub last: Time,
    pub step: Time,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum ApiError {
    /// It was asked for too much at once.
    TooMuch(PullError),
    /// The query is none.
    BadQuery(PullError),
    /// Something else.
    Other(PullError),
}

impl From<ApiError> for PullError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::TooMuch(error) | ApiError::BadQuery(error) | ApiError::Other(error) => error,
        }
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "errorType", default)]
    kind: String,
    error: String,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<MatrixSeries>,
}

#[derive(Deserialize)]
struct MatrixSeries {
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// A scalar, or a vector of one as some servers have it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Scalar { result: (f64, String) },
    Vector { result: Vec<VectorSample> },
}

#[derive(Deserialize)]
struct VectorSample {
    value: (f64, String),
}

/// A server.
pub(super) struct Api(Http);

impl Api {
    pub(super) fn new(http: Http) -> Self {
        Self(http)
    }

    pub(super) fn traffic(&self) -> Traffic {
        self.0.traffic()
    }

    /// What time the server has. Shows that it is one, and who is asked.
    pub(super) async fn now(&mut self) -> Result<Time, ApiError> {
        let scalar: Scalar = self.ask("api/v1/query", &[("query", "time()".to_owned())]).await?;
        let text = match &scalar {
            Scalar::Scalar { result: (_, text) } => Some(text),
            Scalar::Vector { result } => result.first().map(|sample| &sample.value.1),
        };
        text.and_then(|text| time(text.parse().ok()?)).ok_or_else(|| self.stranger("it does not know the time"))
    }

    /// The samples of a selector in a stretch of time up to an instant. [`ApiError::BadQuery`]: it is no selector.
    pub(super) async fn samples(&mut self, selector: &str, length: Time, until: Time) -> Result<Vec<Series>, ApiError> {
        let query = format!("{selector}[{}s]", length / SECOND);
        let matrix = self.ask("api/v1/query", &[("query", query), ("time", seconds(until))]).await?;
        Ok(series(matrix))
    }

    /// What a query gives at each instant. `lookback`: for how long a sample counts, where that is not the server's affair.
    pub(super) async fn range(
        &mut self,
        query: &str,
        range: Range,
        lookback: Option<Time>,
    ) -> Result<Vec<Series>, ApiError> {
        let mut asked = vec![
            ("query", query.to_owned()),
            ("start", seconds(range.first)),
            ("end", seconds(range.last)),
            ("step", seconds(range.step)),
            // Thanos leaves out what it does not reach, unless it is told to fail.
            ("partial_response", "false".to_owned()),
        ];
        asked.extend(lookback.map(|length| ("lookback_delta", seconds(length))));
        Ok(series(self.ask("api/v1/query_range", &asked).await?))
    }

    async fn ask<T: for<'de> Deserialize<'de> + Send + 'static>(
        &mut self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, ApiError> {
        let answer = self.0.get(path, query).await.map_err(|error| match error {
            NoAnswer::TooLong => ApiError::TooMuch(PullError::Refused(format!(
                "{} answers with too much at once; ask for fewer series, or a longer step",
                self.0.base()
            ))),
            NoAnswer::Error(error) => ApiError::Other(error),
        })?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(&answer));
        }
        let begin = brief(&String::from_utf8_lossy(answer.body.get(..200).unwrap_or(&answer.body)));
        // A long one would keep this thread from others.
        let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice::<Envelope<T>>(&answer.body));
        let envelope = match parsed.await {
            Ok(Ok(envelope)) => envelope,
            Ok(Err(error)) => return Err(self.stranger(&format!("it answers {begin:?} ({error})"))),
            Err(error) => return Err(self.stranger(&error.to_string())),
        };
        // What a query could have been written better for is no sign that something is missing.
        let partial = envelope.warnings.iter().find(|warning| !warning.starts_with("PromQL"));
        if let Some(warning) = partial {
            let message = format!("{} answers in part only: {}; it is asked again", self.0.base(), brief(warning));
            return Err(ApiError::Other(PullError::Unavailable { message, retry_after: None }));
        }
        match envelope.data {
            Some(data) if envelope.status == "success" => Ok(data),
            _ => Err(self.stranger("it sends no data")),
        }
    }

    /// What an answer means that is none.
    fn refusal(&self, answer: &Answer) -> ApiError {
        let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
        let text = String::from_utf8_lossy(&answer.body);
        let why = refusal.as_ref().map_or(&*text, |refusal| &*refusal.error);
        let kind = refusal.as_ref().map_or("", |refusal| &*refusal.kind);
        let is_too_much = matches!(kind, "timeout" | "canceled")
            || ["too many samples", "maximum resolution", "too many points", "timed out", "limit"]
                .iter()
                .any(|sign| why.contains(sign));
        let status = answer.status.as_u16();
        let refused = |remedy: &str| self.0.refused(answer, why, remedy);
        match status {
            400 | 413 | 422 | 503 | 504 if is_too_much || status == 413 => {
                ApiError::TooMuch(refused("ask for fewer series, or a longer step"))
            }
            400 | 422 if refusal.is_some() => ApiError::BadQuery(refused("mend the query")),
            401 | 403 => ApiError::Other(refused("set token_file, or username and password_file, to what it lets in")),
            404 | 405 => ApiError::Other(refused(
                "write the URL below which its API stands: /api/v1 follows it, like https://mimir.example/prometheus",
            )),
            429 | 500.. => ApiError::Other(self.0.unavailable(answer, why)),
            _ => ApiError::Other(refused("see what its documentation says of that")),
        }
    }

    fn stranger(&self, why: &str) -> ApiError {
        ApiError::Other(PullError::Refused(format!(
            "what stands at {} is no Prometheus: {why}; write the URL below which its API stands, as /api/v1 follows it",
            self.0.base()
        )))
    }
}

fn series(matrix: Matrix) -> Vec<Series> {
    let one = |series: MatrixSeries| {
        let points = series.values.iter().filter_map(|(at, value)| Some((time(*at)?, value.parse().ok()?)));
        let mut points: Vec<(Time, f64)> = points.collect();
        points.sort_by_key(|(at, _)| *at);
        Series { labels: series.metric, points }
    };
    matrix.result.into_iter().map(one).collect()
}

/// An instant from seconds, to the millisecond, which is what Prometheus has.
#[allow(clippy::cast_possible_truncation)] // it is in range
fn time(seconds: f64) -> Option<Time> {
    let millis = (seconds * 1_000.0).round();
    (0.0..253_402_300_800_000.0).contains(&millis).then(|| millis as i64 * 1_000)
}

fn seconds(time: Time) -> String {
    let millis = time / 1_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_and_values_need_not_be_numbers() {
        let text = r#"{"resultType":"matrix","result":[{"metric":{"job":"a"},
            "values":[[1700000015.123,"1"],[1700000000,"NaN"],[1700000030.001,"+Inf"],[1e300,"1"]]},
            {"metric":{},"histograms":[]}]}"#;
        let all = series(serde_json::from_str(text).unwrap());
        let points = &all[0].points;
        assert_eq!((points.len(), points[0].0, points[1].0), (3, 1_700_000_000_000_000, 1_700_000_015_123_000));
        assert!(points[0].1.is_nan() && points[2].1.is_infinite() && all[1].points.is_empty());
        assert_eq!(seconds(1_700_000_015_123_000), "1700000015.123");
    }
}
