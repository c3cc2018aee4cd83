//! What monitors say of their checks, joined to outages: from a notice of down to the next one of up.
//!
//! Most monitors tell that something is up again without telling which outage that ends. So a notice says no more than
//! since when a state holds, and outages are found here, whatever the order of arrival. Of two notices of one instant
//! that say both, neither changes anything. A notice costs what finding its neighbours costs, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use vigie_model::views::{Availability, Check, Incident, Sample};
use vigie_model::{Time, format_time};

use super::incidents::Key;

/// A notice's place among those of its check: since when it holds, and whether it says up.
pub type Place = (Time, bool);

/// What an outage is called and how bad it is, is looked for in so many of its notices.
const TELLING: usize = 100;

/// Every notice there is, and what they come to.
#[derive(Debug, Default)]
pub struct Checks {
    /// By the check's source and id.
    watched: HashMap<Key, Watched>,
    incidents: HashMap<Key, Incident>,
    /// By the service as it was named, then by the check and the interval's begin.
    availability: HashMap<Box<str>, BTreeMap<(Key, Time), Availability>>,
}

/// The notices of one check.
#[derive(Debug, Default)]
struct Watched {
    notices: BTreeMap<Place, Check>,
    /// The instants at which one thing is said, and which.
    said: BTreeMap<Time, bool>,
    /// Those of them at which the state changes.
    turns: BTreeSet<Time>,
}

/// What some notices come to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    incidents: BTreeMap<Key, Incident>,
    availability: BTreeMap<(Box<str>, Time), Availability>,
}

/// What a notice changed.
#[derive(Debug, Default)]
pub struct Change {
    /// The incidents that came, went or are others now.
    pub incidents: BTreeSet<Key>,
    /// The services, as they were named, of whose availability something else is known.
    pub services: BTreeSet<Box<str>>,
}

impl Checks {
    /// Takes a notice in or its newer state, or out where there is none any more.
    pub fn put(&mut self, key: &Key, place: Place, notice: Option<Check>) -> Change {
        let watched = self.watched.entry(key.clone()).or_default();
        let before = watched.around(place.0);
        watched.put(place, notice);
        let after = watched.around(place.0);
        if watched.notices.is_empty() {
            self.watched.remove(key);
        }
        let mut change = Change::default();
        for own in before.incidents.keys().filter(|own| !after.incidents.contains_key(*own)) {
            self.incidents.remove(own);
            change.incidents.insert(own.clone());
        }
        for (own, incident) in after.incidents {
            if before.incidents.get(&own) != Some(&incident) {
                self.incidents.insert(own.clone(), incident);
                change.incidents.insert(own);
            }
        }
        for ((service, from), interval) in &before.availability {
            if after.availability.get(&(service.clone(), *from)) != Some(interval)
                && let Some(own) = self.availability.get_mut(service)
            {
                own.remove(&(key.clone(), *from));
                change.services.insert(service.clone());
            }
        }
        for ((service, from), interval) in after.availability {
            let own = self.availability.entry(service.clone()).or_default();
            if own.insert((key.clone(), from), interval.clone()).as_ref() != Some(&interval) {
                change.services.insert(service);
            }
        }
        change
    }

    /// The outage that is called so.
    #[must_use]
    pub fn incident(&self, key: &Key) -> Option<&Incident> {
        self.incidents.get(key)
    }

    /// What is known of the availability of a service that is named so.
    pub fn availability_of(&self, service: &str) -> impl Iterator<Item = &Availability> {
        self.availability.get(service).into_iter().flat_map(BTreeMap::values)
    }
}

impl Watched {
    fn put(&mut self, place: Place, notice: Option<Check>) {
        match notice {
            Some(notice) => self.notices.insert(place, notice),
            None => self.notices.remove(&place),
        };
        let at = place.0;
        match [false, true].map(|is_up| self.notices.contains_key(&(at, is_up))) {
            [true, false] => self.said.insert(at, false),
            [false, true] => self.said.insert(at, true),
            _ => self.said.remove(&at),
        };
        for at in [Some(at), self.said_after(at)].into_iter().flatten() {
            let before = self.said.range(..at).next_back().map(|(_, is_up)| *is_up);
            match self.said.get(&at) {
                Some(is_up) if before != Some(*is_up) => self.turns.insert(at),
                _ => self.turns.remove(&at),
            };
        }
    }

    fn said_after(&self, at: Time) -> Option<Time> {
        self.said.range(at + 1..).next().map(|(at, _)| *at)
    }

    /// What a notice of this instant may change: the states that begin before it, at it and after it.
    fn around(&self, at: Time) -> Outcome {
        let before = self.turns.range(..at).next_back().copied();
        let begins = [before, Some(at), self.said_after(at)];
        let mut all = Outcome::default();
        for begin in begins.into_iter().flatten().filter(|begin| self.turns.contains(begin)) {
            self.add(begin, &mut all);
        }
        all
    }

    /// What the state that begins at a turn comes to.
    fn add(&self, begin: Time, all: &mut Outcome) {
        let until = self.turns.range(begin + 1..).next().copied().unwrap_or(Time::MAX);
        let is_up = self.said.get(&begin) == Some(&true);
        let own = self.notices.range((begin, false)..(until, false));
        let own =
            own.filter(|((at, state), _)| *state == is_up && self.said.contains_key(at)).map(|(_, notice)| notice);
        let own: Vec<&Check> = own.take(if is_up { 1 } else { TELLING }).collect();
        // What was said of the beginning afterwards yields to what was said at the time.
        let Some(first) = own.iter().find(|notice| !notice.is_inferred).or(own.first()) else { return };
        let Some(service) = own.iter().find_map(|notice| notice.service.clone()) else { return };
        let is_down = !is_up && until.saturating_sub(first.since) >= first.shortest;
        if first.is_availability {
            let interval = Availability {
                environment: first.environment.clone(),
                from: first.since,
                to: until,
                sample: Sample::Up(!is_down),
            };
            all.availability.insert((service.clone(), first.since), interval);
        }
        if first.is_incident && is_down {
            let incident = Incident {
                source: first.source.clone(),
                id: format!("{}@{}", first.id, format_time(first.since)).into(),
                services: vec![service],
                environment: first.environment.clone(),
                title: own.iter().find_map(|notice| notice.title.clone()),
                severity: own.iter().filter_map(|notice| notice.severity).max(),
                started_at: first.since,
                detected_at: None,
                acknowledged_at: None,
                mitigated_at: None,
                resolved_at: (until != Time::MAX).then_some(until),
                deployment: None,
                revision: None,
                same_as: None,
                url: own.iter().find_map(|notice| notice.url.clone()),
            };
            all.incidents.insert((incident.source.clone(), incident.id.clone()), incident);
        }
    }
}
