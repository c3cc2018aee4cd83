//! The answers of frames and slices against the plainest reading of the definitions: every row of every service
//! is looked at, nothing is sorted, searched or summed ahead.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use vigie_metrics::{ScopeSpec, ServiceFrame, Snapshot};
use vigie_model::facts::{AvailabilityFact, ChangeFact, DeploymentFact, IncidentFact, ServiceFact, ServiceFacts};
use vigie_model::settings::MetricName;
use vigie_model::window::Window;
use vigie_model::{DAY, HOUR, Settings, Time};

const SPAN: Time = 200 * DAY;

fn deployment() -> impl Strategy<Value = DeploymentFact> {
    let length = 0..3 * DAY;
    (0..SPAN, 0_u8..10, any::<(bool, bool, bool)>(), length, 0_u8..4).prop_map(
        |(at, kind, (failed, unplanned, recovered), length, category)| {
            let succeeded = kind < 8;
            let rollback = kind == 6;
            let redeployment = kind == 7;
            DeploymentFact {
                service: "".into(),
                region: "production".into(),
                source: "test".into(),
                id: "".into(),
                environment: "production".into(),
                position: None,
                repository: None,
                revision: None,
                started_at: None,
                exposed_at: None,
                finished_at: Some(at),
                outcome: if succeeded { "succeeded" } else { "failed" }.into(),
                category: if category == 0 { "flag" } else { "application" }.into(),
                counted: category != 0,
                trigger: None,
                inferred: false,
                branch: None,
                url: None,
                baseline: false,
                rollback,
                redeployment,
                unplanned: rollback || (unplanned && succeeded),
                joined: false,
                delivery: succeeded && !rollback && !redeployment,
                failed: failed && !rollback && !redeployment,
                failed_by: None,
                recovered_at: (failed && recovered).then(|| at + length),
                rolled_back_finished_at: rollback.then(|| at - length),
                rollout: None,
                blame: "[]".into(),
                changes: 0,
            }
        },
    )
}

fn change() -> impl Strategy<Value = ChangeFact> {
    (0..SPAN, 0..9 * DAY, 0_u8..5).prop_map(|(at, lead_time, kind)| ChangeFact {
        service: "".into(),
        environment: "production".into(),
        category: "application".into(),
        repository: "shop".into(),
        sha: "".into(),
        pull_request: None,
        title: None,
        bot: kind == 0,
        counted: kind != 1,
        started_at: at - lead_time,
        deployed_at: at,
        lead_time,
        clock_fault: false,
        coding: None,
        pickup: None,
        review: None,
        deploy: None,
        deployment_region: "production".into(),
        deployment_source: "test".into(),
        deployment_id: "d".into(),
        url: None,
    })
}

/// An incident of one, two or three services, which each of them sees.
fn incident() -> impl Strategy<Value = (IncidentFact, u8)> {
    let times = (0..SPAN, prop::option::of(0..2 * DAY), prop::option::of(-HOUR..HOUR));
    (times, 1_u8..8).prop_map(|((from, length, detected), services)| {
        let row = IncidentFact {
            service: "".into(),
            environment: "production".into(),
            source: "test".into(),
            id: "".into(),
            title: None,
            severity: "major".into(),
            started_at: from,
            detected_at: detected.map(|at| from + at),
            acknowledged_at: None,
            mitigated_at: None,
            resolved_at: length.map(|length| from + length),
            restored_at: length.map(|length| from + length),
            services: "".into(),
            blamed: "[]".into(),
            url: None,
        };
        (row, services)
    })
}

/// Disjoint intervals, up, down or unobserved.
fn probes() -> impl Strategy<Value = Vec<AvailabilityFact>> {
    prop::collection::vec((HOUR..20 * DAY, 0_u8..3), 0..20).prop_map(|lengths| {
        let mut at = 0;
        let mut rows = Vec::new();
        for (length, state) in lengths {
            if state > 0 {
                rows.push(AvailabilityFact {
                    service: "".into(),
                    environment: "production".into(),
                    state: if state == 1 { "up" } else { "down" }.into(),
                    begins_at: at,
                    ends_at: Some(at + length),
                    good: None,
                    total: None,
                });
            }
            at += length;
        }
        rows
    })
}

