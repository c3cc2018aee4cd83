//! What a slice knows of deployments.

use vigie_model::settings::FrequencyDays;
use vigie_model::window::{Window, working_days};
use vigie_model::{DAY, Time};

use super::{Slice, Slices};
use crate::frame::deployments::{Class, Counts};
use crate::frame::seek::Seeker;
use crate::sample::Sample;

/// For how long before a window a service without deliveries still counts as deployed.
const DORMANT_AFTER: Time = 90 * DAY;

/// How many deployments of each class ended in a slice.
#[derive(Debug, Default)]
pub(crate) struct BySignal {
    /// Of services with a failure signal.
    pub(crate) watched: Counts,
    /// Of the others.
    pub(crate) unwatched: Counts,
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
        self.visit(Seeker::default, |seeker, number, piece| {
            let deployments = &piece.environment.deployments;
            let range = seeker.range(deployments.times(), piece.from, piece.to);
            if !range.is_empty() {
                let is_watched = piece.member.frame.service().failure_signal;
                let own = &mut found[number];
                let counts = if is_watched { &mut own.watched } else { &mut own.unwatched };
                counts.add(&deployments.counts(&range));
            }
        });
        found
    }

    #[allow(clippy::cast_precision_loss)] // a number of services
    fn activity(&self) -> Vec<Activity> {
        let mut found: Vec<Activity> = self.blank();
        let mut whole: Vec<u64> = self.blank();
        for member in &self.scope.members {
            let deployments = member.environment().map(|own| &own.deployments);
            let mut seeker = Seeker::default();
            for (number, window) in self.windows.iter().enumerate() {
                // Where a team has its rows only for a time, the service is none of its before and after.
                if member.spans(window.from, window.to).next().is_none() {
                    continue;
                }
                let last = deployments.and_then(|own| own.last_delivery(seeker.seek(own.times(), window.to)));
                let own = &mut found[number];
                if last.is_none_or(|last| last < window.from.saturating_sub(DORMANT_AFTER)) {
                    own.dormant += 1;
                    continue;
                }
                own.active += 1;
                if member.owned.is_none() {
                    whole[number] += 1;
                } else {
                    let spans = member.spans(window.from, window.to);
                    own.days += spans.map(|(from, to)| self.days(Window::new(from, to))).sum::<f64>();
                }
            }
        }
        for ((own, whole), window) in found.iter_mut().zip(whole).zip(&self.windows) {
            own.days += whole as f64 * self.days(*window);
        }
        found
    }

    fn lengths(&self, class: Class) -> Vec<Sample> {
        let mut values: Vec<Vec<Time>> = self.blank();
        self.visit(Seeker::default, |seeker, number, piece| {
            let deployments = &piece.environment.deployments;
            let range = seeker.range(deployments.times(), piece.from, piece.to);
            let is_watched = piece.member.frame.service().failure_signal;
            if is_watched && deployments.counts(&range).of(class) > 0 {
                values[number].extend(deployments.lengths(class, range));
            }
        });
        values.into_iter().map(Sample::from).collect()
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

    /// How long those took to recover that did, of services with a failure signal.
    pub(crate) fn recoveries(&self) -> &'a Sample {
        &self.of.found.recoveries.get_or_init(|| self.of.lengths(Class::Recovered))[self.number]
    }

    /// How long after what they rolled back rollbacks came, of services with a failure signal.
    pub(crate) fn rollback_times(&self) -> &'a Sample {
        &self.of.found.rollback_times.get_or_init(|| self.of.lengths(Class::Rollback))[self.number]
    }
}
