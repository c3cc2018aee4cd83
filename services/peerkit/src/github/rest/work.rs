//! Pull requests and issues.

use serde_json::Value;

use super::{Answer, Call};
use crate::github::faults::Part;
use crate::github::json::View;
use crate::github::model::{Issue, Pull, State, Time};

pub(super) fn pulls(call: &Call, view: &View) -> Answer {
    let state = call.get("state").unwrap_or("open");
    let mut found: Vec<_> = view
        .repository
        .pulls
        .iter()
        .filter(|pull| state == "all" || (state == "open") == (pull.state() == State::Open))
        .filter(|pull| call.get("base").is_none_or(|base| base == pull.base_ref))
        .collect();
    sort(call, &mut found, |pull| (pull.created_at, pull.updated_at, pull.number));
    call.page(&found, |pull| view.pull(pull))
}

pub(super) fn pull(view: &View, number: &str) -> Answer {
    find(view, number).map_or_else(Answer::not_found, |pull| Answer::ok(&view.full_pull(pull)))
}

pub(super) fn pull_commits(call: &Call, view: &View, number: &str) -> Answer {
    let Some(pull) = find(view, number) else {
        return Answer::not_found();
    };
    let commits: Vec<_> = pull.commits.iter().filter_map(|sha| view.repository.commits.get(sha)).collect();
    // GitHub lists no more than so many
    call.page_of(&commits, 250, 30, |commit| view.commit(commit), Value::Array)
}

pub(super) fn reviews(call: &Call, view: &View, number: &str) -> Answer {
    let Some(pull) = find(view, number) else {
        return Answer::not_found();
    };
    let seen: Vec<_> = pull.reviews.iter().filter(|review| call.organisation.sees(review)).collect();
    call.page(&seen, |review| view.review(review, pull.number, false))
}

enum Either<'a> {
    Issue(&'a Issue),
    Pull(&'a Pull),
}

/// Issues, and pull requests among them, which have no labels here.
pub(super) fn issues(call: &Call, view: &View) -> Answer {
    let (state, since) = (call.get("state").unwrap_or("open"), call.time("since"));
    let wanted = |closed: Option<Time>, updated: Time| {
        (state == "all" || (state == "open") == closed.is_none()) && since.is_none_or(|since| updated >= since)
    };
    let labels: Vec<_> = call.get("labels").unwrap_or_default().split(',').filter(|label| !label.is_empty()).collect();
    let has = |issue: &Issue, label: &str| issue.labels.iter().any(|it| it.eq_ignore_ascii_case(label));
    let issues = view.repository.issues.iter().filter(|issue| labels.iter().all(|label| has(issue, label)));
    let mut found: Vec<_> =
        issues.filter(|issue| wanted(issue.closed_at, issue.updated_at)).map(Either::Issue).collect();
    if labels.is_empty() && call.faults.denies(view.repository, Part::Pulls).is_none() {
        let pulls = view.repository.pulls.iter();
        found.extend(pulls.filter(|pull| wanted(pull.closed_at, pull.updated_at)).map(Either::Pull));
    }
    sort(call, &mut found, |either| match either {
        Either::Issue(issue) => (issue.created_at, issue.updated_at, issue.number),
        Either::Pull(pull) => (pull.created_at, pull.updated_at, pull.number),
    });
    call.page(&found, |either| match either {
        Either::Issue(issue) => view.issue(issue),
        Either::Pull(pull) => view.pull_as_issue(pull),
    })
}

pub(super) fn issue(view: &View, number: &str) -> Answer {
    let found = number.parse().ok().and_then(|number| view.repository.issue(number));
    match (found, find(view, number)) {
        (Some(issue), _) => Answer::ok(&view.issue(issue)),
        (None, Some(pull)) => Answer::ok(&view.pull_as_issue(pull)),
        (None, None) => Answer::not_found(),
    }
}

fn find<'a>(view: &View<'a>, number: &str) -> Option<&'a Pull> {
    view.repository.pull(number.parse().ok()?)
}

/// By creation, newest first, where the query says nothing else.
fn sort<T>(call: &Call, items: &mut [T], times: impl Fn(&T) -> (Time, Time, i64)) {
    let updated = call.get("sort") == Some("updated");
    items.sort_by_key(|item| {
        let (created_at, updated_at, number) = times(item);
        (if updated { updated_at } else { created_at }, number)
    });
    if call.get("direction") != Some("asc") {
        items.reverse();
    }
}
