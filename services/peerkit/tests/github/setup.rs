//! What a site is set up by: teams, environments, tags, workflows.

use serde_json::json;
use vigie_peerkit::github::{Denied, Part};

use super::{all, ask, get, small};

#[tokio::test]
async fn teams_have_their_parents_and_what_they_may_do() {
    let server = small().await;
    server.organisation(|it| {
        it.create_team("commerce", "Commerce", None);
        it.create_team("payments", "Payments", Some("commerce"));
        it.grant("payments", "checkout", "MAINTAIN");
    });
    let query =
        "{ organization(login: \"harbour\") { teams(first: 10) { totalCount nodes { slug name parentTeam { slug }
        repositories(first: 10) { totalCount edges { permission node { name } } } } }
        team(slug: \"Payments\") { combinedSlug } } }";
    let told = ask(&server, query, json!({})).await;
    let organization = &told["data"]["organization"];
    assert_eq!(organization["teams"]["totalCount"], 2, "{told}");
    assert_eq!(organization["team"]["combinedSlug"], "harbour/payments");
    let payments = &organization["teams"]["nodes"][1];
    assert_eq!((&payments["name"], &payments["parentTeam"]["slug"]), (&json!("Payments"), &json!("commerce")));
    let edges = json!([{"permission": "MAINTAIN", "node": {"name": "checkout"}}]);
    assert_eq!(payments["repositories"]["edges"], edges);

    server.faults(|faults| faults.denied = vec![Denied { repository: None, part: Part::Teams, status: 403 }]);
    let told = ask(&server, query, json!({})).await;
    assert_eq!((&told["data"]["organization"], &told["errors"][0]["type"]), (&json!(null), &json!("FORBIDDEN")));
}

#[tokio::test]
async fn workflows_have_their_runs_in_both_apis() {
    let server = small().await;
    let name = server.organisation(|it| it.repositories.iter().find(|own| !own.runs.is_empty()).unwrap().name.clone());
    let runs = server.organisation(|it| it.repository(&name).runs.len());
    let path = format!("/repos/harbour/{name}/actions/workflows");
    let (workflows, _) = all(&server, &path, Some("workflows")).await;
    let ids: Vec<_> = workflows.iter().map(|workflow| workflow["node_id"].clone()).collect();
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Workflow { name runs(first: 1) { totalCount } } } }";
    let told = ask(&server, query, json!({"ids": ids})).await;
    let mut counted = 0;
    for (workflow, node) in workflows.iter().zip(told["data"]["nodes"].as_array().unwrap()) {
        let (own, _) = all(&server, &format!("{path}/{}/runs", workflow["id"]), Some("workflow_runs")).await;
        assert!(own.iter().all(|run| run["workflow_id"] == workflow["id"]));
        assert_eq!((&node["name"], &node["runs"]["totalCount"]), (&workflow["name"], &json!(own.len())));
        counted += own.len();
    }
    assert_eq!(counted, runs);
    assert_eq!(get(&server, &format!("{path}/nothing.yml/runs")).await.status(), 404);
}

#[tokio::test]
async fn tags_come_newest_first_and_environments_by_name() {
    let server = small().await;
    server.organisation(|it| {
        it.create_repository("fresh");
        let person = it.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
        for tag in ["v1.10", "v1.9"] {
            let sha = it.push("fresh", "main", &person, "A change");
            it.tag("fresh", tag, &sha);
        }
        let sha = it.push("fresh", "main", &person, "A change");
        it.deploy("fresh", "staging", &sha, &person, None);
        it.create_environment("fresh", "production");
    });
    let query = "{ repository(owner: \"harbour\", name: \"fresh\") {
        refs(refPrefix: \"refs/tags/\", first: 5, orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) {
            totalCount nodes { name prefix } }
        environments(first: 5) { totalCount nodes { name } } } }";
    let told = ask(&server, query, json!({})).await;
    let refs = json!({"totalCount": 2, "nodes": [
        {"name": "v1.9", "prefix": "refs/tags/"}, {"name": "v1.10", "prefix": "refs/tags/"}]});
    let environments = json!({"totalCount": 2, "nodes": [{"name": "production"}, {"name": "staging"}]});
    assert_eq!(told["data"]["repository"], json!({"refs": refs, "environments": environments}));
}
