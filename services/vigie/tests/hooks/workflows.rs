//! Services that are found by the workflow that deploys them: the same by a pull as by webhooks, and what is guessed is told
//! of both.

use std::collections::BTreeMap;

use serde_json::json;
use vigie_peerkit::github::{GitHub as Server, Organisation, Size};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::github::{pull_of, push, site};
use crate::house::{Site, facts};
use crate::pulling::{another, pulled, told};

store_test_suite! {
    a_workflow_means_the_same_service_pulled_and_pushed,
    a_service_that_a_pull_guessed_is_told_as_one_of_a_webhook,
}

/// `deploy` makes deployments of GitHub's; the runs of `deploy-production` are some themselves.
fn routed() -> Site {
    let settings = json!({"deploy_workflows": ["deploy-production"]});
    let site = site().hook("github", "github", &[], settings);
    site.service("by-deployment", "workflow", "deploy").service("by-run", "workflow", "deploy-prod*")
}

async fn server() -> Server {
    Server::serve(Organisation::new(7, Size { days: 40, ..Size::small() })).await
}

async fn a_workflow_means_the_same_service_pulled_and_pushed(database: TestDatabase) {
    let server = server().await;
    let site = routed();
    let mut all: Vec<BTreeMap<String, usize>> = Vec::new();
    let mut first = None;
    for order in [&["pull"][..], &["push"], &["pull", "push"], &["push", "pull"]] {
        let other = another(&database).await;
        let house = site.serve(&other).await;
        for way in order {
            match *way {
                "pull" => assert_eq!(pulled(&house.engine, &pull_of(&server, &site)).await.notes, [""; 0]),
                _ => push(&house, &server, 0).await,
            }
        }
        all.push(told(&facts(&house.engine)).0);
        if order.len() == 2 {
            let found = facts(&house.engine);
            assert!(first.get_or_insert_with(|| found.clone()) == &found, "the order does not matter");
        }
        house.stop().await;
    }
    assert!(all[0]["by-deployment"] > 3 && all[0]["by-run"] > 3, "{all:?}");
    assert!(all.iter().all(|one| *one == all[0]), "{all:#?}");
    server.stop().await;
}

async fn a_service_that_a_pull_guessed_is_told_as_one_of_a_webhook(database: TestDatabase) {
    let server = server().await;
    let site = routed();
    let mut told = Vec::new();
    for way in ["pull", "push"] {
        let other = another(&database).await;
        let house = site.serve(&other).await;
        match way {
            "pull" => drop(pulled(&house.engine, &pull_of(&server, &site)).await),
            _ => push(&house, &server, 0).await,
        }
        let unmapped = house.engine.unmapped().await.unwrap();
        assert!(unmapped.iter().all(|own| own.connector == "github" && own.matches.contains("harbour/")));
        told.push(unmapped.iter().map(|own| own.service.clone()).collect::<Vec<_>>());
        house.stop().await;
    }
    // Webhooks also said what is so no more, like an incident that was none.
    assert!(!told[0].is_empty() && told[0].iter().all(|guess| told[1].contains(guess)), "{told:?}");
    server.stop().await;
}
