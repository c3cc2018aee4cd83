//! Making an organisation up: many small stories (a pull request, a deployment, an incident), each a row of steps, told
//! in the order of their times.

mod pulls;
mod ships;
mod words;

use std::collections::BTreeMap;

use chrono::{Datelike, TimeDelta, TimeZone, Timelike, Utc, Weekday};

use self::pulls::PullStory;
use self::ships::{DeployStory, IncidentStory};
use crate::github::model::Time;
use crate::github::organisation::Organisation;

/// How large an organisation is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// From the fourth on, the last is empty, the one before archived and the one before that renamed.
    pub repositories: usize,
    /// Beside the bots. One of them leaves, and the account is deleted.
    pub people: usize,
    /// How far the history goes back.
    pub days: i64,
    /// Pull requests of the busiest repository. The others have less and less.
    pub pulls: usize,
}

impl Size {
    /// Made in some milliseconds: for most tests.
    #[must_use]
    pub fn small() -> Self {
        Self { repositories: 6, people: 6, days: 45, pulls: 40 }
    }

    /// Several pages of everything.
    #[must_use]
    pub fn medium() -> Self {
        Self { repositories: 24, people: 30, days: 180, pulls: 260 }
    }

    /// Large enough to take its time, and for more than 1,000 workflow runs in a repository.
    #[must_use]
    pub fn large() -> Self {
        Self { repositories: 110, people: 150, days: 365, pulls: 1_500 }
    }
}

/// A story at its next step.
enum Story {
    Pull(PullStory),
    Deploy(DeployStory),
    Incident(IncidentStory),
    /// Somebody pushes onto the default branch.
    Push {
        repository: String,
    },
    /// A nightly run.
    Night {
        repository: String,
    },
    Release {
        repository: String,
        version: usize,
    },
    /// A run ends.
    Finish {
        repository: String,
        run: i64,
        conclusion: &'static str,
    },
}

/// How a repository goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shipping {
    /// Deployments that a workflow makes.
    Workflow,
    /// Deployments that a bot makes from outside.
    Bot,
    /// Workflow runs alone.
    Runs,
    /// Releases alone.
    Releases,
}

pub(super) struct Telling {
    organisation: Organisation,
    ahead: BTreeMap<(Time, u64), Story>,
    told: u64,
    until: Time,
    people: Vec<String>,
    shipping: BTreeMap<String, Shipping>,
}

impl Organisation {
    /// An organisation with this history, which ends on 1 July 2026.
    #[must_use]
    pub fn new(seed: u64, size: Size) -> Self {
        let until = Utc.with_ymd_and_hms(2026, 7, 1, 0, 0, 0).single().expect("there was such a time");
        let start = until - TimeDelta::days(size.days);
        let organisation = Self::empty(seed, start - TimeDelta::days(30));
        let (ahead, people, shipping) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut telling = Telling { organisation, ahead, told: 0, until, people, shipping };
        telling.people(size.people.max(2));
        telling.repositories(size, start);
        telling.tell();
        let Telling { mut organisation, people, .. } = telling;
        organisation.now = organisation.now.max(until);
        if let Some(archived) = organisation.repositories.len().checked_sub(2).filter(|index| *index > 1) {
            let name = organisation.repositories[archived].name.clone();
            organisation.archive(&name);
        }
        if let Some(left) = people.get(3) {
            organisation.delete_account(left);
        }
        organisation
    }
}

impl Telling {
    fn people(&mut self, people: usize) {
        for (login, name) in words::BOTS {
            self.organisation.join(login, name, true);
        }
        for index in 0..people {
            let (first, last) = words::person(index);
            let initial = last.chars().next().unwrap_or('x');
            // no login has an accent
            let login = format!("{first}{initial}").replace('É', "e").to_lowercase();
            let login = if index < 20 { login } else { format!("{login}-{index}") };
            self.organisation.join(&login, &format!("{first} {last}"), false);
            self.people.push(login);
        }
    }

    fn repositories(&mut self, size: Size, start: Time) {
        for index in 0..size.repositories {
            let name = words::repository(index);
            let from_end = if size.repositories < 4 { 9 } else { size.repositories - index };
            let born = if from_end == 3 { format!("{name}-old") } else { name.clone() };
            self.organisation.create_repository(&born);
            let it = self.organisation.change(&born);
            it.private = index % 3 != 0;
            it.fork = index == 4;
            if index % 5 == 1 {
                "master".clone_into(&mut it.default_branch);
            }
            if from_end == 3 {
                self.organisation.rename(&born, &name);
            }
            if from_end == 1 {
                continue;
            }
            self.organisation.label(&name, "bug");
            let (author, branch) = (self.person(), self.organisation.repository(&name).default_branch.clone());
            self.organisation.push(&name, &branch, &author, "Initial commit");
            let shipping = [Shipping::Workflow, Shipping::Bot, Shipping::Workflow, Shipping::Runs, Shipping::Releases];
            self.shipping.insert(name.clone(), shipping[index % shipping.len()]);
            // an archived one is no longer worked on
            let end = if from_end == 2 { start + (self.until - start) / 3 } else { self.until };
            self.plan(&name, (size.pulls / (1 + index)).max(3), start, end);
        }
    }

