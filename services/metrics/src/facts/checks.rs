//! What monitors say of their checks, joined to outages: from a notice of down to the next one of up.
//!
//! Most monitors tell that something is up again without telling which outage that ends. So a notice says no more than
//! since when a state holds, and outages are found here, whatever the order of arrival. Of two notices of one instant
//! that say both, neither changes anything.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use vigie_model::views::{Availability, Check, Incident, Sample};
use vigie_model::{Time, format_time};

use super::incidents::{Incidents, Key};

/// A notice's place among those of its check: since when it holds, and whether it says up.
pub type Place = (Time, bool);

/// Every notice there is, and what is known of availability by them.
#[derive(Debug, Default)]
pub struct Checks {
    /// By the check's source and id.
    notices: HashMap<Key, BTreeMap<Place, Check>>,
    /// By the service as it was named, then by the check and the interval's begin.
    availability: HashMap<Box<str>, BTreeMap<(Key, Time), Availability>>,
}

/// What the notices of a check come to, in a stretch of time.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stretch {
    incidents: BTreeMap<Key, Incident>,
    availability: BTreeMap<(Box<str>, Time), Availability>,
}

impl Checks {
    /// Takes a notice in or its newer state, or out where there is none any more, and puts right what it changes of
    /// `incidents`. Gives the services, as they were named, of which something changed.
    pub fn put(
        &mut self,
        key: &Key,
        place: Place,
        notice: Option<Check>,
        incidents: &mut Incidents,
    ) -> BTreeSet<Box<str>> {
        let before = self.stretch(key, place.0);
        let notices = self.notices.entry(key.clone()).or_default();
        match notice {
            Some(notice) => notices.insert(place, notice),
            None => notices.remove(&place),
        };
        if notices.is_empty() {
            self.notices.remove(key);
        }
        let after = self.stretch(key, place.0);
        let mut services = BTreeSet::new();
        for own in before.incidents.keys().filter(|own| !after.incidents.contains_key(*own)) {
            services.extend(incidents.services_with(own));
            incidents.remove(own);
        }
        for (own, incident) in after.incidents {
            if before.incidents.get(&own) != Some(&incident) {
                services.extend(incidents.services_with(&own));
                incidents.put(incident);
                services.extend(incidents.services_with(&own));
            }
        }
        for ((service, from), interval) in &before.availability {
            if after.availability.get(&(service.clone(), *from)) != Some(interval)
                && let Some(own) = self.availability.get_mut(service)
            {
                own.remove(&(key.clone(), *from));
                services.insert(service.clone());
            }
        }
        for ((service, from), interval) in after.availability {
            let own = self.availability.entry(service.clone()).or_default();
            if own.insert((key.clone(), from), interval.clone()).as_ref() != Some(&interval) {
                services.insert(service);
            }
        }
        services
    }

    /// What is known of the availability of a service that is named so.
    pub fn availability_of(&self, service: &str) -> impl Iterator<Item = &Availability> {
        self.availability.get(service).into_iter().flat_map(BTreeMap::values)
    }

    /// What depends on a check's notices of an instant: from the last one of up before it to the first after it.
    fn stretch(&self, key: &Key, at: Time) -> Stretch {
        let Some(notices) = self.notices.get(key) else { return Stretch::default() };
        let counts = |(since, is_up): &Place| !notices.contains_key(&(*since, !is_up));
        let up_before =
            notices.range(..(at, false)).rev().map(|(place, _)| *place).find(|place| place.1 && counts(place));
        let mut rest = notices.range(up_before.unwrap_or((Time::MIN, false))..).filter(|(place, _)| counts(place));
        let mut list: Vec<&Check> = Vec::new();
        let mut end = Time::MAX;
        for ((since, is_up), notice) in rest.by_ref() {
            if *is_up && *since > at {
                end = *since;
                break;
            }
            list.push(notice);
        }
        joined(&list, end)
    }
}

/// What notices come to whose first one is the check's first or says up, and whose last one holds until `end`
/// ([`Time::MAX`]: until further notice).
fn joined(notices: &[&Check], end: Time) -> Stretch {
    let mut all = Stretch::default();
    let mut rest = notices;
    while let Some((first, others)) = rest.split_first() {
        // Down again while it is down is no second outage.
        let again = others.iter().take_while(|next| !first.is_up && !next.is_up).count();
        rest = &others[again..];
        let until = rest.first().map_or(end, |next| next.since);
        let is_down = !first.is_up && until.saturating_sub(first.since) >= first.shortest;
        if first.is_availability {
            let interval = Availability {
                environment: first.environment.clone(),
                from: first.since,
                to: until,
                sample: Sample::Up(!is_down),
            };
            all.availability.insert((first.service.clone(), first.since), interval);
        } else if is_down {
            let incident = incident(first, (until != Time::MAX).then_some(until));
            all.incidents.insert((incident.source.clone(), incident.id.clone()), incident);
        }
    }
    all
}

fn incident(down: &Check, resolved_at: Option<Time>) -> Incident {
    Incident {
        source: down.source.clone(),
        id: format!("{}@{}", down.id, format_time(down.since)).into(),
        services: vec![down.service.clone()],
        environment: down.environment.clone(),
        title: down.title.clone(),
        severity: down.severity,
        started_at: down.since,
        detected_at: None,
        acknowledged_at: None,
        mitigated_at: None,
        resolved_at,
        deployment: None,
        revision: None,
        same_as: None,
        url: down.url.clone(),
    }
}
