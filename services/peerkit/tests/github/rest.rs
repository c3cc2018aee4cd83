//! REST as a client sees it.

use std::collections::HashSet;

use serde_json::Value;
use vigie_peerkit::github::{GitHub, Merge, Organisation, Size};

use super::{all, client, get, json_of, next, small};

fn ids(items: &[Value], field: &str) -> HashSet<String> {
    items.iter().map(|item| item[field].to_string()).collect()
}

#[tokio::test]
async fn paging_ends_and_shows_everything_once() {
    let server = small().await;
    let repository = server.organisation(|it| it.repository("checkout").clone());
    let (commits, pages) = all(&server, "/repos/harbour/checkout/commits?per_page=7", None).await;
    assert_eq!(pages, commits.len().div_ceil(7));
    assert_eq!(ids(&commits, "sha").len(), commits.len());
    let known = ids(&commits, "sha");
    for commit in &commits {
        for parent in commit["parents"].as_array().unwrap() {
            assert!(known.contains(&parent["sha"].to_string()), "{parent} is in the history");
        }
    }
    let (deployments, _) = all(&server, "/repos/harbour/checkout/deployments?per_page=10", None).await;
    assert_eq!(deployments.len(), repository.deployments.len());
    assert!(deployments.is_sorted_by_key(|it| -it["id"].as_i64().unwrap()), "newest first");
    let (runs, _) = all(&server, "/repos/harbour/checkout/actions/runs?per_page=50", Some("workflow_runs")).await;
    assert_eq!(runs.len(), repository.runs.len());
    let (issues, _) = all(&server, "/repos/harbour/checkout/issues?state=all&per_page=20", None).await;
    assert_eq!(issues.len(), repository.issues.len() + repository.pulls.len(), "pull requests are issues too");
    let (repositories, _) = all(&server, "/orgs/harbour/repos?per_page=2", None).await;
    assert_eq!(repositories.len(), 6);
    let (deliveries, _) = all(&server, "/app/hook/deliveries?per_page=100", None).await;
    assert!(!deliveries.is_empty() && deliveries.is_sorted_by_key(|it| -it["id"].as_i64().unwrap()), "newest first");
    let newest = server.organisation(|it| it.deliveries().len() - 1);
    assert_eq!(deliveries[0]["guid"], Organisation::delivery_id(newest).as_str());
    let oldest = deliveries.last().unwrap()["delivered_at"].as_str().unwrap();
    assert!(oldest >= "2026-06-28", "those of three days are kept: {oldest}");
}

