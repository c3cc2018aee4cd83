//! A host that does not answer: of one part the rest arrives without it, of all it is one error.

use std::sync::Arc;

use serde_json::json;
use vigie_engine::{Engine, Pulled};
use vigie_ingest::pull::gitlab::GitLab;
use vigie_peerkit::github::{GitHub as GitHubServer, Issue, Organisation, Repository, Run, Size};
use vigie_peerkit::gitlab::GitLab as GitLabServer;
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::house::{Site, facts};
use crate::pulling::{another, pull, pulled, told};
use crate::{github, gitlab};

store_test_suite! {
    of_a_project_that_is_not_answered_the_rest_arrives_and_in_the_end_all,
    a_merge_request_that_is_not_answered_is_asked_for_again,
    notes_that_are_too_large_at_once_are_read_in_parts,
    a_list_goes_on_behind_what_is_not_answered_even_alone,
    what_is_newer_than_a_job_that_is_not_answered_arrives,
    a_host_that_is_down_is_one_error,
    of_a_repository_on_github_likewise,
    of_many_at_once_on_github_each_is_asked_for_in_smaller_pages,
    a_pull_request_that_is_not_answered_is_asked_for_again,
}

const AGAIN: &str = "it is asked for again in the next run";

fn small() -> Organisation {
    Organisation::new(7, Size::small())
}

/// Whether a note says that.
fn is_said(notes: &[String], of: &str, what: &str) -> bool {
    notes.iter().any(|note| note.contains(of) && note.contains(what) && note.contains(AGAIN))
}

async fn of_a_project_that_is_not_answered_the_rest_arrives_and_in_the_end_all(database: TestDatabase) {
    let server = GitLabServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = gitlab::pull_of(&server, &site);
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    // The first one, so that there are others behind it.
    let (id, name) = server.organisation(|all| (all.repositories[0].id, all.repositories[0].name.clone()));
    for (part, what) in [
        ("repository/branches", "no commits"),
        ("repository/commits", "no commits"),
        ("merge_requests", "no merge requests"),
        ("issues", "no issues"),
        ("deployments", "no deployments"),
        ("environments", "no deployments"),
    ] {
        let fresh = another(&database).await;
        let engine = site.engine(&fresh).await;
        server.faults(|faults| faults.silent = vec![format!("/projects/{id}/{part}")]);
        let result = pulled(&engine, &source).await;
        assert!(is_said(&result.notes, &format!("harbour/{name}: "), what), "{part}: {:?}", result.notes);
        assert_ne!(facts(&engine), expected);
        let arrived = told(&facts(&engine)).0.len();
        assert!(arrived + 1 >= told(&expected).0.len(), "{part}: those behind it arrive");
        server.faults(|faults| faults.silent.clear());
        assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
        assert_eq!(facts(&engine), expected, "{part}");
        engine.shutdown().await;
    }
    server.stop().await;
}

async fn a_merge_request_that_is_not_answered_is_asked_for_again(database: TestDatabase) {
    let server = GitLabServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = gitlab::pull_of(&server, &site);
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    let (id, merged) = server.organisation(|all| {
        let own = &all.repositories[0];
        let merged = own.pulls.iter().filter(|pull| pull.merged_at.is_some() && !pull.reviews.is_empty());
        (own.id, merged.map(|pull| pull.number).collect::<Vec<_>>())
    });
    let (first, last) = (merged[0], merged[merged.len() - 1]);
    let path = |number: i64, list: &str| format!("/projects/{id}/merge_requests/{number}/{list}");
    server.faults(|faults| faults.silent = vec![path(first, "notes"), path(last, "commits")]);
    for _ in 0..2 {
        let notes = pulled(&engine, &source).await.notes;
        assert!(is_said(&notes, "harbour/", "no reviews of merge requests"), "{notes:?}");
        assert!(is_said(&notes, "harbour/", "no commits of merge requests"), "{notes:?}");
    }
    assert_ne!(facts(&engine), expected);
    // One that is answered does not wait for the other.
    server.faults(|faults| faults.silent = vec![path(first, "notes")]);
    server.forget_traffic();
    let notes = pulled(&engine, &source).await.notes;
    assert!(!is_said(&notes, "harbour/", "no commits of merge requests"), "{notes:?}");
    assert!(server.traffic().requests.len() < 40, "{:#?}", server.traffic().requests);
    server.faults(|faults| faults.silent.clear());
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}

