//! Deployments, guessed from tags or merges.

use vigie_model::kinds::deployment as d;
use vigie_model::{Kind, Value};

use crate::repo::{Repo, every_merge, options, with_tags};

#[test]
fn commits_and_the_tags_that_look_like_versions() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00+02:00");
    repo.git(&["tag", "v1.0"]);
    repo.commit("two", "2026-10-02T12:00:00Z");
    repo.git_at("2026-10-05T09:30:00Z", &["tag", "-a", "v1.1", "-m", "Release"]);
    repo.git(&["tag", "nightly"]);
    let pulled = repo.pull(options());
    insta::assert_snapshot!(pulled.told(), @"
    commit one after [], committed 2026-10-01T10:00:00Z
    commit two after [one], committed 2026-10-02T12:00:00Z
    deployment v1.0 of one, finished 2026-10-01T10:00:00Z
    deployment v1.1 of two, finished 2026-10-05T09:30:00Z
    ");
    assert!(pulled.warnings.is_empty(), "{:?}", pulled.warnings);
    insta::assert_snapshot!(pulled.events[0].to_json(), @r#"{"kind":"commit","source":"git","at":"2026-10-01T10:00:00Z","repository":"web","sha":"d9cd3eeeddac6b4bbb2f9e063f3e942550ac7515","parents":[],"authored_at":"2026-10-01T10:00:00Z","committed_at":"2026-10-01T10:00:00Z","author":"Ada <ada@example.com>","bot":false,"message":"one"}"#);
    insta::assert_snapshot!(pulled.of(Kind::Deployment)[1].to_json().replace(pulled.events[1].text(1), "SHA"), @r#"{"kind":"deployment","source":"git","at":"2026-10-05T09:30:00Z","service":"web","environment":"production","id":"v1.1","revision":"SHA","repository":"web","finished_at":"2026-10-05T09:30:00Z","outcome":"succeeded","inferred":true}"#);
}

#[test]
fn tags_by_pattern_with_commits_that_no_branch_holds() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "release"]);
    repo.commit("fix", "2026-10-02T12:00:00Z");
    repo.git(&["tag", "web/r-1"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "release"]);
    repo.commit("two", "2026-10-03T12:00:00Z");
    repo.git(&["tag", "other"]);
    insta::assert_snapshot!(repo.pull(with_tags(&["web/*"])).told(), @"
    commit one after [], committed 2026-10-01T12:00:00Z
    commit two after [one], committed 2026-10-03T12:00:00Z
    commit fix after [one], committed 2026-10-02T12:00:00Z
    deployment web/r-1 of fix, finished 2026-10-02T12:00:00Z
    ");
}

#[test]
fn no_version_among_the_tags_is_said_and_the_commits_are_read() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["tag", "nightly"]);
    let pulled = repo.pull(options());
    assert_eq!(pulled.titles(), ["one"]);
    insta::assert_snapshot!(pulled.warnings.join("\n"), @"no tag looks like a version, so the commits were read and no deployments: name the tags with --tags 'PATTERN', or take every merge for one with --every-merge");
}

#[test]
fn a_tag_of_a_tag_is_a_deployment_of_the_commit_at_the_outer_date() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git_at("2026-10-02T00:00:00Z", &["tag", "-a", "inner", "-m", "x"]);
    repo.git_at("2026-10-03T00:00:00Z", &["tag", "-a", "v1.0", "inner", "-m", "x"]);
    insta::assert_snapshot!(repo.pull(options()).told(), @"
    commit one after [], committed 2026-10-01T12:00:00Z
    deployment v1.0 of one, finished 2026-10-03T00:00:00Z
    ");
}

#[test]
fn tags_of_something_else_are_no_deployments() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["tag", "v1.0-tree", "HEAD^{tree}"]);
    repo.git(&["tag", "v1.0-file", "HEAD:one"]);
    repo.git(&["tag", "-a", "v1.0-noted", "HEAD:one", "-m", "x"]);
    repo.git(&["tag", "v1.0"]);
    let pulled = repo.pull(options());
    assert_eq!(pulled.of(Kind::Deployment).len(), 1);
    insta::assert_snapshot!(pulled.warnings.join("\n"), @"3 of the tags point to no commit that is here (v1.0-file, v1.0-noted, v1.0-tree): they are no deployments");
}

#[test]
fn every_merge_is_a_deployment_never_earlier_than_the_one_before() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit("side", "2026-10-03T12:00:00Z");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("fast clock", "2026-10-09T12:00:00Z");
    repo.commit("slow clock", "2026-10-02T12:00:00Z");
    repo.git_at("2026-10-04T12:00:00Z", &["merge", "-q", "--no-ff", "side", "-m", "merge"]);
    repo.commit("last", "2026-10-10T12:00:00Z");
    repo.git(&["tag", "v1.0"]);
    let pulled = repo.pull(every_merge());
    insta::assert_snapshot!(pulled.told(), @"
    commit one after [], committed 2026-10-01T12:00:00Z
    deployment one of one, finished 2026-10-01T12:00:00Z
    commit fast clock after [one], committed 2026-10-09T12:00:00Z
    deployment fast clock of fast clock, finished 2026-10-09T12:00:00Z
    commit slow clock after [fast clock], committed 2026-10-02T12:00:00Z
    deployment slow clock of slow clock, finished 2026-10-09T12:00:00Z
    commit side after [one], committed 2026-10-03T12:00:00Z
    commit merge after [slow clock, side], committed 2026-10-04T12:00:00Z
    deployment merge of merge, finished 2026-10-09T12:00:00Z
    commit last after [merge], committed 2026-10-10T12:00:00Z
    deployment last of last, finished 2026-10-10T12:00:00Z
    ");
    for deployment in pulled.of(Kind::Deployment) {
        assert_eq!(deployment.text(d::ID), deployment.text(d::REVISION));
        assert_eq!(deployment.get(d::INFERRED), Some(&Value::Bool(true)));
    }
}

#[test]
fn a_deployment_goes_where_it_is_said() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.git(&["tag", "v1.0"]);
    let mut options = options();
    options.environment = "Staging".into();
    options.service = Some("checkout".into());
    let pulled = repo.pull(options);
    assert_eq!(pulled.events[1].identity().replace('\u{1f}', " "), "dgit checkout staging v1.0");
}
