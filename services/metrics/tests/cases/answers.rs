//! Questions, and what is expected of their answers.

use vigie_metrics::{Answer, Dimension, IncidentFilter, Page, Row, Scope, ScopeSpec};
use vigie_model::format_time;
use vigie_model::settings::MetricName;
use vigie_model::window::{Granularity, Window, WindowSpec};

use crate::run::Asked;
use crate::words::{number, same, show, span, time, words};

/// A question with its answer.
pub struct Question {
    metric: MetricName,
    scope: Scope,
    window: Window,
    answer: Answer,
}

/// `METRIC WINDOW [service=…] [team=…] [environment=…]`, the window as `2026-10`, `FROM..TO` or `last=P7D`.
pub fn ask(text: &str, asked: &Asked) -> Result<Question, String> {
    let words = words(text);
    let [metric, window, rest @ ..] = words.as_slice() else {
        return Err("write: ask METRIC WINDOW …".to_owned());
    };
    let metric = MetricName::parse(metric).ok_or_else(|| format!("there is no metric {metric}"))?;
    let window = if let Some(last) = window.strip_prefix("last=") {
        WindowSpec::last(crate::words::length(last)?)
    } else if window.contains("..") {
        let (from, to) = span(window)?;
        WindowSpec { from, to, ..WindowSpec::default() }
    } else {
        WindowSpec::month(window)
    };
    let snapshot = &asked.snapshot;
    let window = window.resolve(snapshot.zone(), asked.now).map_err(|error| error.to_string())?;
    let mut spec = ScopeSpec::default();
    for word in rest {
        let list = |text: &str| text.split(',').map(str::to_owned).collect();
        match word.split_once('=') {
            Some(("service", names)) => spec.services = list(names),
            Some(("team", names)) => spec.teams = list(names),
            Some(("environment", name)) => spec.environment = Some(name.to_owned()),
            _ => return Err(format!("no such word: {word}")),
        }
    }
    let scope = snapshot.scope(&spec).map_err(|error| error.to_string())?;
    let answer = snapshot.ask(metric, &scope, window, asked.now);
    Ok(Question { metric, scope, window, answer })
}

fn expect_number(what: &str, found: Option<f64>, text: &str) -> Result<(), String> {
    let expected = number(text)?;
    if same(found, expected) { Ok(()) } else { Err(format!("{what} is {}, not {text}", show(found))) }
}

fn expect_text(what: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}, not {expected}")) }
}

