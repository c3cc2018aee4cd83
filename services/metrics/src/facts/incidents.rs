//! Incidents, those linked by `same_as` joined to one (metrics.md, Incident).

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use vigie_model::Time;
use vigie_model::settings::Severity;
use vigie_model::views::Incident;

/// What an incident says caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// A deployment's id.
    pub deployment: Option<Box<str>>,
    /// A revision, lower case.
    pub revision: Option<Box<str>>,
    /// The services that the incident names.
    pub services: Vec<Box<str>>,
    /// Its environment as it was named, lower case.
    pub environment: Box<str>,
}

/// One incident: as it was reported, or several reports that are linked.
#[derive(Debug, Clone)]
pub struct Group {
    /// Of the report that the others name.
    pub source: Arc<str>,
    /// Of the same.
    pub id: Box<str>,
    /// What it is called.
    pub title: Option<Box<str>>,
    /// The worst that any report says.
    pub severity: Option<Severity>,
    /// The earliest start.
    pub started_at: Time,
    /// The earliest.
    pub detected_at: Option<Time>,
    /// The earliest.
    pub acknowledged_at: Option<Time>,
    /// The latest restoration's report's.
    pub mitigated_at: Option<Time>,
    /// The latest.
    pub resolved_at: Option<Time>,
    /// The latest restoration; `None`: open.
    pub restored_at: Option<Time>,
    /// `(service, environment)` as they were named.
    pub places: BTreeSet<(Box<str>, Box<str>)>,
    /// What the reports name as causes.
    pub links: Vec<Link>,
    /// Where to read more.
    pub url: Option<Box<str>>,
    /// A report that names another which is not there.
    pub dangling: Option<Box<str>>,
    /// `source:id` of every report.
    pub reports: Vec<Box<str>>,
}

/// Every incident that was reported, and how they are linked.
///
/// A report is known by its label, `source:id`. Groups are found when they are asked for, so that one report's
/// change costs no more than its own group.
#[derive(Debug, Default)]
pub struct Incidents {
    reports: HashMap<Box<str>, Incident>,
    /// The labels on both ends of every `same_as`, whether reported or not.
    linked: HashMap<Box<str>, BTreeSet<Box<str>>>,
    of_service: HashMap<Box<str>, BTreeSet<Box<str>>>,
}

fn label(source: &str, id: &str) -> Box<str> {
    format!("{source}:{id}").into()
}

impl Incidents {
    /// Takes a report in, or its newer state.
    pub fn put(&mut self, incident: Incident) {
        self.remove(&incident.source, &incident.id);
        let own = label(&incident.source, &incident.id);
        if let Some(other) = incident.same_as.clone().filter(|other| *other != own) {
            self.linked.entry(own.clone()).or_default().insert(other.clone());
            self.linked.entry(other).or_default().insert(own.clone());
        }
        for service in &incident.services {
            self.of_service.entry(service.clone()).or_default().insert(own.clone());
        }
        self.reports.insert(own, incident);
    }

    /// Forgets a report that was deleted or is no longer complete.
    pub fn remove(&mut self, source: &str, id: &str) {
        let own = label(source, id);
        let Some(old) = self.reports.remove(&own) else { return };
        if let Some(other) = old.same_as.filter(|other| *other != own) {
            // The other may name this one too.
            let is_mutual = self.reports.get(&other).is_some_and(|report| report.same_as.as_ref() == Some(&own));
            if !is_mutual {
                for (from, to) in [(&own, &other), (&other, &own)] {
                    if let Some(ends) = self.linked.get_mut(from) {
                        ends.remove(to);
                    }
                }
            }
        }
        for service in &old.services {
            if let Some(labels) = self.of_service.get_mut(service) {
                labels.remove(&own);
            }
        }
    }

