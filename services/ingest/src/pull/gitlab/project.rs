//! One project, page by page: its commits first, then its lists one after the other. A page that was recorded is never asked
//! for again.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;

use vigie_model::Event;

use super::super::PullError;
use super::super::mapping::Mapping;
use super::super::notes::Notes;
use super::client::{Client, Got, Page, Refusal, part};
use super::cursor::{Gap, Place, Walk};
use super::payload::Project;

mod asked;
mod changed;
mod newest;

/// What of a project is read besides what always is.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub deploy_jobs: Vec<String>,
    pub deploy_releases: Vec<String>,
}

/// What is still to be read in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Branch,
    Commits,
    Hidden,
    MergeRequests,
    Issues,
    Deployments,
    Jobs,
    Releases,
    Done,
}

/// See the module's documentation.
pub(super) struct Reader {
    pub project: Project,
    pub place: Place,
    wanted: Wanted,
    step: Step,
    /// What of the list that is read was passed over by an earlier run, and not asked for again in this one yet.
    again: Vec<Gap>,
    /// How many readings of the list that were put off are still to be gone on with in this run.
    put_off: usize,
    /// What the default branch looks like, once its commits are read.
    branch_etag: Option<String>,
    /// The tiers of environments, by their numbers, as far as they were asked for.
    tiers: BTreeMap<u64, Option<String>>,
    /// How often in a row the details of merge requests were refused; several are asked at once.
    refusals: AtomicU32,
    /// Whether merge requests and whether issues are known not to have changed since an earlier run.
    quiet: (bool, bool),
    /// Pages that were read, and that are expected.
    pub pages: u64,
    pub expected: u64,
}

impl Reader {
    pub(super) fn new(project: Project, place: Place, wanted: Wanted, quiet: (bool, bool)) -> Self {
        let step = if place.walk.is_some() { Step::Commits } else { Step::Branch };
        let (branch_etag, tiers, refusals, again) = (None, BTreeMap::new(), AtomicU32::new(0), Vec::new());
        Self {
            project,
            place,
            wanted,
            step,
            again,
            put_off: 0,
            branch_etag,
            tiers,
            refusals,
            quiet,
            pages: 0,
            expected: 4,
        }
    }

    /// The next page's events; `None` behind the last.
    pub(super) async fn page(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        loop {
            let before = self.place.clone();
            let events = match self.step {
                Step::Branch => self.branch(client, notes).await?,
                Step::Commits => self.commits(client, mapping, notes).await?,
                Step::Hidden => self.hidden(client, mapping, notes).await?,
                Step::MergeRequests => self.merge_requests(client, mapping, notes).await?,
                Step::Issues => self.issues(client, mapping, notes).await?,
                Step::Deployments => self.deployments(client, mapping, notes).await?,
                Step::Jobs => self.jobs(client, mapping, notes).await?,
                Step::Releases => self.releases(client, mapping, notes).await?,
                Step::Done => return Ok(None),
            };
            self.pages += 1;
            if !events.is_empty() || self.place != before {
                return Ok(Some(events));
            }
        }
    }

