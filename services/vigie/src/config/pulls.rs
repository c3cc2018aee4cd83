//! `[[pull]]`: sources that are asked.

use std::path::PathBuf;

use vigie_model::{MINUTE, Time};

use super::keys::PULL;
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
    /// How often, in microseconds; at least a minute.
    pub every: Time,
}

/// What a pull asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullSource {
    /// A git repository on disk.
    Git {
        /// Where it is.
        path: PathBuf,
        /// Its name in events; none: its folder's.
        repository: Option<String>,
        /// The service that is deployed; none: named like the repository.
        service: Option<String>,
        /// Where it is deployed; none: production.
        environment: Option<String>,
        /// What is taken for a deployment.
        deployments: GitDeployments,
    },
    /// Repositories on GitHub, `owner/name`.
    GitHub(Vec<String>),
    /// Projects on GitLab, `group/…/name`.
    GitLab(Vec<String>),
    /// A Prometheus server, by its URL.
    Prometheus(String),
}

/// What of a git repository is taken for a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitDeployments {
    /// Nothing: commits only.
    None,
    /// Each tag that matches the glob.
    Tags(String),
    /// Each first-parent commit of the default branch.
    EveryMerge,
}

const SOURCES: [&str; 4] = ["git", "github", "gitlab", "prometheus"];
const ONLY_GIT: [&str; 5] = ["repository", "service", "environment", "tags", "every_merge"];

pub(super) fn pulls(reader: &mut Reader, root: &Section<'_>) -> Vec<PullEntry> {
    let sections = reader.tables(root.get("pull"), &PULL);
    sections.into_iter().filter_map(|section| pull(reader, &section)).collect()
}

fn pull(reader: &mut Reader, section: &Section<'_>) -> Option<PullEntry> {
    let url = section.get("url").and_then(|node| reader.parsed(&node, check_url));
    let token_file = section.get("token_file").and_then(|node| reader.text(&node)).map(PathBuf::from);
    let every = section.get("every").and_then(|node| every(reader, &node)).unwrap_or(15 * MINUTE);
    let given: Vec<&str> = SOURCES.into_iter().filter(|name| section.get(name).is_some()).collect();
    let &[name] = given.as_slice() else {
        let message = match given.as_slice() {
            [] => format!("a pull needs a source; write one of {}", SOURCES.join(", ")),
            several => format!("a pull has one source; write a [[pull]] for each of {}", several.join(" and ")),
        };
        reader.wrong_at(&section.origin, &section.key, message);
        return None;
    };
    if name != "git" {
        for node in ONLY_GIT.iter().filter_map(|only| section.get(only)) {
            reader.wrong(&node, format_args!("only a git pull has this; remove it"));
        }
    }
    if let Some(node) = section.get("url").filter(|_| !matches!(name, "github" | "gitlab")) {
        reader.wrong(&node, "only a github or gitlab pull has this; remove it");
    }
    let node = section.get(name)?;
    let source = match name {
        "git" => git(reader, section, &node)?,
        "github" => PullSource::GitHub(names(reader, &node, |name| {
            name.split('/').count() == 2 && name.split('/').all(|part| !part.is_empty())
        })?),
        "gitlab" => PullSource::GitLab(names(reader, &node, |name| {
            name.split('/').count() >= 2 && name.split('/').all(|part| !part.is_empty())
        })?),
        _ => PullSource::Prometheus(reader.parsed(&node, check_url)?),
    };
    Some(PullEntry { source, url, token_file, every })
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
        (Some(tags), false) => GitDeployments::Tags(tags),
        (None, true) => GitDeployments::EveryMerge,
        (None, false) => GitDeployments::None,
    };
    let path = reader.text(node)?.into();
    Some(PullSource::Git { path, repository, service, environment, deployments })
}

fn names(reader: &mut Reader, node: &Node<'_>, good: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for item in reader.items(node) {
        let check = |name: &str| {
            if good(name) { Ok(name.to_owned()) } else { Err("write it like acme/shop, without the host") }
        };
        all.extend(reader.parsed(&item, check));
    }
    (!all.is_empty()).then_some(all)
}

fn every(reader: &mut Reader, node: &Node<'_>) -> Option<Time> {
    let every = reader.length(node)?;
    if every < MINUTE {
        reader.wrong(node, "this is too often; write at least 1m");
        return None;
    }
    Some(every)
}

fn check_url(url: &str) -> Result<String, &'static str> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
    if host.is_empty() || host.starts_with('/') {
        Err("this is no URL; write it like https://host:9090")
    } else {
        Ok(url.trim_end_matches('/').to_owned())
    }
}
