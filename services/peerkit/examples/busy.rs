//! Serves busy repositories, `harbour/busy-0` and so on, for the benchmark of a pull: those of `busy TIMES COUNT` are so many,
//! each with so many times 5,000 commits, 1,200 pull requests with four commits and two reviews each, and 900 deployments with
//! three statuses each. For each line of its input it tells what was asked since the last one, as JSON.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use vigie_peerkit::github::{GitHub, Merge, Organisation, Size};

const COMMITS: usize = 5_000;
const PULLS: usize = 1_200;
const DEPLOYMENTS: usize = 900;

/// These repositories, so many times as large.
fn organisation(names: &[String], times: usize) -> Organisation {
    let mut all = Organisation::new(7, Size { repositories: 1, people: 9, days: 1, pulls: 1 });
    names.iter().for_each(|name| fill(&mut all, name, times));
    all
}

fn fill(all: &mut Organisation, name: &str, times: usize) {
    all.create_repository(name);
    all.push(name, "main", "adao", "The beginning");
    for number in 0..PULLS * times {
        all.wait(TimeDelta::minutes(20));
        let branch = format!("change-{number}");
        for part in 0..4 {
            all.push(name, &branch, "adao", &format!("Part {part} of change {number}: what the review asked for"));
        }
        let title = format!("Change {number}");
        let pull = all.open_pull(name, &branch, "adao", &title, Some("Why this is needed, in a sentence or two."));
        all.review(name, pull, "harbour-deploy", "COMMENTED");
        all.review(name, pull, "adao", "APPROVED");
        let sha = all.merge(name, pull, "adao", Merge::Squash);
        all.delete_branch(name, &branch, "adao");
        if number * DEPLOYMENTS / PULLS != (number + 1) * DEPLOYMENTS / PULLS {
            let deployment = all.deploy(name, "production", &sha, "harbour-deploy", None);
            // The third comes with the next deployment's success.
            for state in ["in_progress", "success"] {
                all.deployment_status(name, deployment, state);
            }
        }
    }
    for number in 1 + PULLS * times..COMMITS * times {
        all.push(name, "main", "adao", &format!("Commit {number}: a sentence that says what changes and why"));
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse().ok());
    let times = numbers.next().unwrap_or(1);
    let count = numbers.next().unwrap_or(1);
    let names: Vec<String> = (0..count).map(|number| format!("busy-{number}")).collect();
    let server = GitHub::serve(organisation(&names, times)).await;
    // So many repositories are more than an hour's worth.
    server.faults(|faults| faults.limit = Some(1_000_000));
    println!("{}", server.url());
    for line in std::io::stdin().lines() {
        line?;
        let traffic = server.traffic();
        let mut statuses = BTreeMap::new();
        for request in &traffic.requests {
            *statuses.entry(request.status.to_string()).or_insert(0) += 1;
        }
        let told = json!({
            "requests": traffic.requests.len(), "points": traffic.points(), "bytes": traffic.bytes(), "statuses": statuses,
        });
        println!("{told}");
        server.forget_traffic();
    }
    server.stop().await;
    Ok(())
}
