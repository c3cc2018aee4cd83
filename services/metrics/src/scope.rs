//! Which services and which environment a question is about.

use std::sync::Arc;

use hashbrown::HashSet;
use vigie_model::Time;
use vigie_model::settings::Ownership;

use crate::frame::{Environment, ServiceFrame};
use crate::snapshot::Snapshot;

/// A scope as it was asked for. Nothing named: the whole organisation, production. Lists are joined; teams and
/// services intersect; a team holds those below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeSpec {
    /// Slugs of teams; empty: all.
    pub teams: Vec<String>,
    /// Slugs of services; empty: all.
    pub services: Vec<String>,
    /// The environment, aliases allowed; none: production.
    pub environment: Option<String>,
}

/// Why a scope cannot be formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No event names such a team.
    #[error("there is no team {name:?}{}", hint(nearest.as_deref()))]
    UnknownTeam {
        /// The slug as it was given.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
    /// No event names such a service.
    #[error("there is no service {name:?}{}", hint(nearest.as_deref()))]
    UnknownService {
        /// The slug as it was given.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
    },
}

fn hint(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name:?}?"),
        None => "; no event names it, so check the spelling".to_owned(),
    }
}

/// For whom the question is asked: what targets go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Service(Arc<str>),
    Team(Arc<str>),
    Organization,
}

/// One service of a scope.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) frame: Arc<ServiceFrame>,
    /// The environment's number in the frame; none where nothing is known of the service there.
    environment: Option<usize>,
    /// The times at which its rows count; none: always.
    pub(crate) owned: Option<Arc<[(Time, Time)]>>,
}

impl Member {
    fn new(frame: Arc<ServiceFrame>, environment: &str, owned: Option<Arc<[(Time, Time)]>>) -> Self {
        Self { environment: frame.environment_number(environment), frame, owned }
    }

    pub(crate) fn environment(&self) -> Option<&Environment> {
        self.environment.map(|number| self.frame.environment(number))
    }

    /// The parts of a window in which its rows count.
    pub(crate) fn spans(&self, from: Time, to: Time) -> impl Iterator<Item = (Time, Time)> + use<'_> {
        let always = self.owned.is_none().then_some((from, to));
        let owned = self.owned.as_deref().unwrap_or_default().iter();
        let cut = owned.map(move |(begin, end)| (from.max(*begin), to.min(*end)));
        always.into_iter().chain(cut.filter(|(from, to)| from < to))
    }
}

/// A resolved scope. It holds the facts that it was resolved on, so that its answers do not change.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(crate) members: Vec<Member>,
    pub(crate) asked: Asked,
    environment: Arc<str>,
}

impl Scope {
    /// The services, sorted by slug.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &str> {
        self.members.iter().map(|member| &**member.frame.slug())
    }

    /// The environment, after aliases.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.environment
    }

    /// How many services it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The same services in another environment, whose name is used as it is.
    pub(crate) fn in_environment(&self, environment: &str) -> Self {
        let members = self.members.iter();
        Self {
            members: members
                .map(|member| Member::new(member.frame.clone(), environment, member.owned.clone()))
                .collect(),
            asked: self.asked.clone(),
            environment: environment.into(),
        }
    }

    /// One of its services alone.
    pub(crate) fn of_member(&self, member: &Member) -> Self {
        Self {
            asked: Asked::Service(member.frame.slug().clone()),
            members: vec![member.clone()],
            environment: self.environment.clone(),
        }
    }

    /// What of it belongs to teams, as `owner` of a team's slug says.
    pub(crate) fn of_teams(&self, asked: Asked, ownership: Ownership, owner: impl Fn(Option<&str>) -> bool) -> Self {
        let members = self.members.iter().filter_map(|member| owned(member, ownership, &owner));
        Self { members: members.collect(), asked, environment: self.environment.clone() }
    }
}

/// A member with the times at which `owner` holds for its team; `None` where that is never.
fn owned(member: &Member, ownership: Ownership, owner: impl Fn(Option<&str>) -> bool) -> Option<Member> {
    let frame = &member.frame;
    if ownership == Ownership::Now || frame.owners().is_empty() {
        return owner(frame.team().map(AsRef::as_ref)).then(|| member.clone());
    }
    let mut spans: Vec<(Time, Time)> = Vec::new();
    for (number, (from, team)) in frame.owners().iter().enumerate() {
        let to = frame.owners().get(number + 1).map_or(Time::MAX, |next| next.0);
        if !owner(team.as_deref()) {
            continue;
        }
        // What was already cut is cut further; neighbours become one.
        for (from, to) in member.spans(*from, to) {
            match spans.last_mut() {
                Some(last) if last.1 == from => last.1 = to,
                _ => spans.push((from, to)),
            }
        }
    }
    (!spans.is_empty()).then(|| Member { owned: Some(spans.into()), ..member.clone() })
}

impl Snapshot {
    /// The scope of one service in one environment.
    pub(crate) fn scope_of(&self, frame: &Arc<ServiceFrame>, environment: &str) -> Scope {
        Scope {
            members: vec![Member::new(frame.clone(), environment, None)],
            asked: Asked::Service(frame.slug().clone()),
            environment: environment.into(),
        }
    }

    /// The scope that a question is about.
    ///
    /// # Errors
    /// A team or a service that no event names; the error knows the nearest name.
    pub fn scope(&self, spec: &ScopeSpec) -> Result<Scope, ScopeError> {
        let environment = spec.environment.as_deref().unwrap_or("production");
        let environment = self.settings().canonical_environment(environment);
        let mut services: HashSet<&str> = HashSet::new();
        for name in &spec.services {
            if self.service(name).is_none() {
                let known = self.services().iter().map(|service| &*service.slug);
                return Err(ScopeError::UnknownService { name: name.clone(), nearest: nearest(name, known) });
            }
            services.insert(name);
        }
        let mut teams: HashSet<&str> = HashSet::new();
        let mut owners: HashSet<&str> = HashSet::new();
        for name in &spec.teams {
            if self.team(name).is_none() {
                let known = self.teams().iter().map(|team| &*team.slug);
                return Err(ScopeError::UnknownTeam { name: name.clone(), nearest: nearest(name, known) });
            }
            teams.insert(name);
            owners.extend(self.team_tree().below(name));
        }
        let one = |names: &HashSet<&str>| match names.len() {
            1 => names.iter().next().map(|name| Arc::from(*name)),
            _ => None,
        };
        let asked = match (one(&services), one(&teams)) {
            (Some(service), _) => Asked::Service(service),
            (None, Some(team)) if services.is_empty() => Asked::Team(team),
            _ => Asked::Organization,
        };
        let frames = self.frames().iter();
        let named = frames.filter(|frame| services.is_empty() || services.contains(&**frame.slug()));
        let all = Scope {
            members: named.map(|frame| Member::new(frame.clone(), &environment, None)).collect(),
            asked: asked.clone(),
            environment: environment.into(),
        };
        if teams.is_empty() {
            return Ok(all);
        }
        let ownership = self.settings().ownership;
        Ok(all.of_teams(asked, ownership, |team| team.is_some_and(|team| owners.contains(team))))
    }
}

/// The known name that is nearest by spelling, where one is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let wanted = name.to_lowercase();
    known
        .map(|known| {
            let score = strsim::normalized_damerau_levenshtein(&wanted, &known.to_lowercase());
            (score, known)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, known)| known.to_owned())
}
