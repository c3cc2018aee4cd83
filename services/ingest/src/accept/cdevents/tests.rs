//! What each CDEvent becomes.

use vigie_model::people::PeopleKey;
use vigie_model::{Entity, Settings};

use super::*;

mod sdk;

fn concealer() -> Concealer {
    Concealer::new(PeopleKey([7; 32]), &Settings::default())
}

fn read_text(text: &str) -> Result<Event, Rejection> {
    read(&Json::parse(text.as_bytes()).unwrap(), &concealer())
}

/// A CDEvent of `/ci` on a subject, at a minute of an hour; `rest` goes into its context.
fn cdevent_with(ty: &str, minute: u32, rest: &str, subject: &str, content: &str) -> String {
    format!(
        r#"{{"context":{{"specversion":"0.5.1","id":"e{minute}","source":"/ci","type":"dev.cdevents.{ty}","timestamp":"2026-10-01T14:{minute:02}:00+02:00"{rest}}},"subject":{{"id":"{subject}","content":{content}}}}}"#
    )
}

fn cdevent(ty: &str, minute: u32, subject: &str, content: &str) -> String {
    cdevent_with(ty, minute, "", subject, content)
}

/// What a CDEvent becomes, or why it becomes nothing.
fn told(text: &str) -> String {
    read_text(text).map_or_else(|rejection| rejection.to_string(), |event| event.to_json())
}

/// The entity that CDEvents of one thing make, in whatever order they come.
fn folded(texts: &[&str]) -> String {
    let events: Vec<Event> = texts.iter().map(|text| read_text(text).unwrap()).collect();
    let identities: Vec<String> = events.iter().map(Event::identity).collect();
    assert!(identities.iter().all(|identity| *identity == identities[0]), "{identities:?}");
    let fold = |events: &mut dyn Iterator<Item = &Event>| {
        let mut entity: Option<Entity> = None;
        for event in events {
            match &mut entity {
                Some(entity) => entity.merge(event.clone(), event.digest(), 0),
                None => entity = Some(Entity::new(event.clone(), event.digest(), 0)),
            }
        }
        let entity = entity.unwrap();
        let fields = entity.kind.fields().iter().zip(0..).filter_map(|(field, id)| Some((field.name, entity.get(id)?)));
        let mut event = Event { fields: Vec::new(), ..events_first(texts) };
        for (name, value) in fields {
            event.set(entity.kind.field(name).unwrap(), value.clone());
        }
        (event.to_json(), entity.missing().collect::<Vec<_>>())
    };
    let (forwards, missing) = fold(&mut events.iter());
    assert_eq!(fold(&mut events.iter().rev()).0, forwards);
    format!("{forwards} lacks {missing:?}")
}

fn events_first(texts: &[&str]) -> Event {
    Event { at: 0, partial: false, ..read_text(texts[0]).unwrap() }
}

const DEPLOYED: &str = r#"{"environment":{"id":"Production"},"artifactId":"pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8"}"#;

mod services {
    use super::*;

