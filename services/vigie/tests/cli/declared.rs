//! What `vigie.toml` says becomes events, and what it no longer says is taken back; another folder takes back nothing.

use serde_json::json;

use crate::bench::Bench;

const FILE: &str = r#"
organization = "Acme"
time_zone = "Europe/Paris"
[[team]]
slug = "payments"
[[service]]
slug = "checkout"
team = "payments"
[[target]]
metric = "lead_time"
objective = "PT2H"
"#;

fn organization(bench: &Bench) -> serde_json::Value {
    let card = bench.run(&["scorecard", "--last", "P30D", "--format", "json"]).json();
    let lead_time = card["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "LEAD_TIME").unwrap();
    json!([
        card["organization"],
        card["window"]["timeZone"],
        card["scope"]["services"],
        lead_time["target"]["objective"]
    ])
}

#[test]
fn an_emptied_file_takes_back_what_it_said() {
    let bench = Bench::new();
    bench.write("vigie.toml", FILE);
    bench.run_with(&["import", "-"], "").good();
    assert_eq!(organization(&bench), json!(["Acme", "Europe/Paris", 1, 7_200.0]));
    bench.write("vigie.toml", "");
    assert_eq!(organization(&bench), json!(["", "UTC", 0, 3_600.0]));
}

#[test]
fn without_the_file_what_it_said_stands() {
    let bench = Bench::new();
    bench.write("vigie.toml", FILE);
    bench.run_with(&["import", "-"], "").good();
    std::fs::remove_file(bench.path("vigie.toml")).unwrap();
    assert_eq!(organization(&bench), json!(["Acme", "Europe/Paris", 1, 7_200.0]));
    // A variable changes what it names and nothing else.
    let mut command = bench.command(&["scorecard", "--last", "P30D"]);
    let output = command.env("VIGIE_ORGANIZATION", "Acme Limited").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "applied the variables: 1 change recorded\n");
    assert_eq!(organization(&bench), json!(["Acme Limited", "Europe/Paris", 1, 7_200.0]));
}

#[test]
fn settings_come_from_an_export_and_from_no_other_file() {
    let bench = Bench::new();
    let made_up = r#"{"kind": "settings", "source": "ci", "at": "2026-10-01T00:00:00Z", "value": "{}"}
{"kind": "settings", "source": "vigie.toml", "at": "2026-10-01T00:00:00Z", "value": "{\"time_zone\": 7}"}
"#;
    let ran = bench.run_with(&["import", "-"], made_up);
    assert_eq!(ran.status, 1);
    assert!(ran.out.starts_with("0 accepted, 0 duplicates, 2 rejected"), "{}", ran.out);
    assert!(ran.out.contains("source: \"ci\" makes no settings (settings are made by vigie.toml alone"), "{}", ran.out);
}

#[test]
fn a_backup_is_read_back_into_an_empty_database() {
    let bench = Bench::new();
    bench.write("vigie.toml", FILE);
    bench.run_with(&["import", "-"], crate::roundtrip::EVENTS).good();
    let before = bench.run(&["scorecard", "--month", "2026-10", "--format", "json"]).json();
    bench.run(&["database", "backup", "safe.db"]).good();
    let again = bench.run(&["database", "backup", "safe.db"]);
    assert_eq!(
        (again.status, again.err.as_str()),
        (1, "error: safe.db is there already; name a new file, so that no backup is lost\n")
    );
    let mixed = bench.run(&["database", "restore", "safe.db"]);
    assert_eq!(mixed.status, 1);
    assert!(mixed.err.contains("sqlite://vigie.db is not empty: name a new one"), "{}", mixed.err);
    bench.run(&["database", "restore", "safe.db", "--database", "sqlite://other.db"]).good();
    let url = ["--database", "sqlite://other.db"];
    let card = [&["scorecard", "--month", "2026-10", "--format", "json"][..], &url].concat();
    assert_eq!(bench.run(&card).json(), before);
    assert!(!bench.path("safe.db.part").exists());
}
