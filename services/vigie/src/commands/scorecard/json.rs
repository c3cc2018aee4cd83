//! The scorecard for a program: the names of the GraphQL schema.

use serde_json::{Value, json};
use vigie_metrics::{Answer, exclusion_text};
use vigie_model::format_time;
use vigie_model::settings::Unit;
use vigie_model::window::Window;

use super::{Scorecard, Shown};

const QUANTILES: [f64; 4] = [0.5, 0.75, 0.9, 0.95];

pub(super) fn render(card: &Scorecard) -> Value {
    let metrics: Vec<Value> = card.metrics.iter().map(metric).collect();
    let (stages, waiting) = (&card.stages, &card.waiting);
    json!({
        "organization": card.organization,
        "scope": {
            "team": card.asked.team,
            "service": card.asked.service,
            "environment": card.asked.environment,
            "services": card.services,
        },
        "window": window(&card.window, card.zone.name()),
        "asOf": card.as_of.map(format_time),
        "metrics": metrics,
        "stages": {
            "coding": stages.coding, "pickup": stages.pickup, "review": stages.review, "deploy": stages.deploy,
        },
        "waiting": { "count": waiting.count, "oldest": waiting.oldest.map(format_time) },
        "dataQuality": card.quality.counts.iter().map(|(code, count)| json!({ "code": code, "count": count })).collect::<Vec<_>>(),
    })
}

fn window(window: &Window, zone: &str) -> Value {
    json!({ "from": format_time(window.from), "to": format_time(window.to), "timeZone": zone })
}

fn metric(shown: &Shown) -> Value {
    let Shown { answer, title, previous, previous_window } = shown;
    let mut out = json!({
        "name": upper(answer.metric.as_str()),
        "title": title,
        "unit": upper(answer.unit.as_str()),
        "value": answer.value,
        "noData": answer.no_data.map(|reason| reason.as_str()),
        "numerator": answer.numerator,
        "denominator": answer.denominator,
        "sampleSize": answer.sample_size,
        "excluded": answer.excluded.iter().map(|left_out| json!({
            "reason": left_out.reason, "count": left_out.count, "text": exclusion_text(left_out.reason),
        })).collect::<Vec<_>>(),
        "target": answer.target.as_ref().map(|target| json!({
            "objective": target.objective, "comparison": upper(target.comparison.as_str()),
            "action": target.action, "setAt": target.set_at, "from": target.from.map(format_time),
        })),
        "status": answer.status.as_str(),
        "level": answer.level.map(|level| level.as_str()),
        "previous": {
            "from": format_time(previous_window.from), "to": format_time(previous_window.to),
            "value": previous.value, "noData": previous.no_data.map(|reason| reason.as_str()),
            "sampleSize": previous.sample_size,
        },
    });
    if answer.unit == Unit::Seconds {
        out["mean"] = json!(answer.mean);
        out["quantiles"] = quantiles(answer);
    }
    if answer.coverage.is_some() {
        out["coverage"] = json!(answer.coverage);
    }
    out
}

fn quantiles(answer: &Answer) -> Value {
    let found = answer.quantiles(&QUANTILES);
    QUANTILES.iter().zip(found).map(|(at, value)| json!({ "at": at, "value": value })).collect()
}

fn upper(name: &str) -> String {
    name.to_uppercase()
}
