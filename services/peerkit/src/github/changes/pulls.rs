//! Pull requests and their reviews.

use std::sync::Arc;

use crate::github::changes::Merge;
use crate::github::graph;
use crate::github::model::{Commit, Pull, Review, Sha};
use crate::github::organisation::{Organisation, What};

impl Organisation {
    /// Somebody asks for a branch to be merged into the default branch. Returns its number.
    pub fn open_pull(&mut self, repository: &str, branch: &str, login: &str, title: &str, body: Option<&str>) -> i64 {
        let author = self.account(login);
        let now = self.tick();
        let id = self.id();
        let trial = self.chance.sha();
        let draft = !self.accounts[author].bot && self.chance.percent(10);
        let it = self.change(repository);
        let head = it.branches.get(branch).unwrap_or_else(|| panic!("no branch {branch}")).clone();
        let base = it.head().expect("there is something to merge into").clone();
        let number = it.next_number;
        it.next_number += 1;
        let commits = graph::ahead(it, &base, &head);
        let pull = Pull {
            id,
            number,
            title: title.to_owned(),
            body: body.map(str::to_owned),
            draft,
            author,
            head_ref: branch.to_owned(),
            head_sha: head,
            base_ref: it.default_branch.clone(),
            base_sha: base,
            created_at: now,
            updated_at: now,
            closed_at: None,
            merged_at: None,
            merged_by: None,
            merge_commit_sha: Some(trial),
            commits,
            reviews: Vec::new(),
        };
        it.pulls.push(pull.clone());
        self.happened(repository, author, What::Pull { action: "opened", pull: pull.into() });
        number
    }

    /// Somebody changes the title of a pull request.
    pub fn edit_pull(&mut self, repository: &str, number: i64, login: &str, title: &str) {
        self.change_pull(repository, number, login, "edited", |pull| title.clone_into(&mut pull.title));
    }

    /// A draft is done.
    pub fn ready_pull(&mut self, repository: &str, number: i64, login: &str) {
        self.change_pull(repository, number, login, "ready_for_review", |pull| pull.draft = false);
    }

    /// Somebody closes a pull request without merging it.
    pub fn close_pull(&mut self, repository: &str, number: i64, login: &str) {
        let now = self.now + chrono::TimeDelta::seconds(1);
        self.change_pull(repository, number, login, "closed", |pull| pull.closed_at = Some(now));
    }

    /// Somebody opens a closed pull request again.
    pub fn reopen_pull(&mut self, repository: &str, number: i64, login: &str) {
        self.change_pull(repository, number, login, "reopened", |pull| pull.closed_at = None);
    }

    /// Somebody reviews: `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED`, or `PENDING` and not sent yet.
    pub fn review(&mut self, repository: &str, number: i64, login: &str, state: &str) -> i64 {
        let author = self.account(login);
        let now = self.tick();
        let id = self.id();
        let pull = pull(self.change(repository), number);
        let pending = state == "PENDING";
        let review = Review {
            id,
            author,
            state: state.to_owned(),
            body: if state == "APPROVED" { String::new() } else { "Please have a look at the error path.".to_owned() },
            sha: pull.head_sha.clone(),
            submitted_at: (!pending).then_some(now),
        };
        pull.reviews.push(review.clone());
        if !pending {
            pull.updated_at = now;
            let pull = pull.clone().into();
            self.happened(repository, author, What::Review { review: review.into(), pull });
        }
        id
    }

    /// Somebody merges a pull request by the button. Returns the commit that is the default branch now.
    pub fn merge(&mut self, repository: &str, number: i64, login: &str, how: Merge) -> Sha {
        let sender = self.account(login);
        let now = self.tick();
        let it = self.repository(repository);
        let base = it.head().expect("there is something to merge into").clone();
        let pull = it.pull(number).unwrap_or_else(|| panic!("no pull request {number}")).clone();
        let own: Vec<_> = pull.commits.iter().map(|sha| it.commits[sha].clone()).collect();
        let commits = match how {
            Merge::Squash => {
                let mut message = format!("{} (#{number})", pull.title);
                if own.len() > 1 {
                    let subjects = own.iter().map(|commit| commit.message.lines().next().unwrap_or_default());
                    message.extend(subjects.map(|subject| format!("\n\n* {subject}")));
                }
                vec![self.merged(pull.author, &message, vec![base])]
            }
            Merge::Commit => {
                let message =
                    format!("Merge pull request #{number} from {}/{}\n\n{}", self.login, pull.head_ref, pull.title);
                let merged = self.merged(sender, &message, vec![base, pull.head_sha.clone()]);
                own.into_iter().chain([merged]).collect()
            }
            Merge::Rebase => {
                let mut parent = base;
                let mut copies = Vec::new();
                for commit in own {
                    let copy = Commit {
                        sha: self.chance.sha(),
                        parents: vec![parent],
                        committed_at: now,
                        web_flow: true,
                        ..(*commit).clone()
                    };
                    parent = copy.sha.clone();
                    copies.push(Arc::new(copy));
                }
                copies
            }
        };
        let sha = commits.last().expect("it has a commit").sha.clone();
        self.update_branch(repository, &pull.base_ref, sender, commits, false);
        let it = crate::github::changes::pulls::pull(self.change(repository), number);
        it.merge_commit_sha = Some(sha.clone());
        it.merged_at = Some(now);
        it.closed_at = Some(now);
        it.merged_by = Some(sender);
        it.updated_at = now;
        let pull = it.clone();
        self.happened(repository, sender, What::Pull { action: "closed", pull: pull.into() });
        sha
    }

    fn merged(&mut self, author: usize, message: &str, parents: Vec<Sha>) -> Arc<Commit> {
        let mut commit = self.commit(author, message, parents);
        Arc::make_mut(&mut commit).web_flow = true;
        commit
    }

    fn change_pull(
        &mut self,
        repository: &str,
        number: i64,
        login: &str,
        action: &'static str,
        change: impl FnOnce(&mut Pull),
    ) {
        let sender = self.account(login);
        let now = self.tick();
        let pull = pull(self.change(repository), number);
        change(pull);
        pull.updated_at = now;
        let pull = pull.clone().into();
        self.happened(repository, sender, What::Pull { action, pull });
    }
}

fn pull(repository: &mut crate::github::model::Repository, number: i64) -> &mut Pull {
    repository.pulls.iter_mut().find(|pull| pull.number == number).unwrap_or_else(|| panic!("no pull request {number}"))
}
