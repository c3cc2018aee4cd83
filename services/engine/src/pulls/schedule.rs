//! When a source is asked again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use vigie_model::schedule::Schedule;
use vigie_model::{DAY, HOUR, MINUTE, SECOND, Time};
use vigie_store::{PullRun, PullState, PulledSource};

/// The pause after a first failure, and the longest that pauses grow to.
const FIRST_PAUSE: Time = 30 * SECOND;
const LONGEST_PAUSE: Time = HOUR;
/// The most that a run on its schedule is put off.
const MOST_JITTER: Time = MINUTE;

/// When a source is due that stands so.
pub(super) fn due(schedule: &Schedule, source: Option<&PulledSource>, now: Time) -> Time {
    let Some(own) = source else { return now };
    match own.last.state {
        // Where it runs elsewhere the lease tells.
        PullState::Running | PullState::Interrupted => now,
        PullState::Succeeded => regular(schedule, &own.last),
        PullState::Failed => match own.last.next_run_at {
            Some(at) => at,
            None => retry(&own.last, own.failures, own.last.ended_at.unwrap_or(now), Duration::ZERO),
        },
    }
}

/// When a source is asked again after a run that read everything.
pub(super) fn regular(schedule: &Schedule, last: &PullRun) -> Time {
    let next = schedule.after(last.started_at);
    next.saturating_add(jitter(last, ((next - last.started_at) / 10).min(MOST_JITTER)))
}

/// When a source is asked again that has failed so many times in a row, and wants to be left alone for so long.
pub(super) fn retry(last: &PullRun, failures: u64, ended_at: Time, wanted: Duration) -> Time {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(20);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    // No limit of requests lasts longer than a day.
    let wanted = Time::try_from(wanted.as_micros()).unwrap_or(Time::MAX).min(DAY);
    let pause = pause.max(wanted);
    ended_at.saturating_add(pause).saturating_add(jitter(last, pause / 10))
}

/// A part of `most`, so that sources that were set up together are not asked in the same moment. The same for every
/// process, as each finds out by itself what is due.
fn jitter(last: &PullRun, most: Time) -> Time {
    let mut hasher = DefaultHasher::new();
    (&last.source, last.id).hash(&mut hasher);
    let share = i64::from(u16::try_from(hasher.finish() >> 48).unwrap_or(0));
    most.max(0) / (1 << 16) * share + most.max(0) % (1 << 16) * share / (1 << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: i64, state: PullState) -> PullRun {
        PullRun {
            id,
            source: "git /shop".to_owned(),
            started_at: 1_000 * MINUTE,
            ended_at: Some(1_001 * MINUTE),
            state,
            events: 0,
            duplicates: 0,
            standing: vigie_store::PullStanding::default(),
            error: None,
            next_run_at: None,
        }
    }

    #[test]
    fn a_source_that_was_never_asked_or_was_cut_off_is_due() {
        let every = Schedule::Every(15 * MINUTE);
        assert_eq!(due(&every, None, 7), 7);
        let source = PulledSource { last: run(1, PullState::Interrupted), succeeded_at: None, failures: 0 };
        assert_eq!(due(&every, Some(&source), 7), 7);
    }

    #[test]
    fn a_run_is_put_off_by_a_little_and_each_by_its_own() {
        let every = Schedule::Every(15 * MINUTE);
        let times: Vec<Time> = (0..50).map(|id| regular(&every, &run(id, PullState::Succeeded))).collect();
        assert!(times.iter().all(|at| (1_015 * MINUTE..=1_016 * MINUTE).contains(at)), "{times:?}");
        assert!(times.iter().collect::<std::collections::HashSet<_>>().len() > 40);
        let source = PulledSource { last: run(1, PullState::Succeeded), succeeded_at: None, failures: 0 };
        assert_eq!(due(&every, Some(&source), 0), times[1]);
    }

    #[test]
    fn pauses_grow_up_to_an_hour_and_no_shorter_than_the_source_wants() {
        let last = run(1, PullState::Failed);
        let pause = |failures, wanted| retry(&last, failures, 0, Duration::from_secs(wanted));
        assert!((30 * SECOND..=33 * SECOND).contains(&pause(1, 0)));
        assert!((60 * SECOND..=66 * SECOND).contains(&pause(2, 0)));
        assert!((HOUR..=66 * MINUTE).contains(&pause(40, 0)));
        assert!((90 * SECOND..=99 * SECOND).contains(&pause(1, 90)));
        assert!(pause(1, u64::MAX) > HOUR, "no overflow");
    }
}
