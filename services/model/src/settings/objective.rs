//! Objectives as people write them.

use super::{Comparison, MetricName, Unit};
use crate::duration::{format_duration, parse_every};
use crate::{DAY, SECOND, Time};

/// Why a text is no objective of a metric. The message says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectiveError {
    /// Not a ratio.
    #[error("{text:?} is no objective for {metric}; write a ratio, like {example}")]
    Ratio {
        /// The text.
        text: String,
        /// The metric.
        metric: MetricName,
        /// What may have been meant.
        example: String,
    },
    /// Not a duration.
    #[error("{text:?} is no objective for {metric}; write a duration, like PT1H, 30m or P2D{why}")]
    Duration {
        /// The text.
        text: String,
        /// The metric.
        metric: MetricName,
        /// What is wrong with it, where it looks like a duration.
        why: String,
    },
    /// Not a rate.
    #[error("{text:?} is no objective for {metric}; write a rate, like {example}")]
    Rate {
        /// The text.
        text: String,
        /// The metric.
        metric: MetricName,
        /// What may have been meant.
        example: String,
    },
    /// No value can meet it: the comparison is strict.
    #[error("the objective {text:?} can never be met, because {metric} would have to be {side} it; write {remedy}")]
    Unreachable {
        /// The text.
        text: String,
        /// The metric.
        metric: MetricName,
        /// `above` or `below`.
        side: Comparison,
        /// Something near that can be met.
        remedy: &'static str,
    },
}

/// Reads an objective in the metric's unit: a ratio (`99.9%`, `0.999`), seconds from a duration (`PT1H`, `30m`), or
/// a rate a day (`1/day`, `2/week`, `1/12h`).
///
/// # Errors
/// See [`ObjectiveError`].
pub fn parse_objective(metric: MetricName, text: &str) -> Result<f64, ObjectiveError> {
    let trimmed = text.trim();
    let objective = match metric.unit() {
        Unit::Ratio => ratio(metric, trimmed)?,
        Unit::Seconds => seconds(metric, trimmed)?,
        Unit::PerDay => rate(metric, trimmed)?,
    };
    let side = metric.comparison();
    let unreachable = |remedy| ObjectiveError::Unreachable { text: text.to_owned(), metric, side, remedy };
    match (side, metric.unit()) {
        (Comparison::Below, Unit::Ratio) if objective <= 0.0 => Err(unreachable("a small ratio, like 0.1%")),
        (Comparison::Below, _) if objective <= 0.0 => Err(unreachable("a short duration, like PT1M")),
        (Comparison::Above, Unit::Ratio) if objective >= 1.0 => Err(unreachable("a ratio below it, like 99.99%")),
        _ => Ok(objective),
    }
}

/// A decimal number without sign or exponent.
fn decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text != ".";
    plain.then(|| text.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

fn ratio(metric: MetricName, text: &str) -> Result<f64, ObjectiveError> {
    let wrong = |example: String| ObjectiveError::Ratio { text: text.to_owned(), metric, example };
    let usual = || if metric == MetricName::Uptime { "99.9% or 0.999" } else { "5% or 0.05" }.to_owned();
    let ratio = match text.strip_suffix('%').map(str::trim_end) {
        Some(percent) => {
            decimal(percent).ok_or_else(|| wrong(usual()))?;
            // Shifted in decimal, so that 99.95% is the number nearest to 0.9995.
            decimal(percent).and_then(|_| format!("{percent}e-2").parse().ok()).ok_or_else(|| wrong(usual()))?
        }
        None => {
            let number = decimal(text).ok_or_else(|| wrong(usual()))?;
            if (1.0..=100.0).contains(&number) && number > 1.0 {
                return Err(wrong(format!("{text}%")));
            }
            number
        }
    };
    if ratio > 1.0 { Err(wrong(usual())) } else { Ok(ratio) }
}

#[allow(clippy::cast_precision_loss)] // exact up to 285 years
fn seconds(metric: MetricName, text: &str) -> Result<f64, ObjectiveError> {
    let wrong = |why: String| ObjectiveError::Duration { text: text.to_owned(), metric, why };
    if let Some(number) = decimal(text) {
        return Err(wrong(format!(" (seconds are {number}s)")));
    }
    match parse_every(text) {
        Ok(micros) => Ok(micros as f64 / SECOND as f64),
        Err(error) => Err(wrong(format!(" ({error})"))),
    }
}

#[allow(clippy::cast_precision_loss)] // lengths of days
fn rate(metric: MetricName, text: &str) -> Result<f64, ObjectiveError> {
    let wrong = |example: &str| ObjectiveError::Rate { text: text.to_owned(), metric, example: example.to_owned() };
    let usual = "1/day, 2/week or 1/12h";
    let Some((count, period)) = text.split_once('/') else {
        return Err(match decimal(text) {
            Some(_) => wrong(&format!("{text}/day")),
            None => wrong(usual),
        });
    };
    let count = decimal(count.trim()).ok_or_else(|| wrong(usual))?;
    let period: Time = match period.trim().to_lowercase().as_str() {
        "day" | "d" => DAY,
        "week" | "w" => 7 * DAY,
        "hour" | "h" => DAY / 24,
        "month" | "year" => {
            return Err(wrong(&format!("{count}/30d (months and years have no fixed length)")));
        }
        _ => parse_every(period.trim()).ok().filter(|length| *length > 0).ok_or_else(|| wrong(usual))?,
    };
    let rate = count * DAY as f64 / period as f64;
    if rate.is_finite() { Ok(rate) } else { Err(wrong(usual)) }
}

/// Writes an objective so that [`parse_objective`] reads the same number back: `0.999`, `PT30M`, `1/day`.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // rounded to a microsecond on purpose
pub fn format_objective(metric: MetricName, objective: f64) -> String {
    match metric.unit() {
        Unit::Ratio => objective.to_string(),
        Unit::Seconds => format_duration((objective * SECOND as f64).round() as Time),
        Unit::PerDay => format!("{objective}/day"),
    }
}
