//! The effective configuration as a file, for people to read and to start from.

use std::fmt::Write as _;
use std::path::PathBuf;

use toml::Value;
use vigie_ingest::connector::Match;
use vigie_ingest::pull::git::{Deployments, GitSource};
use vigie_ingest::pull::github::Access;
use vigie_ingest::pull::prometheus::Question;
use vigie_model::duration::format_duration;
use vigie_model::settings::{TargetScope, format_objective, weekday_name};
use vigie_model::{Time, format_time};

use super::jira::JiraEntry;
use super::keys::{HOOK, INTAKE, Key, METRICS, PULL, ROOT, SERVICE, TARGET, TEAM, Table};
use super::pagerduty::PagerDutyEntry;
use super::{Config, GitHubEntry, PrometheusEntry, PullSource, ServiceEntry, When, mask};

impl Config {
    /// The effective configuration as TOML, every setting with its value, the passwords of URLs masked. Without
    /// masked ones, what is read from it is this configuration again.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut out = String::new();
        section(&mut out, &ROOT, |key| self.root(key));
        out.push_str("\n[metrics]\n");
        section(&mut out, &METRICS, |key| self.metric_setting(key));
        out.push_str("\n[intake]\n");
        section(&mut out, &INTAKE, |key| self.intake_setting(key));
        for team in &self.teams {
            out.push_str("\n[[team]]\n");
            section(&mut out, &TEAM, |key| match key {
                "slug" => text(&team.slug),
                "name" => team.name.as_ref().and_then(text),
                _ => team.parent.as_ref().and_then(text),
            });
        }
        for service in &self.services {
            out.push_str("\n[[service]]\n");
            section(&mut out, &SERVICE, |key| self.service(service, key));
        }
        for target in &self.settings.targets {
            out.push_str("\n[[target]]\n");
            section(&mut out, &TARGET, |key| match (key, &target.scope) {
                ("metric", _) => text(target.metric),
                ("objective", _) => text(format_objective(target.metric, target.objective)),
                ("team", TargetScope::Team(slug)) | ("service", TargetScope::Service(slug)) => text(slug),
                ("action", _) if !target.action.is_empty() => text(&target.action),
                ("from", _) => target.from.and_then(text),
                _ => None,
            });
        }
        for pull in &self.pulls {
            out.push_str("\n[[pull]]\n");
            section(&mut out, &PULL, |key| match (key, &pull.source) {
                ("git", PullSource::Git(source)) => text(source.path.display()),
                ("repository", PullSource::Git(source)) => source.repository.as_ref().and_then(text),
                ("service", PullSource::Git(source)) => source.service.as_ref().and_then(text),
                ("environment", PullSource::Git(source)) => source.environment.as_ref().and_then(text),
                ("tags", PullSource::Git(GitSource { deployments: Deployments::Tags(tags), .. })) => {
                    tags.first().and_then(text)
                }
                ("every_merge", PullSource::Git(GitSource { deployments: Deployments::EveryMerge, .. })) => {
                    Some(Value::Boolean(true))
                }
                ("gitlab", PullSource::GitLab(own)) => texts(&own.projects),
                ("exclude", PullSource::GitLab(own)) if !own.exclude.is_empty() => texts(&own.exclude),
                ("source", PullSource::GitLab(own)) => text(&own.source),
                ("ca_file", PullSource::GitLab(own)) => own.ca_file.as_ref().and_then(|path| text(path.display())),
                ("clones", PullSource::GitLab(own)) => own.clones.as_ref().and_then(|folder| text(folder.display())),
                ("github", PullSource::GitHub(own)) => texts(&own.repositories),
                ("exclude", PullSource::GitHub(own)) if !own.exclude.is_empty() => texts(&own.exclude),
                ("source", PullSource::GitHub(own)) => text(&own.source),
                ("clones", PullSource::GitHub(own)) => own.clones.as_ref().and_then(|folder| text(folder.display())),
                ("app_id", PullSource::GitHub(GitHubEntry { access: Access::App { id, .. }, .. })) => number(*id),
                ("app_key_file", PullSource::GitHub(GitHubEntry { access: Access::App { key_file, .. }, .. })) => {
                    text(key_file.display())
                }
                ("installation", PullSource::GitHub(GitHubEntry { access: Access::App { installation, .. }, .. })) => {
                    installation.and_then(number)
                }
                (key, PullSource::Jira(own)) if !COMMON.contains(&key) => jira(own, key),
                (key, PullSource::PagerDuty(own)) if !COMMON.contains(&key) => pagerduty(own, key),
                (key, PullSource::Prometheus(own)) if key != "every" && key != "schedule" => prometheus(own, key),
                ("url", _) => pull.url.as_ref().and_then(|url| text(mask(url))),
                ("token_file", _) => pull.token_file.as_ref().and_then(|path| text(path.display())),
                ("every", _) => match &pull.when {
                    When::Every(every) => text(format_duration(*every)),
                    When::Cron(_) => None,
                },
                ("schedule", _) => match &pull.when {
                    When::Every(_) => None,
                    When::Cron(expression) => text(expression),
                },
                _ => None,
            });
        }
        for hook in &self.hooks {
            out.push_str("\n[[hook]]\n");
            section(&mut out, &HOOK, |key| match (key, hook.secret_files.as_slice()) {
                ("connector", _) => text(&hook.connector),
                ("source", _) => text(&hook.source),
                ("secret_file", [file]) => text(file.display()),
                ("secret_files", [_, _, ..]) => texts(hook.secret_files.iter().map(|file| file.display())),
                ("settings", _) if !hook.settings.is_empty() => Value::try_from(&hook.settings).ok(),
                _ => None,
            });
        }
        out
    }

    fn root(&self, key: &str) -> Option<Value> {
        match key {
            "organization" => text(&self.settings.organization),
            "time_zone" => text(&self.settings.time_zone),
            "database" if self.database_file.is_none() => text(mask(&self.database)),
            "database_file" => self.database_file.as_ref().and_then(|path| text(path.display())),
            "listen" => text(&self.listen),
            "auth" => self.auth.as_str().and_then(text),
            "people" => text(self.settings.people),
            _ => None,
        }
    }

    fn metric_setting(&self, key: &str) -> Option<Value> {
        let settings = &self.settings;
        match key {
            "change_unit" => text(settings.change_unit),
            "lead_time_start" => text(settings.lead_time_start),
            "attribution_window" => text(format_duration(settings.attribution_window)),
            "remedy_window" => text(format_duration(settings.remedy_window)),
            "failure_rules" => texts(&settings.failure_rules),
            "production" => texts(&settings.production),
            "categories" => texts(&settings.categories),
            "hotfix_branches" => texts(&settings.hotfix_branches),
            "bots" => texts(&settings.bots),
            "count_bots" => Some(Value::Boolean(settings.count_bots)),
            "ownership" => text(settings.ownership),
            "frequency_days" => text(settings.frequency_days),
            "working_days" => texts(settings.working_days.iter().map(|day| weekday_name(*day))),
            "holidays" => texts(&settings.holidays),
            "count_failed_outcomes" => Some(Value::Boolean(settings.count_failed_outcomes)),
            "incident_coverage" => text(settings.incident_coverage),
            "min_severity" => settings.min_severity.and_then(text),
            "outage_severities" => texts(&settings.outage_severities),
            "budget_window" => text(settings.budget_window),
            "at_risk_margin" => Some(Value::Float(settings.at_risk_margin)),
            "levels" => Some(Value::Integer(settings.levels.into())),
            "rollout_end" => text(settings.rollout_end),
            _ => None,
        }
    }

    fn intake_setting(&self, key: &str) -> Option<Value> {
        let bytes = |bytes: usize| i64::try_from(bytes).ok().map(Value::Integer);
        match key {
            "max_request_bytes" => bytes(self.intake.max_request_bytes),
            "max_event_bytes" => bytes(self.intake.max_event_bytes),
            "keep_deliveries" => text(format_duration(self.intake.keep_deliveries)),
            _ => self.intake.connectors.as_ref().and_then(|path| text(path.display())),
        }
    }

    fn service(&self, service: &ServiceEntry, key: &str) -> Option<Value> {
        let own = self.settings.service(&service.slug);
        let some = |list: &[String]| if list.is_empty() { None } else { texts(list) };
        match key {
            "slug" => text(&service.slug),
            "name" => service.name.as_ref().and_then(text),
            "team" => service.team.as_ref().and_then(text),
            "repositories" if !service.repositories.is_empty() => {
                let tables = service.repositories.iter().map(|own| {
                    let lists = [("paths", some(&own.paths)), ("formerly", some(&own.formerly))];
                    let mut table = toml::Table::new();
                    table.insert("repository".to_owned(), Value::String(own.repository.clone()));
                    table.extend(lists.into_iter().filter_map(|(name, list)| Some((name.to_owned(), list?))));
                    Value::Table(table)
                });
                Some(Value::Array(tables.collect()))
            }
            "matches" if !service.matches.is_empty() => {
                let patterns = |patterns: &[String]| match patterns {
                    [one] => text(one),
                    several => texts(several),
                };
                let table = |fields: &Match| {
                    let fields = fields.iter().filter_map(|(name, own)| Some((name.clone(), patterns(own)?)));
                    Value::Table(fields.collect())
                };
                match service.matches.as_slice() {
                    [one] => Some(table(one)),
                    several => Some(Value::Array(several.iter().map(table).collect())),
                }
            }
            "production" => some(&service.production),
            "type" => service.kind.as_ref().and_then(text),
            "tier" => service.tier.as_ref().and_then(text),
            "formerly" => some(&service.formerly),
            "archived_at" => service.archived_at.and_then(|at| format_time(at).parse().ok()).map(Value::Datetime),
            "deployments_from" => own?.deployments_from.as_ref().and_then(text),
            "incidents_from" => own?.incidents_from.as_ref().and_then(text),
            "failure_signal" => own?.failure_signal.map(Value::Boolean),
            "uptime" => {
                let pairs =
                    [("source", own?.uptime.and_then(text)), ("prometheus", own?.prometheus.as_ref().and_then(text))];
                let table: toml::Table =
                    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
                (!table.is_empty()).then_some(Value::Table(table))
            }
            _ => None,
        }
    }
}

