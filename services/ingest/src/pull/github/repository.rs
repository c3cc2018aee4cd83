//! One repository, page by page.
//!
//! One question asks for a page of commits, of pull requests and of issues at once, as long as each has more; the other
//! lists are asked one after the other where a site wants them. A page that was recorded is never asked for again.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use vigie_model::Event;
use vigie_model::pattern::Pattern;

use super::super::PullError;
use super::super::mapping::Mapping;
use super::super::notes::Notes;
use super::client::{Client, Got, Page};
use super::cursor::{Feed, Place, Walk};
use super::payload::{Repository, is_hidden, next, nodes};

const PAGE: &str = include_str!("queries/page.graphql");
const STATUSES: &str = include_str!("queries/statuses.graphql");
/// How many pages are asked for in pieces of a tenth once one was not answered: as many as make one of the usual size.
const PIECES: u64 = 10;
/// After so long nobody waits any more for a deployment to end: days.
const STALE_DAYS: i64 = 7;

/// What of a repository is read besides what always is.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub incident_labels: Vec<String>,
    pub deploy_workflows: Vec<String>,
    pub deploy_releases: Vec<String>,
    /// Some service is found by the workflow that deploys it.
    pub workflows: bool,
}

/// What is still to be read in this run.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Commits, pull requests, issues: those that are not through.
    Page {
        commits: bool,
        pulls: bool,
        issues: bool,
    },
    Between,
    Deployments,
    Workflows,
    Runs,
    Releases,
    Done,
}

/// See the module's documentation.
pub(super) struct Reader {
    owner: String,
    name: String,
    pub place: Place,
    wanted: Wanted,
    step: Step,
    /// The labels that mean an incident, once they are known.
    labels: Option<Vec<String>>,
    /// Workflows whose runs are to be read, the next one last.
    workflows: Vec<Value>,
    repository: Repository,
    /// Pages that are still to be asked for in pieces.
    pieces: u64,
    /// Pull requests that an earlier run missed and this one has not asked for yet.
    missed: BTreeSet<u64>,
    /// Not even the first question was answered.
    pub is_silent: bool,
    /// Pages that were read, and that are expected.
    pub pages: u64,
    pub expected: u64,
}

impl Reader {
    pub(super) fn new(full_name: &str, place: Place, wanted: Wanted) -> Self {
        let (owner, name) = full_name.split_once('/').unwrap_or((full_name, ""));
        let are_names = !wanted.incident_labels.iter().any(|label| label.contains(['*', '?']));
        Self {
            labels: are_names.then(|| wanted.incident_labels.clone()),
            owner: owner.to_owned(),
            name: name.to_owned(),
            step: Step::Page { commits: place.walk.is_some(), pulls: true, issues: !wanted.incident_labels.is_empty() },
            missed: place.missed.clone(),
            place,
            wanted,
            workflows: Vec::new(),
            repository: Repository { name: full_name.to_owned(), branch: None },
            pieces: 0,
            is_silent: false,
            pages: 0,
            expected: 1,
        }
    }

    /// What is known of the repository once a page was read.
    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The next page's events; `None` behind the last.
    pub(super) async fn page(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        loop {
            let step = std::mem::discriminant(&self.step);
            let page = match self.step {
                Step::Page { .. } => self.first(client, mapping, notes).await,
                Step::Between => self.between(client, mapping, notes).await,
                Step::Deployments if !self.missed.is_empty() => self.again(client, mapping, notes).await,
                Step::Deployments => self.deployments(client, mapping, notes).await,
                Step::Workflows => self.workflows(client, notes).await,
                Step::Runs => self.runs(client, mapping, notes).await,
                Step::Releases => self.releases(client, mapping, notes).await,
                Step::Done => return Ok(None),
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => match client.unanswered() {
                    // One of many may be what takes too long.
                    Some(_) if self.pieces == 0 && !matches!(self.step, Step::Workflows) => {
                        self.pieces = PIECES;
                        continue;
                    }
                    Some(why) => {
                        self.pieces = 0;
                        let part = self.pass();
                        notes.add(self.lacks(part, &format!("{why}; it is asked for again in the next run")));
                        None
                    }
                    None => return Err(error),
                },
            };
            let is_same = step == std::mem::discriminant(&self.step);
            self.pieces = if is_same { self.pieces.saturating_sub(1) } else { 0 };
            if let Some(events) = page {
                self.pages += 1;
                return Ok(Some(events));
            }
        }
    }

