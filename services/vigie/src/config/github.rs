//! `[[pull]] github`: which repositories are read, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::github::{API, Access, GitHub, SOURCE};

use super::pulls::clones_beside;
use super::reader::{Reader, Section};
use crate::hooks::Maps;

/// Repositories on GitHub that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitHubEntry {
    /// The API's URL.
    pub url: String,
    /// `owner/name`, `owner/pattern*`, or `owner`.
    pub repositories: Vec<String>,
    /// Patterns of `owner/name` that are left out.
    pub exclude: Vec<String>,
    /// Who asks.
    pub access: Access,
    /// The source of its events, as that of the webhooks.
    pub source: String,
    /// The folder of clones; none: beside the database.
    pub clones: Option<PathBuf>,
}

impl GitHubEntry {
    /// What is asked, with the maps and settings of the hooks.
    pub fn pull(&self, maps: &Maps, database: &str) -> GitHub {
        GitHub {
            url: self.url.clone(),
            repositories: self.repositories.clone(),
            exclude: self.exclude.clone(),
            access: self.access.clone(),
            source: self.source.clone(),
            hooks: maps.mapping.hooks.clone(),
            pool: maps.pool.clone(),
            event_bytes: maps.mapping.event_bytes,
            clones: self.clones.clone().unwrap_or_else(|| clones_beside(database)),
            pause: Duration::from_secs(1),
        }
    }
}

/// An owner, or `owner/name`; the name may be a pattern.
pub fn check_repository(name: &str) -> Result<String, &'static str> {
    let mut parts = name.split('/');
    let (owner, rest) = (parts.next().unwrap_or_default(), parts.next());
    let is_good =
        !owner.is_empty() && !owner.contains(['*', '?', ':', ' ']) && rest != Some("") && parts.next().is_none();
    if is_good { Ok(name.to_owned()) } else { Err("write it like acme/shop, acme/shop-* or acme, without the host") }
}

pub(super) fn github(
    reader: &mut Reader,
    section: &Section<'_>,
    url: Option<String>,
    token_file: Option<PathBuf>,
) -> Option<GitHubEntry> {
    let mut texts = |name: &str| -> Vec<String> {
        let Some(node) = section.get(name) else { return Vec::new() };
        let items = reader.items(&node);
        items.iter().filter_map(|item| reader.parsed(item, check_repository)).collect()
    };
    let (repositories, exclude) = (texts("github"), texts("exclude"));
    let access = access(reader, section, token_file)?;
    let source = section.get("source").and_then(|node| reader.text(&node)).unwrap_or_else(|| SOURCE.name.to_owned());
    let url = url.unwrap_or_else(|| API.to_owned());
    let clones = section.get("clones").and_then(|node| reader.text(&node)).map(PathBuf::from);
    (!repositories.is_empty()).then_some(GitHubEntry { url, repositories, exclude, access, source, clones })
}

fn access(reader: &mut Reader, section: &Section<'_>, token_file: Option<PathBuf>) -> Option<Access> {
    let mut number = |name: &str| {
        let number = section.get(name).and_then(|node| reader.whole(&node, 1, i64::MAX))?;
        u64::try_from(number).ok()
    };
    let (id, installation) = (number("app_id"), number("installation"));
    let key_file = section.get("app_key_file").and_then(|node| reader.text(&node)).map(PathBuf::from);
    match (token_file, id, key_file) {
        (Some(file), None, None) => Some(Access::Token(file)),
        (None, Some(id), Some(key_file)) => Some(Access::App { id, key_file, installation }),
        (None, None, None) => {
            let message = "GitHub answers nobody in particular; write token_file, or app_id and app_key_file";
            section.get("github").into_iter().for_each(|node| reader.wrong(&node, message));
            None
        }
        (Some(_), ..) => {
            let node = section.get("app_id").or_else(|| section.get("app_key_file"));
            node.into_iter()
                .for_each(|node| reader.wrong(&node, "token_file says who asks too; remove one of the two"));
            None
        }
        (None, ..) => {
            let node = section.get("app_id").or_else(|| section.get("app_key_file"));
            let message = "an app has a number and a key; write app_id and app_key_file";
            node.into_iter().for_each(|node| reader.wrong(&node, message));
            None
        }
    }
}
