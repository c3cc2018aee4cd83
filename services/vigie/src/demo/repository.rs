//! A git repository: commits with their parents, and pull requests.

use serde_json::json;
use vigie_model::{DAY, HOUR, MINUTE, Time};

use super::chance::Chance;
use super::organisation::Style;
use super::outbox::{Outbox, maybe, text, without_nulls};

const VERBS: &[&str] = &["Add", "Fix", "Simplify", "Speed up", "Rename", "Test", "Remove", "Log", "Cache", "Document"];
const THINGS: &[&str] = &[
    "the price rounding",
    "the address form",
    "retries of the mail queue",
    "the empty basket",
    "session expiry",
    "the export of orders",
    "the health check",
    "time-outs to the warehouse",
    "the tax table",
    "paging of the list",
    "the colour of warnings",
    "the currency switch",
    "rate limits",
    "the nightly job",
    "an index on orders",
    "the error page",
];

/// A repository as it grows.
pub(super) struct Repository {
    pub name: String,
    pub head: String,
    seed: u64,
    count: u64,
    next_number: i64,
    team_size: usize,
}

/// A pull request whose dates are known before they come.
#[derive(Debug, Clone)]
pub(super) struct PullRequest {
    pub number: i64,
    pub style: Style,
    pub first_commit_at: Time,
    pub opened_at: Time,
    pub first_review_at: Option<Time>,
    pub merged_at: Time,
    pub author: String,
    pub title: String,
    pub branch: String,
    /// Commits of its branch, oldest first; recorded ones where it is merged as it is.
    pub commits: Vec<String>,
    pub paths: Vec<String>,
    /// The pull request and the commit that it takes back.
    pub reverts: Option<(i64, String)>,
}

impl Repository {
    pub(super) fn new(seed: u64, name: &str, services: usize) -> Self {
        Self { name: name.to_owned(), head: String::new(), seed, count: 0, next_number: 1, team_size: 4 + 2 * services }
    }

    fn sha(&mut self) -> String {
        self.count += 1;
        let text = format!("{}/{}/{}", self.seed, self.name, self.count);
        blake3::hash(text.as_bytes()).to_hex()[..40].to_owned()
    }

    pub(super) fn author(&self, chance: &mut Chance) -> String {
        let people: Vec<usize> = (1..=self.team_size).collect();
        format!("{}-dev-{}", self.name.replace('/', "-"), chance.pick(&people))
    }

    pub(super) fn title(chance: &mut Chance) -> String {
        format!("{} {}", chance.pick(VERBS), chance.pick(THINGS))
    }

    /// Records a commit that is known to the tools from `authored_at` on.
    pub(super) fn commit(
        &mut self,
        outbox: &mut Outbox,
        parents: &[&str],
        authored_at: Time,
        author: &str,
        message: &str,
        paths: &[String],
    ) -> String {
        let sha = self.sha();
        let event = json!({
            "kind": "commit", "source": "github", "repository": self.name, "sha": sha, "parents": parents,
            "authored_at": text(authored_at), "committed_at": text(authored_at),
            "author": author, "message": message, "paths": paths,
        });
        outbox.send(authored_at, &event);
        sha
    }

    /// A commit straight onto the main branch.
    pub(super) fn push(&mut self, outbox: &mut Outbox, at: Time, author: &str, message: &str, paths: &[String]) {
        let parent = self.head.clone();
        let parents: &[&str] = if parent.is_empty() { &[] } else { &[&parent] };
        self.head = self.commit(outbox, parents, at, author, message, paths);
    }

