//! A service's incidents in one environment, by when they were restored.

use std::ops::Range;

use vigie_model::Time;
use vigie_model::facts::IncidentFact;
use vigie_model::settings::Severity;

use super::names::Names;

/// See the module's documentation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incidents {
    first: usize,
    rows: Box<[Incident]>,
    /// When the restored ones were, ascending.
    restored_at: Box<[Time]>,
    /// The row of each of those.
    restored: Box<[u32]>,
    /// The rows of those without a restoration.
    open: Box<[u32]>,
    names: Names,
}

/// What time to restore and its like read of an incident.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) started_at: Time,
    pub(crate) restored_at: Option<Time>,
    pub(crate) severity: Option<Severity>,
    /// Start to restoration; never negative.
    pub(crate) restore: Option<Time>,
    /// Start to detection; negative where the times are in the wrong order.
    pub(crate) detect: Option<Time>,
    /// Detection, else start, to acknowledgement; negative likewise.
    pub(crate) acknowledge: Option<Time>,
    /// What makes it the same incident in several services; none where it has one service only.
    pub(crate) shared: Option<Box<str>>,
}

impl Incident {
    fn new(row: &IncidentFact) -> Self {
        let services: Vec<serde::de::IgnoredAny> = serde_json::from_str(&row.services).unwrap_or_default();
        Self {
            started_at: row.started_at,
            restored_at: row.restored_at,
            severity: Severity::parse(&row.severity),
            restore: row.restored_at.map(|at| (at - row.started_at).max(0)),
            detect: row.detected_at.map(|at| at - row.started_at),
            acknowledge: row.acknowledged_at.map(|at| at - row.detected_at.unwrap_or(row.started_at)),
            shared: (services.len() > 1).then(|| key(&row.source, &row.id)),
        }
    }

    /// Whether its severity reaches the least that counts; an unknown one does not.
    pub(crate) fn reaches(&self, least: Option<Severity>) -> bool {
        least.is_none_or(|least| self.severity.is_some_and(|own| own >= least))
    }
}

/// An incident's name across services. Ids hold no control characters.
pub(crate) fn key(source: &str, id: &str) -> Box<str> {
    format!("{source}\u{1f}{id}").into()
}

impl Incidents {
    /// Of rows of one environment, sorted by `started_at`, the first of them at `first` of the table.
    pub(crate) fn new(rows: &[IncidentFact], first: usize) -> Self {
        let mut restored = Vec::new();
        let mut open = Vec::new();
        for (row, number) in rows.iter().zip(0_u32..) {
            match row.restored_at {
                Some(at) => restored.push((at, number)),
                None => open.push(number),
            }
        }
        restored.sort_unstable();
        Self {
            first,
            names: Names::new(rows.iter().map(|row| (&*row.source, &*row.id))),
            rows: rows.iter().map(Incident::new).collect(),
            restored_at: restored.iter().map(|(at, _)| *at).collect(),
            restored: restored.into_iter().map(|(_, row)| row).collect(),
            open: open.into(),
        }
    }

    /// When the restored ones were, ascending.
    pub(crate) fn restored_at(&self) -> &[Time] {
        &self.restored_at
    }

    /// The incidents in a range of those times, with their rows.
    pub(crate) fn restored(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &Incident)> {
        self.restored[range].iter().map(|row| (*row as usize, &self.rows[*row as usize]))
    }

    /// The open incidents, with their rows.
    pub(crate) fn open(&self) -> impl Iterator<Item = (usize, &Incident)> {
        let numbers = self.open.iter();
        numbers.map(|row| (*row as usize, &self.rows[*row as usize]))
    }

    /// The rows of those that started before `to`.
    pub(crate) fn started_before(&self, to: Time) -> Range<usize> {
        0..self.rows.partition_point(|row| row.started_at < to)
    }

    /// Where those of a name are in the table, and perhaps others.
    pub(crate) fn named(&self, source: &str, id: &str) -> impl Iterator<Item = usize> + use<'_> {
        self.names.rows(source, id).map(|row| self.first + row)
    }

    /// A row.
    pub(crate) fn row(&self, row: usize) -> &Incident {
        &self.rows[row]
    }

    /// Where the row is in the table.
    pub(crate) fn in_table(&self, row: usize) -> usize {
        self.first + row
    }
}
