//! The history as GitLab's webhook deliveries.

use serde_json::{Value, json};

use super::json::{View, is_incident, is_typed, job_status, labels, path_of, severity, status, tier, time, username};
use crate::github::organisation::{Happening, What};
use crate::github::{Issue, Organisation, Pull, Sha, Time};

const NONE: &str = "0000000000000000000000000000000000000000";
/// A push shows no more commits than these.
const PUSHED: usize = 20;

/// What GitLab would have sent of what happened after the first so many, in order: the event's name (`x-gitlab-event`) and the
/// body. Each body shows what it is about as it was then.
#[must_use]
pub fn deliveries_after(organisation: &Organisation, skip: usize) -> Vec<(&'static str, Value)> {
    organisation.log.iter().skip(skip).filter_map(|happening| delivery(organisation, happening)).collect()
}

fn delivery(organisation: &Organisation, happening: &Happening) -> Option<(&'static str, Value)> {
    let repository = organisation.repositories.iter().find(|repository| repository.id == happening.repository)?;
    let view = View { organisation, repository };
    let (event, mut body) = match &happening.what {
        What::Push { branch, before, after, commits, .. } => {
            let hash = |sha: &Option<Sha>| sha.as_deref().unwrap_or(NONE).to_owned();
            let from = commits.len().saturating_sub(PUSHED);
            let shown = commits[from..].iter().map(|commit| {
                json!({
                    "id": commit.sha, "message": commit.message, "title": commit.message.lines().next(),
                    // The time of committing, whatever it is called.
                    "timestamp": super::json::local_time(commit.committed_at, commit.author_offset),
                    "url": format!("{}/-/commit/{}", view.web_url(), commit.sha),
                    "author": {"name": commit.author_name, "email": "[REDACTED]"},
                    "added": [], "modified": ["till.go"], "removed": [],
                })
            });
            let body = json!({
                "object_kind": "push", "event_name": "push", "ref": format!("refs/heads/{branch}"),
                "before": hash(before), "after": hash(after), "checkout_sha": after,
                "commits": shown.collect::<Vec<_>>(), "total_commits_count": commits.len(),
            });
            ("Push Hook", body)
        }
        What::Pull { action, pull } => {
            let (action, changes) = match (*action, pull.merged_at) {
                ("closed", Some(_)) => ("merge", json!({})),
                ("closed", None) => ("close", json!({})),
                ("opened", _) => ("open", json!({})),
                ("reopened", _) => ("reopen", json!({})),
                ("edited", _) => ("update", json!({"title": {"previous": "Another title", "current": pull.title}})),
                (_, _) => ("update", json!({"draft": {"previous": true, "current": false}})),
            };
            let mut body = merge_request(&view, pull, action);
            body["changes"] = changes;
            ("Merge Request Hook", body)
        }
        What::Review { review, pull } if review.state == "APPROVED" => {
            ("Merge Request Hook", merge_request(&view, pull, "approved"))
        }
        What::Review { review, pull } => {
            let at = spaced(review.submitted_at?);
            let body = json!({
                "object_kind": "note", "event_type": "note",
                "object_attributes": {
                    "id": review.id, "note": review.body, "noteable_type": "MergeRequest", "type": "DiffNote",
                    "system": false, "created_at": at, "updated_at": at, "line_code": "x_1_1",
                },
                "merge_request": attributes(&view, pull, ""),
            });
            ("Note Hook", body)
        }
        What::Deployment { deployment, .. } => deployed(&view, deployment, "created", deployment.created_at),
        What::Status { status: own, deployment, .. } => {
            // What came after the end is GitHub's own.
            let ended = |state: &str| matches!(state, "success" | "failure" | "error");
            let is_late = deployment.statuses.iter().take_while(|it| it.id != own.id).any(|it| ended(&it.state));
            deployed(&view, deployment, status(&own.state).filter(|_| !is_late)?, own.created_at)
        }
        What::Run { run, .. } => {
            let body = json!({
                "object_kind": "build", "build_id": run.id, "build_name": run.name, "build_stage": "deploy",
                "build_status": job_status(run), "build_started_at": spaced(run.started_at),
                "build_finished_at": run.conclusion.as_ref().map(|_| spaced(run.updated_at)), "ref": run.branch,
                "sha": run.sha,
            });
            ("Job Hook", body)
        }
        What::Release { action: "published", release } => {
            let at = spaced(release.published_at?);
            let body = json!({
                "object_kind": "release", "action": "create", "id": release.id, "name": release.name,
                "tag": release.tag, "created_at": at, "released_at": at, "commit": {"id": release.sha},
                "url": format!("{}/-/releases/{}", view.web_url(), release.tag),
            });
            ("Release Hook", body)
        }
        What::Issue { action, issue, label } => issues(&view, action, issue, label.as_deref())?,
        What::Release { .. } => return None,
    };
    let sender = &organisation.accounts[happening.sender];
    body["user"] = json!({"id": sender.id, "name": sender.name, "username": username(sender)});
    body["project"] = json!({
        "id": repository.id, "name": repository.name, "web_url": view.web_url(),
        "git_http_url": format!("{}.git", view.web_url()), "path_with_namespace": path_of(organisation, repository),
        "default_branch": repository.default_branch,
    });
    Some((event, body))
}

