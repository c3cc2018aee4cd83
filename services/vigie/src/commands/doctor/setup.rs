//! What is configured and what answers.

use std::cmp::Reverse;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vigie_model::event::home_of_other;
use vigie_model::{MINUTE, Time, format_time};
use vigie_store::{ConnectOptions, KNOWN_VERSION, Store};

use super::Finding;
use crate::commands::database::unfolded;
use crate::config::{Auth, Config};
use crate::context::Context;
use crate::humane;
use crate::server::is_loopback;

const CONFIGURATION: &str = "Configuration";
const DATABASE: &str = "Database";
const SERVER: &str = "Server";

pub(super) fn configuration(context: &Context, findings: &mut Vec<Finding>) -> Option<Config> {
    let file = context.config_file();
    let flags: Vec<_> = context.database().map(|url| ("database", url.to_owned())).into_iter().collect();
    match context.read(&flags) {
        Ok(config) => {
            let declared = format!(
                "{}, {}",
                humane::some(config.teams.len() as u64, "team", "teams"),
                humane::some(config.services.len() as u64, "service", "services")
            );
            findings.push(if file.exists() {
                Finding::good(CONFIGURATION, format!("{} is good: {declared}", file.display()))
            } else {
                Finding::note(
                    CONFIGURATION,
                    format!("there is no {}, so everything has its default", file.display()),
                    "vigie config check prints the defaults, ready to be changed",
                )
            });
            Some(config)
        }
        Err(problems) => {
            let all = problems.0.iter();
            findings.extend(all.map(|problem| Finding::problem(CONFIGURATION, problem.to_string(), "")));
            None
        }
    }
}

pub(super) async fn database(context: &Context, config: &Config, findings: &mut Vec<Finding>) -> Option<Store> {
    let store = match Store::connect(&config.database, ConnectOptions::read_only()).await {
        Ok(store) => store,
        Err(error) => {
            findings.push(Finding::problem(DATABASE, error.to_string(), ""));
            return None;
        }
    };
    let report = match store.check().await {
        Ok(report) => report,
        Err(error) => {
            findings.push(Finding::problem(DATABASE, error.to_string(), ""));
            return None;
        }
    };
    if report.version != KNOWN_VERSION {
        let text = format!("{} has version {}, this program needs {KNOWN_VERSION}", report.place, report.version);
        findings.push(Finding::problem(DATABASE, text, "vigie database migrate"));
        return None;
    }
    let size = humane::bytes(report.bytes);
    findings.push(Finding::good(
        DATABASE,
        format!("{}: {}, {size}, version {}", report.place, report.engine, report.version),
    ));
    let count = |number: i64| humane::count(u64::try_from(number).unwrap_or(0));
    let events: i64 = report.events.iter().map(|(_, count)| count).sum();
    let facts: i64 = report.facts.iter().map(|(_, count)| count).sum();
    if events == 0 {
        let how = "vigie pull git PATH, vigie import FILE, or POST /v1/events to vigie serve; vigie demo shows what it looks like";
        findings.push(Finding::note(DATABASE, "there are no events yet", how));
    } else {
        let kinds: Vec<String> =
            report.events.iter().map(|(kind, number)| format!("{} {kind}", count(*number))).collect();
        let text = format!("{} events ({}), {} facts", count(events), kinds.join(", "), count(facts));
        findings.push(Finding::good(DATABASE, text));
    }
    others(&store, findings).await;
    folding(&store, findings).await;
    if let Some((_, last)) = report.recorded {
        clock(context.now(), last, findings);
    }
    Some(store)
}

/// Events of other vocabularies, by type: what a site sends and Vigie makes nothing of.
async fn others(store: &Store, findings: &mut Vec<Finding>) {
    /// Types that are named before the rest is counted.
    const NAMED: usize = 5;
    let none = home_of_other("");
    let mut types = match store.count_by_home(&none).await {
        Ok(types) => types,
        Err(error) => {
            findings.push(Finding::problem(DATABASE, error.to_string(), ""));
            return;
        }
    };
    if types.is_empty() {
        return;
    }
    types.sort_by_key(|(_, count)| Reverse(*count));
    let count = |number: i64| humane::count(u64::try_from(number).unwrap_or(0));
    let mut named: Vec<String> = types
        .iter()
        .take(NAMED)
        .map(|(home, number)| format!("{} {}", count(*number), home.strip_prefix(&none).unwrap_or(home)))
        .collect();
    if types.len() > NAMED {
        named.push(format!("{} more types", types.len() - NAMED));
    }
    let text = format!("kept as they came, and read by no metric: {}", named.join(", "));
    findings.push(Finding::good(DATABASE, text));
}

