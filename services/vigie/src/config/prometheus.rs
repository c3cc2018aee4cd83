//! `[[pull]] prometheus`: how the server is reached, and what it is asked.

use std::path::PathBuf;

use toml::de::DeValue;
use vigie_ingest::pull::HttpSettings;
use vigie_ingest::pull::prometheus::{Asked, LABEL, PrometheusSource, Question, SOURCE};
use vigie_model::settings::Settings;
use vigie_model::{SECOND, Time};

use super::Config;
use super::reader::{Node, Reader, Section};

/// A Prometheus server that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusEntry {
    /// How it is reached.
    pub http: HttpSettings,
    /// The source of its events.
    pub source: String,
    /// What is asked; `None`: what the services say of their uptime.
    pub question: Option<Question>,
    /// The service that all answers are about.
    pub service: Option<String>,
    /// The label that names the service.
    pub label: String,
    /// The label that names the environment.
    pub environment_label: Option<String>,
    /// The environment of what has no such label.
    pub environment: String,
    /// How far apart the answers are.
    pub step: Option<Time>,
    /// How long after it a sample is sure to be there.
    pub delay: Option<Time>,
    /// From when on it is read.
    pub since: Option<Time>,
}

impl PrometheusEntry {
    /// One over a server, with everything else by default.
    pub fn new(url: String) -> Self {
        Self {
            http: HttpSettings { url, ..HttpSettings::default() },
            source: SOURCE.name.to_owned(),
            question: None,
            service: None,
            label: LABEL.to_owned(),
            environment_label: None,
            environment: "production".to_owned(),
            step: None,
            delay: None,
            since: None,
        }
    }

    /// What is asked, with what the configuration says of services.
    pub fn pull(&self, config: &Config) -> PrometheusSource {
        let asked = |question: Question, service: Option<String>| Asked {
            question,
            service,
            label: self.label.clone(),
            environment_label: self.environment_label.clone(),
            environment: self.environment.clone(),
            step: self.step,
        };
        let asked = match &self.question {
            Some(question) => vec![asked(question.clone(), self.service.clone())],
            None => own_queries(&config.settings)
                .map(|(service, query)| asked(Question::State(query.to_owned()), Some(service.to_owned())))
                .collect(),
        };
        PrometheusSource {
            http: self.http.clone(),
            source: self.source.clone(),
            asked,
            routes: config.routes(),
            since: self.since,
            delay: self.delay,
        }
    }
}

/// The services that say how their uptime is asked for.
pub fn own_queries(settings: &Settings) -> impl Iterator<Item = (&str, &str)> {
    settings.services.iter().filter_map(|(slug, own)| Some((slug.as_str(), own.prometheus.as_deref()?)))
}

/// What to write where nothing is asked.
pub const NOTHING_ASKED: &str = "there is nothing to ask: write query (1 while a service is up, 0 while it is down), or \
    good and total (counters of requests), or uptime = { prometheus = \"…\" } at a [[service]]";

pub(super) fn prometheus(
    reader: &mut Reader,
    section: &Section<'_>,
    url: String,
    token_file: Option<PathBuf>,
    settings: &Settings,
) -> Option<PrometheusEntry> {
    let mut entry = PrometheusEntry::new(url);
    entry.question = question(reader, section)?;
    if entry.question.is_none() && own_queries(settings).next().is_none() {
        section.get("prometheus").into_iter().for_each(|node| reader.wrong(&node, NOTHING_ASKED));
    }
    let mut text = |name: &str| section.get(name).and_then(|node| reader.text(&node));
    entry.service = text("service");
    entry.environment_label = text("environment_label");
    entry.label = text("label").unwrap_or(entry.label);
    entry.environment = text("environment").map_or(entry.environment, |name| name.to_lowercase());
    entry.source = text("source").unwrap_or(entry.source);
    entry.http.token_file = token_file;
    entry.http.username = text("username");
    entry.http.password_file = text("password_file").map(PathBuf::from);
    entry.http.ca_file = text("ca_file").map(PathBuf::from);
    entry.step = section.get("step").and_then(|node| step(reader, &node));
    entry.delay = section.get("delay").and_then(|node| reader.length(&node));
    entry.since = section.get("since").and_then(|node| reader.instant(&node));
    entry.http.headers = section.get("headers").map(|node| headers(reader, &node)).unwrap_or_default();
    match (section.get("token_file"), section.get("username"), section.get("password_file")) {
        (Some(node), Some(_), _) => reader.wrong(&node, "username says who asks too; remove one of the two"),
        (_, None, Some(node)) => reader.wrong(&node, "nobody is named whose password this is; write username"),
        _ => {}
    }
    if let Some(node) = section.get("service").filter(|_| entry.question.is_none()) {
        reader.wrong(
            &node,
            "the services that are asked for name themselves; write query, or good and total, or remove it",
        );
    }
    if let Some(node) = section.get("label").filter(|_| entry.service.is_some()) {
        reader.wrong(&node, "service names the service already; remove one of the two");
    }
    Some(entry)
}

