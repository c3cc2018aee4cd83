//! A service's way to production: deployments, canaries, regions, staging.

use serde_json::json;
use vigie_model::{MINUTE, Time};

use super::chance::Chance;
use super::organisation::Profile;
use super::outbox::{Outbox, maybe, text, without_nulls};

/// What was put into production.
#[derive(Debug, Clone)]
pub(super) struct Release {
    pub id: String,
    pub revision: String,
    pub finished_at: Time,
}

/// Why a deployment is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// What was merged goes out.
    Planned,
    /// What is live goes out again.
    Again,
    /// Back to this revision.
    Back(String),
    /// A fix made on a branch of its own.
    Hotfix(String),
}

/// One service and what of it is live.
pub(super) struct Line {
    pub profile: Profile,
    pub live: Option<Release>,
    /// The revision that was live before.
    pub before: Option<String>,
    /// A planned release is under way.
    pub is_scheduled: bool,
    /// Something was merged that is not live.
    pub is_behind: bool,
    pub busy_until: Time,
    /// Nothing planned goes out before.
    pub held_until: Time,
    /// Working days since the last release day.
    pub waited: f64,
    /// When users could not use it.
    pub outages: Vec<(Time, Time)>,
    count: u64,
}

/// How an attempt ended.
pub(super) enum Ended {
    Released(Release),
    Failed {
        at: Time,
    },
    /// A canary that users met and that was taken back.
    CanaryFailed {
        id: String,
        exposed_at: Time,
        at: Time,
    },
}

impl Line {
    pub(super) fn new(profile: Profile, waited: f64) -> Self {
        Self {
            profile,
            live: None,
            before: None,
            is_scheduled: false,
            is_behind: true,
            busy_until: 0,
            held_until: 0,
            waited,
            outages: Vec::new(),
            count: 0,
        }
    }

    /// Runs the pipeline from `start` on.
    pub(super) fn deploy(
        &mut self,
        (outbox, chance): (&mut Outbox, &mut Chance),
        repository: &str,
        revision: &str,
        (start, why): (Time, &Why),
        (duration, broken): (Time, f64),
    ) -> Ended {
        let planned = *why == Why::Planned;
        let mut start = start.max(self.busy_until);
        self.count += 1;
        let id = format!("{}-{}", self.profile.slug, self.count);
        if self.profile.staging && planned {
            let staged = start + duration / 1_000_000 / 2 * 1_000_000;
            let event = self.event(&id, "staging", (repository, revision), (start, None, staged), "succeeded", why);
            outbox.send(staged, &event);
            start = staged + 5 * MINUTE;
        }
        let finished_at = start + duration;
        self.busy_until = finished_at + MINUTE;
        let is_canary = self.profile.canary && planned;
        let exposed_at = is_canary.then_some(start + duration / 1_000_000 / 3 * 1_000_000);
        let outcome = match self.live {
            Some(_) if planned && chance.happens(broken) => "failed",
            Some(_) if planned && chance.happens(broken / 4.0) => "cancelled",
            _ => "succeeded",
        };
        let reached_users = outcome != "succeeded" && is_canary && chance.happens(0.3);
        let exposed_at = exposed_at.filter(|_| outcome == "succeeded" || reached_users);
        let regions = if self.profile.regions.is_empty() { &["production"][..] } else { self.profile.regions };
        for (index, region) in regions.iter().enumerate() {
            let later = Time::try_from(index).unwrap_or(0) * 25 * MINUTE;
            let times = (start + later, exposed_at.map(|at| at + later), finished_at + later);
            let event = self.event(&id, region, (repository, revision), times, outcome, why);
            outbox.send(finished_at + later, &event);
            self.busy_until = finished_at + later + MINUTE;
            if outcome != "succeeded" {
                break;
            }
        }
        match (outcome, exposed_at) {
            ("succeeded", _) => {
                let release = Release { id, revision: revision.to_owned(), finished_at };
                self.before = self.live.replace(release.clone()).map(|live| live.revision);
                Ended::Released(release)
            }
            (_, Some(exposed_at)) => Ended::CanaryFailed { id, exposed_at, at: finished_at },
            _ => Ended::Failed { at: finished_at },
        }
    }

    /// A flag flip or a change of configuration.
    pub(super) fn switch(&mut self, outbox: &mut Outbox, chance: &mut Chance, at: Time) -> String {
        self.count += 1;
        let category = *chance.pick(&["flag", "flag", "configuration", "infrastructure", "data"]);
        let id = format!("{}-{category}-{}", self.profile.slug, self.count);
        let event = json!({
            "kind": "deployment", "source": "argocd", "service": self.profile.slug, "id": id,
            "environment": self.profile.regions.first().unwrap_or(&"production"), "category": category,
            "started_at": text(at), "finished_at": text(at + MINUTE), "outcome": "succeeded", "trigger": "manual",
        });
        outbox.send(at + MINUTE, &event);
        id
    }

    fn event(
        &self,
        id: &str,
        environment: &str,
        (repository, revision): (&str, &str),
        (started_at, exposed_at, finished_at): (Time, Option<Time>, Time),
        outcome: &str,
        why: &Why,
    ) -> serde_json::Value {
        let (trigger, branch) = match why {
            Why::Planned => ("pipeline", "main".to_owned()),
            Why::Again => ("schedule", "main".to_owned()),
            Why::Back(_) => ("manual", "main".to_owned()),
            Why::Hotfix(_) => ("pipeline", format!("hotfix/{id}")),
        };
        without_nulls(json!({
            "kind": "deployment", "source": "argocd", "service": self.profile.slug, "id": id,
            "environment": environment, "repository": repository, "revision": revision,
            "started_at": text(started_at), "exposed_at": maybe(exposed_at), "finished_at": text(finished_at),
            "outcome": outcome, "trigger": trigger, "branch": branch,
            "url": format!("https://deploy.example/{}/{id}", self.profile.slug),
        }))
    }
}