async fn notes_that_are_too_large_at_once_are_read_in_parts(database: TestDatabase) {
    let server =
        GitLabServer::serve(Organisation::new(5, Size { repositories: 1, days: 20, pulls: 10, ..Size::small() })).await;
    let site = Site::new().unmapped();
    let engine = site.engine(&database).await;
    server.organisation(|all| {
        let own = Arc::make_mut(&mut all.repositories[0]);
        let pull = own.pulls.iter_mut().find(|pull| !pull.reviews.is_empty()).unwrap();
        let review = pull.reviews[0].clone();
        pull.reviews.extend((1..18).map(|number| {
            let (id, body) = (review.id + number, "x".repeat(1 << 20));
            vigie_peerkit::github::Review { id, body, state: "COMMENTED".to_owned(), ..review.clone() }
        }));
    });
    let result = pulled(&engine, &gitlab::pull_of(&server, &site)).await;
    assert_eq!(result.notes, [""; 0]);
    let asked = server.traffic().requests;
    assert_eq!(
        asked
            .iter()
            .filter(|request| request.path.contains("/notes?") && request.path.contains("per_page=10&"))
            .count(),
        2
    );
    engine.shutdown().await;
    server.stop().await;
}

async fn a_list_goes_on_behind_what_is_not_answered_even_alone(database: TestDatabase) {
    let server = GitLabServer::serve(small()).await;
    let site = Site::new().unmapped();
    let (own, name) = server.organisation(|all| (all.repositories[0].clone(), all.repositories[0].name.clone()));
    let source = GitLab { projects: vec![format!("harbour/{name}")], ..gitlab::pull_of(&server, &site) };
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    // Merge requests, deployments, incidents.
    let counts = |result: &Pulled| result.summary.read[1..].iter().map(|(count, ..)| *count).collect::<Vec<_>>();
    let whole = counts(&pulled(&engine, &source).await);
    let expected = facts(&engine);
    engine.shutdown().await;

    let (pulls, deployments) = (&own.pulls, &own.deployments);
    let is_incident = |issue: &&Issue| issue.labels.iter().any(|label| label == "incident");
    let newest = pulls.iter().max_by_key(|pull| pull.updated_at).unwrap().number;
    let behind = |list: &str| format!("no answer about {list} that changed last ");
    for (list, at, numbers, said) in [
        ("merge_requests", 0, vec![pulls[pulls.len() / 2].number], behind("merge requests")),
        // Nothing comes behind it.
        ("merge_requests", 0, vec![newest], "no merge requests: GitLab answers 502".to_owned()),
        (
            "deployments",
            1,
            deployments[deployments.len() / 2..][..2].iter().map(|it| it.id).collect(),
            behind("deployments"),
        ),
        (
            "issues",
            2,
            own.issues.iter().find(is_incident).map(|issue| issue.number).into_iter().collect(),
            behind("issues"),
        ),
    ] {
        let fresh = another(&database).await;
        let engine = site.engine(&fresh).await;
        let mut rest = whole.clone();
        rest[at] -= numbers.len() as u64;
        let list = format!("/projects/{}/{list}", own.id);
        server.faults(|faults| faults.unlisted = numbers.iter().map(|number| (list.clone(), *number)).collect());
        let result = pulled(&engine, &source).await;
        assert!(is_said(&result.notes, &format!("harbour/{name}: "), &said), "{list}: {:?}", result.notes);
        assert_eq!(counts(&result), rest, "{list}");
        let again = pulled(&engine, &source).await;
        assert!(is_said(&again.notes, &format!("harbour/{name}: "), &said), "{list}: {:?}", again.notes);
        assert_eq!(again.accepted, 0, "{list}");
        server.faults(|faults| faults.unlisted.clear());
        assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
        assert_eq!(facts(&engine), expected, "{list}");
        server.forget_traffic();
        pulled(&engine, &source).await;
        let asked = server.traffic().requests;
        assert!(!asked.iter().any(|request| request.path.contains("updated_before")), "{asked:#?}");
        engine.shutdown().await;
    }
    server.stop().await;
}

async fn what_is_newer_than_a_job_that_is_not_answered_arrives(database: TestDatabase) {
    let server =
        GitLabServer::serve(Organisation::new(4, Size { repositories: 7, days: 20, pulls: 12, ..Size::small() })).await;
    let site = Site::new().unmapped().hook("gitlab", "gitlab", &[], json!({"deploy_jobs": ["deploy-*"]}));
    let source = gitlab::pull_of(&server, &site);
    // The newest is still to come.
    let (own, newest) = server.organisation(|all| {
        let is_deploy = |run: &Run| run.name.starts_with("deploy-");
        let count = |own: &Arc<Repository>| own.runs.iter().filter(|run| is_deploy(run)).count();
        let own = all.repositories.iter_mut().max_by_key(|own| count(own)).unwrap();
        let runs = &mut Arc::make_mut(own).runs;
        runs.sort_by_key(|run| run.id);
        let newest = runs.split_off(runs.iter().rposition(is_deploy).unwrap());
        (own.clone(), newest)
    });
    let engine = site.engine(&database).await;
    server.faults(|faults| {
        faults.unlisted = vec![(format!("/projects/{}/jobs", own.id), own.runs[own.runs.len() / 2].id)];
    });
    let waits = |notes: &[String]| is_said(notes, "no jobs: GitLab answers 502", "and older jobs wait for it");
    let first = pulled(&engine, &source).await;
    assert!(waits(&first.notes), "{:?}", first.notes);
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    server.organisation(|all| {
        let known = all.repositories.iter_mut().find(|it| it.id == own.id).unwrap();
        Arc::make_mut(known).runs.extend(newest);
    });
    let more = pulled(&engine, &source).await;
    assert!(more.accepted > 0 && waits(&more.notes), "{more:?}");
    server.faults(|faults| faults.unlisted.clear());
    let rest = pulled(&engine, &source).await;
    assert!(rest.accepted > 0 && rest.notes.is_empty(), "{rest:?}");
    let read = facts(&engine);
    engine.shutdown().await;
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    assert_eq!(facts(&engine), read);
    engine.shutdown().await;
    server.stop().await;
}

