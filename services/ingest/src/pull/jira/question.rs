//! What Jira is asked for, in its query language.
//!
//! Issues are asked for in the order in which they were made, which stays while they change. What changed longest ago falls out
//! of a list while it is read: where places are counted, they are counted back then. Nothing is said in hours of a clock, as JQL
//! means those of the account's time zone: what changed lately is asked for in minutes back from now, and what changed or was
//! made since a day from the day before it on.

use serde_json::{Map, Value};
use vigie_model::pattern::Pattern;
use vigie_model::{DAY, MINUTE, Time, format_time};

use super::super::PullError;
use super::super::notes::Notes;
use super::cursor::AGAIN;
use super::site::Site;

const ORDER: &str = "ORDER BY created ASC, key ASC";
/// Jira answers no question that restricts nothing.
const EVERYTHING: &str = "created >= \"1970-01-02\"";

/// All incidents, as far as Jira can tell them: what is none any more was never told.
pub(super) async fn first(
    site: &Site,
    settings: &Map<String, Value>,
    since: Option<Time>,
    notes: &mut Notes,
) -> Result<String, PullError> {
    let types = site.types(&texts(settings, "incident_types"), notes).await?;
    let kinds = types.and_then(|types| kinds(&types, &texts(settings, "incident_labels")));
    let since = since.map(|since| from("updated", since));
    let parts: Vec<String> = projects(settings).into_iter().chain(kinds).chain(since).collect();
    let all = if parts.is_empty() { EVERYTHING.to_owned() } else { parts.join(" AND ") };
    Ok(format!("{all} {ORDER}"))
}

/// Everything that changed: an issue that is no incident any more has to be said to be none. `created`: of issues that were made
/// then or later, as those before were read.
pub(super) fn later(settings: &Map<String, Value>, until: Time, now: Time, created: Option<Time>) -> String {
    let minutes = (now - until + AGAIN).max(AGAIN) / MINUTE + 1;
    let changed = format!("updated >= \"-{minutes}m\"");
    let created = created.map(|at| from("created", at));
    let parts: Vec<String> = projects(settings).into_iter().chain([changed]).chain(created).collect();
    format!("{} {ORDER}", parts.join(" AND "))
}

/// From an instant on, in any time zone.
fn from(field: &str, at: Time) -> String {
    let day = format_time((at - DAY).max(DAY));
    format!("{field} >= \"{}\"", day.split('T').next().unwrap_or(&day))
}

/// What of the settings says which issues are incidents: where it is another, all have to be looked at anew.
pub(super) fn choice(settings: &Map<String, Value>) -> String {
    let all = ["incident_types", "incident_labels", "projects"].map(|name| (name, texts(settings, name)));
    all.map(|(name, texts)| format!("{name} {}", texts.join(", "))).join("; ")
}

/// The issues of these types, by number, or with these labels. `None`: they cannot be told so.
fn kinds(types: &[String], labels: &[String]) -> Option<String> {
    if labels.iter().any(|label| is_pattern(label)) || (types.is_empty() && labels.is_empty()) {
        return None;
    }
    let types = (!types.is_empty()).then(|| format!("issuetype in ({})", types.join(", ")));
    let mut spelt: Vec<String> = labels.iter().flat_map(|label| spellings(label)).map(|label| quoted(&label)).collect();
    spelt.dedup();
    let labels = (!spelt.is_empty()).then(|| format!("labels in ({})", spelt.join(", ")));
    let both: Vec<String> = types.into_iter().chain(labels).collect();
    Some(format!("({})", both.join(" OR ")))
}

/// The map takes no heed of upper and lower case, Jira does.
fn spellings(label: &str) -> [String; 4] {
    let lower = label.to_lowercase();
    let mut letters = lower.chars();
    let first = letters.next().map(|first| first.to_uppercase().chain(letters).collect());
    [label.to_owned(), lower.clone(), first.unwrap_or_default(), lower.to_uppercase()]
}

/// The projects, where they are named and no patterns.
fn projects(settings: &Map<String, Value>) -> Option<String> {
    let all = texts(settings, "projects");
    let is_named = !all.is_empty() && !all.iter().any(|key| is_pattern(key));
    let all: Vec<String> = all.iter().map(|key| quoted(&key.to_uppercase())).collect();
    is_named.then(|| format!("project in ({})", all.join(", ")))
}

/// Which of these fit.
pub(super) fn fitting<'t>(types: impl Iterator<Item = (&'t str, &'t str)>, patterns: &[String]) -> Vec<String> {
    let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::name(text)).collect();
    let fits = |name: &str| patterns.iter().any(|pattern| pattern.matches_ignore_case(name));
    types.filter(|(_, name)| fits(name)).map(|(id, _)| id.to_owned()).collect()
}

/// A setting that is a text or a list of them.
fn texts(settings: &Map<String, Value>, name: &str) -> Vec<String> {
    match settings.get(name) {
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn incidents_are_told_by_type_and_label() {
        let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| (*text).to_owned()).collect() };
        let labels = "labels in (\"incident\", \"Incident\", \"INCIDENT\")";
        assert_eq!(kinds(&own(&["7", "9"]), &own(&["incident"])), Some(format!("(issuetype in (7, 9) OR {labels})")));
        assert_eq!(kinds(&own(&["7"]), &[]).as_deref(), Some("(issuetype in (7))"));
        assert_eq!(kinds(&own(&["7"]), &own(&["inc*"])), None);
        let types = [("1", "Task"), ("2", "[System] Incident"), ("3", "Incident")];
        assert_eq!(fitting(types.into_iter(), &own(&["incident", "[system] incident"])), ["2", "3"]);
    }

    #[test]
    fn what_changed_lately_is_counted_in_minutes() {
        let own = settings(json!({"projects": ["inc", "a\"b"]}));
        let expected = format!("project in (\"INC\", \"A\\\"B\") AND updated >= \"-76m\" {ORDER}");
        assert_eq!(later(&own, 100 * MINUTE, 115 * MINUTE, None), expected);
        // A clock that goes wrong asks for more, not for less.
        let all = settings(json!({"projects": ["in*"]}));
        assert_eq!(later(&all, DAY, 0, None), format!("updated >= \"-61m\" {ORDER}"));
        let rest = format!("updated >= \"-61m\" AND created >= \"1970-01-09\" {ORDER}");
        assert_eq!(later(&all, 30 * DAY, 30 * DAY, Some(9 * DAY + MINUTE)), rest);
    }
}