/// `None`: it is wrong, and that was noted.
#[allow(clippy::option_option)] // a question may be left out
fn question(reader: &mut Reader, section: &Section<'_>) -> Option<Option<Question>> {
    let mut query = |name: &str| section.get(name).map(|node| (node.clone(), query(reader, &node)));
    match (query("query"), query("good"), query("total")) {
        (None, None, None) => Some(None),
        (Some((_, query)), None, None) => Some(Some(Question::State(query?))),
        (None, Some((_, good)), Some((_, total))) => Some(Some(Question::Counts { good: good?, total: total? })),
        (Some((node, _)), ..) => {
            reader.wrong(
                &node,
                "a pull asks for a state (query) or for counts (good and total); write a [[pull]] for each",
            );
            None
        }
        (None, Some((node, _)), None) | (None, None, Some((node, _))) => {
            reader.wrong(&node, "good and total belong together; write both");
            None
        }
    }
}

/// A query, which may be longer than a name, and of several lines.
fn query(reader: &mut Reader, node: &Node<'_>) -> Option<String> {
    let text = reader.title(node)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.len() > 5_000 {
        reader.wrong(node, "write a query of up to 5,000 bytes, like probe_success");
        return None;
    }
    Some(text)
}

fn step(reader: &mut Reader, node: &Node<'_>) -> Option<Time> {
    let step = reader.length(node)?;
    let checked = check_step(step);
    if let Err(message) = checked {
        reader.wrong(node, message);
    }
    checked.ok()
}

/// A step that answers may be apart.
pub(crate) fn check_step(step: Time) -> Result<Time, &'static str> {
    if step < SECOND || step % SECOND != 0 { Err("write whole seconds, at least 1s, like 15s") } else { Ok(step) }
}

fn headers(reader: &mut Reader, node: &Node<'_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, node) in reader.entries(node) {
        if name.eq_ignore_ascii_case("authorization") {
            reader.wrong(&node, "a secret is not written here; write token_file, or username and password_file");
            continue;
        }
        match node.value {
            DeValue::String(_) => all.extend(reader.text(&node).map(|value| (name.to_owned(), value))),
            _ => reader.wrong(&node, "write the header's value as a text in quotes"),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PullSource, parse};

    const SERVER: &str = "[[pull]]\nprometheus = 'https://mimir.example/prometheus/'\n";

    fn read(text: &str) -> Result<Vec<PrometheusSource>, String> {
        let config = parse("vigie.toml", text, [], &[]).map_err(|problems| problems.to_string())?;
        let own = config.pulls.iter().filter_map(|entry| match &entry.source {
            PullSource::Prometheus(own) => Some(own.pull(&config)),
            _ => None,
        });
        Ok(own.collect())
    }

    #[test]
    fn without_a_query_of_its_own_it_asks_those_of_the_services() {
        let text =
            "[[service]]\nslug = 'shop'\nuptime = { prometheus = 'up{app=\"shop\"}' }\n[[service]]\nslug = 'other'\n";
        let all = read(&format!("{text}{SERVER}")).unwrap();
        let asked: Vec<_> = all[0].asked.iter().map(|own| (own.service.as_deref(), own.question.to_string())).collect();
        assert_eq!(asked, [(Some("shop"), "up{app=\"shop\"}".to_owned())]);
        assert_eq!(all[0].http.url, "https://mimir.example/prometheus");
        // With one it asks nothing else.
        let all = read(&format!("{text}{SERVER}query = \"\"\"\nmax by (app)\n  (up)\"\"\"\nlabel = 'app'\n")).unwrap();
        let asked = &all[0].asked[0];
        assert_eq!((asked.question.to_string().as_str(), asked.label.as_str()), ("max by (app) (up)", "app"));
        assert_eq!((all[0].asked.len(), asked.service.as_deref(), asked.environment.as_str()), (1, None, "production"));
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        let cases = [
            ("", "there is nothing to ask: write query"),
            ("good = 'a'", "good and total belong together"),
            ("query = 'up'\ngood = 'a'", "write a [[pull]] for each"),
            ("query = ' '", "write a query of up to"),
            ("query = 'up'\nstep = 'PT0.5S'", "write whole seconds"),
            ("query = 'up'\nschedule = 'daily'", "this is no cron expression"),
            ("query = 'up'\nschedule = '* * * * * *'", "too often"),
            ("query = 'up'\nschedule = '0 3 * * *'\nevery = '1h'", "remove one of the two"),
            ("query = 'up'\npassword_file = '/x'", "write username"),
            ("query = 'up'\ntoken_file = '/x'\nusername = 'me'", "username says who asks too"),
            ("query = 'up'\nheaders = { authorization = 'Bearer x' }", "write token_file"),
            ("query = 'up'\nservice = 'a'\nlabel = 'b'", "service names the service already"),
            ("query = 'up'\nsince = 'yesterday'", "yesterday"),
            ("query = 'up'\n[[pull]]\nprometheus = 'http://q:9090'\nquery = 'up'", "give each a source of its own"),
        ];
        for (text, why) in cases {
            let wrong = read(&format!("{SERVER}{text}\n")).unwrap_err();
            assert!(wrong.contains(why), "{text}: {wrong}");
        }
        let wrong = read("[[pull]]\nprometheus = 'http://me:secret@p:9090'\nquery = 'up'\n").unwrap_err();
        assert!(wrong.contains("write username and password_file") && !wrong.contains("secret"), "{wrong}");
    }
}