async fn a_host_that_is_down_is_one_error(database: TestDatabase) {
    let server = GitLabServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = gitlab::pull_of(&server, &site);
    let engine = site.engine(&database).await;
    let asked = async |silent: &str, engine: &Engine| {
        server.faults(|faults| faults.silent = vec![silent.to_owned()]);
        server.forget_traffic();
        let failure = pull(engine, &source).await.unwrap_err();
        assert!(failure.to_string().contains("GitLab answers 502"), "{failure}");
        server.traffic().requests.len()
    };
    // Five tries, and a look whether it is down.
    assert_eq!(asked("/", &engine).await, 6);
    // Where nothing of any project is answered, it is given up soon.
    let count = asked("/projects/", &engine).await;
    assert!(count < 90, "{count} requests");
    engine.shutdown().await;
    server.stop().await;
}

async fn of_a_repository_on_github_likewise(database: TestDatabase) {
    let server = GitHubServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = github::pull_of(&server, &site);
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    let name = server.organisation(|all| all.repositories[0].name.clone());
    for (silent, what) in [
        (format!("\"name\":\"{name}\""), "no commits, pull requests and issues"),
        (format!("/{name}/deployments"), "no deployments"),
    ] {
        server.faults(|faults| faults.silent = vec![silent]);
        let notes = pulled(&engine, &source).await.notes;
        assert!(is_said(&notes, &format!("harbour/{name}: "), what), "{notes:?}");
    }
    server.faults(|faults| faults.silent.clear());
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    assert_eq!(facts(&engine), expected);

    server.faults(|faults| faults.silent = vec!["/".to_owned()]);
    server.forget_traffic();
    let failure = pull(&engine, &source).await.unwrap_err();
    assert!(failure.to_string().contains("GitHub answers 502"), "{failure}");
    assert_eq!(server.traffic().requests.len(), 6);
    engine.shutdown().await;
    server.stop().await;
}

async fn of_many_at_once_on_github_each_is_asked_for_in_smaller_pages(database: TestDatabase) {
    let server = GitHubServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = github::pull_of(&server, &site);
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    server.faults(|faults| faults.silent = vec!["\"pullsFirst\":50".to_owned()]);
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}

async fn a_pull_request_that_is_not_answered_is_asked_for_again(database: TestDatabase) {
    let server = GitHubServer::serve(small()).await;
    let site = Site::new().unmapped();
    let source = github::pull_of(&server, &site);
    // More reviews than a page of pull requests tells.
    let (name, number) = server.organisation(|all| {
        let own = Arc::make_mut(&mut all.repositories[0]);
        let pull = own.pulls.iter_mut().find(|pull| pull.merged_at.is_some() && !pull.reviews.is_empty()).unwrap();
        let review = pull.reviews[0].clone();
        pull.reviews.extend((1..60).map(|number| vigie_peerkit::github::Review {
            id: review.id + number,
            state: "COMMENTED".to_owned(),
            ..review.clone()
        }));
        (own.name.clone(), pull.number)
    });
    let straight = another(&database).await;
    let engine = site.engine(&straight).await;
    pulled(&engine, &source).await;
    let expected = facts(&engine);
    engine.shutdown().await;

    let engine = site.engine(&database).await;
    server.faults(|faults| faults.silent = vec![format!("\"number\":{number},")]);
    for _ in 0..2 {
        let notes = pulled(&engine, &source).await.notes;
        assert!(is_said(&notes, &format!("harbour/{name}: "), "no part of a pull request"), "{notes:?}");
        assert_eq!(told(&facts(&engine)), told(&expected), "the page is not held up");
    }
    server.faults(|faults| faults.silent.clear());
    server.forget_traffic();
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    let asked = server.traffic().requests;
    let again = asked.iter().filter(|request| request.body.contains(&format!("\"number\":{number},"))).count();
    assert_eq!(again, 1, "it is asked for alone");
    assert_eq!(facts(&engine), expected);
    engine.shutdown().await;
    server.stop().await;
}
