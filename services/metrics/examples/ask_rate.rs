//! How fast questions are answered: 1,000 services with two years of facts (600,000 changes, 120,000 deployments,
//! 30,000 incidents), made up from a fixed seed.
//!
//! `cargo run -p vigie-metrics --example ask_rate`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_metrics::{Dimension, Page, Scope, ScopeSpec, ServiceFrame, Snapshot};
use vigie_model::facts::{AvailabilityFact, ChangeFact, DeploymentFact, IncidentFact, ServiceFact, ServiceFacts};
use vigie_model::settings::MetricName;
use vigie_model::views::TeamEntry;
use vigie_model::window::{Granularity, Window, WindowError};
use vigie_model::{DAY, HOUR, MINUTE, Settings, Time};

const SERVICES: u64 = 1_000;
const DEPLOYMENTS: u64 = 120;
const CHANGES: u64 = 5;
const INCIDENTS: u64 = 30;
const NOW: Time = 20_500 * DAY;
const LENGTH: Time = 730 * DAY;

/// A generator with a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn time(&mut self, bound: Time) -> Time {
        i64::try_from(self.below(bound.unsigned_abs())).unwrap_or(0)
    }
}

fn text(text: impl Into<String>) -> Box<str> {
    text.into().into_boxed_str()
}

fn deployment(service: &str, n: u64, at: Time, chance: &mut Chance) -> DeploymentFact {
    let kind = chance.below(100);
    let (rollback, failed) = (kind < 4, (4..14).contains(&kind));
    DeploymentFact {
        service: service.into(),
        region: "production".into(),
        source: "argocd".into(),
        id: text(format!("deploy-{n}")),
        environment: "production".into(),
        position: i64::try_from(n).ok(),
        repository: Some(text(format!("acme/{service}"))),
        revision: Some(text(format!("{n:040x}"))),
        started_at: Some(at - 5 * MINUTE),
        exposed_at: None,
        finished_at: Some(at),
        outcome: "succeeded".into(),
        category: "application".into(),
        counted: true,
        trigger: None,
        inferred: false,
        branch: Some("main".into()),
        url: None,
        baseline: n == 0,
        rollback,
        redeployment: false,
        unplanned: rollback || kind > 95,
        joined: false,
        delivery: !rollback,
        failed,
        failed_by: failed.then(|| "window".into()),
        recovered_at: failed.then(|| at + chance.time(6 * HOUR)),
        rolled_back_finished_at: rollback.then(|| at - chance.time(6 * HOUR)),
        rollout: None,
        blame: "[]".into(),
        changes: i64::try_from(CHANGES).unwrap_or(0),
    }
}

fn change(service: &str, deployment: &DeploymentFact, n: u64, chance: &mut Chance) -> ChangeFact {
    let at = deployment.finished_at.unwrap_or(0);
    let lead_time = HOUR + chance.time(5 * DAY);
    ChangeFact {
        service: service.into(),
        environment: "production".into(),
        category: "application".into(),
        repository: text(format!("acme/{service}")),
        sha: text(format!("{:040x}", n * 7_919)),
        pull_request: i64::try_from(n).ok(),
        title: Some(text(format!("Change number {n} of {service}"))),
        bot: chance.below(20) == 0,
        counted: true,
        started_at: at - lead_time,
        deployed_at: at,
        lead_time,
        clock_fault: false,
        coding: Some(lead_time / 2),
        pickup: Some(lead_time / 4),
        review: Some(lead_time / 8),
        deploy: Some(lead_time / 8),
        deployment_region: deployment.region.clone(),
        deployment_source: deployment.source.clone(),
        deployment_id: deployment.id.clone(),
        url: None,
    }
}

fn incident(number: u64, n: u64, chance: &mut Chance) -> IncidentFact {
    let started_at = NOW - chance.time(LENGTH);
    let length = 5 * MINUTE + chance.time(3 * HOUR);
    let service = format!("service-{number:04}");
    let is_shared = chance.below(5) == 0;
    let services = if is_shared {
        serde_json::json!([service, format!("service-{:04}", (number + 1) % SERVICES)])
    } else {
        serde_json::json!([service])
    };
    IncidentFact {
        service: text(service),
        environment: "production".into(),
        source: "pagerduty".into(),
        id: text(format!("incident-{number}-{n}")),
        title: Some("Something went wrong".into()),
        severity: ["critical", "major", "minor", "unknown"][usize::try_from(n % 4).unwrap_or(0)].into(),
        started_at,
        detected_at: Some(started_at + chance.time(5 * MINUTE)),
        acknowledged_at: Some(started_at + 5 * MINUTE + chance.time(5 * MINUTE)),
        mitigated_at: None,
        resolved_at: Some(started_at + length),
        restored_at: Some(started_at + length),
        services: text(services.to_string()),
        blamed: "[]".into(),
        url: None,
    }
}

