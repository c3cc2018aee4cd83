//! A service's changes in one environment, and those that wait, laid out for scanning.

use std::ops::Range;

use vigie_model::Time;
use vigie_model::facts::{ChangeFact, WaitingFact};

use super::seek;

/// What a change counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ChangeClass {
    /// By a person, and counts.
    Counted,
    /// By a program, and counts where the settings count such.
    Bot,
    /// Of a category that is not counted, or brought earlier by another line.
    Other,
}

/// The stages of a change with a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// First commit to opened.
    Coding,
    /// Opened to first review.
    Pickup,
    /// First review to merged.
    Review,
    /// Merged to deployed.
    Deploy,
}

const NONE: Time = Time::MIN;

/// See the module's documentation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    first: usize,
    /// `deployed_at`, ascending.
    at: Box<[Time]>,
    classes: Box<[ChangeClass]>,
    lead_times: Box<[Time]>,
    /// The rows that are not simply counted, which are few.
    special: Box<[u32]>,
    /// By [`Stage`]; of a change without a pull request none.
    stages: Box<[[Time; 4]]>,
}

fn class_of(row: &ChangeFact) -> ChangeClass {
    match (row.counted, row.bot) {
        (false, _) => ChangeClass::Other,
        (true, true) => ChangeClass::Bot,
        (true, false) => ChangeClass::Counted,
    }
}

fn stages_of(row: &ChangeFact) -> [Time; 4] {
    let stages = [row.coding, row.pickup, row.review, row.deploy];
    let has_pull_request = row.pull_request.is_some();
    stages.map(|stage| stage.filter(|length| has_pull_request && *length >= 0).unwrap_or(NONE))
}

impl Changes {
    /// Of rows of one environment, sorted by `deployed_at`, the first of them at `first` of the table.
    pub(crate) fn new(rows: &[ChangeFact], first: usize) -> Self {
        Self {
            first,
            at: rows.iter().map(|row| row.deployed_at).collect(),
            classes: rows.iter().map(class_of).collect(),
            lead_times: rows.iter().map(|row| row.lead_time.max(0)).collect(),
            special: rows
                .iter()
                .zip(0_u32..)
                .filter(|(row, _)| class_of(row) != ChangeClass::Counted)
                .map(|(_, n)| n)
                .collect(),
            stages: rows.iter().map(stages_of).collect(),
        }
    }

    /// The times of the rows.
    pub(crate) fn times(&self) -> &[Time] {
        &self.at
    }

    /// Where the rows of a window stand.
    pub(crate) fn range(&self, from: Time, to: Time) -> Range<usize> {
        seek::range(&self.at, from, to)
    }

    /// Adds the lead times of a range's rows that count to `found`, and answers how many were left out as bots'
    /// and as others.
    pub(crate) fn lead_times(&self, range: Range<usize>, bots: bool, found: &mut Vec<Time>) -> (u64, u64) {
        let (mut left_bots, mut others) = (0, 0);
        let mut next = range.start;
        let first = self.special.partition_point(|row| (*row as usize) < range.start);
        for row in self.special[first..].iter().map(|row| *row as usize).take_while(|row| *row < range.end) {
            match self.classes[row] {
                ChangeClass::Counted => continue,
                ChangeClass::Bot if bots => continue,
                ChangeClass::Bot => left_bots += 1,
                ChangeClass::Other => others += 1,
            }
            found.extend_from_slice(&self.lead_times[next..row]);
            next = row + 1;
        }
        found.extend_from_slice(&self.lead_times[next..range.end]);
        (left_bots, others)
    }

    /// The known lengths of a stage of a range's rows that count.
    pub(crate) fn stages(&self, range: Range<usize>, bots: bool, stage: Stage) -> impl Iterator<Item = Time> + '_ {
        let classes = self.classes[range.clone()].iter();
        classes
            .zip(&self.stages[range])
            .filter(move |(class, _)| match class {
                ChangeClass::Counted => true,
                ChangeClass::Bot => bots,
                ChangeClass::Other => false,
            })
            .map(move |(_, stages)| stages[stage as usize])
            .filter(|length| *length != NONE)
    }

    /// What the row counts as.
    pub(crate) fn class(&self, row: usize) -> ChangeClass {
        self.classes[row]
    }

    /// When the row was deployed.
    pub(crate) fn at(&self, row: usize) -> Time {
        self.at[row]
    }

    /// Where the row is in the table.
    pub(crate) fn in_table(&self, row: usize) -> usize {
        self.first + row
    }
}

/// Merged changes that wait for their deployment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting {
    /// `merged_at` and whether by a program, ascending.
    rows: Box<[(Time, bool)]>,
}

impl Waiting {
    /// Of rows of one environment, sorted by `merged_at`.
    pub(crate) fn new(rows: &[WaitingFact]) -> Self {
        Self { rows: rows.iter().map(|row| (row.merged_at, row.bot)).collect() }
    }

    /// When those were merged that were merged in `[from, to)` and count.
    pub(crate) fn merged(&self, from: Time, to: Time, bots: bool) -> impl Iterator<Item = Time> + '_ {
        self.rows.iter().filter(move |(at, bot)| from <= *at && *at < to && (bots || !bot)).map(|(at, _)| *at)
    }
}