    /// Goes on with the next part that the project has and the site wants.
    fn go_on(&mut self) {
        loop {
            let (next, part) = match self.step {
                Step::Branch | Step::Commits => (Step::Hidden, "merge_requests"),
                Step::Hidden => (Step::MergeRequests, "merge_requests"),
                Step::MergeRequests => (Step::Issues, "issues"),
                Step::Issues => (Step::Deployments, "deployments"),
                Step::Deployments => (Step::Jobs, "jobs"),
                Step::Jobs => (Step::Releases, "releases"),
                Step::Releases | Step::Done => (Step::Done, ""),
            };
            self.step = next;
            let is_wanted = match next {
                Step::Hidden => self.place.merge_requests.has_gaps(),
                // One that was not read to its end is read on, whatever changed.
                Step::MergeRequests => !(self.quiet.0 && self.place.merge_requests.is_whole()),
                Step::Issues => !(self.quiet.1 && self.place.issues.is_whole()),
                Step::Jobs => !self.wanted.deploy_jobs.is_empty(),
                Step::Releases => !self.wanted.deploy_releases.is_empty(),
                _ => true,
            };
            if is_wanted && !self.project.off.contains(&part) {
                self.again = match next {
                    Step::MergeRequests => self.place.merge_requests.gaps.clone(),
                    Step::Issues => self.place.issues.gaps.clone(),
                    Step::Deployments => self.place.deployments.gaps.clone(),
                    _ => Vec::new(),
                };
                self.put_off = match next {
                    Step::Jobs => self.place.jobs.behind.len(),
                    Step::Releases => self.place.releases.behind.len(),
                    _ => 0,
                };
                return;
            }
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("projects/{}/{rest}", self.project.id)
    }

    /// What is missing of this project, and what would help.
    fn lacks(&self, what: &str, refusal: &Refusal) -> String {
        let remedy = match refusal.why.contains("scope") {
            true => "",
            false if refusal.is_passing() => "; it is asked for again in the next run",
            false => {
                "; a token that reads it has the scope read_api, and the role Reporter or a higher one in the project"
            }
        };
        format!("{}: no {what}: {}{remedy}", self.project.path, refusal.why)
    }

    /// Goes on without something.
    fn pass(&mut self, refusal: &Refusal, what: &str, notes: &mut Notes) {
        notes.add(self.lacks(what, refusal));
        self.go_on();
    }

    /// Notes how many pages a list has.
    fn expect(&mut self, pages: Option<u64>) {
        self.expected = self.expected.max(self.pages + pages.unwrap_or(1) + 3);
    }

    /// Looks where the default branch stands, and which commits are new by that.
    async fn branch(&mut self, client: &Client, notes: &mut Notes) -> Result<Vec<Event>, PullError> {
        let name = self.project.branch.clone().filter(|_| !self.project.off.contains(&"repository"));
        let Some(name) = name else {
            self.go_on();
            return Ok(Vec::new());
        };
        let path = self.path(&format!("repository/branches/{}", part(&name)));
        match client.get(&path, "", self.place.branch_etag.as_deref()).await? {
            Got::Unchanged => self.go_on(),
            Got::TooLong => self.pass(&Refusal::too_long(), "commits", notes),
            Got::Refused(refusal) => self.pass(&refusal, "commits", notes),
            Got::Fresh(Page { body, etag, .. }) => match body["commit"]["id"].as_str() {
                Some(head) if self.place.head.as_deref() != Some(head) => {
                    self.branch_etag = etag;
                    self.place.walk = Some(Walk { head: head.to_owned(), known: self.place.head.clone(), next: None });
                    self.step = Step::Commits;
                }
                _ => {
                    self.place.branch_etag = etag;
                    self.go_on();
                }
            },
        }
        Ok(Vec::new())
    }

    /// A page of commits, towards the head of the branch.
    async fn commits(
        &mut self,
        client: &Client,
        mapping: &Mapping,
        notes: &mut Notes,
    ) -> Result<Vec<Event>, PullError> {
        let Some(walk) = self.place.walk.clone() else {
            self.go_on();
            return Ok(Vec::new());
        };
        // A page of a named commit's history is the same whenever it is asked for.
        let revisions = match &walk.known {
            Some(known) => format!("{known}..{}", walk.head),
            None => walk.head.clone(),
        };
        let first = format!("ref_name={}&per_page=100", part(&revisions));
        let path = self.path("repository/commits");
        match client.get(&path, walk.next.as_deref().unwrap_or(&first), None).await? {
            Got::Fresh(page) if !page.items().is_empty() || walk.known.is_none() || walk.next.is_some() => {
                self.expect(page.pages);
                let commits = page.items().iter().map(|item| self.project.commit(item));
                let events = mapping.plain(commits, notes);
                match page.next {
                    Some(next) => self.place.walk = Some(Walk { next: Some(next), ..walk }),
                    None => {
                        self.place.head = Some(walk.head);
                        self.place.branch_etag = self.branch_etag.take();
                        self.place.walk = None;
                        self.go_on();
                    }
                }
                return Ok(events);
            }
            Got::TooLong => self.pass(&Refusal::too_long(), "commits", notes),
            // The next run goes on from here.
            Got::Refused(refusal) if refusal.is_passing() => self.pass(&refusal, "commits", notes),
            // The head before is gone, by a push that rewrote the branch: all of it is read.
            Got::Fresh(_) | Got::Refused(_) if walk.known.is_some() => {
                self.place.walk = Some(Walk { known: None, next: None, ..walk });
            }
            Got::Refused(refusal) => {
                // A later run begins with what there is then.
                self.place.walk = None;
                self.pass(&refusal, "commits", notes);
            }
            Got::Fresh(_) | Got::Unchanged => self.go_on(),
        }
        Ok(Vec::new())
    }
}
