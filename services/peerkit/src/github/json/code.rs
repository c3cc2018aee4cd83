//! Commits.

use serde_json::{Value, json};

use super::{NodeId, View, local_time, time, web_flow};
use crate::github::model::Commit;

impl View<'_> {
    pub fn commit(&self, commit: &Commit) -> Value {
        let sha = &commit.sha;
        let (api, html) = (self.api(), self.html());
        let author = commit.author.map_or(Value::Null, |author| self.user(author));
        let (committer_name, committer_email, committer) = if commit.web_flow {
            ("GitHub", "noreply@github.com", web_flow(self.root))
        } else {
            (commit.author_name.as_str(), commit.author_email.as_str(), author.clone())
        };
        let parents: Vec<_> = commit
            .parents
            .iter()
            .map(|parent| {
                let html = format!("{html}/commit/{parent}");
                json!({"sha": parent, "url": format!("{api}/commits/{parent}"), "html_url": html})
            })
            .collect();
        json!({
            "sha": sha, "node_id": NodeId::commit(self.repository.id, sha),
            "commit": {
                "author": {"name": commit.author_name, "email": commit.author_email, "date": time(commit.authored_at)},
                "committer": {"name": committer_name, "email": committer_email, "date": time(commit.committed_at)},
                "message": commit.message,
                "tree": {"sha": tree(sha), "url": format!("{api}/git/trees/{}", tree(sha))},
                "url": format!("{api}/git/commits/{sha}"), "comment_count": 0,
                "verification": {
                    "verified": commit.web_flow, "reason": if commit.web_flow { "valid" } else { "unsigned" },
                    "signature": null, "payload": null, "verified_at": null,
                },
            },
            "url": format!("{api}/commits/{sha}"), "html_url": format!("{html}/commit/{sha}"),
            "comments_url": format!("{api}/commits/{sha}/comments"),
            "author": author, "committer": committer, "parents": parents,
        })
    }

    /// As a `push` shows it: no parents, the times as the author's git wrote them.
    pub fn pushed_commit(&self, commit: &Commit) -> Value {
        let mut author = json!({"name": commit.author_name, "email": commit.author_email});
        if let Some(account) = commit.author {
            author["username"] = self.organisation.accounts[account].rest_login().into();
        }
        let committer = if commit.web_flow {
            json!({"name": "GitHub", "email": "noreply@github.com", "username": "web-flow"})
        } else {
            author.clone()
        };
        json!({
            "id": commit.sha, "tree_id": tree(&commit.sha), "distinct": true, "message": commit.message,
            "timestamp": local_time(commit.authored_at, commit.author_offset),
            "url": format!("{}/commit/{}", self.html(), commit.sha),
            "author": author, "committer": committer, "added": [], "removed": [], "modified": ["README.md"],
        })
    }
}

/// A tree's hash, made of its commit's: nobody reads trees here.
fn tree(sha: &str) -> String {
    sha.chars().rev().collect()
}
