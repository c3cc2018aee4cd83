//! `vigie doctor`.

use insta::assert_snapshot;
use vigie_model::{Clock, DAY, SystemClock, format_time};
use vigie_peerkit::github::{GitHub as Server, Organisation, Size};

use crate::bench::Bench;

#[test]
fn nothing_is_set_up_yet() {
    let bench = Bench::new();
    bench.run(&["database", "migrate"]).good();
    bench.write("vigie.toml", "listen = \"127.0.0.1:1\"\n");
    let said = bench.run(&["doctor"]).good();
    let said = said.replace(&said[said.find("SQLite").unwrap()..said.find(", version").unwrap()], "SQLite");
    assert_snapshot!(said, @"
    Configuration
      ok    vigie.toml is good: 0 teams, 0 services

    Database
      ok    sqlite://vigie.db: SQLite, version 4
      note  there are no events yet
            vigie pull git PATH, vigie import FILE, or POST /v1/events to vigie serve; vigie demo shows what it looks like
      ok    every event is folded into the facts

    Server
      note  no server answers at 127.0.0.1:1
            vigie serve
      ok    no token is asked for, on this machine alone
    ");
}

#[test]
fn it_says_which_data_are_missing_and_how_to_get_them() {
    let bench = Bench::new();
    let recent = |days: i64| format_time(SystemClock.now() - days * DAY);
    let events = format!(
        r#"{{"kind": "deployment", "service": "shop", "id": "1", "finished_at": "{}", "outcome": "succeeded"}}
{{"kind": "incident", "service": "shop", "id": "i", "started_at": "{}"}}
{{"kind": "service", "slug": "search", "team": "a"}}"#,
        recent(3),
        recent(2)
    );
    bench.run_with(&["import", "-"], &events).good();
    let findings = bench.run(&["doctor", "--format", "json"]).json();
    let told = |text: &str| {
        let all = findings.as_array().unwrap();
        let found = all.iter().find(|finding| finding["text"].as_str().unwrap().contains(text));
        found.unwrap_or_else(|| panic!("{text}: {findings:#}"))["remedy"].as_str().unwrap_or_default().to_owned()
    };
    assert!(told("no deployment frequency: search").contains("vigie pull git PATH"));
    assert!(told("no lead time for changes: shop").contains("pull requests"));
    assert!(told("undeclared service").contains("shop"));
    assert_eq!(told("0 of 2 services have data for every metric"), "");
}

#[test]
fn what_is_broken_ends_with_status_1() {
    let bench = Bench::new();
    bench.run(&["database", "migrate"]).good();
    bench.write("vigie.toml", "listen = \"0.0.0.0:1\"\n[[pull]]\ngit = \"nowhere\"\n");
    let ran = bench.run(&["doctor"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, "error: 2 problems\n"), "{}", ran.out);
    assert!(ran.out.contains("bad   git nowhere: there is no such folder"), "{}", ran.out);
    assert!(ran.out.contains("bad   tokens are asked for at 0.0.0.0:1, and there is none"), "{}", ran.out);
    bench.write("vigie.toml", "listem = \"0.0.0.0:1\"\n");
    let ran = bench.run(&["doctor"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("bad   vigie.toml:1:1: "), "{}", ran.out);
}

#[test]
fn a_service_that_a_pull_guessed_is_told_with_the_line_that_would_map_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let size = Size { repositories: 1, days: 20, pulls: 8, ..Size::small() };
    let server = runtime.block_on(Server::serve(Organisation::new(5, size)));
    let bench = Bench::new();
    bench.write("token", "ghp_made_up");
    let source = format!("[[pull]]\ngithub = \"harbour\"\nurl = \"{}\"\ntoken_file = \"token\"\n", server.url());
    bench.write("vigie.toml", &source);
    bench.run(&["pull"]).good();
    let name = server.organisation(|all| all.repositories[0].name.clone());
    let said = bench.run(&["doctor"]);
    let line = format!("matches = {{ repository = \"harbour/{name}\" }}");
    assert!(said.out.contains("github guessed it") && said.out.contains(&line), "{}", said.out);
}