    fn plan(&mut self, repository: &str, pulls: usize, start: Time, end: Time) {
        let seconds = (end - start).num_seconds();
        let name = || repository.to_owned();
        for _ in 0..pulls {
            let story = PullStory::new(self, repository);
            self.later(start, seconds, Story::Pull(story));
        }
        for _ in 0..pulls / 8 {
            self.later(start, seconds, Story::Push { repository: name() });
        }
        for _ in 0..(pulls / 10).max(1) {
            let story = IncidentStory::new(self, repository);
            self.later(start, seconds, Story::Incident(story));
        }
        if self.shipping[repository] == Shipping::Releases || pulls > 20 {
            for version in 0..(pulls / 6).max(2) {
                let at = start
                    + (end - start) / i32::try_from(pulls / 6 + 3).unwrap_or(1)
                        * (i32::try_from(version).unwrap_or(0) + 1);
                self.schedule(working(at), Story::Release { repository: name(), version });
            }
        }
        let mut night = start;
        while night < end && pulls > 10 {
            self.schedule(night + TimeDelta::hours(2), Story::Night { repository: name() });
            night += TimeDelta::days(1);
        }
    }

    fn later(&mut self, start: Time, seconds: i64, story: Story) {
        let at = working(start + TimeDelta::seconds(self.organisation.chance.within(0..seconds)));
        self.schedule(at, story);
    }

    fn schedule(&mut self, at: Time, story: Story) {
        self.told += 1;
        self.ahead.insert((at, self.told), story);
    }

    fn person(&mut self) -> String {
        let index = self.organisation.chance.below(self.people.len());
        self.people[index].clone()
    }

    fn minutes(&mut self, range: std::ops::Range<i64>) -> TimeDelta {
        TimeDelta::minutes(self.organisation.chance.within(range))
            + TimeDelta::seconds(self.organisation.chance.within(0..60))
    }

    /// Tells every story up to the end. What is not over then stays open.
    fn tell(&mut self) {
        while let Some(((at, _), story)) = self.ahead.pop_first() {
            if at >= self.until {
                break;
            }
            self.organisation.now = self.organisation.now.max(at);
            match story {
                Story::Pull(story) => self.pull(story),
                Story::Deploy(story) => self.deploy(story),
                Story::Incident(story) => self.incident(story),
                Story::Push { repository } => {
                    let (author, message) = (self.person(), words::title(&mut self.organisation.chance));
                    let branch = self.organisation.repository(&repository).default_branch.clone();
                    let sha = self.organisation.push(&repository, &branch, &author, &message);
                    self.merged(&repository, &sha, &author);
                }
                Story::Night { repository } => {
                    let head = self.organisation.repository(&repository).head().cloned();
                    let branch = self.organisation.repository(&repository).default_branch.clone();
                    if let Some(head) = head {
                        self.run(&repository, "nightly", "schedule", &branch, &head, "github-actions");
                    }
                }
                Story::Release { repository, version } => {
                    let author = self.person();
                    let candidate = self.organisation.chance.percent(15);
                    let tag = format!("v1.{version}.0{}", if candidate { "-rc.1" } else { "" });
                    self.organisation.release(&repository, &tag, &author, !candidate);
                }
                Story::Finish { repository, run, conclusion } => {
                    let runs = &self.organisation.repository(&repository).runs;
                    if runs.iter().rev().any(|it| it.id == run && it.conclusion.is_some()) {
                        // somebody has it run once more
                        self.organisation.rerun(&repository, run);
                    }
                    self.organisation.wait(TimeDelta::seconds(40));
                    self.organisation.finish_run(&repository, run, conclusion);
                }
            }
        }
    }
}

/// The next time that somebody is at work.
fn working(mut at: Time) -> Time {
    if at.hour() >= 18 {
        at += TimeDelta::hours(13);
    } else if at.hour() < 7 {
        at += TimeDelta::hours(7);
    }
    match at.weekday() {
        Weekday::Sat => at + TimeDelta::days(2),
        Weekday::Sun => at + TimeDelta::days(1),
        _ => at,
    }
}
