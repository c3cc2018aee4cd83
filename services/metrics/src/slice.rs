//! A slice of the facts: a scope in a window. What a metric asks for counts, durations and covered time, and the
//! only thing it asks; how those are found (a walk through sorted arrays, sums kept before each row) is known here
//! and in the frames alone.
//!
//! Slices come in series, one for each bucket, and several metrics ask the same ones. What one slice is asked for is
//! found for all of them at once, service by service, and kept: a series costs as much as its rows, and a scorecard
//! as much as the facts that it rests on, however many of its metrics rest on the same.

mod availability;
mod changes;
mod deployments;
mod incidents;

use std::cell::OnceCell;
use std::ops::Range;

use vigie_model::Time;
use vigie_model::settings::Settings;
use vigie_model::window::{Window, Zone};

use crate::frame::Environment;
use crate::sample::Sample;
use crate::scope::{Member, Scope};
use crate::windows::Windows;

pub(crate) use availability::ServiceUptime;
pub(crate) use deployments::BySignal;
pub(crate) use incidents::Moment;

/// A scope in several windows.
pub struct Slices<'a> {
    scope: &'a Scope,
    windows: Windows,
    settings: &'a Settings,
    zone: &'a Zone,
    now: Time,
    found: Found,
}

/// What was asked for already, one for each window.
#[derive(Default)]
struct Found {
    deployments: OnceCell<Vec<deployments::BySignal>>,
    activity: OnceCell<Vec<deployments::Activity>>,
    rollback_times: OnceCell<Vec<Sample>>,
    changes: OnceCell<Vec<changes::LeadTimes>>,
    restored: OnceCell<Vec<incidents::Restored>>,
    open: OnceCell<Vec<incidents::OpenIncidents>>,
    uptimes: OnceCell<Vec<availability::Uptimes>>,
}

/// See the module's documentation.
#[derive(Clone, Copy)]
pub struct Slice<'a> {
    of: &'a Slices<'a>,
    number: usize,
}

/// A service's part of a slice: its facts in the environment, and a stretch of the window in which they count.
pub(crate) struct Piece<'a> {
    pub(crate) member: &'a Member,
    pub(crate) environment: &'a Environment,
    pub(crate) from: Time,
    pub(crate) to: Time,
}

impl<'a> Slices<'a> {
    /// The slices of a scope in windows that were already cut at `now`.
    #[must_use]
    pub fn new(scope: &'a Scope, windows: Vec<Window>, settings: &'a Settings, zone: &'a Zone, now: Time) -> Self {
        Self { scope, windows: Windows::new(windows), settings, zone, now, found: Found::default() }
    }

    /// One for each window, in their order.
    pub fn iter(&'a self) -> impl ExactSizeIterator<Item = Slice<'a>> {
        (0..self.windows.all().len()).map(|number| Slice { of: self, number })
    }

    /// The first of them, which must be.
    pub(crate) fn first(&'a self) -> Slice<'a> {
        Slice { of: self, number: 0 }
    }

    /// Calls `each` for every service that is known in the environment and every window in which it has rows that
    /// count, with where those stand among its `times`.
    fn rows(
        &self,
        times: impl Fn(&'a Environment) -> &'a [Time],
        mut each: impl FnMut(usize, &'a Member, &'a Environment, Range<usize>),
    ) {
        for member in &self.scope.members {
            let Some(environment) = member.environment() else { continue };
            for span in member.spans(Time::MIN, Time::MAX) {
                for run in self.windows.runs(span) {
                    run.rows(times(environment), |number, rows| each(number, member, environment, rows));
                }
            }
        }
    }

    /// A default for each window.
    fn blank<T: Default>(&self) -> Vec<T> {
        self.windows.all().iter().map(|_| T::default()).collect()
    }
}

impl<'a> Slice<'a> {
    /// The same scope in other windows.
    pub(crate) fn over(&self, windows: Vec<Window>) -> Slices<'a> {
        let Slices { scope, settings, zone, now, .. } = *self.of;
        Slices::new(scope, windows, settings, zone, now)
    }

    pub(crate) fn window(&self) -> Window {
        self.of.windows.all()[self.number]
    }

    pub(crate) fn settings(&self) -> &'a Settings {
        self.of.settings
    }

    pub(crate) fn zone(&self) -> &'a Zone {
        self.of.zone
    }

    pub(crate) fn members(&self) -> &'a [Member] {
        &self.of.scope.members
    }

    /// Every stretch of the window in which facts of a service count.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        self.pieces_in(self.window().from, self.window().to)
    }

    /// The same in another window.
    pub(crate) fn pieces_in(&self, from: Time, to: Time) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let members = self.of.scope.members.iter();
        members.filter_map(|member| Some((member, member.environment()?))).flat_map(move |(member, environment)| {
            member.spans(from, to).map(move |(from, to)| Piece { member, environment, from, to })
        })
    }
}
