//! From JSON to an event: every fault names the field, the value and what to do.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Event, ListedCommit, Rejection, RepositoryRevision, Value};
use crate::json::{Json, shorten};
use crate::kinds::{self, FieldId, Kind, Role, Type};
use crate::settings::Settings;
use crate::{Time, format_time};

mod values;

/// The source of the events that the configuration file makes.
pub const CONFIGURATION: &str = "vigie.toml";

use values::{
    members, missing, nearest, read_bool, read_count, read_labels, read_list, read_lower_id, read_repository, read_sha,
    read_text, required, wrong_type,
};
pub use values::{read_id, read_time};

/// What an object is read against.
#[derive(Debug, Clone)]
pub struct Context {
    /// The source of an event that names none.
    pub source: Arc<str>,
    /// Where the object comes from.
    pub origin: Origin,
}

/// Where an object comes from, which decides about the kinds that only the program itself writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A sender: public kinds only.
    Sender,
    /// A file, perhaps an export of a log: the program's own kinds too, if they are what it would have written.
    File,
    /// The log itself.
    Log,
}

impl Context {
    /// For events from outside, `source` for those that name none.
    #[must_use]
    pub fn outside(source: &str) -> Self {
        Self { source: source.into(), origin: Origin::Sender }
    }
    /// For events of a file, `source` for those that name none.
    #[must_use]
    pub fn file(source: &str) -> Self {
        Self { source: source.into(), origin: Origin::File }
    }
    /// For events of the log.
    #[must_use]
    pub fn stored() -> Self {
        Self { source: "".into(), origin: Origin::Log }
    }
}

pub(super) fn parse_text(json: &str, context: &Context) -> Result<Event, Rejection> {
    let json = Json::parse(json.as_bytes())
        .map_err(|e| Rejection::new("", format!("this is not JSON: {e}"), "send one JSON object"))?;
    parse_object(&json, context)
}

/// Reads one event.
///
/// # Errors
/// A [`Rejection`] for the first fault found.
pub fn parse_object(json: &Json, context: &Context) -> Result<Event, Rejection> {
    let Json::Object(members) = json else {
        return Err(Rejection::new(
            "",
            format!("an event is an object, this is {}: {}", json.type_name(), json.shortened()),
            "send {\"kind\": …, …}",
        ));
    };
    let kind = parse_kind(members, context)?;
    let mut reader = Reader {
        kind,
        event: Event {
            kind,
            source: context.source.clone(),
            at: 0,
            timeless: false,
            partial: false,
            deleted: false,
            fields: Vec::with_capacity(members.len()),
        },
        at: None,
        latest: None,
        has_null: false,
    };
    for (key, value) in members {
        reader.member(key, value)?;
    }
    let event = reader.finish()?;
    if context.origin == Origin::File && kind == Kind::Settings {
        check_settings(&event)?;
    }
    Ok(event)
}

/// Settings shape every number: from a file only those are taken that a configuration has made.
fn check_settings(event: &Event) -> Result<(), Rejection> {
    let hint = "settings are made by vigie.toml alone; import them only from an export";
    if &*event.source != CONFIGURATION {
        return Err(Rejection::new("source", format!("{:?} makes no settings", shorten(&event.source)), hint));
    }
    let value = event.text(kinds::settings::VALUE);
    match serde_json::from_str::<Settings>(value) {
        Ok(_) => Ok(()),
        Err(error) => Err(Rejection::new("value", format!("{:?}: {error}", shorten(value)), hint)),
    }
}

fn parse_kind(members: &[(Cow<str>, Json)], context: &Context) -> Result<Kind, Rejection> {
    let known = || {
        let names: Vec<_> = Kind::ALL.iter().filter(|k| k.is_public()).map(|k| k.name()).collect();
        names.join(", ")
    };
    let Some((_, value)) = members.iter().find(|(key, _)| key == "kind") else {
        return Err(Rejection::new("kind", "it is missing", format!("say which: {}", known())));
    };
    let Json::Text(name) = value else {
        return Err(wrong_type("kind", "a string", value));
    };
    match Kind::parse(name) {
        Some(kind) if kind.is_public() || context.origin != Origin::Sender => Ok(kind),
        _ => {
            let public = Kind::ALL.iter().filter(|k| k.is_public()).map(|k| k.name());
            let hint = match nearest(name, public) {
                Some(near) => format!("did you mean {near}? known kinds: {}", known()),
                None => format!("known kinds: {}", known()),
            };
            Err(Rejection::new("kind", format!("there is no kind {}", value.shortened()), hint))
        }
    }
}

