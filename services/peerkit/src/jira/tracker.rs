//! Issues and their history.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::github::organisation::Chance;

/// Number, name and category.
const STATUSES: [(&str, &str, &str); 4] = [
    ("1", "Open", "new"),
    ("3", "In progress", "indeterminate"),
    ("4", "Waiting", "indeterminate"),
    ("5", "Done", "done"),
];
const TYPES: [(&str, &str); 3] = [("10001", "Task"), ("10010", "[System] Incident"), ("10011", "Incident")];
const PROJECTS: [(&str, &str); 3] = [("INC", "Operations"), ("SHOP", "Shop"), ("LAB", "Laboratory")];
const COMPONENTS: [(&str, &str); 3] = [("10020", "Checkout"), ("10021", "Search"), ("10022", "Basket")];
const PRIORITIES: [(&str, &str); 4] = [("1", "Highest"), ("2", "High"), ("3", "Medium"), ("4", "Low")];
/// The field in which a site writes when users were well again.
pub(super) const MITIGATED: &str = "customfield_10053";

/// A Jira.
#[derive(Debug, Clone)]
pub struct Tracker {
    pub(super) is_cloud: bool,
    pub(super) issues: Vec<Issue>,
    deliveries: Vec<Value>,
    next_number: [u64; 3],
    next_change: u64,
    chance: Chance,
    /// Now.
    pub clock: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Issue {
    pub id: String,
    pub key: String,
    pub fields: Value,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    /// The oldest first.
    pub histories: Vec<Value>,
}

/// As Jira writes an instant, in the time zone of the account.
pub(super) fn text(at: DateTime<Utc>) -> String {
    let zone = chrono::FixedOffset::east_opt(7_200).expect("there is such an offset");
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
}

fn named((id, name): (&str, &str)) -> Value {
    json!({"id": id, "name": name})
}

pub(super) fn statuses() -> Value {
    let all = STATUSES.map(
        |(id, name, category)| json!({"id": id, "name": name, "statusCategory": {"key": category, "name": category}}),
    );
    Value::from(all.to_vec())
}

pub(super) fn types() -> Value {
    Value::from(TYPES.map(named).to_vec())
}

/// A part of a change.
fn item(field: &str, id: &str, from: (Value, Value), to: (Value, Value)) -> Value {
    let kind = if id.starts_with("customfield") { "custom" } else { "jira" };
    json!({
        "field": field, "fieldtype": kind, "fieldId": id, "from": from.0, "fromString": from.1, "to": to.0,
        "toString": to.1,
    })
}

/// A value by its number and its name.
fn pair(value: &Value) -> (Value, Value) {
    (value["id"].clone(), value["name"].clone())
}

impl Tracker {
    /// One with so many issues in the days before an instant, about every other one an incident.
    #[must_use]
    pub fn new(seed: u64, is_cloud: bool, issues: usize, days: i64, end: DateTime<Utc>) -> Self {
        let begin = end - TimeDelta::days(days);
        let mut tracker = Self {
            is_cloud,
            issues: Vec::new(),
            deliveries: Vec::new(),
            next_number: [1; 3],
            next_change: 10_000,
            chance: Chance::new(seed),
            clock: begin,
        };
        let seconds = days * 86_400 - 14_400;
        for number in 0..issues {
            let share = i64::try_from(number).unwrap_or(0) * seconds / i64::try_from(issues).unwrap_or(1);
            tracker.clock = begin + TimeDelta::seconds(share);
            tracker.story(number);
        }
        tracker.clock = end;
        tracker
    }

    /// One issue from its beginning to its end, if it has one.
    fn story(&mut self, number: usize) {
        let id = match number % 4 {
            0 => self.open(0, 1, &[]),
            1 => self.open(1, 0, &["incident", "till"]),
            _ => self.open(number % 3, 0, &["till"]),
        };
        self.move_to(id, 1);
        if self.chance.percent(30) {
            self.set_priority(id);
        }
        if self.chance.percent(30) {
            self.mitigate(id);
        }
        if self.chance.percent(20) {
            self.move_to(id, 2);
            self.swap_component(id);
        }
        if self.chance.percent(75) {
            self.move_to(id, 3);
            if self.chance.percent(25) {
                self.move_to(id, 1);
                self.set_summary(id, "It answers slowly again");
                self.move_to(id, 3);
            }
        }
        match number % 16 {
            2 => self.set_labels(id, &["incident"]),
            5 => self.set_labels(id, &["till"]),
            8 => self.move_to_project(id, 1),
            _ => {}
        }
        if self.chance.percent(20) {
            // A comment is no change that is listed.
            self.pass();
            self.issues[id].updated = self.clock;
            self.deliver(id, "jira:issue_updated", None);
        }
    }

    fn pass(&mut self) {
        self.clock += TimeDelta::milliseconds(self.chance.within(1_500..600_000));
    }

    /// An issue is made.
    pub fn open(&mut self, project: usize, kind: usize, labels: &[&str]) -> usize {
        let (key, name) = PROJECTS[project];
        let number = self.next_number[project];
        self.next_number[project] += 1;
        let (status, status_name, category) = STATUSES[0];
        let fields = json!({
            "summary": "The till answers with errors", "issuetype": named(TYPES[kind]), "labels": labels,
            "project": {"id": format!("1000{project}"), "key": key, "name": name}, "created": text(self.clock),
            "status": {"id": status, "name": status_name, "statusCategory": {"key": category, "name": category}},
            "priority": named(self.chance.of(&PRIORITIES.each_ref()).to_owned()), "resolution": null,
            "resolutiondate": null, "statuscategorychangedate": text(self.clock), "environment": null,
            "description": null, "components": [named(COMPONENTS[self.chance.below(3)])], MITIGATED: null,
        });
        let (id, key) = ((20_000 + self.issues.len()).to_string(), format!("{key}-{number}"));
        let (created, updated) = (self.clock, self.clock);
        self.issues.push(Issue { id, key, fields, created, updated, histories: Vec::new() });
        let id = self.issues.len() - 1;
        self.deliver(id, "jira:issue_created", None);
        id
    }