/// One expectation: its first word and the rest of its line.
pub fn check(question: &Question, word: &str, rest: &str, asked: &Asked) -> Result<(), String> {
    let Question { metric, scope, window, answer } = question;
    let (snapshot, now) = (&asked.snapshot, asked.now);
    match word {
        "value" => match answer.no_data {
            Some(reason) => Err(format!("there is no value: {reason}")),
            None => expect_number("the value", answer.value, rest),
        },
        "none" => match answer.no_data {
            Some(reason) => expect_text("the reason", reason.as_str(), rest),
            None => Err(format!("the value is {}", show(answer.value))),
        },
        "numerator" => expect_number("the numerator", answer.numerator, rest),
        "denominator" => expect_number("the denominator", answer.denominator, rest),
        "n" => expect_text("the sample size", &answer.sample_size.to_string(), rest),
        "mean" => expect_number("the mean", answer.mean, rest),
        "coverage" => expect_number("the coverage", answer.coverage, rest),
        "status" => expect_text("the status", answer.status.as_str(), rest),
        "level" => expect_text("the level", answer.level.map_or("none", |level| level.as_str()), rest),
        "target" => {
            let (objective, set_at) = rest.split_once(" by ").unwrap_or((rest, ""));
            let target = answer.target.as_ref();
            expect_number("the target", target.map(|target| target.objective), objective)?;
            match target.filter(|_| !set_at.is_empty()) {
                Some(target) => expect_text("the target's place", &target.set_at, set_at),
                None => Ok(()),
            }
        }
        "left" => {
            let mut found: Vec<String> =
                answer.excluded.iter().map(|left| format!("{} {}", left.count, left.reason)).collect();
            found.sort();
            let mut expected: Vec<&str> = rest.trim_start_matches("out").split(',').map(str::trim).collect();
            expected.retain(|item| !item.is_empty() && *item != "nothing");
            expected.sort_unstable();
            expect_text("left out", &found.join(", "), &expected.join(", "))
        }
        "previous" => {
            let earlier = snapshot.ask(*metric, scope, window.previous(snapshot.zone()), now);
            expect_number("the previous value", earlier.value, rest)
        }
        "interval" => {
            let words = words(rest);
            let found = answer.interval();
            let ends = [found.map(|interval| interval.low), found.map(|interval| interval.high)];
            let expected = words.iter().map(|word| number(word)).collect::<Result<Vec<_>, _>>()?;
            // Intervals are written as far as they are looked at.
            let near = |(found, expected): (&Option<f64>, &Option<f64>)| match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= 1e-3 * expected.abs().max(1e-3),
                (None, None) => true,
                _ => false,
            };
            let is_near = ends.iter().zip(expected.iter().cycle()).all(near);
            if is_near { Ok(()) } else { Err(format!("the interval is {} to {}", show(ends[0]), show(ends[1]))) }
        }
        "trend" => {
            let earlier = snapshot.ask(*metric, scope, window.previous(snapshot.zone()), now);
            expect_text("the trend", vigie_metrics::trend(answer, &earlier).as_str(), rest)
        }
        "series" => series(question, rest, asked),
        "by" => breakdown(question, rest, asked),
        "evidence" => evidence(question, rest, asked),
        "incidents" => {
            let page = snapshot.incidents(scope, *window, IncidentFilter::default(), &Page::first(100));
            let mut found: Vec<&str> = page.rows.iter().map(|listed| &*listed.row.id).collect();
            found.sort_unstable();
            expect_text("the list", &found.join(" "), rest)
        }
        "stages" => {
            let stages = snapshot.stages(scope, *window, now);
            let found = [stages.coding, stages.pickup, stages.review, stages.deploy];
            let names = ["coding", "pickup", "review", "deploy"];
            let expected = words(rest);
            (0..4).try_for_each(|i| expect_number(names[i], found[i], expected.get(i).map_or("none", |word| word)))
        }
        "waiting" => {
            let waiting = snapshot.waiting(scope, *window, now);
            let found = match waiting.oldest {
                Some(oldest) => format!("{} since {}", waiting.count, format_time(oldest)),
                None => waiting.count.to_string(),
            };
            let expected = match rest.split_once(" since ") {
                Some((count, since)) => format!("{count} since {}", format_time(time(since)?)),
                None => rest.to_owned(),
            };
            expect_text("waiting", &found, &expected)
        }
        "rollbacks" => {
            let rollbacks = snapshot.rollbacks(scope, *window, now);
            let (count, median) = rest.split_once(" median ").unwrap_or((rest, "none"));
            expect_text("the rollbacks", &rollbacks.count.to_string(), count)?;
            expect_number("their median", rollbacks.median_time, median)
        }
        "budget" => budget(question, rest, asked),
        "quality" => {
            let report = snapshot.quality(scope, *window, now);
            let (verb, code) = rest.split_once(' ').ok_or("write: quality has CODE, or quality lacks CODE")?;
            let has = report.counts.iter().any(|(known, _)| **known == *code);
            let codes: Vec<&str> = report.counts.iter().map(|(code, _)| &**code).collect();
            if has == (verb == "has") { Ok(()) } else { Err(format!("data quality has {}", codes.join(", "))) }
        }
        word => match word.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok()) {
            Some(percent) => {
                let found = answer.quantiles(&[percent / 100.0]);
                expect_number("the quantile", found[0], rest)
            }
            None => Err(format!("{word} begins no expectation")),
        },
    }
}

/// `series day: 1 2 - 0`, or `series day of 31: …` for the first buckets.
fn series(question: &Question, rest: &str, asked: &Asked) -> Result<(), String> {
    let (head, values) = rest.split_once(':').ok_or("write: series day: 1 2 …")?;
    let (every, count) = head.split_once(" of ").unwrap_or((head, ""));
    let every = Granularity::parse(every).ok_or_else(|| format!("there is no step {every}"))?;
    let Question { metric, scope, window, .. } = question;
    let points = asked.snapshot.series(*metric, scope, *window, every, asked.now).map_err(|e| e.to_string())?;
    let expected = words(values);
    let count = if count.is_empty() { expected.len() } else { count.parse().map_err(|_| "write: of COUNT")? };
    if points.len() != count {
        return Err(format!("the series has {} points, not {count}", points.len()));
    }
    for (point, expected) in points.iter().zip(&expected) {
        expect_number(&format!("the value of {}", format_time(point.from)), point.value, expected)?;
    }
    Ok(())
}

