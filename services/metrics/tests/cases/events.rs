//! The lines of a case that are events, as the JSON that a tool would have sent.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use vigie_model::format_time;

use crate::words::{length, span, stamp, time, words};

/// What a case's short names of commits stand for.
#[derive(Default)]
pub struct Names {
    commits: HashSet<String>,
}

impl Names {
    /// Notes the commits that a line declares.
    pub fn learn(&mut self, line: &str) {
        let words = words(line);
        if words.first().is_some_and(|word| word == "commit") {
            self.commits.extend(words.get(2).cloned());
        }
        let listed = words.iter().filter_map(|word| word.strip_prefix("lists="));
        let names = listed.flat_map(|list| list.split(',')).filter_map(|item| item.split_once('@'));
        self.commits.extend(names.map(|(name, _)| name.to_owned()));
    }

    /// A revision: the hash of a commit of this name, else the name itself.
    fn revision(&self, name: &str) -> String {
        if self.commits.contains(name) { sha(name) } else { name.to_owned() }
    }

    /// The name of a hash, for messages.
    pub fn name(&self, hash: &str) -> String {
        self.commits.iter().find(|name| sha(name) == hash).cloned().unwrap_or_else(|| hash.to_owned())
    }
}

/// The made-up hash of a commit's name: its letters in hexadecimal, filled up with zeros.
pub fn sha(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits:0<40}")
}

fn list(text: &str) -> Vec<String> {
    text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn shas(text: &str) -> Vec<String> {
    list(text).iter().map(|name| sha(name)).collect()
}

/// The events of a line; `None` where its first word names no event.
pub fn events(line: &str, names: &Names) -> Option<Result<Vec<Value>, String>> {
    if line.starts_with('{') {
        return Some(serde_json::from_str(line).map(|event| vec![event]).map_err(|error| error.to_string()));
    }
    let words = words(line);
    let (kind, rest) = words.split_first()?;
    Some(match kind.as_str() {
        "deploy" => deploy(rest, names),
        "deploys" => deploys(rest),
        "commit" => commit(rest),
        "pull" => pull(rest),
        "incident" => incident(rest, names),
        "up" | "down" => state(kind == "up", rest),
        "requests" => requests(rest),
        "check" => check(rest),
        "maintenance" => maintenance(rest),
        "service" => service(rest),
        "team" => team(rest),
        _ => return None,
    })
}

struct Line<'a> {
    event: Map<String, Value>,
    positional: &'a [String],
}

impl<'a> Line<'a> {
    fn new(kind: &str, positional: usize, words: &'a [String]) -> Result<(Self, &'a [String]), String> {
        if words.len() < positional {
            return Err(format!("{kind} needs {positional} words before its key=value ones"));
        }
        let mut event = Map::new();
        event.insert("kind".to_owned(), json!(kind));
        let (positional, rest) = words.split_at(positional);
        Ok((Self { event, positional }, rest))
    }

    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.event.insert(key.to_owned(), value.into());
    }

    /// Takes a `key=value` that means the same in every kind.
    fn common(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "at" | "opened_at" | "first_commit_at" | "first_review_at" | "merged_at" | "detected_at"
            | "acknowledged_at" | "mitigated_at" | "resolved_at" | "started_at" | "exposed_at" | "authored_at"
            | "archived_at" => {
                let value = if value == "null" { Value::Null } else { json!(stamp(value)?) };
                self.set(key, value);
            }
            "rollback" | "unplanned" | "inferred" | "partial" | "deleted" => self.set(key, value == "true"),
            "reverts" | "number" => self.set(key, value.parse::<u64>().map_err(|e| format!("{key}={value}: {e}"))?),
            "source" | "environment" | "outcome" | "category" | "branch" | "author" | "title" | "severity"
            | "deployment" | "same_as" | "name" | "parent" | "repository" | "reason" => self.set(key, value),
            _ => return Err(format!("no such word: {key}={value}")),
        }
        Ok(())
    }

    fn done(self) -> Result<Vec<Value>, String> {
        Ok(vec![Value::Object(self.event)])
    }
}

fn pair(word: &str) -> Result<(&str, &str), String> {
    match word.split_once('=') {
        Some(pair) => Ok(pair),
        None if ["rollback", "unplanned", "inferred", "partial", "deleted"].contains(&word) => Ok((word, "true")),
        None => Err(format!("{word} is no key=value")),
    }
}

