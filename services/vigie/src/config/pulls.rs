//! `[[pull]]`: sources that are asked.

use std::collections::BTreeSet;
use std::path::PathBuf;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::git::{Deployments, GitSource};
use vigie_model::schedule::Schedule;
use vigie_model::settings::Settings;
use vigie_model::window::Zone;
use vigie_model::{MINUTE, Time};

use super::github::{GitHubEntry, github};
use super::gitlab::{GitLabEntry, gitlab};
use super::jira::{JiraEntry, jira};
use super::keys::PULL;
use super::pagerduty::{PagerDutyEntry, pagerduty};
use super::prometheus::{PrometheusEntry, prometheus};
use super::reader::{Node, Reader, Section};

/// A source that is asked on a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullEntry {
    /// What is asked.
    pub source: PullSource,
    /// The API's URL, where it is not the usual one.
    pub url: Option<String>,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// When.
    pub when: When,
}

/// What a pull asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullSource {
    /// A git repository on disk.
    Git(GitSource),
    /// Repositories on GitHub.
    GitHub(GitHubEntry),
    /// Projects on GitLab.
    GitLab(GitLabEntry),
    /// A Jira.
    Jira(JiraEntry),
    /// An account of PagerDuty.
    PagerDuty(PagerDutyEntry),
    /// A Prometheus server.
    Prometheus(Box<PrometheusEntry>),
}

/// When a source is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So often, in microseconds; at least a minute.
    Every(Time),
    /// By a cron expression, on the organisation's clocks.
    Cron(String),
}

impl When {
    /// The schedule on the clocks of a zone. An expression was checked as it was read.
    pub fn schedule(&self, zone: &str) -> Schedule {
        match self {
            Self::Every(every) => Schedule::Every(*every),
            Self::Cron(text) => {
                Schedule::cron(text, Zone::parse(zone).unwrap_or(Zone::UTC)).unwrap_or(Schedule::Every(USUAL))
            }
        }
    }
}

/// How often a source is asked of which nothing is said.
const USUAL: Time = 15 * MINUTE;

const SOURCES: [&str; 6] = ["git", "github", "gitlab", "jira", "pagerduty", "prometheus"];

/// The keys that not every source has, with those that have them.
const ONLY: &[(&str, &[&str])] = &[
    ("repository", &["git"]),
    ("tags", &["git"]),
    ("every_merge", &["git"]),
    ("service", &["git", "prometheus"]),
    ("environment", &["git", "prometheus"]),
    ("url", &["github", "gitlab"]),
    ("query", &["prometheus"]),
    ("good", &["prometheus"]),
    ("total", &["prometheus"]),
    ("label", &["prometheus"]),
    ("environment_label", &["prometheus"]),
    ("step", &["prometheus"]),
    ("delay", &["prometheus"]),
    ("since", &["jira", "pagerduty", "prometheus"]),
    ("services", &["pagerduty"]),
    ("teams", &["pagerduty"]),
    ("source", &["github", "gitlab", "jira", "pagerduty", "prometheus"]),
    ("exclude", &["github", "gitlab"]),
    ("clones", &["github", "gitlab"]),
    ("app_id", &["github"]),
    ("app_key_file", &["github"]),
    ("installation", &["github"]),
    ("username", &["jira", "prometheus"]),
    ("password_file", &["jira", "prometheus"]),
    ("ca_file", &["gitlab", "jira", "pagerduty", "prometheus"]),
    ("headers", &["prometheus"]),
];

pub(super) fn pulls(reader: &mut Reader, root: &Section<'_>, settings: &Settings) -> Vec<PullEntry> {
    let sections = reader.tables(root.get("pull"), &PULL);
    let mut sources = BTreeSet::new();
    let mut all = Vec::new();
    for section in &sections {
        let Some(entry) = pull(reader, section, settings) else { continue };
        if let Some((key, own, message)) = known_by(&entry.source)
            && !sources.insert((key, own))
        {
            section.get(key).into_iter().for_each(|node| reader.wrong(&node, message));
        }
        all.push(entry);
    }
    all
}

/// What no two pulls may have in common: the key where it is written, what it is, and why.
fn known_by(source: &PullSource) -> Option<(&'static str, String, &'static str)> {
    match source {
        PullSource::Prometheus(own) => Some((
            "prometheus",
            own.source.clone(),
            "two pulls of one source would take each other's word; give each a source of its own",
        )),
        // Each keeps how far it has come under its name.
        PullSource::Git(own) => {
            Some(("git", own.name(), "this is pulled twice; join the two, or give each a service of its own"))
        }
        PullSource::GitHub(_) | PullSource::GitLab(_) | PullSource::Jira(_) | PullSource::PagerDuty(_) => None,
    }
}

