//! What GitHub's API says, in the shape of what its webhooks say: so that one map understands both, a site's own too.

use serde_json::{Value, json};

use super::super::mapping::Delivery;

/// A repository as deliveries name it.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    /// `owner/name`, as GitHub writes it.
    pub name: String,
    /// The default branch.
    pub branch: Option<String>,
}

impl Repository {
    fn body(&self) -> Value {
        json!({"full_name": self.name, "default_branch": self.branch})
    }

    /// A pull request, as it stands, and its reviews.
    pub(super) fn pull_request(&self, node: &Value) -> Vec<Delivery> {
        let author = user(&node["author"]);
        // Whether it was closed before is not known: of an open one it is said that it is not.
        let action = if node["closedAt"].is_null() { "reopened" } else { "closed" };
        let body = json!({
            "action": action, "repository": self.body(),
            "pull_request": {
                "number": node["number"], "title": node["title"], "body": node["body"], "html_url": node["url"],
                "created_at": node["createdAt"], "updated_at": node["updatedAt"], "merged_at": node["mergedAt"],
                "closed_at": node["closedAt"], "merge_commit_sha": node["mergeCommit"]["oid"], "user": author,
                "head": {"ref": node["headRefName"]}, "base": {"ref": node["baseRefName"]},
            },
        });
        let reviews = nodes(&node["reviews"]).map(|review| {
            let body = json!({
                "action": "submitted", "repository": self.body(),
                "review": {
                    "state": review["state"], "submitted_at": review["submittedAt"], "user": user(&review["author"]),
                },
                "pull_request": {"number": node["number"], "created_at": node["createdAt"], "user": author},
            });
            ("pull_request_review", body)
        });
        let reviews: Vec<Delivery> = reviews.collect();
        std::iter::once(("pull_request", body)).chain(reviews).collect()
    }

    /// An issue, as it stands, and the labels that it lost.
    pub(super) fn issue(&self, node: &Value) -> Vec<Delivery> {
        let action = if node["closedAt"].is_null() { "reopened" } else { "closed" };
        let labels: Vec<&Value> = nodes(&node["labels"]).map(|label| &label["name"]).collect();
        let of = |action: &str, label: &Value| {
            json!({
                "action": action, "repository": self.body(), "label": {"name": label},
                "issue": {
                    "number": node["number"], "title": node["title"], "html_url": node["url"],
                    "created_at": node["createdAt"], "updated_at": node["updatedAt"], "closed_at": node["closedAt"],
                    "labels": labels.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
                },
            })
        };
        let lost = nodes(&node["timelineItems"]).map(|item| &item["label"]["name"]);
        let lost = lost.filter(|name| !labels.contains(name)).map(|name| ("issues", of("unlabeled", name)));
        lost.chain(std::iter::once(("issues", of(action, &Value::Null)))).collect()
    }

    /// A deployment, what became of it, and the run of a workflow that made it.
    pub(super) fn deployment(&self, deployment: &Value, statuses: &[Value], run: Option<&Value>) -> Vec<Delivery> {
        let workflow = run.map(|run| json!({"name": run["workflow"]["name"]}));
        let run = run.map(|run| {
            json!({"id": run["databaseId"], "name": run["workflow"]["name"], "event": run["event"], "html_url": run["url"]})
        });
        let of = |status: Value| {
            json!({
                "action": "created", "repository": self.body(), "deployment": deployment, "deployment_status": status,
                "workflow": workflow, "workflow_run": run,
            })
        };
        let statuses = statuses.iter().map(|status| {
            let state = status["state"].as_str().unwrap_or_default().to_ascii_lowercase();
            let status = json!({"state": state, "created_at": status["createdAt"], "log_url": status["logUrl"]});
            ("deployment_status", of(status))
        });
        std::iter::once(("deployment", of(Value::Null))).chain(statuses).collect()
    }

    /// A run of a workflow.
    pub(super) fn run(&self, run: &Value, workflow: &Value) -> Delivery {
        let action = if run["conclusion"].is_null() { "in_progress" } else { "completed" };
        let body = json!({"action": action, "repository": self.body(), "workflow_run": run, "workflow": workflow});
        ("workflow_run", body)
    }

    /// A release.
    pub(super) fn release(&self, release: &Value) -> Delivery {
        ("release", json!({"action": "released", "repository": self.body(), "release": release}))
    }

