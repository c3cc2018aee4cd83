//! A pull after a pull gives what is new, and a run that was cut off goes on.

use std::fmt::Write;

use vigie_ingest::pull::git::{GitOptions, GitPull};
use vigie_model::Kind;
use vigie_model::kinds::{commit, deployment};

use crate::repo::{Repo, every_merge, git, now, options, with_tags};

fn three_commits() -> Repo {
    let repo = Repo::new();
    for n in 1..=3 {
        repo.commit(&format!("c{n}"), &format!("2026-10-0{n}T12:00:00Z"));
    }
    repo.git(&["tag", "v1.0", "HEAD~1"]);
    repo
}

#[test]
fn nothing_new_is_nothing() {
    let repo = three_commits();
    for options in [options(), every_merge(), with_tags(&["v*"])] {
        let first = repo.pull(options.clone());
        assert!(!first.events.is_empty());
        let second = repo.pull_since(options, &first);
        assert_eq!(second.events.len(), 0);
        assert_eq!(second.cursor, first.cursor);
    }
}

#[test]
fn what_is_new_is_given() {
    let repo = three_commits();
    let first = repo.pull(options());
    repo.commit("c4", "2026-10-04T12:00:00Z");
    repo.git(&["tag", "v0.9", "HEAD~3"]);
    let second = repo.pull_since(options(), &first);
    insta::assert_snapshot!(second.told(), @"
    commit c4 after [a commit that was not given], committed 2026-10-04T12:00:00Z
    deployment v0.9 of a commit that was not given, finished 2026-10-01T12:00:00Z
    ");
    let first = repo.pull(every_merge());
    repo.commit("c5", "2026-09-01T12:00:00Z");
    let second = repo.pull_since(every_merge(), &first);
    insta::assert_snapshot!(second.told(), @"
    commit c5 after [a commit that was not given], committed 2026-09-01T12:00:00Z
    deployment c5 of c5, finished 2026-10-04T12:00:00Z
    ");
}

#[test]
fn a_rewritten_branch_gives_only_new_commits() {
    for options in [options(), every_merge()] {
        let repo = three_commits();
        let first = repo.pull(options.clone());
        repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
        repo.commit("rewritten", "2026-10-05T12:00:00Z");
        let second = repo.pull_since(options.clone(), &first);
        assert_eq!(second.titles(), ["rewritten"]);
        let deployments = second.of(Kind::Deployment);
        assert!(deployments.iter().all(|d| d.text(deployment::ID) == second.events[0].text(commit::SHA)));
        assert_eq!(repo.pull_since(options, &second).events.len(), 0);
    }
}

#[test]
fn a_branch_whose_old_commits_are_gone_is_read_anew() {
    let repo = three_commits();
    let first = repo.pull(every_merge());
    repo.git(&["tag", "-d", "v1.0"]);
    repo.git(&["checkout", "-q", "--orphan", "fresh"]);
    repo.commit("fresh", "2026-10-06T12:00:00Z");
    repo.git(&["branch", "-q", "-M", "main"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(repo.pull_since(every_merge(), &first).titles(), ["fresh"]);
}

#[test]
fn a_moved_tag_is_given_again_as_of_now() {
    let repo = three_commits();
    let first = repo.pull(options());
    repo.git(&["tag", "-f", "v1.0", "HEAD~2"]);
    let second = repo.pull_since(options(), &first);
    assert_eq!(second.events.len(), 1);
    let (before, after) = (first.of(Kind::Deployment)[0], second.of(Kind::Deployment)[0]);
    assert_eq!(before.identity(), after.identity());
    assert_ne!(before.text(deployment::REVISION), after.text(deployment::REVISION));
    assert_eq!(after.at, now(), "its commit is older than the one before, and still what it says now");
    assert_eq!(repo.pull_since(options(), &second).events.len(), 0);
}

#[test]
fn a_tag_that_is_gone_is_told_of_once() {
    let repo = three_commits();
    repo.git(&["tag", "v1.1"]);
    let first = repo.pull(options());
    repo.git(&["tag", "-d", "v1.0"]);
    repo.commit("c4", "2026-10-04T12:00:00Z");
    let second = repo.pull_since(options(), &first);
    assert_eq!(second.warnings, ["1 tag that was given before is gone: the deployments stay"]);
    assert_eq!(repo.pull_since(options(), &second).warnings, [""; 0]);
}

#[test]
fn tags_first_and_every_merge_later_gives_the_deployments_of_known_commits() {
    let repo = three_commits();
    let first = repo.pull(options());
    let second = repo.pull_since(every_merge(), &first);
    assert_eq!((second.of(Kind::Commit).len(), second.of(Kind::Deployment).len()), (0, 3));
    repo.commit("c4", "2026-10-04T12:00:00Z");
    let third = repo.pull_since(every_merge(), &second);
    assert_eq!((third.titles(), third.of(Kind::Deployment).len()), (vec!["c4".to_owned()], 1));
}

/// A long history, made at once.
fn long(count: usize) -> Repo {
    let repo = Repo::init(&["init", "-q", "--bare", "-b", "main"]);
    let mut stream = String::new();
    for n in 1..=count {
        let who = format!("A <a@b> {} +0000", 1_700_000_000 + n * 60);
        let message = format!("c{n}");
        let _ = write!(
            stream,
            "commit refs/heads/main\nmark :{n}\nauthor {who}\ncommitter {who}\ndata {}\n{message}\n",
            message.len()
        );
        if n > 1 {
            let _ = writeln!(stream, "from :{}", n - 1);
        }
        if n % 7 == 0 {
            let _ = writeln!(stream, "merge :{}", n - 4);
        }
        if n % 10 == 0 {
            let _ = writeln!(stream, "\nreset refs/tags/v1.{n}\nfrom :{n}\n");
        }
    }
    git(&repo.path, "2026-10-01T12:00:00Z", &["fast-import", "--quiet"], stream.as_bytes());
    repo
}

#[test]
fn a_run_that_was_cut_off_goes_on_where_it_stood() {
    let repo = long(3_500);
    for options in [options(), every_merge()] {
        let whole = repo.pull(options.clone());
        // After each batch, the run is cut off and another begins from the cursor.
        let mut pieces = Vec::new();
        let mut cursor = None;
        let mut runs = 0;
        loop {
            let mut batches = GitPull::open(&repo.path, options.clone()).unwrap().since(cursor.as_ref()).unwrap();
            let Some(batch) = batches.next() else { break };
            let batch = batch.unwrap();
            pieces.extend(batch.events);
            cursor = Some(batch.cursor);
            runs += 1;
        }
        assert!(runs >= 4, "{runs}");
        let json = |events: &[vigie_model::Event]| {
            let mut json: Vec<String> = events.iter().map(vigie_model::Event::to_json).collect();
            json.sort();
            json
        };
        assert_eq!(pieces.len(), whole.events.len());
        assert_eq!(json(&pieces), json(&whole.events));
        assert_eq!(cursor, whole.cursor);
    }
}

#[test]
fn a_cursor_says_little() {
    let repo = long(2_000);
    let text = repo.pull(options()).cursor.unwrap().to_string();
    let tip = repo.git(&["rev-parse", "main"]);
    assert!(
        text.starts_with(&format!(r#"{{"version":1,"tips":["{tip}"],"with_paths":false,"tags":{{"v1.10":"#)),
        "{text}"
    );
    let text = repo.pull(every_merge()).cursor.unwrap().to_string();
    assert!(text.len() < 300, "{text}");
}

#[test]
fn two_threads_and_one_give_the_same() {
    let repo = long(2_500);
    let one = repo.pull(GitOptions { threads: 1, ..options() });
    assert_eq!(one.events, repo.pull(GitOptions { threads: 3, ..options() }).events);
}