/// The keys that are the same for every source.
const COMMON: [&str; 3] = ["token_file", "every", "schedule"];

fn jira(own: &JiraEntry, key: &str) -> Option<Value> {
    let path = |path: &Option<PathBuf>| path.as_ref().and_then(|path| text(path.display()));
    match key {
        "jira" => text(mask(&own.url)),
        "since" => instant(own.since),
        "source" => text(&own.source),
        "username" => own.username.as_ref().and_then(text),
        "password_file" => path(&own.password_file),
        "ca_file" => path(&own.ca_file),
        _ => None,
    }
}

fn pagerduty(own: &PagerDutyEntry, key: &str) -> Option<Value> {
    match key {
        "pagerduty" => text(mask(&own.url)),
        "services" if !own.services.is_empty() => texts(&own.services),
        "teams" if !own.teams.is_empty() => texts(&own.teams),
        "since" => instant(own.since),
        "source" => text(&own.source),
        "ca_file" => own.ca_file.as_ref().and_then(|path| text(path.display())),
        _ => None,
    }
}

fn prometheus(own: &PrometheusEntry, key: &str) -> Option<Value> {
    let path = |path: &Option<PathBuf>| path.as_ref().and_then(|path| text(path.display()));
    let length = |length: Option<Time>| length.and_then(|length| text(format_duration(length)));
    match (key, &own.question) {
        ("prometheus", _) => text(mask(&own.http.url)),
        ("query", Some(Question::State(query))) => text(query),
        ("good", Some(Question::Counts { good, .. })) => text(good),
        ("total", Some(Question::Counts { total, .. })) => text(total),
        ("service", _) => own.service.as_ref().and_then(text),
        ("label", _) if own.service.is_none() => text(&own.label),
        ("environment", _) => text(&own.environment),
        ("environment_label", _) => own.environment_label.as_ref().and_then(text),
        ("source", _) => text(&own.source),
        ("step", _) => length(own.step),
        ("delay", _) => length(own.delay),
        ("since", _) => instant(own.since),
        ("token_file", _) => path(&own.http.token_file),
        ("username", _) => own.http.username.as_ref().and_then(text),
        ("password_file", _) => path(&own.http.password_file),
        ("ca_file", _) => path(&own.http.ca_file),
        ("headers", _) if !own.http.headers.is_empty() => {
            let headers = own.http.headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
            Some(Value::Table(headers.collect()))
        }
        _ => None,
    }
}

/// Writes the keys that have a value, in the order of the table.
fn section(out: &mut String, table: &Table, value: impl Fn(&'static str) -> Option<Value>) {
    for Key { name, .. } in table.keys {
        if let Some(value) = value(name) {
            let _ = writeln!(out, "{name} = {value}");
        }
    }
}

fn text(value: impl std::fmt::Display) -> Option<Value> {
    Some(Value::String(value.to_string()))
}

fn instant(at: Option<Time>) -> Option<Value> {
    at.and_then(|at| format_time(at).parse().ok()).map(Value::Datetime)
}

fn number(value: u64) -> Option<Value> {
    i64::try_from(value).ok().map(Value::Integer)
}

fn texts<T: std::fmt::Display>(values: impl IntoIterator<Item = T>) -> Option<Value> {
    Some(Value::Array(values.into_iter().map(|value| Value::String(value.to_string())).collect()))
}
