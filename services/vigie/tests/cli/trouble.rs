//! Databases that are locked, read-only or full: a message that says so, status 1, and nothing half done.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::{Connection, SqliteConnection};

use crate::bench::{Bench, wait_for};

const TEAM: &str = r#"{"kind": "team", "slug": "a"}"#;
/// Whoever may do nothing in particular.
const NOBODY: u32 = 65_534;

/// The command as somebody who is bound by the permissions of files, which root is not.
fn run_bound(bench: &Bench, arguments: &[&str]) -> (i32, String, String) {
    let program = bench.path("program/vigie");
    if !program.exists() {
        std::fs::create_dir_all(bench.path("program")).unwrap();
        std::fs::copy(env!("CARGO_BIN_EXE_vigie"), &program).unwrap();
        for folder in [bench.path(""), bench.path("program")] {
            std::fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(bench.path("")).env_clear().env("NO_COLOR", "1").stdin(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[test]
fn a_file_that_may_not_be_written_answers_and_takes_nothing() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], TEAM).good();
    let file = bench.path("vigie.db");
    let before = std::fs::read(&file).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o444)).unwrap();
    give_away(&bench.path(""));
    let events = bench.write("more.json", r#"{"kind": "team", "slug": "b"}"#);
    let (status, _, said) = run_bound(&bench, &["import", &events.display().to_string()]);
    assert_eq!(
        (status, said.as_str()),
        (
            1,
            "error: the database is read-only: make the file and its folder writable, or use an account that may write\n"
        )
    );
    let (status, card, said) = run_bound(&bench, &["scorecard", "--team", "a"]);
    assert_eq!(
        (status, said.as_str()),
        (0, "note: the database is read-only; events that are not folded yet do not count\n")
    );
    assert!(card.starts_with("a (team a, 0 services), production\n"), "{card}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_locked_file_is_waited_for_and_then_said() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], TEAM).good();
    let url = format!("sqlite://{}", bench.path("vigie.db").display());
    wait_for(async {
        let mut other = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        for arguments in [&["import", "-"][..], &["database", "migrate"], &["token", "create", "ci", "--may", "ingest"]]
        {
            let ran = bench.run_with(arguments, r#"{"kind": "team", "slug": "b"}"#);
            assert_eq!(
                (ran.status, ran.err.as_str()),
                (
                    1,
                    "error: the database is locked by another process: wait until it is done (an import, a backup), or stop it\n"
                ),
                "{arguments:?}"
            );
        }
        other.close().await.unwrap();
    });
    assert!(bench.run_with(&["import", "-"], TEAM).good().starts_with("0 accepted, 1 duplicate"));
}

#[test]
fn a_full_disk_is_said_and_what_was_acknowledged_is_there() {
    let bench = Bench::new();
    let line = |n: usize| format!("{{\"kind\": \"team\", \"slug\": \"t{n}\", \"name\": \"{}\"}}\n", "x".repeat(400));
    let events = bench.write("many.ndjson", &(0..20_000).map(line).collect::<String>());
    // A disk of its own, of two megabytes, in a namespace that only these commands see.
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=2m small small && cd small && \
         timeout 100 \"$1\" import {}; echo \"status $?\"; \
         mount -o remount,size=100m small . && \"$1\" database check --format json",
        events.display()
    );
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_vigie")])
        .current_dir(bench.path(""))
        .output();
    let Some(output) = output.ok().filter(|output| !String::from_utf8_lossy(&output.stderr).contains("unshare: "))
    else {
        eprintln!("NOT CHECKED: this machine lets nobody mount a small disk in a namespace");
        return;
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        err.contains(
            "error: the disk of the database is full: make room, then try again; what was acknowledged is safe"
        ),
        "{out}{err}"
    );
    assert!(out.contains("status 1\n"), "{out}{err}");
    let report = out.split_once("status 1\n").map_or("", |(_, report)| report);
    let report: serde_json::Value = serde_json::from_str(report).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!(report["faults"], serde_json::json!([]), "{out}{err}");
}
