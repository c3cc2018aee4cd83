//! Commits, branches, comparisons.

use serde_json::json;

use super::{Answer, Call};
use crate::github::graph::{ahead, reachable};
use crate::github::json::View;

pub(super) fn commits(call: &Call, view: &View) -> Answer {
    let it = view.repository;
    let Some(head) = it.head() else {
        return Answer::message(409, "Git Repository is empty.");
    };
    let head = match call.get("sha") {
        None => head,
        Some(revision) => match it.resolve(revision) {
            Some(sha) => sha,
            None => return Answer::not_found(),
        },
    };
    let (since, until) = (call.time("since"), call.time("until"));
    let history = call.histories.of(it, head);
    let found: Vec<_> = history
        .iter()
        .filter_map(|sha| it.commits.get(sha))
        .filter(|commit| since.is_none_or(|since| commit.committed_at >= since))
        .filter(|commit| until.is_none_or(|until| commit.committed_at <= until))
        .collect();
    call.page(&found, |commit| view.commit(commit))
}

pub(super) fn commit(view: &View, revision: &str) -> Answer {
    if view.repository.head().is_none() {
        return Answer::message(409, "Git Repository is empty.");
    }
    match view.repository.resolve(revision).and_then(|sha| view.repository.commits.get(sha)) {
        Some(commit) => Answer::ok(&view.commit(commit)),
        None => Answer::message(422, &format!("No commit found for SHA: {revision}")),
    }
}

pub(super) fn branches(call: &Call, view: &View) -> Answer {
    let branches: Vec<_> = view.repository.branches.iter().collect();
    call.page(&branches, |(name, sha)| {
        let url = format!("{}/commits/{sha}", view.api());
        json!({"name": name, "commit": {"sha": sha, "url": url}, "protected": **name == view.repository.default_branch})
    })
}

/// From the oldest; without paging the first 250.
pub(super) fn compare(call: &Call, view: &View, range: &str) -> Answer {
    let it = view.repository;
    let Some((base, head)) = range.split_once("...") else {
        return Answer::not_found();
    };
    let (Some(base), Some(head)) = (it.resolve(base), it.resolve(head)) else {
        return Answer::not_found();
    };
    let (ahead, behind) = (ahead(it, base, head), ahead(it, head, base));
    let known = reachable(it, [head]);
    let history = call.histories.of(it, base);
    let Some(common) = history.iter().find(|sha| known.contains(sha.as_str())) else {
        return Answer::message(404, &format!("No common ancestor between {base} and {head}."));
    };
    let status = match (ahead.is_empty(), behind.is_empty()) {
        (true, true) => "identical",
        (false, true) => "ahead",
        (true, false) => "behind",
        (false, false) => "diverged",
    };
    let paged = call.get("per_page").or(call.get("page")).is_some();
    let reachable = if paged { ahead.len() } else { 250 };
    let show = |sha: &_| it.commits.get(sha).map_or(serde_json::Value::Null, |commit| view.commit(commit));
    call.page_of(&ahead, reachable, if paged { 30 } else { 250 }, show, |shown| {
        let url = format!("{}/compare/{base}...{head}", view.api());
        let html = format!("{}/compare/{base}...{head}", view.html());
        json!({
            "url": url, "html_url": html, "permalink_url": html, "diff_url": format!("{html}.diff"),
            "patch_url": format!("{html}.patch"), "base_commit": show(base), "merge_base_commit": show(common),
            "status": status, "ahead_by": ahead.len(), "behind_by": behind.len(), "total_commits": ahead.len(),
            "commits": shown, "files": [],
        })
    })
}
