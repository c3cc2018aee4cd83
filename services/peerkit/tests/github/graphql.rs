//! GraphQL as a client sees it.

use std::collections::HashSet;

use serde_json::{Value, json};
use vigie_peerkit::github::{Denied, Part};

use super::{all, ask, small};

const PAGE: &str = include_str!("../../../ingest/src/pull/github/queries/page.graphql");
const DEPLOYMENTS: &str = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Deployment { databaseId id state \
    statuses(first: 50) { totalCount pageInfo { hasNextPage endCursor } nodes { state createdAt updatedAt logUrl \
    environmentUrl description creator { login } } } } } rateLimit { cost remaining resetAt } }";
const REPOSITORIES: &str = "query ($login: String!, $after: String) { repositoryOwner(login: $login) { \
    repositories(first: 100, after: $after, ownerAffiliations: OWNER) { totalCount pageInfo { hasNextPage endCursor } \
    nodes { nameWithOwner isArchived isDisabled isEmpty isFork pushedAt updatedAt } } } }";

#[tokio::test]
async fn cursors_show_everything_once() {
    let server = small().await;
    let repository = server.organisation(|it| {
        for index in 0..100 {
            it.push("checkout", "main", "adao", &format!("{index}"));
        }
        it.repository("checkout").clone()
    });
    let head = repository.head().unwrap().clone();
    let mut variables = json!({
        "owner": "harbour", "name": "checkout", "labels": ["incident"], "issuesSince": null, "commits": true,
        "commitsAfter": null, "head": head, "pulls": true, "pullsAfter": null, "issues": true, "issuesAfter": null,
        "named": true, "commitsFirst": 100, "pullsFirst": 50, "issuesFirst": 50,
    });
    let (mut commits, mut pulls, mut issues) = (Vec::new(), Vec::new(), Vec::new());
    while ["commits", "pulls", "issues"].iter().any(|part| variables[part] == true) {
        let answer = ask(&server, PAGE, variables.clone()).await;
        assert_eq!(answer["errors"], Value::Null);
        if variables["named"] == true {
            // 1 + 100 of the history, 1 + 50 + 50 of the pull requests, 1 + 50 of the issues, 1 of the labels
            assert_eq!(server.traffic().points(), 3);
            variables["named"] = false.into();
        }
        let it = &answer["data"]["repository"];
        for (part, connection, found) in [
            ("commits", &it["commits"]["history"], &mut commits),
            ("pulls", &it["pullRequests"], &mut pulls),
            ("issues", &it["issues"], &mut issues),
        ] {
            found.extend(connection["nodes"].as_array().into_iter().flatten().cloned());
            variables[format!("{part}After")] = connection["pageInfo"]["endCursor"].clone();
            variables[part] = connection["pageInfo"]["hasNextPage"].as_bool().unwrap_or(false).into();
        }
    }
    let (rest, _) = all(&server, "/repos/harbour/checkout/commits?per_page=100", None).await;
    let oids: Vec<_> = commits.iter().map(|commit| commit["oid"].clone()).collect();
    assert_eq!(oids, rest.iter().map(|commit| commit["sha"].clone()).collect::<Vec<_>>(), "both in the same order");
    assert!(commits.len() > 100, "more than a page");
    let numbers: HashSet<_> = pulls.iter().map(|pull| pull["number"].as_i64().unwrap()).collect();
    assert_eq!((numbers.len(), pulls.len()), (repository.pulls.len(), repository.pulls.len()));
    let updated: Vec<_> = pulls.iter().map(|pull| pull["updatedAt"].as_str().unwrap()).collect();
    assert!(updated.is_sorted_by(|one, other| one >= other), "the latest change first");
    let incidents = repository.issues.iter().filter(|issue| issue.labels.iter().any(|it| it == "incident")).count();
    assert_eq!(issues.len(), incidents);
    let bot = pulls.iter().find(|pull| pull["author"]["__typename"] == "Bot").unwrap();
    assert_eq!(bot["author"]["login"], "dependabot", "without what REST adds");
    assert!(pulls.iter().any(|pull| pull["author"].is_null()), "somebody's account is gone");
    assert!(server.traffic().points() >= server.traffic().graphql() as u64);
}

