//! A made-up organisation: a year of believable events, the same for the same seed and day.
//!
//! The events are native ones and take the same way in as anybody's. What is special in the year: a bad month of
//! one team, another that gets better all along, a freeze, a repository that four services share, a service with
//! two regions, canaries, hotfixes, rollbacks, reverts, flags that hurt, incidents that two tools report, and one
//! that is still open. Deliberately absent: people; authors are numbers.

mod chance;
mod incident;
mod line;
mod organisation;
mod outbox;
mod pace;
mod repository;
#[cfg(test)]
mod tests;
mod watch;
mod workshop;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Months, NaiveDate};
use serde_json::json;
use vigie_model::settings::{MetricName, Settings, TargetScope, TargetSetting};
use vigie_model::{DAY, HOUR, MINUTE, Time};

use chance::{Chance, weekday, whole};
use incident::Incident;
use organisation::{BAD_MONTH_OF, NAME, Profile, RECOVERING, SHARED_FOLDER, TEAMS, TIME_ZONE};
use outbox::{Outbox, text, without_nulls};
use pace::Span;
use workshop::{Workshop, ships_shared_folder};

/// What ends an organisation's name that is made up.
pub const MADE_UP: &str = "(made-up data)";

/// What is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Another seed, another year.
    pub seed: u64,
    /// How many services.
    pub services: usize,
    /// How many whole months before the running one.
    pub months: u32,
}

/// A day of the made-up year.
pub struct Day {
    /// Its end; everything in it was sent by then.
    pub until: Time,
    /// Native events as JSON, in the order in which they were sent.
    pub events: Vec<String>,
}

/// The year, day by day. It ends with the last whole day (UTC) before now.
pub struct Demo {
    span: Span,
    day: Time,
    profiles: Vec<Profile>,
    workshops: Vec<Workshop>,
    outbox: Outbox,
    chance: Chance,
    shared_incidents: u64,
}

impl Demo {
    /// The year before `now`.
    pub fn new(options: Options, now: Time) -> Self {
        let Options { seed, services, months } = options;
        let to = now - now.rem_euclid(DAY);
        let span = Span { from: months_before(to, months), to };
        let profiles = organisation::services(services.max(1));
        let mut outbox = Outbox::default();
        let mut by_repository: BTreeMap<&str, Vec<Profile>> = BTreeMap::new();
        for profile in &profiles {
            by_repository.entry(&profile.repository).or_default().push(profile.clone());
        }
        let workshops = by_repository
            .into_iter()
            .map(|(repository, profiles)| Workshop::new(seed, span, repository, profiles, &mut outbox))
            .collect();
        let chance = Chance::new(seed, "organisation");
        let mut demo = Self { span, day: span.from, profiles, workshops, outbox, chance, shared_incidents: 0 };
        demo.catalogue();
        demo.notes();
        demo
    }

    /// The first instant.
    pub fn from(&self) -> Time {
        self.span.from
    }

    /// How many days there are in all.
    pub fn days(&self) -> u64 {
        u64::try_from((self.span.to - self.span.from) / DAY).unwrap_or(0)
    }

    /// The organisation's settings.
    pub fn settings() -> Settings {
        let target = |metric, scope, objective, action: &str| TargetSetting {
            metric,
            scope,
            objective,
            action: action.to_owned(),
            from: None,
        };
        let team = |slug: &str| TargetScope::Team(slug.to_owned());
        let service = |slug: &str| TargetScope::Service(slug.to_owned());
        Settings {
            organization: NAME.to_owned(),
            time_zone: TIME_ZONE.to_owned(),
            targets: vec![
                target(MetricName::LeadTime, team("back-office"), 14.0 * 86_400.0, "Release in smaller steps"),
                target(MetricName::DeploymentFrequency, team("back-office"), 1.0 / 14.0, "Release every second week"),
                target(MetricName::LeadTime, team("data"), 86_400.0, "Review on the same day"),
                target(MetricName::Uptime, service("payments-api"), 0.9995, "Rehearse the failover"),
                target(MetricName::ReworkRate, TargetScope::Organization, 0.1, "Find out what the hotfixes share"),
            ],
            ..Settings::default()
        }
    }

    fn catalogue(&mut self) {
        let at = text(self.span.from);
        for (slug, name, parent) in TEAMS {
            let event = json!({
                "kind": "team", "source": "catalogue", "slug": slug, "name": name, "parent": parent, "at": at,
            });
            self.outbox.send(self.span.from, &without_nulls(event));
        }
        for profile in &self.profiles {
            let mut paths: Vec<String> = profile.folder.iter().map(|folder| format!("{folder}/**")).collect();
            if ships_shared_folder(profile) {
                paths.push(format!("{SHARED_FOLDER}/**"));
            }
            let production = (!profile.regions.is_empty()).then_some(profile.regions);
            let event = json!({
                "kind": "service", "source": "catalogue", "slug": profile.slug, "name": profile.name,
                "team": profile.team, "production": production, "at": at,
                "repositories": [{ "repository": profile.repository, "paths": paths }],
            });
            self.outbox.send(self.span.from, &without_nulls(event));
        }
    }

