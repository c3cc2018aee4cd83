//! What a commit touches, as `git diff-tree` has it.

use std::collections::BTreeSet;

use vigie_model::Value;
use vigie_model::kinds::commit as c;

use crate::repo::{Repo, git, options, try_pull};
use vigie_ingest::pull::git::GitOptions;

fn with_paths() -> GitOptions {
    GitOptions { with_paths: true, ..options() }
}

#[test]
fn paths_are_those_of_git() {
    let repo = Repo::new();
    repo.write("lib/a.rs", "a");
    repo.write("lib/deep/er/b.rs", "b");
    repo.write("name with space", "c");
    repo.commit_all("root", "2026-10-01T12:00:00Z");
    repo.write("lib/a.rs", "changed");
    repo.write("lib-other/é.rs", "new");
    repo.commit_all("change and add", "2026-10-02T12:00:00Z");
    repo.git(&["mv", "lib/deep", "moved"]);
    repo.git(&["rm", "-q", "name with space"]);
    repo.commit_all("move and remove", "2026-10-03T12:00:00Z");
    repo.git(&["rm", "-q", "-r", "lib"]);
    repo.write("lib", "a file now");
    repo.commit_all("a folder becomes a file", "2026-10-04T12:00:00Z");
    repo.git(&["update-index", "--chmod=+x", "lib"]);
    repo.git_at("2026-10-05T12:00:00Z", &["commit", "-q", "-m", "mode"]);
    repo.commit_all("nothing", "2026-10-06T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~2"]);
    repo.commit("on the side", "2026-10-07T12:00:00Z");
    repo.git(&["checkout", "-q", "main"]);
    repo.git_at("2026-10-08T12:00:00Z", &["merge", "-q", "--no-ff", "side", "-m", "merge"]);
    for pack in [false, true] {
        if pack {
            repo.git(&["gc", "-q"]);
        }
        let pulled = repo.pull(with_paths());
        assert_eq!(pulled.events.len(), 8);
        for event in &pulled.events {
            let Some(Value::Texts(paths)) = event.get(c::PATHS) else { panic!("no paths") };
            let arguments = [
                "-c",
                "core.quotePath=false",
                "diff-tree",
                "-r",
                "--root",
                "--no-commit-id",
                "--name-only",
                "--no-renames",
            ];
            let of_git = repo.git(&[&arguments[..], &[event.text(c::SHA)]].concat());
            let of_git: BTreeSet<&str> = of_git.lines().collect();
            assert_eq!(paths.iter().map(|p| &**p).collect::<BTreeSet<&str>>(), of_git, "{}", event.text(c::MESSAGE));
            assert_eq!(paths.len(), of_git.len());
        }
    }
}

#[test]
fn without_being_asked_for_no_paths_are_given() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    let first = repo.pull(options());
    assert_eq!(first.events[0].get(c::PATHS), None);
    // Once they are, what was given before is given again with them.
    let second = repo.pull_since(with_paths(), &first);
    assert!(second.events[0].get(c::PATHS).is_some());
    assert_eq!(repo.pull_since(with_paths(), &second).events.len(), 0);
    assert_eq!(repo.pull_since(options(), &second).events.len(), 0);
}

#[test]
fn a_submodule_is_a_path_and_is_not_looked_into() {
    let repo = Repo::new();
    let one = repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{one},vendor/thing")]);
    repo.git_at("2026-10-02T12:00:00Z", &["commit", "-q", "-m", "vendor"]);
    let gone = "1".repeat(40);
    repo.git(&["update-index", "--cacheinfo", &format!("160000,{gone},vendor/thing")]);
    repo.git_at("2026-10-03T12:00:00Z", &["commit", "-q", "-m", "update"]);
    let pulled = repo.pull(with_paths());
    for event in &pulled.events[1..] {
        assert_eq!(event.get(c::PATHS), Some(&Value::Texts(vec!["vendor/thing".into()])));
    }
}

#[test]
fn a_shallow_clones_end_and_a_damaged_tree_have_unknown_paths() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.commit("two", "2026-10-02T12:00:00Z");
    repo.commit("three", "2026-10-03T12:00:00Z");
    let url = format!("file://{}", repo.path.display());
    git(repo.folder.path(), "2026-10-01T12:00:00Z", &["clone", "-q", "--depth", "2", &url, "shallow"], b"");
    let pulled = try_pull(&repo.folder.path().join("shallow"), with_paths(), None).unwrap();
    assert_eq!(pulled.events[0].get(c::PATHS), None);
    assert_eq!(pulled.events[1].get(c::PATHS), Some(&Value::Texts(vec!["three".into()])));
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    std::fs::remove_file(repo.path.join(".git/objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    let pulled = repo.pull(with_paths());
    assert_eq!(pulled.events[2].get(c::PATHS), None);
    insta::assert_snapshot!(pulled.warnings.last().unwrap(), @"the paths of 1 commit are unknown (too many, or trees are missing): they count for every service");
}

#[test]
fn a_commit_that_touches_everything_has_unknown_paths() {
    let repo = Repo::new();
    for n in 0..400 {
        repo.write(&format!("{}/{n:04}", "folder".repeat(30)), "x");
    }
    repo.commit_all("some", "2026-10-01T12:00:00Z");
    for n in 0..5_000 {
        repo.write(&format!("{}/{n:04}", "folder".repeat(30)), "y");
    }
    repo.commit_all("everything", "2026-10-02T12:00:00Z");
    let pulled = repo.pull(with_paths());
    assert!(matches!(pulled.events[0].get(c::PATHS), Some(Value::Texts(paths)) if paths.len() == 400));
    assert_eq!(pulled.events[1].get(c::PATHS), None);
}
