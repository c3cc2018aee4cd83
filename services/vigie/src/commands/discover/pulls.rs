//! What every host with webhooks has: the pulls of its repositories and the hooks whose settings hold for them. Repositories
//! are grouped by what shows their deployments, as a setting holds for all repositories of a source.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::services::{Planned, Shown};
use crate::config::Config;
use crate::proposal::{Proposal, Section};

/// How a host is written in the file.
pub(super) struct Writing<'w> {
    /// Its connector, and its key in a pull.
    pub name: &'static str,
    /// What its runs are called at the end of a source, and the setting that says which are deployments.
    pub runs: (&'static str, &'static str),
    /// The source of the pull of repositories whose deployments the host keeps.
    pub source: &'w str,
    /// Its pulls that the file has.
    pub known: Vec<Known<'w>>,
    /// Says in a new pull who asks where.
    pub finish: &'w dyn Fn(Section) -> Section,
}

/// A pull that the file has.
pub(super) struct Known<'w> {
    pub source: &'w str,
    /// Whether it reads a repository.
    pub covers: Box<dyn Fn(&str) -> bool + 'w>,
}

impl Writing<'_> {
    /// Proposes what pulls repositories, and what it is told.
    pub(super) fn propose(&self, planned: &[Planned], config: &Config, proposal: &mut Proposal) {
        let (runs, deploy_runs) = self.runs;
        let mut groups = [
            Group::new(self.source, None),
            // Those that keep deployments have a source without the setting, so that a run is no second deployment.
            Group::new(&format!("{}-{runs}", self.source), Some(deploy_runs)),
            Group::new(&format!("{}-releases", self.source), Some("deploy_releases")),
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
        let is_open = |hook: &crate::config::HookEntry| hook.connector == self.name && hook.secret_files.is_empty();
        let mut has_open_hook = config.hooks.iter().any(is_open);
        for group in groups.iter().filter(|group| !group.repositories.is_empty()) {
            proposal.sections.extend(self.pulls(group));
            proposal.sections.extend(self.hook(group, config, &mut has_open_hook));
        }
    }

    /// What pulls a group, but those that are pulled already, and which of them another source pulls too.
    fn pulls(&self, group: &Group) -> Vec<Section> {
        let elsewhere = self.known.iter().filter(|known| known.source != group.source);
        let twice = elsewhere.filter_map(|known| {
            let names: Vec<&str> =
                group.repositories.iter().map(String::as_str).filter(|name| (known.covers)(name)).collect();
            (!names.is_empty()).then(|| {
                Section::remark_only(format!(
                    "The [[pull]] whose source is {} has {} too: add {} to its exclude, or all they have counts twice.",
                    known.source,
                    names.join(", "),
                    if names.len() == 1 { "it" } else { "them" }
                ))
            })
        });
        twice.chain(self.own_pull(group)).collect()
    }

    fn own_pull(&self, group: &Group) -> Option<Section> {
        let own: Vec<&Known<'_>> = self.known.iter().filter(|known| known.source == group.source).collect();
        let is_new = |name: &&String| !own.iter().any(|known| (known.covers)(name));
        let new: Vec<&String> = group.repositories.iter().filter(is_new).collect();
        if new.is_empty() {
            return None;
        }
        if !own.is_empty() {
            let names: Vec<String> = new.iter().map(|name| format!("{name:?}")).collect();
            let (host, source) = (self.name, &group.source);
            return Some(Section::remark_only(format!(
                "Add {} to the {host} = […] of the [[pull]] whose source is {source}.",
                names.join(", ")
            )));
        }
        let names: Vec<Value> = new.into_iter().cloned().map(Value::String).collect();
        let mut section = Section::new("pull").with(self.name, names);
        if group.source != self.name {
            section = section.with("source", group.source.as_str());
        }
        Some((self.finish)(section))
    }

    /// What a group's pull is told.
    fn hook(&self, group: &Group, config: &Config, has_open_hook: &mut bool) -> Option<Section> {
        let source = &group.source;
        let own = config.hooks.iter().find(|hook| hook.connector == self.name && hook.source == *source);
        let Some(setting) = group.setting else {
            let told = [self.runs.1, "deploy_releases"];
            let own = own?;
            let named = told.into_iter().find(|name| {
                own.settings.get(*name).and_then(serde_json::Value::as_array).is_some_and(|set| !set.is_empty())
            })?;
            return Some(Section::remark_only(format!(
                "The [[hook]] of the source {source} has {named}, which holds for its pull too: look that nothing counts twice."
            )));
        };
        if let Some(own) = own {
            let known = own.settings.get(setting).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
            let is_new = |pattern: &&String| !known.iter().any(|known| known.as_str() == Some(pattern));
            let new: Vec<String> = group.patterns.iter().filter(is_new).map(|pattern| format!("{pattern:?}")).collect();
            return (!new.is_empty()).then(|| {
                Section::remark_only(format!(
                    "Add {} to {setting} of the [[hook]] whose source is {source}.",
                    new.join(", ")
                ))
            });
        }
        let patterns: Vec<Value> = group.patterns.iter().cloned().map(Value::String).collect();
        let settings = Table::from_iter([(setting.to_owned(), Value::Array(patterns))]);
        let section = Section::new("hook").with("connector", self.name).with("source", source.as_str());
        let section = section.with("settings", Value::Table(settings));
        if std::mem::replace(has_open_hook, true) {
            // Several hooks of a tool are told apart by their secrets.
            let section = section.with("secret_file", format!("{source}.secret"));
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
}

/// Says where a run counts that was chosen for another repository only.
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
