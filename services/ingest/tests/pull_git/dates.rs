//! Clocks lie: what becomes of their dates.

use vigie_model::kinds::commit as c;

use crate::repo::{Repo, date, options, title};

fn dates(repo: &Repo) -> String {
    let pulled = repo.pull(options());
    let commits = pulled
        .events
        .iter()
        .map(|e| format!("{}: {} {}\n", title(e), date(e, c::AUTHORED_AT), date(e, c::COMMITTED_AT)));
    commits.chain(pulled.warnings.iter().map(|w| format!("warning: {w}\n"))).collect()
}

#[test]
fn author_and_committer_dates_are_both_kept() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.raw_commit(&repo.raw("Ada <a@b> 1790000000 +0200", "Grace <g@h> 1790001000 -0700", b"two\n"));
    repo.git(&["tag", "v1.0", "HEAD"]);
    let pulled = repo.pull(options());
    let two = &pulled.events[1];
    assert_eq!(
        (date(two, c::AUTHORED_AT), date(two, c::COMMITTED_AT)),
        ("2026-09-21T14:13:20Z".into(), "2026-09-21T14:30:00Z".into())
    );
    assert_eq!(two.at, 1_790_001_000_000_000, "what was said is said as of the later one");
}

#[test]
fn dates_in_the_future_are_kept_and_impossible_ones_are_1970() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.raw_commit(&repo.raw("A <a@b> 1900000000 +0000", "A <a@b> 1900000000 +0000", b"future"));
    repo.raw_commit(&repo.raw("A <a@b> -86400 +0000", "A <a@b> 1790000000 +0000", b"before 1970"));
    repo.raw_commit(&repo.raw("A <a@b> 1790000000 +0000", "A <a@b> 99999999999999999999999 +0000", b"beyond numbers"));
    repo.raw_commit(&repo.raw("A <a@b> 300000000000 +0000", "A <a@b> 1790000000 +0000", b"the year 11476"));
    repo.raw_commit(&repo.raw("A <a@b>", "A <a@b> yesterday", b"no dates"));
    repo.git(&["tag", "-f", "kept"]);
    insta::assert_snapshot!(dates(&repo), @"
    one: 2026-10-01T12:00:00Z 2026-10-01T12:00:00Z
    future: 2030-03-17T17:46:40Z 2030-03-17T17:46:40Z
    before 1970: 1970-01-01T00:00:00Z 2026-09-21T14:13:20Z
    beyond numbers: 2026-09-21T14:13:20Z 1970-01-01T00:00:00Z
    the year 11476: 1970-01-01T00:00:00Z 2026-09-21T14:13:20Z
    no dates: 1970-01-01T00:00:00Z 1970-01-01T00:00:00Z
    warning: no tag looks like a version, so the commits were read and no deployments: name the tags with --tags 'PATTERN', or take every merge for one with --every-merge
    warning: 5 dates outside the years 1970 to 9999: read as 1970-01-01
    warning: 2 dates in the future: kept, though a clock was wrong
    ");
}

#[test]
fn a_tag_in_the_future_is_kept_with_a_warning() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git_at("2030-01-01T00:00:00Z", &["tag", "-a", "v1.0", "-m", "x"]);
    let pulled = repo.pull(options());
    assert!(pulled.told().contains("deployment v1.0 of one, finished 2030-01-01T00:00:00Z"));
    insta::assert_snapshot!(pulled.warnings.join("\n"), @"1 date in the future: kept, though a clock was wrong");
}