    /// Goes on without what is being read. Gives what that is.
    fn pass(&mut self) -> &'static str {
        if self.pages == 0 {
            self.is_silent = true;
            self.missed.clear();
        }
        let (part, next) = match self.step {
            Step::Page { .. } => ("commits, pull requests and issues", Step::Deployments),
            Step::Between => ("commits", Step::Deployments),
            Step::Deployments if self.wanted.deploy_workflows.is_empty() => ("deployments", Step::Releases),
            Step::Deployments => ("deployments", Step::Workflows),
            Step::Workflows => ("runs of workflows", Step::Releases),
            Step::Runs => {
                self.workflows.pop();
                ("runs of workflows", Step::Runs)
            }
            Step::Releases | Step::Done => ("releases", Step::Done),
        };
        self.step = next;
        part
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{rest}", self.repository.name)
    }

    /// What is missing of this repository.
    fn lacks(&self, part: &str, why: &str) -> String {
        format!("{}/{}: no {part}: {why}", self.owner, self.name)
    }

    async fn first(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let Step::Page { mut commits, mut pulls, mut issues } = self.step else { return Ok(None) };
        let is_first = self.pages == 0;
        let walk = self.place.walk.as_ref().filter(|walk| commits && walk.between.is_none());
        // Those that lost a label are to be seen too, once some are known.
        let has_issues = self.place.issues.until.is_some();
        let asks_issues = issues && (has_issues || self.labels.as_ref().is_some_and(|labels| !labels.is_empty()));
        let size = |most: u64| if self.pieces > 0 { most / 10 } else { most };
        let after = |feed: &Feed| feed.walk.as_ref().map(|walk| walk.next.clone());
        let variables = json!({
            "owner": self.owner, "name": self.name,
            "commits": walk.is_some(), "head": walk.map(|walk| &walk.head),
            "commitsAfter": walk.and_then(|walk| walk.after.clone()),
            "pulls": pulls, "pullsAfter": after(&self.place.pulls),
            "issues": asks_issues, "issuesAfter": after(&self.place.issues),
            "labels": self.labels.as_ref().filter(|_| !has_issues),
            "issuesSince": self.place.issues.until, "named": issues && !has_issues && self.labels.is_none(),
            "commitsFirst": size(100), "pullsFirst": size(50), "issuesFirst": size(50),
        });
        let told = client.ask(PAGE, &variables).await?;
        let found = &told.data["repository"];
        for why in &told.missing {
            notes.add(format!("{}/{}: {why}", self.owner, self.name));
        }
        if found.is_null() {
            self.step = Step::Done;
            return Ok(Some(Vec::new()));
        }
        self.place.number = found["databaseId"].as_u64().or(self.place.number);
        self.note_name(found, notes);
        let mut events = Vec::new();
        let mut deliveries = Vec::new();
        if pulls {
            let list = &found["pullRequests"];
            for node in nodes(list) {
                let at = node["updatedAt"].as_str().unwrap_or_default();
                if self.place.pulls.wants(at) {
                    let whole = self.whole(client, node, notes).await?;
                    deliveries.extend(self.repository.pull_request(&whole));
                    events.extend(mapping.plain(self.repository.commits_of(&whole), notes));
                }
            }
            pulls = turn(&mut self.place.pulls, list, "updatedAt");
        }
        if asks_issues {
            let list = &found["issues"];
            let wanted =
                nodes(list).filter(|node| self.place.issues.wants(node["updatedAt"].as_str().unwrap_or_default()));
            deliveries.extend(wanted.flat_map(|node| self.repository.issue(node)));
            issues = turn(&mut self.place.issues, list, "updatedAt");
        } else if issues && self.labels.is_none() {
            self.labels = Some(self.incident_labels(&found["labels"]));
        } else {
            issues = false;
        }
        if let Some(walk) = &mut self.place.walk
            && commits
            && walk.between.is_none()
        {
            let history = &found["commits"]["history"];
            events.extend(mapping.plain(nodes(history).map(|node| self.repository.commit(node)), notes));
            self.expected = self.expected.max(history["totalCount"].as_u64().unwrap_or_default().div_ceil(100));
            // A graph with gaps is worse than one that ends sooner.
            let is_seen = !history["nodes"].is_null() && !is_hidden(history);
            commits = is_seen && next(history).is_some();
            if commits {
                walk.after = next(history);
            } else if is_seen {
                self.place.head = Some(walk.head.clone());
                self.place.walk = None;
            } else if told.missing.is_empty() {
                // The commit is gone, by a push that rewrote the branch: the next run begins with what there is then.
                self.place.walk = None;
            }
        } else if is_first {
            commits = self.set_off(found);
        }
        self.expected =
            self.expected.max(found["pullRequests"]["totalCount"].as_u64().unwrap_or_default().div_ceil(50));
        let is_between = self.place.walk.as_ref().is_some_and(|walk| walk.between.is_some());
        self.step = match (commits && !is_between, pulls, issues) {
            (false, false, false) if is_between => Step::Between,
            (false, false, false) => Step::Deployments,
            (commits, pulls, issues) => Step::Page { commits, pulls, issues },
        };
        events.extend(mapping.events(&deliveries, notes).await?);
        Ok(Some(events))
    }

    fn note_name(&mut self, found: &Value, notes: &mut Notes) {
        let name = found["nameWithOwner"].as_str().unwrap_or(&self.repository.name).to_owned();
        let asked = format!("{}/{}", self.owner, self.name);
        if !name.eq_ignore_ascii_case(&asked) {
            notes.add(format!(
                "{asked} is called {name} now: write that, and {asked} under formerly of its service's repository"
            ));
        }
        self.repository = Repository { name, branch: found["defaultBranchRef"]["name"].as_str().map(str::to_owned) };
    }

    /// Which commits are new. Gives whether pages of all of them are to be read.
    fn set_off(&mut self, found: &Value) -> bool {
        let Some(head) = found["defaultBranchRef"]["target"]["oid"].as_str() else { return false };
        if self.place.walk.is_some() {
            return true;
        }
        let between = match &self.place.head {
            Some(known) if known == head => return false,
            Some(known) => Some(self.path(&format!("compare/{known}...{head}?per_page=100"))),
            None => None,
        };
        self.place.walk = Some(Walk { head: head.to_owned(), between, after: None });
        true
    }

    fn incident_labels(&self, labels: &Value) -> Vec<String> {
        let patterns: Vec<Pattern> = self.wanted.incident_labels.iter().map(|text| Pattern::name(text)).collect();
        let names = nodes(labels).filter_map(|label| label["name"].as_str());
        names
            .filter(|name| patterns.iter().any(|pattern| pattern.matches_ignore_case(name)))
            .map(str::to_owned)
            .collect()
    }

    /// A page of the commits between the head before and the one that is read.
    async fn between(
        &mut self,
        client: &mut Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let Some(Walk { head, between: Some(path), .. }) = self.place.walk.clone() else {
            self.step = Step::Deployments;
            return Ok(None);
        };
        match client.get(&sized(&path, self.pieces > 0), None).await? {
            Got::Fresh(Page { body, next, .. }) => {
                let items = body["commits"].as_array().into_iter().flatten();
                let events = mapping.plain(items.map(|item| self.repository.compared_commit(item)), notes);
                if next.is_some() {
                    self.place.walk = Some(Walk { head, between: next, after: None });
                } else {
                    self.place.head = Some(head);
                    self.place.walk = None;
                    self.step = Step::Deployments;
                }
                Ok(Some(events))
            }
            // The head before is gone, by a push that rewrote the branch: all of it is read.
            _ => {
                self.place.walk = Some(Walk { head, between: None, after: None });
                self.step = Step::Page { commits: true, pulls: false, issues: false };
                Ok(None)
            }
        }
    }
}

