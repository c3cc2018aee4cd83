//! GitHub from end to end: a server that answers like it, its history pulled, pushed, and both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use vigie_ingest::connector::Pool;
use vigie_ingest::pull::github::{Access, GitHub};
use vigie_peerkit::github::{Denied, GitHub as Server, Organisation, Part, Secondary, Size};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::house::{House, Site, facts, settle};
use crate::pulling::{PRODUCTION, another, pull, pulled, told};

store_test_suite! {
    the_history_is_the_servers,
    pulled_and_pushed_it_counts_once,
    what_is_new_is_asked_for_alone,
    an_issue_that_loses_its_label_is_no_incident,
    a_large_repository_takes_few_requests,
    a_pull_that_is_cut_off_goes_on,
    what_may_not_be_seen_is_told_and_the_rest_arrives,
}

/// Workflows and releases are deployments of their own: here GitHub's deployments are enough.
pub fn site() -> Site {
    Site::new().unmapped()
}

/// The pull of the whole organisation, by a token.
pub fn pull_of(server: &Server, site: &Site) -> GitHub {
    let token = site.folder.path().join("token");
    std::fs::write(&token, "ghp_made_up").unwrap();
    let mapping = site.mapping();
    GitHub {
        url: server.url().to_owned(),
        repositories: vec!["harbour".to_owned()],
        exclude: Vec::new(),
        access: Access::Token(token),
        source: "github".to_owned(),
        hooks: mapping.hooks.clone(),
        pool: Arc::new(Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits)),
        event_bytes: mapping.event_bytes,
        clones: site.folder.path().join("clones"),
        pause: Duration::from_millis(1),
    }
}

/// Pushes what happened from a place on.
pub async fn push(house: &House, server: &Server, skip: usize) {
    for (number, (kind, body)) in server.organisation(|all| all.deliveries_after(skip)).into_iter().enumerate() {
        let id = format!("{skip}-{number}");
        let headers = [("x-github-event", kind), ("x-github-delivery", id.as_str())];
        let heard = house.post("/v1/hooks/github", &headers, body.to_string()).await;
        assert!(heard.accepted(), "{heard:?}");
    }
    house.settle().await;
}

