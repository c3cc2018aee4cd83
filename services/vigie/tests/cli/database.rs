//! Databases that are absent, not ours, too new, read-only, or on PostgreSQL.

use insta::assert_snapshot;
use sqlx::{Connection, SqliteConnection};
use vigie_testkit::TestDatabase;

use crate::bench::{Bench, wait_for, without_folder};

const TEAM: &str = r#"{"kind": "team", "slug": "a"}"#;

fn sqlite(bench: &Bench, statement: &'static str) {
    let url = format!("sqlite://{}?mode=rwc", bench.path("vigie.db").display());
    wait_for(async {
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_question_does_not_create_a_database() {
    let bench = Bench::new();
    for arguments in
        [&["scorecard"][..], &["export", "--format", "csv", "out"], &["token", "list"], &["database", "check"]]
    {
        let ran = bench.run(arguments);
        assert_eq!(ran.status, 1);
        assert_eq!(
            ran.err,
            "error: the database sqlite://vigie.db cannot be reached: there is no such file; check the name, or import something first\n"
        );
    }
    assert!(!bench.path("vigie.db").exists());
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let bench = Bench::new();
    sqlite(&bench, "CREATE TABLE accounts (id INTEGER)");
    let before = std::fs::read(bench.path("vigie.db")).unwrap();
    let ran = bench.run_with(&["import", "-"], TEAM);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @"error: the database sqlite://vigie.db is not ours: it holds the tables accounts; name an empty one, or another file");
    assert_eq!(std::fs::read(bench.path("vigie.db")).unwrap(), before);
    bench.write(
        "vigie.db",
        "some text that is longer than the header of a database, to be sure of that, as one never knows what is read",
    );
    let ran = bench.run(&["database", "migrate"]);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @"error: the database sqlite://vigie.db is not ours: it is no SQLite file; name an empty one, or another file");
}

#[test]
fn a_newer_database_wants_a_newer_program() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], TEAM).good();
    sqlite(&bench, "INSERT INTO vigie_migrations (version, name, checksum, applied_at) VALUES (999, 'later', 'x', 0)");
    for arguments in [&["scorecard"][..], &["database", "check"], &["database", "migrate"], &["import", "-"]] {
        let ran = bench.run_with(arguments, TEAM);
        assert_eq!(ran.status, 1);
        assert!(ran.err.starts_with("error: the database has version 999, this program knows up to "), "{}", ran.err);
        assert!(ran.err.ends_with("use the program that migrated it, or a newer one\n"), "{}", ran.err);
    }
}

#[test]
fn a_read_only_database_answers_and_takes_nothing() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], TEAM).good();
    let url = "sqlite://vigie.db?mode=ro";
    let ran = bench.run_with(&["import", "-", "--database", url], TEAM);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @"error: the database is read-only: make the file and its folder writable, or use an account that may write");
    let ran = bench.run(&["scorecard", "--team", "a", "--database", url]);
    assert_eq!(ran.err, "note: the database is read-only; events that are not folded yet do not count\n");
    assert!(ran.good().starts_with("a (team a, 0 services), production\n"));
}

#[test]
fn check_counts_and_finds_damage() {
    let bench = Bench::new();
    let ran = bench.run(&["database", "migrate"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "sqlite://vigie.db is set up, version 4\n"));
    let ran = bench.run(&["database", "migrate"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, "sqlite://vigie.db has version 4 already\n"));
    bench.run_with(&["import", "-"], TEAM).good();
    let report = bench.run(&["database", "check", "--format", "json"]).json();
    assert_eq!(
        (&report["events"]["team"], &report["unfolded"], &report["faults"]),
        (&1.into(), &0.into(), &serde_json::json!([]))
    );
    assert!(bench.run(&["database", "check"]).good().ends_with("Nothing is wrong with the log.\n"));
    sqlite(&bench, "UPDATE events SET body = replace(body, '\"a\"', '\"b\"')");
    let ran = bench.run(&["database", "check"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("Damaged; restore a backup:\n  "), "{}", ran.out);
}

#[test]
fn what_cannot_be_reached_is_said_without_its_password() {
    let bench = Bench::new();
    let ran = bench.run(&["scorecard", "--database", "postgres://me:s3cret@127.0.0.1:1/vigie"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.starts_with("error: the database postgres://me:***@127.0.0.1:1/vigie cannot be reached: "),
        "{}",
        ran.err
    );
    let folder = bench.path("no/such/folder/vigie.db");
    let ran = bench.run_with(&["import", "-", "--database", &format!("sqlite://{}", folder.display())], TEAM);
    assert_eq!(ran.status, 1);
    let said = without_folder(&ran.err, &bench.path(""));
    assert!(said.contains("there is no folder ") && said.contains("create it first"), "{said}");
}

#[test]
fn postgresql_is_set_up_by_the_first_command_and_answers_the_same() {
    let database = wait_for(TestDatabase::postgres());
    let bench = Bench::new();
    let events = crate::roundtrip::EVENTS;
    bench.run_with(&["import", "-"], events).good();
    bench.run_with(&["import", "-", "--database", database.url()], events).good();
    let window = ["scorecard", "--format", "json", "--from", "2026-10-01T00:00:00Z", "--to", "2026-11-01T00:00:00Z"];
    let here = bench.run(&window).json();
    let there = bench.run(&[&window[..], &["--database", database.url()]].concat()).json();
    assert_eq!(here, there);
    let check = bench.run(&["database", "check", "--database", database.url()]).good();
    assert!(check.contains("\nPostgreSQL ") && check.ends_with("Nothing is wrong with the log.\n"), "{check}");
}
