//! What probes and request counters see of a service in a day.

use serde_json::json;
use vigie_model::{DAY, HOUR, MINUTE, Time};

use super::chance::{Chance, whole};
use super::line::Line;
use super::organisation::Watched;
use super::outbox::{Outbox, text};

pub(super) fn day(outbox: &mut Outbox, chance: &mut Chance, line: &mut Line, day: Time) {
    match line.profile.watched {
        Watched::Incidents => {}
        Watched::Probes | Watched::Monitor => probes(outbox, chance, line, day),
        Watched::Requests => requests(outbox, chance, line, day),
    }
    line.outages.retain(|(_, to)| *to > day + DAY);
}

/// The outages of the stretch, cut at its ends, joined and sorted.
fn within(outages: &[(Time, Time)], from: Time, to: Time) -> Vec<(Time, Time)> {
    let mut cut: Vec<(Time, Time)> =
        outages.iter().map(|(begin, end)| ((*begin).max(from), (*end).min(to))).filter(|(a, b)| a < b).collect();
    cut.sort_unstable();
    let mut joined: Vec<(Time, Time)> = Vec::new();
    for (begin, end) in cut {
        match joined.last_mut() {
            Some(last) if begin <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((begin, end)),
        }
    }
    joined
}

fn probes(outbox: &mut Outbox, chance: &mut Chance, line: &Line, day: Time) {
    let mut outages = line.outages.clone();
    if chance.happens(0.03) {
        // Too short for anybody to be woken.
        let at = whole(day + chance.between(0, DAY - HOUR));
        outages.push((at, at + chance.between(1, 4) * MINUTE));
    }
    let mut send = |from: Time, to: Time, up: bool| {
        if from < to && line.profile.watched == Watched::Monitor {
            // It tells of changes; what holds in between follows.
            let event = json!({
                "kind": "check", "source": "monitor", "id": format!("{} from outside", line.profile.slug),
                "service": line.profile.slug, "since": text(from), "up": up, "counts_as": "availability",
            });
            outbox.send(from, &event);
        } else if from < to {
            let event = json!({
                "kind": "availability", "source": "probes", "service": line.profile.slug,
                "from": text(from), "to": text(to), "up": up,
            });
            outbox.send(to, &event);
        }
    };
    let mut at = day;
    for (begin, end) in within(&outages, day, day + DAY) {
        send(at, begin, true);
        send(begin, end, false);
        at = end;
    }
    send(at, day + DAY, true);
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // counts of an hour
fn requests(outbox: &mut Outbox, chance: &mut Chance, line: &Line, day: Time) {
    let regions = if line.profile.regions.is_empty() { &["production"][..] } else { line.profile.regions };
    for hour in 0..24 {
        let (from, to) = (day + hour * HOUR, day + (hour + 1) * HOUR);
        let lost: Time = within(&line.outages, from, to).iter().map(|(begin, end)| end - begin).sum();
        let down = lost as f64 / HOUR as f64 * 0.85;
        // Few at night, most in the early evening.
        let daylight = 1.0 - ((hour - 17) as f64 / 24.0 * std::f64::consts::TAU).cos();
        for region in regions {
            let total = (18_000.0 * (2.2 - daylight) * (0.9 + 0.2 * chance.unit())) as i64;
            let bad = (total as f64 * (down + 0.000_3 * chance.unit())) as i64;
            let event = json!({
                "kind": "availability", "source": "gateway", "service": line.profile.slug, "environment": region,
                "from": text(from), "to": text(to), "good": total - bad, "total": total,
            });
            outbox.send(to, &event);
        }
    }
}
