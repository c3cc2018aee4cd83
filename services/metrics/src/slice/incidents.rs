//! What a slice knows of incidents: each once, however many services of the scope it has.

use hashbrown::HashSet;
use vigie_model::Time;

use super::Slice;
use crate::frame::incidents::Incident;
use crate::sample::Sample;

/// How far an incident had come after it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Which incidents were met already.
struct Once<'a> {
    is_needed: bool,
    met: HashSet<&'a str>,
}

impl<'a> Once<'a> {
    fn is_new(&mut self, incident: &'a Incident) -> bool {
        match &incident.shared {
            Some(key) if self.is_needed => self.met.insert(key),
            _ => true,
        }
    }
}

impl<'a> Slice<'a> {
    fn once(&self) -> Once<'a> {
        Once { is_needed: self.members().len() > 1, met: HashSet::new() }
    }

    /// See [`Restored`].
    pub(crate) fn restored(&self, moment: Moment) -> Restored {
        let least = self.settings().min_severity;
        let mut once = self.once();
        let mut values = Vec::new();
        let mut found = Restored::default();
        for piece in self.pieces() {
            for (_, incident) in piece.environment.incidents.restored(piece.from, piece.to) {
                if !once.is_new(incident) {
                    continue;
                }
                if !incident.reaches(least) {
                    found.minor += 1;
                    continue;
                }
                found.count += 1;
                let length = match moment {
                    Moment::Restored => incident.restore,
                    Moment::Detected => incident.detect,
                    Moment::Acknowledged => incident.acknowledge,
                };
                match length {
                    Some(length) if length >= 0 => values.push(length),
                    Some(_) => found.out_of_order += 1,
                    None => found.unknown += 1,
                }
            }
        }
        found.lengths = values.into();
        found
    }

    /// See [`OpenIncidents`].
    pub(crate) fn open_incidents(&self) -> OpenIncidents {
        let least = self.settings().min_severity;
        let end = self.window().to;
        let mut once = self.once();
        let mut found = OpenIncidents::default();
        for piece in self.pieces_in(Time::MIN, end) {
            for (_, incident) in piece.environment.incidents.open() {
                let started_at = incident.started_at;
                if piece.from <= started_at && started_at < piece.to && incident.reaches(least) && once.is_new(incident)
                {
                    found.count += 1;
                    found.longest = found.longest.max(Some(end - started_at));
                }
            }
        }
        found
    }
}
