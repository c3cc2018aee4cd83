//! GitLab from end to end: a server that answers like it, its history pulled, pushed, and both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vigie_ingest::connector::Pool;
use vigie_ingest::pull::gitlab::GitLab;
use vigie_peerkit::github::{Merge, Organisation, Size};
use vigie_peerkit::gitlab::{GitLab as Server, deliveries_after};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::house::{House, Site, facts};
use crate::pulling::{PRODUCTION, another, pull, pulled, told};

mod refusals;

store_test_suite! {
    the_history_is_the_servers,
    pulled_and_pushed_it_counts_once,
    jobs_and_releases_are_deployments_where_a_site_says_so,
    what_is_new_is_asked_for_alone,
    of_a_group_what_changed_is_asked_for_at_once,
    an_incident_that_is_none_any_more_is_gone,
    a_large_project_takes_few_requests,
    groups_patterns_and_what_is_left_out,
}

/// Jobs and releases are deployments of their own: here GitLab's deployments are enough.
fn site() -> Site {
    Site::new().unmapped()
}

/// The pull of the whole group, by a token.
pub fn pull_of(server: &Server, site: &Site) -> GitLab {
    let token_file = site.folder.path().join("token");
    std::fs::write(&token_file, "glpat-made-up").unwrap();
    let mapping = site.mapping();
    GitLab {
        url: server.url().to_owned(),
        projects: vec!["harbour".to_owned()],
        exclude: Vec::new(),
        token_file,
        ca_file: None,
        source: "gitlab".to_owned(),
        hooks: mapping.hooks.clone(),
        pool: Arc::new(Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits)),
        event_bytes: mapping.event_bytes,
        clones: site.folder.path().join("clones"),
        pause: Duration::from_millis(1),
    }
}

/// Pushes everything that happened.
async fn push(house: &House, server: &Server) {
    for (number, (kind, body)) in server.organisation(|all| deliveries_after(all, 0)).into_iter().enumerate() {
        let id = number.to_string();
        let headers = [("x-gitlab-event", kind), ("idempotency-key", id.as_str())];
        let heard = house.post("/v1/hooks/gitlab", &headers, body.to_string()).await;
        assert!(heard.accepted(), "{heard:?}");
    }
    house.settle().await;
    assert_eq!(house.became().await.iter().find(|line| line.starts_with("failed")), None);
}

/// What the server's own data says of a project's deployments into production that ended, and of its incidents.
fn truth(server: &Server) -> BTreeMap<String, (usize, usize)> {
    server.organisation(|all| {
        let counted = all.repositories.iter().map(|repository| {
            let is_over = |state: &str| matches!(state, "success" | "failure" | "error");
            let ended = repository.deployments.iter().filter(|deployment| {
                PRODUCTION.contains(&&*deployment.original_environment)
                    && deployment.statuses.iter().any(|status| is_over(&status.state))
            });
            let incidents =
                repository.issues.iter().filter(|issue| issue.labels.iter().any(|label| label == "incident"));
            (repository.name.clone(), (ended.count(), incidents.count()))
        });
        counted.filter(|(_, (deployments, incidents))| deployments + incidents > 0).collect()
    })
}

async fn the_history_is_the_servers(database: TestDatabase) {
    let server = Server::serve(Organisation::new(7, Size::small())).await;
    let site = site();
    let engine = site.engine(&database).await;
    let result = pulled(&engine, &pull_of(&server, &site)).await;
    assert_eq!(result.notes, [""; 0]);
    let truth = truth(&server);
    let (deployments, incidents) = told(&facts(&engine));
    let expected: BTreeMap<String, usize> =
        truth.iter().filter(|(_, (count, _))| *count > 0).map(|(name, (count, _))| (name.clone(), *count)).collect();
    assert_eq!(deployments, expected);
    assert_eq!(incidents, truth.values().map(|(_, count)| count).sum::<usize>());
    let all = facts(&engine);
    let changes: Vec<_> = all.iter().flat_map(|service| &service.changes).collect();
    assert!(changes.iter().any(|change| change.pull_request.is_some()));
    assert!(changes.iter().any(|change| change.review.is_some()));
    engine.shutdown().await;
    server.stop().await;
}

/// Pulls and pushes, in either order, and compares. Gives what the pull alone told, and both together.
async fn both_ways(database: &TestDatabase, server: &Server, site: &Site) {
    // Pulled, then pushed.
    let house = site.serve(database).await;
    pulled(&house.engine, &pull_of(server, site)).await;
    let alone = told(&facts(&house.engine));
    push(&house, server).await;
    let first = facts(&house.engine);
    assert_eq!(told(&first), alone);
    house.stop().await;
    // Pushed, then pulled.
    let other = another(database).await;
    let house = site.serve(&other).await;
    push(&house, server).await;
    assert_eq!(told(&facts(&house.engine)), alone, "pushed alone");
    pulled(&house.engine, &pull_of(server, site)).await;
    assert_eq!(facts(&house.engine), first);
    house.stop().await;
}

