//! From an issue and its changes to the deliveries of webhooks: the changes are taken back, the latest first.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use vigie_model::{Time, parse_time};

use super::super::mapping::Delivery;

/// Statuses by their numbers.
pub(super) type Statuses = HashMap<String, Value>;

/// An instant as Jira writes it: its offset has no colon.
pub(super) fn time(text: &str) -> Option<Time> {
    let at = text.len().checked_sub(5).filter(|at| text.is_char_boundary(*at))?;
    let (rest, offset) = text.split_at(at);
    match offset.starts_with(['+', '-']) && !offset.contains(':') {
        true => parse_time(&format!("{rest}{}:{}", &offset[..3], &offset[3..])).ok(),
        false => parse_time(text).ok(),
    }
}

/// A change with what it was made of.
struct Change {
    at: Time,
    made: String,
    id: Value,
    items: Vec<Value>,
}

impl Change {
    fn read(mut history: Value) -> Option<Self> {
        let made = history["created"].as_str()?.to_owned();
        let Value::Array(items) = history["items"].take() else { return None };
        Some(Self { at: time(&made)?, made, id: history["id"].take(), items })
    }

    fn item(&self, field: &str) -> Option<&Value> {
        self.items.iter().find(|item| item["field"] == field)
    }
}

/// An issue as it was.
#[derive(Clone)]
struct State {
    key: Value,
    fields: Map<String, Value>,
}

/// What the webhooks would have said of an issue, from an instant on, where there is one.
pub(super) fn deliveries(
    issue: &Value,
    histories: Vec<Value>,
    statuses: &Statuses,
    from: Option<Time>,
) -> Vec<Delivery> {
    let Some(fields) = issue["fields"].as_object() else { return Vec::new() };
    let mut changes: Vec<Change> = histories.into_iter().filter_map(Change::read).collect();
    changes.sort_by(|a, b| {
        (a.at, a.id.as_str().map(str::len), a.id.as_str()).cmp(&(b.at, b.id.as_str().map(str::len), b.id.as_str()))
    });
    let now = State { key: issue["key"].clone(), fields: fields.clone() };
    // The last is what it is now; the one before each change is what the change is taken back from.
    let mut states = vec![now];
    for change in changes.iter().rev() {
        let mut before = states[states.len() - 1].clone();
        change.items.iter().rev().for_each(|item| before.undo(item, statuses));
        states.push(before);
    }
    states.reverse();
    date(&mut states, &changes, fields, statuses);
    let is_wanted = |at: Time| from.is_none_or(|from| at >= from);
    let mut told = Vec::new();
    let tell = |state: &State, kind: &'static str, made: &str, at: Time| {
        let mut fields = state.fields.clone();
        fields.insert("updated".to_owned(), made.into());
        let issue = json!({"id": issue["id"], "self": issue["self"], "key": state.key, "fields": fields});
        (kind, json!({"timestamp": at / 1_000, "webhookEvent": kind, "issue": issue}))
    };
    let created = fields.get("created").and_then(Value::as_str).unwrap_or_default();
    let mut last = time(created).unwrap_or_default();
    if is_wanted(last) {
        told.push(tell(&states[0], "jira:issue_created", created, last));
    }
    for (change, state) in changes.iter().zip(&states[1..]) {
        last = last.max(change.at);
        if is_wanted(change.at) {
            let (kind, mut body) = tell(state, "jira:issue_updated", &change.made, change.at);
            body["changelog"] = json!({"id": change.id, "items": change.items});
            told.push((kind, body));
        }
    }
    // Not everything that changes is listed.
    if let Some(updated) = fields.get("updated").and_then(Value::as_str)
        && let Some(at) = time(updated).filter(|at| *at > last && is_wanted(*at))
    {
        told.push(tell(&states[states.len() - 1], "jira:issue_updated", updated, at));
    }
    told
}

impl State {
    /// Takes back a part of a change.
    fn undo(&mut self, item: &Value, statuses: &Statuses) {
        let field = item["field"].as_str().unwrap_or_default();
        let (id, text) = (&item["from"], &item["fromString"]);
        let named = if id.is_null() && text.is_null() { Value::Null } else { json!({"id": id, "name": text}) };
        let value = match field {
            "status" => id.as_str().and_then(|id| statuses.get(id)).cloned().unwrap_or(named),
            "resolution" | "issuetype" | "priority" => named,
            "labels" => text.as_str().unwrap_or_default().split_whitespace().collect(),
            "summary" | "description" | "environment" => text.clone(),
            "project" => {
                let mut project = self.fields.get("project").cloned().unwrap_or_else(|| json!({}));
                (project["id"], project["name"]) = (id.clone(), text.clone());
                project
            }
            "Key" => {
                self.key = text.clone();
                let mut project = self.fields.get("project").cloned().unwrap_or_else(|| json!({}));
                project["key"] = text.as_str().and_then(|key| key.rsplit_once('-')).map(|(key, _)| key).into();
                self.fields.insert("project".to_owned(), project);
                return;
            }
            "Component" => {
                let mut all = self.fields.get("components").and_then(Value::as_array).cloned().unwrap_or_default();
                all.retain(|own| item["toString"].is_null() || own["name"] != item["toString"]);
                all.extend(text.as_str().map(|name| json!({"id": id, "name": name})));
                self.fields.insert("components".to_owned(), all.into());
                return;
            }
            _ => {
                let Some(custom) = item["fieldId"].as_str().filter(|id| id.starts_with("customfield_")) else { return };
                // A time stands in the one place, and in the other as people read it.
                let is_time = id.as_str().is_some_and(|id| time(id).is_some());
                self.fields.insert(custom.to_owned(), if is_time { id.clone() } else { text.clone() });
                return;
            }
        };
        self.fields.insert(if field == "labels" { "labels" } else { field }.to_owned(), value);
    }
}

/// Says in each state when it was resolved, and when the category of its status changed: changes do not list that.
fn date(states: &mut [State], changes: &[Change], now: &Map<String, Value>, statuses: &Statuses) {
    let created = now.get("created").cloned().unwrap_or_default();
    let resolved: Vec<Option<Value>> = changes
        .iter()
        .map(|change| {
            let to = &change.item("resolution")?["to"];
            Some(if to.is_null() { Value::Null } else { change.made.as_str().into() })
        })
        .collect();
    let category = |id: &Value| statuses.get(id.as_str()?).map(|status| &status["statusCategory"]["key"]);
    let moved: Vec<Option<Value>> = changes
        .iter()
        .map(|change| {
            let item = change.item("status")?;
            (category(&item["from"]) != category(&item["to"])).then(|| change.made.as_str().into())
        })
        .collect();
    let first =
        if states[0].fields.get("resolution").is_none_or(Value::is_null) { Value::Null } else { created.clone() };
    for (name, dates, first) in [("resolutiondate", resolved, first), ("statuscategorychangedate", moved, created)] {
        let Some(actual) = now.get(name) else { continue };
        // From the last one on it is what it is now.
        let last = dates.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut date = first;
        for (number, state) in states.iter_mut().enumerate() {
            if let Some(own) = number.checked_sub(1).and_then(|change| dates[change].clone()) {
                date = own;
            }
            let value = if number >= last { actual } else { &date };
            state.fields.insert(name.to_owned(), value.clone());
        }
    }
}
