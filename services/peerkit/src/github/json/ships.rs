//! Deployments, runs, releases.

use serde_json::{Value, json};

use super::{View, joined, time};
use crate::github::model::{Deployment, Release, Run, Status};

impl View<'_> {
    pub fn deployment(&self, it: &Deployment) -> Value {
        let url = format!("{}/deployments/{}", self.api(), it.id);
        json!({
            "url": url, "id": it.id, "node_id": self.id("DE", it.id), "task": it.task,
            "original_environment": it.original_environment, "environment": it.environment,
            "description": it.description, "created_at": time(it.created_at), "updated_at": time(it.updated_at),
            "statuses_url": format!("{url}/statuses"), "repository_url": self.api(),
            "creator": self.user(it.creator), "sha": it.sha, "ref": it.reference, "payload": {},
            "transient_environment": it.transient, "production_environment": it.production,
            "performed_via_github_app": null,
        })
    }

    pub fn status(&self, status: &Status, deployment: i64) -> Value {
        let url = format!("{}/deployments/{deployment}", self.api());
        json!({
            "url": format!("{url}/statuses/{}", status.id), "id": status.id, "node_id": self.id("DES", status.id),
            "state": status.state, "creator": self.user(status.creator), "description": status.description,
            "environment": status.environment, "target_url": status.log_url, "log_url": status.log_url,
            "environment_url": status.environment_url, "created_at": time(status.created_at),
            "updated_at": time(status.created_at), "deployment_url": url, "repository_url": self.api(),
            "performed_via_github_app": null,
        })
    }

    pub fn run(&self, run: &Run) -> Value {
        let url = format!("{}/actions/runs/{}", self.api(), run.id);
        let head = self.repository.commits.get(&run.sha).map(|commit| {
            json!({
                "id": commit.sha, "tree_id": commit.sha, "message": commit.message,
                "timestamp": time(commit.committed_at),
                "author": {"name": commit.author_name, "email": commit.author_email},
                "committer": {"name": commit.author_name, "email": commit.author_email},
            })
        });
        // only those that are open
        let pulls =
            self.repository.pulls.iter().filter(|pull| run.event == "pull_request" && pull.head_ref == run.branch);
        let pulls: Vec<_> = pulls.filter(|pull| pull.closed_at.is_none()).map(|pull| self.minimal_pull(pull)).collect();
        let value = json!({
            "id": run.id, "name": run.name, "node_id": self.id("WFR", run.id), "head_branch": run.branch,
            "head_sha": run.sha, "path": run.path, "display_title": run.name, "run_number": run.number,
            "event": run.event, "status": run.status, "conclusion": run.conclusion, "workflow_id": run.workflow,
            "check_suite_id": run.id + 1, "check_suite_node_id": self.id("CS", run.id + 1),
            "url": url, "html_url": format!("{}/actions/runs/{}", self.html(), run.id), "pull_requests": pulls,
        });
        let more = json!({
            "created_at": time(run.created_at), "updated_at": time(run.updated_at),
            "actor": self.user_or_ghost(run.actor), "run_attempt": run.attempt, "referenced_workflows": [],
            "run_started_at": time(run.started_at), "triggering_actor": self.user_or_ghost(run.actor),
            "jobs_url": format!("{url}/jobs"), "logs_url": format!("{url}/logs"),
            "check_suite_url": format!("{}/check-suites/{}", self.api(), run.id + 1),
            "artifacts_url": format!("{url}/artifacts"), "cancel_url": format!("{url}/cancel"),
            "rerun_url": format!("{url}/rerun"), "head_commit": head,
            "previous_attempt_url": (run.attempt > 1).then(|| format!("{url}/attempts/{}", run.attempt - 1)),
            "workflow_url": format!("{}/actions/workflows/{}", self.api(), run.workflow),
            "repository": self.minimal_repository(), "head_repository": self.minimal_repository(),
        });
        joined(value, more)
    }

    pub fn workflow(&self, run: &Run) -> Value {
        json!({
            "id": run.workflow, "node_id": self.id("W", run.workflow), "name": run.name, "path": run.path,
            "state": "active", "created_at": time(self.repository.created_at),
            "updated_at": time(self.repository.created_at),
            "url": format!("{}/actions/workflows/{}", self.api(), run.workflow),
            "html_url": format!("{}/blob/{}/{}", self.html(), self.repository.default_branch, run.path),
            "badge_url": format!("{}/workflows/{}/badge.svg", self.html(), run.name),
        })
    }

    pub fn release(&self, release: &Release) -> Value {
        let url = format!("{}/releases/{}", self.api(), release.id);
        json!({
            "url": url, "assets_url": format!("{url}/assets"), "upload_url": format!("{url}/assets{{?name,label}}"),
            "html_url": format!("{}/releases/tag/{}", self.html(), release.tag), "id": release.id,
            "author": self.user_or_ghost(release.author), "node_id": self.id("RE", release.id),
            "tag_name": release.tag, "target_commitish": release.target, "name": release.name, "draft": release.draft,
            "immutable": false, "prerelease": release.prerelease, "created_at": time(release.created_at),
            "published_at": release.published_at.map(time), "assets": [], "body": null,
            "tarball_url": format!("{}/tarball/{}", self.api(), release.tag),
            "zipball_url": format!("{}/zipball/{}", self.api(), release.tag),
        })
    }
}
