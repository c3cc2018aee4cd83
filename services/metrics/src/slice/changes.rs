//! What a slice knows of changes.

use vigie_model::Time;

use super::{Slice, Slices};
use crate::frame::Environment;
use crate::frame::changes::Stage;
use crate::sample::Sample;

/// The changes of a slice that count, with what was left out.
#[derive(Debug, Default)]
pub(crate) struct LeadTimes {
    pub(crate) lead_times: Sample,
    /// By programs.
    pub(crate) bots: u64,
    /// Of other categories, or brought earlier by another line.
    pub(crate) others: u64,
}

impl<'a> Slices<'a> {
    fn lead_times(&'a self) -> Vec<LeadTimes> {
        let count_bots = self.settings.count_bots;
        let mut found: Vec<LeadTimes> = self.blank();
        let times = |environment: &'a Environment| environment.changes.times();
        // Rows are many: they are counted first, so that no value is moved again.
        let mut counts: Vec<usize> = self.blank();
        self.rows(times, |number, _, _, rows| counts[number] += rows.len());
        let mut values: Vec<Vec<Time>> = counts.into_iter().map(Vec::with_capacity).collect();
        self.rows(times, |number, _, environment, rows| {
            let (bots, others) = environment.changes.lead_times(rows, count_bots, &mut values[number]);
            found[number].bots += bots;
            found[number].others += others;
        });
        for (found, values) in found.iter_mut().zip(values) {
            found.lead_times = values.into();
        }
        found
    }
}

impl<'a> Slice<'a> {
    /// The lead times of the changes that were deployed in the slice.
    pub(crate) fn lead_times(&self) -> &'a LeadTimes {
        &self.of.found.changes.get_or_init(|| self.of.lead_times())[self.number]
    }

    /// The known lengths of a stage of those changes.
    pub(crate) fn stage(&self, stage: Stage) -> Sample {
        let count_bots = self.settings().count_bots;
        let mut values = Vec::new();
        for piece in self.pieces() {
            let changes = &piece.environment.changes;
            let range = changes.range(piece.from, piece.to);
            values.extend(changes.stages(range, count_bots, stage));
        }
        values.into()
    }

    /// When each change was merged that waits for its deployment now.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = Time> + use<'a> {
        let count_bots = self.settings().count_bots;
        self.pieces_in(Time::MIN, self.of.now.saturating_add(1))
            .flat_map(move |piece| piece.environment.waiting.merged(piece.from, piece.to, count_bots))
    }
}