    fn notes(&mut self) {
        let (freeze, bad) = (self.span.freeze(), self.span.bad_month());
        let notes = [
            ("freeze", "shop", freeze, "Change freeze: only what cannot wait."),
            ("freeze-2", "platform", freeze, "Change freeze: only what cannot wait."),
            ("move", BAD_MONTH_OF, bad, "Half of the team moves the accounts to another data centre."),
            ("weekly", RECOVERING, (self.span.from, self.span.to), "Smaller releases, month by month."),
        ];
        for (id, team, (from, to), words) in notes {
            let event = json!({
                "kind": "note", "source": "calendar", "id": id, "team": team,
                "from": text(from), "to": text(to), "text": words, "at": text(from),
            });
            self.outbox.send(from, &event);
        }
    }

    /// What happens to several services at once, and what is announced.
    fn shared(&mut self, day: Time) {
        for (team, ..) in TEAMS {
            let services: Vec<String> =
                self.profiles.iter().filter(|own| own.team == *team).map(|own| own.slug.clone()).collect();
            if services.len() < 2 || !self.chance.happens(0.004) {
                continue;
            }
            let at = whole(day + self.chance.between(0, DAY));
            self.break_together(services, at, false);
        }
        if day == self.span.to - DAY
            && let Some(own) = self.profiles.iter().rev().find(|own| own.team == BAD_MONTH_OF)
        {
            let services = vec![own.slug.clone()];
            self.break_together(services, day + 20 * HOUR + 17 * MINUTE, true);
        }
        self.maintenance(day);
    }

    fn break_together(&mut self, services: Vec<String>, at: Time, is_open: bool) {
        self.shared_incidents += 1;
        let id = format!("wide-inc-{}", self.shared_incidents);
        let chance = &mut self.chance;
        let mut incident = Incident::begin(chance, id, services, at, 4 * MINUTE, 35 * MINUTE);
        if is_open {
            incident.mitigated_at = None;
            incident.severity = Some("major");
        }
        incident.send(&mut self.outbox, chance);
        if incident.is_outage() {
            let outage = (incident.started_at, incident.mitigated_at.unwrap_or(Time::MAX));
            for line in self.workshops.iter_mut().flat_map(|workshop| &mut workshop.lines) {
                if incident.services.contains(&line.profile.slug) {
                    line.outages.push(outage);
                }
            }
        }
    }

    /// The ledger is closed for two hours on the second Sunday of a month, announced on the Tuesday before; in
    /// September only once it has begun.
    fn maintenance(&mut self, day: Time) {
        let sunday = day + 5 * DAY;
        let Some(date) = DateTime::from_timestamp_micros(sunday) else { return };
        if weekday(sunday) != 6 || !(8..=14).contains(&date.day()) {
            return;
        }
        let (from, to) = (sunday + 2 * HOUR, sunday + 4 * HOUR);
        let announced_at = if date.month() == 9 { from + 70 * MINUTE } else { day + 9 * HOUR };
        for line in self.workshops.iter_mut().flat_map(|workshop| &mut workshop.lines) {
            if line.profile.slug == "ledger" {
                line.outages.push((from + 3 * MINUTE, to - 8 * MINUTE));
                let event = json!({
                    "kind": "maintenance", "source": "calendar", "service": "ledger", "at": text(announced_at),
                    "from": text(from), "to": text(to), "reason": "Closing of the books",
                });
                self.outbox.send(announced_at, &event);
            }
        }
    }
}

impl Iterator for Demo {
    type Item = Day;

    fn next(&mut self) -> Option<Day> {
        if self.day >= self.span.to {
            return None;
        }
        let day = self.day;
        self.day += DAY;
        self.shared(day);
        for workshop in &mut self.workshops {
            workshop.day(&mut self.outbox, day);
        }
        Some(Day { until: self.day, events: self.outbox.until(self.day) })
    }
}

/// The first of the month, so many months before the month of `at`.
fn months_before(at: Time, months: u32) -> Time {
    let date = DateTime::from_timestamp_micros(at).map(|at| at.date_naive());
    let first = date.and_then(|date| date.with_day(1)).and_then(|first| first.checked_sub_months(Months::new(months)));
    let start = first.and_then(|first: NaiveDate| first.and_hms_opt(0, 0, 0));
    start.map_or(at - 365 * DAY, |start| start.and_utc().timestamp_micros()).max(30 * DAY)
}