    /// The reports that are one with this one, sorted by label.
    fn members(&self, of: &str) -> Vec<&Incident> {
        if !self.linked.contains_key(of) {
            return self.reports.get(of).into_iter().collect();
        }
        let mut seen: BTreeSet<&str> = BTreeSet::from([of]);
        let mut open: Vec<&str> = vec![of];
        while let Some(next) = open.pop() {
            for other in self.linked.get(next).into_iter().flatten() {
                if seen.insert(other) {
                    open.push(other);
                }
            }
        }
        seen.into_iter().filter_map(|label| self.reports.get(label)).collect()
    }

    /// The services, as they were named, of the incident that this report belongs to.
    #[must_use]
    pub fn services_with(&self, source: &str, id: &str) -> BTreeSet<Box<str>> {
        let members = self.members(&label(source, id));
        members.into_iter().flat_map(|member| member.services.iter().cloned()).collect()
    }

    /// The incidents that name a service so, each once.
    #[must_use]
    pub fn naming(&self, service: &str) -> Vec<Group> {
        let mut done: BTreeSet<Box<str>> = BTreeSet::new();
        let mut groups = Vec::new();
        for own in self.of_service.get(service).into_iter().flatten() {
            if !done.contains(own) {
                let group = join(&self.members(own), |label| self.reports.contains_key(label));
                done.extend(group.reports.iter().cloned());
                groups.push(group);
            }
        }
        groups
    }

    /// `(source, id)` of every report that names a service so.
    pub fn reports_naming<'a>(&'a self, service: &str) -> impl Iterator<Item = (Arc<str>, Box<str>)> + 'a {
        let labels = self.of_service.get(service).into_iter().flatten();
        labels.filter_map(|label| self.reports.get(label)).map(|report| (report.source.clone(), report.id.clone()))
    }

    /// Whether any incident names a service so.
    #[must_use]
    pub fn names_service(&self, service: &str) -> bool {
        self.of_service.get(service).is_some_and(|labels| !labels.is_empty())
    }

    /// Every service that an incident names.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.of_service.iter().filter(|(_, labels)| !labels.is_empty()).map(|(service, _)| service.as_ref())
    }
}

fn join(members: &[&Incident], is_known: impl Fn(&str) -> bool) -> Group {
    // The one that names no other leads; in a ring, the first.
    let is_leader = |m: &&&Incident| m.same_as.as_deref().is_none_or(|label| !is_known(label));
    let main = members.iter().find(is_leader).or(members.first());
    let restored = members.iter().filter_map(|m| m.restored_at()).max();
    let last = members.iter().find(|m| restored.is_some() && m.restored_at() == restored);
    let mut group = Group {
        reports: members.iter().map(|m| format!("{}:{}", m.source, m.id).into()).collect(),
        source: main.map(|m| m.source.clone()).unwrap_or_default(),
        id: main.map(|m| m.id.clone()).unwrap_or_default(),
        title: main.and_then(|m| m.title.clone()).or_else(|| members.iter().find_map(|m| m.title.clone())),
        severity: members.iter().filter_map(|m| m.severity).max(),
        started_at: members.iter().map(|m| m.started_at).min().unwrap_or_default(),
        detected_at: members.iter().filter_map(|m| m.detected_at).min(),
        acknowledged_at: members.iter().filter_map(|m| m.acknowledged_at).min(),
        mitigated_at: last.and_then(|m| m.mitigated_at),
        resolved_at: members.iter().filter_map(|m| m.resolved_at).max(),
        restored_at: restored,
        places: BTreeSet::new(),
        links: Vec::new(),
        url: main.and_then(|m| m.url.clone()).or_else(|| members.iter().find_map(|m| m.url.clone())),
        dangling: members.iter().find_map(|m| m.same_as.clone().filter(|label| !is_known(label))),
    };
    for member in members {
        group.places.extend(member.services.iter().map(|service| (service.clone(), member.environment.clone())));
        if member.deployment.is_some() || member.revision.is_some() {
            group.links.push(Link {
                deployment: member.deployment.clone(),
                revision: member.revision.clone(),
                services: member.services.clone(),
                environment: member.environment.clone(),
            });
        }
    }
    group
}
