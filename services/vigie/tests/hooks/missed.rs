//! Webhooks of a GitHub App that could not be handed over come with the next pull.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use vigie_ingest::pull::github::{Access, GitHub};
use vigie_peerkit::github::{GitHub as Server, Organisation, Secondary, Size};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::github::{pull_of, site};
use crate::house::{House, Site, facts};
use crate::pulling::{another, pull, pulled};

store_test_suite! {
    what_the_webhook_missed_comes_with_the_next_pull_once,
    what_the_app_may_not_ask_or_github_keeps_no_more_is_no_failure,
    a_run_that_is_cut_off_goes_on_in_the_list,
    what_github_does_not_give_is_asked_for_again,
    a_repository_that_is_silent_loses_no_webhook,
}

/// A key like those that GitHub gives apps.
fn key(file: &Path) {
    let made = Command::new("openssl").args(["genrsa", "-out"]).arg(file).arg("2048").output();
    let made = made.expect("openssl, which makes the key of the app, is installed");
    assert!(made.status.success(), "{made:?}");
}

pub fn pull_as_app(server: &Server, site: &Site) -> GitHub {
    let key_file = site.folder.path().join("app.pem");
    if !key_file.exists() {
        key(&key_file);
    }
    GitHub { access: Access::App { id: 815, key_file, installation: None }, ..pull_of(server, site) }
}

async fn small() -> Server {
    let size = Size { repositories: 2, days: 20, pulls: 6, ..Size::small() };
    Server::serve(Organisation::new(3, size)).await
}

/// Hands over what happened at a place, and notes how it went.
async fn hand_over(house: &House, server: &Server, place: usize) {
    let (kind, body) = server.organisation(|all| all.deliveries()[place].clone());
    let id = Organisation::delivery_id(place);
    let headers = [("x-github-event", kind), ("x-github-delivery", id.as_str())];
    assert!(house.post("/v1/hooks/github", &headers, body.to_string()).await.accepted());
}

/// Something happens, and is handed over with these statuses, one after the other. Gives its place.
fn opens_an_issue(server: &Server, repository: &str, statuses: &[u16]) -> usize {
    server.organisation(|all| {
        let place = all.happened_so_far();
        all.open_issue(repository, "adao", "Down", &["incident"]);
        assert_eq!(all.happened_so_far(), place + 1);
        statuses.iter().for_each(|status| all.handed_over(place, *status));
        place
    })
}

fn fetches(server: &Server) -> usize {
    server.traffic().to("/app/hook/deliveries/").len()
}

async fn what_the_webhook_missed_comes_with_the_next_pull_once(database: TestDatabase) {
    let server = small().await;
    let names: Vec<String> = server.organisation(|all| all.repositories.iter().map(|own| own.name.clone()).collect());
    let site = site();
    let house = site.serve(&database).await;
    let source = GitHub { repositories: vec![format!("harbour/{}", names[0])], ..pull_as_app(&server, &site) };
    let first = pulled(&house.engine, &source).await;
    assert_eq!((first.deliveries, fetches(&server)), (0, 0), "{first:?}");
    assert!(first.accepted > 0);

    // Refused, refused and never answered, refused and then taken, taken, refused and of another repository.
    let refused = opens_an_issue(&server, &names[0], &[503]);
    let silent = opens_an_issue(&server, &names[0], &[503, 0]);
    let again = opens_an_issue(&server, &names[0], &[503, 202]);
    let taken = opens_an_issue(&server, &names[0], &[202]);
    opens_an_issue(&server, &names[1], &[503]);
    for place in [again, taken] {
        hand_over(&house, &server, place).await;
    }
    let second = pulled(&house.engine, &source).await;
    assert_eq!((second.deliveries, fetches(&server)), (2, 2), "{:#?}", server.traffic().to("/app/"));
    assert_eq!(second.summary.read.last(), Some(&(2, "missed webhook", "missed webhooks")));
    let mut kept: Vec<_> = house.deliveries().await.iter().map(|own| (own.tool_id.clone(), own.state)).collect();
    kept.sort();
    let mapped = |place| (Some(Organisation::delivery_id(place)), vigie_engine::DeliveryState::Mapped);
    let mut expected = [refused, silent, again, taken].map(mapped).to_vec();
    expected.sort();
    assert_eq!(kept, expected);
    let before = facts(&house.engine);

    // Not twice, and not though GitHub sends it once more.
    server.organisation(|all| all.handed_over(refused, 503));
    let third = pulled(&house.engine, &source).await;
    assert_eq!((third.deliveries, third.accepted, fetches(&server)), (0, 0, 2));
    assert_eq!(facts(&house.engine), before);
    assert_eq!(house.deliveries().await.len(), 4);
    house.stop().await;
    server.stop().await;
}

