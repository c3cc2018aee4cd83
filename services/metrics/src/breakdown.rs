//! A scope cut into parts: by service, by team, by environment.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::scope::{Asked, Scope};
use crate::snapshot::Snapshot;

/// What a scope is cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// One part for each service.
    Service,
    /// One part for each team that runs a service of the scope, itself or through a team below it, and one for the
    /// services without a team.
    Team,
    /// One part for each environment that anything is known of.
    Environment,
}

/// One part of a scope. Of the first three those are set that it was cut by.
#[derive(Debug, Clone)]
pub struct Part {
    /// The service's slug.
    pub service: Option<Arc<str>>,
    /// The team's slug; none too for what no team runs.
    pub team: Option<Arc<str>>,
    /// The environment.
    pub environment: Option<Arc<str>>,
    /// What to ask about.
    pub scope: Scope,
}

impl Part {
    /// The whole of a scope.
    #[must_use]
    pub fn whole(scope: Scope) -> Self {
        Self { service: None, team: None, environment: None, scope }
    }
}

impl Snapshot {
    /// The parts of a scope, sorted by the name that they were cut by; what no team runs comes last.
    #[must_use]
    pub fn breakdown(&self, scope: &Scope, by: Dimension) -> Vec<Part> {
        match by {
            Dimension::Service => by_service(scope),
            Dimension::Team => self.by_team(scope),
            Dimension::Environment => by_environment(scope),
        }
    }

    /// The parts of a scope cut by several dimensions, one after another.
    #[must_use]
    pub fn breakdowns(&self, scope: &Scope, by: &[Dimension]) -> Vec<Part> {
        let mut parts = vec![Part::whole(scope.clone())];
        for dimension in by {
            let cut = parts.iter().flat_map(|whole| {
                let finer = self.breakdown(&whole.scope, *dimension);
                finer.into_iter().map(|part| Part {
                    service: part.service.or_else(|| whole.service.clone()),
                    team: part.team.or_else(|| whole.team.clone()),
                    environment: part.environment.or_else(|| whole.environment.clone()),
                    scope: part.scope,
                })
            });
            parts = cut.collect();
        }
        parts
    }

    fn by_team(&self, scope: &Scope) -> Vec<Part> {
        let ownership = self.settings().ownership;
        let tree = self.team_tree();
        let mut parts = Vec::new();
        for team in tree.all() {
            let below = tree.below(&team.slug);
            let asked = Asked::Team(team.slug.clone());
            let part = scope.of_teams(asked, ownership, |owner| owner.is_some_and(|owner| below.contains(owner)));
            if !part.is_empty() {
                parts.push(Part { team: Some(team.slug.clone()), ..Part::whole(part) });
            }
        }
        let unowned = scope.of_teams(Asked::Organization, ownership, |owner| owner.is_none());
        if !unowned.is_empty() {
            parts.push(Part::whole(unowned));
        }
        parts
    }
}

fn by_service(scope: &Scope) -> Vec<Part> {
    let members = scope.members.iter();
    members
        .map(|member| Part { service: Some(member.frame.slug().clone()), ..Part::whole(scope.of_member(member)) })
        .collect()
}

fn by_environment(scope: &Scope) -> Vec<Part> {
    let members = scope.members.iter();
    let names: BTreeSet<&str> = members.flat_map(|member| member.frame.environments()).collect();
    names
        .into_iter()
        .map(|name| Part { environment: Some(name.into()), ..Part::whole(scope.in_environment(name)) })
        .collect()
}