struct Reader {
    kind: Kind,
    event: Event,
    at: Option<Time>,
    latest: Option<Time>,
    has_null: bool,
}

impl Reader {
    fn member(&mut self, key: &str, value: &Json) -> Result<(), Rejection> {
        match key {
            "kind" => {}
            "source" => self.event.source = read_id("source", value)?.into(),
            "at" => self.at = Some(read_time("at", value)?),
            "partial" => self.event.partial = read_bool("partial", value)?,
            "deleted" => self.event.deleted = read_bool("deleted", value)?,
            _ => {
                let Some(id) = self.kind.field(key) else {
                    return Err(self.unknown(key, value));
                };
                let field = &self.kind.fields()[usize::from(id)];
                let value = if *value == Json::Null {
                    if field.role.is_identity() {
                        return Err(Rejection::new(key, "it is null", "it is part of the identity: give its value"));
                    }
                    self.has_null = true;
                    Value::Null
                } else {
                    self.value(key, field.ty, value)?
                };
                self.event.set(id, value);
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &str, value: &Json) -> Rejection {
        let names = self.kind.fields().iter().map(|f| f.name).chain(["kind", "source", "at", "partial", "deleted"]);
        let hint = match nearest(key, names.clone()) {
            Some(near) => format!("did you mean {near}? Put what has no field into labels"),
            None => "leave it out, or put it into labels".to_owned(),
        };
        let error = format!("the kind {} has no such field; its value is {}", self.kind.name(), value.shortened());
        Rejection::new(shorten(key), error, hint)
    }

    fn see(&mut self, at: Time) -> Time {
        self.latest = Some(self.latest.map_or(at, |latest| latest.max(at)));
        at
    }

    fn value(&mut self, name: &str, ty: Type, value: &Json) -> Result<Value, Rejection> {
        Ok(match ty {
            Type::Id => Value::Text(read_id(name, value)?.into()),
            Type::LowerId => Value::Text(read_lower_id(name, value)?),
            Type::Text(max) => Value::Text(read_text(name, value, max)?.into()),
            Type::Time => {
                let at = read_time(name, value)?;
                Value::Time(self.see(at))
            }
            Type::Bool => Value::Bool(read_bool(name, value)?),
            Type::Count => Value::Int(read_count(name, value)?),
            Type::Sha => Value::Text(read_sha(name, value)?),
            Type::Shas => Value::Texts(read_list(name, value, read_sha)?),
            Type::Ids => Value::Texts(read_list(name, value, |n, v| Ok(read_id(n, v)?.into()))?),
            Type::Paths => Value::Texts(read_list(name, value, |n, v| Ok(read_text(n, v, 4_096)?.into()))?),
            Type::Choice(words) => {
                let text = read_text(name, value, 1_000)?;
                match words.iter().find(|word| **word == text) {
                    Some(word) => Value::Text((*word).into()),
                    None => {
                        return Err(Rejection::new(
                            name,
                            format!("{} is none of its values", value.shortened()),
                            format!("use one of {}", words.join(", ")),
                        ));
                    }
                }
            }
            Type::Commits => Value::Commits(read_list(name, value, |n, v| {
                let [sha, at] = members(n, v, ["sha", "authored_at"])?;
                let (sha_name, at_name) = (format!("{n}.sha"), format!("{n}.authored_at"));
                let authored_at = read_time(&at_name, required(&at_name, at)?)?;
                Ok(ListedCommit {
                    sha: read_sha(&sha_name, required(&sha_name, sha)?)?,
                    authored_at: self.see(authored_at),
                })
            })?),
            Type::Revisions => Value::Revisions(read_list(name, value, |n, v| {
                let [repository, revision] = members(n, v, ["repository", "revision"])?;
                let (repository_name, revision_name) = (format!("{n}.repository"), format!("{n}.revision"));
                Ok(RepositoryRevision {
                    repository: read_lower_id(&repository_name, required(&repository_name, repository)?)?,
                    revision: read_id(&revision_name, required(&revision_name, revision)?)?.into(),
                })
            })?),
            Type::Repositories => Value::Repositories(read_list(name, value, read_repository)?),
            Type::Labels => Value::Labels(read_labels(name, value)?),
        })
    }

    fn finish(mut self) -> Result<Event, Rejection> {
        for (number, field) in self.kind.fields().iter().enumerate() {
            let id = FieldId::try_from(number).unwrap_or(FieldId::MAX);
            match field.role {
                Role::Optional => {}
                Role::IdentityEnvironment => {
                    if self.event.get(id).is_none() {
                        self.event.set(id, Value::Text("production".into()));
                    }
                }
                Role::Identity => {
                    if self.event.get(id).is_none() {
                        return Err(missing(field.name, "it is part of the identity and needed in every event"));
                    }
                }
                Role::Required => {
                    let is_there = !matches!(self.event.get(id), None | Some(Value::Null));
                    if !is_there && !self.event.partial && !self.event.deleted {
                        return Err(missing(
                            field.name,
                            "give it, or send \"partial\": true for a change of some fields",
                        ));
                    }
                }
            }
        }
        self.check_combinations()?;
        if self.at.is_none() && (self.has_null || self.event.deleted) {
            return Err(missing(
                "at",
                "an event that clears something says since when: \"at\": \"2026-10-01T12:00:00Z\"",
            ));
        }
        match self.at.or(self.latest) {
            Some(at) => self.event.at = at,
            None => self.event.timeless = true,
        }
        Ok(self.event)
    }

    /// What one field asks of another. A partial event may hold one half.
    fn check_combinations(&self) -> Result<(), Rejection> {
        if self.event.partial || self.event.deleted {
            return Ok(());
        }
        let has = |id| !matches!(self.event.get(id), None | Some(Value::Null));
        match self.kind {
            Kind::Deployment => {
                use kinds::deployment as d;
                if has(d::OUTCOME) && !has(d::FINISHED_AT) {
                    return Err(missing("finished_at", "a deployment with an outcome has ended: say when"));
                }
                if has(d::FINISHED_AT) && !has(d::OUTCOME) {
                    return Err(missing("outcome", "a finished deployment has one of succeeded, failed, cancelled"));
                }
                if has(d::REVISIONS) && (has(d::REVISION) || has(d::REPOSITORY)) {
                    return Err(Rejection::new(
                        "revisions",
                        "it stands beside revision or repository",
                        "use revisions for several repositories, else revision and repository",
                    ));
                }
            }
            Kind::Incident => {
                use kinds::incident as i;
                let none = |id| match self.event.get(id) {
                    Some(Value::Texts(items)) => items.is_empty(),
                    Some(Value::Text(_)) => false,
                    _ => true,
                };
                if none(i::SERVICE) && none(i::SERVICES) {
                    return Err(missing("service", "name the service that it hits, or several in services"));
                }
            }
            Kind::Availability => {
                use kinds::availability as a;
                match (has(a::UP), has(a::GOOD), has(a::TOTAL)) {
                    (true, false, false) => {}
                    (false, true, true) => {
                        if let (Some(Value::Int(good)), Some(Value::Int(total))) =
                            (self.event.get(a::GOOD), self.event.get(a::TOTAL))
                            && good > total
                        {
                            return Err(Rejection::new(
                                "good",
                                format!("{good} is more than total, {total}"),
                                "good counts a part of total",
                            ));
                        }
                    }
                    (true, _, _) => {
                        return Err(Rejection::new(
                            "up",
                            "it stands beside good or total",
                            "send up, or good and total",
                        ));
                    }
                    (false, false, false) => {
                        return Err(missing("up", "say whether it was up, or give good and total"));
                    }
                    (false, true, false) => return Err(missing("total", "good needs total")),
                    (false, false, true) => return Err(missing("good", "total needs good")),
                }
                self.check_interval(a::FROM, a::TO)?;
            }
            Kind::Maintenance => self.check_interval(kinds::maintenance::FROM, kinds::maintenance::TO)?,
            Kind::Check => {
                if !has(kinds::check::SERVICE) && self.event.get(kinds::check::UP) != Some(&Value::Bool(true)) {
                    return Err(missing("service", "name the service that is down"));
                }
            }
            Kind::Note => {
                if !has(kinds::note::SERVICE) && !has(kinds::note::TEAM) {
                    return Err(missing("service", "name the service or the team that it is about"));
                }
            }
            Kind::Commit | Kind::PullRequest | Kind::Service | Kind::Team | Kind::Other | Kind::Settings => {}
        }
        Ok(())
    }

    fn check_interval(&self, from: FieldId, to: FieldId) -> Result<(), Rejection> {
        if let (Some(Value::Time(from)), Some(Value::Time(to))) = (self.event.get(from), self.event.get(to))
            && to <= from
        {
            let error = format!("{} is not after from, {}", format_time(*to), format_time(*from));
            return Err(Rejection::new("to", error, "an interval ends after it began"));
        }
        Ok(())
    }
}
