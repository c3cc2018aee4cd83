//! Deployments, workflow runs, releases: newest first.

use std::collections::HashSet;

use serde_json::json;

use super::call::time;
use super::{Answer, Call};
use crate::github::json::View;
use crate::github::model::{Run, Time};

/// GitHub shows no more runs than these under any filter.
const RUNS_SHOWN: usize = 1_000;

pub(super) fn deployments(call: &Call, view: &View) -> Answer {
    let is = |name: &str, value: &str| call.get(name).is_none_or(|wanted| wanted == value);
    let found: Vec<_> = view
        .repository
        .deployments
        .iter()
        .rev()
        .filter(|it| is("sha", &it.sha) && is("ref", &it.reference))
        .filter(|it| is("task", &it.task) && is("environment", &it.environment))
        .collect();
    call.page(&found, |deployment| view.deployment(deployment))
}

pub(super) fn deployment(view: &View, id: &str) -> Answer {
    let found = id.parse().ok().and_then(|id| view.repository.deployment(id));
    found.map_or_else(Answer::not_found, |deployment| Answer::ok(&view.deployment(deployment)))
}

pub(super) fn statuses(call: &Call, view: &View, id: &str) -> Answer {
    let Some(deployment) = id.parse().ok().and_then(|id| view.repository.deployment(id)) else {
        return Answer::not_found();
    };
    let newest_first: Vec<_> = deployment.statuses.iter().rev().collect();
    call.page(&newest_first, |status| view.status(status, deployment.id))
}

/// From the oldest.
pub(super) fn workflows(call: &Call, view: &View) -> Answer {
    let mut seen = HashSet::new();
    let found: Vec<_> = view.repository.runs.iter().filter(|run| seen.insert(run.workflow)).collect();
    let total = found.len();
    let wrap = |shown| json!({"total_count": total, "workflows": serde_json::Value::Array(shown)});
    call.page_of(&found, total, 30, |run| view.workflow(run), wrap)
}

/// By the workflow's number or its file's name.
pub(super) fn runs_of(call: &Call, view: &View, workflow: &str) -> Answer {
    let is_it = |run: &Run| run.workflow.to_string() == workflow || run.path.ends_with(&format!("/{workflow}"));
    match view.repository.runs.iter().any(is_it) {
        true => listed(call, view, is_it),
        false => Answer::not_found(),
    }
}

pub(super) fn runs(call: &Call, view: &View) -> Answer {
    listed(call, view, |_| true)
}

fn listed(call: &Call, view: &View, wanted: impl Fn(&Run) -> bool) -> Answer {
    let created = call.get("created").map_or((None, None), range);
    let is = |name: &str, value: &str| call.get(name).is_none_or(|wanted| wanted == value);
    let found: Vec<_> = view
        .repository
        .runs
        .iter()
        .rev()
        .filter(|run| wanted(run))
        .filter(|run| created.0.is_none_or(|from| run.created_at >= from))
        .filter(|run| created.1.is_none_or(|to| run.created_at <= to))
        .filter(|run| is("event", &run.event) && is("branch", &run.branch) && is("head_sha", &run.sha))
        .filter(|run| is("status", &run.status) || is("status", run.conclusion.as_deref().unwrap_or_default()))
        .collect();
    let total = found.len();
    let wrap = |shown| json!({"total_count": total, "workflow_runs": serde_json::Value::Array(shown)});
    call.page_of(&found, RUNS_SHOWN, 30, |run| view.run(run), wrap)
}

pub(super) fn run(view: &View, id: &str) -> Answer {
    let found = view.repository.runs.iter().find(|run| run.id.to_string() == id);
    found.map_or_else(Answer::not_found, |run| Answer::ok(&view.run(run)))
}

/// Drafts are seen by those who may write.
pub(super) fn releases(call: &Call, view: &View) -> Answer {
    let found: Vec<_> = view.repository.releases.iter().rev().filter(|release| !release.draft).collect();
    call.page(&found, |release| view.release(release))
}

/// `A..B` with `*` for an open end, `>=A`, `<=B`, `A`; both ends belong to it.
fn range(text: &str) -> (Option<Time>, Option<Time>) {
    let end = |text: &str| {
        let whole_day = chrono::TimeDelta::seconds(if text.contains('T') { 0 } else { 86_399 });
        time(text).map(|time| time + whole_day)
    };
    let second = chrono::TimeDelta::seconds(1);
    if let Some((from, to)) = text.split_once("..") {
        (time(from), end(to))
    } else if let Some(from) = text.strip_prefix(">=") {
        (time(from), None)
    } else if let Some(to) = text.strip_prefix("<=") {
        (None, end(to))
    } else if let Some(from) = text.strip_prefix('>') {
        (end(from).map(|time| time + second), None)
    } else if let Some(to) = text.strip_prefix('<') {
        (None, time(to).map(|time| time - second))
    } else {
        (time(text), end(text))
    }
}
