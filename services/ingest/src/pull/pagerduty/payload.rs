//! From log entries to the deliveries of webhooks.

use serde_json::{Value, json};
use vigie_model::{MINUTE, SECOND, Time, format_time, parse_time};

use super::super::mapping::Delivery;

/// After so long what an incident is agrees with its log entries.
const SETTLED: Time = 10 * MINUTE;

/// What a webhook calls what a log entry tells; `None`: the map makes nothing of it.
fn event_type(entry_type: &str) -> Option<&'static str> {
    Some(match entry_type {
        "trigger_log_entry" => "incident.triggered",
        "acknowledge_log_entry" => "incident.acknowledged",
        "unacknowledge_log_entry" => "incident.unacknowledged",
        "resolve_log_entry" => "incident.resolved",
        "reopen_log_entry" => "incident.reopened",
        "escalate_log_entry" => "incident.escalated",
        "delegate_log_entry" => "incident.delegated",
        "assign_log_entry" | "reassign_log_entry" => "incident.reassigned",
        // Without a priority the urgency says how bad it is; no webhook tells that it changed.
        "priority_change_log_entry" | "urgency_change_log_entry" => "incident.priority_updated",
        "service_change_log_entry" => "incident.service_updated",
        "status_update_log_entry" => "incident.status_update_published",
        _ => return None,
    })
}

/// What an entry is known by, and when it was made.
pub(super) fn stamp(entry: &Value) -> Option<(&str, Time)> {
    Some((entry["id"].as_str()?, parse_time(entry["created_at"].as_str()?).ok()?))
}

/// The incident that an entry is about.
pub(super) fn incident_id(entry: &Value) -> Option<&str> {
    entry["incident"]["id"].as_str()
}

/// What a webhook would have said of an entry.
pub(super) fn told(entry: &Value) -> Option<Delivery> {
    let incident = &entry["incident"];
    let kind = event_type(entry["type"].as_str()?)?;
    let channel = &entry["channel"];
    let client = channel["client_url"].as_str().map(|url| json!({"name": channel["client"], "url": url}));
    let data = match kind {
        "incident.status_update_published" => {
            json!({"type": "incident_status_update", "incident": {"id": incident["id"]}})
        }
        _ => incident.clone(),
    };
    Some(delivery(kind, &entry["id"], &entry["created_at"], client, data))
}

/// Where the incident of an entry is not resolved now: from when on a resolution that was told before does not hold. Not every
/// reopening has an entry of its own, and the API does not say when one was.
pub(super) fn open_since(entry: &Value, now: Time) -> Option<Time> {
    let incident = &entry["incident"];
    let (_, made) = stamp(entry).filter(|_| incident["status"].as_str().is_some_and(|status| status != "resolved"))?;
    let at = match entry["type"] == "resolve_log_entry" {
        // What was resolved just now may not be shown as such yet.
        true if made + SETTLED > now => return None,
        // It was opened again at some time after this.
        true => made + SECOND,
        false => made,
    };
    let created = incident["created_at"].as_str().and_then(|at| parse_time(at).ok());
    created.is_none_or(|created| at > created).then_some(at)
}

/// What a webhook would have said of a reopening. Of an incident that was never resolved it says nothing new.
pub(super) fn reopened(entry: &Value, at: Time) -> Delivery {
    let id = format!("{}-reopened", entry["id"].as_str().unwrap_or_default());
    delivery("incident.reopened", &id.into(), &format_time(at).into(), None, entry["incident"].clone())
}

fn delivery(kind: &'static str, id: &Value, at: &Value, client: Option<Value>, data: Value) -> Delivery {
    let event = json!({
        "id": id, "event_type": kind, "resource_type": "incident", "occurred_at": at, "client": client, "data": data,
    });
    (kind, json!({"event": event}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_entry_is_what_a_webhook_says() {
        let at = "2026-10-03T10:05:00Z";
        let mut entry = json!({
            "id": "R1", "type": "trigger_log_entry", "created_at": at, "incident": {"id": "Q1", "status": "triggered"},
            "channel": {"type": "api", "client": "New Relic", "client_url": "https://one.newrelic.example/7"},
        });
        let (kind, body) = told(&entry).unwrap();
        let event = &body["event"];
        assert_eq!(
            (kind, &event["event_type"], &event["occurred_at"]),
            ("incident.triggered", &kind.into(), &at.into())
        );
        assert_eq!((&event["data"], &event["client"]["url"]), (&entry["incident"], &entry["channel"]["client_url"]));
        entry["type"] = "notify_log_entry".into();
        assert_eq!(told(&entry), None);
        entry["type"] = "status_update_log_entry".into();
        assert_eq!(told(&entry).unwrap().1["event"]["data"]["incident"]["id"], "Q1");
    }

    #[test]
    fn an_incident_that_is_not_resolved_any_more_was_opened_again() {
        let mut entry = json!({
            "id": "R2", "type": "notify_log_entry", "created_at": "2026-10-03T11:00:01Z",
            "incident": {"id": "Q1", "status": "triggered", "created_at": "2026-10-03T10:00:00Z"},
        });
        let made = parse_time("2026-10-03T11:00:01Z").unwrap();
        let now = made + MINUTE;
        assert_eq!(open_since(&entry, now), Some(made));
        let (kind, body) = reopened(&entry, made);
        assert_eq!((kind, &body["event"]["data"]), ("incident.reopened", &entry["incident"]));
        assert_eq!(parse_time(body["event"]["occurred_at"].as_str().unwrap()), Ok(made));
        entry["type"] = "resolve_log_entry".into();
        assert_eq!(open_since(&entry, now), None);
        let now = made + SETTLED;
        assert_eq!(open_since(&entry, now), Some(made + SECOND), "after its resolution");
        for (name, value) in [("status", "resolved"), ("created_at", "2026-10-03T11:00:02Z")] {
            let mut other = entry.clone();
            other["incident"][name] = value.into();
            assert_eq!(open_since(&other, now), None, "{name}");
        }
    }
}
