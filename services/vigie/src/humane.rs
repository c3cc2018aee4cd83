//! Numbers as people say them. Nothing is computed here: what is shown is rounded, what is answered is not.

use vigie_model::settings::{Comparison, MetricName, Target, Unit};
use vigie_model::window::Zone;
use vigie_model::{DAY, HOUR, MINUTE, SECOND, Time};

/// A value in its unit.
pub fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds => duration(micros(value)),
        Unit::Ratio => ratio(value),
        Unit::PerDay => rate(value),
    }
}

/// A target, with its side.
pub fn target(metric: MetricName, target: &Target) -> String {
    let side = match target.comparison {
        Comparison::Above => '>',
        Comparison::Below => '<',
    };
    format!("{side} {}", value(metric.unit(), target.objective))
}

#[allow(clippy::cast_possible_truncation)] // saturates, and only for show
fn micros(seconds: f64) -> Time {
    (seconds * 1e6).round() as Time
}

/// The two largest units: `1 h 23 min`, `3 d 4 h`, `42 s`.
pub fn duration(length: Time) -> String {
    if length < 0 {
        return format!("-{}", duration(length.saturating_neg()));
    }
    // Rounded to what is shown, so that 59 min 59.6 s is an hour.
    let step = match length {
        ..HOUR => SECOND,
        HOUR..DAY => MINUTE,
        _ => HOUR,
    };
    let rounded = length.saturating_add(step / 2) / step * step;
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let first = units.iter().position(|(unit, _)| rounded >= *unit).unwrap_or(3);
    let mut left = rounded;
    let mut parts = Vec::new();
    for (unit, name) in &units[first..units.len().min(first + 2)] {
        if left >= *unit || parts.is_empty() {
            parts.push(format!("{} {name}", count(unsigned(left / unit))));
        }
        left %= unit;
    }
    parts.join(" ")
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A share: `4.96 %`, `99.93 %`; more digits where two would say "all" or "none" of what is not.
pub fn ratio(share: f64) -> String {
    let percent = share * 100.0;
    for digits in 2..=5 {
        let text = format!("{percent:.digits$}");
        let shown: f64 = text.parse().unwrap_or(percent);
        let lies = (shown >= 100.0 && percent < 100.0) || (shown <= 0.0 && percent > 0.0);
        if !lies || digits == 5 {
            return format!("{} %", trim(&text));
        }
    }
    format!("{percent} %")
}

/// A rate a day, by the day, week or month, whichever gives one or more.
pub fn rate(per_day: f64) -> String {
    let (number, unit) = match per_day {
        ..=0.0 => return "0/day".to_owned(),
        1.0.. => (per_day, "day"),
        0.142_857.. => (per_day * 7.0, "week"),
        _ => (per_day * 30.0, "month"),
    };
    let digits = if number < 10.0 { 2 } else { 1 };
    format!("{}/{unit}", trim(&format!("{number:.digits$}")))
}

/// `1.50` as `1.5`, `2.00` as `2`.
fn trim(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// How much `now` differs from `before`: in percent (`+12 %`, `±0 %`), of shares in percentage points (`-0.13 pp`).
pub fn change(unit: Unit, before: f64, now: f64) -> Option<String> {
    if unit == Unit::Ratio {
        let points = ((now - before) * 10_000.0).round() / 100.0;
        return Some(if points == 0.0 { "±0 pp".to_owned() } else { format!("{points:+} pp") });
    }
    if before == 0.0 {
        return None;
    }
    let percent = ((now - before) / before * 100.0).round();
    Some(match percent {
        0.0 => "±0 %".to_owned(),
        1000.0.. => "more than tenfold".to_owned(),
        _ => format!("{percent:+} %"),
    })
}

/// A count with its thousands apart: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 service`, `2 services`.
pub fn some(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// An instant in the organisation's time, to the minute.
pub fn instant(at: Time, zone: &Zone) -> String {
    zone.local(at).format("%Y-%m-%d %H:%M").to_string()
}

/// A size in bytes.
#[allow(clippy::cast_precision_loss)] // for show
pub fn bytes(size: i64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut number = size as f64;
    let mut unit = 0;
    while number >= 1000.0 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && number < 100.0);
    format!("{number:.digits$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_two_units() {
        let said = |seconds: f64| value(Unit::Seconds, seconds);
        assert_eq!(said(0.0), "0 s");
        assert_eq!(said(0.4), "0 s");
        assert_eq!(said(42.0), "42 s");
        assert_eq!(said(60.0), "1 min");
        assert_eq!(said(3_599.7), "1 h");
        assert_eq!(said(4_980.0), "1 h 23 min");
        assert_eq!(said(3.0 * 86_400.0 + 4.0 * 3_600.0), "3 d 4 h");
        assert_eq!(said(86_399.0), "1 d");
        assert_eq!(said(5_000.0 * 86_400.0), "5,000 d");
        assert_eq!(said(-90.0), "-1 min 30 s");
    }

    #[test]
    fn a_share_never_says_all_or_none_of_what_is_not() {
        assert_eq!(ratio(0.9993), "99.93 %");
        assert_eq!(ratio(0.0496), "4.96 %");
        assert_eq!(ratio(0.5), "50 %");
        assert_eq!(ratio(1.0), "100 %");
        assert_eq!(ratio(0.0), "0 %");
        assert_eq!(ratio(0.999_996_8), "99.9997 %");
        assert_eq!(ratio(0.000_01), "0.001 %");
    }

    #[test]
    fn rates_are_said_by_the_day_the_week_or_the_month() {
        assert_eq!(rate(1.5), "1.5/day");
        assert_eq!(rate(1.0), "1/day");
        assert_eq!(rate(1.0 / 7.0), "1/week");
        assert_eq!(rate(0.5), "3.5/week");
        assert_eq!(rate(1.0 / 90.0), "0.33/month");
        assert_eq!(rate(0.0), "0/day");
        assert_eq!(rate(12.34), "12.3/day");
    }

    #[test]
    fn changes_and_counts() {
        assert_eq!(change(Unit::Seconds, 2.0, 3.0).as_deref(), Some("+50 %"));
        assert_eq!(change(Unit::Seconds, 3.0, 2.0).as_deref(), Some("-33 %"));
        assert_eq!(change(Unit::Seconds, 3.0, 3.001).as_deref(), Some("±0 %"));
        assert_eq!(change(Unit::PerDay, 0.0, 1.0), None);
        assert_eq!(change(Unit::Ratio, 0.9987, 0.9974).as_deref(), Some("-0.13 pp"));
        assert_eq!(change(Unit::Ratio, 0.0, 0.05).as_deref(), Some("+5 pp"));
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(123), "123");
        assert_eq!(some(1, "change", "changes"), "1 change");
        assert_eq!(bytes(1_500_000), "1.5 MB");
        assert_eq!(bytes(12), "12 B");
    }
}
