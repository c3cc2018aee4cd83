//! `vigie connector`, and the worker processes that run maps.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot be set up has failed

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::json;
use vigie_ingest::connector::map::OutputLimits;
use vigie_ingest::connector::{Connector, Failure, Launch, Limits, Pool};

use crate::bench::{Bench, wait_for};

/// The blocks of the walk-through in the connectors' README, in order.
fn walk_through() -> Vec<(String, String)> {
    let text = fs::read_to_string("../ingest/connectors/README.md").unwrap();
    let (_, text) = text.split_once("\n## Add a connector in ten minutes\n").unwrap();
    let (text, _) = text.split_once("\n## connector.toml\n").unwrap();
    let blocks = text.split("\n```").collect::<Vec<_>>();
    let block =
        |pair: &[&str]| pair[1].split_once('\n').map(|(kind, body)| (kind.to_owned(), body.to_owned())).unwrap();
    blocks.chunks_exact(2).map(block).collect()
}

fn connector(bench: &Bench, name: &str, manifest: &str, map: &str) -> PathBuf {
    let folder = bench.path(name);
    fs::create_dir_all(folder.join("fixtures")).unwrap();
    fs::write(folder.join("connector.toml"), manifest).unwrap();
    fs::write(folder.join("map.jq"), map).unwrap();
    folder
}

const BEACON: &str =
    "title = \"Beacon\"\nabout = \"Rollouts\"\n[delivery]\ntype = \"headers.x-event\"\n[settings]\nlabels = [\"a\"]\n";

