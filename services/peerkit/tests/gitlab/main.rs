//! The server that answers like GitLab, tested as what reads from it would.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

use reqwest::{Client, Response};
use serde_json::Value;
use vigie_peerkit::github::{Organisation, Size};
use vigie_peerkit::gitlab::{GitLab, deliveries_after};

async fn small() -> GitLab {
    GitLab::serve(Organisation::new(7, Size::small())).await
}

async fn get(server: &GitLab, path: &str, etag: Option<&str>) -> Response {
    let request = Client::new().get(format!("{}/api/v4/{path}", server.url())).bearer_auth("secret");
    let request = etag.into_iter().fold(request, |request, etag| request.header("if-none-match", etag));
    request.send().await.unwrap()
}

async fn json_of(server: &GitLab, path: &str) -> Value {
    get(server, path, None).await.json().await.unwrap()
}

fn header(response: &Response, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().unwrap().to_owned())
}

/// The query of the next page.
fn next(response: &Response) -> Option<String> {
    let links = header(response, "link")?;
    let link = links.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
    let url = link.split('>').next().unwrap().trim_start_matches('<').to_owned();
    assert!(url.starts_with("https://gitlab.example.com/api/v4/"), "{url}");
    Some(url.split_once('?').unwrap().1.to_owned())
}

/// The numbers of all items of a list, and how many pages it took.
async fn all(server: &GitLab, path: &str, first: &str, id: &str) -> (Vec<i64>, usize) {
    let (mut query, mut ids, mut pages) = (Some(first.to_owned()), Vec::new(), 0);
    while let Some(asked) = query {
        let response = get(server, &format!("{path}?{asked}"), None).await;
        assert_eq!(response.status(), 200, "{asked}");
        query = next(&response);
        let body: Value = response.json().await.unwrap();
        ids.extend(body.as_array().unwrap().iter().map(|item| item[id].as_i64().unwrap()));
        pages += 1;
    }
    (ids, pages)
}

#[tokio::test]
async fn lists_have_pages() {
    let server = small().await;
    let (mut merge_requests, mut jobs, id) = server.organisation(|all| {
        let own = &all.repositories[0];
        let numbers: Vec<i64> = own.pulls.iter().map(|pull| pull.number).collect();
        let jobs: Vec<i64> = own.runs.iter().map(|run| run.id).collect();
        (numbers, jobs, own.id)
    });
    let (mut found, pages) = all(&server, &format!("projects/{id}/merge_requests"), "per_page=10", "iid").await;
    found.sort_unstable();
    merge_requests.sort_unstable();
    assert_eq!((found, pages), (merge_requests.clone(), merge_requests.len().div_ceil(10)));
    // By falling numbers from behind a cursor on.
    let keyset = "pagination=keyset&order_by=id&sort=desc&per_page=25";
    let (found, pages) = all(&server, &format!("projects/{id}/jobs"), keyset, "id").await;
    jobs.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!((found, pages), (jobs.clone(), jobs.len().div_ceil(25)));
    let refused = get(&server, &format!("projects/{id}/jobs?pagination=keyset&order_by=name"), None).await;
    assert_eq!(refused.status(), 405);
    server.stop().await;
}

#[tokio::test]
async fn what_changed_is_told_from_an_instant_on_in_its_order() {
    let server = small().await;
    let id = server.organisation(|all| all.repositories[0].id);
    for list in ["merge_requests", "issues", "deployments"] {
        let asked = format!("projects/{id}/{list}?order_by=updated_at&sort=asc&per_page=100&updated_after=");
        let everything = json_of(&server, &format!("{asked}1970-01-01T00:00:00Z")).await;
        let instants: Vec<&str> =
            everything.as_array().unwrap().iter().map(|item| item["updated_at"].as_str().unwrap()).collect();
        assert!(instants.is_sorted() && instants.len() > 2, "{list}: {instants:?}");
        // The instant itself belongs to it.
        let rest = json_of(&server, &format!("{asked}{}", instants[2])).await;
        assert_eq!(rest[0]["updated_at"], instants[2]);
    }
    let unpaired = get(&server, &format!("projects/{id}/deployments?updated_after=2026-01-01T00:00:00Z"), None).await;
    assert_eq!(unpaired.status(), 400);
    server.stop().await;
}

#[tokio::test]
async fn an_answer_says_what_it_costs_and_whether_it_changed() {
    let server = small().await;
    let first = get(&server, "groups/harbour/projects?include_subgroups=true", None).await;
    assert_eq!(header(&first, "x-total").as_deref(), Some("6"));
    let left = |response: &Response| header(response, "ratelimit-remaining").unwrap().parse::<u64>().unwrap();
    let (etag, before) = (header(&first, "etag").unwrap(), left(&first));
    let again = get(&server, "groups/harbour/projects?include_subgroups=true", Some(&etag)).await;
    assert_eq!((again.status().as_u16(), left(&again)), (304, before - 1));
    let stranger = Client::new().get(format!("{}/api/v4/projects/1", server.url())).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn the_history_has_its_deliveries() {
    let organisation = Organisation::new(7, Size::small());
    let all = deliveries_after(&organisation, 0);
    let count = |kind: &str| all.iter().filter(|(own, _)| *own == kind).count();
    for kind in
        ["Push Hook", "Merge Request Hook", "Note Hook", "Deployment Hook", "Job Hook", "Release Hook", "Issue Hook"]
    {
        assert!(count(kind) > 0, "{kind}");
    }
    let of_a_project = |body: &Value| body["project"]["path_with_namespace"].as_str().unwrap().starts_with("harbour/");
    assert!(all.iter().all(|(_, body)| of_a_project(body) && body["object_kind"].is_string()));
}
