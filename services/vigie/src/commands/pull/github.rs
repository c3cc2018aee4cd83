//! Repositories on GitHub, as the command line names them.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::github::{API, Access, SOURCE};

use super::told;
use crate::config::github::{GitHubEntry, check_repository};
use crate::config::{Config, PullSource, check_url};
use crate::failure::Failure;
use crate::hooks::LazyMaps;
use crate::terminal::Output;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// acme/shop, acme/shop-* or, for all of an owner's, acme [default: every [[pull]] github of the configuration]
    #[arg(value_name = "OWNER/REPO", value_parser = |name: &str| check_repository(name))]
    repositories: Vec<String>,
    /// A file that holds a token [default: what VIGIE_GITHUB_TOKEN_FILE names]
    #[arg(long, value_name = "FILE", requires = "repositories")]
    token_file: Option<PathBuf>,
    /// Repositories that are left out, like 'acme/*-archive'; may be given several times
    #[arg(long, value_name = "PATTERN", requires = "repositories", value_parser = |name: &str| check_repository(name))]
    exclude: Vec<String>,
    /// The API's URL, of a server of one's own: https://HOST/api/v3
    #[arg(long, requires = "repositories", value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// The source of its events, that of the [[hook]] whose settings hold for it too [default: github]
    #[arg(long, value_name = "NAME", requires = "repositories")]
    source: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Args {
    /// What is asked.
    pub(super) fn sources(self, config: &Config, maps: &LazyMaps<'_>) -> Result<Vec<Arc<dyn Pull>>, Failure> {
        let maps = maps.get()?;
        if !self.repositories.is_empty() {
            let entry = GitHubEntry {
                url: self.url.unwrap_or_else(|| API.to_owned()),
                repositories: self.repositories,
                exclude: self.exclude,
                access: Access::Token(told(self.token_file, "VIGIE_GITHUB_TOKEN_FILE").ok_or_else(|| {
                    Failure::new(
                        "GitHub answers nobody in particular; name a file that holds a token: --token-file FILE",
                    )
                })?),
                source: self.source.unwrap_or_else(|| SOURCE.name.to_owned()),
                clones: None,
            };
            return Ok(vec![Arc::new(entry.pull(maps, &config.database))]);
        }
        let entries = config.pulls.iter().filter_map(|pull| match &pull.source {
            PullSource::GitHub(entry) => Some(Arc::new(entry.pull(maps, &config.database)) as Arc<dyn Pull>),
            _ => None,
        });
        let all: Vec<_> = entries.collect();
        if all.is_empty() {
            return Err(Failure::new(
                "no [[pull]] github is configured; name repositories: vigie pull github acme/shop --token-file FILE",
            ));
        }
        Ok(all)
    }
}
