//! GitLab's objects, as its API shows them.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use chrono::{FixedOffset, SecondsFormat};
use serde_json::{Value, json};

use crate::github::{
    Account, Commit, Deployment, Issue, Organisation, Pull, Release, Repository, Run, Sha, State, Time,
};

const ROOT: &str = "https://gitlab.example.com";

/// A repository as a project.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub organisation: &'a Organisation,
    pub repository: &'a Repository,
}

/// What GitLab knows of a deployment.
pub(super) struct Shipped {
    pub status: &'static str,
    pub started_at: Option<Time>,
    pub finished_at: Option<Time>,
}

/// The status of GitLab that one of GitHub's is; `None`: it has none for it.
pub(super) fn status(state: &str) -> Option<&'static str> {
    match state {
        "in_progress" => Some("running"),
        "success" => Some("success"),
        "failure" | "error" => Some("failed"),
        _ => None,
    }
}

pub(super) fn shipped(deployment: &Deployment) -> Shipped {
    let mut shipped = Shipped { status: "created", started_at: None, finished_at: None };
    for own in &deployment.statuses {
        match status(&own.state) {
            Some("running") if shipped.finished_at.is_none() => {
                shipped.status = "running";
                shipped.started_at.get_or_insert(own.created_at);
            }
            Some(status @ ("success" | "failed")) if shipped.finished_at.is_none() => {
                shipped.status = status;
                shipped.finished_at = Some(own.created_at);
            }
            _ => {}
        }
    }
    shipped
}

/// When a deployment changed last.
pub(super) fn updated_at(deployment: &Deployment) -> Time {
    let shipped = shipped(deployment);
    shipped.finished_at.or(shipped.started_at).unwrap_or(deployment.created_at)
}

/// The number of an environment: the same for the same name.
pub(super) fn environment_id(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    1 + hasher.finish() % 1_000_000
}

pub(super) fn tier(environment: &str) -> &'static str {
    match environment {
        name if name.starts_with("prod") => "production",
        name if name.starts_with("staging") => "staging",
        _ => "other",
    }
}

/// The full path of a project.
pub(super) fn path_of(organisation: &Organisation, repository: &Repository) -> String {
    format!("{}/{}", View { organisation, repository }.group(), repository.name)
}

/// Its labels: a scoped label has two colons, and one that is an incident by its type has none that says so.
pub(super) fn labels(issue: &Issue) -> Vec<String> {
    let labels = issue.labels.iter().filter(|label| !is_typed(issue) || *label != "incident");
    labels.map(|label| label.replacen("service:", "service::", 1)).collect()
}

/// Whether its type says whether it is an incident, and no label.
pub(super) fn is_typed(issue: &Issue) -> bool {
    issue.number % 2 == 0
}

pub(super) fn is_incident(issue: &Issue) -> bool {
    is_typed(issue) && issue.labels.iter().any(|label| label == "incident")
}

pub(super) fn severity(issue: &Issue) -> &'static str {
    let has = |name: &str| issue.labels.iter().any(|label| label == name);
    match is_incident(issue) {
        true if has("sev1") => "CRITICAL",
        true if has("sev2") => "HIGH",
        true if has("sev3") => "MEDIUM",
        _ => "UNKNOWN",
    }
}

/// A group as projects name it, called like its path with a capital.
pub(super) fn group(path: &str) -> Value {
    let own = path.rsplit_once('/').map_or(path, |(_, own)| own);
    let name: String = own.chars().take(1).flat_map(char::to_uppercase).chain(own.chars().skip(1)).collect();
    json!({
        "id": environment_id(path), "name": name, "path": own, "full_path": path, "kind": "group",
        "web_url": format!("{ROOT}/groups/{path}"),
    })
}

/// As GitLab writes an instant.
pub(super) fn time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As an author's git writes it.
pub(super) fn local_time(at: Time, minutes: i32) -> String {
    match FixedOffset::east_opt(minutes * 60) {
        Some(offset) => at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, false),
        None => time(at),
    }
}

pub(super) fn username(account: &Account) -> String {
    match account.bot && account.login != "dependabot" {
        true => format!("group_900001_bot_{}", account.login),
        false => account.login.clone(),
    }
}

