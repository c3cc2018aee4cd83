//! A slice of the facts: a scope in a window. What a metric asks for counts, durations and covered time, and the
//! only thing it asks; how those are found (searches in sorted arrays, sums kept before each row) is known here
//! and in the frames alone.

mod availability;
mod deployments;
mod incidents;

use vigie_model::settings::Settings;
use vigie_model::window::{Window, Zone};
use vigie_model::{DAY, Time};

use crate::frame::Environment;
use crate::frame::changes::Stage;
use crate::sample::Sample;
use crate::scope::{Member, Scope};

pub(crate) use availability::ServiceUptime;
pub(crate) use incidents::Moment;

/// See the module's documentation.
#[derive(Clone, Copy)]
pub struct Slice<'a> {
    scope: &'a Scope,
    window: Window,
    settings: &'a Settings,
    zone: &'a Zone,
    now: Time,
}

/// A service's part of a slice: its facts in the environment, and a stretch of the window in which they count.
pub(crate) struct Piece<'a> {
    pub(crate) member: &'a Member,
    pub(crate) environment: &'a Environment,
    pub(crate) from: Time,
    pub(crate) to: Time,
}

/// The changes of a slice that count, with what was left out.
#[derive(Debug, Default)]
pub(crate) struct LeadTimes {
    pub(crate) lead_times: Sample,
    /// By programs.
    pub(crate) bots: u64,
    /// Of other categories, or brought earlier by another line.
    pub(crate) others: u64,
}

impl<'a> Slice<'a> {
    /// The slice of a scope in a window that was already cut at `now`.
    #[must_use]
    pub fn new(scope: &'a Scope, window: Window, settings: &'a Settings, zone: &'a Zone, now: Time) -> Self {
        Self { scope, window, settings, zone, now }
    }

    /// The same scope in another window.
    #[must_use]
    pub fn in_window(&self, window: Window) -> Self {
        Self { window, ..*self }
    }

    pub(crate) fn window(&self) -> Window {
        self.window
    }

    pub(crate) fn settings(&self) -> &'a Settings {
        self.settings
    }

    pub(crate) fn zone(&self) -> &'a Zone {
        self.zone
    }

    pub(crate) fn members(&self) -> &'a [Member] {
        &self.scope.members
    }

    /// Every stretch of the window in which facts of a service count.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        self.pieces_in(self.window.from, self.window.to)
    }

    fn pieces_in(&self, from: Time, to: Time) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let members = self.scope.members.iter();
        members.filter_map(|member| Some((member, member.environment()?))).flat_map(move |(member, environment)| {
            member.spans(from, to).map(move |(from, to)| Piece { member, environment, from, to })
        })
    }

    /// The lead times of the changes that were deployed in the slice.
    pub(crate) fn lead_times(&self) -> LeadTimes {
        let mut values = Vec::new();
        let mut found = LeadTimes::default();
        for piece in self.pieces() {
            let changes = &piece.environment.changes;
            let range = changes.range(piece.from, piece.to);
            let (bots, others) = changes.lead_times(range, self.settings.count_bots, &mut values);
            found.bots += bots;
            found.others += others;
        }
        found.lead_times = values.into();
        found
    }

    /// The known lengths of a stage of those changes.
    pub(crate) fn stage(&self, stage: Stage) -> Sample {
        let mut values = Vec::new();
        for piece in self.pieces() {
            let changes = &piece.environment.changes;
            let range = changes.range(piece.from, piece.to);
            values.extend(changes.stages(range, self.settings.count_bots, stage));
        }
        values.into()
    }

    /// When each change was merged that waits for its deployment now.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Time> + use<'a> {
        let bots = self.settings.count_bots;
        let pieces = self.pieces_in(Time::MIN, self.now.saturating_add(1));
        pieces.flat_map(move |piece| {
            let waiting = &piece.environment.waiting;
            waiting.merged(piece.from, piece.to, bots)
        })
    }

    /// The days of a stretch of time that deployment frequency divides by.
    #[allow(clippy::cast_precision_loss)] // lengths of days
    fn days(&self, from: Time, to: Time) -> f64 {
        use vigie_model::settings::FrequencyDays;
        use vigie_model::window::working_days;
        match self.settings.frequency_days {
            FrequencyDays::Calendar => (to - from) as f64 / DAY as f64,
            FrequencyDays::Working => {
                working_days(Window::new(from, to), self.zone, &self.settings.working_days, &self.settings.holidays)
            }
        }
    }
}
