//! An account and its history.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::github::organisation::Chance;

/// What happens to an incident, as log entries and as webhooks call it.
const KINDS: [(&str, &str); 6] = [
    ("trigger", "incident.triggered"),
    ("acknowledge", "incident.acknowledged"),
    ("priority_change", "incident.priority_updated"),
    ("status_update", "incident.status_update_published"),
    ("resolve", "incident.resolved"),
    ("escalate", "incident.escalated"),
];

const SERVICES: [(&str, &str); 4] =
    [("PSHOP01", "Checkout"), ("PSHOP02", "Search"), ("PSHOP03", "Basket"), ("PSHOP04", "Mail (staging)")];
const TEAMS: [(&str, &str); 2] = [("PTEAM01", "Shop"), ("PTEAM02", "Platform")];
const PRIORITIES: [&str; 4] = ["P1", "P2", "P3", "P4"];

/// An account.
#[derive(Debug, Clone)]
pub struct Account {
    pub(super) incidents: Vec<Incident>,
    /// In the order in which they happened.
    pub(super) entries: Vec<Entry>,
    deliveries: Vec<Value>,
    chance: Chance,
    /// Now.
    pub clock: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Incident {
    pub created_at: DateTime<Utc>,
    pub service: usize,
    status: &'static str,
    title: String,
    priority: Option<&'static str>,
    urgency: &'static str,
    reopened_at: Option<DateTime<Utc>>,
    merged_into: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub at: DateTime<Utc>,
    pub incident: usize,
    kind: &'static str,
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn reference(kind: &str, (id, name): (&str, &str)) -> Value {
    json!({"id": id, "type": format!("{kind}_reference"), "summary": name, "html_url": null})
}

impl Account {
    /// One with so many incidents in the days before an instant, the last of them still open.
    #[must_use]
    pub fn new(seed: u64, incidents: usize, days: i64, end: DateTime<Utc>) -> Self {
        let begin = end - TimeDelta::days(days);
        let mut account = Self {
            incidents: Vec::new(),
            entries: Vec::new(),
            deliveries: Vec::new(),
            chance: Chance::new(seed),
            clock: begin,
        };
        let seconds = days * 86_400 - 7_200;
        for number in 0..incidents {
            let share = i64::try_from(number).unwrap_or(0) * seconds / i64::try_from(incidents).unwrap_or(1);
            account.clock = begin + TimeDelta::seconds(share);
            account.story(number + 3 < incidents);
        }
        account.entries.sort_by_key(|entry| entry.at);
        account.clock = end;
        account
    }

    /// One incident from its beginning to its end, if it has one.
    fn story(&mut self, ends: bool) {
        let id = self.trigger();
        self.pass(200);
        if self.chance.percent(33) {
            self.prioritise(id);
        }
        if self.chance.percent(80) {
            self.happen(id, "acknowledge");
            self.pass(300);
        }
        if self.chance.percent(33) {
            self.happen(id, "status_update");
            self.pass(60);
            self.happen(id, "status_update");
        }
        if self.chance.percent(17) {
            self.happen(id, "escalate");
            self.happen(id, "acknowledge");
        }
        if !ends {
            return;
        }
        self.pass(900);
        self.resolve(id);
        // What was merged into another stays so.
        if self.incidents[id].merged_into.is_none() && self.chance.percent(20) {
            self.pass(600);
            self.reopen(id);
            self.pass(600);
            self.resolve(id);
        }
    }

    /// Some time passes; at least some seconds.
    pub fn pass(&mut self, most: i64) {
        self.clock += TimeDelta::seconds(self.chance.within(5..5 + most));
    }

    /// An incident begins.
    pub fn trigger(&mut self) -> usize {
        let service = self.chance.below(SERVICES.len());
        self.incidents.push(Incident {
            created_at: self.clock,
            service,
            status: "triggered",
            title: format!("{} answers with errors", SERVICES[service].1),
            priority: None,
            urgency: self.chance.of(&["high", "low"]),
            reopened_at: None,
            merged_into: None,
        });
        let id = self.incidents.len() - 1;
        self.happen(id, "trigger");
        self.entry(id, "assign");
        self.entry(id, "notify");
        id
    }

    /// It gets a priority.
    pub fn prioritise(&mut self, id: usize) {
        self.incidents[id].priority = Some(self.chance.of(&PRIORITIES));
        self.happen(id, "priority_change");
    }

    /// Somebody takes it up.
    pub fn acknowledge(&mut self, id: usize) {
        self.happen(id, "acknowledge");
    }

    /// It ends; sometimes by being merged into the one before.
    pub fn resolve(&mut self, id: usize) {
        let is_merged = id > 0 && self.chance.percent(10);
        self.incidents[id].merged_into = is_merged.then(|| name(id - 1));
        self.happen(id, "resolve");
    }

    /// It is opened again, which has no log entry of its own.
    pub fn reopen(&mut self, id: usize) {
        let own = &mut self.incidents[id];
        (own.status, own.reopened_at, own.merged_into) = ("triggered", Some(self.clock), None);
        self.deliver(id, "incident.reopened");
        self.entry(id, "notify");
    }

    fn happen(&mut self, id: usize, kind: &'static str) {
        match kind {
            "acknowledge" => self.incidents[id].status = "acknowledged",
            "resolve" => self.incidents[id].status = "resolved",
            _ => {}
        }
        self.entry(id, kind);
        let told = KINDS.iter().find(|(own, _)| *own == kind);
        told.into_iter().for_each(|(_, told)| self.deliver(id, told));
    }

    fn entry(&mut self, incident: usize, kind: &'static str) {
        self.entries.push(Entry { at: self.clock, incident, kind });
    }

    fn deliver(&mut self, id: usize, event_type: &str) {
        let late = self.chance.within(1..1_300);
        let at = (self.clock + TimeDelta::milliseconds(late)).to_rfc3339_opts(SecondsFormat::Millis, true);
        let data = match event_type {
            "incident.status_update_published" => json!({
                "id": format!("PUPDATE{}", self.deliveries.len()), "type": "incident_status_update",
                "message": "We are on it", "incident": {"id": name(id), "type": "incident_reference"},
            }),
            // Of a reopening only webhooks tell when it was.
            _ => {
                let mut incident = self.incident(id);
                incident["reopened_at"] = self.incidents[id].reopened_at.map(text).into();
                incident
            }
        };
        self.deliveries.push(json!({"event": {
            "id": format!("01EVENT{:06}", self.deliveries.len()), "event_type": event_type, "resource_type": "incident",
            "occurred_at": at, "agent": null, "client": null, "data": data,
        }}));
    }

    /// The webhooks, in the order in which they were sent.
    #[must_use]
    pub fn deliveries(&self) -> &[Value] {
        &self.deliveries
    }

    /// How many incidents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.incidents.len()
    }

    /// How many log entries there are.
    #[must_use]
    pub fn entries_len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty()
    }

