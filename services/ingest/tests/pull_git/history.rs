//! Histories of any shape: every commit once, after its parents, whatever the clocks said.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;

use proptest::prelude::*;
use vigie_model::kinds::commit as c;
use vigie_model::{Event, Kind, Value};

use crate::repo::{Pulled, Repo, git, options, with_tags};

fn sha(event: &Event) -> &str {
    event.text(c::SHA)
}

fn parents(event: &Event) -> Vec<String> {
    match event.get(c::PARENTS) {
        Some(Value::Texts(parents)) => parents.iter().map(ToString::to_string).collect(),
        _ => panic!("no parents"),
    }
}

/// Each once and each after its parents, given what was known before.
fn check_order(pulled: &Pulled, known: &mut HashSet<String>) {
    for event in pulled.of(Kind::Commit) {
        for parent in parents(event) {
            assert!(known.contains(&parent), "{} came before its parent {parent}", sha(event));
        }
        known.insert(sha(event).to_owned());
    }
}

#[test]
fn commits_come_after_their_parents_with_the_parents_that_git_tells() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "a"]);
    repo.commit("a1", "2026-10-02T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "b", "main"]);
    repo.commit("b1", "2026-10-03T12:00:00Z");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("two", "2026-10-04T12:00:00Z");
    repo.git_at("2026-10-05T12:00:00Z", &["merge", "-q", "--no-ff", "a", "b", "-m", "octopus"]);
    let pulled = repo.pull(options());
    insta::assert_snapshot!(pulled.told(), @"
    commit one after [], committed 2026-10-01T12:00:00Z
    commit two after [one], committed 2026-10-04T12:00:00Z
    commit a1 after [one], committed 2026-10-02T12:00:00Z
    commit b1 after [one], committed 2026-10-03T12:00:00Z
    commit octopus after [two, a1, b1], committed 2026-10-05T12:00:00Z
    ");
}

#[test]
fn packed_loose_with_and_without_a_commit_graph_it_is_the_same() {
    let repo = Repo::new();
    for n in 1..=9 {
        repo.commit(&format!("c{n}"), &format!("2026-10-0{n}T12:00:00Z"));
    }
    repo.git(&["tag", "-a", "v1.0", "-m", "x"]);
    let expected = repo.pull(options()).events;
    for change in [&["pack-refs", "--all"][..], &["gc", "-q"], &["commit-graph", "write", "--reachable"]] {
        repo.git(change);
        assert_eq!(repo.pull(options()).events, expected, "{change:?}");
    }
    std::fs::write(repo.path.join(".git/objects/info/commit-graph"), b"damaged").unwrap_or_default();
    assert_eq!(repo.pull(options()).events, expected, "a damaged commit-graph is no loss");
}

/// A history as a list: each commit with the distances to its parents, its date, and whether it is tagged.
fn histories() -> impl Strategy<Value = Vec<(Vec<usize>, i64, bool)>> {
    let commit = (prop::collection::vec(1..6_usize, 0..4), 0..40_i64, prop::bool::weighted(0.2));
    prop::collection::vec(commit, 1..25)
}

fn import(history: &[(Vec<usize>, i64, bool)], is_clock_right: bool) -> Repo {
    let repo = Repo::init(&["init", "-q", "--bare", "-b", "main"]);
    let mut stream = String::new();
    for (n, (distances, date, is_tagged)) in history.iter().enumerate() {
        let date = 1_790_000_000 + if is_clock_right { i64::try_from(n).unwrap() / 3 } else { *date * 100 };
        let who = format!("A <a@b> {date} +0000");
        let mark = n + 1;
        let _ = write!(stream, "commit refs/heads/c{mark}\nmark :{mark}\nauthor {who}\ncommitter {who}\ndata 0\n\n");
        let distances: BTreeSet<usize> = distances.iter().copied().filter(|distance| *distance <= n).collect();
        for (place, distance) in distances.iter().enumerate() {
            let _ = writeln!(stream, "{} :{}", if place == 0 { "from" } else { "merge" }, mark - distance);
        }
        let _ = writeln!(stream, "M 644 inline f\ndata 3\n{n:03}\n");
        if *is_tagged {
            let _ = writeln!(stream, "reset refs/tags/t{mark}\nfrom :{mark}\n");
        }
    }
    git(&repo.path, "2026-10-01T12:00:00Z", &["fast-import", "--quiet"], stream.as_bytes());
    repo
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pull_after_pull_misses_nothing_and_repeats_nothing(
        history in histories(),
        stops in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        is_clock_right in any::<bool>(),
    ) {
        let repo = import(&history, is_clock_right);
        let mut stops: Vec<usize> = stops.iter().map(|stop| stop.index(history.len()) + 1).collect();
        stops.sort_unstable();
        let mut known = HashSet::new();
        let mut count = 0;
        let mut last: Option<Pulled> = None;
        let mut reachable = BTreeSet::new();
        for stop in stops {
            // The branch jumps, forward, sideways or to another root; all tags are there from the start.
            repo.git(&["update-ref", "refs/heads/main", &format!("refs/heads/c{stop}")]);
            let options = if history.iter().any(|(_, _, is_tagged)| *is_tagged) { with_tags(&["t*"]) } else { options() };
            let pulled = match &last {
                None => repo.pull(options),
                Some(last) => repo.pull_since(options, last),
            };
            check_order(&pulled, &mut known);
            count += pulled.of(Kind::Commit).len();
            let all = repo.git(&["rev-list", "main", "--tags"]);
            reachable.extend(all.lines().map(str::to_owned));
            prop_assert_eq!(&known.iter().cloned().collect::<BTreeSet<_>>(), &reachable);
            last = Some(pulled);
        }
        if is_clock_right {
            // Only a branch that left a commit and came back is given it twice.
            prop_assert!(count <= known.len() + history.len());
        }
    }
}
