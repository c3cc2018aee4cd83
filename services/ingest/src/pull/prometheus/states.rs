//! Answers of 0 and 1, made into intervals.

use std::collections::BTreeMap;

use vigie_model::{DAY, Time};

/// An interval of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub from: Time,
    pub to: Time,
    pub up: bool,
}

/// What the series of one service say at each instant: down while any of them says so. What is no number says nothing;
/// `odd` is told of numbers that are no state.
pub(super) fn joined<'s>(
    series: impl IntoIterator<Item = &'s [(Time, f64)]>,
    mut odd: impl FnMut(f64),
) -> BTreeMap<Time, bool> {
    let mut states = BTreeMap::new();
    for (at, value) in series.into_iter().flatten() {
        let up = match *value {
            0.0 => false,
            1.0 => true,
            value if value.is_nan() => continue,
            value => {
                odd(value);
                continue;
            }
        };
        states.entry(*at).and_modify(|state| *state &= up).or_insert(up);
    }
    states
}

/// Takes answers up behind an interval that may still be open; each stands for the step before it. `give` gets every
/// interval that is new or has grown. The last one is given back: it may go on.
pub(super) fn extend(
    open: Option<Run>,
    states: &BTreeMap<Time, bool>,
    step: Time,
    mut give: impl FnMut(Run),
) -> Option<Run> {
    let (mut open, mut has_grown) = (open, false);
    for (&at, &up) in states {
        let from = at - step;
        match &mut open {
            // Read again after the page was lost.
            Some(run) if run.to >= at => {}
            Some(run) if run.to == from && run.up == up && run.from.div_euclid(DAY) == from.div_euclid(DAY) => {
                run.to = at;
                has_grown = true;
            }
            _ => {
                if let Some(run) = open.filter(|_| has_grown) {
                    give(run);
                }
                open = Some(Run { from, to: at, up });
                has_grown = true;
            }
        }
    }
    if let Some(run) = open.filter(|_| has_grown) {
        give(run);
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(all: &[(Time, u8)]) -> BTreeMap<Time, bool> {
        all.iter().map(|(at, up)| (*at, *up == 1)).collect()
    }

    fn given(open: Option<Run>, all: &[(Time, u8)]) -> (Vec<(Time, Time, bool)>, Option<Run>) {
        let mut given = Vec::new();
        let open = extend(open, &states(all), 10, |run| given.push((run.from, run.to, run.up)));
        (given, open)
    }

    #[test]
    fn equal_answers_are_one_interval_and_a_gap_ends_it() {
        let (all, _) = given(None, &[(10, 1), (20, 1), (30, 0), (40, 1), (70, 1)]);
        assert_eq!(all, [(0, 20, true), (20, 30, false), (30, 40, true), (60, 70, true)]);
    }

    #[test]
    fn a_day_ends_an_interval() {
        let (all, _) = given(None, &[(DAY - 10, 1), (DAY, 1), (DAY + 10, 1)]);
        assert_eq!(all, [(DAY - 20, DAY, true), (DAY, DAY + 10, true)]);
    }

    #[test]
    fn however_it_is_cut_into_reads_the_same_intervals_are_left() {
        let answers = [(10, 1), (20, 1), (30, 1), (40, 0), (50, 0), (70, 0), (80, 1), (90, 1)];
        let (whole, _) = given(None, &answers);
        for cut in 0..=answers.len() {
            let (mut all, open) = given(None, &answers[..cut]);
            all.extend(given(open, &answers[cut..]).0);
            // The longest interval from an instant is the last word on it.
            let last: BTreeMap<Time, (Time, bool)> = all.iter().map(|(from, to, up)| (*from, (*to, *up))).collect();
            let last: Vec<_> = last.into_iter().map(|(from, (to, up))| (from, to, up)).collect();
            assert_eq!(last, whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_says_nothing_new_gives_nothing() {
        let (_, open) = given(None, &[(10, 1), (20, 1)]);
        assert_eq!(given(open, &[]).0, []);
        assert_eq!(given(open, &[(10, 1), (20, 1)]).0, [], "read again");
        assert_eq!(given(open, &[(20, 1), (30, 1)]).0, [(0, 30, true)]);
    }

    #[test]
    fn one_that_is_down_is_enough_and_nothing_is_made_of_what_is_no_state() {
        let mut odd = Vec::new();
        let one: &[(Time, f64)] = &[(10, 1.0), (20, 1.0), (30, f64::NAN), (40, 1.0)];
        let other: &[(Time, f64)] = &[(10, 1.0), (20, 0.0), (40, 0.5)];
        let joined = joined([one, other], |value| odd.push(value));
        assert_eq!(joined, states(&[(10, 1), (20, 0), (40, 1)]));
        assert_eq!(odd, [0.5]);
    }
}
