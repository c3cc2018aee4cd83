//! The organisation: who and what there is, and what happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::model::{
    Account, Commit, Deployment, Issue, Pull, Release, Repository, Review, Run, Sha, Status, Team, Time,
};

/// An organisation with its accounts, its repositories and its history.
///
/// A change takes place a second after the one before; [`Organisation::wait`] lets more time pass. Methods that name a
/// repository take its name without the owner.
#[derive(Debug, Clone)]
pub struct Organisation {
    pub id: i64,
    pub login: String,
    pub accounts: Vec<Account>,
    /// By the time of their creation, as their ids.
    pub repositories: Vec<Arc<Repository>>,
    /// None at first.
    pub teams: Vec<Team>,
    /// In which subgroup projects lie on GitLab, by their ids; nothing is the group itself. Of others every other one lies in
    /// `platform`.
    pub places: BTreeMap<i64, String>,
    pub(crate) now: Time,
    pub(crate) log: Vec<Happening>,
    /// How it went to hand over what happened, by its place in `log`, where it did not go well at once.
    pub(crate) attempts: BTreeMap<usize, Vec<Attempt>>,
    pub(crate) chance: Chance,
    pub(crate) next_id: i64,
    pub(crate) next_run: i64,
}

/// Something that happened, with what it happened to as it was then.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub at: Time,
    pub repository: i64,
    /// The repository's name at that time.
    pub name: String,
    pub sender: usize,
    pub what: What,
}

/// A try to hand a delivery over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub at: Time,
    /// What was answered; 0: nobody answered.
    pub status: u16,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Push { branch: String, before: Option<Sha>, after: Option<Sha>, commits: Vec<Arc<Commit>>, forced: bool },
    Pull { action: &'static str, pull: Box<Pull> },
    Review { review: Box<Review>, pull: Box<Pull> },
    Deployment { deployment: Box<Deployment>, run: Option<Box<Run>> },
    Status { status: Box<Status>, deployment: Box<Deployment>, run: Option<Box<Run>> },
    Run { action: &'static str, run: Box<Run> },
    Release { action: &'static str, release: Box<Release> },
    Issue { action: &'static str, issue: Box<Issue>, label: Option<String> },
}

impl Organisation {
    pub(crate) fn empty(seed: u64, now: Time) -> Self {
        Self {
            id: 900_001,
            login: "harbour".to_owned(),
            accounts: Vec::new(),
            repositories: Vec::new(),
            teams: Vec::new(),
            places: BTreeMap::new(),
            now,
            log: Vec::new(),
            attempts: BTreeMap::new(),
            chance: Chance(ChaCha8Rng::seed_from_u64(seed)),
            next_id: 100_000_000,
            next_run: 9_000_000_000,
        }
    }

    /// When the latest change took place.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Lets time pass before the next change.
    pub fn wait(&mut self, time: TimeDelta) {
        self.now += time;
    }

    /// A repository by its name, or by one it once had.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Repository>> {
        self.current(name).or_else(|| {
            self.repositories
                .iter()
                .find(|repository| repository.former_names.iter().any(|former| former.eq_ignore_ascii_case(name)))
        })
    }

    /// A repository by the name that it has now.
    pub(crate) fn current(&self, name: &str) -> Option<&Arc<Repository>> {
        self.repositories.iter().find(|repository| repository.name.eq_ignore_ascii_case(name))
    }

    /// A repository by its name.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn repository(&self, name: &str) -> &Repository {
        self.find(name).unwrap_or_else(|| panic!("{} has no repository {name}", self.login))
    }

    pub(crate) fn change(&mut self, name: &str) -> &mut Repository {
        let index = self
            .repositories
            .iter()
            .position(|repository| repository.name == name)
            .unwrap_or_else(|| panic!("{} has no repository {name}", self.login));
        Arc::make_mut(&mut self.repositories[index])
    }

    /// The account of a login, with or without `[bot]`.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn account(&self, login: &str) -> usize {
        let login = login.trim_end_matches("[bot]");
        self.accounts
            .iter()
            .position(|account| account.login == login)
            .unwrap_or_else(|| panic!("nobody is called {login}"))
    }

    /// Whose token the server takes every token for: the first human.
    pub(crate) fn viewer(&self) -> Option<usize> {
        self.accounts.iter().position(|account| !account.bot)
    }

    /// Nobody sees what another is still writing.
    pub(crate) fn sees(&self, review: &Review) -> bool {
        review.submitted_at.is_some() || Some(review.author) == self.viewer()
    }

    pub(crate) fn tick(&mut self) -> Time {
        self.now += TimeDelta::seconds(1);
        self.now
    }

    pub(crate) fn id(&mut self) -> i64 {
        self.next_id += 1 + self.chance.below(7) as i64;
        self.next_id
    }

    pub(crate) fn happened(&mut self, repository: &str, sender: usize, what: What) {
        let (id, name) = {
            let repository = self.change(repository);
            (repository.id, repository.name.clone())
        };
        self.log.push(Happening { at: self.now, repository: id, name, sender, what });
    }
}

/// Seeded chance.
#[derive(Debug, Clone)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below this one; 0 below 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(end.max(1)).unwrap_or(u64::MAX)).unwrap_or(0)
    }

    pub fn within(&mut self, range: std::ops::Range<i64>) -> i64 {
        let width = usize::try_from(range.end - range.start).unwrap_or(1);
        range.start + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    pub fn sha(&mut self) -> Sha {
        format!("{:016x}{:016x}{:08x}", self.0.next_u64(), self.0.next_u64(), self.0.next_u32())
    }
}
