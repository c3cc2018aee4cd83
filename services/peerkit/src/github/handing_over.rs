//! How it went to hand deliveries over, as an app may ask for three days.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::json::time;
use super::model::Time;
use super::organisation::{Attempt, Organisation};
use super::webhooks::kind;

/// For so many days.
const KEPT: i64 = 3;

/// A try to hand over what happened at a place.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Try {
    at: Time,
    place: usize,
    /// 0 for the first.
    number: usize,
    status: u16,
    id: i64,
}

impl Organisation {
    /// The id of what happened at a place, as `x-github-delivery` has it.
    #[must_use]
    pub fn delivery_id(place: usize) -> String {
        format!("{place:08x}-0000-11ee-8000-000000000000")
    }

    /// Says how it went to hand over what happened at a place: the first time as it happened, then again now. With a status
    /// of 0 nobody answered. What nothing is said of was taken as it happened.
    pub fn handed_over(&mut self, place: usize, status: u16) {
        let at = if self.attempts.contains_key(&place) { self.tick() } else { self.log[place].at };
        self.attempts.entry(place).or_default().push(Attempt { at, status });
    }

    /// Those that are still known, newest first, as `/app/hook/deliveries` shows them.
    pub(super) fn delivery_list(&self) -> Vec<Value> {
        self.tries().iter().rev().map(|one| self.line(one)).collect()
    }

    /// One of them with what was sent.
    pub(super) fn delivery_in_full(&self, id: i64) -> Option<Value> {
        let tries = self.tries();
        let one = tries.iter().find(|one| one.id == id)?;
        let (event, payload) = self.delivery(&self.log[one.place])?;
        let mut line = self.line(one);
        line["url"] = "https://vigie.example/v1/hooks/github".into();
        line["request"] = json!({
            "headers": {
                "Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/0c0ffee",
                "X-GitHub-Delivery": Self::delivery_id(one.place), "X-GitHub-Event": event,
                "X-GitHub-Hook-ID": "4711", "X-GitHub-Hook-Installation-Target-ID": "815",
                "X-GitHub-Hook-Installation-Target-Type": "integration", "X-Hub-Signature-256": "sha256=00",
            },
            "payload": payload,
        });
        line["response"] = json!({"headers": {}, "payload": ""});
        Some(line)
    }

    fn line(&self, one: &Try) -> Value {
        let happening = &self.log[one.place];
        let (event, action) = kind(&happening.what);
        let status = match one.status {
            0 => "timed out",
            200..300 => "OK",
            _ => "Invalid HTTP Response",
        };
        json!({
            "id": one.id, "guid": Self::delivery_id(one.place), "delivered_at": time(one.at),
            "redelivery": one.number > 0, "duration": 0.27, "status": status, "status_code": one.status, "event": event,
            "action": action, "installation_id": 4_711, "repository_id": happening.repository, "throttled_at": null,
        })
    }

    /// All that are still known, in order.
    fn tries(&self) -> Vec<Try> {
        let kept = self.now - TimeDelta::days(KEPT);
        let of = |place: usize| {
            let at_once = [Attempt { at: self.log[place].at, status: 200 }];
            let own = self.attempts.get(&place).map_or(&at_once[..], Vec::as_slice).to_vec();
            own.into_iter().enumerate().map(move |(number, Attempt { at, status })| Try {
                at,
                place,
                number,
                status,
                id: 0,
            })
        };
        let mut all: Vec<Try> = (0..self.log.len()).flat_map(of).collect();
        all.sort_unstable();
        all.iter_mut().zip(12_000_000_000..).for_each(|(one, id)| one.id = id);
        all.retain(|one| one.at >= kept);
        all
    }
}