    /// It gets another status: 0 open, 1 in progress, 2 waiting, 3 done, which resolves it.
    pub fn move_to(&mut self, id: usize, status: usize) {
        self.pass();
        let (number, name, category) = STATUSES[status];
        let now = text(self.clock);
        let fields = &mut self.issues[id].fields;
        let was = fields["status"].take();
        fields["status"] = json!({"id": number, "name": name, "statusCategory": {"key": category, "name": category}});
        let mut items = vec![item("status", "status", pair(&was), pair(&fields["status"]))];
        if was["statusCategory"]["key"] != category {
            fields["statuscategorychangedate"] = now.clone().into();
        }
        let resolution = if category == "done" { json!({"id": "10000", "name": "Fixed"}) } else { Value::Null };
        if fields["resolution"] != resolution {
            items.push(item("resolution", "resolution", pair(&fields["resolution"]), pair(&resolution)));
            fields["resolutiondate"] = if resolution.is_null() { Value::Null } else { now.into() };
            fields["resolution"] = resolution;
        }
        self.changed(id, items);
    }

    /// It gets another priority.
    pub fn set_priority(&mut self, id: usize) {
        let priority = named(PRIORITIES[self.chance.below(4)]);
        self.set(id, "priority", "priority", priority, pair);
    }

    /// It gets another title.
    pub fn set_summary(&mut self, id: usize, summary: &str) {
        self.set(id, "summary", "summary", summary.into(), |value| (Value::Null, value.clone()));
    }

    /// It gets other labels.
    pub fn set_labels(&mut self, id: usize, labels: &[&str]) {
        let joined = |value: &Value| {
            let all: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            (Value::Null, Value::from(all.join(" ")))
        };
        self.set(id, "labels", "labels", json!(labels), joined);
    }

    /// Somebody writes when users were well again.
    pub fn mitigate(&mut self, id: usize) {
        let at = text(self.clock);
        let shown = |value: &Value| (value.clone(), value.as_str().map(|_| "03/Oct/26 11:50 AM").into());
        self.set(id, "Mitigated", MITIGATED, at.into(), shown);
    }

    /// It is about something else.
    fn swap_component(&mut self, id: usize) {
        self.pass();
        let other = named(COMPONENTS[self.chance.below(3)]);
        let was = std::mem::replace(&mut self.issues[id].fields["components"], json!([other]));
        let none = || (Value::Null, Value::Null);
        let items = vec![
            item("Component", "components", pair(&was[0]), none()),
            item("Component", "components", none(), pair(&other)),
        ];
        self.changed(id, items);
    }

    /// It is moved to another project, and gets another key.
    pub fn move_to_project(&mut self, id: usize, project: usize) {
        self.pass();
        let (key, name) = PROJECTS[project];
        let own = format!("{key}-{}", self.next_number[project]);
        self.next_number[project] += 1;
        let issue = &mut self.issues[id];
        let to = json!({"id": format!("1000{project}"), "key": key, "name": name});
        let was = std::mem::replace(&mut issue.fields["project"], to);
        let former = std::mem::replace(&mut issue.key, own.clone());
        let items = vec![
            item("project", "project", pair(&was), pair(&issue.fields["project"])),
            item("Key", "issuekey", (Value::Null, former.into()), (Value::Null, own.into())),
        ];
        self.changed(id, items);
    }

    fn set(&mut self, id: usize, field: &str, field_id: &str, to: Value, pair: impl Fn(&Value) -> (Value, Value)) {
        self.pass();
        let own = &mut self.issues[id].fields[field_id];
        if *own == to {
            return;
        }
        let items = vec![item(field, field_id, pair(own), pair(&to))];
        *own = to;
        self.changed(id, items);
    }

    fn changed(&mut self, id: usize, items: Vec<Value>) {
        self.next_change += 1;
        let change = self.next_change.to_string();
        let issue = &mut self.issues[id];
        issue.updated = self.clock;
        issue.histories.push(json!({"id": change, "created": text(self.clock), "items": items, "author": null}));
        self.deliver(id, "jira:issue_updated", Some(json!({"id": change, "items": items})));
    }

    fn deliver(&mut self, id: usize, kind: &str, changelog: Option<Value>) {
        let mut body = json!({
            "timestamp": self.clock.timestamp_millis(), "webhookEvent": kind, "issue": self.issue(id),
        });
        if let Some(changelog) = changelog {
            body["changelog"] = changelog;
        }
        self.deliveries.push(body);
    }

    /// The webhooks, in the order in which they were sent.
    #[must_use]
    pub fn deliveries(&self) -> &[Value] {
        &self.deliveries
    }

    /// An issue as it is now.
    pub(super) fn issue(&self, id: usize) -> Value {
        let issue = &self.issues[id];
        let mut fields = issue.fields.clone();
        fields["updated"] = text(issue.updated).into();
        let own = format!("https://acme.example.com/rest/api/2/issue/{}", issue.id);
        json!({"id": issue.id, "self": own, "key": issue.key, "fields": fields})
    }
}