fn pull(reader: &mut Reader, section: &Section<'_>, settings: &Settings) -> Option<PullEntry> {
    let url = section.get("url").and_then(|node| reader.parsed(&node, check_url));
    let token_file = section.get("token_file").and_then(|node| reader.text(&node)).map(PathBuf::from);
    let when = when(reader, section).unwrap_or(When::Every(USUAL));
    let given: Vec<&str> = SOURCES.into_iter().filter(|name| section.get(name).is_some()).collect();
    let &[name] = given.as_slice() else {
        let message = match given.as_slice() {
            [] => format!("a pull needs a source; write one of {}", SOURCES.join(", ")),
            several => format!("a pull has one source; write a [[pull]] for each of {}", several.join(" and ")),
        };
        reader.wrong_at(&section.origin, &section.key, message);
        return None;
    };
    for (key, having) in ONLY.iter().filter(|(_, having)| !having.contains(&name)) {
        if let Some(node) = section.get(key) {
            reader.wrong(&node, format_args!("only a {} pull has this; remove it", having.join(" or ")));
        }
    }
    let node = section.get(name)?;
    let source = match name {
        "git" => git(reader, section, &node)?,
        "github" => PullSource::GitHub(github(reader, section, url.clone(), token_file.clone())?),
        "gitlab" => PullSource::GitLab(gitlab(reader, section, url.clone(), token_file.clone())?),
        "jira" => {
            let url = reader.parsed(&node, check_url)?;
            PullSource::Jira(jira(reader, section, url, token_file.clone())?)
        }
        "pagerduty" => {
            let url = reader.parsed(&node, check_url)?;
            PullSource::PagerDuty(pagerduty(reader, section, url, token_file.clone())?)
        }
        _ => {
            let url = reader.parsed(&node, check_url)?;
            PullSource::Prometheus(Box::new(prometheus(reader, section, url, token_file.clone(), settings)?))
        }
    };
    Some(PullEntry { source, url, token_file, when })
}

fn git(reader: &mut Reader, section: &Section<'_>, node: &Node<'_>) -> Option<PullSource> {
    let mut text = |name: &str| section.get(name).and_then(|node| reader.text(&node));
    let (repository, service, environment, tags) =
        (text("repository"), text("service"), text("environment"), text("tags"));
    let every_merge = section.get("every_merge").and_then(|node| reader.flag(&node)).unwrap_or(false);
    let deployments = match (tags, every_merge) {
        (Some(_), true) => {
            let message = "deployments are either tags or merges; remove tags or every_merge";
            section.get("every_merge").into_iter().for_each(|node| reader.wrong(&node, message));
            return None;
        }
        (Some(tags), false) => Deployments::Tags(vec![tags]),
        (None, true) => Deployments::EveryMerge,
        (None, false) => Deployments::Versions,
    };
    let path = reader.text(node)?.into();
    Some(PullSource::Git(GitSource { path, repository, service, environment, deployments }))
}

fn when(reader: &mut Reader, section: &Section<'_>) -> Option<When> {
    if let Some(node) = section.get("schedule") {
        if section.get("every").is_some() {
            reader.wrong(&node, "every says when it is asked too; remove one of the two");
        }
        return reader.parsed(&node, check_cron);
    }
    let node = section.get("every")?;
    let every = reader.length(&node)?;
    if every < MINUTE {
        reader.wrong(&node, "this is too often; write at least 1m");
        return None;
    }
    Some(When::Every(every))
}

fn check_cron(text: &str) -> Result<When, String> {
    let schedule = Schedule::cron(text, Zone::UTC).map_err(|error| error.to_string())?;
    let first = schedule.after(0);
    match schedule.after(first).saturating_sub(first) < MINUTE {
        true => Err("this is too often; write minute, hour, day, month and weekday, without seconds".to_owned()),
        false => Ok(When::Cron(text.to_owned())),
    }
}

/// The folder of clones beside a database: beside its file, or in the working directory where it has none.
pub(super) fn clones_beside(database: &str) -> PathBuf {
    let file =
        database.strip_prefix("sqlite:").map(|rest| rest.trim_start_matches("//").split('?').next().unwrap_or(rest));
    file.map_or_else(|| PathBuf::from("vigie-clones"), |file| PathBuf::from(format!("{file}-clones")))
}

/// A URL of HTTP, without a slash at its end. One with a user and a password is none: they are shown in messages.
pub(crate) fn check_url(url: &str) -> Result<String, &'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() {
        Err("this is no URL; write it like https://host:9090")
    } else if host.contains('@') {
        Err("a user and a password are not written here; write username and password_file, or token_file")
    } else if rest.contains(['?', '#']) {
        Err("this has more than a host and a path; write it like https://host:9090/prometheus")
    } else {
        Ok(url.trim_end_matches('/').to_owned())
    }
}
