//! What the names of environments that events use stand for (metrics.md, Environment and Regions).

use std::collections::{BTreeMap, BTreeSet};

use vigie_model::settings::Settings;

/// The environments of a service, and which names count for each.
///
/// `production` has its aliases and the service's regions. A region is an environment of its own beside that, for
/// whoever asks for it by name: what is said of production as such is said of each of its regions too.
pub struct Environments<'a> {
    regions: &'a [Box<str>],
    names: BTreeMap<Box<str>, BTreeSet<&'a str>>,
}

/// Names (lower case, as they were given) of what happened in one environment.
pub type Names<'a> = BTreeSet<&'a str>;

impl<'a> Environments<'a> {
    /// Of a service with these regions (lower case), of which the events use these names.
    #[must_use]
    pub fn new(settings: &Settings, regions: &'a [Box<str>], used: Names<'a>) -> Self {
        let mut names: BTreeMap<Box<str>, Names<'a>> = BTreeMap::from([("production".into(), Names::new())]);
        for name in used {
            let is_region = regions.iter().any(|region| **region == *name);
            let environment = if is_region { "production".into() } else { settings.canonical_environment(name) };
            names.entry(environment.into()).or_default().insert(name);
        }
        let production = names["production"].clone();
        let mut environments = Self { regions, names };
        // A region that is called like production itself cannot be asked for apart from it.
        let asked_for = |region: &str| settings.canonical_environment(region) == region && region != "production";
        for region in regions.iter().filter(|region| asked_for(region)) {
            let own: Names = production.iter().copied().filter(|name| environments.meets(region, name)).collect();
            if !own.is_empty() {
                environments.names.insert(region.clone(), own);
            }
        }
        environments
    }

    /// Every environment with the names that count for it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Names<'a>)> {
        self.names.iter().map(|(environment, names)| (&**environment, names))
    }

    /// Their names, sorted.
    #[must_use]
    pub fn list(&self) -> Vec<&str> {
        self.names.keys().map(AsRef::as_ref).collect()
    }

    /// The regions that together are an environment; only production has any.
    #[must_use]
    pub fn regions_of(&self, environment: &str) -> &'a [Box<str>] {
        if *environment == *"production" { self.regions } else { &[] }
    }

    /// Whether an environment is one region, which production counts already.
    #[must_use]
    pub fn is_part(&self, environment: &str) -> bool {
        *environment != *"production" && self.is_region(environment)
    }

    fn is_region(&self, name: &str) -> bool {
        self.regions.iter().any(|region| **region == *name)
    }

    /// Whether two names of one environment speak of the same place: all do but two different regions.
    #[must_use]
    pub fn meets(&self, one: &str, other: &str) -> bool {
        one == other || !self.is_region(one) || !self.is_region(other)
    }
}