async fn what_the_app_may_not_ask_or_github_keeps_no_more_is_no_failure(database: TestDatabase) {
    let server = small().await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    opens_an_issue(&server, &name, &[503]);
    let site = site();
    let house = site.serve(&database).await;
    let source = pull_as_app(&server, &site);
    server.faults(|faults| faults.refused = vec![("/app/hook/".to_owned(), 403)]);
    let first = pulled(&house.engine, &source).await;
    assert!(first.accepted > 0 && first.deliveries == 0);
    let note =
        "webhooks that were missed cannot be fetched: GitHub answers 403: Resource not accessible by integration";
    assert_eq!(first.notes, [note]);

    server.faults(|faults| faults.refused.clear());
    server.organisation(|all| all.wait(chrono::TimeDelta::days(4)));
    let later = pulled(&house.engine, &source).await;
    assert_eq!((later.deliveries, later.notes), (0, Vec::new()));
    // A server of one's own has its API elsewhere.
    opens_an_issue(&server, &name, &[503]);
    let own = GitHub { url: format!("{}/api/v3", server.url()), ..pull_as_app(&server, &site) };
    let at_own = pulled(&house.engine, &own).await;
    assert_eq!((at_own.deliveries, at_own.notes, house.deliveries().await.len()), (1, Vec::new(), 1));
    // A token has no webhook of its own.
    let by_token = pulled(&house.engine, &pull_of(&server, &site)).await;
    assert_eq!((by_token.deliveries, by_token.notes), (0, Vec::new()));
    house.stop().await;
    server.stop().await;
}

async fn a_run_that_is_cut_off_goes_on_in_the_list(database: TestDatabase) {
    let server = small().await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let site = site().hook("github", "github", &["secret"], json!({}));
    let house = site.serve(&database).await;
    let source = pull_as_app(&server, &site);
    pulled(&house.engine, &source).await;
    // Three pages of the list.
    for _ in 0..250 {
        opens_an_issue(&server, &name, &[500]);
    }
    server.forget_traffic();
    let limit = Secondary { after: 180, requests: 1, status: 403, retry_after: Some(600) };
    server.faults(|faults| faults.secondary = Some(limit));
    let failure = pull(&house.engine, &source).await.unwrap_err();
    assert!(failure.retry_after().is_some(), "{failure}");
    let before = fetches(&server);
    server.faults(|faults| faults.secondary = None);
    let rest = pulled(&house.engine, &source).await;
    assert!(rest.deliveries > 0 && fetches(&server) < 250 + 100, "{} fetched, {rest:?}", fetches(&server));
    assert!(before > 100 && house.deliveries().await.len() == 250, "{before}");
    house.stop().await;
    server.stop().await;
}

async fn what_github_does_not_give_is_asked_for_again(database: TestDatabase) {
    let server = small().await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let site = site();
    let house = site.serve(&database).await;
    let source = pull_as_app(&server, &site);
    opens_an_issue(&server, &name, &[503]);
    // Long enough ago not to be looked at again anyhow.
    server.organisation(|all| all.wait(chrono::TimeDelta::hours(2)));
    opens_an_issue(&server, &name, &[202]);
    for (silent, what) in [
        ("/app/hook/deliveries/", "a webhook that was missed cannot be fetched: GitHub answers 502"),
        ("/app/hook/deliveries", "webhooks that were missed cannot be fetched: GitHub answers 502"),
    ] {
        server.faults(|faults| faults.silent = vec![silent.to_owned()]);
        let run = pulled(&house.engine, &source).await;
        assert_eq!((run.deliveries, run.notes.len()), (0, 1), "{:?}", run.notes);
        assert!(run.notes[0].starts_with(what), "{:?}", run.notes);
    }
    server.faults(|faults| faults.silent.clear());
    let run = pulled(&house.engine, &source).await;
    assert_eq!((run.deliveries, run.notes), (1, Vec::new()));
    house.stop().await;
    server.stop().await;
}

async fn a_repository_that_is_silent_loses_no_webhook(database: TestDatabase) {
    let server = small().await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let site = site();
    let source = pull_as_app(&server, &site);
    for is_known in [true, false] {
        let fresh = another(&database).await;
        let house = site.serve(&fresh).await;
        if is_known {
            pulled(&house.engine, &source).await;
        }
        opens_an_issue(&server, &name, &[503]);
        server.organisation(|all| all.wait(chrono::TimeDelta::hours(2)));
        opens_an_issue(&server, &name, &[202]);
        server.faults(|faults| faults.silent = vec![format!("\"name\":\"{name}\"")]);
        let silent = pulled(&house.engine, &source).await.deliveries;
        // What it is called is known from the run before.
        assert_eq!(silent, u64::from(is_known));
        server.faults(|faults| faults.silent.clear());
        pulled(&house.engine, &source).await;
        assert!(!house.deliveries().await.is_empty(), "known: {is_known}");
        house.stop().await;
    }
    server.stop().await;
}
