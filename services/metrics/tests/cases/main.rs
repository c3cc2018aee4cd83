//! What the numbers mean, as cases that can be read without knowing the code: events, then questions with the
//! answers that metrics.md demands. Each case is folded in the order it is written, and again backwards with every
//! event twice: the facts must be the same. How a case is written stands in `cases/README.md`.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod answers;
mod events;
mod facts;
mod run;
mod words;

use std::fmt::Write as _;
use std::path::Path;

macro_rules! files {
    ($($name:ident $path:literal)+) => {
        const FILES: &[&str] = &[$($path),+];
        $(#[test]
        fn $name() {
            check($path);
        })+
    };
}

files! {
    deployment_frequency "src/metrics/deployment_frequency.cases"
    lead_time "src/metrics/lead_time.cases"
    change_failure_rate "src/metrics/change_failure_rate.cases"
    failed_deployment_recovery_time "src/metrics/failed_deployment_recovery_time.cases"
    rework_rate "src/metrics/rework_rate.cases"
    mttr "src/metrics/mttr.cases"
    mttd "src/metrics/mttd.cases"
    mtta "src/metrics/mtta.cases"
    uptime "src/metrics/uptime.cases"
    budget "src/metrics/budget.cases"
    targets "cases/targets.cases"
    scopes "cases/scopes.cases"
    windows "cases/windows.cases"
    confidence "cases/confidence.cases"
    rollbacks "cases/rollbacks.cases"
    deployed_sets "cases/deployed_sets.cases"
    changes "cases/changes.cases"
    blame "cases/blame.cases"
    regions "cases/regions.cases"
    incidents "cases/incidents.cases"
    checks "cases/checks.cases"
    corrections "cases/corrections.cases"
}

fn check(path: &str) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut report = String::new();
    let mut count = 0;
    for case in run::split(&text) {
        count += 1;
        for (line, fault) in run::run(&case) {
            let _ = writeln!(report, "{path}:{line} ({}): {fault}", case.title);
        }
    }
    assert!(count > 0, "{path} has no case");
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn every_file_of_cases_is_run() {
    for folder in ["src/metrics", "cases"] {
        let folder_path = Path::new(folder);
        for entry in std::fs::read_dir(folder_path).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("{folder}/{name}");
            assert!(!name.ends_with(".cases") || FILES.contains(&path.as_str()), "{path} is not listed above");
        }
    }
}
