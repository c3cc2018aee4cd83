//! A Prometheus, as the command line names it.

use std::path::PathBuf;
use std::sync::Arc;

use vigie_ingest::pull::Pull;
use vigie_ingest::pull::prometheus::Question;
use vigie_model::Time;
use vigie_model::duration::parse_every;

use crate::config::prometheus::{NOTHING_ASKED, check_step, own_queries};
use crate::config::{Config, PrometheusEntry, PullSource, check_url};
use crate::failure::Failure;
use crate::moment::Moment;
use crate::terminal::Output;

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("question").args(["query", "good", "total"]).multiple(true))]
pub(super) struct Args {
    /// The URL below which its API stands (/api/v1) [default: every [[pull]] prometheus of the configuration]
    #[arg(value_parser = |url: &str| check_url(url))]
    url: Option<String>,
    /// What is 1 while a service is up and 0 while it is down [default: uptime.prometheus of the services]
    #[arg(long, value_name = "PROMQL", requires = "url", conflicts_with_all = ["good", "total"])]
    query: Option<String>,
    /// The counter of requests that were answered well, like 'http_requests_total{code!~"5.."}'
    #[arg(long, value_name = "SELECTOR", requires = "url", requires = "total")]
    good: Option<String>,
    /// The counter of all requests, like http_requests_total
    #[arg(long, value_name = "SELECTOR", requires = "url", requires = "good")]
    total: Option<String>,
    /// The service that all answers are about
    #[arg(long, value_name = "SLUG", requires = "question", conflicts_with = "label")]
    service: Option<String>,
    /// The label that names the service [default: service]
    #[arg(long, value_name = "LABEL", requires = "question")]
    label: Option<String>,
    /// Where the services run [default: production]
    #[arg(long, value_name = "NAME", requires = "url")]
    environment: Option<String>,
    /// How far apart the answers are, like 15s [default: as far as the samples are; 5m for --good and --total]
    #[arg(long, value_name = "LENGTH", requires = "url", value_parser = step)]
    step: Option<Time>,
    /// From when on it is read, like 2026-10-01T00:00:00Z, or 2026-10-01 for the beginning of that day [default: for 90 days]
    #[arg(long, value_name = "TIME|DATE", requires = "url", value_parser = |text: &str| Moment::parse(text))]
    since: Option<Moment>,
    /// The source of its events [default: prometheus]
    #[arg(long, value_name = "NAME", requires = "url")]
    source: Option<String>,
    /// A file that holds a bearer token
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with = "username")]
    token_file: Option<PathBuf>,
    /// The user for basic authentication
    #[arg(long, value_name = "NAME", requires = "url")]
    username: Option<String>,
    /// A file that holds the user's password
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// A file with certificates (PEM) that are trusted beside the public ones
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// A header that every request carries, like 'X-Scope-OrgID: payments'; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "url", value_parser = header)]
    headers: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) output: Output,
}

fn step(text: &str) -> Result<Time, String> {
    let length = parse_every(text).map_err(|error| error.to_string())?;
    check_step(length).map_err(str::to_owned)
}

fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write it like 'X-Scope-OrgID: payments'")?;
    if name.trim().eq_ignore_ascii_case("authorization") {
        return Err("a secret is no flag; write --token-file, or --username and --password-file");
    }
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Args {
    /// What is asked: of the server that is named, or of those of the configuration.
    pub(super) fn sources(self, config: &Config) -> Result<Vec<Arc<dyn Pull>>, Failure> {
        let Some(url) = self.url else {
            let entries = config.pulls.iter().filter_map(|entry| match &entry.source {
                PullSource::Prometheus(own) => Some(Arc::new(own.pull(config)) as Arc<dyn Pull>),
                _ => None,
            });
            let all: Vec<_> = entries.collect();
            return match all.is_empty() {
                true => Err(Failure::new(
                    "the configuration has no [[pull]] with prometheus: write one, or name the server: vigie pull prometheus URL",
                )),
                false => Ok(all),
            };
        };
        let mut entry = PrometheusEntry::new(url);
        entry.question = match (self.query, self.good, self.total) {
            (Some(query), ..) => Some(Question::State(query)),
            (None, Some(good), Some(total)) => Some(Question::Counts { good, total }),
            _ => None,
        };
        if entry.question.is_none() && own_queries(&config.settings).next().is_none() {
            return Err(Failure::new(
                NOTHING_ASKED.replace("query (", "--query (").replace("good and total", "--good and --total"),
            ));
        }
        entry.service = self.service;
        entry.label = self.label.unwrap_or(entry.label);
        entry.environment = self.environment.map_or(entry.environment, |name| name.to_lowercase());
        entry.source = self.source.unwrap_or(entry.source);
        (entry.step, entry.since) = (self.step, self.since.map(|moment| moment.of(config)));
        entry.http.token_file = self.token_file;
        entry.http.username = self.username;
        entry.http.password_file = self.password_file;
        entry.http.ca_file = self.ca_file;
        entry.http.headers = self.headers;
        Ok(vec![Arc::new(entry.pull(config))])
    }
}
