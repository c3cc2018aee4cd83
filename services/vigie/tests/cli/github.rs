//! A whole organisation on GitHub: pulled by a program that is killed on the way, its numbers are those of what the server
//! holds.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value, json};
use vigie_peerkit::github::{Account, GitHub as Server, Organisation, Pull, Repository, Run, Size};

use crate::bench::Bench;
use crate::roundtrip::without_quality;

/// Everything that the server holds, as native events: neither by its API nor by the connector's map, but as
/// `events.md` and GitHub's documentation have it.
fn own_data(organisation: &Organisation) -> String {
    let repositories = organisation.repositories.iter().filter(|repository| repository.head().is_some());
    let events = repositories.flat_map(|repository| Teller { organisation, repository }.events());
    events.map(|event| Value::Object(event).to_string()).collect::<Vec<_>>().join("\n")
}

/// GitHub shows no fractions.
fn whole_seconds(value: &mut Value) {
    let Some((date, rest)) = value.as_str().and_then(|text| text.split_once('.')) else { return };
    if date.len() == "2026-07-01T00:00:00".len() && rest.ends_with('Z') {
        *value = json!(format!("{date}Z"));
    }
}

struct Teller<'a> {
    organisation: &'a Organisation,
    repository: &'a Repository,
}

impl Teller<'_> {
    fn events(&self) -> Vec<Map<String, Value>> {
        let Repository { pulls, deployments, runs, releases, issues, .. } = self.repository;
        let mut values: Vec<Value> = self.commits();
        values.extend(pulls.iter().map(|pull| self.pull(pull)));
        values.extend(deployments.iter().map(|deployment| {
            let ends = deployment
                .statuses
                .iter()
                .filter(|status| matches!(status.state.as_str(), "success" | "failure" | "error"));
            let end = ends.max_by_key(|status| status.created_at);
            json!({
                "kind": "deployment", "service": self.repository.name, "id": deployment.id.to_string(),
                "environment": deployment.original_environment, "repository": self.name(), "revision": deployment.sha,
                "branch": (deployment.reference != deployment.sha).then_some(&deployment.reference),
                "started_at": deployment.created_at,
                "outcome": end.map(|end| if end.state == "success" { "succeeded" } else { "failed" }),
                "finished_at": end.map(|end| end.created_at),
                "at": end.map_or(deployment.created_at, |end| end.created_at),
            })
        }));
        values.extend(runs.iter().filter_map(|run| self.run(run)));
        let released = releases.iter().filter(|release| !release.draft && !release.prerelease);
        values.extend(released.map(|release| {
            json!({
                "kind": "deployment", "service": self.repository.name, "id": format!("release-{}", release.id),
                "environment": "production", "repository": self.name(), "revision": release.tag,
                "outcome": "succeeded", "finished_at": release.published_at, "inferred": true,
                "at": release.published_at,
            })
        }));
        let incidents = issues.iter().filter(|issue| issue.labels.iter().any(|label| label == "incident"));
        values.extend(incidents.map(|issue| {
            let service = issue.labels.iter().find_map(|label| label.strip_prefix("service:"));
            let severity = issue.labels.iter().find_map(|label| match label.as_str() {
                "sev1" => Some("critical"),
                "sev2" => Some("major"),
                "sev3" => Some("minor"),
                _ => None,
            });
            json!({
                "kind": "incident", "id": format!("{}#{}", self.name(), issue.number),
                "service": service.unwrap_or(&self.repository.name), "severity": severity, "title": issue.title,
                "started_at": issue.created_at, "resolved_at": issue.closed_at, "at": issue.updated_at,
            })
        }));
        let told = values.into_iter().map(|mut value| {
            let event = value.as_object_mut().unwrap();
            event.retain(|_, value| !value.is_null());
            event.values_mut().for_each(whole_seconds);
            event.insert("source".to_owned(), json!("github"));
            std::mem::take(event)
        });
        told.collect()
    }

    fn name(&self) -> String {
        format!("{}/{}", self.organisation.login, self.repository.name)
    }

    fn account(&self, place: usize) -> Option<&Account> {
        Some(&self.organisation.accounts[place]).filter(|account| !account.deleted)
    }

    /// Those of the default branch.
    fn commits(&self) -> Vec<Value> {
        let mut ahead: Vec<&str> = self.repository.head().map(String::as_str).into_iter().collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut all = Vec::new();
        while let Some(sha) = ahead.pop() {
            if !seen.insert(sha) {
                continue;
            }
            let commit = &self.repository.commits[sha];
            ahead.extend(commit.parents.iter().map(String::as_str));
            all.push(json!({
                "kind": "commit", "repository": self.name(), "sha": sha, "parents": commit.parents,
                "authored_at": commit.authored_at, "committed_at": commit.committed_at, "message": commit.message,
                "author": commit.author_name,
            }));
        }
        all
    }

    fn pull(&self, pull: &Pull) -> Value {
        let author = self.account(pull.author);
        let reviews = || {
            pull.reviews.iter().filter_map(|review| {
                let counts = matches!(review.state.as_str(), "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED");
                let is_program = self.account(review.author).is_some_and(|account| account.bot);
                let at = review.submitted_at.filter(|_| counts && !is_program && review.author != pull.author)?;
                Some((at, review.state == "APPROVED"))
            })
        };
        let commits = pull.commits.iter().map(|sha| &self.repository.commits[sha]);
        let quoted = pull.body.as_deref().and_then(|body| body.strip_prefix(&format!("Reverts {}#", self.name())));
        json!({
            "kind": "pull_request", "repository": self.name(), "number": pull.number, "title": pull.title,
            "opened_at": pull.created_at, "merged_at": pull.merged_at, "closed_at": pull.closed_at,
            "merge_sha": pull.merged_at.and(pull.merge_commit_sha.as_ref()),
            "author": author.map(Account::rest_login), "bot": author.is_some_and(|author| author.bot).then_some(true),
            "branch": pull.head_ref, "base": pull.base_ref, "commits": pull.commits,
            "first_commit_at": commits.map(|commit| commit.authored_at).min(),
            "first_review_at": reviews().map(|(at, _)| at).min(),
            "approved_at": reviews().filter(|(_, approves)| *approves).map(|(at, _)| at).min(),
            "reverts": quoted.and_then(|number| number.trim().parse::<u64>().ok()),
            "at": pull.updated_at,
        })
    }

    /// A run of the workflow that goes to production, where it came to an end that means something.
    fn run(&self, run: &Run) -> Option<Value> {
        let outcome = match run.conclusion.as_deref() {
            Some("success") => Some("succeeded"),
            Some("failure" | "timed_out") => Some("failed"),
            Some("cancelled") => Some("cancelled"),
            Some(_) => return None,
            None => None,
        };
        (run.name == "deploy-production").then(|| {
            json!({
                "kind": "deployment", "service": self.repository.name,
                "id": format!("run-{}.{}", run.id, run.attempt), "environment": "production",
                "repository": self.name(), "revision": run.sha, "branch": run.branch, "started_at": run.started_at,
                "outcome": outcome, "finished_at": outcome.map(|_| run.updated_at), "at": run.updated_at,
            })
        })
    }
}

