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
    match offset.is_ascii() && offset.starts_with(['+', '-']) && !offset.contains(':') {
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
    let is_wanted = |at: Time| from.is_none_or(|from| at >= from);
    // A site has hundreds of fields, of which an issue has a few.
    let own = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone()));
    let now = State { key: issue["key"].clone(), fields: own.collect() };
    // What it was after each change that is told, the latest first; in the end what it was when it was made.
    let (mut state, mut states) = (now.clone(), Vec::new());
    for change in changes.iter().rev() {
        if is_wanted(change.at) {
            states.push(state.clone());
        }
        change.items.iter().rev().for_each(|item| state.undo(item, statuses));
    }
    let dates = dates(&state, &changes, fields, statuses);
    let mut told = Vec::new();
    // An issue as it was after so many changes.
    let tell = |State { key, mut fields }: State, number: usize, kind: &'static str, made: &str, at: Time| {
        fields.extend(dates.iter().map(|(name, all)| ((*name).to_owned(), all[number].clone())));
        fields.insert("updated".to_owned(), made.into());
        let issue = json!({"id": issue["id"], "self": issue["self"], "key": key, "fields": fields});
        (kind, json!({"timestamp": at / 1_000, "webhookEvent": kind, "issue": issue}))
    };
    let created = fields.get("created").and_then(Value::as_str).unwrap_or_default();
    let mut last = time(created).unwrap_or_default();
    if is_wanted(last) {
        told.push(tell(state, 0, "jira:issue_created", created, last));
    }
    let count = changes.len();
    for (number, change) in changes.into_iter().enumerate() {
        last = last.max(change.at);
        if is_wanted(change.at)
            && let Some(state) = states.pop()
        {
            let (kind, mut body) = tell(state, number + 1, "jira:issue_updated", &change.made, change.at);
            body["changelog"] = json!({"id": change.id, "items": change.items});
            told.push((kind, body));
        }
    }
    // Not everything that changes is listed.
    if let Some(updated) = fields.get("updated").and_then(Value::as_str)
        && let Some(at) = time(updated).filter(|at| *at > last && is_wanted(*at))
    {
        told.push(tell(now, count, "jira:issue_updated", updated, at));
    }
    told
}

