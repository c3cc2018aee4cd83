//! GitHub: which of its repositories are looked at, and what pulls them.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::discover::Discover;
use vigie_ingest::pull::github::{API, Access, Lookout, SOURCE};
use vigie_model::pattern::Pattern;

use super::Host;
use super::pulls::{Known, Writing};
use super::services::{Planned, Words};
use crate::config::github::{GitHubEntry, check_repository};
use crate::config::{Config, PullSource, check_url};
use crate::failure::{Failure, Outcome};
use crate::proposal::{Proposal, Section, Target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// acme for all of an owner's, acme/shop-* or acme/shop [default: those of every [[pull]] github of the configuration]
    #[arg(value_name = "OWNER|OWNER/REPO", value_parser = |name: &str| check_repository(name))]
    repositories: Vec<String>,
    /// A file that holds a token [default: what VIGIE_GITHUB_TOKEN_FILE names]
    #[arg(long, value_name = "FILE", env = "VIGIE_GITHUB_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Repositories that are left out, like 'acme/*-archive'; may be given several times
    #[arg(long, value_name = "PATTERN", value_parser = |name: &str| check_repository(name))]
    exclude: Vec<String>,
    /// The API's URL, of a server of one's own: https://HOST/api/v3
    #[arg(long, requires = "repositories", value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// The source of the events of the proposed pulls [default: github]
    #[arg(long, value_name = "NAME", requires = "repositories")]
    source: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Who asks where, and what its events are called.
struct Asked {
    url: String,
    access: Access,
    source: String,
}

impl Args {
    fn asked(&self, config: &Config) -> Result<Asked, Failure> {
        if self.repositories.is_empty() {
            let first = pulls(config).next().ok_or_else(|| {
                Failure::new(
                    "no [[pull]] github is configured; name an owner: vigie discover github acme --token-file FILE",
                )
            })?;
            return Ok(Asked { url: first.url.clone(), access: first.access.clone(), source: first.source.clone() });
        }
        let file = self.token_file.clone().ok_or_else(|| {
            Failure::new("GitHub answers nobody in particular; name a file that holds a token: --token-file FILE")
        })?;
        Ok(Asked {
            url: self.url.clone().unwrap_or_else(|| API.to_owned()),
            access: Access::Token(file),
            source: self.source.clone().unwrap_or_else(|| SOURCE.name.to_owned()),
        })
    }
}

fn pulls(config: &Config) -> impl Iterator<Item = &GitHubEntry> {
    config.pulls.iter().filter_map(|pull| match &pull.source {
        PullSource::GitHub(entry) => Some(entry),
        _ => None,
    })
}

impl Host for Args {
    fn words(&self) -> Words {
        Words { deployments: "Deployments API", run: "workflow" }
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn lookout(&self, config: &Config) -> Result<Box<dyn Discover>, Failure> {
        let Asked { url, access, .. } = self.asked(config)?;
        let (mut repositories, mut exclude) = (self.repositories.clone(), self.exclude.clone());
        if repositories.is_empty() {
            let alike = || pulls(config).filter(|entry| entry.url == url && entry.access == access);
            repositories = alike().flat_map(|entry| entry.repositories.clone()).collect();
            exclude.extend(alike().flat_map(|entry| entry.exclude.clone()));
        }
        let production = config.settings.production.clone();
        let pause = Duration::from_secs(1);
        Ok(Box::new(Lookout { url, repositories, exclude, access, production, pause }))
    }

    fn sections(&self, planned: &[Planned], config: &Config, proposal: &mut Proposal) -> Outcome {
        let Asked { url, access, source } = self.asked(config)?;
        if self.repositories.is_empty() {
            let others = pulls(config).filter(|entry| entry.url != url || entry.access != access);
            for name in others.flat_map(|entry| &entry.repositories) {
                proposal
                    .note(name, "not looked at: its [[pull]] asks elsewhere, or as somebody else; name it to see it");
            }
        }
        let known = pulls(config).filter(|entry| entry.url == url);
        let writing = Writing {
            name: SOURCE.name,
            runs: ("workflows", "deploy_workflows"),
            source: &source,
            known: known
                .map(|entry| Known { source: &entry.source, covers: Box::new(|name| covers(entry, name)) })
                .collect(),
            finish: &|section| finish(section, &url, &access),
        };
        writing.propose(planned, config, proposal);
        Ok(())
    }
}

/// Says who asks where.
fn finish(mut section: Section, url: &str, access: &Access) -> Section {
    if url != API {
        section = section.with("url", url);
    }
    match access {
        Access::Token(file) => section.with("token_file", file.display().to_string()),
        Access::App { id, key_file, installation } => {
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            section = section.with("app_id", number(*id)).with("app_key_file", key_file.display().to_string());
            match installation {
                Some(installation) => section.with("installation", number(*installation)),
                None => section,
            }
        }
    }
}

/// Whether a pull reads a repository.
fn covers(entry: &GitHubEntry, name: &str) -> bool {
    let fits = |pattern: &String| match pattern.contains('/') {
        true => Pattern::name(pattern).matches_ignore_case(name),
        false => name.split('/').next().is_some_and(|owner| owner.eq_ignore_ascii_case(pattern)),
    };
    entry.repositories.iter().any(fits) && !entry.exclude.iter().any(fits)
}
