//! The scorecard for a person.

use vigie_metrics::{GIVEN_UP_IN, NoData, TargetStatus, exclusion_text};
use vigie_model::settings::MetricName;
use vigie_model::{SECOND, Time};

use super::{Scorecard, Shown};
use crate::humane;
use crate::terminal::{Grid, Paint, Tone, plain};

/// Left out as a matter of course; the others are worth a word.
const ROUTINE: &[&str] = &["redeployment", "same_rollout", "other_category", "other_line", "rollback", "unsuccessful"];

pub(super) fn render(card: &Scorecard, paint: Paint) -> String {
    let parts = [
        heading(card, paint),
        grid(card, paint),
        to_do(card, paint),
        no_data(card, paint),
        worth_knowing(card, paint),
        footnotes(card, paint),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn heading(card: &Scorecard, paint: Paint) -> String {
    let asked = &card.asked;
    let services = humane::some(card.services as u64, "service", "services");
    let mut whose = match (&asked.service, &asked.team) {
        (Some(slug), _) => format!("{} (service {slug})", asked.title),
        (None, Some(slug)) => format!("{} (team {slug}, {services})", asked.title),
        (None, None) => format!("{}, {services}", asked.title),
    };
    if !card.organization.is_empty() {
        whose = format!("{}: {whose}", card.organization);
    }
    let zone = &card.zone;
    let (from, to) = (humane::instant(card.window.from, zone), humane::instant(card.window.to, zone));
    let length = card.window.to - card.window.from;
    let name = match card.window.month {
        Some((year, month)) => format!("{year}-{month:02}: "),
        None if card.window.to == card.now => format!("last {}: ", humane::duration(length)),
        None => String::new(),
    };
    let as_of = card.as_of.map(|at| format!(", as of {}", humane::instant(at, zone))).unwrap_or_default();
    format!(
        "{}\n{}\n",
        paint.tone(Tone::Strong, &format!("{whose}, {}", asked.environment)),
        paint.tone(Tone::Faint, &format!("{name}{from} to {to} ({}){as_of}", zone.name()))
    )
}

fn grid(card: &Scorecard, paint: Paint) -> String {
    let mut grid = Grid::new(&["Metric", ">Value", ">Target", "Status", "Level", ">Before", ">Change", ">n"]);
    for shown in &card.metrics {
        let answer = &shown.answer;
        let unit = answer.unit;
        let value = answer.value.map_or_else(|| "no data".to_owned(), |value| humane::value(unit, value));
        let target = answer.target.as_ref().map(|target| humane::target(answer.metric, target)).unwrap_or_default();
        let (status, tone) = match (answer.status, &answer.target) {
            (TargetStatus::Met, _) => ("met", Tone::Good),
            (TargetStatus::AtRisk, _) => ("at risk", Tone::Warning),
            (TargetStatus::Missed, _) => ("missed", Tone::Bad),
            (TargetStatus::NoData, _) => ("", Tone::Faint),
        };
        let level = answer.level.map(|level| level.as_str().to_lowercase()).unwrap_or_default();
        let before = shown.previous.value;
        let change = before.zip(answer.value).and_then(|(before, now)| humane::change(unit, before, now));
        grid.row([
            plain(shown.title),
            (value, answer.value.map_or(Some(Tone::Faint), |_| Some(Tone::Strong))),
            plain(target),
            (status.to_owned(), Some(tone)),
            plain(level),
            (before.map(|before| humane::value(unit, before)).unwrap_or_default(), Some(Tone::Faint)),
            (change.unwrap_or_default(), Some(Tone::Faint)),
            plain(humane::count(answer.sample_size)),
        ]);
    }
    grid.render(paint)
}

/// A heading and its lines; nothing without lines.
fn section(paint: Paint, title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("{}\n{lines}", paint.tone(Tone::Strong, title))
}

fn to_do(card: &Scorecard, paint: Paint) -> String {
    let missed = card.metrics.iter().filter(|shown| shown.answer.status == TargetStatus::Missed);
    let lines: Vec<String> = missed.map(|shown| missed_line(card, shown, paint)).collect();
    section(paint, "What to do", &lines)
}

fn missed_line(card: &Scorecard, shown: &Shown, paint: Paint) -> String {
    let answer = &shown.answer;
    let Some(target) = &answer.target else { return String::new() };
    let said = answer.value.map_or_else(|| "an incident is open".to_owned(), |value| humane::value(answer.unit, value));
    let wanted = humane::target(answer.metric, target);
    let action = if target.action.is_empty() { "decide what to do" } else { &target.action };
    let detail = match answer.metric {
        MetricName::LeadTime => slowest_stage(card).map(|stage| format!(" ({stage})")).unwrap_or_default(),
        _ => String::new(),
    };
    format!("{}: {said}, target {wanted}. {}{detail}", shown.title, paint.tone(Tone::Strong, action))
}

/// Where a lead time is spent.
#[allow(clippy::cast_possible_truncation)] // for show
fn slowest_stage(card: &Scorecard) -> Option<String> {
    let stages = &card.stages;
    let named = [
        ("first commit to opened", stages.coding),
        ("opened to first review", stages.pickup),
        ("first review to merged", stages.review),
        ("merged to deployed", stages.deploy),
    ];
    let known = named.into_iter().filter_map(|(name, length)| Some((name, length?)));
    let (name, length) = known.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let length = humane::duration((length * SECOND as f64) as Time);
    Some(format!("the longest part is {name}: {length}"))
}

fn no_data(card: &Scorecard, paint: Paint) -> String {
    let mut lines: Vec<String> = Vec::new();
    for reason in NoData::ALL {
        let titles: Vec<&str> =
            card.metrics.iter().filter(|shown| shown.answer.no_data == Some(reason)).map(|shown| shown.title).collect();
        if !titles.is_empty() {
            lines.push(format!("{}: {} {}", titles.join(", "), reason.about(), remedy(reason)).trim_end().to_owned());
        }
    }
    section(paint, "Why there is no number", &lines)
}

/// How to get the data that a reason says is missing; nothing where its absence is good news.
pub fn remedy(reason: NoData) -> &'static str {
    match reason {
        NoData::NoDeployments => "Send deployment events, or try vigie pull git PATH.",
        NoData::NoChanges => "Send commits with their parents, or pull requests: vigie pull git PATH.",
        NoData::NoCoverage => "Pull availability (vigie pull prometheus URL), or send availability or incident events.",
        NoData::NoFailureSignal => "Send incidents, or set failure_signal = true for the services.",
        NoData::NoIncidents | NoData::NoFailures | NoData::NotRecovered => "",
    }
}

fn worth_knowing(card: &Scorecard, paint: Paint) -> String {
    let mut lines: Vec<String> = Vec::new();
    if card.waiting.count > 0 {
        let (verb, oldest) = (if card.waiting.count == 1 { "waits" } else { "wait" }, card.waiting.oldest);
        let oldest =
            oldest.map(|at| format!(", the oldest for {}", humane::duration(card.now - at))).unwrap_or_default();
        let changes = humane::some(card.waiting.count, "merged change", "merged changes");
        lines.push(format!("{changes} {verb} for deployment{oldest}."));
    }
    let mut told: Vec<(&str, u64, Vec<&str>)> = Vec::new();
    for shown in &card.metrics {
        for left_out in shown.answer.excluded.iter().filter(|left_out| !ROUTINE.contains(&left_out.reason)) {
            match told.iter_mut().find(|(reason, count, _)| *reason == left_out.reason && *count == left_out.count) {
                Some((_, _, titles)) => titles.push(shown.title),
                None => told.push((left_out.reason, left_out.count, vec![shown.title])),
            }
        }
    }
    for (reason, count, titles) in told {
        let text = match exclusion_text(reason) {
            "" => reason,
            text => text,
        };
        lines.push(format!("{} left out of {}: {text}.", humane::count(count), titles.join(", ")));
    }
    if let Some(uptime) = card.metrics.iter().find(|shown| shown.answer.metric == MetricName::Uptime)
        && let Some(coverage) = uptime.answer.coverage.filter(|coverage| *coverage < 0.995)
    {
        lines.push(format!("Uptime rests on {} of the time; the rest was not observed.", humane::ratio(coverage)));
    }
    if !card.quality.counts.is_empty() {
        let counts: Vec<String> = card
            .quality
            .counts
            .iter()
            .map(|(code, count)| format!("{} {}", humane::count(*count), code.replace('_', " ")))
            .collect();
        lines.push(format!("Remarks on the data: {}.", counts.join(", ")));
    }
    section(paint, "Worth knowing", &lines)
}

fn footnotes(card: &Scorecard, paint: Paint) -> String {
    let mut out = String::new();
    if card.metrics.iter().any(|shown| shown.answer.level.is_some()) {
        let note = format!("Levels are clusters of DORA's surveys, which DORA itself gave up in {GIVEN_UP_IN}.");
        out.push_str(&paint.tone(Tone::Faint, &note));
        out.push('\n');
    }
    out.push_str("To follow a number to its rows, run vigie serve and ask at /graphql:\n");
    out.push_str(&format!("  {}\n", evidence_query(card)));
    out
}

/// The question for the rows behind the first number that was missed, else behind the lead time.
fn evidence_query(card: &Scorecard) -> String {
    let missed = card.metrics.iter().find(|shown| shown.answer.status == TargetStatus::Missed);
    let metric = missed.map_or(MetricName::LeadTime, |shown| shown.answer.metric);
    let row = match metric {
        MetricName::LeadTime => "change { repository sha pullRequest leadTime }",
        MetricName::Mttr | MetricName::Mttd | MetricName::Mtta => "incident { id title startedAt mitigatedAt }",
        MetricName::Uptime => "interval { service { slug } from to }",
        _ => "deployment { id finishedAt failed service { slug } }",
    };
    let mut arguments: Vec<String> = Vec::new();
    let mut scope: Vec<String> = Vec::new();
    scope.extend(card.asked.team.iter().map(|slug| format!("team: {slug:?}")));
    scope.extend(card.asked.service.iter().map(|slug| format!("service: {slug:?}")));
    if card.asked.environment != "production" {
        scope.push(format!("environment: {:?}", card.asked.environment));
    }
    if !scope.is_empty() {
        arguments.push(format!("scope: {{{}}}", scope.join(", ")));
    }
    let window = &card.window;
    arguments.push(match window.month {
        Some((year, month)) => format!("window: {{month: \"{year}-{month:02}\"}}"),
        None if window.to == card.now => {
            format!("window: {{last: \"{}\"}}", vigie_model::duration::format_duration(window.to - window.from))
        }
        None => {
            let (from, to) = (vigie_model::format_time(window.from), vigie_model::format_time(window.to));
            format!("window: {{from: \"{from}\", to: \"{to}\"}}")
        }
    });
    arguments.extend(card.as_of.map(|at| format!("asOf: \"{}\"", vigie_model::format_time(at))));
    let name = metric.as_str().to_uppercase();
    format!(
        "{{ scorecard({}) {{ metric(name: {name}) {{ evidence(first: 20) {{ nodes {{ counted reason {row} }} }} }} }} }}",
        arguments.join(", ")
    )
}
