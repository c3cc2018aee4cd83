use std::collections::BTreeMap;

use vigie_model::event::{Context, parse_object};
use vigie_model::json::Json;
use vigie_model::{Event, Kind, parse_time};

use super::*;

const SMALL: Options = Options { seed: 1, services: 9, months: 2 };

fn lines(options: Options, now: &str) -> Vec<String> {
    Demo::new(options, parse_time(now).unwrap()).flat_map(|day| day.events).collect()
}

fn events(lines: &[String]) -> Vec<Event> {
    let context = Context::outside("demo");
    lines.iter().map(|line| parse_object(&Json::parse(line.as_bytes()).unwrap(), &context).unwrap()).collect()
}

#[test]
fn a_seed_and_a_day_give_the_same_bytes() {
    let morning = lines(SMALL, "2026-11-20T06:00:00Z");
    assert_eq!(morning, lines(SMALL, "2026-11-20T23:59:59Z"));
    assert_ne!(morning, lines(Options { seed: 2, ..SMALL }, "2026-11-20T06:00:00Z"));
}

#[test]
fn a_service_more_changes_nothing_of_the_others() {
    let of_checkout = |services| -> Vec<String> {
        let all = lines(Options { services, ..SMALL }, "2026-11-20T06:00:00Z");
        let own = |line: &String| {
            line.contains("\"service\":\"checkout\"") && !line.contains("wide-inc") && !line.contains("availability")
        };
        all.into_iter().filter(own).collect()
    };
    assert_eq!(of_checkout(3), of_checkout(9));
}

#[test]
fn every_event_is_a_good_one_and_comes_in_its_order() {
    let end = parse_time("2026-11-20T00:00:00Z").unwrap();
    let mut before = 0;
    let options = Options { seed: 3, services: 26, months: 3 };
    for day in Demo::new(options, end + HOUR) {
        assert!(before < day.until && day.until <= end);
        before = day.until;
        for event in events(&day.events) {
            assert!(event.at < day.until + 60 * DAY, "{event:?}");
            assert!(!event.timeless);
        }
    }
    assert_eq!(before, end);
}

#[test]
fn the_year_holds_what_it_promises() {
    let lines = lines(Options { seed: 1, services: 24, months: 12 }, "2026-11-20T06:00:00Z");
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    for event in events(&lines) {
        *kinds.entry(event.kind).or_default() += 1;
    }
    assert!(Kind::ALL.iter().filter(|kind| kind.is_public()).all(|kind| kinds[kind] > 0), "{kinds:?}");
    assert!((20_000..150_000).contains(&lines.len()), "{}", lines.len());
    for feature in [
        "\"same_as\":\"pagerduty:",
        "\"reverts\":",
        "This reverts commit",
        "\"branch\":\"hotfix/",
        "\"exposed_at\":",
        "\"environment\":\"staging\"",
        "\"environment\":\"prod-us\"",
        "\"category\":\"flag\"",
        "\"outcome\":\"cancelled\"",
        "\"severity\":\"critical\"",
        "\"services\":[",
        "libs/ui/button.ts",
        "renovate[bot]",
        "\"good\":",
        "\"up\":false",
        "\"closed_at\":",
    ] {
        assert!(lines.iter().any(|line| line.contains(feature)), "{feature}");
    }
}
