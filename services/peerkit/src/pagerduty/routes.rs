//! The endpoints.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Account;
use super::account::owners;
use crate::served::{Call, Reply, Site};

/// Of a list no more is shown.
const MOST: usize = 10_000;

impl Site for Account {
    fn token(authorization: &str) -> Option<String> {
        let token = authorization.strip_prefix("Token token=").or_else(|| authorization.strip_prefix("Bearer pdus+"));
        token.map(str::to_owned)
    }

    fn answer(&self, call: &Call) -> Reply {
        match call.path.as_str() {
            "incidents" => self.list_incidents(call),
            "log_entries" => self.list_log_entries(call),
            _ => (404, Self::refusal(404)),
        }
    }

    fn refusal(status: u16) -> Value {
        let (code, message) = match status {
            401 => (2006, "You did not provide your credentials or they are wrong"),
            403 => (2010, "Access Denied"),
            429 => (2020, "Rate Limit Exceeded"),
            _ => (2100, "Not Found"),
        };
        json!({"error": {"message": message, "code": code}})
    }

    fn quota(limit: u64, left: u64) -> Vec<(&'static str, String)> {
        [("ratelimit-limit", limit), ("ratelimit-remaining", left), ("ratelimit-reset", 59)]
            .map(|(name, value)| (name, value.to_string()))
            .into()
    }
}

impl Account {
    fn list_incidents(&self, call: &Call) -> Reply {
        let mut found: Vec<usize> = (0..self.incidents.len())
            .filter(|id| {
                let (service, team) = owners(&self.incidents[*id]);
                is_among(call, "service_ids[]", service) && is_among(call, "team_ids[]", team)
            })
            .filter(|id| call.get("date_range") == Some("all") || is_within(call, self.incidents[*id].created_at))
            .collect();
        if call.get("sort_by") == Some("created_at:desc") {
            found.reverse();
        }
        list(call, "incidents", &found, |id| self.incident(id))
    }

    /// The newest come first.
    fn list_log_entries(&self, call: &Call) -> Reply {
        let found: Vec<usize> = (0..self.entries.len())
            .rev()
            .filter(|number| {
                let entry = &self.entries[*number];
                let (_, team) = owners(&self.incidents[entry.incident]);
                is_within(call, entry.at) && is_among(call, "team_ids[]", team)
            })
            .collect();
        let is_whole = call.all("include[]").any(|what| what == "incidents");
        list(call, "log_entries", &found, |number| self.log_entry(number, is_whole))
    }
}

fn is_among(call: &Call, name: &str, id: &str) -> bool {
    call.get(name).is_none() || call.all(name).any(|own| own == id)
}

fn is_within(call: &Call, at: DateTime<Utc>) -> bool {
    let instant = |name: &str| Some(DateTime::parse_from_rfc3339(call.get(name)?).ok()?.with_timezone(&Utc));
    instant("since").is_none_or(|since| at >= since) && instant("until").is_none_or(|until| at < until)
}

fn list(call: &Call, name: &str, found: &[usize], show: impl Fn(usize) -> Value) -> Reply {
    let (limit, offset) = (call.number("limit").unwrap_or(25).min(100), call.number("offset").unwrap_or(0));
    if offset + limit > MOST {
        let message = "Invalid Input Provided";
        return (
            400,
            json!({"error": {"message": message, "code": 2001, "errors": ["Offset must be less than 10000"]}}),
        );
    }
    let shown: Vec<Value> = found.iter().skip(offset).take(limit).map(|number| show(*number)).collect();
    let total = (call.get("total") == Some("true")).then_some(found.len());
    (200, json!({name: shown, "limit": limit, "offset": offset, "more": offset + limit < found.len(), "total": total}))
}
