//! Serves an organisation until the input ends: `serve SEED SIZE`. With a file as third, writes its deliveries there first, one
//! JSON a line. With `gitlab` before all that, as GitLab would. `serve pagerduty SEED INCIDENTS` and `serve jira SEED ISSUES`
//! serve a year of those.

use std::io::{BufWriter, Read, Write};

use vigie_peerkit::github::{GitHub, Organisation, Size};
use vigie_peerkit::gitlab::{GitLab, deliveries_after};
use vigie_peerkit::jira::Tracker;
use vigie_peerkit::pagerduty::Account;
use vigie_peerkit::served::{Served, Site};

/// When what is made up ends.
const NOON: chrono::DateTime<chrono::Utc> = chrono::DateTime::from_timestamp_nanos(1_790_856_000_000_000_000);

/// Serves something until the input ends.
async fn serve<S: Site>(site: S) -> std::io::Result<()> {
    let server = Served::serve(site).await;
    println!("{}", server.url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    eprintln!("{} requests", server.traffic().requests.len());
    server.stop().await;
    Ok(())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let other = arguments.next_if(|name| name == "pagerduty" || name == "jira");
    let is_gitlab = arguments.next_if_eq("gitlab").is_some();
    let seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    if let Some(other) = other {
        let count = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1_000);
        return match other.as_str() {
            "pagerduty" => serve(Account::new(seed, count, 365, NOON)).await,
            _ => serve(Tracker::new(seed, true, count, 365, NOON)).await,
        };
    }
    let size = match arguments.next().as_deref() {
        Some("large") => Size::large(),
        Some("medium") => Size::medium(),
        _ => Size::small(),
    };
    let begun = std::time::Instant::now();
    let organisation = Organisation::new(seed, size);
    let commits: usize = organisation.repositories.iter().map(|it| it.commits.len()).sum();
    let pulls: usize = organisation.repositories.iter().map(|it| it.pulls.len()).sum();
    let deployments: usize = organisation.repositories.iter().map(|it| it.deployments.len()).sum();
    let runs = organisation.repositories.iter().map(|it| it.runs.len()).max();
    eprintln!(
        "made in {:?}: {commits} commits, {pulls} pulls, {deployments} deployments, {runs:?} runs",
        begun.elapsed()
    );
    if let Some(file) = arguments.next() {
        let begun = std::time::Instant::now();
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        let all = if is_gitlab { deliveries_after(&organisation, 0) } else { organisation.deliveries() };
        for (event, body) in all {
            writeln!(out, "{}", serde_json::json!({"type": event, "body": body}))?;
        }
        out.flush()?;
        eprintln!("deliveries in {:?}", begun.elapsed());
    }
    let ended = || tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    if is_gitlab {
        let server = GitLab::serve(organisation).await;
        println!("{}", server.url());
        ended().await??;
        eprintln!("{} requests", server.traffic().requests.len());
        server.stop().await;
    } else {
        let server = GitHub::serve(organisation).await;
        println!("{}", server.url());
        ended().await??;
        server.stop().await;
    }
    Ok(())
}