async fn folding(store: &Store, findings: &mut Vec<Finding>) {
    findings.push(match unfolded(store).await {
        Ok(0) => Finding::good(DATABASE, "every event is folded into the facts"),
        Ok(behind) => Finding::note(
            DATABASE,
            format!("{} not folded yet", humane::some(u64::try_from(behind).unwrap_or(0), "event is", "events are")),
            "vigie serve folds them as they come, vigie scorecard before it answers",
        ),
        Err(failure) => Finding::problem(DATABASE, failure.message, ""),
    });
}

fn clock(now: Time, last: Time, findings: &mut Vec<Finding>) {
    if last > now + MINUTE {
        let text = format!(
            "the newest record is from {}, {} ahead of this machine's clock ({})",
            format_time(last),
            humane::duration(last - now),
            format_time(now)
        );
        findings.push(Finding::problem(DATABASE, text, "set the clocks of this machine and of those that write"));
    } else {
        let age = humane::duration((now - last).max(0));
        findings.push(Finding::good(DATABASE, format!("the newest event was recorded {age} ago; the clock agrees")));
    }
}

pub(super) async fn server(config: &Config, store: Option<&Store>, now: Time, findings: &mut Vec<Finding>) {
    let listen = &config.listen;
    let Some(is_loopback) = is_loopback(listen) else {
        findings.push(Finding::problem(SERVER, format!("{listen} is no address of this machine"), "change listen"));
        return;
    };
    findings.push(match ready(listen).await {
        Some(status) if status.contains(" 200 ") => {
            Finding::good(SERVER, format!("a server answers at {listen} and is ready"))
        }
        Some(status) => {
            Finding::note(SERVER, format!("what answers at {listen} is not ready: {status}"), "look at its log")
        }
        None => Finding::note(SERVER, format!("no server answers at {listen}"), "vigie serve"),
    });
    let valid = match store {
        Some(store) => match store.tokens().await {
            Ok(tokens) => {
                let valid = |end: Option<Time>| end.is_none_or(|end| end > now);
                tokens.iter().filter(|token| token.revoked_at.is_none() && valid(token.expires_at)).count()
            }
            Err(error) => {
                findings.push(Finding::problem(SERVER, error.to_string(), ""));
                return;
            }
        },
        None => 0,
    };
    let tokens = humane::some(valid as u64, "valid token", "valid tokens");
    let create = "vigie token create NAME --may ingest,read";
    findings.push(match (config.auth, valid) {
        (Auth::None, _) if is_loopback => Finding::good(SERVER, "no token is asked for, on this machine alone"),
        (Auth::None, _) => Finding::note(
            SERVER,
            format!("anybody who reaches {listen} may send and ask: auth = \"none\""),
            "remove it where that is not meant",
        ),
        (Auth::Default, 0) if is_loopback => Finding::good(SERVER, "no token is asked for, on this machine alone"),
        (Auth::Default, _) if is_loopback => {
            Finding::good(SERVER, format!("{tokens}; on this machine none is asked for"))
        }
        (_, 0) => Finding::problem(SERVER, format!("tokens are asked for at {listen}, and there is none"), create),
        _ => Finding::good(SERVER, format!("{tokens}; one is asked for")),
    });
}

/// The status line of the readiness check, where something answers.
async fn ready(listen: &str) -> Option<String> {
    let ask = async {
        let mut stream = TcpStream::connect(listen).await.ok()?;
        let request = format!("GET /health/ready HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = vec![0; 1_024];
        let length = stream.read(&mut answer).await.ok()?;
        let text = String::from_utf8_lossy(&answer[..length]).into_owned();
        text.lines().next().map(str::to_owned)
    };
    tokio::time::timeout(Duration::from_secs(3), ask).await.ok().flatten()
}