#[tokio::test]
async fn more_than_a_hundred_to_a_page_are_a_hundred() {
    let server = small().await;
    let response = get(&server, "/repos/harbour/checkout/actions/runs?per_page=500").await;
    assert!(next(&response).unwrap().contains("/repositories/"), "links name the repository by its id");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["workflow_runs"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn what_has_not_changed_costs_nothing() {
    let server = small().await;
    let path = "/repos/harbour/checkout/deployments?per_page=5";
    let first = get(&server, path).await;
    let (tag, left) = (first.headers()["etag"].clone(), first.headers()["x-ratelimit-remaining"].clone());
    let again = || client().get(format!("{}{path}", server.url())).header("if-none-match", tag.clone()).send();
    let second = again().await.unwrap();
    assert_eq!(second.status(), 304);
    assert_eq!(second.headers()["x-ratelimit-remaining"], left);
    assert_eq!(second.bytes().await.unwrap().len(), 0);
    server.organisation(|it| {
        let head = it.repository("checkout").head().unwrap().clone();
        it.deploy("checkout", "production", &head, "harbour-deploy", None)
    });
    assert_eq!(again().await.unwrap().status(), 200);
    assert_eq!(server.traffic().not_modified(), 1);
    assert_eq!(server.traffic().rest(), 3);
}

#[tokio::test]
async fn comparisons_know_what_is_ahead_and_behind() {
    let server = small().await;
    let (base, heads) = server.organisation(|it| {
        let base = it.repository("checkout").head().unwrap().clone();
        let heads: Vec<_> = (0..300).map(|index| it.push("checkout", "main", "adao", &format!("{index}"))).collect();
        (base, heads)
    });
    let path = |base: &str, head: &str| format!("/repos/harbour/checkout/compare/{base}...{head}");
    let unpaged = json_of(&server, &path(&base, "main")).await;
    assert_eq!((&unpaged["status"], &unpaged["ahead_by"]), (&"ahead".into(), &300.into()));
    assert_eq!(unpaged["commits"].as_array().unwrap().len(), 250);
    let (commits, _) = all(&server, &(path(&base, "main") + "?per_page=100"), Some("commits")).await;
    let shas: Vec<_> = commits.iter().map(|commit| commit["sha"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shas, heads, "oldest first");
    assert_eq!(json_of(&server, &path("main", &base)).await["status"], "behind");
    assert_eq!(json_of(&server, &path(&base, &base)).await["status"], "identical");
    let side = server.organisation(|it| it.push("checkout", "side", "adao", "side"));
    let last = server.organisation(|it| it.push("checkout", "main", "adao", "main"));
    assert_eq!(json_of(&server, &path("main", &side)).await["status"], "diverged");
    server.organisation(|it| it.force_push("checkout", "main", "adao", 3, "instead"));
    assert_eq!(get(&server, &path(&last, "main")).await.status(), 404, "that commit is gone");
}

#[tokio::test]
async fn a_former_name_leads_to_the_repository() {
    let server = small().await;
    let id = server.organisation(|it| {
        it.rename("checkout", "till");
        it.repository("till").id
    });
    let response = get(&server, "/repos/harbour/checkout/commits?per_page=3").await;
    assert_eq!(response.status(), 301);
    let to = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("{}/repositories/{id}/commits?per_page=3", server.url()));
    assert_eq!(client().get(to).send().await.unwrap().status(), 200);
    assert_eq!(json_of(&server, "/repos/harbour/till").await["full_name"], "harbour/till");
    assert_eq!(get(&server, "/repos/harbour/nothing").await.status(), 404);
}

#[tokio::test]
async fn merges_are_as_they_were_asked_for() {
    let server = small().await;
    let parents = async |how: Merge, branch: &'static str| {
        let sha = server.organisation(|it| {
            it.push("checkout", branch, "adao", "one");
            it.push("checkout", branch, "adao", "two");
            let number = it.open_pull("checkout", branch, "adao", "Title", None);
            it.merge("checkout", number, "adao", how)
        });
        let commit = json_of(&server, &format!("/repos/harbour/checkout/commits/{sha}")).await;
        commit["parents"].as_array().unwrap().len()
    };
    assert_eq!(parents(Merge::Squash, "a").await, 1);
    assert_eq!(parents(Merge::Commit, "b").await, 2);
    assert_eq!(parents(Merge::Rebase, "c").await, 1);
}

#[tokio::test]
async fn no_filter_shows_more_than_a_thousand_runs() {
    let server = small().await;
    server.organisation(|it| {
        let head = it.repository("checkout").head().unwrap().clone();
        for _ in 0..1_100 {
            it.start_run("checkout", "ci", "push", "main", &head, "adao");
        }
    });
    let day = "created=2026-07-01T00:00:00Z..2026-07-01T23:59:59Z";
    let path = format!("/repos/harbour/checkout/actions/runs?per_page=100&event=push&{day}");
    let (runs, _) = all(&server, &path, Some("workflow_runs")).await;
    assert_eq!(runs.len(), 1_000);
    let path = "/repos/harbour/checkout/actions/runs?created=2026-07-01T00:00:00Z..2026-07-01T00:05:00Z&per_page=1";
    let slice = json_of(&server, path).await["total_count"].as_u64().unwrap();
    assert!((250..=301).contains(&slice), "{slice} in five minutes");
}

#[tokio::test]
async fn an_app_gets_a_token() {
    let server = small().await;
    server.faults(|faults| faults.token = Some("other".to_owned()));
    assert_eq!(get(&server, "/installation/repositories").await.status(), 401);
    let installations = json_of(&server, "/app/installations").await;
    let url = installations[0]["access_tokens_url"].as_str().unwrap();
    let response = client().post(url).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let token = response.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let url = format!("{}/installation/repositories", server.url());
    let seen = reqwest::Client::new().get(url).bearer_auth(token).header("user-agent", "tests").send().await.unwrap();
    assert_eq!(seen.json::<Value>().await.unwrap()["total_count"], 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_ask_at_once() {
    let server = small().await;
    let asked: Vec<_> = (0..60)
        .map(|page| {
            let url = format!("{}/repos/harbour/checkout/commits?per_page=1&page={page}", server.url());
            tokio::spawn(async move { client().get(url).send().await.unwrap().status().as_u16() })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), 200);
    }
    let traffic = server.traffic();
    assert_eq!((traffic.rest(), traffic.to("/commits").len()), (60, 60));
}

#[tokio::test]
async fn an_empty_repository_has_no_commits() {
    let server = GitHub::serve(Organisation::new(1, Size { repositories: 5, people: 3, days: 20, pulls: 9 })).await;
    let (repositories, _) = all(&server, "/orgs/harbour/repos?sort=full_name&direction=asc", None).await;
    let empty = repositories.iter().find(|it| it["pushed_at"].is_null()).unwrap();
    let path = format!("/repos/{}/commits", empty["full_name"].as_str().unwrap());
    assert_eq!(get(&server, &path).await.status(), 409);
    assert!(repositories.iter().any(|it| it["archived"] == true));
    server.stop().await;
}
