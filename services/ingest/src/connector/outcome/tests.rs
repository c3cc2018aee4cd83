use std::collections::BTreeMap;

use vigie_model::event::Context;
use vigie_model::kinds::{commit, deployment, incident};
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::settings::Settings;

use super::super::{Registry, ServiceMatches};
use super::*;

const DEPLOYMENT: &str = r#""kind":"deployment","id":"1","started_at":"2026-10-03T10:00:00Z""#;

fn read(outputs: &str) -> Result<Outcome, String> {
    let intake = Intake {
        context: Context::outside("beacon-eu"),
        concealer: Concealer::new(PeopleKey([7; 32]), &Settings::default()).into(),
        limits: crate::accept::Limits { event_bytes: 1_000, ..Default::default() },
    };
    let fields = BTreeMap::from([("app".to_owned(), vec!["shop-*".to_owned()])]);
    let checkout =
        ServiceMatches { slug: "checkout".to_owned(), formerly: vec!["basket".to_owned()], matches: vec![fields] };
    let registry = Registry::shipped();
    let github = registry.get("github").unwrap();
    Outcome::read(github, outputs.as_bytes(), &intake, &Routes::new([checkout])).map_err(|error| error.to_string())
}

#[test]
fn the_catalogues_patterns_give_the_service_and_leave_the_event() {
    let outcome =
        read(&format!(r#"{{{DEPLOYMENT},"service":"shop-prod","matches":{{"app":"Shop-Prod","x":null}}}}"#)).unwrap();
    let event = &outcome.events[0];
    assert_eq!((event.text(deployment::SERVICE), &*event.source), ("checkout", "beacon-eu"));
    assert_eq!(outcome.unmapped, []);
    let without = read(&format!(r#"{{{DEPLOYMENT},"matches":{{"app":"shop-x"}}}}"#)).unwrap();
    assert_eq!(without.events[0].text(deployment::SERVICE), "checkout", "where the map has no guess");
}

#[test]
fn a_guess_stays_and_is_said_unless_the_catalogue_has_it() {
    let guess = |service: &str| {
        format!(r#"{{{DEPLOYMENT},"service":"{service}","matches":{{"app":"pay \"x\"","repository":"acme/pay"}}}}"#)
    };
    let outcome = read(&[guess("pay"), guess("pay"), guess("basket"), guess("checkout")].join("\n")).unwrap();
    assert_eq!(
        outcome.events.iter().map(|event| event.text(deployment::SERVICE)).collect::<Vec<_>>(),
        ["pay", "pay", "basket", "checkout"]
    );
    let fields = vec![("app".to_owned(), "pay \"x\"".to_owned()), ("repository".to_owned(), "acme/pay".to_owned())];
    assert_eq!(outcome.unmapped, [Unmapped { service: "pay".to_owned(), matches: fields }]);
    assert_eq!(outcome.unmapped[0].line(), "matches = { app = 'pay \"x\"' }");
}

#[test]
fn an_event_of_several_services_is_left_as_it_is() {
    let event = r#"{"kind":"incident","id":"i","service":null,"services":["a","b"],"started_at":"2026-10-03T10:00:00Z","at":"2026-10-03T10:00:00Z","matches":{"app":"shop-x"}}"#;
    let outcome = read(event).unwrap();
    assert_eq!(outcome.events[0].text(incident::SERVICE), "");
    assert_eq!(outcome.unmapped, []);
}

#[test]
fn authors_are_concealed() {
    let sha = "4f1c0a9be27d5538c1a4e0f7d2b96a3358e7c401";
    let outcome = read(&format!(
        r#"{{"kind":"commit","repository":"acme/shop","sha":"{sha}","authored_at":"2026-10-03T10:00:00Z","author":"octocat"}}"#
    ));
    assert!(outcome.unwrap().events[0].text(commit::AUTHOR).starts_with("person-"));
}

#[test]
fn one_output_that_is_no_event_fails_all_of_them() {
    let good = format!(r#"{{{DEPLOYMENT},"service":"a"}}"#);
    for (bad, said) in [
        (
            r#"{"kind":"deploymnt"}"#,
            "github/map.jq: event 2: kind: there is no kind \"deploymnt\" (did you mean deployment?",
        ),
        ("7", "event 2: an event is an object, this is a number: 7"),
        (r#"{"kind":"settings"}"#, "event 2: kind: there is no kind"),
        (r#"{"kind":"deployment","service":"a"}"#, "event 2: id: "),
        (r#"{"kind":"deployment","matches":"x"}"#, "event 2: matches: expected an object of texts, found \"x\""),
        (r#"{"kind":"deployment","matches":{"a":1}}"#, "event 2: matches.a: expected a text, found 1"),
        (r#"{"a":NaN}"#, "event 2: "),
        (&format!(r#"{{"kind":"{}"}}"#, "x".repeat(1_000)), "event 2: it has 1011 bytes, more than 1000"),
    ] {
        let error = read(&format!("{good}\n{bad}\n")).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(read("").unwrap(), Outcome::default());
}
