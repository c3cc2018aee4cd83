//! The tree of teams.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use vigie_model::views::TeamEntry;

/// A team as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamInfo {
    /// What events call it.
    pub slug: Arc<str>,
    /// What people call it; the slug where it has no name.
    pub name: Arc<str>,
    /// The team above it.
    pub parent: Option<Arc<str>>,
}

/// Every team, sorted by slug. A team that is only named, by a service or as a parent, is one too.
#[derive(Debug, Default)]
pub(crate) struct Teams {
    all: Vec<TeamInfo>,
    numbers: HashMap<Arc<str>, usize>,
    children: HashMap<Arc<str>, Vec<Arc<str>>>,
}

impl Teams {
    /// The declared teams, and those that `named` adds.
    pub(crate) fn new<'a>(entries: &[TeamEntry], named: impl Iterator<Item = &'a str>) -> Self {
        let mut all: Vec<TeamInfo> = entries
            .iter()
            .map(|entry| TeamInfo {
                slug: (*entry.slug).into(),
                name: (*entry.name.as_deref().unwrap_or(&entry.slug)).into(),
                parent: entry.parent.as_deref().filter(|parent| **parent != *entry.slug).map(Into::into),
            })
            .collect();
        let mut known: HashSet<Arc<str>> = all.iter().map(|team| team.slug.clone()).collect();
        let parents: Vec<Arc<str>> = all.iter().filter_map(|team| team.parent.clone()).collect();
        let mut add = |slug: &str| {
            if !known.contains(slug) {
                let slug: Arc<str> = slug.into();
                known.insert(slug.clone());
                all.push(TeamInfo { name: slug.clone(), slug, parent: None });
            }
        };
        parents.iter().for_each(|slug| add(slug));
        named.for_each(&mut add);
        all.sort_by(|a, b| a.slug.cmp(&b.slug));
        all.dedup_by(|a, b| a.slug == b.slug);
        let numbers = all.iter().map(|team| team.slug.clone()).zip(0..).collect();
        let mut children: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
        for team in &all {
            if let Some(parent) = &team.parent {
                children.entry(parent.clone()).or_default().push(team.slug.clone());
            }
        }
        Self { all, numbers, children }
    }

    pub(crate) fn all(&self) -> &[TeamInfo] {
        &self.all
    }

    pub(crate) fn get(&self, slug: &str) -> Option<&TeamInfo> {
        self.numbers.get(slug).and_then(|number| self.all.get(*number))
    }

    /// The team and every team below it.
    pub(crate) fn below<'a>(&'a self, slug: &'a str) -> HashSet<&'a str> {
        let mut found = HashSet::from([slug]);
        let mut open = vec![slug];
        while let Some(next) = open.pop() {
            for child in self.children.get(next).into_iter().flatten() {
                // A ring of parents is walked once.
                if found.insert(child) {
                    open.push(child);
                }
            }
        }
        found
    }

    /// The team and every team above it, the nearest first.
    pub(crate) fn above<'a>(&'a self, slug: &'a str) -> Vec<&'a str> {
        let mut found = vec![slug];
        let mut next = self.get(slug).and_then(|team| team.parent.as_deref());
        while let Some(parent) = next.filter(|parent| !found.contains(parent)) {
            found.push(parent);
            next = self.get(parent).and_then(|team| team.parent.as_deref());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(slug: &str, parent: Option<&str>) -> TeamEntry {
        TeamEntry { slug: slug.into(), name: None, parent: parent.map(Into::into) }
    }

    #[test]
    fn a_team_holds_those_below_it() {
        let entries = [team("pay", Some("shop")), team("cart", Some("shop"))];
        let teams = Teams::new(&entries, ["ops"].into_iter());
        let slugs: Vec<&str> = teams.all().iter().map(|team| &*team.slug).collect();
        assert_eq!(slugs, ["cart", "ops", "pay", "shop"]);
        assert_eq!(teams.below("shop"), HashSet::from(["cart", "pay", "shop"]));
        assert_eq!(teams.above("pay"), ["pay", "shop"]);
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let entries = [team("a", Some("b")), team("b", Some("a"))];
        let teams = Teams::new(&entries, std::iter::empty());
        assert_eq!(teams.below("a").len(), 2);
        assert_eq!(teams.above("a"), ["a", "b"]);
    }
}