/// What the server's own data says of a repository's deployments into production that ended, and of its incidents.
fn truth(server: &Server) -> BTreeMap<String, (usize, usize)> {
    server.organisation(|all| {
        let repositories = all.repositories.iter().filter(|repository| repository.head().is_some());
        let counted = repositories.map(|repository| {
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
    assert!(facts(&engine).iter().any(|service| service.changes.iter().any(|change| change.pull_request.is_some())));
    engine.shutdown().await;
    server.stop().await;
}

async fn pulled_and_pushed_it_counts_once(database: TestDatabase) {
    let server =
        Server::serve(Organisation::new(3, Size { repositories: 3, days: 20, pulls: 12, ..Size::small() })).await;
    // Pulled, then pushed.
    let site = site();
    let house = site.serve(&database).await;
    pulled(&house.engine, &pull_of(&server, &site)).await;
    let alone = told(&facts(&house.engine));
    push(&house, &server, 0).await;
    let first = facts(&house.engine);
    assert_eq!(told(&first), alone);
    house.stop().await;
    // Pushed, then pulled.
    let other = another(&database).await;
    let house = site.serve(&other).await;
    push(&house, &server, 0).await;
    pulled(&house.engine, &pull_of(&server, &site)).await;
    assert_eq!(facts(&house.engine), first);
    house.stop().await;
    server.stop().await;
}

async fn what_is_new_is_asked_for_alone(database: TestDatabase) {
    let size = Size { repositories: 1, days: 60, pulls: 120, ..Size::small() };
    let server = Server::serve(Organisation::new(5, size)).await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let site = site();
    let engine = site.engine(&database).await;
    let source = GitHub { repositories: vec![format!("harbour/{name}")], ..pull_of(&server, &site) };
    pulled(&engine, &source).await;
    let before = facts(&engine);

    server.forget_traffic();
    let again = pulled(&engine, &source).await;
    assert_eq!(again.accepted, 0);
    assert!(server.traffic().requests.len() <= 4, "{:#?}", server.traffic().requests);
    assert_eq!(facts(&engine), before);

    server.forget_traffic();
    server.organisation(|all| {
        let sha = all.push(&name, "main", "adao", "A change");
        let deployment = all.deploy(&name, "production", &sha, "adao", None);
        all.deployment_status(&name, deployment, "success");
    });
    let more = pulled(&engine, &source).await;
    assert!(more.accepted > 0);
    assert!(server.traffic().requests.len() <= 6, "{:#?}", server.traffic().requests);
    assert_eq!(told(&facts(&engine)).0[&name], told(&before).0[&name] + 1);

    // A branch that was rewritten is read anew, and what was there stays.
    server.organisation(|all| all.force_push(&name, "main", "adao", 2, "Another history"));
    let rewritten = pulled(&engine, &source).await;
    assert!(rewritten.accepted > 0 && rewritten.notes.is_empty(), "{rewritten:?}");
    engine.shutdown().await;
    server.stop().await;
}

async fn an_issue_that_loses_its_label_is_no_incident(database: TestDatabase) {
    let size = Size { repositories: 1, days: 30, pulls: 4, ..Size::small() };
    let server = Server::serve(Organisation::new(5, size)).await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let open = |title: &str| server.organisation(|all| all.open_issue(&name, "adao", title, &["incident"]));
    let (kept, lost, back) = (open("Down"), open("Only slow"), open("Down again"));
    let site = site();
    let engine = site.engine(&database).await;
    let source = GitHub { repositories: vec![format!("harbour/{name}")], ..pull_of(&server, &site) };
    pulled(&engine, &source).await;
    let id = |number: i64| format!("harbour/{name}#{number}");
    let incidents = || {
        let all: Vec<String> =
            facts(&engine).iter().flat_map(|own| own.incidents.iter()).map(|it| it.id.to_string()).collect();
        [kept, lost, back].map(|number| all.contains(&id(number)))
    };
    assert_eq!(incidents(), [true, true, true]);

    server.organisation(|all| {
        all.unlabel_issue(&name, lost, "adao", "incident");
        all.close_issue(&name, lost, "adao");
        all.unlabel_issue(&name, back, "adao", "incident");
        all.label_issue(&name, back, "adao", "incident");
        all.label_issue(&name, kept, "adao", "bug");
        all.unlabel_issue(&name, kept, "adao", "bug");
        // No incident ever.
        all.open_issue(&name, "adao", "A typo", &["bug"]);
    });
    pulled(&engine, &source).await;
    assert_eq!(incidents(), [true, false, true]);
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    engine.shutdown().await;
    server.stop().await;
}

async fn a_large_repository_takes_few_requests(database: TestDatabase) {
    let size = Size { repositories: 1, people: 20, days: 365, pulls: 1_200 };
    let server = Server::serve(Organisation::new(5, size)).await;
    let (name, pulls, deployments) = server.organisation(|all| {
        let own = &all.repositories[0];
        (own.name.clone(), own.pulls.len(), own.deployments.len())
    });
    assert!(pulls >= 1_200 && deployments >= 900, "{pulls} pull requests, {deployments} deployments");
    let site = site();
    let engine = site.engine(&database).await;
    let source = GitHub { repositories: vec![format!("harbour/{name}")], ..pull_of(&server, &site) };
    let result = pulled(&engine, &source).await;
    let read: Vec<u64> = result.summary.read.iter().map(|(count, ..)| *count).collect();
    assert_eq!(read[1..3], [pulls as u64, deployments as u64]);
    let asked = server.traffic().requests.len();
    assert!(asked <= 120, "{asked} requests, {} points", server.traffic().points());
    engine.shutdown().await;
    server.stop().await;
}

async fn a_pull_that_is_cut_off_goes_on(database: TestDatabase) {
    let server = Server::serve(Organisation::new(9, Size::small())).await;
    let site = site();
    let straight = site.engine(&database).await;
    let whole = pulled(&straight, &pull_of(&server, &site)).await.accepted;
    let expected = facts(&straight);
    straight.shutdown().await;

    let other = another(&database).await;
    let engine = site.engine(&other).await;
    let source = pull_of(&server, &site);
    server.faults(|faults| {
        faults.every = Some(7);
        faults.cut_every = Some(5);
        faults.partial_every = Some(3);
    });
    // Twice a request in the middle is refused for longer than a run waits.
    for after in [12, 4] {
        // Several, as the answer of one may be that which is cut.
        let limit = Secondary { after, requests: 3, status: 403, retry_after: Some(600) };
        server.faults(|faults| faults.secondary = Some(limit));
        let failure = pull(&engine, &source).await.unwrap_err();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(600)), "{failure}");
    }
    server.faults(|faults| faults.secondary = None);
    let rest = pull(&engine, &source).await.unwrap();
    assert!(rest.accepted > 0 && rest.accepted + rest.duplicates < whole, "it began anew: {rest:?}");
    settle(&engine).await;
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}

async fn what_may_not_be_seen_is_told_and_the_rest_arrives(database: TestDatabase) {
    let server = Server::serve(Organisation::new(7, Size::small())).await;
    let site = site();
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &pull_of(&server, &site)).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    let all = [Part::Deployments, Part::Commits, Part::Pulls, Part::Issues];
    for part in all {
        server.faults(|faults| faults.denied = vec![Denied { repository: None, part, status: 403 }]);
        let result = pulled(&engine, &pull_of(&server, &site)).await;
        assert!(result.accepted > 0 || part != Part::Deployments, "the rest arrives");
        let is_told = |note: &String| match part {
            Part::Deployments => {
                note.contains("no deployments: GitHub answers 403") && note.contains("deployments=read")
            }
            _ => note.contains("harbour/") && note.contains("Resource not accessible"),
        };
        assert!(result.notes.iter().any(is_told), "{part:?}: {:?}", result.notes);
    }
    // What was not seen arrives once it may be seen.
    server.faults(|faults| faults.denied.clear());
    pulled(&engine, &pull_of(&server, &site)).await;
    assert_eq!(facts(&engine), expected);
    let fresh = another(&database).await;
    let other = site.engine(&fresh).await;
    server.faults(|faults| {
        let denied = |part| Denied { repository: None, part, status: 403 };
        faults.denied = all.map(denied).to_vec();
    });
    pulled(&other, &pull_of(&server, &site)).await;
    assert_eq!(facts(&other).len(), 0);
    server.faults(|faults| faults.denied.clear());
    pulled(&other, &pull_of(&server, &site)).await;
    assert_eq!(facts(&other), expected);
    other.shutdown().await;

    server.faults(|faults| faults.token = Some("another".to_owned()));
    let refused = pull(&engine, &pull_of(&server, &site)).await.unwrap_err();
    assert!(refused.to_string().contains("GitHub does not know the token"), "{refused}");
    engine.shutdown().await;
    server.stop().await;
}
