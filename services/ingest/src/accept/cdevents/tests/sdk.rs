//! Every event that cdevents-sdk generates or ships is taken, of every version that it knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cdevents_sdk::CDEvent;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;

/// The types that a CDEvent becomes something else than `other` for, where its values allow.
const MEANT: [&str; 10] = [
    "service.deployed",
    "service.upgraded",
    "service.rolledback",
    "change.created",
    "change.reviewed",
    "change.merged",
    "change.abandoned",
    "incident.detected",
    "incident.reported",
    "incident.resolved",
];

#[test]
fn every_type_of_every_version_is_taken() {
    let mut runner = TestRunner::deterministic();
    let mut types = BTreeSet::new();
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..4_000 {
        let event = any::<CDEvent>().new_tree(&mut runner).unwrap().current();
        types.insert(event.ty().to_owned());
        *versions.entry(event.version().to_owned()).or_default() += 1;
        let text = serde_json::to_string(&event).unwrap();
        if let Err(rejection) = read_text(&text) {
            panic!("{rejection}: {text}");
        }
    }
    assert!(types.len() >= 132, "{}", types.len());
    for version in ["0.3.0", "0.4.1", "0.5.0"] {
        assert!(versions[version] > 500, "{versions:?}");
    }
    for meant in MEANT {
        assert!(types.iter().filter(|ty| ty.starts_with(&format!("dev.cdevents.{meant}."))).count() >= 3, "{meant}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_event_that_is_delivered_twice_is_the_same_event(event in any::<CDEvent>()) {
        let as_written = serde_json::to_string(&event).unwrap();
        // As somebody between passes it on: pretty, its members in another order.
        let passed_on = serde_json::to_string_pretty(&serde_json::to_value(&event).unwrap()).unwrap();
        let (first, second) = (read_text(&as_written).unwrap(), read_text(&passed_on).unwrap());
        prop_assert_eq!(first.digest(), second.digest());
        prop_assert!(!first.timeless);
    }

    #[test]
    fn what_is_read_says_what_the_sdk_says(event in any::<CDEvent>()) {
        let read = read_text(&serde_json::to_string(&event).unwrap()).unwrap();
        let at = i64::try_from(event.timestamp().unix_timestamp_nanos() / 1_000).unwrap();
        match read.kind.name() {
            "other" => {
                prop_assert_eq!(read.at, at);
                let data = read.text(vigie_model::kinds::other::DATA);
                let again: serde_json::Value = serde_json::from_str(data).unwrap();
                prop_assert_eq!(again["context"]["type"].as_str(), Some(event.ty()));
                prop_assert_eq!(again["context"]["id"].as_str(), Some(event.id().as_str()));
            }
            "deployment" => {
                prop_assert_eq!(read.text(vigie_model::kinds::deployment::SERVICE), event.subject().id().as_str());
                prop_assert_eq!(read.at, at);
            }
            "pull_request" => prop_assert!(event.subject().id().as_str().ends_with(|c: char| c.is_ascii_digit())),
            kind => prop_assert_eq!((kind, event.ty().contains(".incident.")), ("incident", true)),
        }
    }

    #[test]
    fn nothing_makes_it_panic(
        event in any::<CDEvent>(),
        at in any::<prop::sample::Index>(),
        instead in prop_oneof![Just("null"), Just("7"), Just("[]"), Just("{}"), Just("\"\""), Just("\"\u{7f}\"")],
    ) {
        // One of its texts becomes something else.
        let text = serde_json::to_string(&event).unwrap();
        let quotes: Vec<usize> = text.match_indices(":\"").map(|(at, _)| at + 1).collect();
        let from = quotes[at.index(quotes.len())];
        let rest = &text[from + 1..];
        let mut ends = rest.char_indices().scan(false, |escaped, (at, c)| {
            let ends = c == '"' && !*escaped;
            *escaped = c == '\\' && !*escaped;
            Some((at, ends))
        });
        let to = ends.find(|(_, ends)| *ends).map_or(rest.len(), |(at, _)| at + 1);
        let broken = format!("{}{instead}{}", &text[..from], &rest[to..]);
        if let Ok(json) = Json::parse(broken.as_bytes()) {
            let _ = read(&json, &concealer());
        }
    }
}

/// The examples that the SDK ships, and those of a folder that `VIGIE_CDEVENTS_EXAMPLES` names: a checkout of the
/// specification, whose `conformance/` has one of each type.
#[test]
fn every_example_is_taken() {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("VIGIE_CDEVENTS_EXAMPLES").map(PathBuf::from).into_iter().collect();
    folders.extend(shipped());
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(folder, &mut files));
    if files.is_empty() {
        eprintln!(
            "NOT TESTED: the sources of cdevents-sdk are not at hand, and VIGIE_CDEVENTS_EXAMPLES names no examples"
        );
    }
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
        if value.get("context").is_some() {
            let read = read_text(&text);
            assert!(read.is_ok(), "{}: {}", file.display(), read.unwrap_err());
        }
    }
}

fn shipped() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    let crates = registries.into_iter().flatten().flatten().filter_map(|entry| std::fs::read_dir(entry.path()).ok());
    let sdk =
        crates.flatten().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("cdevents-sdk-"));
    sdk.map(|entry| entry.path().join("examples")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
