//! A service's deployments in one environment, laid out for counting: sorted times, and for every class of rows
//! how many there are before each, so that a count in a window is two searches and a subtraction.

use std::ops::Range;

use vigie_model::Time;
use vigie_model::facts::DeploymentFact;

use super::names::Names;
use super::seek;

/// How many classes there are.
pub(crate) const CLASSES: usize = 10;

/// What a deployment counts as. A finished one has exactly one of the first seven; the others mark some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    /// Successful, and brings something new.
    Delivery,
    /// Goes back.
    Rollback,
    /// Brings nothing new.
    Redeployment,
    /// Joined an earlier rollout in another region.
    Joined,
    /// Did not succeed, and reached nobody.
    Unsuccessful,
    /// Did not succeed, and counts as failed.
    FailedOutcome,
    /// Of a category that is not counted.
    OtherCategory,
    /// A delivery or failed outcome that failed.
    Failed,
    /// A failed one that has recovered.
    Recovered,
    /// A delivery or rollback that is unplanned.
    Unplanned,
}

const NONE: Time = Time::MIN;

/// See the module's documentation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployments {
    /// Where the environment's rows begin in the table.
    first: usize,
    /// `finished_at`; of one in progress when it began. Ascending.
    at: Box<[Time]>,
    /// One bit for each class; none for one in progress.
    classes: Box<[u16]>,
    /// Of recovered ones the time that took, of rollbacks the time since what they rolled back; else `NONE`.
    lengths: Box<[Time]>,
    /// `before[i]`: how many of each class are before row `i`.
    before: Box<[[u32; CLASSES]]>,
    /// Likewise the time of the last delivery, or `NONE`.
    last_delivery: Box<[Time]>,
    names: Names,
}

/// When a deployment stands in lists.
pub(crate) fn time_of(row: &DeploymentFact) -> Time {
    row.finished_at.or(row.started_at).or(row.exposed_at).unwrap_or(Time::MAX)
}

fn bit(class: Class) -> u16 {
    1 << class as u8
}

fn classes_of(row: &DeploymentFact) -> u16 {
    let succeeded = &*row.outcome == "succeeded";
    if row.finished_at.is_none() {
        return 0;
    }
    if !row.counted {
        return bit(Class::OtherCategory);
    }
    let main = if row.joined {
        Class::Joined
    } else if !succeeded && row.failed {
        Class::FailedOutcome
    } else if !succeeded {
        Class::Unsuccessful
    } else if row.rollback {
        Class::Rollback
    } else if row.redeployment {
        Class::Redeployment
    } else {
        Class::Delivery
    };
    let mut classes = bit(main);
    if row.failed && matches!(main, Class::Delivery | Class::FailedOutcome) {
        classes |= bit(Class::Failed);
        if row.recovered_at.is_some() {
            classes |= bit(Class::Recovered);
        }
    }
    if row.unplanned && matches!(main, Class::Delivery | Class::Rollback) {
        classes |= bit(Class::Unplanned);
    }
    classes
}

fn length_of(row: &DeploymentFact) -> Time {
    let since = |from: Option<Time>, to: Option<Time>| Some(to? - from?);
    let length = if row.rollback {
        since(row.rolled_back_finished_at, row.finished_at)
    } else {
        since(row.finished_at, row.recovered_at)
    };
    // Never below 0: clocks lie (data quality says so).
    length.map_or(NONE, |length| length.max(0))
}

impl Deployments {
    /// Of rows of one environment, sorted by [`time_of`], the first of them at `first` of the table.
    pub(crate) fn new(rows: &[DeploymentFact], first: usize) -> Self {
        let classes: Box<[u16]> = rows.iter().map(classes_of).collect();
        let mut sums = [0_u32; CLASSES];
        let mut before = Vec::with_capacity(rows.len() + 1);
        before.push(sums);
        let mut last_delivery = Vec::with_capacity(rows.len() + 1);
        last_delivery.push(NONE);
        let mut last = NONE;
        for (classes, row) in classes.iter().zip(rows) {
            for (number, sum) in sums.iter_mut().enumerate() {
                *sum += u32::from(classes >> number & 1);
            }
            before.push(sums);
            if classes & bit(Class::Delivery) != 0 {
                last = time_of(row);
            }
            last_delivery.push(last);
        }
        Self {
            first,
            at: rows.iter().map(time_of).collect(),
            classes,
            lengths: rows.iter().map(length_of).collect(),
            before: before.into(),
            last_delivery: last_delivery.into(),
            names: Names::new(rows.iter().map(|row| (&*row.source, &*row.id))),
        }
    }

    /// Where those of a name are in the table, and perhaps others.
    pub(crate) fn named(&self, source: &str, id: &str) -> impl Iterator<Item = usize> + use<'_> {
        self.names.rows(source, id).map(|row| self.first + row)
    }

    /// The times of the rows.
    pub(crate) fn times(&self) -> &[Time] {
        &self.at
    }

    /// Where the rows of a window stand.
    pub(crate) fn range(&self, from: Time, to: Time) -> Range<usize> {
        seek::range(&self.at, from, to)
    }

    /// How many rows of each class are in a range.
    pub(crate) fn counts(&self, range: &Range<usize>) -> Counts {
        match (self.before.get(range.start), self.before.get(range.end)) {
            (Some(low), Some(high)) => Counts(std::array::from_fn(|n| u64::from(high[n] - low[n]))),
            _ => Counts::default(),
        }
    }

    /// When the last delivery was among the first `count` rows.
    pub(crate) fn last_delivery(&self, count: usize) -> Option<Time> {
        self.last_delivery.get(count).copied().filter(|at| *at != NONE)
    }

    /// The lengths of a class's rows in a range: recoveries of [`Class::Recovered`], the time since what they
    /// rolled back of [`Class::Rollback`].
    pub(crate) fn lengths(&self, class: Class, range: Range<usize>) -> impl Iterator<Item = Time> + '_ {
        let bit = bit(class);
        let classes = self.classes[range.clone()].iter();
        classes
            .zip(&self.lengths[range])
            .filter(move |(classes, length)| *classes & bit != 0 && **length != NONE)
            .map(|(_, length)| *length)
    }

    /// Whether the row has a class.
    pub(crate) fn is(&self, row: usize, class: Class) -> bool {
        self.classes[row] & bit(class) != 0
    }

    /// Whether the row has ended.
    pub(crate) fn is_finished(&self, row: usize) -> bool {
        self.classes[row] != 0
    }

    /// When the row stands in lists.
    pub(crate) fn at(&self, row: usize) -> Time {
        self.at[row]
    }

    /// Where the row is in the table.
    pub(crate) fn in_table(&self, row: usize) -> usize {
        self.first + row
    }
}

/// How many deployments there are of each class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts([u64; CLASSES]);

impl Counts {
    /// Of one class.
    pub(crate) fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// What the failure rate divides by.
    pub(crate) fn judged(&self) -> u64 {
        self.of(Class::Delivery) + self.of(Class::FailedOutcome)
    }

    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }
}
