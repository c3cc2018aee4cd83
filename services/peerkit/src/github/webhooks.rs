//! The history as webhook deliveries.

use serde_json::{Value, json};

use super::json::{View, account, organisation_itself};
use super::model::Sha;
use super::organisation::{Happening, Organisation, What};

const API: &str = "https://api.github.com";
const NONE: &str = "0000000000000000000000000000000000000000";

impl Organisation {
    /// What GitHub would have sent, in order: the event's name (`x-github-event`) and the body. Each body shows what it
    /// is about as it was then. A repository that is gone leaves none.
    #[must_use]
    pub fn deliveries(&self) -> Vec<(&'static str, Value)> {
        self.deliveries_after(0)
    }

    /// The same without the first so many, which a test had before.
    #[must_use]
    pub fn deliveries_after(&self, skip: usize) -> Vec<(&'static str, Value)> {
        self.log.iter().skip(skip).filter_map(|happening| self.delivery(happening)).collect()
    }

    /// How much happened up to now, for [`Organisation::deliveries_after`].
    #[must_use]
    pub fn happened_so_far(&self) -> usize {
        self.log.len()
    }

    pub(super) fn delivery(&self, happening: &Happening) -> Option<(&'static str, Value)> {
        let repository = self.repositories.iter().find(|repository| repository.id == happening.repository)?;
        let view = View { organisation: self, repository, name: &happening.name, root: API, past: true };
        let (event, action) = kind(&happening.what);
        let mut body = match &happening.what {
            What::Push { branch, before, after, commits, forced } => {
                let hash = |sha: &Option<Sha>| sha.as_deref().unwrap_or(NONE).to_owned();
                // GitHub shows no more than so many
                let shown: Vec<_> = commits.iter().take(2048).map(|commit| view.pushed_commit(commit)).collect();
                let pusher = &self.accounts[happening.sender];
                json!({
                    "ref": format!("refs/heads/{branch}"), "before": hash(before), "after": hash(after),
                    "created": before.is_none(), "deleted": after.is_none(), "forced": forced, "base_ref": null,
                    "compare": format!("{}/compare/{:.12}...{:.12}", view.html(), hash(before), hash(after)),
                    "head_commit": shown.last(), "commits": shown,
                    "pusher": {"name": pusher.rest_login(), "email": pusher.email},
                })
            }
            What::Pull { action, pull } => {
                let mut body = json!({"number": pull.number, "pull_request": view.full_pull(pull)});
                if *action == "edited" {
                    // what it was before is not kept
                    body["changes"] = json!({"title": {"from": "Another title"}});
                }
                body
            }
            What::Review { review, pull } => {
                json!({"review": view.review(review, pull.number, true), "pull_request": view.pull(pull)})
            }
            What::Deployment { deployment, run } => json!({
                "deployment": view.deployment(deployment), "workflow": run.as_deref().map(|run| view.workflow(run)),
                "workflow_run": run.as_deref().map(|run| view.run(run)),
            }),
            What::Status { status, deployment, run } => json!({
                "deployment_status": view.status(status, deployment.id), "deployment": view.deployment(deployment),
                "check_run": null, "workflow": run.as_deref().map(|run| view.workflow(run)),
                "workflow_run": run.as_deref().map(|run| view.run(run)),
            }),
            What::Run { run, .. } => json!({"workflow_run": view.run(run), "workflow": view.workflow(run)}),
            What::Release { release, .. } => json!({"release": view.release(release)}),
            What::Issue { issue, label, .. } => {
                let mut body = json!({"issue": view.issue(issue)});
                if let Some(label) = label
                    && let Some(label) = repository.labels.iter().find(|it| it.name == *label)
                {
                    body["label"] = view.label(label);
                }
                body
            }
        };
        if let Some(action) = action {
            body["action"] = action.into();
        }
        body["repository"] = view.repository();
        body["organization"] = organisation_itself(self, API);
        body["sender"] = account(&self.accounts[happening.sender], API);
        body["installation"] = json!({"id": 4_711, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uNDcxMQ=="});
        Some((event, body))
    }
}

/// The event and its action.
pub(super) fn kind(what: &What) -> (&'static str, Option<&'static str>) {
    match what {
        What::Push { .. } => ("push", None),
        What::Pull { action, .. } => ("pull_request", Some(action)),
        What::Review { .. } => ("pull_request_review", Some("submitted")),
        What::Deployment { .. } => ("deployment", Some("created")),
        What::Status { .. } => ("deployment_status", Some("created")),
        What::Run { action, .. } => ("workflow_run", Some(action)),
        What::Release { action, .. } => ("release", Some(action)),
        What::Issue { action, .. } => ("issues", Some(action)),
    }
}
