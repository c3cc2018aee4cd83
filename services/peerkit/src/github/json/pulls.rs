//! Pull requests and reviews.

use serde_json::{Value, json};

use super::{View, joined, organisation, time};
use crate::github::model::{Pull, Review, Sha, State};

impl View<'_> {
    pub fn pull(&self, pull: &Pull) -> Value {
        let number = pull.number;
        let url = format!("{}/pulls/{number}", self.api());
        let html = format!("{}/pull/{number}", self.html());
        let value = json!({
            "url": url, "id": pull.id, "node_id": self.id("PR", pull.id), "html_url": html,
            "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
            "issue_url": format!("{}/issues/{number}", self.api()), "number": number,
            "state": if pull.state() == State::Open { "open" } else { "closed" }, "locked": false,
            "title": pull.title, "user": self.user_or_ghost(pull.author), "body": pull.body,
            "created_at": time(pull.created_at), "updated_at": time(pull.updated_at),
            "closed_at": pull.closed_at.map(time), "merged_at": pull.merged_at.map(time),
        });
        let more = json!({
            "merge_commit_sha": pull.merge_commit_sha, "assignee": null, "assignees": [],
            "requested_reviewers": [], "requested_teams": [], "labels": [], "milestone": null, "draft": pull.draft,
            "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"),
            "comments_url": format!("{}/issues/{number}/comments", self.api()),
            "statuses_url": format!("{}/statuses/{}", self.api(), pull.head_sha),
            "head": self.side(&pull.head_ref, &pull.head_sha), "base": self.side(&pull.base_ref, &pull.base_sha),
            "_links": self.links(pull), "review_comment_url": format!("{}/pulls/comments{{/number}}", self.api()),
            "author_association": "MEMBER", "auto_merge": null, "active_lock_reason": null,
        });
        joined(value, more)
    }

    /// With what GitHub adds where a single one is shown, as it is in its webhook.
    pub fn full_pull(&self, pull: &Pull) -> Value {
        let more = json!({
            "merged": pull.merged_at.is_some(), "mergeable": null, "rebaseable": null, "mergeable_state": "unknown",
            "merged_by": pull.merged_by.map(|by| self.user_or_ghost(by)), "comments": 0, "review_comments": 0,
            "maintainer_can_modify": false, "commits": pull.commits.len(), "additions": 12, "deletions": 3,
            "changed_files": 2,
        });
        joined(self.pull(pull), more)
    }

    fn links(&self, pull: &Pull) -> Value {
        let (api, number) = (self.api(), pull.number);
        let href = |url: String| json!({"href": url});
        json!({
            "self": href(format!("{api}/pulls/{number}")), "html": href(format!("{}/pull/{number}", self.html())),
            "issue": href(format!("{api}/issues/{number}")),
            "comments": href(format!("{api}/issues/{number}/comments")),
            "review_comments": href(format!("{api}/pulls/{number}/comments")),
            "review_comment": href(format!("{api}/pulls/comments{{/number}}")),
            "commits": href(format!("{api}/pulls/{number}/commits")),
            "statuses": href(format!("{api}/statuses/{}", pull.head_sha)),
        })
    }

    /// As a workflow run shows it.
    pub fn minimal_pull(&self, pull: &Pull) -> Value {
        let repository = json!({"id": self.repository.id, "name": self.name, "url": self.api()});
        json!({
            "id": pull.id, "number": pull.number, "url": format!("{}/pulls/{}", self.api(), pull.number),
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": repository},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": repository},
        })
    }

    fn side(&self, branch: &str, sha: &Sha) -> Value {
        json!({
            "label": format!("{}:{branch}", self.organisation.login), "ref": branch, "sha": sha,
            "user": organisation(self.organisation, self.root), "repo": self.repository(),
        })
    }

    /// In capitals in REST, in small letters in webhooks.
    pub fn review(&self, review: &Review, number: i64, in_webhook: bool) -> Value {
        let html = format!("{}/pull/{number}#pullrequestreview-{}", self.html(), review.id);
        let pull = format!("{}/pulls/{number}", self.api());
        let mut value = json!({
            "id": review.id, "node_id": self.id("PRR", review.id), "user": self.user(review.author),
            "body": review.body, "commit_id": review.sha,
            "state": if in_webhook { review.state.to_ascii_lowercase() } else { review.state.clone() },
            "html_url": html, "pull_request_url": pull, "author_association": "MEMBER",
            "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        });
        // a pending one has no such field in REST
        if let Some(at) = review.submitted_at {
            value["submitted_at"] = time(at).into();
        }
        value
    }

    /// A pull request in the list of issues, where GitHub shows it too.
    pub fn pull_as_issue(&self, pull: &Pull) -> Value {
        let number = pull.number;
        let open = pull.state() == State::Open;
        let url = format!("{}/issues/{number}", self.api());
        let html = format!("{}/pull/{number}", self.html());
        json!({
            "url": url, "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"), "repository_url": self.api(), "html_url": html,
            "id": pull.id, "node_id": self.id("PR", pull.id), "number": number, "title": pull.title,
            "user": self.user_or_ghost(pull.author), "labels": [],
            "state": if open { "open" } else { "closed" }, "state_reason": null, "locked": false, "assignee": null,
            "assignees": [], "milestone": null, "comments": 0, "created_at": time(pull.created_at),
            "updated_at": time(pull.updated_at), "closed_at": pull.closed_at.map(time),
            "author_association": "MEMBER", "active_lock_reason": null, "draft": pull.draft, "body": pull.body,
            "pull_request": {
                "url": format!("{}/pulls/{number}", self.api()), "html_url": html,
                "diff_url": format!("{html}.diff"), "patch_url": format!("{html}.patch"),
                "merged_at": pull.merged_at.map(time),
            },
        })
    }
}
