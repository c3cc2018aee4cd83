//! GitHub: which of its repositories are looked at, and what pulls them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use toml::{Table, Value};
use vigie_ingest::pull::discover::Discover;
use vigie_ingest::pull::github::{API, Access, Lookout, SOURCE};
use vigie_model::pattern::Pattern;

use super::Host;
use super::services::{Planned, Shown};
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
        let asked = self.asked(config)?;
        let mut groups = [
            Group::new(&asked.source, None),
            // A setting holds for all repositories of a source. Those that keep deployments have a source without it, so
            // that the run of a workflow is no second deployment.
            Group::new(&format!("{}-workflows", asked.source), Some("deploy_workflows")),
            Group::new(&format!("{}-releases", asked.source), Some("deploy_releases")),
        ];
        for Planned { found, shown } in planned {
            let (group, pattern) = match shown {
                Shown::Runs(file) => (1, Some(file.clone())),
                Shown::Releases(pattern) => (2, Some((*pattern).to_owned())),
                Shown::Deployments | Shown::Tags(_) | Shown::Nowhere => (0, None),
            };
            groups[group].repositories.push(found.name.clone());
            groups[group].patterns.extend(pattern);
        }
        also_counted(&groups[1], planned, proposal);
        let mut has_open_hook = config.hooks.iter().any(|hook| is_github(hook) && hook.secret_files.is_empty());
        for group in groups.iter().filter(|group| !group.repositories.is_empty()) {
            proposal.sections.extend(group.pull(&asked, config));
            proposal.sections.extend(group.hook(config, &mut has_open_hook));
        }
        Ok(())
    }
}

fn is_github(hook: &crate::config::HookEntry) -> bool {
    hook.connector == SOURCE.name
}

/// Repositories that are told the same.
struct Group {
    source: String,
    /// The setting of the hook that says what is a deployment.
    setting: Option<&'static str>,
    repositories: Vec<String>,
    patterns: BTreeSet<String>,
}

impl Group {
    fn new(source: &str, setting: Option<&'static str>) -> Self {
        Self { source: source.to_owned(), setting, repositories: Vec::new(), patterns: BTreeSet::new() }
    }

    /// What pulls them, but those that are pulled already, and which of them another source pulls too.
    fn pull(&self, asked: &Asked, config: &Config) -> Vec<Section> {
        let elsewhere = pulls(config).filter(|entry| entry.url == asked.url && entry.source != self.source);
        let twice = elsewhere.filter_map(|entry| {
            let names: Vec<&str> =
                self.repositories.iter().filter(|name| covers(entry, name)).map(String::as_str).collect();
            (!names.is_empty()).then(|| {
                Section::remark_only(format!(
                    "The [[pull]] whose source is {} has {} too: add {} to its exclude, or all they have counts twice.",
                    entry.source,
                    names.join(", "),
                    if names.len() == 1 { "it" } else { "them" }
                ))
            })
        });
        twice.chain(self.own_pull(asked, config)).collect()
    }

    fn own_pull(&self, asked: &Asked, config: &Config) -> Option<Section> {
        let own: Vec<&GitHubEntry> =
            pulls(config).filter(|entry| entry.url == asked.url && entry.source == self.source).collect();
        let is_new = |name: &&String| !own.iter().any(|entry| covers(entry, name));
        let new: Vec<&String> = self.repositories.iter().filter(is_new).collect();
        if new.is_empty() {
            return None;
        }
        if !own.is_empty() {
            let names: Vec<String> = new.iter().map(|name| format!("{name:?}")).collect();
            let source = &self.source;
            return Some(Section::remark_only(format!(
                "Add {} to the github = […] of the [[pull]] whose source is {source}.",
                names.join(", ")
            )));
        }
        let names: Vec<Value> = new.into_iter().cloned().map(Value::String).collect();
        let mut section = Section::new("pull").with("github", names);
        if self.source != SOURCE.name {
            section = section.with("source", self.source.as_str());
        }
        if asked.url != API {
            section = section.with("url", asked.url.as_str());
        }
        Some(match &asked.access {
            Access::Token(file) => section.with("token_file", file.display().to_string()),
            Access::App { id, key_file, installation } => {
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                section = section.with("app_id", number(*id)).with("app_key_file", key_file.display().to_string());
                match installation {
                    Some(installation) => section.with("installation", number(*installation)),
                    None => section,
                }
            }
        })
    }

    /// What they are told.
    fn hook(&self, config: &Config, has_open_hook: &mut bool) -> Option<Section> {
        let Some(setting) = self.setting else {
            let told = ["deploy_workflows", "deploy_releases"];
            let own = config.hooks.iter().find(|hook| is_github(hook) && hook.source == self.source)?;
            let named = told.into_iter().find(|name| {
                own.settings.get(*name).and_then(serde_json::Value::as_array).is_some_and(|set| !set.is_empty())
            })?;
            let source = &self.source;
            return Some(Section::remark_only(format!(
                "The [[hook]] of the source {source} has {named}, which holds for its pull too: look that nothing counts twice."
            )));
        };
        if let Some(own) = config.hooks.iter().find(|hook| is_github(hook) && hook.source == self.source) {
            let known = own.settings.get(setting).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
            let is_new = |pattern: &&String| !known.iter().any(|known| known.as_str() == Some(pattern));
            let new: Vec<String> = self.patterns.iter().filter(is_new).map(|pattern| format!("{pattern:?}")).collect();
            let source = &self.source;
            return (!new.is_empty()).then(|| {
                Section::remark_only(format!(
                    "Add {} to {setting} of the [[hook]] whose source is {source}.",
                    new.join(", ")
                ))
            });
        }
        let patterns: Vec<Value> = self.patterns.iter().cloned().map(Value::String).collect();
        let settings = Table::from_iter([(setting.to_owned(), Value::Array(patterns))]);
        let section = Section::new("hook").with("connector", SOURCE.name).with("source", self.source.as_str());
        let section = section.with("settings", Value::Table(settings));
        if std::mem::replace(has_open_hook, true) {
            // Several hooks of a tool are told apart by their secrets.
            let section = section.with("secret_file", format!("{}.secret", self.source));
            return Some(
                section.remark(
                    "Write a long random text into the file: it tells this hook's deliveries from the other's.",
                ),
            );
        }
        Some(
            section
                .remark("What it is told holds for its pull as for webhooks; for those it needs a secret_file, too."),
        )
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

/// Says where a workflow counts that was chosen for another repository only.
fn also_counted(group: &Group, planned: &[Planned], proposal: &mut Proposal) {
    for Planned { found, shown } in planned {
        let Shown::Runs(chosen) = shown else { continue };
        let others = found.workflows.iter().flatten();
        let others =
            others.filter(|other| other.file != *chosen && other.runs > 0 && group.patterns.contains(&other.file));
        let names: Vec<&str> = others.map(|other| other.file.as_str()).collect();
        if !names.is_empty() {
            proposal.note(
                found.name.as_str(),
                format!(
                    "its runs of {} would count beside those of {chosen}, as other repositories are deployed by them; give it a source and a [[hook]] of its own where that is wrong",
                    names.join(", ")
                ),
            );
        }
    }
}
