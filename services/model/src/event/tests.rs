//! What an event may be, and what every fault is called: field, value, remedy.

use super::{Context, Digest, Event, parse_object};
use crate::json::Json;
use crate::kinds::{Kind, availability, deployment};
use crate::{Value, parse_time};

mod properties;
pub(crate) mod strategy;

fn parse(json: &str) -> Result<Event, super::Rejection> {
    parse_object(&Json::parse(json.as_bytes()).unwrap(), &Context::outside("ci"))
}

fn event(json: &str) -> Event {
    parse(json).unwrap_or_else(|e| panic!("{e}: {json}"))
}

/// `field: error (hint)` of each of these, a line each.
fn faults<S: AsRef<str>>(objects: impl IntoIterator<Item = S>) -> String {
    let faults = objects.into_iter().map(|json| match parse(json.as_ref()) {
        Ok(event) => format!("taken: {}\n", event.to_json()),
        Err(rejection) => format!("{rejection}\n"),
    });
    faults.collect()
}

/// A deployment with these members in addition to its identity.
fn deployment(members: &str) -> String {
    format!(r#"{{"kind":"deployment","service":"checkout","id":"1",{members}}}"#)
}

#[test]
fn an_event_is_an_object_of_a_known_kind() {
    insta::assert_snapshot!(faults([
        "[]",
        "42",
        "\"deployment\"",
        "{}",
        r#"{"kind":7}"#,
        r#"{"kind":"deploiment"}"#,
        r#"{"kind":"Deployment"}"#,
        r#"{"kind":"pr"}"#,
        r#"{"kind":"release"}"#,
        r#"{"kind":"settings","value":"{}"}"#,
        r#"{"kind":"other","type":"x","id":"1","data":"{}"}"#,
    ]), @r#"
    an event is an object, this is an array: [] (send {"kind": …, …})
    an event is an object, this is a number: 42 (send {"kind": …, …})
    an event is an object, this is a string: "deployment" (send {"kind": …, …})
    kind: it is missing (say which: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: 7 is a number, not a string (send a string)
    kind: there is no kind "deploiment" (did you mean deployment? known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: there is no kind "Deployment" (did you mean deployment? known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: there is no kind "pr" (known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: there is no kind "release" (known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: there is no kind "settings" (known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    kind: there is no kind "other" (known kinds: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    "#);
}

#[test]
fn an_unknown_field_is_named_with_the_nearest_known_one() {
    insta::assert_snapshot!(faults([
        deployment(r#""finishedAt":"2026-10-01T12:00:00Z""#),
        deployment(r#""env":"production""#),
        deployment(r#""Outcome":"succeeded""#),
        deployment(r#""colour":"blue""#),
        deployment(r#""xy":1"#),
        deployment(r#""partail":true"#),
        deployment(&format!(r#""{}":1"#, "k".repeat(10_000))),
        deployment(r#""a\u001b[31mred":1"#),
        deployment(r#""commits":[{"sha":"0123456789012345678901234567890123456789","authoredAt":"2026-10-01T12:00:00Z"}]"#),
    ]), @r#"
    finishedAt: the kind deployment has no such field; its value is "2026-10-01T12:00:00Z" (did you mean finished_at? Put what has no field into labels)
    env: the kind deployment has no such field; its value is "production" (did you mean environment? Put what has no field into labels)
    Outcome: the kind deployment has no such field; its value is "succeeded" (did you mean outcome? Put what has no field into labels)
    colour: the kind deployment has no such field; its value is "blue" (leave it out, or put it into labels)
    xy: the kind deployment has no such field; its value is 1 (leave it out, or put it into labels)
    partail: the kind deployment has no such field; its value is true (did you mean partial? Put what has no field into labels)
    kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…: the kind deployment has no such field; its value is 1 (leave it out, or put it into labels)
    a�[31mred: the kind deployment has no such field; its value is 1 (leave it out, or put it into labels)
    commits[0].authoredAt: there is no such member (did you mean authored_at?)
    "#);
}

#[test]
fn a_time_has_an_offset_and_lies_between_1970_and_9999() {
    insta::assert_snapshot!(faults([
        "\"2026-10-01T12:00:00\"",
        "\"2026-10-01 12:00\"",
        "\"2026-10-01\"",
        "\"2026-02-30T12:00:00Z\"",
        "\"yesterday\"",
        "\"\"",
        "\"-2026-10-01T12:00:00Z\"",
        "\"1969-12-31T23:59:59Z\"",
        "\"0000-00-00T00:00:00Z\"",
        "\"10000-01-01T00:00:00Z\"",
        "\"9999-12-31T23:59:59-01:00\"",
        "1790856000",
        "{\"seconds\":1790856000}",
    ].map(|time| deployment(&format!("\"started_at\":{time}")))), @r#"
    started_at: "2026-10-01T12:00:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
    started_at: "2026-10-01 12:00": this is no RFC 3339 time (write it like 2026-10-01T12:00:00Z)
    started_at: "2026-10-01": this is no RFC 3339 time (write it like 2026-10-01T12:00:00Z)
    started_at: "2026-02-30T12:00:00Z": there is no such day or time of day (write it like 2026-10-01T12:00:00Z)
    started_at: "yesterday": this is no RFC 3339 time (write it like 2026-10-01T12:00:00Z)
    started_at: "": this is no RFC 3339 time (write it like 2026-10-01T12:00:00Z)
    started_at: "-2026-10-01T12:00:00Z": the year is outside 1970 to 9999 (send the real time, or leave the field out)
    started_at: "1969-12-31T23:59:59Z": the year is outside 1970 to 9999 (send the real time, or leave the field out)
    started_at: "0000-00-00T00:00:00Z": there is no such day or time of day (write it like 2026-10-01T12:00:00Z)
    started_at: "10000-01-01T00:00:00Z": the year is outside 1970 to 9999 (send the real time, or leave the field out)
    started_at: "9999-12-31T23:59:59-01:00": the year is outside 1970 to 9999 (send the real time, or leave the field out)
    started_at: 1790856000 is a number, not a time in a string, like "2026-10-01T12:00:00Z" (send a time in a string, like "2026-10-01T12:00:00Z")
    started_at: {"seconds":1790856000} is an object, not a time in a string, like "2026-10-01T12:00:00Z" (send a time in a string, like "2026-10-01T12:00:00Z")
    "#);
}

#[test]
fn a_time_may_be_written_in_any_zone_and_precision() {
    let at = |time: &str| event(&deployment(&format!("\"started_at\":\"{time}\""))).at;
    assert_eq!(at("2026-10-01T14:00:00+02:00"), at("2026-10-01T12:00:00Z"));
    assert_eq!(at("2026-10-01t12:00:00z"), at("2026-10-01T12:00:00.000Z"));
    assert_eq!(at("2026-10-01T12:00:00.1234567899Z"), at("2026-10-01T12:00:00.123456Z"));
}

#[test]
fn a_wrong_type_is_named() {
    insta::assert_snapshot!(faults([
        deployment(r#""environment":1"#),
        deployment(r#""rollback":"yes""#),
        deployment(r#""rollback":1"#),
        deployment(r#""commits":{}"#),
        deployment(r#""commits":[1]"#),
        deployment(r#""commits":[{"authored_at":"2026-10-01T12:00:00Z"}]"#),
        deployment(r#""commits":[{"sha":"abc","authored_at":"2026-10-01T12:00:00Z"}]"#),
        deployment(r#""revisions":[{"repository":"a","revision":null}]"#),
        deployment(r#""labels":["a"]"#),
        deployment(r#""labels":{"a":1}"#),
        deployment(r#""partial":"true""#),
        deployment(r#""outcome":"success""#),
        r#"{"kind":"pull_request","repository":"r","number":"7","opened_at":"2026-10-01T12:00:00Z"}"#.to_owned(),
        r#"{"kind":"pull_request","repository":"r","number":-7,"opened_at":"2026-10-01T12:00:00Z"}"#.to_owned(),
        r#"{"kind":"pull_request","repository":"r","number":7.5,"opened_at":"2026-10-01T12:00:00Z"}"#.to_owned(),
        r#"{"kind":"pull_request","repository":"r","number":99999999999999999999,"opened_at":"2026-10-01T12:00:00Z"}"#.to_owned(),
        r#"{"kind":"commit","repository":"r","sha":"main","authored_at":"2026-10-01T12:00:00Z"}"#.to_owned(),
        r#"{"kind":"service","slug":"s","repositories":[{"paths":["a"]}]}"#.to_owned(),
        r#"{"kind":"service","slug":"s","repositories":[{"repository":"r","path":["a"]}]}"#.to_owned(),
        r#"{"kind":"service","slug":"s","production":["eu",null]}"#.to_owned(),
    ]), @r#"
    environment: 1 is a number, not a string (send a string)
    rollback: "yes" is a string, not true or false (send true or false)
    rollback: 1 is a number, not true or false (send true or false)
    commits: {} is an object, not an array (send an array)
    commits[0]: 1 is a number, not an object (send an object)
    commits[0].sha: it is missing (give it)
    commits[0].sha: "abc" is no commit hash (send the full hash, 40 (or 64) hexadecimal digits)
    revisions[0].revision: it is null, not a string (send a string)
    labels: ["a"] is an array, not an object of strings (send an object of strings)
    labels.a: 1 is a number, not a string (send a string)
    partial: "true" is a string, not true or false (send true or false)
    outcome: "success" is none of its values (use one of succeeded, failed, cancelled)
    number: "7" is a string, not a whole number (send a whole number)
    number: -7 is no whole number from 0 to 9223372036854775807 (send a whole number, zero or more)
    number: 7.5 is no whole number from 0 to 9223372036854775807 (send a whole number, zero or more)
    number: 100000000000000000000 is no whole number from 0 to 9223372036854775807 (send a whole number, zero or more)
    sha: "main" is no commit hash (send the full hash, 40 (or 64) hexadecimal digits)
    repositories[0].repository: it is missing (give it)
    repositories[0].path: there is no such member (did you mean paths?)
    production[1]: it is null, not a string (send a string)
    "#);
}

#[test]
fn ids_are_short_and_printable() {
    let id = |id: &str| format!(r#"{{"kind":"deployment","service":"checkout","id":{id}}}"#);
    insta::assert_snapshot!(faults([
        id("\"\""),
        id("\"   \""),
        id("null"),
        id(&format!("\"{}\"", "x".repeat(10_000))),
        id("\"a\\u0000b\""),
        id("\"a\\nb\""),
        id("\"a\\u0085b\""),
        // 500 bytes, but 750 in lower case.
        deployment(&format!("\"environment\":\"{}\"", "İ".repeat(250))),
    ]), @r#"
    id: it is empty (give it a value, or leave the field out)
    id: it is empty (give it a value, or leave the field out)
    id: it is null (it is part of the identity: give its value)
    id: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… has 10000 bytes, more than 500 (shorten it)
    id: "a\u0000b" holds a NUL character (leave NUL characters out)
    id: "a\nb" holds a control character (use printable characters)
    id: "a�b" holds a control character (use printable characters)
    environment: "İİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİİ… has 750 bytes, more than 500 (shorten it)
    "#);
    assert!(parse(&id(&format!("\"{}\"", "x".repeat(500)))).is_ok());
    assert!(parse(&id("\"Größe 7 / ein Name 🚀\"")).is_ok());
}

#[test]
fn texts_are_long_but_not_endless_and_hold_no_nul() {
    let title = |title: &str| {
        format!(r#"{{"kind":"incident","id":"1","service":"s","started_at":"2026-10-01T12:00:00Z","title":{title}}}"#)
    };
    insta::assert_snapshot!(faults([
        title("\"a\\u0000b\""),
        title(&format!("\"{}\"", "é".repeat(5_001))),
    ]), @r#"
    title: "a\u0000b" holds a NUL character (leave NUL characters out)
    title: "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé… has 10002 bytes, more than 10000 (shorten it)
    "#);
    assert!(parse(&title("\"two\\nlines\\tand \\u001b a tab\"")).is_ok());
    assert!(parse(&title("\"\"")).is_ok());
}

#[test]
fn what_is_missing_is_named() {
    insta::assert_snapshot!(faults([
        r#"{"kind":"deployment","id":"1"}"#,
        r#"{"kind":"deployment","service":"s"}"#,
        r#"{"kind":"commit","repository":"r","sha":"0123456789012345678901234567890123456789"}"#,
        r#"{"kind":"commit","sha":"0123456789012345678901234567890123456789","partial":true}"#,
        r#"{"kind":"incident","id":"1","started_at":"2026-10-01T12:00:00Z"}"#,
        r#"{"kind":"incident","id":"1","started_at":"2026-10-01T12:00:00Z","services":[]}"#,
        r#"{"kind":"availability","service":"s","from":"2026-10-01T12:00:00Z","to":"2026-10-01T13:00:00Z"}"#,
        r#"{"kind":"availability","service":"s","from":"2026-10-01T12:00:00Z","to":"2026-10-01T13:00:00Z","good":1}"#,
        r#"{"kind":"availability","service":"s","from":"2026-10-01T12:00:00Z","to":"2026-10-01T13:00:00Z","total":1}"#,
        r#"{"kind":"maintenance","service":"s","from":"2026-10-01T12:00:00Z"}"#,
        r#"{"kind":"note","id":"1","from":"2026-10-01T12:00:00Z","text":"freeze"}"#,
        r#"{"kind":"deployment","service":"s","id":"1","outcome":"failed"}"#,
        r#"{"kind":"deployment","service":"s","id":"1","finished_at":"2026-10-01T12:00:00Z"}"#,
        r#"{"kind":"incident","id":"1","partial":true,"resolved_at":null}"#,
        r#"{"kind":"incident","id":"1","deleted":true}"#,
    ]), @r#"
    service: it is missing (it is part of the identity and needed in every event)
    id: it is missing (it is part of the identity and needed in every event)
    authored_at: it is missing (give it, or send "partial": true for a change of some fields)
    repository: it is missing (it is part of the identity and needed in every event)
    service: it is missing (name the service that it hits, or several in services)
    service: it is missing (name the service that it hits, or several in services)
    up: it is missing (say whether it was up, or give good and total)
    total: it is missing (good needs total)
    good: it is missing (total needs good)
    to: it is missing (give it, or send "partial": true for a change of some fields)
    service: it is missing (name the service or the team that it is about)
    finished_at: it is missing (a deployment with an outcome has ended: say when)
    outcome: it is missing (a finished deployment has one of succeeded, failed, cancelled)
    at: it is missing (an event that clears something says since when: "at": "2026-10-01T12:00:00Z")
    at: it is missing (an event that clears something says since when: "at": "2026-10-01T12:00:00Z")
    "#);
}

#[test]
fn fields_that_contradict_each_other_are_named() {
    let availability = |rest: &str| {
        format!(
            r#"{{"kind":"availability","service":"s","from":"2026-10-01T12:00:00Z","to":"2026-10-01T13:00:00Z",{rest}}}"#
        )
    };
    insta::assert_snapshot!(faults([
        deployment(r#""revisions":[{"repository":"a","revision":"1"}],"revision":"1""#),
        availability(r#""up":true,"good":1,"total":1"#),
        availability(r#""good":2,"total":1"#),
        r#"{"kind":"maintenance","service":"s","from":"2026-10-01T12:00:00Z","to":"2026-10-01T12:00:00Z"}"#.to_owned(),
    ]), @"
    revisions: it stands beside revision or repository (use revisions for several repositories, else revision and repository)
    up: it stands beside good or total (send up, or good and total)
    good: 2 is more than total, 1 (good counts a part of total)
    to: 2026-10-01T12:00:00Z is not after from, 2026-10-01T12:00:00Z (an interval ends after it began)
    ");
}

#[test]
fn a_partial_event_needs_only_its_identity() {
    let reopened =
        event(r#"{"kind":"incident","id":"i7","partial":true,"resolved_at":null,"at":"2026-10-03T10:05:00Z"}"#);
    assert_eq!(reopened.get(crate::kinds::incident::RESOLVED_AT), Some(&Value::Null));
    assert_eq!(reopened.at, parse_time("2026-10-03T10:05:00Z").unwrap());
    assert!(event(r#"{"kind":"deployment","service":"s","id":"1","partial":true,"outcome":"failed"}"#).timeless);
    assert!(event(r#"{"kind":"incident","id":"i7","deleted":true,"at":"2026-10-03T10:05:00Z"}"#).deleted);
}

#[test]
fn at_is_what_is_said_or_the_latest_time_in_the_object() {
    let members = r#""started_at":"2026-10-01T12:00:00Z","commits":[{"sha":"0123456789012345678901234567890123456789","authored_at":"2026-10-02T09:00:00Z"}]"#;
    assert_eq!(event(&deployment(members)).at, parse_time("2026-10-02T09:00:00Z").unwrap());
    let said = format!(r#"{members},"at":"2026-09-01T00:00:00Z""#);
    assert_eq!(event(&deployment(&said)).at, parse_time("2026-09-01T00:00:00Z").unwrap());
    let team = event(r#"{"kind":"team","slug":"payments"}"#);
    assert!(team.timeless && team.at == 0);
}

#[test]
fn the_identity_holds_environment_and_repository_in_lower_case_and_the_default_environment() {
    let one = event(r#"{"kind":"deployment","service":"Checkout","id":"A1","environment":"PROD-eu"}"#);
    assert_eq!(one.text(deployment::ENVIRONMENT), "prod-eu");
    assert_eq!(one.identity(), "dci\u{1f}Checkout\u{1f}prod-eu\u{1f}A1");
    assert_eq!(one.home(), "s:Checkout");
    let bare = event(r#"{"kind":"deployment","service":"s","id":"1"}"#);
    assert_eq!(bare.text(deployment::ENVIRONMENT), "production");
    let commit = event(
        r#"{"kind":"commit","repository":"Acme/Web","sha":"ABCDEF6789012345678901234567890123456789","authored_at":"2026-10-01T12:00:00Z"}"#,
    );
    assert_eq!(commit.identity(), "c\u{1f}acme/web\u{1f}abcdef6789012345678901234567890123456789");
    assert_eq!(commit.home(), "r:acme/web");
    let sample = event(
        r#"{"kind":"availability","service":"s","from":"2026-10-01T12:00:00+02:00","to":"2026-10-01T13:00:00Z","up":true}"#,
    );
    assert_eq!(sample.get(availability::FROM), Some(&Value::Time(1_790_848_800_000_000)));
    assert_eq!(sample.identity(), "aci\u{1f}s\u{1f}production\u{1f}1790848800000000");
}

#[test]
fn at_home_an_entity_is_the_same_under_every_name_of_its_service_or_repository() {
    let deployment = event(r#"{"kind":"deployment","service":"cart","id":"1"}"#);
    assert_eq!(deployment.identity_at_home(), "dci\u{1f}production\u{1f}1");
    let pull = event(r#"{"kind":"pull_request","repository":"r","number":7,"at":"2026-10-01T12:00:00Z"}"#);
    assert_eq!(pull.identity_at_home(), "p\u{1f}7");
    let incident = event(r#"{"kind":"incident","id":"7","service":"s","started_at":"2026-10-01T12:00:00Z"}"#);
    assert_eq!(incident.identity_at_home(), incident.identity());
}

#[test]
fn the_same_content_in_another_spelling_is_the_same_event() {
    let one = r#"{"kind":"incident","id":"7","services":["a","b"],"started_at":"2026-10-01T12:00:00Z","labels":{"b":"2","a":"1"}}"#;
    let other = r#"{ "labels": {"a":"\u0031","b":"2"}, "started_at": "2026-10-01T14:00:00.000+02:00",
                     "services": ["a","b"], "id": "7", "source": "ci", "kind": "incident" }"#;
    assert_eq!(event(one), event(other));
    assert_eq!(event(one).digest(), event(other).digest());
}

#[test]
fn every_difference_in_content_is_another_event() {
    let variants = [
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z"}"#,
        r#"{"kind":"incident","id":"7","services":["a"],"started_at":"2026-10-01T12:00:00Z"}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00.000001Z"}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z","at":"2026-10-01T12:00:01Z"}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z","source":"pager"}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z","partial":true}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z","title":""}"#,
        r#"{"kind":"incident","id":"7","service":"a","started_at":"2026-10-01T12:00:00Z","at":"2026-10-01T12:00:00Z","title":null}"#,
    ];
    let digests: std::collections::HashSet<Digest> = variants.iter().map(|json| event(json).digest()).collect();
    assert_eq!(digests.len(), variants.len());
}

#[test]
fn a_timeless_event_is_told_by_its_content_and_its_recording() {
    let mut event = event(r#"{"kind":"team","slug":"payments"}"#);
    assert!(!event.to_json().contains("\"at\""));
    let content = event.content_digest();
    event.at = 5;
    let first = event.digest();
    event.at = 6;
    assert_ne!(event.digest(), first);
    assert_eq!(event.content_digest(), content);
    assert_eq!(Event::from_stored(&event.to_json(), 6).unwrap(), event);
}

#[test]
fn the_stored_form_stays_as_it_is() {
    // The digest of every event in every log rests on this text: a change of it would take old events for new.
    let text = r#"{"labels":{"z":"1","a":"\"\\\n\u0001é🚀"},"kind":"deployment","id":"1","service":"s","rollback":false,"finished_at":"2026-10-01T12:00:00.5+02:00","outcome":"succeeded","revisions":[{"repository":"A/B","revision":"V1"}]}"#;
    let event = event(text);
    insta::assert_snapshot!(event.to_json(), @r#"{"kind":"deployment","source":"ci","at":"2026-10-01T10:00:00.500Z","service":"s","environment":"production","id":"1","revisions":[{"repository":"a/b","revision":"V1"}],"finished_at":"2026-10-01T10:00:00.500Z","outcome":"succeeded","rollback":false,"labels":{"a":"\"\\\n\u0001é🚀","z":"1"}}"#);
    insta::assert_debug_snapshot!(u128::from_be_bytes(event.digest().0), @"239468633168086513016204189813229655321");
    assert_eq!(event.kind, Kind::Deployment);
}
