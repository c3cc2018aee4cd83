//! What a person should know about the data behind the answers of a scope.

use std::collections::HashSet;

use vigie_model::Time;
use vigie_model::facts::QualityFact;
use vigie_model::window::Window;

use crate::facts::quality::{UNKNOWN_LINK, is_of_incident};
use crate::frame::ServiceFrame;
use crate::frame::deployments::Class;
use crate::scope::{Member, Scope};
use crate::slice::Slice;
use crate::snapshot::Snapshot;

/// Below this share of the window probes are called patchy.
const PATCHY: f64 = 0.95;

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QualityItem {
    /// What sort of fault, in `snake_case`.
    pub code: Box<str>,
    /// The service.
    pub service: Box<str>,
    /// When the row happened that it is about.
    pub at: Option<Time>,
    /// The row that it is about, `kind:…`.
    pub subject: Box<str>,
    /// What is wrong, and what it does to the numbers.
    pub detail: Box<str>,
}

/// Every remark on a scope in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QualityReport {
    /// Sorted by code, service, time and subject.
    pub items: Vec<QualityItem>,
    /// How many remarks there are of each code, sorted by code.
    pub counts: Vec<(Box<str>, u64)>,
}

impl Snapshot {
    /// What a person should know about the data of a scope: faults of rows in the window, and what is missing.
    #[must_use]
    pub fn quality(&self, scope: &Scope, window: Window, now: Time) -> QualityReport {
        let slices = self.slices(scope, vec![window], now);
        let slice = slices.first();
        let mut items: Vec<QualityItem> = Vec::new();
        for member in slice.members() {
            let faults = member.frame.quality().rows().into_iter();
            let in_window = |fault: &QualityFact| {
                let mut spans = member.spans(window.from, window.to);
                fault.at.is_none_or(|at| spans.any(|(from, to)| from <= at && at < to))
            };
            let own = faults.filter(in_window).filter(|fault| !self.is_found_elsewhere(&member.frame, fault));
            items.extend(own.map(|fault| QualityItem {
                code: fault.code,
                service: fault.service,
                at: fault.at,
                subject: fault.subject,
                detail: fault.detail,
            }));
            of_service(&slice, member, &mut items);
        }
        items.sort();
        // What is wrong with a commit or an incident is one fault, however many services it concerns.
        let mut met = HashSet::new();
        items.retain(|item| !is_shared(item) || met.insert((item.code.clone(), item.subject.clone())));
        let counts =
            items.chunk_by(|a, b| a.code == b.code).map(|same| (same[0].code.clone(), same.len() as u64)).collect();
        QualityReport { items, counts }
    }

    /// Whether it is a lost link of an incident that another of its services knows the deployment of: a service's
    /// facts cannot tell.
    fn is_found_elsewhere(&self, frame: &ServiceFrame, fault: &QualityFact) -> bool {
        if &*fault.code != UNKNOWN_LINK {
            return false;
        }
        let incidents = frame.incidents();
        let text = |column, row| incidents.text(column, row).unwrap_or("");
        let is_meant = |row: &usize| is_of_incident(&fault.subject, text("source", *row), text("id", *row));
        let Some(row) = (0..incidents.len()).find(is_meant) else { return false };
        let services: Vec<Box<str>> = serde_json::from_str(text("services", row)).unwrap_or_default();
        let mut others = services.iter().filter(|slug| ***slug != **frame.slug());
        others.any(|slug| {
            // Of a service that is not to be seen here nothing is claimed.
            let Some(other) = self.frame(slug) else { return true };
            let mut rows = other.incident_rows(text("source", row), text("id", row));
            // An incident that names a cause is blamed on nothing else.
            rows.any(|row| other.incidents().text("blamed", row).is_some_and(|blamed| blamed != "[]"))
        })
    }
}

/// Whether the fault is that of a row which several services share.
fn is_shared(item: &QualityItem) -> bool {
    const KINDS: [&str; 6] = ["commit", "pull_request", "incident", "check", "team", "note"];
    let kind = item.subject.split(':').next().unwrap_or_default();
    // Whether unknown paths touch a service is asked for each of them.
    KINDS.contains(&kind) && &*item.code != "unknown_paths"
}

/// What is missing for a service's metrics.
fn of_service(slice: &Slice, member: &Member, items: &mut Vec<QualityItem>) {
    let service = member.frame.service();
    let window = slice.window();
    if service.archived_at.is_some_and(|at| at <= window.from) {
        return;
    }
    let mut add = |code: &str, detail: &str| {
        items.push(QualityItem {
            code: code.into(),
            service: service.service.clone(),
            at: None,
            subject: format!("service:{}", service.service).into(),
            detail: detail.into(),
        });
    };
    if !service.declared {
        add(
            "undeclared_service",
            "events name it, and the catalogue does not: it has no team, and its repository is guessed by its name",
        );
    } else if service.team.is_none() {
        add("service_without_team", "no team runs it, so it is in no team's numbers");
    }
    let environment = member.environment();
    let is_deployed = environment.is_some_and(|own| {
        let range = own.deployments.range(window.from, window.to);
        own.deployments.counts(&range).of(Class::Delivery) > 0
    });
    if is_deployed && !service.failure_signal {
        add(
            "no_failure_signal",
            "nobody would notice a failure of it: its deployments are left out of the failure and rework rates",
        );
    }
    match slice.uptime_source(member, environment) {
        None => add("no_uptime_source", "no requests, probes or incidents are known of it: it has no uptime"),
        Some(_) => {
            if let Some(share) = slice.probed(member)
                && share < PATCHY
            {
                let detail = format!(
                    "probes cover {:.1} % of the window; the rest is unobserved and left out of its uptime",
                    share * 100.0
                );
                add("patchy_probes", &detail);
            }
        }
    }
}