    #[test]
    fn a_deployed_service_is_a_deployment_that_succeeded() {
        insta::assert_snapshot!(told(&cdevent("service.deployed.0.3.0", 5, "checkout", DEPLOYED)), @r#"{"kind":"deployment","source":"/ci","at":"2026-10-01T12:05:00Z","service":"checkout","environment":"production","id":"deployed pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8 2026-10-01T12:05:00Z","revision":"9fceb02d0ae598e95dc970b74767f19372d61af8","repository":"acme/shop","finished_at":"2026-10-01T12:05:00Z","outcome":"succeeded","labels":{"artifact":"pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8"}}"#);
    }

    #[test]
    fn every_version_says_the_same() {
        let newest = told(&cdevent("service.deployed.0.3.0", 5, "checkout", DEPLOYED));
        for version in [".0.1.1", ".0.2.0", ".0.3.0-draft", ".0.4.0-draft", ".1.0.0", ""] {
            assert_eq!(
                told(&cdevent(&format!("service.deployed{version}"), 5, "checkout", DEPLOYED)),
                newest,
                "{version}"
            );
        }
        // Before 0.5 the version of the specification had another name, and subjects had a type.
        let old = cdevent("service.deployed.0.1.1", 5, "checkout", DEPLOYED)
            .replace("\"specversion\":\"0.5.1\"", "\"version\":\"0.3.0\"")
            .replace("\"content\"", "\"type\":\"service\",\"content\"");
        assert_eq!(told(&old), newest);
    }

    #[test]
    fn a_service_that_was_rolled_back_is_a_rollback() {
        insta::assert_snapshot!(told(&cdevent("service.rolledback.0.3.0", 5, "checkout", DEPLOYED)), @r#"{"kind":"deployment","source":"/ci","at":"2026-10-01T12:05:00Z","service":"checkout","environment":"production","id":"rolledback pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8 2026-10-01T12:05:00Z","revision":"9fceb02d0ae598e95dc970b74767f19372d61af8","repository":"acme/shop","finished_at":"2026-10-01T12:05:00Z","outcome":"succeeded","rollback":true,"labels":{"artifact":"pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8"}}"#);
    }

    #[test]
    fn what_is_announced_again_in_a_chain_was_deployed_once() {
        let chained = |ty: &str, minute, chain: &str| {
            cdevent_with(ty, minute, &format!(r#","chainId":"{chain}""#), "checkout", DEPLOYED)
        };
        let first = chained("service.deployed.0.3.0", 5, "run-1");
        let again = chained("service.upgraded.0.3.0", 9, "run-1");
        insta::assert_snapshot!(folded(&[&first, &again]), @r#"{"kind":"deployment","source":"/ci","at":"1970-01-01T00:00:00Z","service":"checkout","environment":"production","id":"deployed pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8 run-1","revision":"9fceb02d0ae598e95dc970b74767f19372d61af8","repository":"acme/shop","finished_at":"2026-10-01T12:09:00Z","outcome":"succeeded","labels":{"artifact":"pkg:github/acme/shop@9fceb02d0ae598e95dc970b74767f19372d61af8"}} lacks []"#);
        let identity = |text: &str| read_text(text).unwrap().identity();
        assert_ne!(identity(&chained("service.deployed.0.3.0", 5, "run-2")), identity(&first));
        assert_ne!(identity(&chained("service.rolledback.0.3.0", 5, "run-1")), identity(&first));
    }

    #[test]
    fn without_a_chain_it_is_the_arrival_of_an_artifact_at_an_instant() {
        let identity = |text: &str| read_text(text).unwrap().identity();
        let first = cdevent("service.deployed.0.3.0", 5, "checkout", DEPLOYED);
        let repeated = first.replace("\"e5\"", "\"another id\"").replace("14:05:00+02:00", "12:05:00Z");
        assert_eq!(read_text(&repeated), read_text(&first), "sent again under another id, it is a duplicate");
        assert_ne!(identity(&cdevent("service.deployed.0.3.0", 6, "checkout", DEPLOYED)), identity(&first));
    }

    #[test]
    fn what_names_no_artifact_is_kept() {
        for ty in ["service.published.0.3.0", "service.removed.0.2.0"] {
            let event = read_text(&cdevent(ty, 5, "checkout", r#"{"environment":{"id":"production"}}"#)).unwrap();
            assert_eq!(event.kind.name(), "other");
        }
    }
}

mod changes {
    use super::*;

    const IN_SHOP: &str = r#"{"repository":{"id":"Acme/Shop","source":"https://git.example.com"},"description":"Faster carts\n\nBecause."}"#;

    #[test]
    fn a_change_with_a_number_is_a_pull_request() {
        let events = [
            cdevent("change.created.0.4.0", 1, "42", IN_SHOP),
            cdevent("change.reviewed.0.2.0", 7, "acme/shop/pull/42", IN_SHOP),
            cdevent("change.reviewed.0.2.0", 3, "acme/shop#42", IN_SHOP),
            cdevent("change.reviewed.0.2.0", 5, "#42", IN_SHOP),
            cdevent("change.merged.0.1.2", 9, "acme/shop!42", IN_SHOP),
        ];
        insta::assert_snapshot!(folded(&events.each_ref().map(String::as_str)), @r#"{"kind":"pull_request","source":"/ci","at":"1970-01-01T00:00:00Z","repository":"acme/shop","number":42,"opened_at":"2026-10-01T12:01:00Z","first_review_at":"2026-10-01T12:03:00Z","merged_at":"2026-10-01T12:09:00Z","closed_at":"2026-10-01T12:09:00Z","title":"Faster carts"} lacks []"#);
        let from_url = cdevent(
            "change.abandoned.0.3.0",
            9,
            "42",
            r#"{"repository":{"id":"https://git.example.com/acme/shop.git"}}"#,
        );
        insta::assert_snapshot!(told(&from_url), @r#"{"kind":"pull_request","source":"/ci","at":"2026-10-01T12:09:00Z","repository":"acme/shop","number":42,"closed_at":"2026-10-01T12:09:00Z"}"#);
    }

    #[test]
    fn a_change_that_is_no_pull_request_is_kept_with_the_reason() {
        insta::assert_snapshot!(told(&cdevent("change.merged.0.3.0", 1, "I8473b95934b5", IN_SHOP)), @r#"{"kind":"other","source":"/ci","at":"2026-10-01T12:01:00Z","type":"dev.cdevents.change.merged.0.3.0","id":"e1","reason":"subject.id: \"I8473b95934b5\" is no number of a pull request (a change is a pull request where its id is a number, or ends in /42, #42 or !42)","data":"{\"context\":{\"id\":\"e1\",\"source\":\"/ci\",\"specversion\":\"0.5.1\",\"timestamp\":\"2026-10-01T14:01:00+02:00\",\"type\":\"dev.cdevents.change.merged.0.3.0\"},\"subject\":{\"content\":{\"description\":\"Faster carts\\n\\nBecause.\",\"repository\":{\"id\":\"Acme/Shop\",\"source\":\"https://git.example.com\"}},\"id\":\"I8473b95934b5\"}}"}"#);
        insta::assert_snapshot!(told(&cdevent("change.merged.0.3.0", 1, "42", "{}")), @r#"{"kind":"other","source":"/ci","at":"2026-10-01T12:01:00Z","type":"dev.cdevents.change.merged.0.3.0","id":"e1","reason":"subject.content.repository.id: it is missing (name the repository, so that the change is known as one of its pull requests)","data":"{\"context\":{\"id\":\"e1\",\"source\":\"/ci\",\"specversion\":\"0.5.1\",\"timestamp\":\"2026-10-01T14:01:00+02:00\",\"type\":\"dev.cdevents.change.merged.0.3.0\"},\"subject\":{\"content\":{},\"id\":\"42\"}}"}"#);
    }

    #[test]
    fn a_change_that_was_updated_says_nothing_new() {
        assert_eq!(read_text(&cdevent("change.updated.0.3.0", 1, "42", IN_SHOP)).unwrap().kind.name(), "other");
    }
}

mod incidents {
    use super::*;

    const SLOW: &str = r#"{"description":"Slow\nVery.","environment":{"id":"prod1"},"service":{"id":"checkout"},"artifactId":"pkg:oci/checkout@1","ticketURI":"https://tickets.example.com/7"}"#;

    #[test]
    fn an_incident_began_when_it_was_first_heard_of() {
        let events = [
            cdevent("incident.detected.0.3.0", 2, "i7", SLOW),
            cdevent("incident.detected.0.3.0", 4, "i7", SLOW),
            cdevent("incident.reported.0.1.0", 6, "i7", &SLOW.replace("Slow", "A customer says that it is slow")),
            cdevent("incident.resolved.0.2.0", 30, "i7", &SLOW.replace("Slow", "Fast again").replace("@1", "@2")),
        ];
        insta::assert_snapshot!(folded(&events.each_ref().map(String::as_str)), @r#"{"kind":"incident","source":"/ci","at":"1970-01-01T00:00:00Z","id":"i7","service":"checkout","environment":"prod1","title":"Slow","started_at":"2026-10-01T12:02:00Z","detected_at":"2026-10-01T12:02:00Z","resolved_at":"2026-10-01T12:30:00Z","url":"https://tickets.example.com/7","labels":{"artifact":"pkg:oci/checkout@1"}} lacks []"#);
        let reported = cdevent("incident.reported.0.1.0", 6, "i7", SLOW);
        insta::assert_snapshot!(folded(&[&reported]), @r#"{"kind":"incident","source":"/ci","at":"1970-01-01T00:00:00Z","id":"i7","service":"checkout","environment":"prod1","title":"Slow","started_at":"2026-10-01T12:06:00Z","url":"https://tickets.example.com/7","labels":{"artifact":"pkg:oci/checkout@1"}} lacks []"#);
    }

    #[test]
    fn one_that_names_no_service_waits_for_one() {
        let detected = cdevent("incident.detected.0.3.0", 2, "i7", r#"{"environment":{"id":"prod1"}}"#);
        insta::assert_snapshot!(folded(&[&detected]), @r#"{"kind":"incident","source":"/ci","at":"1970-01-01T00:00:00Z","id":"i7","environment":"prod1","started_at":"2026-10-01T12:02:00Z","detected_at":"2026-10-01T12:02:00Z"} lacks ["service"]"#);
    }

    #[test]
    fn it_is_known_by_the_source_of_the_subject() {
        let of = |text: &str| text.replace("\"subject\":{", "\"subject\":{\"source\":\"/monitoring\",");
        let detected = of(&cdevent("incident.detected.0.3.0", 2, "i7", SLOW)).replace("\"/ci\"", "\"/monitoring\"");
        let resolved = of(&cdevent("incident.resolved.0.3.0", 9, "i7", SLOW)).replace("\"/ci\"", "\"/tickets\"");
        insta::assert_snapshot!(folded(&[&detected, &resolved]), @r#"{"kind":"incident","source":"/monitoring","at":"1970-01-01T00:00:00Z","id":"i7","service":"checkout","environment":"prod1","title":"Slow","started_at":"2026-10-01T12:02:00Z","detected_at":"2026-10-01T12:02:00Z","resolved_at":"2026-10-01T12:09:00Z","labels":{"artifact":"pkg:oci/checkout@1"}} lacks []"#);
    }
}

mod others {
    use super::*;

    #[test]
    fn what_means_no_native_event_is_kept_as_it_is() {
        let build = r#"{"context":{"specversion":"0.5.1","id":"b1","source":"/ci","type":"dev.cdevents.build.finished.0.3.0","timestamp":"2026-10-01T14:05:00+02:00"},"subject":{"id":"7","content":{"artifactId":"pkg:a/b@1"}},"customData":{"z":[1,-2.5,null,true],"a":"\u0000"}}"#;
        insta::assert_snapshot!(told(build), @r#"{"kind":"other","source":"/ci","at":"2026-10-01T12:05:00Z","type":"dev.cdevents.build.finished.0.3.0","id":"b1","data":"{\"context\":{\"id\":\"b1\",\"source\":\"/ci\",\"specversion\":\"0.5.1\",\"timestamp\":\"2026-10-01T14:05:00+02:00\",\"type\":\"dev.cdevents.build.finished.0.3.0\"},\"customData\":{\"a\":\"\\u0000\",\"z\":[1,-2.5,null,true]},\"subject\":{\"content\":{\"artifactId\":\"pkg:a/b@1\"},\"id\":\"7\"}}"}"#);
        let custom = build.replace("dev.cdevents.build.finished.0.3.0", "com.example.probes.ping.0.1.0");
        insta::assert_snapshot!(read_text(&custom).unwrap().home(), @r#"o:com.example.probes.ping.0.1.0"#);
    }

    #[test]
    fn it_is_the_same_again_whatever_the_order_of_its_members() {
        let one = r#"{"context":{"id":"b1","source":"/ci","type":"x","timestamp":"2026-10-01T12:05:00Z"},"subject":{"id":"7","content":{"a":1,"b":{"c":2,"d":3}}}}"#;
        let other = r#"{"subject":{"content":{"b":{"d":3,"c":2},"a":1},"id":"7"},"context":{"timestamp":"2026-10-01T12:05:00Z","type":"x","source":"/ci","id":"b1"}}"#;
        assert_eq!(read_text(one).unwrap().digest(), read_text(other).unwrap().digest());
    }

    #[test]
    fn persons_are_replaced() {
        let ticket = r#"{"creator":"Ada","assignees":["Bob","Cid"],"updatedBy":"Ada","summary":"Ada's idea"}"#;
        let told = told(&cdevent("ticket.updated.0.2.0", 5, "t1", ticket));
        assert!(!told.contains("Bob") && told.matches("Ada").count() == 1, "{told}");
        assert_eq!(told.matches("person-").count(), 4, "{told}");
        let none = Settings { people: vigie_model::settings::People::None, ..Settings::default() };
        let json = cdevent("ticket.updated.0.2.0", 5, "t1", ticket);
        let json = Json::parse(json.as_bytes()).unwrap();
        let kept = read(&json, &Concealer::new(PeopleKey([7; 32]), &none)).unwrap();
        insta::assert_snapshot!(kept.text(vigie_model::kinds::other::DATA), @r#"{"context":{"id":"e5","source":"/ci","specversion":"0.5.1","timestamp":"2026-10-01T14:05:00+02:00","type":"dev.cdevents.ticket.updated.0.2.0"},"subject":{"content":{"assignees":[],"summary":"Ada's idea"},"id":"t1"}}"#);
    }

    #[test]
    fn names_that_no_field_can_hold_are_told_apart_by_their_hash() {
        let odd =
            cdevent("build.started.0.3.0", 5, "7", "{}").replace("\"e5\"", "\" \"").replace("/ci", &"x".repeat(501));
        let event = read_text(&odd).unwrap();
        assert!(event.source.starts_with("sha256:"), "{}", event.source);
        assert!(event.text(vigie_model::kinds::other::ID).starts_with("sha256:36a9e7f1c95b82ff"));
    }
}

mod faults {
    use super::*;

    #[test]
    fn an_event_that_breaks_its_specification_is_refused_by_the_field() {
        let good = cdevent("service.deployed.0.3.0", 5, "checkout", DEPLOYED);
        let faults = [
            good.replace("\"type\":", "\"typ\":"),
            good.replace("\"id\":\"e5\",", ""),
            good.replace("\"/ci\"", "7"),
            good.replace("\"/ci\"", "\"\""),
            good.replace("+02:00", ""),
            good.replace("2026-10-01T14:05:00+02:00", "yesterday"),
            good.replace("\"subject\"", "\"subjects\""),
            good.replace("\"id\":\"checkout\"", "\"id\":null"),
            good.replace("{\"id\":\"Production\"}", "\"production\""),
            good.replace("{\"id\":\"Production\"}", "{}"),
            good.replace("artifactId", "artifactID"),
            r#"{"context":{"type":"x"}}"#.to_owned(),
            r#"{"context":7,"subject":{}}"#.to_owned(),
            cdevent("incident.detected.0.2.0", 5, "i7", "{}"),
            cdevent("incident.detected.0.2.0", 5, "i7", "[]"),
        ];
        let told: String = faults.iter().map(|fault| format!("{}\n", told(fault))).collect();
        insta::assert_snapshot!(told, @r#"
        context.type: it is missing (every CDEvent has one: "type": "dev.cdevents.service.deployed.0.3.0")
        context.id: it is missing (every CDEvent has one: "id": "271069a8-fc18-44f1-b38f-9d70a1695819")
        context.source: 7 is a number, not a string (every CDEvent has one: "source": "https://ci.example.com")
        context.source: it is empty (every CDEvent has one: "source": "https://ci.example.com")
        context.timestamp: "2026-10-01T14:05:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
        context.timestamp: "yesterday": this is no RFC 3339 time (write it like 2026-10-01T12:00:00Z)
        subject: it is missing (a CDEvent says what it is about: "subject": {"id": "checkout", …})
        subject.id: it is null, not a string (every CDEvent has one: "id": "checkout")
        subject.content.environment: "production" is a string, not an object (send an object, like {"id": "production"})
        subject.content.environment.id: it is missing (dev.cdevents.service.deployed.0.3.0 needs it: give it, as the specification of CDEvents says)
        subject.content.artifactId: it is missing (dev.cdevents.service.deployed.0.3.0 needs it: give it, as the specification of CDEvents says)
        subject: it is missing (a CDEvent says what it is about: "subject": {"id": "checkout", …})
        context: 7 is a number, not an object (a CDEvent is {"context": {…}, "subject": {…}}: send it whole, inside the CloudEvent too)
        subject.content.environment.id: it is missing (dev.cdevents.incident.detected.0.2.0 needs it: give it, as the specification of CDEvents says)
        subject.content: [] is an array, not an object (send an object, like {"id": "production"})
        "#);
    }

    #[test]
    fn of_a_version_that_nobody_knows_yet_nothing_can_be_wrong() {
        let later = cdevent("service.deployed.0.9.0-draft", 5, "checkout", r#"{"environment":{"id":"production"}}"#);
        insta::assert_snapshot!(told(&later), @r#"{"kind":"other","source":"/ci","at":"2026-10-01T12:05:00Z","type":"dev.cdevents.service.deployed.0.9.0-draft","id":"e5","reason":"subject.content.artifactId: it is missing (dev.cdevents.service.deployed.0.9.0-draft needs it: give it, as the specification of CDEvents says)","data":"{\"context\":{\"id\":\"e5\",\"source\":\"/ci\",\"specversion\":\"0.5.1\",\"timestamp\":\"2026-10-01T14:05:00+02:00\",\"type\":\"dev.cdevents.service.deployed.0.9.0-draft\"},\"subject\":{\"content\":{\"environment\":{\"id\":\"production\"}},\"id\":\"checkout\"}}"}"#);
    }
}