type Parts = (Vec<DeploymentFact>, Vec<ChangeFact>, Vec<AvailabilityFact>, bool);

fn service(number: usize, parts: Parts, incidents: &[(IncidentFact, u8)]) -> ServiceFacts {
    let slug: Box<str> = format!("s{number}").into();
    let (mut deployments, mut changes, mut availability, failure_signal) = parts;
    for (row, n) in deployments.iter_mut().zip(0..) {
        (row.service, row.id) = (slug.clone(), format!("d{n}").into());
    }
    for (row, n) in changes.iter_mut().zip(0..) {
        (row.service, row.sha) = (slug.clone(), format!("{n:040x}").into());
    }
    availability.iter_mut().for_each(|row| row.service = slug.clone());
    let own = incidents.iter().zip(0..).filter(|((_, services), _)| services >> number & 1 == 1);
    ServiceFacts {
        service: ServiceFact {
            service: slug.clone(),
            name: slug.clone(),
            team: None,
            teams: "[]".into(),
            archived_at: None,
            failure_signal,
            repositories: "[]".into(),
            environments: "[]".into(),
            uptime_sources: "[[\"production\",\"probes\"]]".into(),
            declared: true,
        },
        incidents: own
            .map(|((row, services), n)| {
                let names: Vec<String> = (0..3).filter(|i| services >> i & 1 == 1).map(|i| format!("s{i}")).collect();
                IncidentFact {
                    service: slug.clone(),
                    id: format!("i{n}").into(),
                    services: serde_json::to_string(&names).unwrap().into(),
                    ..row.clone()
                }
            })
            .collect(),
        deployments,
        changes,
        availability,
        waiting: Vec::new(),
        quality: Vec::new(),
    }
}

fn organisation() -> impl Strategy<Value = Vec<ServiceFacts>> {
    let parts =
        (prop::collection::vec(deployment(), 0..25), prop::collection::vec(change(), 0..25), probes(), any::<bool>());
    (prop::collection::vec(parts, 3), prop::collection::vec(incident(), 0..15)).prop_map(|(parts, incidents)| {
        let services = parts.into_iter().enumerate();
        services.map(|(number, parts)| service(number, parts, &incidents)).collect()
    })
}

