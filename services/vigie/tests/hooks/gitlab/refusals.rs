//! A GitLab that cuts off, limits or does not show what it is asked for.

use std::sync::Arc;
use std::time::Duration;

use vigie_model::{DAY, SetClock};
use vigie_peerkit::github::{Denied, Exhausted, Organisation, Part, Secondary, Size};
use vigie_peerkit::gitlab::GitLab as Server;
use vigie_testkit::{TestDatabase, store_test_suite, time};

use super::{pull_of, site};
use crate::house::{NOON, facts, settle};
use crate::pulling::{another, pull, pulled};

store_test_suite! {
    a_pull_that_is_cut_off_goes_on,
    limits_are_kept,
    what_may_not_be_seen_is_told_and_the_rest_arrives,
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
    });
    // Twice a request in the middle is refused for longer than a run waits.
    for after in [150, 100] {
        // Several, as some are under way at once.
        let limit = Secondary { after, requests: 20, status: 429, retry_after: Some(600) };
        server.faults(|faults| faults.secondary = Some(limit));
        let failure = pull(&engine, &source).await.unwrap_err();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(600)), "{failure}");
        server.faults(|faults| faults.secondary = None);
    }
    let rest = pull(&engine, &source).await.unwrap();
    assert!(rest.accepted > 0 && rest.accepted + rest.duplicates < whole, "it began anew: {rest:?}");
    settle(&engine).await;
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}

async fn limits_are_kept(database: TestDatabase) {
    let size = Size { repositories: 1, days: 20, pulls: 10, ..Size::small() };
    let server = Server::serve(Organisation::new(8, size)).await;
    let site = site();
    let engine = site.engine(&database).await;
    let source = pull_of(&server, &site);
    // A part of the quota is left to others.
    server.faults(|faults| {
        faults.limit = Some(20);
        faults.exhausted = Some(Exhausted { reset_in: 3_600 });
    });
    let failure = pull(&engine, &source).await.unwrap_err();
    let pause = failure.retry_after().unwrap();
    assert!(pause > Duration::from_secs(3_500) && pause <= Duration::from_secs(3_602), "{failure}: {pause:?}");
    server.faults(|faults| faults.limit = None);
    // What GitLab asks for is waited for where it is short.
    server.faults(|faults| {
        faults.secondary = Some(Secondary { after: 3, requests: 2, status: 429, retry_after: Some(0) });
    });
    assert!(pulled(&engine, &source).await.accepted > 0);
    assert_eq!(server.traffic().with_status(429), 3);
    engine.shutdown().await;
    server.stop().await;
}

async fn what_may_not_be_seen_is_told_and_the_rest_arrives(database: TestDatabase) {
    let server = Server::serve(Organisation::new(7, Size::small())).await;
    let mut site = site();
    let clock = Arc::new(SetClock::new(time(NOON)));
    site.clock = clock.clone();
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &pull_of(&server, &site)).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    let all = [
        (Part::Deployments, "no deployments: GitLab answers 403"),
        (Part::Commits, "no commits: GitLab answers 403"),
        (Part::Pulls, "no merge requests: GitLab answers 403"),
        (Part::Issues, "no issues: GitLab answers 403"),
    ];
    for (part, text) in all {
        server.faults(|faults| faults.denied = vec![Denied { repository: None, part, status: 403 }]);
        let result = pulled(&engine, &pull_of(&server, &site)).await;
        assert!(result.accepted > 0 || part != Part::Deployments, "the rest arrives");
        let is_told = |note: &String| {
            note.starts_with("harbour/") && note.contains(text) && note.contains("read_api, and the role Reporter")
        };
        assert!(result.notes.iter().any(is_told), "{part:?}: {:?}", result.notes);
        // A group does not say what it hides: each project is asked itself once a day.
        clock.advance(DAY);
    }
    server.faults(|faults| faults.denied.clear());
    // What was not seen arrives once it may be seen.
    pulled(&engine, &pull_of(&server, &site)).await;
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;

    // Parts of merge requests, for want of a scope; and once they may be seen, all of them.
    let other = another(&database).await;
    let engine = site.engine(&other).await;
    server.faults(|faults| faults.refused = vec![("/notes".to_owned(), 403)]);
    for _ in 0..2 {
        let result = pulled(&engine, &pull_of(&server, &site)).await;
        let is_told = |note: &String| note.contains("no reviews of merge requests") && note.contains("scope read_api");
        assert!(result.notes.iter().any(is_told), "{:?}", result.notes);
        assert_ne!(facts(&engine), expected);
    }
    server.faults(|faults| faults.refused.clear());
    pulled(&engine, &pull_of(&server, &site)).await;
    assert_eq!(facts(&engine), expected);

    server.faults(|faults| faults.token = Some("another".to_owned()));
    let refused = pull(&engine, &pull_of(&server, &site)).await.unwrap_err();
    assert!(refused.to_string().contains("GitLab does not know the token"), "{refused}");
    engine.shutdown().await;
    server.stop().await;
}