/// Notes a page of a connection; gives whether there is more to read. Of one that may not be seen nothing was read.
fn turn(feed: &mut Feed, list: &Value, at: &str) -> bool {
    if list["nodes"].is_null() {
        return false;
    }
    let stands: Vec<&str> = nodes(list).filter_map(|node| node[at].as_str()).collect();
    // What could not be seen of a page is asked for again.
    let until = feed.until.clone().unwrap_or_default();
    let open = is_hidden(list).then(|| stands.last().copied().unwrap_or_default().max(until.as_str()));
    feed.turn(&stands, open, None, next(list))
}

/// Where the same page of a list begins in pieces of a tenth; and where it does at the usual size, once it does.
fn sized(path: &str, is_in_pieces: bool) -> String {
    let Some((list, query)) = path.split_once('?') else { return path.to_owned() };
    let number = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.parse::<u64>().ok());
    let before = number("page=").unwrap_or(1).saturating_sub(1);
    let (size, page) = match (number("per_page="), is_in_pieces) {
        (Some(100), true) => (10, before * 10 + 1),
        (Some(10), false) if before.is_multiple_of(10) => (100, before / 10 + 1),
        _ => return path.to_owned(),
    };
    let others = query.split('&').filter(|part| !part.starts_with("per_page=") && !part.starts_with("page="));
    let others: String = others.map(|part| format!("{part}&")).collect();
    format!("{list}?{others}per_page={size}&page={page}")
}

mod lists;
mod pulls;

#[cfg(test)]
mod tests {
    use super::sized;

    #[test]
    fn a_page_is_asked_for_in_pieces_and_then_at_the_usual_size() {
        let first = "/repos/a/b/deployments?per_page=100";
        assert_eq!(sized(first, false), first);
        assert_eq!(sized(first, true), "/repos/a/b/deployments?per_page=10&page=1");
        let (third, piece) = ("/runs?per_page=100&x=y&page=3", "/runs?x=y&per_page=10&page=21");
        assert_eq!((sized(third, true).as_str(), sized(piece, true).as_str()), (piece, piece));
        assert_eq!(sized(piece, false), "/runs?x=y&per_page=100&page=3");
        let inside = "/runs?per_page=10&page=22";
        assert_eq!(sized(inside, false), inside, "it goes on in pieces up to where a page begins");
    }
}
