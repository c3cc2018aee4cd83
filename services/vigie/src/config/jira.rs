//! `[[pull]] jira`: which Jira is read, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::jira::{Jira, SOURCE};
use vigie_model::Time;

use super::reader::{Reader, Section};
use crate::hooks::Maps;

/// A Jira that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JiraEntry {
    /// The URL that stands before `/browse` in the address of an issue.
    pub url: String,
    /// From when on it is read.
    pub since: Option<Time>,
    /// A file that holds a personal access token.
    pub token_file: Option<PathBuf>,
    /// An account.
    pub username: Option<String>,
    /// A file that holds the account's API token, or its password.
    pub password_file: Option<PathBuf>,
    /// A file with certificates that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The source of its events, as that of the webhooks.
    pub source: String,
}

impl JiraEntry {
    /// What is asked, with the maps and settings of the hooks.
    pub fn pull(&self, maps: &Maps) -> Jira {
        Jira {
            url: self.url.clone(),
            since: self.since,
            token_file: self.token_file.clone(),
            username: self.username.clone(),
            password_file: self.password_file.clone(),
            ca_file: self.ca_file.clone(),
            source: self.source.clone(),
            hooks: maps.mapping.hooks.clone(),
            pool: maps.pool.clone(),
            event_bytes: maps.mapping.event_bytes,
            pause: Duration::from_secs(1),
        }
    }
}

/// What to write where nobody asks.
pub const NOBODY: &str = "Jira shows nobody in particular nothing; write username and password_file (on Jira Cloud the \
    e-mail address and a file with an API token), or on Data Center token_file";

pub(super) fn jira(
    reader: &mut Reader,
    section: &Section<'_>,
    url: String,
    token_file: Option<PathBuf>,
) -> Option<JiraEntry> {
    let mut text = |name: &str| section.get(name).and_then(|node| reader.text(&node));
    let (username, password_file) = (text("username"), text("password_file").map(PathBuf::from));
    let source = text("source").unwrap_or_else(|| SOURCE.name.to_owned());
    let ca_file = text("ca_file").map(PathBuf::from);
    let since = section.get("since").and_then(|node| reader.instant(&node));
    let wrong = match (&token_file, &username, &password_file) {
        (Some(_), Some(_), _) => Some(("token_file", "username says who asks too; remove one of the two")),
        (Some(_), None, Some(_)) | (None, None, Some(_)) => {
            Some(("password_file", "nobody is named whose password this is; write username"))
        }
        (None, Some(_), None) => {
            Some(("username", "write password_file too: a file that holds the account's API token"))
        }
        (None, None, None) => Some(("jira", NOBODY)),
        (Some(_), None, None) | (None, Some(_), Some(_)) => None,
    };
    if let Some((key, message)) = wrong {
        section.get(key).into_iter().for_each(|node| reader.wrong(&node, message));
        return None;
    }
    Some(JiraEntry { url, since, token_file, username, password_file, ca_file, source })
}