async fn pulled_and_pushed_it_counts_once(database: TestDatabase) {
    let server =
        Server::serve(Organisation::new(3, Size { repositories: 3, days: 20, pulls: 12, ..Size::small() })).await;
    both_ways(&database, &server, &site()).await;
    server.stop().await;
}

async fn jobs_and_releases_are_deployments_where_a_site_says_so(database: TestDatabase) {
    let server =
        Server::serve(Organisation::new(4, Size { repositories: 7, days: 20, pulls: 12, ..Size::small() })).await;
    let settings = json!({"deploy_jobs": ["deploy-*"], "deploy_releases": ["v*"]});
    let site = site().hook("gitlab", "gitlab", &[], settings);
    both_ways(&database, &server, &site).await;
    // Nothing is read twice.
    let other = another(&database).await;
    let engine = site.engine(&other).await;
    let source = pull_of(&server, &site);
    pulled(&engine, &source).await;
    let kinds = |prefix: &str| {
        let all = facts(&engine);
        let rows = all.iter().flat_map(|service| &service.deployments).filter(|row| row.id.starts_with(prefix));
        rows.count()
    };
    assert!(kinds("job-") > 0 && kinds("release-") > 0, "{} {}", kinds("job-"), kinds("release-"));
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    engine.shutdown().await;
    server.stop().await;
}

async fn what_is_new_is_asked_for_alone(database: TestDatabase) {
    let size = Size { repositories: 1, days: 60, pulls: 120, ..Size::small() };
    let server = Server::serve(Organisation::new(5, size)).await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let site = site();
    let engine = site.engine(&database).await;
    let source = GitLab { projects: vec![format!("harbour/{name}")], ..pull_of(&server, &site) };
    pulled(&engine, &source).await;
    let before = facts(&engine);

    // What lists look like from where they stand on is known only once they were asked for so.
    pulled(&engine, &source).await;
    server.forget_traffic();
    let again = pulled(&engine, &source).await;
    assert_eq!(again.accepted + again.duplicates, 0);
    let traffic = server.traffic();
    assert_eq!((traffic.requests.len(), traffic.not_modified()), (5, 4), "{:#?}", traffic.requests);
    assert_eq!(facts(&engine), before);

    server.forget_traffic();
    server.organisation(|all| {
        let sha = all.push(&name, "main", "adao", "A change");
        let deployment = all.deploy(&name, "production", &sha, "adao", None);
        all.deployment_status(&name, deployment, "success");
    });
    let more = pulled(&engine, &source).await;
    assert!(more.accepted > 0);
    assert!(server.traffic().requests.len() <= 7, "{:#?}", server.traffic().requests);
    assert_eq!(told(&facts(&engine)).0[&name], told(&before).0[&name] + 1);

    // A branch that was rewritten is read anew, and what was there stays.
    server.organisation(|all| all.force_push(&name, "main", "adao", 2, "Another history"));
    let rewritten = pulled(&engine, &source).await;
    assert!(rewritten.accepted > 0 && rewritten.notes.is_empty(), "{rewritten:?}");
    engine.shutdown().await;
    server.stop().await;
}

async fn of_a_group_what_changed_is_asked_for_at_once(database: TestDatabase) {
    let server = Server::serve(Organisation::new(7, Size::small())).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    pulled(&engine, &source).await;
    pulled(&engine, &source).await;
    server.forget_traffic();
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    // The list of projects; merge requests and issues of the group, and each of the project that changed last; of each
    // project its branch, which one does not have, and its deployments.
    let traffic = server.traffic();
    assert_eq!((traffic.requests.len(), traffic.not_modified()), (3 + 2 + 5 + 6, 13), "{:#?}", traffic.requests);

    // What changes anywhere is found.
    server.organisation(|all| {
        let name = all.repositories[2].name.clone();
        all.open_issue(&name, "adao", "The till is down", &["incident"]);
        all.push(&name, "fix", "adao", "Mend the till");
        let number = all.open_pull(&name, "fix", "adao", "Mend the till", None);
        all.merge(&name, number, "adao", Merge::Squash);
    });
    let before = told(&facts(&engine)).1;
    server.forget_traffic();
    let more = pulled(&engine, &source).await;
    assert!(more.accepted > 0);
    assert_eq!(told(&facts(&engine)).1, before + 1);
    assert!(server.traffic().requests.len() <= 24, "{:#?}", server.traffic().requests);
    // Nothing is different from what a pull from the beginning says.
    let expected = facts(&engine);
    engine.shutdown().await;
    let fresh = another(&database).await;
    let engine = site.engine(&fresh).await;
    pulled(&engine, &source).await;
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}