impl View<'_> {
    /// The full path of its group.
    pub fn group(&self) -> String {
        if let Some(place) = self.organisation.places.get(&self.repository.id) {
            let slash = if place.is_empty() { "" } else { "/" };
            return format!("{}{slash}{place}", self.organisation.login);
        }
        let index = self.organisation.repositories.iter().position(|it| it.id == self.repository.id);
        let below = if index.is_some_and(|index| index % 2 == 1) { "/platform" } else { "" };
        format!("{}{below}", self.organisation.login)
    }

    pub fn web_url(&self) -> String {
        format!("{ROOT}/{}", path_of(self.organisation, self.repository))
    }

    pub fn project(&self) -> Value {
        let it = self.repository;
        let is_empty = it.head().is_none();
        let mut value = json!({
            "id": it.id, "description": null, "name": it.name, "path": it.name,
            "path_with_namespace": path_of(self.organisation, it), "web_url": self.web_url(),
            "http_url_to_repo": format!("{}.git", self.web_url()), "created_at": time(it.created_at),
            "last_activity_at": time(it.updated_at), "default_branch": (!is_empty).then_some(&it.default_branch),
            "empty_repo": is_empty, "archived": it.archived, "visibility": "private",
            "namespace": group(&self.group()),
            "issues_access_level": "enabled", "repository_access_level": "enabled",
            "merge_requests_access_level": "enabled", "builds_access_level": "enabled",
            "environments_access_level": "enabled", "releases_access_level": "enabled",
        });
        if it.fork {
            value["forked_from_project"] =
                json!({"id": it.id - 1, "path_with_namespace": format!("elsewhere/{}", it.name)});
        }
        value
    }

    pub fn user(&self, index: usize) -> Value {
        let it = &self.organisation.accounts[index];
        json!({
            "id": it.id, "username": username(it), "name": it.name, "state": "active", "avatar_url": null,
            "web_url": format!("{ROOT}/{}", username(it)),
        })
    }

    pub fn branch(&self, name: &str, head: &Sha) -> Value {
        json!({
            "name": name, "commit": self.commit(&self.repository.commits[head]), "merged": false, "protected": true,
            "default": name == self.repository.default_branch, "web_url": format!("{}/-/tree/{name}", self.web_url()),
        })
    }

    pub fn commit(&self, it: &Commit) -> Value {
        let committed = local_time(it.committed_at, it.author_offset);
        json!({
            "id": it.sha, "short_id": &it.sha[..8], "created_at": committed, "parent_ids": it.parents,
            "title": it.message.lines().next(), "message": it.message, "author_name": it.author_name,
            "author_email": it.author_email, "authored_date": local_time(it.authored_at, it.author_offset),
            "committer_name": it.author_name, "committer_email": it.author_email, "committed_date": committed,
            "trailers": {}, "web_url": format!("{}/-/commit/{}", self.web_url(), it.sha),
        })
    }

    /// What it says of another one is said as GitLab says it.
    pub fn description(&self, pull: &Pull) -> Option<String> {
        let own = format!("Reverts {}/{}#", self.organisation.login, self.repository.name);
        pull.body.as_ref().map(|body| body.replace(&own, "This reverts merge request !"))
    }

    pub fn merge_request(&self, it: &Pull) -> Value {
        let is_merged = it.merged_at.is_some();
        let state = match it.state() {
            State::Open => "opened",
            State::Closed => "closed",
            State::Merged => "merged",
        };
        json!({
            "id": it.id, "iid": it.number, "project_id": self.repository.id, "title": it.title,
            "description": self.description(it), "state": state, "draft": it.draft,
            "created_at": time(it.created_at), "updated_at": time(it.updated_at), "merged_at": it.merged_at.map(time),
            "closed_at": it.closed_at.filter(|_| !is_merged).map(time), "target_branch": it.base_ref,
            "source_branch": it.head_ref, "author": self.user(it.author), "labels": [], "sha": it.head_sha,
            "merge_commit_sha": it.merge_commit_sha.as_ref().filter(|_| is_merged), "squash_commit_sha": null,
            "user_notes_count": it.reviews.len(),
            "web_url": format!("{}/-/merge_requests/{}", self.web_url(), it.number),
        })
    }

    /// The notes of a merge request, the oldest first: its reviews, and what GitLab notes by itself.
    pub fn notes(&self, it: &Pull) -> Vec<Value> {
        let pushed = json!({
            "id": it.id, "type": null, "body": "added 1 commit", "author": self.user(it.author), "system": true,
            "created_at": time(it.created_at), "updated_at": time(it.created_at), "noteable_type": "MergeRequest",
            "noteable_iid": it.number,
        });
        let reviews = it.reviews.iter().filter_map(|review| {
            let at = time(review.submitted_at?);
            let is_approval = review.state == "APPROVED";
            Some(json!({
                "id": review.id, "type": (!is_approval).then_some("DiffNote"), "system": is_approval,
                "body": if is_approval { "approved this merge request" } else { &review.body },
                "author": self.user(review.author), "created_at": at, "updated_at": at,
                "noteable_type": "MergeRequest", "noteable_iid": it.number,
            }))
        });
        std::iter::once(pushed).chain(reviews).collect()
    }

    pub fn issue(&self, it: &Issue) -> Value {
        let kind = if is_incident(it) { "incident" } else { "issue" };
        json!({
            "id": it.id, "iid": it.number, "project_id": self.repository.id, "title": it.title,
            "description": it.body, "state": if it.closed_at.is_some() { "closed" } else { "opened" },
            "created_at": time(it.created_at), "updated_at": time(it.updated_at), "closed_at": it.closed_at.map(time),
            "labels": labels(it), "author": self.user(it.author), "type": kind.to_uppercase(), "issue_type": kind,
            "severity": severity(it), "confidential": false,
            "web_url": format!("{}/-/issues/{}", self.web_url(), it.number),
        })
    }

    pub fn environment(&self, name: &str, is_whole: bool) -> Value {
        let mut value = json!({
            "id": environment_id(name), "name": name, "slug": name, "external_url": null,
            "created_at": time(self.repository.created_at), "updated_at": time(self.repository.created_at),
        });
        if is_whole {
            value["tier"] = tier(name).into();
            value["state"] = "available".into();
        }
        value
    }

    pub fn deployment(&self, it: &Deployment) -> Value {
        let shipped = shipped(it);
        let job = it.run.map(|run| {
            json!({
                "id": run, "name": "deploy", "stage": "deploy", "status": shipped.status,
                "created_at": time(it.created_at), "started_at": shipped.started_at.map(time),
                "finished_at": shipped.finished_at.map(time), "ref": it.reference,
                "web_url": format!("{}/-/jobs/{run}", self.web_url()),
            })
        });
        json!({
            "id": it.id, "iid": it.id % 1_000, "ref": it.reference, "sha": it.sha, "status": shipped.status,
            "created_at": time(it.created_at), "updated_at": time(updated_at(it)), "user": self.user(it.creator),
            "environment": self.environment(&it.original_environment, false), "deployable": job,
        })
    }

    pub fn job(&self, it: &Run) -> Value {
        let is_over = it.conclusion.is_some();
        json!({
            "id": it.id, "name": it.name, "stage": "deploy", "status": job_status(it), "ref": it.branch,
            "created_at": time(it.created_at), "started_at": time(it.started_at),
            "finished_at": is_over.then(|| time(it.updated_at)), "commit": {"id": it.sha},
            "pipeline": {"id": it.id + 1, "sha": it.sha, "ref": it.branch},
            "web_url": format!("{}/-/jobs/{}", self.web_url(), it.id),
        })
    }

    pub fn tag(&self, name: &str, sha: &Sha) -> Value {
        let commit = self.repository.commits.get(sha).map(|commit| self.commit(commit));
        json!({"name": name, "message": "", "target": sha, "commit": commit, "release": null, "protected": false})
    }

    pub fn release(&self, it: &Release) -> Value {
        let at = it.published_at.unwrap_or(it.created_at);
        json!({
            "tag_name": it.tag, "name": it.name, "description": "", "created_at": time(at), "released_at": time(at),
            "upcoming_release": false, "author": self.user(it.author), "commit": {"id": it.sha},
            "_links": {"self": format!("{}/-/releases/{}", self.web_url(), it.tag)},
        })
    }
}

pub(super) fn job_status(run: &Run) -> &'static str {
    match run.conclusion.as_deref() {
        None => "running",
        Some("success") => "success",
        Some("cancelled") => "canceled",
        Some("skipped") => "skipped",
        Some(_) => "failed",
    }
}