fn facts(number: u64) -> ServiceFacts {
    let mut chance = Chance(number);
    let service = format!("service-{number:04}");
    let step = LENGTH / i64::try_from(DEPLOYMENTS).unwrap_or(1);
    let deployments: Vec<DeploymentFact> = (0..DEPLOYMENTS)
        .map(|n| {
            let at = NOW - LENGTH + i64::try_from(n).unwrap_or(0) * step + chance.time(step);
            deployment(&service, n, at, &mut chance)
        })
        .collect();
    let changes = deployments
        .iter()
        .zip(0..)
        .flat_map(|(deployment, n)| (0..CHANGES).map(move |i| (deployment, n * CHANGES + i)))
        .map(|(deployment, n)| change(&service, deployment, n, &mut chance))
        .collect();
    let incidents: Vec<IncidentFact> = (0..INCIDENTS).map(|n| incident(number, n, &mut chance)).collect();
    let mut outages: Vec<(Time, Time)> = incidents
        .iter()
        .filter(|incident| matches!(&*incident.severity, "critical" | "major"))
        .map(|incident| (incident.started_at, incident.restored_at.unwrap_or(NOW)))
        .collect();
    outages.sort_unstable();
    let mut last = 0;
    outages.retain(|(from, to)| {
        let is_apart = *from > last;
        last = last.max(*to);
        is_apart
    });
    ServiceFacts {
        service: ServiceFact {
            service: text(service.clone()),
            name: text(format!("Service {number}")),
            team: Some(text(format!("team-{:02}", number % 50))),
            teams: text(format!("[[0, \"team-{:02}\"]]", number % 50)),
            archived_at: None,
            failure_signal: !number.is_multiple_of(10),
            repositories: text(format!("[\"acme/{service}\"]")),
            environments: "[\"production\"]".into(),
            uptime_sources: "[[\"production\",\"incidents\"]]".into(),
            declared: true,
        },
        availability: outages
            .into_iter()
            .map(|(from, to)| AvailabilityFact {
                service: text(service.clone()),
                environment: "production".into(),
                state: "outage".into(),
                begins_at: from,
                ends_at: Some(to),
                good: None,
                total: None,
            })
            .collect(),
        deployments,
        changes,
        waiting: Vec::new(),
        incidents,
        quality: Vec::new(),
    }
}

/// The least of several runs: what else the machine does only adds to it.
fn time(what: &str, mut run: impl FnMut()) {
    let times = (0..25).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    let least = times.min().unwrap_or(Duration::ZERO);
    println!("{what:<76} {:>10.3} ms", least.as_secs_f64() * 1_000.0);
}

fn all_nine(snapshot: &Snapshot, scope: &Scope, window: Window) {
    for metric in MetricName::ALL {
        black_box(snapshot.ask(*metric, scope, window, NOW));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let facts: Vec<ServiceFacts> = (0..SERVICES).map(facts).collect();
    println!("{:<76} {:>10.3} ms", "making facts up", start.elapsed().as_secs_f64() * 1_000.0);
    let start = Instant::now();
    let frames: Vec<Arc<ServiceFrame>> = facts.iter().map(|facts| Arc::new(ServiceFrame::new(facts))).collect();
    println!("{:<76} {:>10.3} ms", "building 1,000 frames", start.elapsed().as_secs_f64() * 1_000.0);
    let teams = (0..50)
        .map(|n| TeamEntry {
            slug: text(format!("team-{n:02}")),
            name: None,
            parent: Some(text(format!("group-{}", n % 5))),
        })
        .collect();
    let snapshot = Snapshot::new(Arc::new(Settings::default()), teams, frames.clone(), 1);
    for count in [1, 500] {
        time(&format!("refreshing a snapshot, {count} services changed"), || {
            let changed = frames.iter().take(count).cloned().collect();
            black_box(snapshot.refreshed(changed, &[], None, None, 2));
        });
    }

    let all = snapshot.scope(&ScopeSpec::default())?;
    let one = snapshot.scope(&ScopeSpec { services: vec!["service-0123".to_owned()], ..ScopeSpec::default() })?;
    let year = Window::new(NOW - 365 * DAY, NOW);
    let quarter = Window::new(NOW - 90 * DAY, NOW);
    time("nine metrics of one service, 90 days (goal 1)", || all_nine(&snapshot, &one, quarter));
    time("nine metrics of all services, 365 days (goal 50)", || all_nine(&snapshot, &all, year));
    time("nine metrics by service, 365 days (goal 300)", || {
        for part in snapshot.breakdown(&all, Dimension::Service) {
            all_nine(&snapshot, &part.scope, year);
        }
    });
    time("nine metrics by team, 365 days", || {
        for part in snapshot.breakdown(&all, Dimension::Team) {
            all_nine(&snapshot, &part.scope, year);
        }
    });
    for metric in MetricName::ALL {
        time(&format!("daily {metric} of all services, 365 days (goal 100)"), || {
            let points: Result<_, WindowError> = snapshot.series(*metric, &all, year, Granularity::Day, NOW);
            black_box(points.map_or(0, |points| points.len()));
        });
    }
    for metric in MetricName::ALL {
        time(&format!("{metric} of all services, 365 days"), || {
            black_box(snapshot.ask(*metric, &all, year, NOW));
        });
    }
    time("the first 100 rows behind the lead time of all, 365 days", || {
        black_box(snapshot.evidence(MetricName::LeadTime, &all, year, NOW, &Page::first(100)));
    });
    time("resolving the scope of everything", || {
        black_box(snapshot.scope(&ScopeSpec::default()).map_or(0, |scope| scope.len()));
    });
    time("an incident by its id", || {
        black_box(snapshot.incident("pagerduty", "incident-999-29"));
    });
    Ok(())
}