/// `deploy SERVICE ID TIME [revision=…] …`
fn deploy(words: &[String], names: &Names) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("deployment", 3, words)?;
    line.set("service", line.positional[0].clone());
    line.set("id", line.positional[1].clone());
    line.set("finished_at", stamp(&line.positional[2])?);
    line.set("outcome", "succeeded");
    for word in rest {
        match pair(word)? {
            ("revision", value) => {
                let many: Vec<Value> = list(value)
                    .iter()
                    .filter_map(|item| item.split_once('@'))
                    .map(|(revision, repository)| json!({"repository": repository, "revision": names.revision(revision)}))
                    .collect();
                if many.is_empty() {
                    line.set("revision", names.revision(value));
                } else {
                    line.set("revisions", many);
                }
            }
            ("lists", value) => {
                let items = list(value).into_iter().map(|item| {
                    let (name, at) = item.split_once('@').ok_or(format!("{item} is no NAME@TIME"))?;
                    Ok(json!({"sha": sha(name), "authored_at": stamp(at)?}))
                });
                line.set("commits", items.collect::<Result<Vec<_>, String>>()?);
            }
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

/// `deploys SERVICE COUNT TIME every LENGTH`
fn deploys(words: &[String]) -> Result<Vec<Value>, String> {
    let [service, count, first, _, every] = words else {
        return Err("write: deploys SERVICE COUNT TIME every LENGTH".to_owned());
    };
    let count: i64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    let (first, every) = (time(first)?, length(every)?);
    Ok((0..count)
        .map(|n| {
            json!({
                "kind": "deployment", "service": service, "id": format!("n{n}"), "outcome": "succeeded",
                "finished_at": format_time(first + n * every),
            })
        })
        .collect())
}

/// `commit REPOSITORY NAME TIME [after=NAME,…] [paths=…] [message=…]`; without `after` it is a root, with
/// `after=?` its parents are unknown.
fn commit(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("commit", 3, words)?;
    line.set("repository", line.positional[0].clone());
    line.set("sha", sha(&line.positional[1]));
    line.set("authored_at", stamp(&line.positional[2])?);
    line.set("parents", Vec::<String>::new());
    for word in rest {
        match pair(word)? {
            ("after", "?") => {
                line.event.remove("parents");
            }
            ("after", value) => line.set("parents", shas(value)),
            ("paths", value) => line.set("paths", list(value)),
            ("reverts", value) => {
                line.set("message", format!("Revert\n\nThis reverts commit {}.", sha(value)));
            }
            ("message", value) => line.set("message", value),
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

/// `pull REPOSITORY NUMBER OPENED [first_commit_at=…] [first_review_at=…] [merged=TIME] [merge=NAME]
/// [commits=NAME,…]`
fn pull(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("pull_request", 3, words)?;
    line.set("repository", line.positional[0].clone());
    line.common("number", &words[1])?;
    line.set("opened_at", stamp(&line.positional[2])?);
    for word in rest {
        match pair(word)? {
            ("merged", value) => line.set("merged_at", stamp(value)?),
            ("merge", value) => line.set("merge_sha", sha(value)),
            ("commits", value) => line.set("commits", shas(value)),
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

/// `incident ID SERVICE,… FROM..[TO] [severity=…] …`; `TO` is when it was resolved.
fn incident(words: &[String], names: &Names) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("incident", 3, words)?;
    line.set("id", line.positional[0].clone());
    line.set("services", list(&line.positional[1]));
    let (from, to) = span(&line.positional[2])?;
    line.set("started_at", from.map(format_time));
    if let Some(to) = to {
        line.set("resolved_at", format_time(to));
    }
    for word in rest {
        match pair(word)? {
            ("revision", value) => line.set("revision", names.revision(value)),
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

fn interval<'a>(kind: &str, words: &'a [String]) -> Result<(Line<'a>, &'a [String]), String> {
    let (mut line, rest) = Line::new(kind, 2, words)?;
    line.set("service", line.positional[0].clone());
    let (Some(from), Some(to)) = span(&line.positional[1])? else {
        return Err(format!("{} needs both ends", line.positional[1]));
    };
    line.set("from", format_time(from));
    line.set("to", format_time(to));
    Ok((line, rest))
}

/// `up SERVICE FROM..TO`, `down SERVICE FROM..TO`
fn state(up: bool, words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = interval("availability", words)?;
    line.set("up", up);
    for word in rest {
        let (key, value) = pair(word)?;
        line.common(key, value)?;
    }
    line.done()
}

/// `requests SERVICE FROM..TO GOOD/TOTAL`
fn requests(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = interval("availability", words)?;
    let (counts, rest) = rest.split_first().ok_or("requests needs GOOD/TOTAL")?;
    let (good, total) = counts.split_once('/').ok_or("requests needs GOOD/TOTAL")?;
    line.set("good", good.parse::<u64>().map_err(|error| error.to_string())?);
    line.set("total", total.parse::<u64>().map_err(|error| error.to_string())?);
    for word in rest {
        let (key, value) = pair(word)?;
        line.common(key, value)?;
    }
    line.done()
}

/// `check ID SERVICE up|down TIME [shortest=SECONDS] [counts_as=…] …`
fn check(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("check", 4, words)?;
    line.set("id", line.positional[0].clone());
    line.set("service", line.positional[1].clone());
    line.set("up", line.positional[2] == "up");
    line.set("since", stamp(&line.positional[3])?);
    for word in rest {
        match pair(word)? {
            ("counts_as", value) => line.set("counts_as", value),
            ("shortest", value) => line.set("shortest", value.parse::<u64>().map_err(|error| error.to_string())?),
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

/// `maintenance SERVICE FROM..TO`
fn maintenance(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = interval("maintenance", words)?;
    for word in rest {
        let (key, value) = pair(word)?;
        line.common(key, value)?;
    }
    line.done()
}

/// `service SLUG [team=…] [repositories=NAME,…] [paths=…] [production=…] [formerly=…]`; `paths` are those of every
/// repository.
fn service(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("service", 1, words)?;
    line.set("slug", line.positional[0].clone());
    let paths = rest.iter().find_map(|word| word.strip_prefix("paths=")).map(list).unwrap_or_default();
    for word in rest {
        match pair(word)? {
            ("paths", _) => {}
            ("repositories", value) => {
                let all: Vec<Value> =
                    list(value).iter().map(|name| json!({"repository": name, "paths": paths})).collect();
                line.set("repositories", all);
            }
            ("production" | "formerly", value) => line.set(pair(word)?.0, list(value)),
            ("team", "null") => line.set("team", Value::Null),
            ("team", value) => line.set("team", value),
            (key, value) => line.common(key, value)?,
        }
    }
    line.done()
}

/// `team SLUG [parent=…]`
fn team(words: &[String]) -> Result<Vec<Value>, String> {
    let (mut line, rest) = Line::new("team", 1, words)?;
    line.set("slug", line.positional[0].clone());
    for word in rest {
        let (key, value) = pair(word)?;
        line.common(key, value)?;
    }
    line.done()
}