/// `by service: checkout 1.5, cart none`; what no team runs is `nobody`.
fn breakdown(question: &Question, rest: &str, asked: &Asked) -> Result<(), String> {
    let (head, values) = rest.split_once(':').ok_or("write: by service: NAME VALUE, …")?;
    let by = match head {
        "service" => Dimension::Service,
        "team" => Dimension::Team,
        "environment" => Dimension::Environment,
        _ => return Err(format!("there is no dimension {head}")),
    };
    let parts = asked.snapshot.breakdown(&question.scope, by);
    let expected: Vec<&str> = values.split(',').map(str::trim).collect();
    let name = |part: &vigie_metrics::Part| {
        let name = part.service.clone().or(part.team.clone()).or(part.environment.clone());
        name.map_or_else(|| "nobody".to_owned(), |name| name.to_string())
    };
    let names: Vec<String> = parts.iter().map(name).collect();
    let wanted: Vec<&str> = expected.iter().filter_map(|item| item.split(' ').next()).collect();
    expect_text("the breakdown", &names.join(" "), &wanted.join(" "))?;
    for (part, expected) in parts.iter().zip(expected) {
        let answer = asked.snapshot.ask(question.metric, &part.scope, question.window, asked.now);
        let value = expected.split_once(' ').map_or("none", |(_, value)| value);
        expect_number(&name(part), answer.value, value)?;
    }
    Ok(())
}

/// `evidence d1 d2 r1(rollback)`, in any order: changes by the names of their commits, intervals by their start.
fn evidence(question: &Question, rest: &str, asked: &Asked) -> Result<(), String> {
    let Question { metric, scope, window, .. } = question;
    let mut found: Vec<String> = Vec::new();
    let mut page = Page::first(3);
    loop {
        let part = asked.snapshot.evidence(*metric, scope, *window, asked.now, &page);
        for row in &part.rows {
            let name = match &row.row {
                Row::Deployment(row) => row.id.to_string(),
                Row::Change(row) => match row.pull_request {
                    Some(number) => format!("#{number}"),
                    None => asked.names.name(&row.sha),
                },
                Row::Incident(row) => row.id.to_string(),
                Row::Interval { from, to, .. } => format!("{}..{}", format_time(*from), format_time(*to)),
            };
            found.push(row.reason.map_or(name.clone(), |reason| format!("{name}({reason})")));
        }
        page.after = part.rows.last().map(|row| row.cursor.clone());
        if !part.has_next {
            break;
        }
    }
    found.sort();
    let mut expected = words(rest);
    expected.sort();
    expect_text("the evidence", &found.join(" "), &expected.join(" "))
}

/// `budget allowed 43m12s spent 0.5 left 0.5 from 2026-10-01 to 2026-11-01 burn 1h 14.4`; any of these.
fn budget(question: &Question, rest: &str, asked: &Asked) -> Result<(), String> {
    let budget = asked.snapshot.budget(&question.scope, question.window, asked.now);
    if rest == "none" {
        return if budget.is_none() { Ok(()) } else { Err(format!("{budget:?}")) };
    }
    let budget = budget.ok_or("there is no budget")?;
    let words = words(rest);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let value = words.get(at + 1).ok_or_else(|| format!("{word} has no value"))?;
        match word.as_str() {
            "allowed" => expect_number(word, Some(budget.allowed), value)?,
            "spent" => expect_number(word, Some(budget.spent), value)?,
            "left" => expect_number(word, Some(budget.left), value)?,
            "from" => expect_text(word, &format_time(budget.from), &format_time(time(value)?))?,
            "to" => expect_text(word, &format_time(budget.to), &format_time(time(value)?))?,
            "burn" => {
                let look_back = crate::words::length(value)?;
                let rate = budget.burn_rates.iter().find(|rate| rate.look_back == look_back);
                let rate = rate.ok_or_else(|| format!("there is no look-back {value}"))?;
                let expected = words.get(at + 2).ok_or("burn LENGTH RATE")?;
                expect_number(&format!("the burn rate over {value}"), rate.rate, expected)?;
                at += 1;
            }
            _ => return Err(format!("the budget has no {word}")),
        }
        at += 2;
    }
    Ok(())
}
