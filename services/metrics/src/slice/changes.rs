//! What a slice knows of changes.

use vigie_model::Time;

use super::{Slice, Slices};
use crate::frame::changes::Stage;
use crate::sample::{Sample, Samples};
use crate::scope::Member;

/// The changes of a slice that count, with what was left out.
#[derive(Debug, Default)]
pub(crate) struct LeadTimes {
    pub(crate) lead_times: Sample,
    /// By programs.
    pub(crate) bots: u64,
    /// Of other categories, or brought earlier by another line.
    pub(crate) others: u64,
}

impl Slices<'_> {
    fn lead_times(&self) -> Vec<LeadTimes> {
        let count_bots = self.settings.count_bots;
        let mut found: Vec<LeadTimes> = self.blank();
        let environments = self.scope.members.iter().filter_map(Member::environment);
        let mut values = Samples::with_capacity(environments.map(|own| own.changes.times().len()).sum());
        self.rows(
            |environment| environment.changes.times(),
            |number, _, environment, rows| {
                let (bots, others) = environment.changes.lead_times(rows, count_bots, values.of(number));
                found[number].bots += bots;
                found[number].others += others;
            },
        );
        for (found, lead_times) in found.iter_mut().zip(values.by_window(self.windows.all().len())) {
            found.lead_times = lead_times;
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
