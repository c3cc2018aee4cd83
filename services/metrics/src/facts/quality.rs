//! What a person should know about the data of a service. Each row says what is wrong and what it does to the
//! numbers.

use std::collections::{BTreeMap, BTreeSet};

use vigie_model::Time;
use vigie_model::facts::{ChangeFact, QualityFact};
use vigie_model::format_time;
use vigie_model::views::{Deployment, Maintenance};

use super::blame::Verdicts;
use super::history::History;
use super::incidents::Group;
use super::source::Source;

/// An incident names a cause that this service does not have. Another of its services may: the answer leaves it out
/// then.
pub const UNKNOWN_LINK: &str = "unknown_link";

/// By the environment as it was named: one id may stand for a deployment to each region.
fn subject_of_deployment(deployment: &Deployment) -> String {
    format!("deployment:{}:{}:{}", deployment.environment, deployment.source, deployment.id)
}

fn subject_of_incident(source: &str, id: &str) -> String {
    format!("incident:{source}:{id}")
}

/// Whether a row's subject is this incident.
#[must_use]
pub fn is_of_incident(subject: &str, source: &str, id: &str) -> bool {
    let rest = subject.strip_prefix("incident:").and_then(|rest| rest.strip_prefix(source));
    rest.and_then(|rest| rest.strip_prefix(':')) == Some(id)
}

/// Something wrong with an entity itself, whatever it is counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What sort of fault, in `snake_case`.
    pub code: &'static str,
    /// The entity.
    pub subject: String,
    /// When it happened, for windows.
    pub at: Option<Time>,
    /// What is wrong and what it does to the numbers.
    pub detail: String,
}

pub(super) struct Quality {
    service: Box<str>,
    rows: Vec<QualityFact>,
}

impl Quality {
    pub(super) fn new(service: &str) -> Self {
        Self { service: service.into(), rows: Vec::new() }
    }

    pub(super) fn add(&mut self, code: &str, subject: String, at: Option<Time>, detail: String) {
        self.rows.push(QualityFact {
            service: self.service.clone(),
            code: code.into(),
            subject: subject.into(),
            at,
            detail: detail.into(),
        });
    }

    pub(super) fn two_sources(&mut self, sources: &BTreeSet<&str>) {
        let names: Vec<&str> = sources.iter().copied().collect();
        let detail = format!(
            "{} report deployments of this service, and all of them count; name the one that counts in deployments_from",
            names.join(" and ")
        );
        self.add("two_deployment_sources", format!("service:{}", self.service), None, detail);
    }

    pub(super) fn of_history(&mut self, history: &History, sources: &[Source]) {
        for row in &history.rows {
            let deployment = row.deployment;
            let subject = || subject_of_deployment(deployment);
            let at = row.finished.map(|(at, _)| at);
            for ((number, revision), node) in &row.revisions {
                if node.is_none() && !sources[*number].repository.is_empty() && deployment.commits.is_empty() {
                    let detail = format!(
                        "its revision {revision} is not among the commits of {}; it brings no change, and lead time leaves it out",
                        sources[*number].name
                    );
                    self.add("unknown_revision", subject(), at, detail);
                }
            }
            for shipped in &row.set {
                let (source, node) = (&sources[shipped.source], shipped.node);
                let is_change = source.authored_at(node).is_some();
                if !source.paths.is_everything() && is_change && !source.knows_paths(node) {
                    let subject = format!("commit:{}:{}", source.name, source.sha(node));
                    let detail = "its paths are unknown, so it counts for this service whatever it touches".to_owned();
                    self.add("unknown_paths", subject, at, detail);
                }
            }
        }
    }

