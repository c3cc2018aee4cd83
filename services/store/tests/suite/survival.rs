//! `kill -9` at any moment: what was acknowledged is there after the restart, and nothing is half there.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use vigie_store::{ConnectOptions, Store};
use vigie_testkit::events::deployed;
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{now, open, prepared};

store_test_suite! {
    what_was_acknowledged_survives_being_killed,
}

const URL: &str = "VIGIE_TEST_CHILD_URL";
/// Each batch is whole or not there.
const BATCH: usize = 50;

/// Not a test: what the test below kills. It says which batch it has an answer for.
#[tokio::test]
#[ignore = "run by what_was_acknowledged_survives_being_killed"]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let store = Store::open(&url, ConnectOptions::default(), now()).await.unwrap();
    let first = store.last_seq().await.unwrap();
    for batch in 0.. {
        let drafts: Vec<_> =
            (0..BATCH).map(|n| deployed("checkout", &format!("{first}-{batch}-{n}"), "2026-09-01T10:00:00Z")).collect();
        let appended = store.append(&prepared(&drafts), now()).await.unwrap();
        println!("acknowledged {}", appended.last_seq().unwrap());
    }
}

async fn what_was_acknowledged_survives_being_killed(db: TestDatabase) {
    open(&db).await.close().await;
    let mut acknowledged = 0;
    for round in 0..6_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "survival::child", "--ignored", "--nocapture"])
            .env(URL, db.url())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut answers = said
            .by_ref()
            .map_while(Result::ok)
            .filter_map(|line| line.rsplit_once("acknowledged ").and_then(|(_, seq)| seq.parse::<i64>().ok()));
        acknowledged = answers.next().expect("the child works");
        // Somewhere in the middle of whatever it does then.
        std::thread::sleep(Duration::from_micros(7_919 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        for answer in answers {
            acknowledged = answer;
        }
        let store = open(&db).await;
        let stored = store.tail(0, usize::MAX).await.unwrap();
        assert!(stored.last().unwrap().seq >= acknowledged, "{acknowledged} was acknowledged and is lost");
        assert_eq!(stored.len() % BATCH, 0, "a batch is half there");
        assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
        store.close().await;
    }
    assert!(acknowledged > 0);
}