/// What a metric's value should be: a quotient, a median or a mean.
fn expected(metric: MetricName, all: &[&ServiceFacts], window: Window) -> Option<f64> {
    let deployments = |signal: bool| {
        let services = all.iter().filter(move |facts| !signal || facts.service.failure_signal);
        services
            .flat_map(|facts| &facts.deployments)
            .filter(|row| row.counted && row.finished_at.is_some_and(|at| window.contains(at)))
    };
    let is_judged = |row: &&DeploymentFact| row.delivery || (row.failed && &*row.outcome != "succeeded");
    let ratio = |above: usize, below: usize| (below > 0).then(|| above as f64 / below as f64);
    let restored = || {
        let mut met = BTreeSet::new();
        let rows = all.iter().flat_map(|facts| &facts.incidents);
        rows.filter(|row| row.restored_at.is_some_and(|at| window.contains(at)))
            .filter(|row| met.insert(row.id.clone()))
            .cloned()
            .collect::<Vec<_>>()
    };
    match metric {
        MetricName::DeploymentFrequency => {
            let is_active = |facts: &&&ServiceFacts| {
                facts.deployments.iter().any(|row| {
                    let at = row.finished_at.unwrap_or(Time::MAX);
                    row.counted && row.delivery && window.from - 90 * DAY <= at && at < window.to
                })
            };
            let active = all.iter().filter(is_active).count();
            let deliveries = deployments(false).filter(|row| row.delivery).count();
            (active > 0).then(|| deliveries as f64 / (active as f64 * window.days()))
        }
        MetricName::LeadTime => {
            let changes = all.iter().flat_map(|facts| &facts.changes);
            let own = changes.filter(|row| row.counted && !row.bot && window.contains(row.deployed_at));
            median(own.map(|row| row.lead_time).collect())
        }
        MetricName::ChangeFailureRate => {
            let judged = || deployments(true).filter(is_judged);
            ratio(judged().filter(|row| row.failed).count(), judged().count())
        }
        MetricName::FailedDeploymentRecoveryTime => {
            let failed = deployments(true).filter(is_judged).filter(|row| row.failed);
            median(failed.filter_map(|row| Some(row.recovered_at? - row.finished_at?)).collect())
        }
        MetricName::ReworkRate => {
            let all = || deployments(true).filter(|row| &*row.outcome == "succeeded" && !row.redeployment);
            ratio(all().filter(|row| row.unplanned).count(), all().count())
        }
        MetricName::Mttr => mean(restored().iter().map(|row| row.restored_at.unwrap() - row.started_at).collect()),
        MetricName::Mttd => {
            let known = restored().into_iter().filter_map(|row| Some(row.detected_at? - row.started_at));
            mean(known.filter(|length| *length >= 0).collect())
        }
        MetricName::Mtta => None,
        MetricName::Uptime => {
            let ratios: Vec<f64> = all.iter().filter_map(|facts| uptime(facts, window)).collect();
            (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
        }
    }
}

fn uptime(facts: &ServiceFacts, window: Window) -> Option<f64> {
    let covered = |state: &str| -> Time {
        let rows = facts.availability.iter().filter(|row| &*row.state == state);
        rows.map(|row| (row.ends_at.unwrap().min(window.to) - row.begins_at.max(window.from)).max(0)).sum()
    };
    let (up, down) = (covered("up"), covered("down"));
    (up + down > 0).then(|| up as f64 / (up + down) as f64)
}

fn median(mut values: Vec<Time>) -> Option<f64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle] as f64 / 1e6),
        _ => Some((values[middle - 1] + values[middle]) as f64 / 2e6),
    }
}

fn mean(values: Vec<Time>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.iter().sum::<Time>() as f64 / 1e6 / count as f64)
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_answer_is_what_the_definition_says(
        facts in organisation(),
        from in 0..SPAN,
        length in HOUR..120 * DAY,
        chosen in prop::sample::subsequence(vec![0_usize, 1, 2], 1..=3),
    ) {
        let frames = facts.iter().map(|facts| Arc::new(ServiceFrame::new(facts))).collect();
        let snapshot = Snapshot::new(Arc::new(Settings::default()), Vec::new(), frames, 1);
        let window = Window::new(from, from + length);
        let spec = ScopeSpec { services: chosen.iter().map(|n| format!("s{n}")).collect(), ..ScopeSpec::default() };
        let scope = snapshot.scope(&spec).unwrap();
        let own: Vec<&ServiceFacts> = chosen.iter().map(|n| &facts[*n]).collect();
        for metric in MetricName::ALL {
            let answer = snapshot.ask(*metric, &scope, window, window.to);
            let expected = expected(*metric, &own, window);
            prop_assert!(near(answer.value, expected), "{metric}: {:?}, and not {expected:?}", answer.value);
            prop_assert_eq!(answer.value.is_none(), answer.no_data.is_some());
            if let (Some(value), Some(above), Some(below)) = (answer.value, answer.numerator, answer.denominator) {
                prop_assert!(near(Some(value), Some(above / below)), "{metric}: {above} / {below}");
            }
        }
    }

    #[test]
    fn frames_hold_what_they_were_made_of(facts in organisation()) {
        for facts in &facts {
            let frame = ServiceFrame::new(facts);
            let again = ServiceFrame::new(&frame.facts());
            prop_assert_eq!(frame.facts(), again.facts());
            prop_assert_eq!(frame.facts().deployments.len(), facts.deployments.len());
            for row in frame.facts().changes {
                prop_assert!(facts.changes.contains(&row));
            }
        }
    }
}
