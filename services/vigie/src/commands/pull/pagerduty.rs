//! An account of PagerDuty, as the command line names it.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::pagerduty::SOURCE;

use super::told;
use crate::config::pagerduty::{PagerDutyEntry, check_id};
use crate::config::{Config, PullSource, check_url};
use crate::failure::Failure;
use crate::hooks::LazyMaps;
use crate::moment::Moment;
use crate::terminal::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// https://api.pagerduty.com, or https://api.eu.pagerduty.com [default: every [[pull]] pagerduty of the configuration]
    #[arg(value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// A file that holds a key of the REST API [default: what VIGIE_PAGERDUTY_TOKEN_FILE names]
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// Only incidents of the service with this id, like PSHOP01; may be given several times
    #[arg(long = "service", value_name = "ID", requires = "url", value_parser = |id: &str| check_id(id))]
    services: Vec<String>,
    /// Only incidents of the team with this id; may be given several times
    #[arg(long = "team", value_name = "ID", requires = "url", value_parser = |id: &str| check_id(id))]
    teams: Vec<String>,
    /// From when on it is read, like 2026-10-01T00:00:00Z, or 2026-10-01 for the beginning of that day [default: everything]
    #[arg(long, value_name = "TIME|DATE", requires = "url", value_parser = |text: &str| Moment::parse(text))]
    since: Option<Moment>,
    /// A file with certificates (PEM) that are trusted beside the public ones
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// The source of its events, that of the [[hook]] whose settings hold for it too [default: pagerduty]
    #[arg(long, value_name = "NAME", requires = "url")]
    source: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Args {
    /// What is asked.
    pub(super) fn sources(self, config: &Config, maps: &LazyMaps<'_>) -> Result<Vec<Arc<dyn Pull>>, Failure> {
        let maps = maps.get()?;
        if let Some(url) = self.url {
            let token_file = told(self.token_file, "VIGIE_PAGERDUTY_TOKEN_FILE").ok_or_else(|| {
                Failure::new(
                    "PagerDuty tells nobody in particular nothing; name a file that holds a key: --token-file FILE",
                )
            })?;
            let entry = PagerDutyEntry {
                url,
                services: self.services,
                teams: self.teams,
                since: self.since.map(|moment| moment.of(config)),
                token_file,
                ca_file: self.ca_file,
                source: self.source.unwrap_or_else(|| SOURCE.name.to_owned()),
            };
            return Ok(vec![Arc::new(entry.pull(maps))]);
        }
        let entries = config.pulls.iter().filter_map(|pull| match &pull.source {
            PullSource::PagerDuty(entry) => Some(Arc::new(entry.pull(maps)) as Arc<dyn Pull>),
            _ => None,
        });
        let all: Vec<_> = entries.collect();
        if all.is_empty() {
            return Err(Failure::new(
                "no [[pull]] pagerduty is configured; name the API: vigie pull pagerduty https://api.pagerduty.com --token-file FILE",
            ));
        }
        Ok(all)
    }
}
