//! Which services lack the data of which metric, and what would fill it.

use std::collections::BTreeMap;

use vigie_engine::{Engine, EngineOptions, Folding, Unmapped, say_unmapped};
use vigie_metrics::{NoData, ScopeSpec, Snapshot, TargetStatus};
use vigie_model::settings::MetricName;
use vigie_model::window::Window;
use vigie_model::{DAY, Time};
use vigie_store::Store;

use super::Finding;
use crate::commands::scorecard::remedy;
use crate::context::Context;
use crate::humane;

const DATA: &str = "Data of the last 90 days";
/// Services that are named before the rest is counted.
const NAMED: usize = 8;

pub(super) async fn look(context: &Context, store: Store, findings: &mut Vec<Finding>) {
    let options = EngineOptions { read_only: true, ..EngineOptions::new(store) };
    let engine = match Engine::open(options.clock(context.clock.clone()).folding(Folding::OnDemand)).await {
        Ok(engine) => engine,
        Err(error) => {
            findings.push(Finding::problem(DATA, error.to_string(), ""));
            return;
        }
    };
    let unmapped = engine.unmapped().await.unwrap_or_default();
    let snapshot = engine.snapshot();
    if snapshot.services().is_empty() {
        return;
    }
    missing(&snapshot, context.now(), findings);
    quality(&snapshot, &unmapped, context.now(), findings);
}

fn window(now: Time) -> Window {
    Window::new(now - 90 * DAY, now)
}

fn missing(snapshot: &Snapshot, now: Time, findings: &mut Vec<Finding>) {
    let window = window(now);
    let mut without: BTreeMap<(usize, NoData), Vec<&str>> = BTreeMap::new();
    let mut complete = 0_u64;
    let current: Vec<&str> = snapshot
        .services()
        .iter()
        .filter(|service| service.archived_at.is_none_or(|at| at > now))
        .map(|service| &*service.slug)
        .collect();
    for slug in &current {
        let spec = ScopeSpec { services: vec![(*slug).to_owned()], ..ScopeSpec::default() };
        let Ok(scope) = snapshot.scope(&spec) else { continue };
        let mut is_complete = true;
        for (at, metric) in MetricName::ALL.iter().enumerate() {
            let reason = snapshot.ask(*metric, &scope, window, now).no_data;
            // That nothing failed is good to hear and no gap.
            if let Some(reason) = reason.filter(|reason| !remedy(*reason).is_empty() && is_told_by(*metric, *reason)) {
                without.entry((at, reason)).or_default().push(slug);
                is_complete = false;
            }
        }
        complete += u64::from(is_complete);
    }
    let total = current.len() as u64;
    findings.push(Finding::good(
        DATA,
        format!(
            "{} of {} have data for every metric",
            humane::count(complete),
            humane::some(total, "service", "services")
        ),
    ));
    for ((at, reason), services) in without {
        let title = snapshot.definition(MetricName::ALL[at]).title;
        let mut names = services[..services.len().min(NAMED)].join(", ");
        if services.len() > NAMED {
            names.push_str(&format!(" and {} more", humane::count((services.len() - NAMED) as u64)));
        }
        findings.push(Finding::note(DATA, format!("no {}: {names}", title.to_lowercase()), remedy(reason)));
    }
}

/// A reason that several metrics give is told once.
fn is_told_by(metric: MetricName, reason: NoData) -> bool {
    match reason {
        NoData::NoDeployments => metric == MetricName::DeploymentFrequency,
        NoData::NoFailureSignal => metric == MetricName::ChangeFailureRate,
        _ => true,
    }
}

fn quality(snapshot: &Snapshot, unmapped: &[Unmapped], now: Time, findings: &mut Vec<Finding>) {
    let Ok(scope) = snapshot.scope(&ScopeSpec::default()) else { return };
    let mut items = snapshot.quality(&scope, window(now), now).items;
    say_unmapped(&mut items, unmapped);
    for same in items.chunk_by(|a, b| a.code == b.code) {
        let (code, count, example) = (&same[0].code, same.len() as u64, same.first());
        // Each has a line of its own to be copied.
        if &**code == "unmapped_service" {
            for item in same.iter().take(NAMED) {
                findings.push(Finding::note(DATA, format!("unmapped service {}", item.service), &*item.detail));
            }
            if same.len() > NAMED {
                let text = format!(
                    "and {} more",
                    humane::some((same.len() - NAMED) as u64, "unmapped service", "unmapped services")
                );
                findings.push(Finding::note(DATA, text, "GraphQL's dataQuality lists them all"));
            }
            continue;
        }
        let example = example.map(|item| format!("{}: {}", item.service, item.detail)).unwrap_or_default();
        // Said already, per metric.
        if matches!(&**code, "no_failure_signal" | "no_uptime_source") {
            continue;
        }
        let text = format!("{} {}", humane::count(count), code.replace('_', " "));
        findings.push(Finding::note(DATA, text, format!("for example {example}")));
    }
    let missed = MetricName::ALL
        .iter()
        .filter(|metric| snapshot.ask(**metric, &scope, window(now), now).status == TargetStatus::Missed)
        .count();
    if missed > 0 {
        let text = format!("the organisation misses {}", humane::some(missed as u64, "target", "targets"));
        findings.push(Finding::note(DATA, text, "vigie scorecard --last P90D"));
    }
}
