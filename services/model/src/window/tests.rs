#![allow(clippy::panic)] // a test that cannot build its input has failed

use chrono::{NaiveDate, Weekday};
use proptest::prelude::*;

use super::*;
use crate::{HOUR, MINUTE, SECOND, parse_time};

fn at(text: &str) -> Time {
    parse_time(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).unwrap_or_else(|error| panic!("{error}"))
}

fn cut(from: &str, to: &str, name: &str, every: Granularity) -> Vec<(Time, Time)> {
    buckets(Window::new(at(from), at(to)), &zone(name), every).unwrap_or_else(|error| panic!("{error}"))
}

/// The lengths of the local days, in hours.
fn day_hours(name: &str, from: (i32, u32, u32), days: usize) -> Vec<f64> {
    let zone = zone(name);
    let (year, month, day) = from;
    let first = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
    let mut starts = first.iter_days().map(|date| calendar::start_of(&zone, date));
    let mut last = starts.next().unwrap_or_default();
    starts.take(days).map(|start| (start - std::mem::replace(&mut last, start)) as f64 / HOUR as f64).collect()
}

#[test]
fn zones_are_known_by_their_iana_names() {
    assert_eq!(zone("Europe/Paris").name(), "Europe/Paris");
    assert_eq!(Zone::UTC.name(), "UTC");
    let message = |name: &str| Zone::parse(name).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(message("Europe/Pariss"), "unknown time zone \"Europe/Pariss\"; did you mean Europe/Paris?");
    assert!(message("paris").contains("Europe/Paris"), "{}", message("paris"));
    assert!(message("New York").contains("America/New_York"), "{}", message("New York"));
    assert!(message("US/Paris").contains("Europe/Paris"), "{}", message("US/Paris"));
    assert!(message("utc").contains("UTC"), "{}", message("utc"));
    assert!(message("xyzzy").ends_with("write an IANA name, like Europe/Paris or UTC"));
    assert!(message("").ends_with("write an IANA name, like Europe/Paris or UTC"));
}

#[test]
fn days_are_as_long_as_they_are() {
    assert_eq!(day_hours("Europe/Paris", (2026, 3, 28), 3), [24.0, 23.0, 24.0]);
    assert_eq!(day_hours("Europe/Paris", (2026, 10, 24), 3), [24.0, 25.0, 24.0]);
    assert_eq!(day_hours("Australia/Lord_Howe", (2026, 4, 4), 3), [24.0, 24.5, 24.0]);
    assert_eq!(day_hours("Australia/Lord_Howe", (2026, 10, 3), 3), [24.0, 23.5, 24.0]);
    // Samoa went from 29 to 31 December.
    assert_eq!(day_hours("Pacific/Apia", (2011, 12, 29), 3), [24.0, 0.0, 24.0]);
}

#[test]
fn a_day_without_midnight_begins_at_its_first_instant() {
    let sao_paulo = zone("America/Sao_Paulo");
    assert_eq!(day_start(&sao_paulo, 2018, 11, 4), at("2018-11-04T01:00:00-02:00"));
    assert_eq!(day_hours("America/Sao_Paulo", (2018, 11, 3), 3), [24.0, 23.0, 24.0]);
    assert_eq!(day_start(&zone("Asia/Beirut"), 2022, 3, 27), at("2022-03-27T01:00:00+03:00"));
}

#[test]
fn where_midnight_comes_twice_the_first_begins_the_day() {
    let havana = zone("America/Havana");
    assert_eq!(day_start(&havana, 2026, 11, 1), at("2026-11-01T00:00:00-04:00"));
    assert_eq!(day_hours("America/Havana", (2026, 10, 31), 3), [24.0, 25.0, 24.0]);
    assert_eq!(day_start(&zone("Atlantic/Azores"), 2026, 10, 25), at("2026-10-25T00:00:00+00:00"));
    // Sao Paulo's clocks went back at midnight to 23:00 of the day before: one midnight, a long Saturday.
    assert_eq!(day_hours("America/Sao_Paulo", (2018, 2, 16), 3), [24.0, 25.0, 24.0]);
    // St. John's went back at 00:01: the hour until the second midnight belongs to the new day.
    let st_johns = zone("America/St_Johns");
    let between = day_start(&st_johns, 2010, 11, 7) + 30 * MINUTE;
    assert_eq!(date_of(&st_johns, between), NaiveDate::from_ymd_opt(2010, 11, 7).unwrap_or_default());
    assert_eq!(st_johns.local(between).to_string(), "2010-11-06 23:30:00");
}

