//! From log entries to the deliveries of webhooks.

use serde_json::{Value, json};
use vigie_model::{MINUTE, Time, parse_time};

use super::super::mapping::Delivery;

/// How long after a reopening its first log entries are: somebody is assigned and told.
const SIGN: Time = 5 * MINUTE;

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

/// When the incident of an entry was opened again, a little before the entry, and what a webhook would have said of that: not
/// every reopening has an entry of its own.
pub(super) fn reopened(entry: &Value) -> Option<(Time, Delivery)> {
    let incident = &entry["incident"];
    let at = parse_time(incident["reopened_at"].as_str()?).ok()?;
    let (id, made) = stamp(entry)?;
    let is_its_sign = (at..at + SIGN).contains(&made);
    is_its_sign.then(|| {
        let id = Value::from(format!("{id}-reopened"));
        (at, delivery("incident.reopened", &id, &incident["reopened_at"], None, incident.clone()))
    })
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
    fn a_reopening_without_an_entry_is_told_by_the_incident() {
        let again = "2026-10-03T11:00:00Z";
        let mut entry = json!({
            "id": "R2", "type": "notify_log_entry", "created_at": "2026-10-03T11:00:01Z",
            "incident": {"id": "Q1", "status": "triggered", "reopened_at": again},
        });
        let (at, (kind, body)) = reopened(&entry).unwrap();
        assert_eq!((at, kind), (parse_time(again).unwrap(), "incident.reopened"));
        assert_eq!(body["event"]["occurred_at"], again);
        for other in ["2026-10-03T10:59:00Z", "2026-10-03T12:00:00Z"] {
            entry["created_at"] = other.into();
            assert_eq!(reopened(&entry), None);
        }
    }
}