#[tokio::test]
async fn a_change_between_two_pages_moves_no_page() {
    let server = small().await;
    let query = "query ($after: String) { repository(owner: \"harbour\", name: \"checkout\") { pullRequests(first: 20, \
                 after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) { pageInfo { hasNextPage endCursor } \
                 nodes { number } } } }";
    let before: HashSet<_> =
        server.organisation(|it| it.repository("checkout").pulls.iter().map(|pull| pull.number).collect());
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = ask(&server, query, json!({"after": after})).await;
        let pulls = &answer["data"]["repository"]["pullRequests"];
        found.extend(pulls["nodes"].as_array().unwrap().iter().map(|pull| pull["number"].as_i64().unwrap()));
        server.organisation(|it| {
            it.push("checkout", "new", "adao", "new");
            it.open_pull("checkout", "new", "adao", "New", None)
        });
        if pulls["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = pulls["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(found.len(), before.len(), "none twice");
    assert_eq!(found.into_iter().collect::<HashSet<_>>(), before);
}

#[tokio::test]
async fn a_cursor_of_the_history_is_a_commit_and_an_offset() {
    let server = small().await;
    let query = "{ repository(owner: \"harbour\", name: \"checkout\") { defaultBranchRef { target { ... on Commit { \
                 oid history(first: 3) { pageInfo { endCursor } } } } } } }";
    let answer = ask(&server, query, json!({})).await;
    let target = &answer["data"]["repository"]["defaultBranchRef"]["target"];
    let cursor = target["history"]["pageInfo"]["endCursor"].as_str().unwrap();
    assert_eq!(cursor, format!("{} 2", target["oid"].as_str().unwrap()));
}

#[tokio::test]
async fn deployments_are_found_by_their_ids() {
    let server = small().await;
    let (rest, _) = all(&server, "/repos/harbour/checkout/deployments?per_page=100", None).await;
    let mut ids: Vec<_> = rest.iter().take(99).map(|it| it["node_id"].clone()).collect();
    ids.push("DE_kwDOnothing".into());
    let answer = ask(&server, DEPLOYMENTS, json!({"ids": ids})).await;
    let nodes = answer["data"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), ids.len());
    for (node, rest) in nodes.iter().zip(&rest) {
        assert_eq!((&node["databaseId"], &node["id"]), (&rest["id"], &rest["node_id"]));
    }
    assert!(nodes.iter().any(|node| node["statuses"]["nodes"][1]["state"] == "IN_PROGRESS"), "{nodes:#?}");
    assert!(nodes.last().unwrap().is_null());
    let last = nodes.len() - 1;
    assert_eq!(answer["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(answer["errors"][0]["path"], json!(["nodes", last]));
}

#[tokio::test]
async fn what_a_token_may_not_see_is_null_and_an_error() {
    let server = small().await;
    let (rest, _) = all(&server, "/repos/harbour/checkout/deployments", None).await;
    server.faults(|faults| {
        faults.denied.push(Denied { repository: Some("checkout".to_owned()), part: Part::Deployments, status: 403 });
    });
    let answer = ask(&server, DEPLOYMENTS, json!({"ids": [rest[0]["node_id"]]})).await;
    assert_eq!((&answer["data"]["nodes"], &answer["errors"][0]["type"]), (&json!([null]), &"FORBIDDEN".into()));
    let query = "{ repository(owner: \"harbour\", name: \"checkout\") { id deployments(first: 2) { nodes { id } } } }";
    let answer = ask(&server, query, json!({})).await;
    assert_eq!(answer["data"]["repository"]["deployments"]["nodes"], json!([null, null]));
    assert_eq!(answer["errors"][1]["path"], json!(["repository", "deployments", "nodes", 1]));
    let query = "{ repository(owner: \"harbour\", name: \"nothing\") { id } rateLimit { cost } }";
    let answer = ask(&server, query, json!({})).await;
    assert_eq!((&answer["data"]["repository"], &answer["errors"][0]["type"]), (&Value::Null, &"NOT_FOUND".into()));
    assert_eq!(answer["data"]["rateLimit"]["cost"], 1);
}

#[tokio::test]
async fn an_owner_has_repositories() {
    let server = small().await;
    let answer = ask(&server, REPOSITORIES, json!({"login": "harbour", "after": null})).await;
    let repositories = &answer["data"]["repositoryOwner"]["repositories"];
    assert_eq!(repositories["totalCount"], 6);
    let nodes = repositories["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|it| it["isEmpty"] == true && it["pushedAt"].is_null()));
    let answer = ask(&server, REPOSITORIES, json!({"login": "nobody-at-all"})).await;
    assert_eq!(answer, json!({"data": {"repositoryOwner": null}}));
}

#[tokio::test]
async fn a_connection_wants_a_size_of_at_most_a_hundred() {
    let server = small().await;
    for (arguments, kind) in [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(first: 1, after: \"x\")", "INVALID_CURSOR_ARGUMENTS"),
    ] {
        let query = format!(
            "{{ repository(owner: \"harbour\", name: \"checkout\") {{ issues{arguments} {{ totalCount }} }} }}"
        );
        let answer = ask(&server, &query, json!({})).await;
        assert_eq!(answer["errors"][0]["type"], kind);
    }
    let answer = ask(&server, "{ nonsense }", json!({})).await;
    assert!(answer.get("data").is_none() && answer["errors"][0]["message"].is_string());
}
