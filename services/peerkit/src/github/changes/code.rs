//! Pushes.

use std::sync::Arc;

use crate::github::graph;
use crate::github::model::{Commit, Sha};
use crate::github::organisation::{Organisation, What};

impl Organisation {
    /// Somebody pushes a commit onto a branch, which starts at the default branch where it is new.
    pub fn push(&mut self, repository: &str, branch: &str, login: &str, message: &str) -> Sha {
        let author = self.account(login);
        self.tick();
        let commit = self.write(repository, branch, author, message);
        self.update_branch(repository, branch, author, vec![commit.clone()], false);
        commit.sha.clone()
    }

    /// Somebody throws the newest commits of a branch away and pushes another one instead. Commits that nothing reaches
    /// any more are gone.
    pub fn force_push(&mut self, repository: &str, branch: &str, login: &str, drop: usize, message: &str) -> Sha {
        let author = self.account(login);
        self.tick();
        let kept = {
            let repository = self.repository(repository);
            let mut kept = repository.branches.get(branch).unwrap_or_else(|| panic!("no branch {branch}")).clone();
            for _ in 0..drop {
                kept = repository.commits[&kept].parents.first().expect("a commit is left").clone();
            }
            kept
        };
        let commit = self.commit(author, message, vec![kept]);
        self.update_branch(repository, branch, author, vec![commit.clone()], true);
        self.forget_unreachable(repository);
        commit.sha.clone()
    }

    /// Somebody deletes a branch. Commits that nothing reaches any more are gone.
    pub fn delete_branch(&mut self, repository: &str, branch: &str, login: &str) {
        let sender = self.account(login);
        let now = self.tick();
        let it = self.change(repository);
        let before = it.branches.remove(branch).unwrap_or_else(|| panic!("no branch {branch}"));
        it.pushed_at = Some(now);
        // mostly its pull request holds everything
        if it.pulls.iter().all(|pull| pull.head_sha != before) {
            self.forget_unreachable(repository);
        }
        let branch = branch.to_owned();
        let what = What::Push { branch, before: Some(before), after: None, commits: Vec::new(), forced: false };
        self.happened(repository, sender, what);
    }

    /// A commit on top of a branch, not pushed yet.
    fn write(&mut self, repository: &str, branch: &str, author: usize, message: &str) -> Arc<Commit> {
        let it = self.repository(repository);
        let parents = it.branches.get(branch).or_else(|| it.head()).cloned().into_iter().collect();
        self.commit(author, message, parents)
    }

    pub(super) fn commit(&mut self, author: usize, message: &str, parents: Vec<Sha>) -> Arc<Commit> {
        // now and then a mail address that GitHub knows no account for
        let stranger = !self.accounts[author].bot && self.chance.percent(4);
        let account = &self.accounts[author];
        let email = if stranger { format!("{}@laptop.local", account.login) } else { account.email.clone() };
        Arc::new(Commit {
            sha: self.chance.sha(),
            parents,
            message: message.to_owned(),
            author: (!stranger).then_some(author),
            author_name: account.name.clone(),
            author_email: email,
            author_offset: account.offset,
            authored_at: self.now,
            committed_at: self.now,
            web_flow: false,
        })
    }

    /// A push of these commits, the last of which is the branch from now on.
    pub(super) fn update_branch(
        &mut self,
        repository: &str,
        branch: &str,
        sender: usize,
        commits: Vec<Arc<Commit>>,
        forced: bool,
    ) {
        let now = self.now;
        let it = self.change(repository);
        for commit in &commits {
            it.commits.entry(commit.sha.clone()).or_insert_with(|| commit.clone());
        }
        let after = commits.last().expect("a push has a commit").sha.clone();
        let before = it.branches.insert(branch.to_owned(), after.clone());
        it.pushed_at = Some(now);
        // a repository itself changes less often than what is in it
        if branch == it.default_branch {
            it.updated_at = now;
        }
        let mut synchronized = None;
        let index = it.pulls.iter().position(|pull| pull.head_ref == branch && pull.closed_at.is_none());
        if let Some(index) = index {
            let base = it.pulls[index].base_sha.clone();
            let rewritten = forced.then(|| graph::ahead(it, &base, &after));
            let pull = &mut it.pulls[index];
            match rewritten {
                Some(rewritten) => pull.commits = rewritten,
                None => pull.commits.extend(commits.iter().map(|commit| commit.sha.clone())),
            }
            pull.head_sha = after.clone();
            pull.updated_at = now;
            synchronized = Some(pull.clone());
        }
        let what = What::Push { branch: branch.to_owned(), before, after: Some(after), commits, forced };
        self.happened(repository, sender, what);
        if let Some(pull) = synchronized {
            self.happened(repository, sender, What::Pull { action: "synchronize", pull: pull.into() });
        }
    }

    /// Pull requests hold their commits even when their branch is deleted, as do releases.
    fn forget_unreachable(&mut self, repository: &str) {
        let it = self.change(repository);
        let pulls = it.pulls.iter().flat_map(|pull| pull.commits.iter().chain(&pull.merge_commit_sha));
        let releases = it.releases.iter().map(|release| &release.sha);
        let kept = graph::reachable(it, it.branches.values().chain(pulls).chain(releases));
        let gone: Vec<_> = it.commits.keys().filter(|sha| !kept.contains(sha.as_str())).cloned().collect();
        for sha in gone {
            it.commits.remove(&sha);
        }
    }
}
