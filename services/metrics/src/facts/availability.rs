//! What is known of a service's availability, as disjoint intervals (metrics.md, Uptime).

use vigie_model::Time;
use vigie_model::facts::AvailabilityFact;
use vigie_model::settings::UptimeSource;
use vigie_model::views::{Availability, Maintenance, Sample};

/// A half-open interval; an end at [`Time::MAX`] is one that has not come.
pub type Interval = (Time, Time);

/// The union of intervals, sorted and disjoint.
#[must_use]
pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.retain(|(from, to)| from < to);
    intervals.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(intervals.len());
    for (from, to) in intervals {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What of `intervals` is in none of `holes`; both sorted and disjoint, and so is the answer.
#[must_use]
pub fn without(intervals: &[Interval], holes: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(intervals.len());
    let mut next_hole = 0;
    for &(mut from, to) in intervals {
        while next_hole < holes.len() && holes[next_hole].1 <= from {
            next_hole += 1;
        }
        let mut hole = next_hole;
        while from < to {
            match holes.get(hole) {
                Some(&(begin, end)) if begin < to => {
                    if from < begin {
                        left.push((from, begin));
                    }
                    from = end;
                    hole += 1;
                }
                _ => {
                    left.push((from, to));
                    break;
                }
            }
        }
    }
    left
}

/// Which sources of uptime have data: whatever is taken out of it, a source stays one.
pub fn sources(samples: &[&Availability], has_incidents: bool) -> impl Iterator<Item = UptimeSource> {
    let is_probed = samples.iter().any(|s| matches!(s.sample, Sample::Up(_)));
    let is_counted = samples.iter().any(|s| matches!(s.sample, Sample::Requests { .. }));
    UptimeSource::ALL.iter().copied().filter(move |source| match source {
        UptimeSource::Requests => is_counted,
        UptimeSource::Probes => is_probed,
        UptimeSource::Incidents => has_incidents,
    })
}

/// The availability facts of a service in one environment: from its samples, its maintenance and its outages
/// (start and restoration of the incidents that count as one).
#[must_use]
pub fn facts(
    service: &str,
    environment: &str,
    samples: &[&Availability],
    maintenance: &[&Maintenance],
    outages: Vec<Interval>,
) -> Vec<AvailabilityFact> {
    let holes = union(maintenance.iter().map(|m| (m.from, m.to)).collect());
    let probes =
        |state: bool| union(samples.iter().filter(|s| s.sample == Sample::Up(state)).map(|s| (s.from, s.to)).collect());
    // Where probes overlap and disagree, down wins.
    let down = without(&probes(false), &holes);
    let up = without(&without(&probes(true), &holes), &down);
    let row = |state: &str, (from, to): Interval, counts: Option<(i64, i64)>| AvailabilityFact {
        service: service.into(),
        environment: environment.into(),
        state: state.into(),
        begins_at: from,
        ends_at: (to != Time::MAX).then_some(to),
        good: counts.map(|(good, _)| good),
        total: counts.map(|(_, total)| total),
    };
    let mut rows: Vec<AvailabilityFact> = Vec::new();
    rows.extend(down.into_iter().map(|interval| row("down", interval, None)));
    rows.extend(holes.iter().map(|interval| row("maintenance", *interval, None)));
    rows.extend(without(&union(outages), &holes).into_iter().map(|interval| row("outage", interval, None)));
    let mut requests: Vec<(Interval, i64, i64)> = samples
        .iter()
        .filter_map(|s| match s.sample {
            Sample::Requests { good, total } => Some(((s.from, s.to), good, total)),
            Sample::Up(_) => None,
        })
        .collect();
    requests.sort_unstable();
    for ((from, to), good, total) in requests {
        match rows.last_mut() {
            // Two sources may count from the same instant on: their requests add up.
            Some(last) if &*last.state == "requests" && last.begins_at == from => {
                last.ends_at = last.ends_at.max(Some(to));
                last.good = last.good.map(|n| n.saturating_add(good));
                last.total = last.total.map(|n| n.saturating_add(total));
            }
            _ => rows.push(row("requests", (from, to), Some((good, total)))),
        }
    }
    rows.extend(up.into_iter().map(|interval| row("up", interval, None)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_intervals_count_once() {
        assert_eq!(union(vec![(10, 20), (0, 5), (15, 30), (5, 6)]), [(0, 6), (10, 30)]);
        assert_eq!(without(&[(0, 100)], &[(10, 20), (90, 200)]), [(0, 10), (20, 90)]);
        assert_eq!(without(&[(0, 10), (20, 30)], &[(5, 25)]), [(0, 5), (25, 30)]);
    }

    #[test]
    fn down_wins_over_up() {
        let sample = |from, to, up| Availability { environment: "production".into(), from, to, sample: Sample::Up(up) };
        let samples = [sample(0, 100, true), sample(40, 50, false)];
        let rows = facts("s", "production", &samples.iter().collect::<Vec<_>>(), &[], Vec::new());
        let seen: Vec<_> = rows.iter().map(|r| (&*r.state, r.begins_at, r.ends_at)).collect();
        assert_eq!(seen, [("down", 40, Some(50)), ("up", 0, Some(40)), ("up", 50, Some(100))]);
    }
}