    /// A commit of the default branch, from GraphQL. It is an event already: what a push says of it is less.
    pub(super) fn commit(&self, node: &Value) -> Value {
        let author = node.pointer("/author/user/login").filter(|login| login.is_string());
        let parents = &node["parents"];
        let listed: Vec<&Value> = nodes(parents).map(|parent| &parent["oid"]).collect();
        // Of so many the list is cut off, and a wrong graph is worse than one that is known to have gaps.
        let is_whole = parents["totalCount"].as_u64().is_some_and(|count| count == listed.len() as u64);
        self.event(Commit {
            sha: &node["oid"],
            parents: is_whole.then_some(listed),
            authored_at: &node["authoredDate"],
            committed_at: &node["committedDate"],
            author: author.unwrap_or(&node["author"]["name"]),
            message: &node["message"],
        })
    }

    /// The same from the REST API.
    pub(super) fn compared_commit(&self, item: &Value) -> Value {
        let author = item.pointer("/author/login").filter(|login| login.is_string());
        let commit = &item["commit"];
        let parents = item["parents"].as_array();
        self.event(Commit {
            sha: &item["sha"],
            parents: parents.map(|parents| parents.iter().map(|parent| &parent["sha"]).collect()),
            authored_at: &commit["author"]["date"],
            committed_at: &commit["committer"]["date"],
            author: author.unwrap_or(&commit["author"]["name"]),
            message: &commit["message"],
        })
    }

    fn event(&self, commit: Commit<'_>) -> Value {
        let mut event = json!({
            "kind": "commit", "repository": self.name, "sha": commit.sha,
            "authored_at": first(commit.authored_at, commit.committed_at),
        });
        let mut add = |name: &str, value: Value| {
            if !value.is_null() && value != "" {
                event[name] = value;
            }
        };
        add("committed_at", commit.committed_at.clone());
        add("author", commit.author.clone());
        add("message", commit.message.clone());
        add("parents", commit.parents.map_or(Value::Null, |parents| json!(parents)));
        event
    }

    /// What no delivery of a pull request says: its commits.
    pub(super) fn commits_of(&self, node: &Value) -> Option<Value> {
        let commits: Vec<&Value> = nodes(&node["commits"]).map(|item| &item["commit"]).collect();
        let first = commits.iter().filter_map(|commit| commit["authoredDate"].as_str()).min()?;
        Some(json!({
            "kind": "pull_request", "repository": self.name, "number": node["number"], "partial": true,
            "commits": commits.iter().map(|commit| &commit["oid"]).collect::<Vec<_>>(),
            "first_commit_at": first, "at": node["updatedAt"],
        }))
    }
}

struct Commit<'v> {
    sha: &'v Value,
    parents: Option<Vec<&'v Value>>,
    authored_at: &'v Value,
    committed_at: &'v Value,
    author: &'v Value,
    message: &'v Value,
}

fn first<'v>(a: &'v Value, b: &'v Value) -> &'v Value {
    if a.is_null() { b } else { a }
}

/// The nodes of a connection that may be seen.
pub(super) fn nodes(connection: &Value) -> impl Iterator<Item = &Value> {
    connection["nodes"].as_array().into_iter().flatten().filter(|node| !node.is_null())
}

/// Whether some of a connection's nodes may not be seen.
pub(super) fn is_hidden(connection: &Value) -> bool {
    connection["nodes"].as_array().is_some_and(|nodes| nodes.iter().any(Value::is_null))
}

/// Where a connection goes on.
pub(super) fn next(connection: &Value) -> Option<String> {
    let info = &connection["pageInfo"];
    let end = info["endCursor"].as_str().filter(|_| info["hasNextPage"] == true);
    end.map(str::to_owned)
}

/// Somebody as deliveries name them: what GraphQL calls `dependabot` is `dependabot[bot]` there.
fn user(author: &Value) -> Value {
    match (author["login"].as_str(), author["__typename"].as_str()) {
        (Some(login), Some("Bot")) => {
            json!({"login": format!("{}[bot]", login.trim_end_matches("[bot]")), "type": "Bot"})
        }
        (Some(login), kind) => json!({"login": login, "type": kind}),
        // Whoever it was is no more.
        (None, _) => Value::Null,
    }
}