    /// An incident as it is now.
    pub(super) fn incident(&self, id: usize) -> Value {
        let own = &self.incidents[id];
        let reason = own.merged_into.as_ref().map(
            |other| json!({"type": "merge_resolve_reason", "incident": {"id": other, "type": "incident_reference"}}),
        );
        json!({
            "id": name(id), "type": "incident", "html_url": format!("https://acme.pagerduty.com/incidents/{}", name(id)),
            "self": format!("https://api.pagerduty.com/incidents/{}", name(id)), "incident_number": id + 1,
            "title": own.title, "summary": format!("[#{}] {}", id + 1, own.title), "created_at": text(own.created_at),
            "status": own.status, "service": reference("service", SERVICES[own.service]), "urgency": own.urgency,
            "escalation_policy": reference("escalation_policy", ("PESC001", "On call")),
            "teams": [reference("team", TEAMS[own.service % 2])], "resolve_reason": reason,
            "incident_type": {"name": "incident_default"},
            "priority": own.priority.map(|name| json!({"id": "PPRIO01", "type": "priority", "summary": name, "name": name})),
        })
    }

    /// A log entry; with the incident whole, or what it is called.
    pub(super) fn log_entry(&self, number: usize, is_whole: bool) -> Value {
        let entry = &self.entries[number];
        let service = reference("service", SERVICES[self.incidents[entry.incident].service]);
        let incident = match is_whole {
            true => self.incident(entry.incident),
            false => json!({"id": name(entry.incident), "type": "incident_reference"}),
        };
        json!({
            "id": format!("R{number:09}"), "type": format!("{}_log_entry", entry.kind), "created_at": text(entry.at),
            "summary": entry.kind, "agent": null, "channel": {"type": "auto"}, "service": service, "incident": incident,
        })
    }
}

fn name(id: usize) -> String {
    format!("Q{id:012}")
}

/// The ids of the service and the team of an incident.
pub(super) fn owners(incident: &Incident) -> (&'static str, &'static str) {
    (SERVICES[incident.service].0, TEAMS[incident.service % 2].0)
}
