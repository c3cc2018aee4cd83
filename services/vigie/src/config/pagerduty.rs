//! `[[pull]] pagerduty`: which account is read, what of it, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::pagerduty::{PagerDuty, SOURCE};
use vigie_model::Time;

use super::reader::{Reader, Section};
use crate::hooks::Maps;

/// An account of PagerDuty that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerDutyEntry {
    /// The API's URL.
    pub url: String,
    /// The ids of the services whose incidents are read; empty: all.
    pub services: Vec<String>,
    /// The ids of the teams whose incidents are read; empty: all.
    pub teams: Vec<String>,
    /// From when on it is read.
    pub since: Option<Time>,
    /// A file that holds the token.
    pub token_file: PathBuf,
    /// A file with certificates that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// The source of its events, as that of the webhooks.
    pub source: String,
}

impl PagerDutyEntry {
    /// What is asked, with the maps and settings of the hooks.
    pub fn pull(&self, maps: &Maps) -> PagerDuty {
        PagerDuty {
            url: self.url.clone(),
            services: self.services.clone(),
            teams: self.teams.clone(),
            since: self.since,
            token_file: self.token_file.clone(),
            ca_file: self.ca_file.clone(),
            source: self.source.clone(),
            hooks: maps.mapping.hooks.clone(),
            pool: maps.pool.clone(),
            event_bytes: maps.mapping.event_bytes,
            pause: Duration::from_secs(1),
        }
    }
}

/// An id of a service or a team, which is not its name.
pub fn check_id(id: &str) -> Result<String, &'static str> {
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if is_id { Ok(id.to_owned()) } else { Err("write the id, like PSHOP01: the end of its page's address") }
}

pub(super) fn pagerduty(
    reader: &mut Reader,
    section: &Section<'_>,
    url: String,
    token_file: Option<PathBuf>,
) -> Option<PagerDutyEntry> {
    let mut ids = |name: &str| -> Vec<String> {
        let Some(node) = section.get(name) else { return Vec::new() };
        let items = reader.items(&node);
        items.iter().filter_map(|item| reader.parsed(item, check_id)).collect()
    };
    let (services, teams) = (ids("services"), ids("teams"));
    let since = section.get("since").and_then(|node| reader.instant(&node));
    let source = section.get("source").and_then(|node| reader.text(&node)).unwrap_or_else(|| SOURCE.name.to_owned());
    let ca_file = section.get("ca_file").and_then(|node| reader.text(&node)).map(PathBuf::from);
    let Some(token_file) = token_file else {
        let message = "PagerDuty tells nobody in particular nothing; write token_file";
        section.get("pagerduty").into_iter().for_each(|node| reader.wrong(&node, message));
        return None;
    };
    Some(PagerDutyEntry { url, services, teams, since, token_file, ca_file, source })
}
