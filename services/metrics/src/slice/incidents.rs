//! What a slice knows of incidents: each once, however many services of the scope it has.

use hashbrown::HashSet;
use vigie_model::Time;

use super::{Slice, Slices};
use crate::frame::incidents::Incident;
use crate::sample::{Sample, by_window};

/// How far an incident had come after it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Moment {
    /// From its start to its restoration.
    Restored,
    /// From its start to its detection.
    Detected,
    /// From its detection, else its start, to its acknowledgement.
    Acknowledged,
}

/// The incidents that were restored in a slice and count.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// How many.
    pub(crate) count: u64,
    /// How many are less severe than what counts.
    pub(crate) minor: u64,
    /// By [`Moment`].
    moments: [Reached; 3],
}

/// How incidents came to a moment.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// How long each took, where that is known and in order.
    pub(crate) lengths: Sample,
    /// How many never came to it, as far as is known.
    pub(crate) unknown: u64,
    /// How many have their times in the wrong order.
    pub(crate) out_of_order: u64,
}

impl Restored {
    /// How they came to a moment.
    pub(crate) fn reached(&self, moment: Moment) -> &Reached {
        &self.moments[moment as usize]
    }
}

/// The open incidents that started before a slice's end and count.
#[derive(Debug, Default)]
pub(crate) struct OpenIncidents {
    /// How many.
    pub(crate) count: u64,
    /// For how long the first of them was open at the slice's end.
    pub(crate) longest: Option<Time>,
}

/// Which incidents were met already, in which window.
struct Once<'a> {
    is_needed: bool,
    met: HashSet<(usize, &'a str)>,
}

impl<'a> Once<'a> {
    fn new(slices: &Slices) -> Self {
        Self { is_needed: slices.scope.members.len() > 1, met: HashSet::new() }
    }

    fn is_new(&mut self, window: usize, incident: &'a Incident) -> bool {
        match &incident.shared {
            Some(key) if self.is_needed => self.met.insert((window, key)),
            _ => true,
        }
    }
}

impl Slices<'_> {
    fn restored(&self) -> Vec<Restored> {
        let least = self.settings.min_severity;
        let mut once = Once::new(self);
        let mut found: Vec<Restored> = self.blank();
        let mut values: [Vec<(usize, Time)>; 3] = Default::default();
        self.rows(
            |environment| environment.incidents.restored_at(),
            |number, _, environment, rows| {
                let own = &mut found[number];
                for (_, incident) in environment.incidents.restored(rows) {
                    if !once.is_new(number, incident) {
                        continue;
                    }
                    if !incident.reaches(least) {
                        own.minor += 1;
                        continue;
                    }
                    own.count += 1;
                    // In the order of the moments.
                    let lengths = [incident.restore, incident.detect, incident.acknowledge];
                    for ((own, values), length) in own.moments.iter_mut().zip(&mut values).zip(lengths) {
                        match length {
                            Some(length) if length >= 0 => values.push((number, length)),
                            Some(_) => own.out_of_order += 1,
                            None => own.unknown += 1,
                        }
                    }
                }
            },
        );
        for (moment, values) in values.into_iter().enumerate() {
            for (found, lengths) in found.iter_mut().zip(by_window(self.windows.all().len(), &values)) {
                found.moments[moment].lengths = lengths;
            }
        }
        found
    }

    fn open_incidents(&self) -> Vec<OpenIncidents> {
        let least = self.settings.min_severity;
        let mut once = Once::new(self);
        let mut found: Vec<OpenIncidents> = self.blank();
        for member in &self.scope.members {
            let Some(environment) = member.environment() else { continue };
            for (_, incident) in environment.incidents.open() {
                let started_at = incident.started_at;
                // Whose it is goes by when it started, however long before the window.
                let is_owned = member.spans(started_at, started_at.saturating_add(1)).next().is_some();
                if !is_owned || !incident.reaches(least) {
                    continue;
                }
                for (number, window) in self.windows.all().iter().enumerate() {
                    if started_at < window.to && once.is_new(number, incident) {
                        let own = &mut found[number];
                        own.count += 1;
                        own.longest = own.longest.max(Some(window.to - started_at));
                    }
                }
            }
        }
        found
    }
}

impl<'a> Slice<'a> {
    /// See [`Restored`].
    pub(crate) fn restored(&self) -> &'a Restored {
        &self.of.found.restored.get_or_init(|| self.of.restored())[self.number]
    }

    /// See [`OpenIncidents`].
    pub(crate) fn open_incidents(&self) -> &'a OpenIncidents {
        &self.of.found.open.get_or_init(|| self.of.open_incidents())[self.number]
    }
}
