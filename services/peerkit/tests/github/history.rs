//! The history that is made up, and its webhooks.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use vigie_peerkit::github::{Organisation, Size};

use super::{all, small};

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| Organisation::new(seed, Size::small()).deliveries();
    assert_eq!(history(3), history(3));
    assert_ne!(history(3), history(4));
}

#[test]
fn a_history_has_everything() {
    let organisation = Organisation::new(7, Size::small());
    let mut events: HashMap<_, usize> = HashMap::new();
    for (event, body) in organisation.deliveries() {
        assert!(body["repository"]["full_name"].as_str().unwrap().starts_with("harbour/"));
        *events.entry((event, body["action"].as_str().unwrap_or_default().to_owned())).or_default() += 1;
    }
    for wanted in [
        ("push", ""),
        ("pull_request", "opened"),
        ("pull_request", "closed"),
        ("pull_request_review", "submitted"),
        ("deployment", "created"),
        ("deployment_status", "created"),
        ("workflow_run", "completed"),
        ("release", "published"),
        ("issues", "opened"),
        ("issues", "closed"),
    ] {
        assert!(events.contains_key(&(wanted.0, wanted.1.to_owned())), "no {wanted:?} in {events:?}");
    }
    let states: HashSet<_> = organisation
        .repositories
        .iter()
        .flat_map(|it| it.deployments.iter().flat_map(|it| it.statuses.iter().map(|status| status.state.clone())))
        .collect();
    assert!(["queued", "in_progress", "success", "failure", "inactive"].iter().all(|it| states.contains(*it)));
    let mut deployments = organisation.repositories.iter().flat_map(|it| &it.deployments);
    assert!(deployments.any(|it| it.environment != it.original_environment));
    for repository in &organisation.repositories {
        for deployment in &repository.deployments {
            assert!(repository.commits.contains_key(&deployment.sha), "what is deployed is there");
        }
    }
}

/// What the last webhook said is what the API says.
#[tokio::test]
async fn webhooks_and_the_api_agree() {
    let server = small().await;
    let deliveries = server.organisation(|it| it.deliveries());
    let mut last: HashMap<(&str, i64), Value> = HashMap::new();
    for (event, mut body) in deliveries {
        if body["repository"]["name"] != "checkout" {
            continue;
        }
        for (wanted, field) in [
            ("pull_request", "pull_request"),
            ("issues", "issue"),
            ("workflow_run", "workflow_run"),
            ("release", "release"),
        ] {
            if event == wanted {
                let it = body[field].take();
                last.insert((field, it["id"].as_i64().unwrap()), it);
            }
        }
    }
    let mut compared = 0;
    for (field, path, list) in [
        ("pull_request", "pulls?state=all&per_page=100", None),
        ("issue", "issues?state=all&labels=incident&per_page=100", None),
        ("workflow_run", "actions/runs?per_page=100", Some("workflow_runs")),
        ("release", "releases", None),
    ] {
        let (items, _) = all(&server, &format!("/repos/harbour/checkout/{path}"), list).await;
        for item in items {
            let sent = &last[&(field, item["id"].as_i64().unwrap())];
            for (name, value) in item.as_object().unwrap() {
                // reviews change a pull request too, and an address or a person is shown otherwise
                let same = value.is_object() || value.is_array() || name.ends_with("url") || name == "updated_at";
                assert!(same || *value == sent[name], "{field}.{name}: {value} and {}", sent[name]);
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} were compared");
}