fn attributes(view: &View<'_>, pull: &Pull, action: &str) -> Value {
    let api = view.merge_request(pull);
    json!({
        "id": pull.id, "iid": pull.number, "author_id": view.organisation.accounts[pull.author].id,
        "title": pull.title, "description": view.description(pull), "created_at": spaced(pull.created_at),
        "updated_at": spaced(pull.updated_at), "state": api["state"], "source_branch": pull.head_ref,
        "target_branch": pull.base_ref, "merge_commit_sha": api["merge_commit_sha"],
        "last_commit": {"id": pull.head_sha}, "url": api["web_url"], "action": action,
    })
}

fn merge_request(view: &View<'_>, pull: &Pull, action: &str) -> Value {
    json!({
        "object_kind": "merge_request", "event_type": "merge_request", "labels": [],
        "object_attributes": attributes(view, pull, action),
    })
}

fn deployed(view: &View<'_>, it: &crate::github::Deployment, status: &str, at: Time) -> (&'static str, Value) {
    let body = json!({
        "object_kind": "deployment", "status": status, "status_changed_at": spaced(at), "deployment_id": it.id,
        "deployable_id": it.run, "deployable_url": it.run.map(|run| format!("{}/-/jobs/{run}", view.web_url())),
        "environment": it.original_environment, "environment_tier": tier(&it.original_environment),
        "environment_slug": it.original_environment, "short_sha": &it.sha[..8], "ref": it.reference,
        "commit_url": format!("{}/-/commit/{}", view.web_url(), it.sha),
    });
    ("Deployment Hook", body)
}

fn issues(view: &View<'_>, action: &str, issue: &Issue, label: Option<&str>) -> Option<(&'static str, Value)> {
    let own = match action {
        "opened" => "open",
        "closed" => "close",
        "reopened" => "reopen",
        // Nothing says that one was deleted.
        "deleted" => return None,
        _ => "update",
    };
    let titles = |all: Vec<String>| all.into_iter().map(|title| json!({"title": title})).collect::<Vec<_>>();
    let kind = |it: &Issue| if is_incident(it) { "Incident" } else { "Issue" };
    let mut changes = json!({});
    if let Some(label) = label {
        let mut before = issue.clone();
        match action {
            "labeled" => before.labels.retain(|it| it != label),
            _ => before.labels.push(label.to_owned()),
        }
        match is_typed(issue) {
            true => changes["type"] = json!({"previous": kind(&before), "current": kind(issue)}),
            false => changes["labels"] = json!({"previous": titles(labels(&before)), "current": titles(labels(issue))}),
        }
    }
    let body = json!({
        "object_kind": "issue", "event_type": "issue", "labels": titles(labels(issue)), "changes": changes,
        "object_attributes": {
            "id": issue.id, "iid": issue.number, "title": issue.title, "type": kind(issue),
            "severity": severity(issue).to_lowercase(), "state": if issue.closed_at.is_some() { "closed" } else { "opened" },
            "created_at": time(issue.created_at), "updated_at": time(issue.updated_at),
            "closed_at": issue.closed_at.map(time), "action": own,
            "url": format!("{}/-/issues/{}", view.web_url(), issue.number),
        },
    });
    Some(("Issue Hook", body))
}

/// As most of GitLab's deliveries write an instant.
fn spaced(at: Time) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
