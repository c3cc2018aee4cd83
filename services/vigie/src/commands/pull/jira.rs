//! A Jira, as the command line names it.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::jira::SOURCE;

use crate::config::jira::{JiraEntry, NOBODY};
use crate::config::{Config, PullSource, check_url};
use crate::failure::Failure;
use crate::hooks::LazyMaps;
use crate::moment::Moment;
use crate::terminal::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// https://acme.atlassian.net, or what stands before /browse in the address of an issue [default: every [[pull]] jira of
    /// the configuration]
    #[arg(value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// The account that asks: on Jira Cloud its e-mail address
    #[arg(long, value_name = "NAME", requires = "url", requires = "password_file", conflicts_with = "token_file")]
    username: Option<String>,
    /// A file that holds the account's API token (or, on Data Center, its password)
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// A file that holds a personal access token of Jira Data Center
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// From when on it is read, like 2026-10-01T00:00:00Z, or 2026-10-01 for the beginning of that day [default: everything]
    #[arg(long, value_name = "TIME|DATE", requires = "url", value_parser = |text: &str| Moment::parse(text))]
    since: Option<Moment>,
    /// A file with certificates (PEM) that are trusted beside the public ones
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// The source of its events, that of the [[hook]] whose settings say what is an incident [default: jira]
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
            if self.token_file.is_none() && self.username.is_none() {
                return Err(Failure::new(NOBODY));
            }
            let entry = JiraEntry {
                url,
                since: self.since.map(|moment| moment.of(config)),
                token_file: self.token_file,
                username: self.username,
                password_file: self.password_file,
                ca_file: self.ca_file,
                source: self.source.unwrap_or_else(|| SOURCE.name.to_owned()),
            };
            return Ok(vec![Arc::new(entry.pull(maps))]);
        }
        let entries = config.pulls.iter().filter_map(|pull| match &pull.source {
            PullSource::Jira(entry) => Some(Arc::new(entry.pull(maps)) as Arc<dyn Pull>),
            _ => None,
        });
        let all: Vec<_> = entries.collect();
        if all.is_empty() {
            return Err(Failure::new(
                "no [[pull]] jira is configured; name a Jira: vigie pull jira https://acme.atlassian.net --username NAME --password-file FILE",
            ));
        }
        Ok(all)
    }
}