#[test]
fn the_walk_through_of_the_readme_works_as_it_is_written() {
    let blocks = walk_through();
    let of =
        |kind: &str| blocks.iter().filter(|(own, _)| own == kind).map(|(_, text)| text.clone()).collect::<Vec<_>>();
    let (jsons, tomls) = (of("json"), of("toml"));
    let [finished, shown, running, ping, bare] = jsons.as_slice() else { panic!("{jsons:#?}") };
    let bench = Bench::new();
    connector(&bench, "beacon", &tomls[0], &of("jq")[0]);
    bench.write("beacon/fixtures/finished.json", finished);
    let ran = bench.run(&["connector", "try", "beacon", "beacon/fixtures/finished.json"]);
    assert_eq!(ran.err.lines().next(), Some("1 event"), "{}", ran.err);
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let event = parsed(&ran.good());
    assert_eq!(event, parsed(shown));

    let mut fixture = parsed(finished);
    fixture["expect"] = json!([event]);
    bench.write("beacon/fixtures/finished.json", &fixture.to_string());
    bench.write("beacon/fixtures/running.json", running);
    bench.write("beacon/fixtures/ping.json", ping);
    assert_eq!(bench.run(&["connector", "test", "beacon"]).good(), "3 passed, 0 failed\n");
    bench.write("bare.json", bare);
    let ran = bench.run(&["connector", "try", "beacon", "bare.json"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.starts_with("error: beacon/map.jq:"), "{}", ran.err);
    assert!(ran.err.ends_with(": rollout.number is missing; the input was null\n"), "{}", ran.err);

    // In use: the hook and its secret, as the last step has them.
    fs::create_dir(bench.path("own")).unwrap();
    fs::rename(bench.path("beacon"), bench.path("own/beacon")).unwrap();
    bench.write("vigie.toml", &format!("[intake]\nconnectors = \"own\"\n{}", tomls[1]));
    bench.run(&["config", "check"]).good();
    assert!(bench.run(&["connector", "list"]).good().contains("own/beacon"));
}

#[test]
fn the_list_says_what_is_taken_and_what_was_proven() {
    let bench = Bench::new();
    connector(&bench, "own/beacon", BEACON, "empty");
    connector(&bench, "own/github", "title = \"Our GitHub\"\nabout = \"Pushes\"\nproven = true\n", "empty");
    bench.write("vigie.toml", "[intake]\nconnectors = \"own\"\n");
    let table = bench.run(&["connector", "list"]).good();
    assert!(table.starts_with("  Name          Title "), "{table}");
    assert!(table.contains("  beacon        Beacon                     no      own/beacon  Rollouts\n"), "{table}");
    let listed = bench.run(&["connector", "list", "--format", "json"]).json();
    let of = |name: &str| listed.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert!(listed.as_array().unwrap().len() >= 35);
    assert_eq!((&of("github")["title"], &of("github")["source"]), (&json!("Our GitHub"), &json!("own/github")));
    assert_eq!((&of("gitlab")["proven"], &of("gitlab")["source"]), (&json!(true), &json!("shipped")));
    assert_eq!(of("beacon")["settings"], json!({"labels": ["a"]}));

    connector(&bench, "own/broken", "title = \"Broken\"\n", "empty");
    let ran = bench.run(&["connector", "list"]);
    assert_eq!((ran.status, ran.out.contains("gitlab")), (1, true), "the others are listed all the same");
    assert!(ran.err.contains("error: own/broken/connector.toml: about is missing"), "{}", ran.err);
}

#[test]
fn every_shipped_fixture_passes_in_worker_processes() {
    let bench = Bench::new();
    let ran = bench.run(&["connector", "test"]);
    let out = ran.good();
    let (passed, failed) = out.trim_end().split_once(" passed, ").unwrap();
    assert!(passed.parse::<u32>().unwrap() > 250 && failed == "0 failed", "{out}");
    assert!(bench.run(&["connector", "test", "github"]).good().ends_with(" passed, 0 failed\n"));
}

#[test]
fn a_fixture_that_does_not_hold_is_shown_with_the_difference() {
    let bench = Bench::new();
    let map = r#"{kind: "note", id: "1", service: .body.service, from: "2026-10-03T10:00:00Z", text: "x", at: "2026-10-03T10:00:00Z"}"#;
    connector(&bench, "beacon", BEACON, map);
    let event = json!({"kind": "note", "id": "1", "service": "a", "from": "2026-10-03T10:00:00Z", "text": "x", "at": "2026-10-03T10:00:00Z"});
    let fixture =
        |service: &str| json!({"about": "A note", "body": {"service": service}, "expect": [event]}).to_string();
    bench.write("beacon/fixtures/bad.json", &fixture("b"));
    bench.write("beacon/fixtures/good.json", &fixture("a"));
    bench.write("beacon/fixtures/none.json", "{");
    bench.write(
        "beacon/fixtures/settings.json",
        r#"{"about": "x", "body": {}, "settings": {"lables": []}, "expect": []}"#,
    );
    let ran = bench.run(&["connector", "test", "beacon"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, ""));
    assert_snapshot!(ran.out, @r#"
    beacon/fixtures/bad.json:
    --- expected
    +++ found
    @@ -4,5 +4,5 @@
       "id": "1",
       "kind": "note",
    -  "service": "a",
    +  "service": "b",
       "text": "x"
     }

    beacon/fixtures/none.json:
    EOF while parsing an object at line 1 column 1

    beacon/fixtures/settings.json:
    settings.lables: the connector has no such setting; did you mean labels?

    1 passed, 3 failed
    "#);
}

#[test]
fn a_delivery_is_tried_with_headers_settings_and_the_catalogue() {
    let bench = Bench::new();
    let map = r#"
      if .type == "ping" then empty
      else {kind: "deployment", id: .body.id, service: "guessed", started_at: "2026-10-03T10:00:00Z",
            labels: {labels: (.settings.labels | join("+"))}, matches: {app: .body.app}, at: .received_at} end"#;
    connector(&bench, "beacon", BEACON, map);
    let body = r#"{"id": "7", "app": "shop-prod"}"#;
    let ran = bench.run_with(&["connector", "try", "./beacon", "-", "--setting", "labels=[\"x\",\"y\"]"], body);
    assert_eq!(
        ran.err,
        "1 event\nnote: the service guessed is a guess; the [[service]] that is meant may say matches = { app = \"shop-prod\" }\n"
    );
    let event: serde_json::Value = serde_json::from_str(&ran.good()).unwrap();
    assert_eq!((&event["labels"]["labels"], &event["matches"]["app"]), (&json!("x+y"), &json!("shop-prod")));
    bench.write(
        "vigie.toml",
        "[[service]]\nslug = \"checkout\"\nmatches = [{ app = \"Shop-*\" }, { app = \"till\" }]\n",
    );
    assert_eq!(bench.run_with(&["connector", "try", "beacon", "-"], body).err, "1 event\n");
    let ran = bench.run_with(&["connector", "try", "beacon", "-", "--header", "X-Event=ping"], body);
    assert_eq!((ran.status, ran.out.as_str(), ran.err.as_str()), (0, "", "no event: the delivery is ignored\n"));

    for (arguments, input, status, said) in [
        (&["beacon", "-"][..], "hello", 1, "error: the body is not JSON: "),
        (&["beacon", "-"], r#"{"app": 5}"#, 1, "error: beacon/map.jq: event 1: matches.app: expected a text, found 5"),
        (&["beacon", "-", "--setting", "lables=x"], body, 1, "did you mean labels?"),
        (&["beacon", "-", "--header", "x"], body, 2, "write it like name=value"),
        (&["beacon", "absent.json"], body, 1, "absent.json: it cannot be read"),
        (&["becon", "-"], body, 1, "there is no connector \"becon\"; there are alertmanager, "),
        (&["githb", "-"], body, 1, "did you mean github?"),
        (&["./absent", "-"], body, 1, "./absent/connector.toml: it cannot be read"),
    ] {
        let ran = bench.run_with(&[&["connector", "try"], arguments].concat(), input);
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
    fs::write(bench.path("beacon/map.jq"), "def a:\n  slgu;\na").unwrap();
    let ran = bench.run_with(&["connector", "try", "beacon", "-"], body);
    assert_eq!((ran.status, ran.err.as_str()), (1, "error: beacon/map.jq:2:3: there is no function slgu\n"));
}

/// A map that does what its delivery says.
const WILD: &str = r#"
def loop: loop;
def deeper: 1 + deeper;
if .type == "loop" then loop
elif .type == "recurse" then deeper
elif .type == "eat" then reduce range(60) as $i ("12345678"; . + .) | length
elif .type == "hoard" then [range(0; 1e9)] | length
elif .type == "flood" then repeat({kind: "note"})
elif .type == "write" then range(2) | ("x" * 600000)
elif .type == "fail" then error("no such thing")
else {id: .body.id} end
"#;

struct Wild {
    _bench: Bench,
    connector: Connector,
    pool: Arc<Pool>,
}

fn wild(workers: usize) -> Wild {
    let bench = Bench::new();
    let folder = connector(&bench, "wild", BEACON, WILD);
    let connector = Connector::read(&folder).unwrap();
    let launch = Launch { program: env!("CARGO_BIN_EXE_vigie").into(), arguments: vec!["map-worker".into()] };
    let limits = Limits {
        deadline: Duration::from_secs(3),
        output: OutputLimits { bytes: 1_000_000, events: 1_000 },
        memory: 256 << 20,
        ..Limits::default()
    };
    Wild { _bench: bench, connector, pool: Pool::new(launch, workers, limits).into() }
}

impl Wild {
    async fn ask(&self, kind: &str) -> Result<String, String> {
        let input = json!({"type": kind, "body": {"id": kind}, "settings": {}}).to_string();
        let outputs = self.pool.map(&self.connector, input.as_bytes()).await.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(outputs).unwrap())
    }
}

fn alive(id: u32) -> bool {
    Path::new(&format!("/proc/{id}/stat")).exists()
}

#[test]
fn a_map_that_overruns_a_limit_is_given_up_on_and_the_next_one_runs() {
    wait_for(async {
        let wild = wild(1);
        assert_eq!(wild.pool.idle(), Vec::<u32>::new(), "nothing is started before it is needed");
        assert_eq!(wild.ask("good").await.as_deref(), Ok("{\"id\":\"good\"}\n"));
        let [first] = wild.pool.idle()[..] else { panic!("{:?}", wild.pool.idle()) };
        for (kind, said) in [
            ("loop", "wild/map.jq: it took longer than 3 s; the map was given up on"),
            ("recurse", "wild/map.jq: it recursed without end; the map was given up on"),
            ("eat", "wild/map.jq: it needed more than 256 MiB of memory; the map was given up on"),
            ("flood", "wild/map.jq: it put out more than 1000 events; the map was given up on"),
            ("write", "wild/map.jq: it put out more than 1000000 bytes; the map was given up on"),
            ("fail", ": no such thing; the input was {"),
        ] {
            let began = Instant::now();
            let error = wild.ask(kind).await.unwrap_err();
            assert!(error.contains(said), "{kind}: {error}");
            assert!(began.elapsed() < Duration::from_secs(10), "{kind}: {:?}", began.elapsed());
            assert_eq!(wild.ask("good").await.as_deref(), Ok("{\"id\":\"good\"}\n"), "after {kind}");
        }
        // Time or memory, whichever this machine runs out of first.
        let error = wild.ask("hoard").await.unwrap_err();
        assert!(error.contains("longer than") || error.contains("of memory"), "{error}");
        assert!(!alive(first), "the worker that looped is gone");
        let large = vec![b' '; wild.pool.limits().input_bytes + 1];
        let error = wild.pool.map(&wild.connector, &large).await.unwrap_err();
        assert!(error.to_string().contains("the delivery has 11534337 bytes, more than 11534336"), "{error}");
    });
}

#[test]
fn a_worker_has_no_surroundings_and_can_open_nothing() {
    wait_for(async {
        let wild = wild(1);
        wild.ask("good").await.unwrap();
        let place = PathBuf::from(format!("/proc/{}", wild.pool.idle()[0]));
        assert_eq!(fs::read(place.join("environ")).unwrap(), b"", "no environment");
        assert_eq!(fs::read_link(place.join("cwd")).unwrap(), Path::new("/"));
        for number in 0..3 {
            let file = fs::read_link(place.join(format!("fd/{number}"))).unwrap();
            assert!(file.to_string_lossy().starts_with("pipe:"), "{number} is {}", file.display());
        }
        let limits = fs::read_to_string(place.join("limits")).unwrap();
        let of = |name: &str| {
            let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of("Max open files"), ["3", "3"]);
        assert_eq!((of("Max file size"), of("Max core file size")), (vec!["0".to_owned(); 2], vec!["0".to_owned(); 2]));
        assert_eq!(of("Max cpu time"), ["60", "60"]);
        let memory: u64 = of("Max address space")[0].parse().unwrap();
        assert!(memory > 256 << 20 && memory < 2_048 << 20, "{memory}");
    });
}

#[test]
fn one_that_loops_holds_up_nobody_else() {
    wait_for(async {
        let wild = Arc::new(wild(2));
        let looping = {
            let wild = wild.clone();
            tokio::spawn(async move { wild.ask("loop").await })
        };
        let began = Instant::now();
        for _ in 0..50 {
            assert_eq!(wild.ask("good").await.as_deref(), Ok("{\"id\":\"good\"}\n"));
        }
        assert!(!looping.is_finished(), "fifty others were done in {:?}, before it was given up on", began.elapsed());
        assert!(looping.await.unwrap().is_err());
    });
}

#[test]
fn a_worker_that_was_killed_is_replaced_without_a_word() {
    wait_for(async {
        let wild = wild(1);
        wild.ask("good").await.unwrap();
        let id = wild.pool.idle()[0];
        assert!(std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap().success());
        assert_eq!(wild.ask("good").await.as_deref(), Ok("{\"id\":\"good\"}\n"));
        assert_ne!(wild.pool.idle(), [id]);
        // A request that nobody waits for any more takes its worker with it.
        let id = wild.pool.idle()[0];
        assert!(tokio::time::timeout(Duration::from_millis(300), wild.ask("loop")).await.is_err());
        assert_eq!(wild.pool.idle(), Vec::<u32>::new());
        let began = Instant::now();
        while alive(id) && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!alive(id));
        assert!(wild.ask("good").await.is_ok());
    });
}

#[test]
fn a_program_that_cannot_be_started_is_nobodys_delivery() {
    wait_for(async {
        let wild = wild(1);
        let launch = Launch { program: "/nonexistent/vigie".into(), arguments: Vec::new() };
        let pool = Pool::new(launch, 1, Limits::default());
        let failure = pool.map(&wild.connector, b"{}").await.unwrap_err();
        assert!(matches!(failure, Failure::NoWorker(_)) && failure.is_temporary(), "{failure}");
        assert!(
            failure.to_string().starts_with("no map could be run: /nonexistent/vigie cannot be started"),
            "{failure}"
        );
        // One that is no worker answers nonsense, or not at all.
        let pool = Pool::new(Launch { program: "/bin/true".into(), arguments: Vec::new() }, 1, Limits::default());
        assert!(pool.map(&wild.connector, b"{}").await.unwrap_err().is_temporary());
    });
}