#[test]
fn two_hundred_repositories_pulled_by_a_program_that_is_killed_twice_give_the_servers_numbers() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let size = Size { repositories: 200, people: 40, days: 120, pulls: 160 };
    let server = runtime.block_on(Server::serve(Organisation::new(17, size)));
    let bench = Bench::new();
    bench.write("token", "ghp_made_up");
    bench.write(
        "vigie.toml",
        &format!(
            "[[pull]]\ngithub = \"harbour\"\nurl = \"{}\"\ntoken_file = \"token\"\n\n[[hook]]\nconnector = \"github\"\n\
            settings = {{ deploy_workflows = \"deploy-production\", deploy_releases = \"v*\" }}\n",
            server.url()
        ),
    );
    let asked = || server.traffic().requests.len();
    for enough in [150, 400] {
        let mut child = bench.command(&["pull"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        while asked() < enough {
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
                panic!("it ended with {status} after {} requests: {said}", asked());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let told = bench.run(&["pull", "--format", "json"]).json();
    let of = |name: &str| told[0][name].as_u64().unwrap();
    // It went on where the killed ones were: little of what they recorded came again.
    assert!(of("duplicates") * 10 < of("accepted"), "{told}");
    assert_eq!(told[0]["warnings"], json!([]), "{told}");

    bench.write("own.ndjson", &server.organisation(|organisation| own_data(organisation)));
    bench.run(&["import", "own.ndjson", "--database", "sqlite://own.db"]).good();
    let window = ["scorecard", "--format", "json", "--from", "2026-03-15T00:00:00Z", "--to", "2026-06-25T00:00:00Z"];
    let services: Vec<String> =
        server.organisation(|all| all.repositories.iter().take(12).map(|it| it.name.clone()).collect());
    let scopes = services.iter().map(|service| vec!["--service", service]);
    for scope in std::iter::once(Vec::new()).chain(scopes) {
        let card = |database: &str| {
            let ran = bench.run(&[&window[..], &scope, &["--database", database]].concat());
            without_quality(ran.json())
        };
        let pulled = card("sqlite://vigie.db");
        if scope.is_empty() {
            let shown = pulled["metrics"].as_array().unwrap().iter().filter(|metric| !metric["value"].is_null());
            assert!(shown.count() >= 6, "{pulled}");
        }
        same(&pulled, &card("sqlite://own.db"), &format!("{scope:?}"));
    }
    runtime.block_on(server.stop());
}

#[test]
fn what_came_before_the_quota_was_used_up_counts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let size = Size { repositories: 30, people: 9, days: 40, pulls: 90 };
    let server = runtime.block_on(Server::serve(Organisation::new(5, size)));
    server.faults(|faults| faults.limit = Some(40));
    let bench = Bench::new();
    bench.write("token", "ghp_made_up");
    let pull = format!("[[pull]]\ngithub = \"harbour\"\nurl = \"{}\"\ntoken_file = \"token\"\n", server.url());
    bench.write("vigie.toml", &pull);
    let ran = bench.run(&["pull"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("requests are left"), "{}", ran.err);
    let count = |table: &str| count_of(&runtime, &bench, table);
    assert!(count("events") > 100 && count("change_facts") > 0, "{} and {}", count("events"), count("change_facts"));
    runtime.block_on(server.stop());
}

fn count_of(runtime: &tokio::runtime::Runtime, bench: &Bench, table: &str) -> i64 {
    runtime.block_on(async {
        let url = format!("sqlite://{}", bench.path("vigie.db").display());
        let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(query).fetch_one(&pool).await.unwrap()
    })
}

/// The first place where the two differ.
#[track_caller]
fn same(left: &Value, right: &Value, path: &str) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys()) {
                let of = |side: &Map<String, Value>| side.get(name).cloned().unwrap_or_default();
                same(&of(left), &of(right), &format!("{path}.{name}"));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                same(left, right, &format!("{path}[{place}]"));
            }
        }
        _ => assert_eq!(left, right, "{path}"),
    }
}
