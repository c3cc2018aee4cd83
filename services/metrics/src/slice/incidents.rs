//! What a slice knows of incidents: each once, however many services of the scope it has.

use hashbrown::HashSet;
use vigie_model::Time;

use super::{Slice, Slices};
use crate::frame::incidents::Incident;
use crate::frame::seek::Seeker;
use crate::sample::Sample;

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
    /// How long each took to come to the moment that was asked for, where that is known and in order.
    pub(crate) lengths: Sample,
    /// How many never came to it, as far as is known.
    pub(crate) unknown: u64,
    /// How many have their times in the wrong order.
    pub(crate) out_of_order: u64,
    /// How many are less severe than what counts.
    pub(crate) minor: u64,
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
    fn restored(&self, moment: Moment) -> Vec<Restored> {
        let least = self.settings.min_severity;
        let mut once = Once::new(self);
        let mut found: Vec<Restored> = self.blank();
        let mut values: Vec<Vec<Time>> = self.blank();
        self.visit(Seeker::default, |seeker, number, piece| {
            let incidents = &piece.environment.incidents;
            let range = seeker.range(incidents.restored_at(), piece.from, piece.to);
            for (_, incident) in incidents.restored(range) {
                if !once.is_new(number, incident) {
                    continue;
                }
                let own = &mut found[number];
                if !incident.reaches(least) {
                    own.minor += 1;
                    continue;
                }
                own.count += 1;
                let length = match moment {
                    Moment::Restored => incident.restore,
                    Moment::Detected => incident.detect,
                    Moment::Acknowledged => incident.acknowledge,
                };
                match length {
                    Some(length) if length >= 0 => values[number].push(length),
                    Some(_) => own.out_of_order += 1,
                    None => own.unknown += 1,
                }
            }
        });
        for (found, values) in found.iter_mut().zip(values) {
            found.lengths = values.into();
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
                for (number, window) in self.windows.iter().enumerate() {
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
    pub(crate) fn restored(&self, moment: Moment) -> &'a Restored {
        let found = &self.of.found.restored[moment as usize];
        &found.get_or_init(|| self.of.restored(moment))[self.number]
    }

    /// See [`OpenIncidents`].
    pub(crate) fn open_incidents(&self) -> &'a OpenIncidents {
        &self.of.found.open.get_or_init(|| self.of.open_incidents())[self.number]
    }
}
