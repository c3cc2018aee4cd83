//! What GitLab's API says, in the shape of what its webhooks say: so that one map understands both, a site's own too.

use serde_json::{Value, json};
use vigie_model::{SECOND, format_time, parse_time};

use super::super::mapping::Delivery;

/// What the system notes that approvals leave say.
const APPROVED: &str = "approved this merge request";

/// A project as deliveries name it.
#[derive(Debug, Clone, Default)]
pub(super) struct Project {
    pub id: u64,
    /// `group/…/name`, as GitLab writes it.
    pub path: String,
    /// The default branch; an empty repository has none.
    pub branch: Option<String>,
    pub web_url: String,
    /// Parts that are turned off in the project.
    pub off: Vec<&'static str>,
    /// The group that was asked for and in which it lies, itself or below it.
    pub group: Option<String>,
    /// What the group in which it lies is called; one of a person lies in none.
    pub group_name: Option<String>,
    pub is_archived: bool,
    pub is_fork: bool,
}

/// The parts of a project that may be turned off, by the fields that say so.
const PARTS: [(&str, &str); 6] = [
    ("repository", "repository_access_level"),
    ("merge_requests", "merge_requests_access_level"),
    ("issues", "issues_access_level"),
    ("deployments", "environments_access_level"),
    ("jobs", "builds_access_level"),
    ("releases", "releases_access_level"),
];