impl State {
    /// Its project, to be changed.
    fn project(&self) -> Value {
        self.fields.get("project").filter(|own| own.is_object()).cloned().unwrap_or_else(|| json!({}))
    }

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
                let mut project = self.project();
                (project["id"], project["name"]) = (id.clone(), text.clone());
                project
            }
            "Key" => {
                self.key = text.clone();
                let mut project = self.project();
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

/// After each number of changes when it was resolved, and when the category of its status changed: changes do not list that.
/// `begin` is what it was when it was made.
fn dates(
    begin: &State,
    changes: &[Change],
    now: &Map<String, Value>,
    statuses: &Statuses,
) -> Vec<(&'static str, Vec<Value>)> {
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
    let first = if begin.fields.get("resolution").is_none_or(Value::is_null) { Value::Null } else { created.clone() };
    let mut all = Vec::new();
    for (name, dates, first) in [("resolutiondate", resolved, first), ("statuscategorychangedate", moved, created)] {
        let Some(actual) = now.get(name) else { continue };
        // From the last one on it is what it is now.
        let last = dates.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let mut date = first;
        let mut own = vec![if last == 0 { actual.clone() } else { date.clone() }];
        for (number, change) in dates.into_iter().enumerate() {
            date = change.unwrap_or(date);
            own.push(if number + 1 >= last { actual.clone() } else { date.clone() });
        }
        all.push((name, own));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(id: &str) -> Value {
        let category = if id == "5" { "done" } else { "indeterminate" };
        json!({"id": id, "name": id, "statusCategory": {"key": category}})
    }

    fn change(id: &str, created: &str, items: Value) -> Value {
        json!({"id": id, "created": created, "items": items})
    }

    /// Done, reopened, done again; labelled, and moved to another project.
    fn issue() -> (Value, Vec<Value>) {
        let at = |minute: u8| format!("2026-10-03T12:{minute:02}:00.000+0200");
        let done = |to: Value, from: Value, status: [&str; 2]| {
            json!([
                {"field": "status", "from": status[0], "fromString": status[0], "to": status[1], "toString": status[1]},
                {"field": "resolution", "from": from, "fromString": from, "to": to, "toString": to},
            ])
        };
        let moved = json!([
            {"field": "Key", "from": null, "fromString": "INC-7", "to": null, "toString": "OPS-3"},
            {"field": "project", "from": "1", "fromString": "Incidents", "to": "2", "toString": "Operations"},
        ]);
        let labelled = json!([
            {"field": "labels", "from": null, "fromString": "a b", "to": null, "toString": ""},
            {"field": "Start", "fieldId": "customfield_1", "from": at(1), "fromString": "12:01 AM", "to": null},
        ]);
        let histories = vec![
            change("104", &at(40), moved),
            change("103", &at(30), done("9".into(), Value::Null, ["3", "5"])),
            change("102", &at(20), done(Value::Null, "9".into(), ["5", "3"])),
            change("99", &at(10), done("9".into(), Value::Null, ["3", "5"])),
            change("100", &at(10), labelled),
        ];
        let issue = json!({"id": "7", "key": "OPS-3", "self": "https://acme.example.com/rest/api/2/issue/7", "fields": {
            "created": at(0), "updated": at(50), "labels": [], "customfield_1": null, "status": status("5"),
            "resolution": {"id": "9", "name": "9"}, "resolutiondate": at(31), "statuscategorychangedate": at(32),
            "project": {"id": "2", "key": "OPS", "name": "Operations"},
        }});
        (issue, histories)
    }

    #[test]
    fn an_issue_is_what_it_was_before_each_change() {
        let (issue, histories) = issue();
        let statuses: Statuses = ["3", "5"].map(|id| (id.to_owned(), status(id))).into();
        let told = deliveries(&issue, histories.clone(), &statuses, None);
        let kinds: Vec<&str> = told.iter().map(|(kind, _)| *kind).collect();
        assert_eq!((kinds[0], kinds.len()), ("jira:issue_created", 7));
        assert!(kinds[1..].iter().all(|kind| *kind == "jira:issue_updated"));
        let field =
            |name: &str| -> Vec<Value> { told.iter().map(|(_, body)| body["issue"]["fields"][name].clone()).collect() };
        let minute = |value: &Value| value.as_str().map(|at| at[14..16].to_owned()).unwrap_or_default();
        let minutes = |name: &str| -> Vec<String> { field(name).iter().map(minute).collect() };
        assert_eq!(minutes("updated"), ["00", "10", "10", "20", "30", "40", "50"]);
        assert_eq!(minutes("resolutiondate"), ["", "10", "10", "", "31", "31", "31"]);
        assert_eq!(minutes("statuscategorychangedate"), ["00", "10", "10", "20", "32", "32", "32"]);
        assert_eq!(minutes("customfield_1"), ["01", "01", "", "", "", "", ""]);
        let is_done: Vec<bool> = field("status").iter().map(|own| own["statusCategory"]["key"] == "done").collect();
        assert_eq!(is_done, [false, true, true, false, true, true, true]);
        assert_eq!(field("labels")[1..3], [json!(["a", "b"]), json!([])]);
        let projects = field("project");
        assert_eq!(projects[4], json!({"id": "1", "key": "INC", "name": "Incidents"}));
        assert_eq!((&told[4].1["issue"]["key"], &told[5].1["issue"]["key"]), (&"INC-7".into(), &"OPS-3".into()));
        assert_eq!(told[5].1["changelog"], json!({"id": "104", "items": histories[0]["items"]}));
        assert_eq!(told[6].1["changelog"], Value::Null, "what is not listed");
        // From an instant on.
        let from = time("2026-10-03T12:30:00.000+0200");
        assert_eq!(deliveries(&issue, histories, &statuses, from), told[4..]);
    }

    #[test]
    fn jira_writes_offsets_without_a_colon() {
        let noon = parse_time("2026-10-03T12:00:00Z").ok();
        for text in ["2026-10-03T14:00:00.000+0200", "2026-10-03T12:00:00Z", "2026-10-03T14:00:00+02:00"] {
            assert_eq!(time(text), noon, "{text}");
        }
        assert_eq!((time(""), time("12:01 AM"), time("é0200")), (None, None, None));
        assert_eq!(time("Bonus +€5"), None);
    }
}
