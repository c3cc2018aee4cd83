//! Serves one busy repository, `harbour/busy`, for the benchmark of a pull: `busy TIMES` has so many times 5,000 commits, 1,200
//! pull requests with four commits and two reviews each, and 900 deployments with three statuses each. For each line of its
//! input it tells what was asked since the last one, as JSON.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use vigie_peerkit::github::{GitHub, Merge, Organisation, Size};

const COMMITS: usize = 5_000;
const PULLS: usize = 1_200;
const DEPLOYMENTS: usize = 900;
const NAME: &str = "busy";

/// The repository, so many times as large.
fn organisation(times: usize) -> Organisation {
    let mut all = Organisation::new(7, Size { repositories: 1, people: 9, days: 1, pulls: 1 });
    all.create_repository(NAME);
    all.push(NAME, "main", "adao", "The beginning");
    for number in 0..PULLS * times {
        all.wait(TimeDelta::minutes(20));
        let branch = format!("change-{number}");
        for part in 0..4 {
            all.push(NAME, &branch, "adao", &format!("Part {part} of change {number}: what the review asked for"));
        }
        let title = format!("Change {number}");
        let pull = all.open_pull(NAME, &branch, "adao", &title, Some("Why this is needed, in a sentence or two."));
        all.review(NAME, pull, "harbour-deploy", "COMMENTED");
        all.review(NAME, pull, "adao", "APPROVED");
        let sha = all.merge(NAME, pull, "adao", Merge::Squash);
        all.delete_branch(NAME, &branch, "adao");
        if number * DEPLOYMENTS / PULLS != (number + 1) * DEPLOYMENTS / PULLS {
            let deployment = all.deploy(NAME, "production", &sha, "harbour-deploy", None);
            // The third comes with the next deployment's success.
            for state in ["in_progress", "success"] {
                all.deployment_status(NAME, deployment, state);
            }
        }
    }
    for number in 1 + PULLS * times..COMMITS * times {
        all.push(NAME, "main", "adao", &format!("Commit {number}: a sentence that says what changes and why"));
    }
    all
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let times = std::env::args().nth(1).and_then(|times| times.parse().ok()).unwrap_or(1);
    let server = GitHub::serve(organisation(times)).await;
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
