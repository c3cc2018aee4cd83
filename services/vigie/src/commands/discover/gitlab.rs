//! GitLab: which of its projects are looked at, and what pulls them.

use std::path::PathBuf;
use std::time::Duration;

use vigie_ingest::pull::discover::Discover;
use vigie_ingest::pull::gitlab::{HOST, Lookout, SOURCE};
use vigie_model::pattern::Pattern;

use super::Host;
use super::pulls::{Known, Writing};
use super::services::{Planned, Words};
use crate::config::gitlab::{GitLabEntry, check_project};
use crate::config::{Config, PullSource, check_url};
use crate::failure::{Failure, Outcome};
use crate::proposal::{Proposal, Section, Target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// acme for all of a group's, acme/web/shop-* or acme/web/shop [default: those of every [[pull]] gitlab of the configuration]
    #[arg(value_name = "GROUP|PROJECT", value_parser = |name: &str| check_project(name))]
    projects: Vec<String>,
    /// A file that holds a token [default: what VIGIE_GITLAB_TOKEN_FILE names]
    #[arg(long, value_name = "FILE", env = "VIGIE_GITLAB_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Projects that are left out, like 'acme/*-archive'; may be given several times
    #[arg(long, value_name = "PATTERN", value_parser = |name: &str| check_project(name))]
    exclude: Vec<String>,
    /// The URL of a host of one's own: https://HOST
    #[arg(long, requires = "projects", value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// A file with certificates (PEM) that are trusted beside the public ones
    #[arg(long, value_name = "FILE", requires = "projects")]
    ca_file: Option<PathBuf>,
    /// The source of the events of the proposed pulls [default: gitlab]
    #[arg(long, value_name = "NAME", requires = "projects")]
    source: Option<String>,
    #[command(flatten)]
    target: Target,
}

/// Who asks where, and what its events are called.
struct Asked {
    url: String,
    token_file: PathBuf,
    ca_file: Option<PathBuf>,
    source: String,
}

impl Args {
    fn asked(&self, config: &Config) -> Result<Asked, Failure> {
        if self.projects.is_empty() {
            let first = pulls(config).next().ok_or_else(|| {
                Failure::new(
                    "no [[pull]] gitlab is configured; name a group: vigie discover gitlab acme --token-file FILE",
                )
            })?;
            return Ok(Asked {
                url: first.url.clone(),
                token_file: first.token_file.clone(),
                ca_file: first.ca_file.clone(),
                source: first.source.clone(),
            });
        }
        let token_file = self.token_file.clone().ok_or_else(|| {
            Failure::new(
                "GitLab shows nobody in particular little of it; name a file that holds a token: --token-file FILE",
            )
        })?;
        Ok(Asked {
            url: self.url.clone().unwrap_or_else(|| HOST.to_owned()),
            token_file,
            ca_file: self.ca_file.clone(),
            source: self.source.clone().unwrap_or_else(|| SOURCE.name.to_owned()),
        })
    }
}

fn pulls(config: &Config) -> impl Iterator<Item = &GitLabEntry> {
    config.pulls.iter().filter_map(|pull| match &pull.source {
        PullSource::GitLab(entry) => Some(entry),
        _ => None,
    })
}

impl Host for Args {
    fn words(&self) -> Words {
        Words { deployments: "deployments", run: "job" }
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn lookout(&self, config: &Config) -> Result<Box<dyn Discover>, Failure> {
        let Asked { url, token_file, ca_file, .. } = self.asked(config)?;
        let (mut projects, mut exclude) = (self.projects.clone(), self.exclude.clone());
        if projects.is_empty() {
            let alike = || pulls(config).filter(|entry| entry.url == url && entry.token_file == token_file);
            projects = alike().flat_map(|entry| entry.projects.clone()).collect();
            exclude.extend(alike().flat_map(|entry| entry.exclude.clone()));
        }
        let production = config.settings.production.clone();
        let pause = Duration::from_secs(1);
        Ok(Box::new(Lookout { url, projects, exclude, token_file, ca_file, production, pause }))
    }

    fn sections(&self, planned: &[Planned], config: &Config, proposal: &mut Proposal) -> Outcome {
        let asked = self.asked(config)?;
        if self.projects.is_empty() {
            let is_other = |entry: &&GitLabEntry| entry.url != asked.url || entry.token_file != asked.token_file;
            for name in pulls(config).filter(is_other).flat_map(|entry| &entry.projects) {
                proposal
                    .note(name, "not looked at: its [[pull]] asks elsewhere, or as somebody else; name it to see it");
            }
        }
        let known = pulls(config).filter(|entry| entry.url == asked.url);
        let writing = Writing {
            name: SOURCE.name,
            runs: ("jobs", "deploy_jobs"),
            source: &asked.source,
            known: known
                .map(|entry| Known { source: &entry.source, covers: Box::new(|name| covers(entry, name)) })
                .collect(),
            finish: &|section| finish(section, &asked),
        };
        writing.propose(planned, config, proposal);
        Ok(())
    }
}

/// Says who asks where.
fn finish(section: Section, asked: &Asked) -> Section {
    let url = Some(asked.url.as_str()).filter(|url| *url != HOST);
    let ca_file = asked.ca_file.as_ref().map(|file| file.display().to_string());
    let section = section.with_some("url", url).with("token_file", asked.token_file.display().to_string());
    section.with_some("ca_file", ca_file.as_deref())
}

/// Whether a pull reads a project.
fn covers(entry: &GitLabEntry, name: &str) -> bool {
    let is_below = |group: &String| {
        let start = name.get(..group.len()).is_some_and(|start| start.eq_ignore_ascii_case(group));
        start && matches!(name.as_bytes().get(group.len()), None | Some(b'/'))
    };
    let fits = |pattern: &String| Pattern::name(pattern).matches_ignore_case(name);
    entry.projects.iter().any(|own| is_below(own) || fits(own)) && !entry.exclude.iter().any(fits)
}