    pub(super) fn of_verdicts(
        &mut self,
        environment: &str,
        verdicts: &Verdicts,
        incidents: &[&Group],
        history: &History,
    ) {
        for &lost in &verdicts.lost_links {
            let group = incidents[lost];
            let detail = format!(
                "it names a deployment or revision that this service does not have in {environment}; it blames none of its deployments"
            );
            self.add(UNKNOWN_LINK, subject_of_incident(&group.source, &group.id), Some(group.started_at), detail);
        }
        for (&at, _) in verdicts.reasons.iter().filter(|(at, _)| verdicts.failed_by(**at).is_some()) {
            let row = &history.rows[at];
            if let Some(recovered_at) = verdicts.recovered_at(at, history, incidents)
                && recovered_at < row.finished_at()
            {
                let subject = subject_of_deployment(row.deployment);
                let detail = format!(
                    "it recovered at {}, before it finished; its recovery time counts as 0",
                    format_time(recovered_at)
                );
                self.add("recovered_before_finished", subject, Some(row.finished_at()), detail);
            }
        }
    }

    pub(super) fn of_incidents(&mut self, environment: &str, incidents: &[&Group]) {
        for group in incidents {
            let subject = || subject_of_incident(&group.source, &group.id);
            if let Some(other) = &group.dangling {
                let detail = format!("it is the same as {other}, which was never reported; it counts on its own");
                self.add("unknown_same_as", subject(), Some(group.started_at), detail);
            }
            if group.restored_at.is_some_and(|restored_at| restored_at < group.started_at) {
                let detail =
                    format!("it was restored before it started ({environment}); its time to restore counts as 0");
                self.add("restored_before_started", subject(), Some(group.started_at), detail);
            }
        }
        self.of_overlaps(environment, incidents);
    }

    /// Incidents of several sources at the same time are one outage more often than not. `incidents`: by their starts.
    fn of_overlaps(&mut self, environment: &str, incidents: &[&Group]) {
        // Of each source the one that ends last: if it is over, all are.
        let mut latest: BTreeMap<&str, &Group> = BTreeMap::new();
        let end = |group: &Group| group.restored_at.unwrap_or(Time::MAX);
        for group in incidents {
            let sources: BTreeSet<&str> = group.reports.iter().map(|(source, _)| &**source).collect();
            let others =
                latest.iter().filter(|(source, earlier)| !sources.contains(*source) && end(earlier) > group.started_at);
            if let Some((_, earlier)) = others.into_iter().next() {
                let detail = format!(
                    "it began while {}:{} was open ({environment}); if they are one outage, it counts twice",
                    earlier.source, earlier.id
                );
                let subject = subject_of_incident(&group.source, &group.id);
                self.add("overlapping_incidents", subject, Some(group.started_at), detail);
            }
            for source in sources {
                let known = latest.entry(source).or_insert(group);
                if end(known) < end(group) {
                    *known = group;
                }
            }
        }
    }

    pub(super) fn of_maintenance(&mut self, environment: &str, maintenance: &[&Maintenance]) {
        for late in maintenance.iter().filter(|m| m.declared_late) {
            let subject = format!("maintenance:{environment}:{}:{}", late.source, format_time(late.from));
            let detail = "it was declared after it began; it is taken out of uptime all the same".to_owned();
            self.add("maintenance_declared_late", subject, Some(late.from), detail);
        }
    }

    pub(super) fn of_changes(&mut self, changes: &[ChangeFact]) {
        for change in changes.iter().filter(|change| change.clock_fault && change.counted) {
            let subject = format!("change:{}:{}:{}", change.environment, change.repository, change.sha);
            let detail = format!(
                "it began at {}, after its deployment at {}; its lead time counts as 0",
                format_time(change.started_at),
                format_time(change.deployed_at)
            );
            self.add("clock_fault", subject, Some(change.deployed_at), detail);
        }
    }

    pub(super) fn into_rows(mut self) -> Vec<QualityFact> {
        // A commit may come with several categories' lines: one row says it.
        self.rows.sort_by(|a, b| (&a.code, &a.subject, a.at, &a.detail).cmp(&(&b.code, &b.subject, b.at, &b.detail)));
        self.rows.dedup_by(|a, b| a.code == b.code && a.subject == b.subject);
        self.rows
    }
}
