//! What the body of `POST /v1/events` may be, and what is said of one that is not.

use vigie_model::people::PeopleKey;
use vigie_model::{Settings, Value};

use super::*;

fn intake() -> Intake {
    Intake {
        context: Context::outside("ci"),
        concealer: Arc::new(Concealer::new(PeopleKey([7; 32]), &Settings::default())),
        limits: Limits::default(),
    }
}

fn parse_as(content_type: &str, body: impl AsRef<[u8]>) -> Result<Parsed, BodyError> {
    parse_body(body.as_ref(), Some(content_type), |_| None, &intake())
}

fn parse(body: impl AsRef<[u8]>) -> Parsed {
    parse_as("application/json", body).unwrap()
}

/// What becomes of a body, as somebody would tell it.
fn told(body: impl AsRef<[u8]>) -> String {
    match parse_as("application/json", body) {
        Err(error) => error.to_string(),
        Ok(parsed) => {
            let events = parsed.events.iter().map(|(index, event)| format!("event {index}: {}\n", event.identity()));
            let rejected = parsed.rejected.iter().map(|rejected| format!("{rejected}\n"));
            events.chain(rejected).collect::<String>().replace('\u{1f}', " ")
        }
    }
}

const ONE: &str = r#"{"kind":"team","slug":"one"}"#;
const TWO: &str = r#"{"kind":"team","slug":"two"}"#;
const BAD: &str = r#"{"kind":"incident","id":"7","service":"s","started_at":"2026-10-01T12:00:00"}"#;

#[test]
fn one_object_an_array_or_one_object_a_line() {
    for body in [
        ONE.to_owned(),
        format!(" [{ONE}] "),
        format!("{ONE}\n"),
        "{\n  \"kind\": \"team\",\n  \"slug\": \"one\"\n}\n".into(),
    ] {
        assert_eq!(told(&body), "event 0: t one\n", "{body}");
    }
    for body in [
        format!("[{ONE},{TWO}]"),
        format!("[\n  {ONE},\n  {TWO}\n]"),
        format!("{ONE}\n{TWO}"),
        format!("\u{feff}{ONE}\r\n\r\n{TWO}\r\n"),
        format!("{{\n\"kind\":\"team\",\n\"slug\":\"one\"}}\n{TWO}"),
    ] {
        assert_eq!(told(&body), "event 0: t one\nevent 1: t two\n", "{body}");
    }
    assert_eq!(told("[]"), "");
    let lines = parse_as("application/x-ndjson; charset=utf-8", format!("{ONE}\n{TWO}\n")).unwrap();
    assert_eq!(lines.events.len(), 2);
}

