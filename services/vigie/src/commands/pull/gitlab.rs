//! Projects on GitLab, as the command line names them.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::gitlab::{HOST, SOURCE};

use super::told;
use crate::config::gitlab::{GitLabEntry, check_project};
use crate::config::{Config, PullSource, check_url};
use crate::failure::Failure;
use crate::hooks::LazyMaps;
use crate::terminal::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// acme/web/shop, acme/web/shop-* or, for all of a group's, acme [default: every [[pull]] gitlab of the configuration]
    #[arg(value_name = "PROJECT", value_parser = |name: &str| check_project(name))]
    projects: Vec<String>,
    /// A file that holds a token [default: what VIGIE_GITLAB_TOKEN_FILE names]
    #[arg(long, value_name = "FILE", requires = "projects")]
    token_file: Option<PathBuf>,
    /// Projects that are left out, like 'acme/*-archive'; may be given several times
    #[arg(long, value_name = "PATTERN", requires = "projects", value_parser = |name: &str| check_project(name))]
    exclude: Vec<String>,
    /// The URL of a host of one's own: https://HOST
    #[arg(long, requires = "projects", value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// A file with certificates (PEM) that are trusted beside the public ones
    #[arg(long, value_name = "FILE", requires = "projects")]
    ca_file: Option<PathBuf>,
    /// The source of its events, that of the [[hook]] whose settings hold for it too [default: gitlab]
    #[arg(long, value_name = "NAME", requires = "projects")]
    source: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Args {
    /// What is asked.
    pub(super) fn sources(self, config: &Config, maps: &LazyMaps<'_>) -> Result<Vec<Arc<dyn Pull>>, Failure> {
        let maps = maps.get()?;
        if !self.projects.is_empty() {
            let entry = GitLabEntry {
                url: self.url.unwrap_or_else(|| HOST.to_owned()),
                projects: self.projects,
                exclude: self.exclude,
                token_file: told(self.token_file, "VIGIE_GITLAB_TOKEN_FILE").ok_or_else(|| {
                    Failure::new(
                        "GitLab shows nobody in particular little of it; name a file that holds a token: --token-file FILE",
                    )
                })?,
                ca_file: self.ca_file,
                source: self.source.unwrap_or_else(|| SOURCE.name.to_owned()),
                clones: None,
            };
            return Ok(vec![Arc::new(entry.pull(maps, &config.database))]);
        }
        let entries = config.pulls.iter().filter_map(|pull| match &pull.source {
            PullSource::GitLab(entry) => Some(Arc::new(entry.pull(maps, &config.database)) as Arc<dyn Pull>),
            _ => None,
        });
        let all: Vec<_> = entries.collect();
        if all.is_empty() {
            return Err(Failure::new(
                "no [[pull]] gitlab is configured; name projects: vigie pull gitlab acme/web/shop --token-file FILE",
            ));
        }
        Ok(all)
    }
}
