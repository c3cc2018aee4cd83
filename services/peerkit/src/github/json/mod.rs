//! GitHub's REST objects. Webhooks show the same ones.

mod code;
mod node;
mod pulls;
mod ships;

use chrono::{FixedOffset, SecondsFormat};
use serde_json::{Value, json};

pub(super) use self::node::NodeId;
use super::model::{Account, Issue, Label, Repository, Time};
use super::organisation::Organisation;

/// A repository as it is shown to somebody.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub organisation: &'a Organisation,
    pub repository: &'a Repository,
    /// The name at that time.
    pub name: &'a str,
    /// Where the API is.
    pub root: &'a str,
    /// As it was before any account was deleted.
    pub past: bool,
}

/// As GitHub writes an instant.
pub(super) fn time(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// As an author's git writes it, with where its clock stands.
pub(super) fn local_time(time: Time, minutes: i32) -> String {
    match FixedOffset::east_opt(minutes * 60) {
        Some(offset) => time.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, true),
        None => self::time(time),
    }
}

/// An object with the fields of another; one literal of this length would be too deep for the compiler.
fn joined(mut value: Value, more: Value) -> Value {
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

/// The shape that users, bots and organisations have in common.
fn simple_user(login: &str, id: i64, node_id: &str, kind: &str, page: &str, root: &str) -> Value {
    let url = format!("{root}/users/{}", login.replace('[', "%5B").replace(']', "%5D"));
    let value = json!({
        "login": login, "id": id, "node_id": node_id, "gravatar_id": "", "url": url, "type": kind,
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
        "html_url": format!("https://github.com/{page}"), "user_view_type": "public", "site_admin": false,
    });
    let more = json!({
        "followers_url": format!("{url}/followers"), "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"), "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"), "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"),
    });
    joined(value, more)
}

pub(super) fn account(account: &Account, root: &str) -> Value {
    let (kind, prefix) = if account.bot { ("Bot", "BOT") } else { ("User", "U") };
    let login = account.rest_login();
    let page = if account.bot { format!("apps/{}", account.login) } else { login.clone() };
    simple_user(&login, account.id, &NodeId::account(prefix, account.id), kind, &page, root)
}

/// A user as `/user` shows it.
pub(super) fn viewer(it: &Account, since: Time, root: &str) -> Value {
    let more = json!({
        "name": it.name, "company": null, "blog": "", "location": null, "email": null, "hireable": null, "bio": null,
        "twitter_username": null, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
        "created_at": time(since), "updated_at": time(since), "notification_email": null,
    });
    joined(account(it, root), more)
}

/// Who stands for an account that is gone, where GitHub doesn't leave it out.
fn ghost(root: &str) -> Value {
    simple_user("ghost", 10_137, "MDQ6VXNlcjEwMTM3", "User", "ghost", root)
}

/// Who commits what is merged by the button.
fn web_flow(root: &str) -> Value {
    simple_user("web-flow", 19_864_447, "MDQ6VXNlcjE5ODY0NDQ3", "User", "web-flow", root)
}

pub(super) fn organisation(it: &Organisation, root: &str) -> Value {
    simple_user(&it.login, it.id, &NodeId::account("O", it.id), "Organization", &it.login, root)
}

/// An organisation as webhooks show it.
pub(super) fn organisation_itself(it: &Organisation, root: &str) -> Value {
    let url = format!("{root}/orgs/{}", it.login);
    json!({
        "login": it.login, "id": it.id, "node_id": NodeId::account("O", it.id), "url": url,
        "repos_url": format!("{url}/repos"), "events_url": format!("{url}/events"),
        "hooks_url": format!("{url}/hooks"), "issues_url": format!("{url}/issues"),
        "members_url": format!("{url}/members{{/member}}"),
        "public_members_url": format!("{url}/public_members{{/member}}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", it.id), "description": "",
    })
}

/// What a repository links to.
const REPOSITORY_URLS: [(&str, &str); 36] = [
    ("archive", "{archive_format}{/ref}"),
    ("assignees", "assignees{/user}"),
    ("blobs", "git/blobs{/sha}"),
    ("branches", "branches{/branch}"),
    ("collaborators", "collaborators{/collaborator}"),
    ("comments", "comments{/number}"),
    ("commits", "commits{/sha}"),
    ("compare", "compare/{base}...{head}"),
    ("contents", "contents/{+path}"),
    ("contributors", "contributors"),
    ("deployments", "deployments"),
    ("downloads", "downloads"),
    ("events", "events"),
    ("forks", "forks"),
    ("git_commits", "git/commits{/sha}"),
    ("git_refs", "git/refs{/sha}"),
    ("git_tags", "git/tags{/sha}"),
    ("hooks", "hooks"),
    ("issue_comment", "issues/comments{/number}"),
    ("issue_events", "issues/events{/number}"),
    ("issues", "issues{/number}"),
    ("keys", "keys{/key_id}"),
    ("labels", "labels{/name}"),
    ("languages", "languages"),
    ("merges", "merges"),
    ("milestones", "milestones{/number}"),
    ("notifications", "notifications{?since,all,participating}"),
    ("pulls", "pulls{/number}"),
    ("releases", "releases{/id}"),
    ("stargazers", "stargazers"),
    ("statuses", "statuses/{sha}"),
    ("subscribers", "subscribers"),
    ("subscription", "subscription"),
    ("tags", "tags"),
    ("teams", "teams"),
    ("trees", "git/trees{/sha}"),
];

