//! A case: cut out of its file, folded, asked.

use std::sync::Arc;

use vigie_metrics::world::World;
use vigie_metrics::{FrameLoader, ServiceFrame, Snapshot};
use vigie_model::event::{Context, parse_object};
use vigie_model::facts::ServiceFacts;
use vigie_model::json::Json;
use vigie_model::{Settings, StoredEvent, Time};

use crate::events::{Names, events};
use crate::words::time;
use crate::{answers, facts};

/// A case with its lines and their numbers in the file.
pub struct Case<'a> {
    pub title: &'a str,
    lines: Vec<(usize, &'a str)>,
}

/// What is wrong with a line.
pub type Fault = (usize, String);

/// What a case asks its questions of.
pub struct Asked {
    pub snapshot: Snapshot,
    pub facts: Vec<ServiceFacts>,
    pub names: Names,
    pub now: Time,
}

/// The cases of a file: each begins with a line `== title`. Lines that begin with `#` are remarks.
pub fn split(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(title) = line.strip_prefix("== ") {
            cases.push(Case { title: title.trim(), lines: Vec::new() });
        } else if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            let case = cases.last_mut().unwrap_or_else(|| panic!("line {number} stands before the first case"));
            case.lines.push((number, line));
        }
    }
    cases
}

/// Runs a case and answers what is wrong.
pub fn run(case: &Case) -> Vec<Fault> {
    let mut faults = Vec::new();
    let asked = match load(case, &mut faults) {
        Some(asked) => asked,
        None => return faults,
    };
    let mut question = None;
    for (number, line) in &case.lines {
        let is_indented = line.starts_with(char::is_whitespace);
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let result = match (is_indented, word) {
            (false, "ask") => answers::ask(rest.trim(), &asked).map(|found| question = Some(found)),
            (false, "facts") => {
                question = None;
                facts::check(rest.trim(), &asked)
            }
            (true, _) => match &question {
                Some(question) => answers::check(question, word, rest.trim(), &asked),
                None => Err("nothing was asked above".to_owned()),
            },
            _ => Ok(()),
        };
        faults.extend(result.err().map(|fault| (*number, fault)));
    }
    faults
}

fn load(case: &Case, faults: &mut Vec<Fault>) -> Option<Asked> {
    let mut settings = serde_json::Map::new();
    let mut now = time("2026-12-01").unwrap_or_default();
    let mut recorded_at = None;
    let mut names = Names::default();
    case.lines.iter().for_each(|(_, line)| names.learn(line));
    let mut stored: Vec<StoredEvent> = Vec::new();
    for (number, line) in &case.lines {
        if line.starts_with(char::is_whitespace) {
            continue;
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let result = match word {
            "ask" | "facts" => Ok(()),
            "now" => time(rest.trim()).map(|at| now = at),
            "recorded" => time(rest.trim()).map(|at| recorded_at = Some(at)),
            "set" => set(&mut settings, rest.trim()),
            _ => events(line, &names)
                .unwrap_or_else(|| Err(format!("{word} begins no line")))
                .and_then(|events| events.iter().try_for_each(|event| read(event, recorded_at, &mut stored))),
        };
        faults.extend(result.err().map(|fault| (*number, fault)));
    }
    let settings: Settings = match serde_json::from_value(settings.into()) {
        Ok(settings) => settings,
        Err(error) => {
            faults.push((case.lines[0].0, format!("settings: {error}")));
            return None;
        }
    };
    if !faults.is_empty() {
        return None;
    }
    let settings = Arc::new(settings);
    let (teams, facts) = fold(&settings, stored.iter().cloned());
    let twice = stored.iter().rev().flat_map(|event| [event.clone(), event.clone()]);
    let (_, backwards) = fold(&settings, twice);
    if facts != backwards {
        faults.push((case.lines[0].0, "backwards and twice, the events give other facts".to_owned()));
    }
    let frames: Vec<Arc<ServiceFrame>> = facts.iter().map(|facts| Arc::new(ServiceFrame::new(facts))).collect();
    for (frame, loaded) in frames.iter().zip(load_again(&facts)) {
        if frame.facts() != loaded.facts() {
            faults.push((case.lines[0].0, format!("{}: its frame is another when it is loaded", frame.slug())));
        }
    }
    Some(Asked { snapshot: Snapshot::new(settings, teams, frames, 1), facts, names, now })
}

/// `set NAME VALUE`, the value as JSON or as a bare word.
fn set(settings: &mut serde_json::Map<String, serde_json::Value>, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once(char::is_whitespace).ok_or("write: set NAME VALUE")?;
    let value = value.trim();
    let value = serde_json::from_str(value).unwrap_or_else(|_| serde_json::Value::String(value.to_owned()));
    settings.insert(name.to_owned(), value);
    Ok(())
}

fn read(event: &serde_json::Value, recorded_at: Option<Time>, stored: &mut Vec<StoredEvent>) -> Result<(), String> {
    let text = event.to_string();
    let json = Json::parse(text.as_bytes()).map_err(|error| error.to_string())?;
    let mut event = parse_object(&json, &Context::outside("test")).map_err(|error| format!("{error} in {text}"))?;
    // Known from the beginning, unless the case says when it was recorded.
    let recorded_at = recorded_at.unwrap_or(0);
    if event.timeless {
        event.at = recorded_at;
    }
    stored.push(StoredEvent { seq: stored.len() as i64 + 1, recorded_at, digest: event.digest(), event });
    Ok(())
}

fn fold(
    settings: &Arc<Settings>,
    events: impl Iterator<Item = StoredEvent>,
) -> (Vec<vigie_model::views::TeamEntry>, Vec<ServiceFacts>) {
    let mut world = World::complete(settings.clone());
    events.for_each(|event| world.apply(event));
    let facts = world.services().iter().filter_map(|slug| world.fold(slug)).collect();
    (world.teams(), facts)
}

fn load_again(facts: &[ServiceFacts]) -> Vec<Arc<ServiceFrame>> {
    let mut loader = FrameLoader::new();
    for facts in facts {
        facts.changes.iter().rev().for_each(|row| loader.add(row.clone()));
        facts.deployments.iter().rev().for_each(|row| loader.add(row.clone()));
        facts.waiting.iter().for_each(|row| loader.add(row.clone()));
        facts.incidents.iter().for_each(|row| loader.add(row.clone()));
        facts.availability.iter().for_each(|row| loader.add(row.clone()));
        facts.quality.iter().for_each(|row| loader.add(row.clone()));
        loader.add(facts.service.clone());
    }
    loader.finish()
}