    /// Begins a pull request: its branch starts from today's head, and its dates follow from these medians.
    pub(super) fn begin(
        &mut self,
        outbox: &mut Outbox,
        chance: &mut Chance,
        (style, at): (Style, Time),
        [coding, pickup, review]: [Time; 3],
        paths: Vec<String>,
    ) -> PullRequest {
        let step = |chance: &mut Chance, from: Time, median: Time| {
            let then = from + chance.spread(median, 0.6);
            // A short step is done at once, a long one ends in somebody's working hours.
            if median < HOUR { then } else { chance.at_work(then) }
        };
        let opened_at = step(chance, at, coding);
        let first_review_at = step(chance, opened_at, pickup);
        let merged_at = step(chance, first_review_at, review);
        let author = self.author(chance);
        let title = Self::title(chance);
        let count = 1 + chance.count(1.2).min(5);
        let mut commits: Vec<String> = Vec::new();
        for index in 0..count {
            if style != Style::Merge {
                // These stay on the branch and are never seen again.
                commits.push(self.sha());
                continue;
            }
            let parent = commits.last().unwrap_or(&self.head).clone();
            let authored_at = at + (opened_at - at) / 1_000_000 / Time::from(count) * 1_000_000 * Time::from(index);
            let message = format!("{title} ({} of {count})", index + 1);
            commits.push(self.commit(outbox, &[&parent], authored_at, &author, &message, &paths));
        }
        let number = self.next_number;
        self.next_number += 1;
        let pull_request = PullRequest {
            number,
            style,
            first_commit_at: at,
            opened_at,
            first_review_at: Some(first_review_at),
            merged_at,
            branch: format!("change-{number}"),
            author,
            title,
            commits,
            paths,
            reverts: None,
        };
        if merged_at - opened_at > 2 * HOUR {
            outbox.send(opened_at, &self.event(&pull_request, None, None));
        }
        pull_request
    }

    /// A pull request that somebody hurries through: no review by another, merged at `merged_at`.
    pub(super) fn hurry(&mut self, opened_at: Time, merged_at: Time, author: String, title: String) -> PullRequest {
        let number = self.next_number;
        self.next_number += 1;
        PullRequest {
            number,
            style: Style::Squash,
            first_commit_at: opened_at - 2 * MINUTE,
            opened_at,
            first_review_at: None,
            merged_at,
            branch: format!("quick-{number}"),
            author,
            title,
            commits: vec![self.sha()],
            paths: Vec::new(),
            reverts: None,
        }
    }

    /// Merges it into the main branch and answers the commit that it became.
    pub(super) fn merge(&mut self, outbox: &mut Outbox, pull_request: &PullRequest) -> String {
        let PullRequest { number, title, author, paths, merged_at, .. } = pull_request;
        let mut message = format!("{title} (#{number})");
        if let Some((_, sha)) = &pull_request.reverts {
            message = format!("{message}\n\nThis reverts commit {sha}.");
        }
        let head = self.head.clone();
        let tip = pull_request.commits.last().filter(|_| pull_request.style == Style::Merge);
        let parents: Vec<&str> = std::iter::once(head.as_str()).chain(tip.map(String::as_str)).collect();
        let sha = self.commit(outbox, &parents, *merged_at, author, &message, paths);
        self.head = sha.clone();
        outbox.send(*merged_at, &self.event(pull_request, Some(*merged_at), Some(&sha)));
        sha
    }

    /// Gives it up, a few days later.
    pub(super) fn close(&self, outbox: &mut Outbox, pull_request: &PullRequest) {
        let mut event = self.event(pull_request, None, None);
        event["closed_at"] = text(pull_request.merged_at + 3 * DAY);
        outbox.send(pull_request.merged_at + 3 * DAY, &event);
    }

    fn event(&self, pull_request: &PullRequest, merged_at: Option<Time>, merge_sha: Option<&str>) -> serde_json::Value {
        let reviewed = pull_request.first_review_at.filter(|_| merged_at.is_some());
        without_nulls(json!({
            "kind": "pull_request", "source": "github",
            "repository": self.name, "number": pull_request.number,
            "first_commit_at": text(pull_request.first_commit_at),
            "opened_at": text(pull_request.opened_at),
            "first_review_at": maybe(reviewed),
            "approved_at": maybe(reviewed.and(merged_at).map(|at| at - MINUTE)),
            "merged_at": maybe(merged_at), "merge_sha": merge_sha,
            "commits": pull_request.commits, "author": pull_request.author, "title": pull_request.title,
            "branch": pull_request.branch, "base": "main",
            "reverts": pull_request.reverts.as_ref().map(|(number, _)| number),
            "url": format!("https://git.example/{}/pull/{}", self.name, pull_request.number),
        }))
    }
}