async fn an_incident_that_is_none_any_more_is_gone(database: TestDatabase) {
    let size = Size { repositories: 1, days: 20, pulls: 20, ..Size::small() };
    let server = Server::serve(Organisation::new(6, size)).await;
    let (name, numbers) = server.organisation(|all| {
        let name = all.repositories[0].name.clone();
        let open = |_| all.open_issue(&name, "adao", "The till is down", &["incident"]);
        let numbers: Vec<i64> = (0..2).map(open).collect();
        (name, numbers)
    });
    let site = site();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    pulled(&engine, &source).await;
    let before = told(&facts(&engine)).1;
    // One by its label, the other by its type.
    server.organisation(|all| numbers.iter().for_each(|number| all.unlabel_issue(&name, *number, "adao", "incident")));
    pulled(&engine, &source).await;
    assert_eq!(told(&facts(&engine)).1, before - 2);
    server.organisation(|all| all.label_issue(&name, numbers[0], "adao", "incident"));
    pulled(&engine, &source).await;
    assert_eq!(told(&facts(&engine)).1, before - 1);
    engine.shutdown().await;
    server.stop().await;
}

async fn a_large_project_takes_few_requests(database: TestDatabase) {
    let size = Size { repositories: 1, people: 20, days: 365, pulls: 1_200 };
    let server = Server::serve(Organisation::new(5, size)).await;
    let (name, merge_requests, deployments) = server.organisation(|all| {
        let own = &all.repositories[0];
        (own.name.clone(), own.pulls.len(), own.deployments.len())
    });
    assert!(
        merge_requests >= 1_200 && deployments >= 900,
        "{merge_requests} merge requests, {deployments} deployments"
    );
    let site = site();
    let engine = site.engine(&database).await;
    let source = GitLab { projects: vec![format!("harbour/{name}")], ..pull_of(&server, &site) };
    let result = pulled(&engine, &source).await;
    let read: Vec<u64> = result.summary.read.iter().map(|(count, ..)| *count).collect();
    assert_eq!(read[1..3], [merge_requests as u64, deployments as u64]);
    // Two for each merge request, and little else.
    let asked = server.traffic().requests.len() - 2 * merge_requests;
    assert!(asked <= 90, "{asked} requests beside those of {merge_requests} merge requests");
    engine.shutdown().await;
    server.stop().await;
}

async fn groups_patterns_and_what_is_left_out(database: TestDatabase) {
    let server = Server::serve(Organisation::new(7, Size { pulls: 6, days: 10, ..Size::small() })).await;
    let names: Vec<String> = server.organisation(|all| all.repositories.iter().map(|own| own.name.clone()).collect());
    let site = site();
    let engine = site.engine(&database).await;
    let read = async |projects: &[&str], exclude: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let source = GitLab { projects: owned(projects), exclude: owned(exclude), ..pull_of(&server, &site) };
        let told = pull(&engine, &source).await;
        told.map(|told| (told.summary.details["projects"].as_u64().unwrap(), told.notes))
    };
    assert_eq!(read(&["harbour"], &[]).await.unwrap(), (6, Vec::new()));
    assert_eq!(read(&["harbour/platform"], &[]).await.unwrap(), (3, Vec::new()));
    assert_eq!(read(&["harbour"], &["harbour/platform/*"]).await.unwrap(), (3, Vec::new()));
    let own = format!("Harbour/{}", names[0]);
    assert_eq!(read(&[&own, &own], &[]).await.unwrap(), (1, Vec::new()));
    let pattern = format!("harbour/platform/{}*", &names[1][..3]);
    assert_eq!(read(&[&pattern], &[]).await.unwrap(), (1, Vec::new()));
    let (count, notes) = read(&[&own, "harbour/nothing"], &[]).await.unwrap();
    assert!(
        count == 1 && notes[0].contains("harbour/nothing, a project or group on GitLab: there is none"),
        "{notes:?}"
    );
    let former = format!("harbour/platform/{}-old", names[3]);
    let (count, notes) = read(&[&former], &[]).await.unwrap();
    assert!(
        count == 1 && notes[0].contains(&format!("{former} is called harbour/platform/{} now", names[3])),
        "{notes:?}"
    );
    let refused = read(&["elsewhere"], &[]).await.unwrap_err();
    assert!(refused.to_string().contains("or the token may not see it"), "{refused}");
    engine.shutdown().await;
    server.stop().await;
}
