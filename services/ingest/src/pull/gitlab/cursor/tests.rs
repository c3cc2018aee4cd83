//! Where the readings of lists stand.

use super::*;

const AT: [&str; 4] =
    ["2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.002Z", "2026-01-01T00:00:00.003Z", "2026-01-01T00:00:00.004Z"];

#[test]
fn a_list_is_read_on_from_its_last_change() {
    let mut feed = Feed::default();
    assert!(feed.turn(&[(1, AT[0]), (2, AT[1])], Some("a".to_owned()), true));
    assert_eq!(feed.asked(), (AT[1], 1));
    assert!(!feed.wants(2, AT[1]) && feed.wants(3, AT[1]) && feed.wants(2, AT[2]));
    assert!(!feed.turn(&[(2, AT[1]), (3, AT[2])], Some("b".to_owned()), false));
    assert_eq!(feed.etag, None, "it is not that of what is asked next");
    assert!(!feed.turn(&[(3, AT[2])], Some("c".to_owned()), false));
    assert_eq!((feed.etag.as_deref(), feed.asked()), (Some("c"), (AT[2], 1)));
    assert!(!feed.turn(&[], None, false));
    assert_eq!(feed.asked(), (AT[2], 1), "an empty list says nothing new");
    // An instant with another offset is the same.
    assert!(!feed.wants(3, "2026-01-01T01:00:00.003+01:00"));
}

#[test]
fn more_than_a_page_may_change_at_once() {
    let mut feed = Feed::default();
    assert!(feed.turn(&[(1, AT[0]), (2, AT[0])], None, true));
    assert!(feed.turn(&[(1, AT[0]), (2, AT[0])], None, true));
    assert_eq!(feed.asked(), (AT[0], 2));
    assert!(feed.turn(&[(3, AT[0]), (4, AT[1])], None, true));
    assert_eq!(feed.asked(), (AT[1], 1));
    assert_eq!(feed.seen, BTreeSet::from([4]));
}

#[test]
fn a_list_from_the_newest_on_ends_where_the_last_reading_began() {
    let mut list = Listed::default();
    assert!(list.turn(&[9, 8], None, Some("a".to_owned()), Some("2".to_owned())));
    assert!(!list.turn(&[7], Some(7), None, None));
    assert_eq!((list.until, &list.etag), (Some(7), &None), "the seventh is to change");
    assert!(!list.turn(&[11, 9, 6], None, Some("b".to_owned()), Some("2".to_owned())));
    assert_eq!((list.until, list.etag.as_deref()), (Some(11), Some("b")));
}

#[test]
fn a_reading_that_does_not_get_on_is_put_off() {
    let next = |text: &str| Some(text.to_owned());
    let mut list = Listed { until: Some(2), ..Listed::default() };
    assert!(!list.put_off(), "there is none");
    assert!(list.turn(&[9, 8], None, None, next("behind 8")));
    assert!(list.put_off());
    // What is new ends where that one began.
    assert!(!list.turn(&[11, 10, 9], None, None, next("behind 9")));
    assert_eq!(list.until, Some(11));
    let behind = list.reading(1);
    assert_eq!(behind.walk.as_ref().map(|walk| &*walk.next), Some("behind 8"));
    assert!(behind.turn(&[7, 5], None, None, next("behind 5")) && !behind.turn(&[4, 2], None, None, next("behind 2")));
    list.end(1);
    assert_eq!(list, Listed { until: Some(11), ..Listed::default() });
}

#[test]
fn what_could_not_be_seen_is_read_again() {
    let mut feed = Feed::default();
    feed.lack(AT[1]);
    feed.lack(AT[2]);
    feed.turn(&[(1, AT[1]), (2, AT[2])], None, false);
    assert!(!feed.wants(1, AT[1]));
    feed.begin();
    assert!(feed.wants(1, AT[1]) && feed.lacking.is_none());
}

#[test]
fn what_was_passed_over_is_told_once_and_the_earliest_of_what_is_lacking_counts() {
    let gap = |from: &str, to: &str| Gap { from: from.to_owned(), to: to.to_owned() };
    let (nine, ten, eleven) = ("2026-09-01T09:00:00Z", "2026-09-01T12:00:00+02:00", "2026-09-01T11:00:00Z");
    let mut feed = Feed::default();
    feed.leave(gap(nine, eleven));
    feed.leave(gap(nine, eleven));
    feed.leave(gap(ten, eleven));
    assert_eq!(feed.gaps, [gap(nine, eleven)]);
    feed.leave(gap(BEGINNING, ten));
    assert_eq!(feed.gaps.len(), 2, "one that begins before is another");

    for (at, earliest) in [(eleven, eleven), (ten, ten), (eleven, ten), (nine, nine)] {
        feed.lack(at);
        assert_eq!(feed.lacking.as_deref(), Some(earliest));
    }
}
