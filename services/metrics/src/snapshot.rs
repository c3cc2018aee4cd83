//! Everything that questions are answered from, as it stood at one moment: immutable, shared, and refreshed by
//! what changed.

use std::sync::Arc;

use hashbrown::HashMap;
use vigie_model::views::TeamEntry;
use vigie_model::window::Zone;
use vigie_model::{Settings, Time};

use crate::frame::ServiceFrame;
use crate::teams::{TeamInfo, Teams};

/// A service as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceInfo {
    /// What events call it.
    pub slug: Arc<str>,
    /// What people call it.
    pub name: Arc<str>,
    /// The team that runs it.
    pub team: Option<Arc<str>>,
    /// Since when it is no longer run.
    pub archived_at: Option<Time>,
    /// Whether failures of it would be known.
    pub failure_signal: bool,
    /// It stands in the catalogue, rather than only in other events.
    pub declared: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Snapshot {
    settings: Arc<Settings>,
    zone: Zone,
    version: u64,
    entries: Arc<Vec<TeamEntry>>,
    /// Sorted by slug.
    frames: Vec<Arc<ServiceFrame>>,
    /// One for each frame.
    services: Vec<ServiceInfo>,
    teams: Teams,
    of_team: HashMap<Arc<str>, Vec<usize>>,
}

impl Snapshot {
    /// The snapshot of these facts. Of several frames of one service the last counts.
    #[must_use]
    pub fn new(
        settings: Arc<Settings>,
        teams: Vec<TeamEntry>,
        mut frames: Vec<Arc<ServiceFrame>>,
        version: u64,
    ) -> Self {
        frames.reverse();
        frames.sort_by(|a, b| a.slug().cmp(b.slug()));
        frames.dedup_by(|later, first| later.slug() == first.slug());
        Self::of(settings, Arc::new(teams), frames, version)
    }

    fn of(settings: Arc<Settings>, entries: Arc<Vec<TeamEntry>>, frames: Vec<Arc<ServiceFrame>>, version: u64) -> Self {
        let services: Vec<ServiceInfo> = frames.iter().map(|frame| info(frame)).collect();
        let named = frames.iter().flat_map(|frame| {
            let past = frame.owners().iter().filter_map(|(_, team)| team.as_deref());
            past.chain(frame.team().map(AsRef::as_ref))
        });
        let teams = Teams::new(&entries, named);
        let mut of_team: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (number, service) in services.iter().enumerate() {
            if let Some(team) = &service.team {
                of_team.entry(team.clone()).or_default().push(number);
            }
        }
        Self { zone: settings.zone(), settings, version, entries, frames, services, teams, of_team }
    }

    /// The same with some services folded anew, others gone, and perhaps other teams or settings.
    #[must_use]
    pub fn refreshed(
        &self,
        changed: Vec<Arc<ServiceFrame>>,
        removed: &[Box<str>],
        teams: Option<Vec<TeamEntry>>,
        settings: Option<Arc<Settings>>,
        version: u64,
    ) -> Self {
        let mut frames = self.frames.clone();
        let place =
            |frames: &[Arc<ServiceFrame>], slug: &str| frames.binary_search_by(|frame| (**frame.slug()).cmp(slug));
        let mut added = Vec::new();
        for frame in changed {
            match place(&frames, frame.slug()) {
                Ok(at) => frames[at] = frame,
                Err(_) => added.push(frame),
            }
        }
        if !removed.is_empty() {
            frames.retain(|frame| !removed.iter().any(|slug| **slug == **frame.slug()));
        }
        let settings = settings.unwrap_or_else(|| self.settings.clone());
        let entries = teams.map_or_else(|| self.entries.clone(), Arc::new);
        if added.is_empty() {
            return Self::of(settings, entries, frames, version);
        }
        frames.extend(added);
        frames.sort_by(|a, b| a.slug().cmp(b.slug()));
        frames.dedup_by(|a, b| a.slug() == b.slug());
        Self::of(settings, entries, frames, version)
    }

    /// The settings that its answers go by.
    #[must_use]
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The organisation's time zone.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// What its maker counts it by.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every service, sorted by slug.
    #[must_use]
    pub fn services(&self) -> &[ServiceInfo] {
        &self.services
    }

    /// The frames, one for each service, in the same order.
    #[must_use]
    pub fn frames(&self) -> &[Arc<ServiceFrame>] {
        &self.frames
    }

    /// A service.
    #[must_use]
    pub fn service(&self, slug: &str) -> Option<&ServiceInfo> {
        self.number_of(slug).map(|number| &self.services[number])
    }

    /// A service's facts.
    #[must_use]
    pub fn frame(&self, slug: &str) -> Option<&Arc<ServiceFrame>> {
        self.number_of(slug).map(|number| &self.frames[number])
    }

    fn number_of(&self, slug: &str) -> Option<usize> {
        self.frames.binary_search_by(|frame| (**frame.slug()).cmp(slug)).ok()
    }

    /// Every team, sorted by slug.
    #[must_use]
    pub fn teams(&self) -> &[TeamInfo] {
        self.teams.all()
    }

    /// A team.
    #[must_use]
    pub fn team(&self, slug: &str) -> Option<&TeamInfo> {
        self.teams.get(slug)
    }

    /// The services that a team and those below it run now, sorted by slug.
    #[must_use]
    pub fn services_of_team(&self, slug: &str) -> Vec<&ServiceInfo> {
        let teams = self.teams.below(slug);
        let numbers = teams.iter().filter_map(|team| self.of_team.get(*team));
        let mut numbers: Vec<usize> = numbers.flatten().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|n| &self.services[n]).collect()
    }

    pub(crate) fn team_tree(&self) -> &Teams {
        &self.teams
    }
}

fn info(frame: &ServiceFrame) -> ServiceInfo {
    let service = frame.service();
    ServiceInfo {
        slug: frame.slug().clone(),
        name: frame.name().clone(),
        team: frame.team().cloned(),
        archived_at: service.archived_at,
        failure_signal: service.failure_signal,
        declared: service.declared,
    }
}