#[test]
fn one_bad_object_rejects_no_other() {
    insta::assert_snapshot!(told(format!("[{ONE},{BAD},{TWO},7,{{\"kind\":\"team\",\"slug\":\"x\",\"slug\":\"y\"}}]")), @r#"
    event 0: t one
    event 2: t two
    event 1: started_at: "2026-10-01T12:00:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
    event 3: an event is an object, this is a number: 7 (send {"kind": …, …})
    event 4: slug: the key "slug" stands twice in one object (column 32, near `am","slug":"x","slug":"y"}`) (which of the two is meant? Leave one out)
    "#);
    insta::assert_snapshot!(told(format!("{ONE}\n{BAD}\n{TWO}\n")), @r#"
    event 0: t one
    event 2: t two
    line 2: started_at: "2026-10-01T12:00:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
    "#);
}

#[test]
fn a_broken_line_is_rejected_and_the_others_are_kept() {
    let deep = format!("{{\"kind\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let body = [
        ONE.as_bytes(),
        b"{\"kind\":\"team\",\"slug\":oops}",
        b"not json at all",
        b"{\"kind\":\"team\",\"slug\":\"\xff\xfe\"}",
        b"{\"kind\":\"team\",\"slug\":\"a\0b\"}",
        deep.as_bytes(),
        b"{\"kind\":\"team\",\"slug\":\"a\",\"slug\":\"b\"}",
        b"{\"kind\":\"team\"}{\"kind\":\"team\"}",
        b"{\"kind\":\"pull_request\",\"repository\":\"r\",\"number\":1e999}",
        b"[1,2]",
        TWO.as_bytes(),
        b"{\"kind\":\"team\",\"slug\":\"cut o",
    ]
    .join(&b'\n');
    insta::assert_snapshot!(told(&body), @r#"
    event 0: t one
    event 10: t two
    line 2: expected value (column 23, near `kind":"team","slug":oops}`) (send each event as one JSON object)
    line 3: an object was expected (column 2, near `not json at all`) (send each event as one JSON object)
    line 4: it is not UTF-8 (column 24, near `ind":"team","slug":"��"}`) (send the text as UTF-8)
    line 5: it holds a NUL byte: control character (\u0000-\u001F) found while parsing a string (column 25, near `nd":"team","slug":"a�b"}`) (the text is damaged: send it again)
    line 6: it is nested more than 127 levels deep (column 135, near `[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`) (an event is flat: put what has no field into labels, as text)
    line 7: slug: the key "slug" stands twice in one object (column 32, near `am","slug":"a","slug":"b"}`) (which of the two is meant? Leave one out)
    line 8: trailing characters (column 16, near `{"kind":"team"}{"kind":"team"}`) (send each event as one JSON object)
    line 9: a number is out of range (column 54, near `y":"r","number":1e999}`) (send a smaller number, or a string in labels)
    line 10: an event is an object, this is an array: [1,2] (send {"kind": …, …})
    line 12: it ends too early, after `:"team","slug":"cut o` (the end seems to be cut off: send it again whole)
    "#);
}

#[test]
fn a_body_that_is_no_json_is_refused_as_a_whole() {
    let bodies = [
        "",
        " \n ",
        "hello",
        "<html>\n<body>\n",
        "kind=team&slug=one",
        "{\"kind\":\"team\",\"slug\":",
        "{\"kind\":\"team\",\"slug\":\"one\"}}",
        "{\n  \"kind\": \"team\",\n  \"slug\": oops\n}",
        "[{\"kind\":\"team\",\"slug\":\"one\"},\n {\"kind\":oops}]",
        "[{\"kind\":\"team\",\"slug\":\"one\"},]",
        "[{\"kind\":\"team\",\"slug\":\"one\"}",
        "[{\"kind\":\"team\",\"slug\":\"one\"}] and more",
    ];
    let told: String = bodies.iter().map(|body| format!("{}\n", told(body))).collect();
    insta::assert_snapshot!(told, @r#"
    the body is empty; send an event as JSON, an array of events, or one event a line
    the body is empty; send an event as JSON, an array of events, or one event a line
    the body is not JSON: an object was expected (line 1, column 1, near `hello`); nothing of it was taken
    the body is not JSON: an object was expected (line 1, column 1, near `<html>`); nothing of it was taken
    the body is not JSON: an object was expected (line 1, column 1, near `kind=team&slug=one`); nothing of it was taken
    the body is not JSON: it ends too early (line 1, column 22, near `"kind":"team","slug":`); nothing of it was taken
    the body is not JSON: an object was expected (line 1, column 29, near `}`); nothing of it was taken
    the body is not JSON: expected value (line 3, column 11, near `"slug": oops`); nothing of it was taken
    the body is not JSON: expected value (line 2, column 10, near `{"kind":oops}`); nothing of it was taken
    the body is not JSON: a value is missing beside this comma (line 1, column 31); nothing of it was taken
    the body is not JSON: the array is not closed (line 1, column 30); nothing of it was taken
    the body is not JSON: there is text after the end of the array (line 1, column 32); nothing of it was taken
    "#);
    insta::assert_snapshot!(super::tests::told(b"{\"kind\":\"team\",\n\"slug\":\"\xff\"}"), @r#"the body is not JSON: it is not UTF-8 (line 2, column 9, near `"slug":"�"}`); nothing of it was taken"#);
}

#[test]
fn json_that_is_no_event_is_rejected_and_not_refused() {
    let bodies = ["42", "\"hello\"", "null", "{}", "{\"kind\":\"team\",\"slug\":\"a\",\"slug\":\"b\"}"];
    let told: String = bodies.iter().map(told).collect();
    insta::assert_snapshot!(told, @r#"
    event 0: an event is an object, this is a number: 42 (send {"kind": …, …})
    event 0: an event is an object, this is a string: "hello" (send {"kind": …, …})
    event 0: an event is an object, this is null: null (send {"kind": …, …})
    event 0: kind: it is missing (say which: deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
    event 0: slug: the key "slug" stands twice in one object (column 32, near `am","slug":"a","slug":"b"}`) (which of the two is meant? Leave one out)
    "#);
}

#[test]
fn an_event_is_at_most_a_mebibyte_and_a_body_ten() {
    // An event of exactly so many bytes.
    let event = |len: usize| {
        let frame = r#"{"kind":"team","slug":"x","labels":{"":""}}"#.len();
        let labels: String =
            (0..(len - frame) / 10_000).map(|n| format!("\"{n:06}\":\"{}\",", "x".repeat(9_989))).collect();
        let last = "x".repeat(len - frame - labels.len());
        format!(r#"{{"kind":"team","slug":"x","labels":{{{labels}"":"{last}"}}}}"#)
    };
    let fits = event(1 << 20);
    assert_eq!(fits.len(), 1 << 20);
    assert_eq!(parse(format!("{fits}\n{ONE}")).events.len(), 2);
    let long = event(1_100_000);
    insta::assert_snapshot!(told(format!("{ONE}\n{long}\n{TWO}")), @"
    event 0: t one
    event 2: t two
    line 2: the event has 1100000 bytes, more than 1048576 (shorten its texts and lists, or send what it holds in several events)
    ");
    insta::assert_snapshot!(told(&long), @"event 0: the event has 1100000 bytes, more than 1048576 (shorten its texts and lists, or send what it holds in several events)");
    insta::assert_snapshot!(told(" ".repeat((10 << 20) + 1)), @"the body has 10485761 bytes, more than 10485760; send it in several requests");
}

#[test]
fn an_answer_is_bounded() {
    let parsed = parse("{}\n".repeat(5_000));
    assert_eq!((parsed.rejected.len(), parsed.more_rejected), (1_000, 4_000));
    let huge = format!("{{\"kind\":\"{}\"}}\n", "k".repeat(500_000));
    let answer = serde_json::to_string(&parse(huge.repeat(10)).into_answer(0, 0)).unwrap();
    assert!(answer.len() < 5_000, "{}", answer.len());
}

#[test]
fn the_answer_is_what_the_documentation_shows() {
    let parsed = parse(format!("[{ONE},{TWO},{BAD}]"));
    let answer = parsed.into_answer(1, 1);
    assert!(!answer.is_all_rejected());
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer).unwrap(), @r#"
    {
      "accepted": 1,
      "duplicates": 1,
      "rejected": [
        {
          "index": 2,
          "field": "started_at",
          "error": "\"2026-10-01T12:00:00\": the time has no offset",
          "hint": "write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00"
        }
      ]
    }
    "#);
    assert!(parse(BAD).into_answer(0, 0).is_all_rejected());
    assert!(!parse("[]").into_answer(0, 0).is_all_rejected());
}

#[test]
fn authors_are_concealed_before_anything_else() {
    let commit = r#"{"kind":"commit","repository":"r","sha":"0123456789012345678901234567890123456789","authored_at":"2026-10-01T12:00:00Z","author":"Ada <ada@example.com>"}"#;
    let parsed = parse(commit);
    let Some(Value::Text(author)) = parsed.events[0].1.get(vigie_model::kinds::commit::AUTHOR) else {
        panic!("no author");
    };
    assert!(author.starts_with("person-"));
}

mod cloudevents {
    use super::*;

    const DEPLOYMENT: &str = r#"{"service":"checkout","id":"1","started_at":"2026-10-01T12:00:00Z"}"#;

    fn envelope(kind: &str, rest: &str) -> String {
        format!(r#"{{"specversion":"1.0","id":"e1","source":"/ci","type":"dev.vigie.{kind}.v1",{rest}}}"#)
    }

    fn told_as(content_type: &str, headers: &[(&str, &str)], body: &str) -> String {
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        match parse_body(body.as_bytes(), Some(content_type), header, &intake()) {
            Err(error) => format!("{error}\n"),
            Ok(parsed) => {
                let events = parsed.events.iter().map(|(_, event)| format!("{}\n", event.to_json()));
                events.chain(parsed.rejected.iter().map(|r| format!("{r}\n"))).collect()
            }
        }
    }

    #[test]
    fn in_every_mode_the_event_is_the_same_as_without_an_envelope() {
        let plain = told_as("application/json", &[], &DEPLOYMENT.replacen('{', r#"{"kind":"deployment","#, 1));
        let one = envelope("deployment", &format!("\"data\":{DEPLOYMENT}"));
        assert_eq!(told_as("application/cloudevents+json; charset=utf-8", &[], &one), plain);
        assert_eq!(told_as("application/cloudevents-batch+json", &[], &format!("[{one},{one}]")), plain.repeat(2));
        let headers =
            [("ce-specversion", "1.0"), ("ce-type", "dev.vigie.deployment.v1"), ("ce-id", "e1"), ("ce-source", "/ci")];
        assert_eq!(told_as("application/json", &headers, DEPLOYMENT), plain);
        assert_eq!(told_as("application/json", &[], &format!("{one}\n{one}\n")), plain.repeat(2), "lines of envelopes");
        let base64 = "eyJzZXJ2aWNlIjoiY2hlY2tvdXQiLCJpZCI6IjEiLCJzdGFydGVkX2F0IjoiMjAyNi0xMC0wMVQxMjowMDowMFoifQ==";
        let encoded = envelope("deployment", &format!("\"data_base64\":\"{base64}\""));
        assert_eq!(told_as("application/cloudevents+json", &[], &encoded), plain);
    }

    const CDEVENT: &str = r#"{"context":{"version":"0.4.1","id":"e1","source":"/ci","type":"dev.cdevents.service.deployed.0.2.0","timestamp":"2026-10-01T12:00:00Z"},"subject":{"id":"checkout","type":"service","content":{"environment":{"id":"production"},"artifactId":"pkg:oci/checkout@1"}}}"#;

    #[test]
    fn a_cdevent_is_the_same_in_every_mode_and_without_an_envelope() {
        let plain = told_as("application/json", &[], CDEVENT);
        assert!(plain.starts_with("{\"kind\":\"deployment\",\"source\":\"/ci\","), "{plain}");
        let ty = "dev.cdevents.service.deployed.0.2.0";
        let one = format!(r#"{{"specversion":"1.0","id":"e1","source":"/ci","type":"{ty}","data":{CDEVENT}}}"#);
        assert_eq!(told_as("application/cloudevents+json", &[], &one), plain);
        assert_eq!(told_as("application/cloudevents-batch+json", &[], &format!("[{one},{one}]")), plain.repeat(2));
        for content_type in ["application/json", "application/cdevents+json; charset=utf-8"] {
            let headers = [("ce-specversion", "1.0"), ("ce-type", ty), ("ce-id", "e1"), ("ce-source", "/ci")];
            assert_eq!(told_as(content_type, &headers, CDEVENT), plain);
        }
        assert_eq!(told_as("application/x-ndjson", &[], &format!("{CDEVENT}\n{one}\n")), plain.repeat(2));
        // Custom ones have any type; what counts is the CDEvent's own.
        let headers = [("ce-specversion", "1.0"), ("ce-type", "com.example.probes.ping.0.1.0")];
        assert_eq!(told_as("application/json", &headers, CDEVENT), plain);
    }

    #[test]
    fn what_was_announced_as_a_cdevent_has_to_be_one() {
        let one = r#"{"specversion":"1.0","type":"dev.cdevents.build.queued.0.3.0","data":{"id":"7"}}"#;
        let bare = r#"{"specversion":"1.0","type":"dev.cdevents.build.queued.0.3.0"}"#;
        insta::assert_snapshot!(told_as("application/cloudevents-batch+json", &[], &format!("[{one},{bare}]")), @r#"
        event 0: context: it is missing (a CDEvent is {"context": {…}, "subject": {…}}: send it whole, inside the CloudEvent too)
        event 1: data: it is missing (put the event into data)
        "#);
    }

    #[test]
    fn a_bad_envelope_is_rejected_by_its_attribute() {
        let batch = [
            DEPLOYMENT.to_owned(),
            "7".to_owned(),
            envelope("deployment", "\"datacontenttype\":\"application/json\""),
            envelope("deploiment", "\"data\":{}"),
            envelope("settings", "\"data\":{}"),
            envelope("deployment", "\"data\":7"),
            envelope("deployment", "\"data\":{\"kind\":\"incident\"}"),
            envelope("deployment", "\"data\":{\"service\":\"s\"}"),
            envelope("deployment", "\"data_base64\":\"e30\""),
            envelope("deployment", "\"data_base64\":\"%\""),
            envelope("deployment", "\"data\":{}").replace("\"1.0\"", "\"0.3\""),
            envelope("deployment", "\"data\":{}").replace("\"1.0\"", "1"),
        ];
        insta::assert_snapshot!(told_as("application/cloudevents-batch+json", &[], &format!("[{}]", batch.join(","))), @r#"
        event 0: specversion: it is missing (a CloudEvents envelope has one: "1.0")
        event 1: an envelope is an object, this is a number: 7 (send {"specversion": "1.0", "type": …, "data": …})
        event 2: data: it is missing (put the event into data)
        event 3: type: there is no event type "dev.vigie.deploiment.v1" (use dev.vigie.<kind>.v1, the kind one of deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
        event 4: type: there is no event type "dev.vigie.settings.v1" (use dev.vigie.<kind>.v1, the kind one of deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
        event 5: an event is an object, this is a number: 7 (send {"kind": …, …})
        event 6: kind: "incident" contradicts the type, which says deployment (leave kind out of the data, or correct the type)
        event 7: id: it is missing (it is part of the identity and needed in every event)
        event 8: service: it is missing (it is part of the identity and needed in every event)
        event 9: data_base64: "%" is not base64 (send the object itself as data)
        event 10: specversion: "0.3" is not 1.0 (send CloudEvents 1.0)
        event 11: specversion: 1 is a number, not a string (send a string, like "1.0")
        "#);
    }

    #[test]
    fn bad_headers_reject_the_event() {
        let told: String = [
            told_as("application/json", &[("ce-specversion", "1.0")], DEPLOYMENT),
            told_as("application/json", &[("ce-specversion", "2.0"), ("ce-type", "x")], DEPLOYMENT),
            told_as("application/json", &[("ce-specversion", "1.0"), ("ce-type", "com.example.thing")], DEPLOYMENT),
            told_as("application/cloudevents+avro", &[], DEPLOYMENT),
        ]
        .concat();
        insta::assert_snapshot!(told, @r#"
        event 0: ce-type: it is missing (send the header ce-type: dev.vigie.deployment.v1)
        event 0: ce-specversion: "2.0" is not 1.0 (send CloudEvents 1.0)
        event 0: ce-type: there is no event type "com.example.thing" (use dev.vigie.<kind>.v1, the kind one of deployment, commit, pull_request, incident, availability, check, maintenance, service, team, note)
        event 0: content-type: application/cloudevents+avro cannot be read (send application/cloudevents+json or application/cloudevents-batch+json)
        "#);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_as("application/json", &body);
            let _ = parse_as("application/x-ndjson", &body);
            let _ = parse_as("application/cloudevents+json", &body);
        }

        #[test]
        fn every_event_of_a_body_is_answered_for(lines in proptest::collection::vec(0..4_usize, 2..20), array in any::<bool>()) {
            let lines: Vec<&str> = lines.into_iter().map(|n| [ONE, TWO, BAD, "{}"][n]).collect();
            let body = if array { format!("[{}]", lines.join(",")) } else { lines.join("\n") };
            let parsed = parse(body);
            let mut indexes: Vec<u64> =
                parsed.events.iter().map(|(index, _)| *index).chain(parsed.rejected.iter().map(|r| r.index)).collect();
            indexes.sort_unstable();
            prop_assert_eq!(indexes, (0..lines.len() as u64).collect::<Vec<_>>());
        }
    }
}