#[test]
fn months_are_local_and_leap_years_known() {
    let paris = zone("Europe/Paris");
    assert_eq!(month_window(&paris, 2026, 10), (at("2026-10-01T00:00:00+02:00"), at("2026-11-01T00:00:00+01:00")));
    assert_eq!(month_window(&paris, 2026, 12).1, at("2027-01-01T00:00:00+01:00"));
    let february = |year| month_window(&Zone::UTC, year, 2);
    assert_eq!((february(2024).1 - february(2024).0) / DAY, 29);
    assert_eq!((february(2026).1 - february(2026).0) / DAY, 28);
    assert_eq!((february(2100).1 - february(2100).0) / DAY, 28);
    assert_eq!(month_of(&paris, at("2026-09-30T22:00:00Z")), (2026, 10));
    assert_eq!(month_of(&paris, at("2026-09-30T21:59:59Z")), (2026, 9));
}

#[test]
fn buckets_are_cut_at_local_boundaries_and_at_the_windows_ends() {
    assert_eq!(
        cut("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", "Europe/Paris", Granularity::Day),
        [
            (at("2026-10-24T12:00:00Z"), at("2026-10-24T22:00:00Z")),
            (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")),
            (at("2026-10-25T23:00:00Z"), at("2026-10-26T12:00:00Z")),
        ]
    );
    // 1 October 2026 is a Thursday.
    let weeks = cut("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "UTC", Granularity::Week);
    assert_eq!(weeks.len(), 5);
    assert_eq!(weeks[0].1, at("2026-10-05T00:00:00Z"));
    assert_eq!(weeks[4], (at("2026-10-26T00:00:00Z"), at("2026-11-01T00:00:00Z")));
    let quarters = cut("2026-02-10T00:00:00Z", "2027-02-01T00:00:00Z", "UTC", Granularity::Quarter);
    let starts: Vec<_> = quarters.iter().map(|(from, _)| format_time(*from)).collect();
    assert_eq!(
        starts,
        [
            "2026-02-10T00:00:00Z",
            "2026-04-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
            "2026-10-01T00:00:00Z",
            "2027-01-01T00:00:00Z"
        ]
    );
    assert_eq!(cut("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "UTC", Granularity::Day).len(), 366);
    assert_eq!(cut("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "UTC", Granularity::Month).len(), 12);
    let apia = cut("2011-12-29T10:00:00Z", "2012-01-01T10:00:00Z", "Pacific/Apia", Granularity::Day);
    assert_eq!(apia.len(), 3, "the skipped day has no bucket");
    let empty = Window::new(5, 5);
    assert_eq!(buckets(empty, &Zone::UTC, Granularity::Day), Ok(Vec::new()));
    assert_eq!(buckets(empty, &Zone::UTC, Granularity::Hour), Ok(Vec::new()));
}

#[test]
fn hours_are_local_full_hours() {
    let minutes = |from: &str, to: &str, name: &str| -> Vec<Time> {
        cut(from, to, name, Granularity::Hour).iter().map(|(from, to)| (to - from) / MINUTE).collect()
    };
    // Kathmandu is 5:45 ahead.
    assert_eq!(minutes("2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z", "Asia/Kathmandu"), [15, 60, 45]);
    // 25 hours on the day that clocks go back, each its own.
    let back = cut("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Paris", Granularity::Hour);
    assert_eq!(back.len(), 25);
    assert!(back.iter().all(|(from, to)| to - from == HOUR));
    // Lord Howe: by half an hour, back at 02:00 (15:00 Z) and forward at 02:00 (15:30 Z).
    assert_eq!(
        minutes("2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z", "Australia/Lord_Howe"),
        [60, 30, 60],
        "01:00 to 02:00, again 01:30 to 02:00, 02:00 to 03:00"
    );
    assert_eq!(minutes("2026-10-03T14:30:00Z", "2026-10-03T17:00:00Z", "Australia/Lord_Howe"), [60, 30, 60]);
    // Pyongyang's clocks were set from 23:30 to 24:00.
    assert_eq!(minutes("2018-05-04T14:30:00Z", "2018-05-04T16:00:00Z", "Asia/Pyongyang"), [30, 60]);
}

#[test]
fn too_many_buckets_are_refused_before_they_are_built() {
    let years = Window::new(0, 100 * 366 * DAY);
    let error = buckets(years, &Zone::UTC, Granularity::Hour).err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some(
            "a series by hour over 36600 days would have more than 100000 points; ask for longer steps or a shorter window"
        )
    );
    assert!(buckets(Window::new(Time::MIN, Time::MAX), &Zone::UTC, Granularity::Quarter).is_err());
    assert!(buckets(Window::new(0, MAX_BUCKETS as Time * HOUR), &Zone::UTC, Granularity::Hour).is_ok());
    assert!(buckets(Window::new(1, MAX_BUCKETS as Time * HOUR + 1), &Zone::UTC, Granularity::Hour).is_err());
}

#[test]
fn windows_are_given_in_exactly_one_way() {
    let paris = zone("Europe/Paris");
    let now = at("2026-11-15T12:00:00Z");
    let error = |spec: WindowSpec| spec.resolve(&paris, now).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error(WindowSpec::default()).starts_with("no window; give from and to"));
    let mut both = WindowSpec::month("2026-10");
    both.last = Some(DAY);
    assert_eq!(error(both), "the window has last P1D and month \"2026-10\"; give only one of them");
    assert!(
        error(WindowSpec { from: Some(0), ..WindowSpec::default() }).contains("from 1970-01-01T00:00:00Z but no to")
    );
    assert!(error(WindowSpec { to: Some(0), ..WindowSpec::default() }).contains("to 1970-01-01T00:00:00Z but no from"));
    assert!(error(WindowSpec::between(5, 5)).contains("is not before to"));
    assert!(error(WindowSpec::last(0)).contains("last PT0S is no length"));
    for month in ["2026-13", "2026-00", "2026-1", "26-01", "2026", "2026-10-01", "+026-10", "1969-12", "", "é-10"] {
        assert!(error(WindowSpec::month(month)).contains("write the year and the month, like 2026-10"), "{month}");
    }
}

#[test]
fn windows_are_cut_at_now() {
    let paris = zone("Europe/Paris");
    let now = at("2026-11-15T12:00:00Z");
    let window = |spec: WindowSpec| spec.resolve(&paris, now).unwrap_or_else(|error| panic!("{error}"));
    let october = window(WindowSpec::month("2026-10"));
    assert_eq!((october.from, october.to), month_window(&paris, 2026, 10));
    let november = window(WindowSpec::month("2026-11"));
    assert_eq!((november.to, november.month), (now, Some((2026, 11))));
    let december = window(WindowSpec::month("2026-12"));
    assert_eq!(december.from, december.to, "a window in the future is empty");
    assert_eq!(window(WindowSpec::last(90 * DAY)), Window::new(now - 90 * DAY, now));
    assert_eq!(window(WindowSpec::between(now - DAY, now + DAY)), Window::new(now - DAY, now));
    assert_eq!(window(WindowSpec::between(now + DAY, now + 2 * DAY)), Window::new(now + DAY, now + DAY));
    assert_eq!(window(WindowSpec::last(crate::duration::LONGEST)).to, now);
}

#[test]
fn the_previous_window_is_as_long_or_the_whole_month_before() {
    let paris = zone("Europe/Paris");
    let window = Window::new(100 * SECOND, 130 * SECOND);
    assert_eq!(window.previous(&paris), Window::new(70 * SECOND, 100 * SECOND));
    let running =
        Window { from: month_window(&paris, 2027, 1).0, to: at("2027-01-10T00:00:00Z"), month: Some((2027, 1)) };
    let (from, to) = month_window(&paris, 2026, 12);
    assert_eq!(running.previous(&paris), Window { from, to, month: Some((2026, 12)) });
    assert_eq!(running.previous(&paris).previous(&paris).month, Some((2026, 11)));
}

#[test]
fn lengths_in_days() {
    let paris = zone("Europe/Paris");
    let (from, to) = month_window(&paris, 2026, 10);
    assert!((days(Window::new(from, to)) - (31.0 + 1.0 / 24.0)).abs() < 1e-12);
    let week = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let worked = |from: &str, to: &str, holidays: &[NaiveDate]| {
        working_days(Window::new(at(from), at(to)), &paris, &week, holidays)
    };
    let (first, last) = ("2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00");
    assert!((worked(first, last, &[]) - 22.0).abs() < 1e-12);
    let holiday = NaiveDate::from_ymd_opt(2026, 10, 7).unwrap_or_default();
    assert!((worked(first, last, &[holiday]) - 21.0).abs() < 1e-12);
    assert!((worked("2026-10-01T12:00:00+02:00", "2026-10-02T06:00:00+02:00", &[]) - 0.75).abs() < 1e-12);
    assert!(worked("2026-10-03T00:00:00+02:00", "2026-10-05T00:00:00+02:00", &[]).abs() < 1e-12);
    // The Sunday of 25 hours, were it a working day, is one day.
    let sunday = Window::new(at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00"));
    assert!((working_days(sunday, &paris, &[Weekday::Sun], &[]) - 1.0).abs() < 1e-12);
}

const ODD_ZONES: [&str; 12] = [
    "UTC",
    "Europe/Paris",
    "America/Sao_Paulo",
    "America/Havana",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Casablanca",
    "Antarctica/Troll",
];

proptest! {
    #[test]
    fn buckets_tile_the_window(
        from in 0..2_200_000_000_i64,
        length in 1..50_000_000_i64,
        odd in 0..SECOND,
        name in prop::sample::select(&ODD_ZONES[..]),
        every in prop::sample::select(&Granularity::ALL[..]),
    ) {
        let (zone, from) = (zone(name), from * SECOND + odd);
        let window = Window::new(from, from + length * SECOND);
        let all = buckets(window, &zone, every).unwrap_or_default();
        prop_assert_eq!(all.first().map(|bucket| bucket.0), Some(window.from));
        prop_assert_eq!(all.last().map(|bucket| bucket.1), Some(window.to));
        prop_assert!(all.iter().all(|(from, to)| from < to));
        prop_assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0));
        for (from, _) in &all[1..] {
            let local = zone.local(*from);
            match every {
                Granularity::Hour => prop_assert!(from % MINUTE == 0 || *from < 0),
                _ => {
                    let date = date_of(&zone, *from);
                    prop_assert_eq!(calendar::start_of(&zone, date), *from, "{}", local);
                    prop_assert!(every == Granularity::Day || every == Granularity::Week || chrono::Datelike::day(&date) == 1);
                }
            }
        }
    }

    #[test]
    fn every_instant_has_its_day(second in 0..2_500_000_000_i64, name in prop::sample::select(&ODD_ZONES[..])) {
        let (zone, at) = (zone(name), second * SECOND);
        let date = date_of(&zone, at);
        let next = date.succ_opt().unwrap_or_default();
        prop_assert!(calendar::start_of(&zone, date) <= at && at < calendar::start_of(&zone, next));
    }

    #[test]
    fn no_window_panics(from in any::<Time>(), to in any::<Time>(), year in any::<i32>(), month in any::<u32>(), day in any::<u32>(), name in prop::sample::select(&ODD_ZONES[..])) {
        let zone = zone(name);
        let _ = WindowSpec::between(from, to).resolve(&zone, 0).map(|window| window.previous(&zone));
        let _ = (day_start(&zone, year, month, day), date_of(&zone, from), zone.offset_seconds(to));
        for every in Granularity::ALL {
            let _ = buckets(Window::new(from, from.saturating_add(3 * HOUR)), &zone, every);
        }
        let _ = month_window(&zone, year, month);
    }
}
