//! Which repository, which branch, and what they are called.

use crate::repo::{Repo, git, options, try_pull, with_tags};
use vigie_ingest::pull::git::{GitOptions, GitPull};

fn plan(repo: &Repo, options: GitOptions) -> String {
    let batches = GitPull::open(&repo.path, options).unwrap().since(None).unwrap();
    let plan = batches.plan();
    let branch = plan.branch.as_deref().unwrap_or("no branch");
    format!("{} of {}, {branch}, {} commits", plan.service, plan.repository, plan.commits)
}

#[test]
fn a_repository_is_found_from_its_folder_a_subfolder_a_bare_clone_and_a_worktree() {
    let repo = Repo::new();
    repo.commit("src/deep/one", "2026-10-01T12:00:00Z");
    repo.git(&["tag", "v1.0"]);
    let expected = repo.pull(options()).told();
    repo.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    repo.git(&["worktree", "add", "-q", "../tree", "-b", "other"]);
    let root = repo.folder.path();
    for path in ["web", "web/.git", "web/src/deep", "bare.git", "tree", "tree/src"] {
        assert_eq!(try_pull(&root.join(path), options(), None).unwrap().told(), expected, "{path}");
    }
}

#[test]
fn it_is_called_what_its_remote_calls_it_and_else_like_its_folder() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    assert_eq!(plan(&repo, options()), "web of web, main, 1 commits");
    repo.git(&["remote", "add", "origin", "git@github.com:Acme/Shop-Web.git"]);
    assert_eq!(plan(&repo, options()), "Shop-Web of acme/shop-web, main, 1 commits");
    let given = GitOptions { repository: Some("acme/other".into()), ..options() };
    assert_eq!(plan(&repo, given.clone()), "other of acme/other, main, 1 commits");
    let given = GitOptions { service: Some("checkout".into()), ..given };
    assert_eq!(plan(&repo, given), "checkout of acme/other, main, 1 commits");
}

#[test]
fn a_worktree_is_called_like_the_repository_that_it_belongs_to() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["worktree", "add", "-q", "../tree", "-b", "other"]);
    let batches = GitPull::open(&repo.folder.path().join("tree"), options()).unwrap().since(None).unwrap();
    assert_eq!(batches.plan().repository, "web");
}

#[test]
fn the_branch_is_heads_or_the_one_that_was_asked_for() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "feature/x"]);
    repo.commit("two", "2026-10-01T13:00:00Z");
    assert_eq!(plan(&repo, options()), "web of web, feature/x, 2 commits");
    let asked = GitOptions { branch: Some("main".into()), ..options() };
    assert_eq!(plan(&repo, asked), "web of web, main, 1 commits");
    let wrong = GitOptions { branch: Some("trunk".into()), ..options() };
    insta::assert_snapshot!(repo.error(wrong), @"there is no branch trunk; the branches are feature/x, main");
}

#[test]
fn a_clone_on_another_branch_than_its_remotes_default_says_so() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["clone", "-q", ".", "../clone"]);
    let clone = repo.folder.path().join("clone");
    git(&clone, "2026-10-01T12:00:00Z", &["checkout", "-q", "-b", "mine"], b"");
    let pulled = try_pull(&clone, options(), None).unwrap();
    insta::assert_snapshot!(pulled.warnings.join("\n"), @"
    HEAD is on mine; main, the remote's default branch, was read
    no tag looks like a version, so the commits were read and no deployments: name the tags with --tags 'PATTERN', or take every merge for one with --every-merge
    ");
    // Off any branch, the remote's default is read.
    git(&clone, "2026-10-01T12:00:00Z", &["checkout", "-q", "--detach"], b"");
    git(&clone, "2026-10-01T12:00:00Z", &["branch", "-q", "-D", "mine", "main"], b"");
    let batches = GitPull::open(&clone, options()).unwrap().since(None).unwrap();
    assert_eq!(batches.plan().branch.as_deref(), Some("main"));
}

#[test]
fn head_on_no_branch_and_no_branch_known_reads_what_head_points_to() {
    let repo = Repo::init(&["init", "-q", "-b", "odd"]);
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["checkout", "-q", "--detach"]);
    repo.git(&["branch", "-q", "-D", "odd"]);
    assert_eq!(plan(&repo, options()), "web of web, no branch, 1 commits");
}

#[test]
fn a_bare_repository_whose_head_points_nowhere_reads_the_branch_that_there_is() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = repo.folder.path().join("bare.git");
    git(&bare, "2026-10-01T12:00:00Z", &["symbolic-ref", "HEAD", "refs/heads/master"], b"");
    let batches = GitPull::open(&bare, options()).unwrap().since(None).unwrap();
    assert_eq!(batches.plan().branch.as_deref(), Some("main"));
}

#[test]
fn what_is_no_repository_is_named_with_what_to_do() {
    let repo = Repo::new();
    insta::assert_snapshot!(repo.error(options()), @"the repository at …/web has no commits yet; pull it again when it has");
    let root = repo.folder.path();
    let told = |path: &str| {
        let error = try_pull(&root.join(path), options(), None).err().unwrap().to_string();
        error.replace(&root.display().to_string(), "…")
    };
    insta::assert_snapshot!(told("nowhere"), @"there is no folder …/nowhere; name the folder of a clone");
    std::fs::create_dir(root.join("plain")).unwrap();
    insta::assert_snapshot!(told("plain"), @"…/plain is no git repository, and no folder above it is one; name the folder of a clone (git clone URL makes one)");
    std::fs::write(repo.path.join(".git/config"), "[core\n").unwrap();
    let error = repo.error(options());
    assert!(error.starts_with("the repository at …/web cannot be opened"), "{error}");
}

#[test]
fn the_name_of_a_tag_pattern_that_matches_nothing_is_an_error() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    insta::assert_snapshot!(repo.error(with_tags(&["v*"])), @"no tag matches v*: there are no tags at all; name others with --tags, or take every merge for a deployment with --every-merge");
    for n in 0..13 {
        repo.git(&["tag", &format!("build-{n:02}")]);
    }
    insta::assert_snapshot!(repo.error(with_tags(&["v*", "release-*"])), @"no tag matches v* or release-*: the tags are build-00, build-01, build-02, build-03, build-04, build-05, build-06, build-07, build-08, build-09 and 3 more; name others with --tags, or take every merge for a deployment with --every-merge");
}