fn reactions(url: &str) -> Value {
    json!({
        "url": format!("{url}/reactions"), "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0,
        "heart": 0, "rocket": 0, "eyes": 0,
    })
}

impl View<'_> {
    pub fn id(&self, prefix: &str, id: i64) -> String {
        NodeId::part(prefix, self.repository.id, id)
    }

    pub fn api(&self) -> String {
        format!("{}/repos/{}/{}", self.root, self.organisation.login, self.name)
    }

    pub fn html(&self) -> String {
        format!("https://github.com/{}/{}", self.organisation.login, self.name)
    }

    /// Null for an account that is gone.
    pub fn user(&self, index: usize) -> Value {
        let it = &self.organisation.accounts[index];
        if it.deleted && !self.past { Value::Null } else { account(it, self.root) }
    }

    /// The ghost for an account that is gone.
    pub fn user_or_ghost(&self, index: usize) -> Value {
        let user = self.user(index);
        if user.is_null() { ghost(self.root) } else { user }
    }

    /// As others show it that it belongs to.
    pub fn minimal_repository(&self) -> Value {
        let it = self.repository;
        let api = self.api();
        let mut value = json!({
            "id": it.id, "node_id": NodeId::account("R", it.id), "name": self.name,
            "full_name": format!("{}/{}", self.organisation.login, self.name),
            "private": it.private, "owner": organisation(self.organisation, self.root),
            "html_url": self.html(), "description": null, "fork": it.fork, "url": api,
        });
        for (name, path) in REPOSITORY_URLS {
            value[format!("{name}_url")] = format!("{api}/{path}").into();
        }
        value
    }

    pub fn repository(&self) -> Value {
        let it = self.repository;
        let open = it.issues.iter().filter(|issue| issue.closed_at.is_none()).count()
            + it.pulls.iter().filter(|pull| pull.closed_at.is_none()).count();
        let git = format!("github.com/{}/{}.git", self.organisation.login, self.name);
        let more = json!({
            "git_url": format!("git://{git}"), "clone_url": format!("https://{git}"), "mirror_url": null,
            "ssh_url": format!("git@{}", git.replacen('/', ":", 1)), "svn_url": self.html(), "has_projects": true,
            "has_downloads": true, "has_wiki": false, "has_pages": false, "has_discussions": false,
            "web_commit_signoff_required": false, "custom_properties": {},
            "created_at": time(it.created_at), "updated_at": time(it.updated_at),
            "pushed_at": it.pushed_at.map(time), "homepage": null, "size": it.commits.len(),
            "stargazers_count": 0, "watchers_count": 0, "language": null, "has_issues": true,
            "forks_count": 0, "archived": it.archived, "disabled": it.disabled, "open_issues_count": open,
            "license": null, "allow_forking": true, "is_template": false, "topics": [],
            "visibility": if it.private { "private" } else { "public" },
            "forks": 0, "open_issues": open, "watchers": 0, "default_branch": it.default_branch,
            "permissions": {"admin": false, "maintain": false, "push": false, "triage": false, "pull": true},
        });
        joined(self.minimal_repository(), more)
    }

    pub fn label(&self, label: &Label) -> Value {
        json!({
            "id": label.id, "node_id": self.id("LA", label.id), "name": label.name, "color": label.color,
            "url": format!("{}/labels/{}", self.api(), label.name), "default": false, "description": label.description,
        })
    }

    pub fn issue(&self, issue: &Issue) -> Value {
        let url = format!("{}/issues/{}", self.api(), issue.number);
        let labels: Vec<_> = issue
            .labels
            .iter()
            .filter_map(|name| self.repository.labels.iter().find(|label| label.name == *name))
            .map(|label| self.label(label))
            .collect();
        let closed = issue.closed_at.is_some();
        json!({
            "url": url, "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
            "events_url": format!("{url}/events"), "timeline_url": format!("{url}/timeline"),
            "repository_url": self.api(), "html_url": format!("{}/issues/{}", self.html(), issue.number),
            "id": issue.id, "node_id": self.id("I", issue.id), "number": issue.number, "title": issue.title,
            "user": self.user_or_ghost(issue.author), "labels": labels,
            "state": if closed { "closed" } else { "open" }, "state_reason": closed.then_some("completed"),
            "locked": false, "assignee": null, "assignees": [], "milestone": null, "comments": 0,
            "created_at": time(issue.created_at), "updated_at": time(issue.updated_at),
            "closed_at": issue.closed_at.map(time), "author_association": "MEMBER", "active_lock_reason": null,
            "body": issue.body, "closed_by": null, "performed_via_github_app": null, "reactions": reactions(&url),
        })
    }
}
