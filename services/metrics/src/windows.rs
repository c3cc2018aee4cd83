//! The windows of a question, and which of them rows fall into.

use std::ops::Range;

use smallvec::SmallVec;
use vigie_model::Time;
use vigie_model::window::Window;

use crate::frame::seek::{gallop, range};

/// Windows in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Windows {
    all: Vec<Window>,
    /// The stretches of that order in which windows follow each other in time. The buckets of a series are one.
    ordered: SmallVec<[Range<usize>; 1]>,
}

/// Windows that follow each other in time, cut at the ends of a span. What is sorted by time is walked through them
/// once, and costs as much as there are windows that hold something, however many hold nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    windows: &'a [Window],
    /// The number of the first of them.
    first: usize,
    span: (Time, Time),
}

impl Windows {
    pub(crate) fn new(all: Vec<Window>) -> Self {
        let mut ordered: SmallVec<[Range<usize>; 1]> = SmallVec::new();
        for number in 0..all.len() {
            match ordered.last_mut() {
                Some(run) if all[number - 1].to <= all[number].from => run.end = number + 1,
                _ => ordered.push(number..number + 1),
            }
        }
        Self { all, ordered }
    }

    pub(crate) fn all(&self) -> &[Window] {
        &self.all
    }

    /// Those that reach into a span, cut at its ends.
    pub(crate) fn runs(&self, span: (Time, Time)) -> impl Iterator<Item = Run<'_>> {
        self.ordered.iter().map(move |run| {
            let windows = &self.all[run.clone()];
            let low = gallop(windows, |window| window.to <= span.0);
            let high = match windows.last() {
                Some(last) if last.from < span.1 => windows.len(),
                _ => windows.partition_point(|window| window.from < span.1).max(low),
            };
            Run { windows: &windows[low..high], first: run.start + low, span }
        })
    }
}

impl<'a> Run<'a> {
    #[inline]
    fn cut(&self, window: &Window) -> (Time, Time) {
        (window.from.max(self.span.0), window.to.min(self.span.1))
    }

    /// A window by its place here.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<(Time, Time)> {
        self.windows.get(place).map(|window| self.cut(window))
    }

    /// Its number among all windows.
    #[inline]
    pub(crate) fn number(&self, place: usize) -> usize {
        self.first + place
    }

    /// The windows with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, (Time, Time))> + use<'a> {
        let run = *self;
        run.windows.iter().enumerate().map(move |(place, window)| (run.number(place), run.cut(window)))
    }

    /// The place of the first window, of those from `place` on, that ends after an instant.
    #[inline]
    pub(crate) fn ending_after(&self, at: Time, place: usize) -> usize {
        place + gallop(&self.windows[place..], |window| window.to <= at)
    }

    /// The place of the first window, of those from `place` on, that begins after an instant.
    pub(crate) fn beginning_after(&self, at: Time, place: usize) -> usize {
        place + gallop(&self.windows[place..], |window| window.from <= at)
    }

    /// Calls `each` with the number of every window that holds some of the times, which ascend, and with where those
    /// stand.
    pub(crate) fn rows(&self, times: &[Time], mut each: impl FnMut(usize, Range<usize>)) {
        let (Some((from, _)), Some(last)) = (self.get(0), self.windows.last()) else { return };
        let rows = range(times, from, self.cut(last).1);
        let (mut row, mut place) = (rows.start, 0);
        while row < rows.end {
            place = self.ending_after(times[row], place);
            let Some((from, to)) = self.get(place) else { return };
            // Before the window there may be a gap.
            row += gallop(&times[row..rows.end], |time| *time < from);
            let next = row + gallop(&times[row..rows.end], |time| *time < to);
            if row < next {
                each(self.number(place), row..next);
            }
            row = next;
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_walk_finds_what_searches_find(
            mut times in prop::collection::vec(0_i64..60, 0..40),
            windows in prop::collection::vec((0_i64..60, 0_i64..9), 0..12),
            is_series in any::<bool>(),
            span in (-5_i64..30, 20_i64..70),
        ) {
            times.sort_unstable();
            let mut windows: Vec<Window> = windows.iter().map(|(from, length)| Window::new(*from, from + length)).collect();
            if is_series {
                windows.sort_by_key(|window| window.from);
            }
            let inside = |window: &Window, at: &Time| {
                window.from.max(span.0) <= *at && *at < window.to.min(span.1)
            };
            let expected: Vec<Vec<Time>> =
                windows.iter().map(|window| times.iter().copied().filter(|at| inside(window, at)).collect()).collect();
            let mut found: Vec<Vec<Time>> = vec![Vec::new(); windows.len()];
            for run in Windows::new(windows).runs(span) {
                run.rows(&times, |number, rows| found[number].extend(&times[rows]));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
