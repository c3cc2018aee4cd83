//! Incidents, those linked by `same_as` joined to one (metrics.md, Incident).

use std::collections::{BTreeMap, BTreeSet};
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
    /// Every report.
    pub reports: Vec<Key>,
}

/// Source and id of a report, which alone tell it from every other one.
pub type Key = (Arc<str>, Box<str>);

/// Every incident that was reported, and how they are linked.
///
/// Links name a report by its label, `source:id`. Where that could be several, as either may hold a colon, it is the
/// first by source. Groups are found when they are asked for, so that one report's change costs no more than its own
/// group.
#[derive(Debug, Default)]
pub struct Incidents {
    reports: BTreeMap<Key, Incident>,
    /// The reports of a label.
    labelled: HashMap<Box<str>, BTreeSet<Key>>,
    /// The reports that say of themselves that they repeat a label, whether it was reported or not.
    repeating: HashMap<Box<str>, BTreeSet<Key>>,
    of_service: HashMap<Box<str>, BTreeSet<Key>>,
}

fn label((source, id): &Key) -> Box<str> {
    format!("{source}:{id}").into()
}

fn add(index: &mut HashMap<Box<str>, BTreeSet<Key>>, name: &str, key: &Key) {
    index.entry(name.into()).or_default().insert(key.clone());
}

fn take_out(index: &mut HashMap<Box<str>, BTreeSet<Key>>, name: &str, key: &Key) {
    if let Some(keys) = index.get_mut(name) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(name);
        }
    }
}

impl Incidents {
    /// Takes a report in, or its newer state.
    pub fn put(&mut self, incident: Incident) {
        let key = (incident.source.clone(), incident.id.clone());
        self.remove(&key);
        add(&mut self.labelled, &label(&key), &key);
        if let Some(other) = &incident.same_as {
            add(&mut self.repeating, other, &key);
        }
        for service in &incident.services {
            add(&mut self.of_service, service, &key);
        }
        self.reports.insert(key, incident);
    }

    /// Forgets a report that was deleted or is no longer complete.
    pub fn remove(&mut self, key: &Key) {
        let Some(old) = self.reports.remove(key) else { return };
        take_out(&mut self.labelled, &label(key), key);
        if let Some(other) = &old.same_as {
            take_out(&mut self.repeating, other, key);
        }
        for service in &old.services {
            take_out(&mut self.of_service, service, key);
        }
    }

    /// The report that a label means.
    fn meant(&self, label: &str) -> Option<&Key> {
        self.labelled.get(label)?.first()
    }

    /// The reports that are one with this one, itself among them, sorted by source and id.
    fn members(&self, of: &Key) -> BTreeMap<&Key, &Incident> {
        let mut seen: BTreeMap<&Key, &Incident> = self.reports.get_key_value(of).into_iter().collect();
        let mut open: Vec<&Key> = seen.keys().copied().collect();
        while let Some(key) = open.pop() {
            let own = label(key);
            let own = (self.meant(&own) == Some(key)).then_some(own);
            let other = seen.get(key).and_then(|report| report.same_as.clone());
            for label in own.into_iter().chain(other) {
                let repeating = self.repeating.get(&label).into_iter().flatten();
                for next in repeating.chain(self.meant(&label)) {
                    if let Some((next, report)) = self.reports.get_key_value(next)
                        && seen.insert(next, report).is_none()
                    {
                        open.push(next);
                    }
                }
            }
        }
        seen
    }

    /// The services, as they were named, whose incidents may change with this report: those of its own, and of
    /// whatever else its label could mean.
    #[must_use]
    pub fn services_with(&self, key: &Key) -> BTreeSet<Box<str>> {
        let label = label(key);
        let alike = self.labelled.get(&label).into_iter().flatten();
        // Those that repeat the label are one with each other.
        let repeating = self.repeating.get(&label).and_then(BTreeSet::first);
        let members = alike.chain(repeating).chain([key]).flat_map(|key| self.members(key).into_values());
        members.flat_map(|member| member.services.iter().cloned()).collect()
    }

    /// The incidents that name a service so, each once.
    #[must_use]
    pub fn naming(&self, service: &str) -> Vec<Group> {
        let mut done: BTreeSet<Key> = BTreeSet::new();
        let mut groups = Vec::new();
        for own in self.of_service.get(service).into_iter().flatten() {
            if !done.contains(own) {
                let members: Vec<&Incident> = self.members(own).into_values().collect();
                let group = join(&members, |label| self.labelled.contains_key(label));
                done.extend(group.reports.iter().cloned());
                groups.push(group);
            }
        }
        groups
    }
}

fn join(members: &[&Incident], is_known: impl Fn(&str) -> bool) -> Group {
    // The one that names no other leads; in a ring, the first.
    let is_leader = |m: &&&Incident| m.same_as.as_deref().is_none_or(|label| !is_known(label));
    let main = members.iter().find(is_leader).or(members.first());
    let restored = members.iter().filter_map(|m| m.restored_at()).max();
    let last = members.iter().find(|m| restored.is_some() && m.restored_at() == restored);
    let mut group = Group {
        reports: members.iter().map(|m| (m.source.clone(), m.id.clone())).collect(),
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
