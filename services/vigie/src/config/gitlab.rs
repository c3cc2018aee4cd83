//! `[[pull]] gitlab`: which projects are read, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::gitlab::{GitLab, HOST, SOURCE};

use super::pulls::clones_beside;
use super::reader::{Reader, Section};
use crate::hooks::Maps;

/// Projects on GitLab that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitLabEntry {
    /// The host's URL.
    pub url: String,
    /// `group/…/name`, a pattern of it, or a group.
    pub projects: Vec<String>,
    /// Patterns of `group/…/name` that are left out.
    pub exclude: Vec<String>,
    /// A file that holds the token.
    pub token_file: PathBuf,
    /// A file with certificates that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The source of its events, as that of the webhooks.
    pub source: String,
    /// The folder of clones; none: beside the database.
    pub clones: Option<PathBuf>,
}

impl GitLabEntry {
    /// What is asked, with the maps and settings of the hooks.
    pub fn pull(&self, maps: &Maps, database: &str) -> GitLab {
        GitLab {
            url: self.url.clone(),
            projects: self.projects.clone(),
            exclude: self.exclude.clone(),
            token_file: self.token_file.clone(),
            ca_file: self.ca_file.clone(),
            source: self.source.clone(),
            hooks: maps.mapping.hooks.clone(),
            pool: maps.pool.clone(),
            event_bytes: maps.mapping.event_bytes,
            clones: self.clones.clone().unwrap_or_else(|| clones_beside(database)),
            pause: Duration::from_secs(1),
        }
    }
}

/// A group, or `group/…/name`; what stands behind the group may be a pattern.
pub fn check_project(name: &str) -> Result<String, &'static str> {
    let (group, _) = name.split_once('/').unwrap_or((name, ""));
    let is_good = !group.contains(['*', '?']) && name.split('/').all(|part| !part.is_empty());
    match is_good && !name.contains([':', ' ']) {
        true => Ok(name.to_owned()),
        false => Err("write it like acme/shop, acme/web/shop-* or acme, without the host"),
    }
}

pub(super) fn gitlab(
    reader: &mut Reader,
    section: &Section<'_>,
    url: Option<String>,
    token_file: Option<PathBuf>,
) -> Option<GitLabEntry> {
    let mut texts = |name: &str| -> Vec<String> {
        let Some(node) = section.get(name) else { return Vec::new() };
        let items = reader.items(&node);
        items.iter().filter_map(|item| reader.parsed(item, check_project)).collect()
    };
    let (projects, exclude) = (texts("gitlab"), texts("exclude"));
    let Some(token_file) = token_file else {
        let message = "GitLab shows nobody in particular little of it; write token_file";
        section.get("gitlab").into_iter().for_each(|node| reader.wrong(&node, message));
        return None;
    };
    let source = section.get("source").and_then(|node| reader.text(&node)).unwrap_or_else(|| SOURCE.name.to_owned());
    let ca_file = section.get("ca_file").and_then(|node| reader.text(&node)).map(PathBuf::from);
    let url = url.unwrap_or_else(|| HOST.to_owned());
    let clones = section.get("clones").and_then(|node| reader.text(&node)).map(PathBuf::from);
    (!projects.is_empty()).then_some(GitLabEntry { url, projects, exclude, token_file, ca_file, source, clones })
}