impl Project {
    /// As the API shows it; `None`: it is no project.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let off = PARTS.iter().filter(|(_, field)| body[*field] == "disabled").map(|(part, _)| *part);
        Some(Self {
            id: body["id"].as_u64()?,
            path: body["path_with_namespace"].as_str()?.to_owned(),
            branch: body["default_branch"].as_str().filter(|_| body["empty_repo"] != true).map(str::to_owned),
            web_url: body["web_url"].as_str().unwrap_or_default().to_owned(),
            off: off.collect(),
            group: None,
            group_name: body["namespace"]["name"]
                .as_str()
                .filter(|_| body["namespace"]["kind"] == "group")
                .map(str::to_owned),
            is_archived: body["archived"] == true,
            is_fork: body["forked_from_project"].is_object(),
        })
    }

    /// The path of what it lies in.
    pub(super) fn above(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(above, _)| above)
    }

    fn body(&self) -> Value {
        json!({
            "id": self.id, "path_with_namespace": self.path, "default_branch": self.branch, "web_url": self.web_url,
        })
    }

    /// A merge request, as it stands.
    pub(super) fn merge_request(&self, item: &Value) -> Vec<Delivery> {
        let delivery = |action: &str, at: &Value| {
            let body = json!({
                "object_kind": "merge_request", "event_type": "merge_request", "project": self.body(),
                // Who acted is not told; in the author's name the author is known.
                "user": user(&item["author"]),
                "object_attributes": {
                    "id": item["id"], "iid": item["iid"], "author_id": item["author"]["id"], "title": item["title"],
                    "description": item["description"], "created_at": item["created_at"], "updated_at": at,
                    "state": item["state"], "source_branch": item["source_branch"],
                    "target_branch": item["target_branch"], "merge_commit_sha": item["merge_commit_sha"],
                    "squash_commit_sha": item["squash_commit_sha"], "last_commit": {"id": item["sha"]},
                    "url": item["web_url"], "action": action,
                },
                "labels": [],
            });
            ("Merge Request Hook", body)
        };
        // A delivery's time is that of what it announces: the end is one of its own, so that what changed after it does not
        // move it.
        let ended = match item["state"].as_str() {
            Some("merged") => Some(("merge", first(&item["merged_at"], &item["updated_at"]))),
            Some("closed") => Some(("close", first(&item["closed_at"], &item["updated_at"]))),
            _ => None,
        };
        // Whether it was closed before is not known: of an open one it is said that it is not.
        let stands = if ended.is_some() { "update" } else { "reopen" };
        let end = ended.map(|(action, at)| delivery(action, at));
        std::iter::once(delivery(stands, &item["updated_at"])).chain(end).collect()
    }

    /// The approvals and the reviews of a merge request, of its notes.
    pub(super) fn reviews(&self, item: &Value, notes: &[Value]) -> Vec<Delivery> {
        let whose = json!({"iid": item["iid"], "author_id": item["author"]["id"], "created_at": item["created_at"]});
        let delivery = |note: &Value| {
            if note["system"] == true && note["body"].as_str().is_some_and(|body| body.trim() == APPROVED) {
                let mut approved = whose.clone();
                approved["updated_at"] = note["created_at"].clone();
                approved["action"] = "approval".into();
                let body = json!({
                    "object_kind": "merge_request", "event_type": "merge_request", "project": self.body(),
                    "user": user(&note["author"]), "object_attributes": approved,
                });
                return Some(("Merge Request Hook", body));
            }
            let is_review = note["system"] != true && (note["type"] == "DiffNote" || !note["position"].is_null());
            is_review.then(|| {
                let body = json!({
                    "object_kind": "note", "event_type": "note", "project": self.body(), "user": user(&note["author"]),
                    "object_attributes": {
                        "id": note["id"], "noteable_type": "MergeRequest", "type": note["type"], "system": false,
                        "created_at": note["created_at"], "updated_at": note["updated_at"],
                    },
                    "merge_request": whose,
                });
                ("Note Hook", body)
            })
        };
        notes.iter().filter_map(delivery).collect()
    }

    /// What no delivery of a merge request says: its commits.
    pub(super) fn commits_of(&self, item: &Value, commits: &[Value]) -> Option<Value> {
        let instants = commits.iter().filter_map(|commit| authored(commit).as_str());
        let first = instants.filter_map(|at| Some((parse_time(at).ok()?, at))).min()?.1;
        Some(json!({
            "kind": "pull_request", "repository": self.path, "number": item["iid"], "partial": true,
            "commits": commits.iter().map(|commit| &commit["id"]).collect::<Vec<_>>(),
            "first_commit_at": first, "at": item["updated_at"],
        }))
    }

    /// An issue, as it stands; `was_incident`: it was one when it was last read.
    pub(super) fn issue(&self, item: &Value, was_incident: bool) -> Delivery {
        let labels: Vec<Value> = texts(&item["labels"]).map(|title| json!({"title": title})).collect();
        let kind = if item["issue_type"] == "incident" { "Incident" } else { "Issue" };
        let action = if item["state"] == "closed" { "close" } else { "reopen" };
        let mut body = json!({
            "object_kind": "issue", "event_type": "issue", "project": self.body(), "user": user(&item["author"]),
            "object_attributes": {
                "id": item["id"], "iid": item["iid"], "author_id": item["author"]["id"], "title": item["title"],
                "description": item["description"], "type": kind, "state": item["state"],
                "severity": item["severity"].as_str().map(str::to_lowercase), "created_at": item["created_at"],
                "updated_at": item["updated_at"], "closed_at": item["closed_at"], "url": item["web_url"],
                "action": action,
            },
            "labels": labels,
        });
        if was_incident {
            body["changes"] = json!({"type": {"previous": "Incident", "current": kind}});
        }
        ("Issue Hook", body)
    }

    /// A deployment, and what became of it. Its environment's tier is told where it is known.
    pub(super) fn deployment(&self, item: &Value, tier: Option<&str>) -> Vec<Delivery> {
        let (job, sha) = (&item["deployable"], item["sha"].as_str().unwrap_or_default());
        let delivery = |status: &Value, at: &Value| {
            let job_url = match (job["web_url"].as_str(), job["id"].as_u64()) {
                (Some(url), _) => Value::from(url),
                (None, Some(id)) => Value::from(format!("{}/-/jobs/{id}", self.web_url)),
                (None, None) => Value::Null,
            };
            let body = json!({
                "object_kind": "deployment", "status": status, "status_changed_at": at, "deployment_id": item["id"],
                "deployable_id": job["id"], "deployable_url": job_url, "environment": item["environment"]["name"],
                "environment_tier": tier, "environment_slug": item["environment"]["slug"], "project": self.body(),
                "short_sha": sha.get(..8), "user": user(&item["user"]), "ref": item["ref"],
                "commit_url": format!("{}/-/commit/{sha}", self.web_url),
            });
            ("Deployment Hook", body)
        };
        let is_over = matches!(item["status"].as_str(), Some("success" | "failed" | "canceled"));
        // The job knows when it was done: the deployment is touched later too.
        let ended = if is_over { first(&job["finished_at"], &item["updated_at"]) } else { &item["updated_at"] };
        let began = (!job["started_at"].is_null()).then(|| delivery(&json!("running"), &job["started_at"]));
        let stands = (item["status"] != "running" || began.is_none()).then(|| delivery(&item["status"], ended));
        began.into_iter().chain(stands).collect()
    }

    /// A job of a pipeline.
    pub(super) fn job(&self, item: &Value) -> Delivery {
        let body = json!({
            "object_kind": "build", "project": self.body(), "build_id": item["id"], "build_name": item["name"],
            "build_status": item["status"], "build_started_at": item["started_at"],
            "build_finished_at": item["finished_at"], "ref": item["ref"],
            "sha": first(&item["commit"]["id"], &item["pipeline"]["sha"]), "environment": item["environment"],
        });
        ("Job Hook", body)
    }

    /// A release.
    pub(super) fn release(&self, item: &Value) -> Delivery {
        let own = format!("{}/-/releases/{}", self.web_url, item["tag_name"].as_str().unwrap_or_default());
        let body = json!({
            "object_kind": "release", "action": "create", "project": self.body(), "tag": item["tag_name"],
            "name": item["name"], "created_at": item["created_at"], "released_at": item["released_at"],
            "commit": {"id": item["commit"]["id"]}, "url": item["_links"]["self"].as_str().unwrap_or(&own),
        });
        ("Release Hook", body)
    }

    /// A commit of the default branch. It is an event already: what a push says of it is less.
    pub(super) fn commit(&self, item: &Value) -> Value {
        let (authored, committed) = (authored(item), first(&item["committed_date"], &item["created_at"]));
        let mut event = json!({
            "kind": "commit", "repository": self.path, "sha": item["id"], "authored_at": authored,
        });
        let mut add = |name: &str, value: &Value| {
            if !value.is_null() && value != "" {
                event[name] = value.clone();
            }
        };
        add("parents", &item["parent_ids"]);
        add("committed_at", committed);
        add("author", &item["author_name"]);
        add("message", &item["message"]);
        // A push has one time only, that of committing, and calls it that of writing. What is said here is to hold
        // whatever comes first, so it is of a moment later: a commit never changes.
        let latest = [authored, committed].into_iter().filter_map(|at| parse_time(at.as_str()?).ok()).max();
        if let Some(at) = latest {
            event["at"] = format_time(at + SECOND / 1_000).into();
        }
        event
    }
}

fn authored(commit: &Value) -> &Value {
    first(&commit["authored_date"], &commit["created_at"])
}

fn first<'v>(a: &'v Value, b: &'v Value) -> &'v Value {
    if a.is_null() { b } else { a }
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Somebody as deliveries name them.
fn user(author: &Value) -> Value {
    match author.is_null() {
        true => Value::Null,
        false => json!({"id": author["id"], "name": author["name"], "username": author["username"]}),
    }
}
