//! What a slice knows of deployments.

use std::ops::Range;

use smallvec::SmallVec;
use vigie_model::settings::FrequencyDays;
use vigie_model::window::{Window, working_days};
use vigie_model::{DAY, Time};

use super::{Slice, Slices};
use crate::frame::deployments::{Class, Counts};
use crate::frame::seek::gallop;
use crate::sample::{Sample, by_window};
use crate::scope::Member;

/// For how long before a window a service without deliveries still counts as deployed.
const DORMANT_AFTER: Time = 90 * DAY;

/// How many deployments of each class ended in a slice, and what else metrics ask of the same.
#[derive(Debug, Default)]
pub(crate) struct BySignal {
    /// Of services with a failure signal.
    pub(crate) watched: Counts,
    /// Of the others.
    pub(crate) unwatched: Counts,
    /// How long those took to recover that did, of services with a failure signal.
    pub(crate) recoveries: Sample,
}

impl BySignal {
    /// Of all services.
    pub(crate) fn all(&self) -> Counts {
        let mut all = self.watched;
        all.add(&self.unwatched);
        all
    }
}

/// Which services are deployed at all, and for how long the window had each of them.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Services with a delivery in the window or in the 90 days before it.
    pub(crate) active: u64,
    /// The others.
    pub(crate) dormant: u64,
    /// The days of the window, summed over the active services.
    pub(crate) days: f64,
}

impl Slices<'_> {
    fn deployments(&self) -> Vec<BySignal> {
        let mut found: Vec<BySignal> = self.blank();
        let mut recoveries = Vec::new();
        self.rows(
            |environment| environment.deployments.times(),
            |number, member, environment, rows| {
                let deployments = &environment.deployments;
                let own = &mut found[number];
                let counts = deployments.counts(&rows);
                if !member.frame.service().failure_signal {
                    own.unwatched.add(&counts);
                    return;
                }
                own.watched.add(&counts);
                if counts.of(Class::Recovered) > 0 {
                    let lengths = deployments.lengths(Class::Recovered, rows);
                    recoveries.extend(lengths.map(|length| (number, length)));
                }
            },
        );
        for (found, recoveries) in found.iter_mut().zip(by_window(self.windows.all().len(), &recoveries)) {
            found.recoveries = recoveries;
        }
        found
    }

    #[allow(clippy::cast_precision_loss)] // a number of services
    fn activity(&self) -> Vec<Activity> {
        let windows = self.windows.all();
        let mut found: Vec<Activity> = self.blank();
        // How many more services that are its own always are active in a window than in the one before.
        let mut steps: Vec<i64> = vec![0; windows.len() + 1];
        let mut always = 0;
        for member in &self.scope.members {
            let active = self.active(member);
            if member.owned.is_none() {
                always += 1;
                for numbers in active {
                    steps[numbers.start] += 1;
                    steps[numbers.end] -= 1;
                }
                continue;
            }
            for (number, window) in windows.iter().enumerate() {
                // Where a team has its rows only for a time, the service is none of its before and after.
                if member.spans(window.from, window.to).next().is_none() {
                    continue;
                }
                let own = &mut found[number];
                if !active.iter().any(|numbers| numbers.contains(&number)) {
                    own.dormant += 1;
                    continue;
                }
                own.active += 1;
                let spans = member.spans(window.from, window.to);
                own.days += spans.map(|(from, to)| self.days(Window::new(from, to))).sum::<f64>();
            }
        }
        let mut active = 0;
        for ((own, step), window) in found.iter_mut().zip(steps).zip(windows) {
            active += step;
            own.active += active.unsigned_abs();
            own.dormant += always - active.unsigned_abs();
            own.days += active as f64 * self.days(*window);
        }
        found
    }

    /// The windows in which a service had a delivery, or in the 90 days before.
    fn active(&self, member: &Member) -> SmallVec<[Range<usize>; 2]> {
        let mut found = SmallVec::new();
        let Some(own) = member.environment().map(|own| &own.deployments) else { return found };
        let times = own.times();
        for run in self.windows.runs((Time::MIN, Time::MAX)) {
            let (mut place, mut row) = (0, 0);
            while let Some((from, to)) = run.get(place) {
                row += gallop(&times[row..], |time| *time < to);
                let last = own.last_delivery(row).filter(|last| *last >= from.saturating_sub(DORMANT_AFTER));
                match (last, times.get(row)) {
                    (Some(last), _) => {
                        let end = run.beginning_after(last.saturating_add(DORMANT_AFTER), place);
                        found.push(run.number(place)..run.number(end));
                        place = end;
                    }
                    // It stays dormant for as long as nothing comes.
                    (None, Some(next)) => place = run.ending_after(*next, place),
                    (None, None) => break,
                }
            }
        }
        found
    }

    fn rollback_times(&self) -> Vec<Sample> {
        let mut times = Vec::new();
        self.rows(
            |environment| environment.deployments.times(),
            |number, member, environment, rows| {
                if member.frame.service().failure_signal {
                    let lengths = environment.deployments.lengths(Class::Rollback, rows);
                    times.extend(lengths.map(|length| (number, length)));
                }
            },
        );
        by_window(self.windows.all().len(), &times)
    }

    /// The days of a stretch of time that deployment frequency divides by.
    fn days(&self, window: Window) -> f64 {
        let settings = self.settings;
        match settings.frequency_days {
            FrequencyDays::Calendar => window.days(),
            FrequencyDays::Working => working_days(window, self.zone, &settings.working_days, &settings.holidays),
        }
    }
}

impl<'a> Slice<'a> {
    /// How many deployments of each class ended in the slice.
    pub(crate) fn deployments(&self) -> &'a BySignal {
        &self.of.found.deployments.get_or_init(|| self.of.deployments())[self.number]
    }

    /// See [`Activity`].
    pub(crate) fn activity(&self) -> &'a Activity {
        &self.of.found.activity.get_or_init(|| self.of.activity())[self.number]
    }

    /// How long after what they rolled back rollbacks came, of services with a failure signal.
    pub(crate) fn rollback_times(&self) -> &'a Sample {
        &self.of.found.rollback_times.get_or_init(|| self.of.rollback_times())[self.number]
    }
}
