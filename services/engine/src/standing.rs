//! The facts as the database holds them, in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use vigie_metrics::world::World;
use vigie_metrics::{FrameLoader, ServiceFrame, Snapshot};
use vigie_model::Settings;
use vigie_model::facts::{
    AvailabilityFact, ChangeFact, DeploymentFact, IncidentFact, QualityFact, ServiceFact, ServiceFacts, WaitingFact,
};
use vigie_model::views::TeamEntry;
use vigie_store::{Cells, FactsReader, Store};

use crate::error::{EngineError, Result};
use crate::fold::parallel::parallel;

/// What stands in place of the settings' digest while facts are folded in several transactions: some rest on the
/// new settings or on later events, others still on the old.
pub(crate) const UNDER_WAY: &str = "under way";

/// Counted up where the same events and settings give other facts than before: all are folded anew then.
const FOLDS: u32 = 2;

/// How many services are read in one call, and how many where only the services themselves are kept of it.
const SERVICES_A_READ: usize = 64;
const BARE_SERVICES_A_READ: usize = 4;

/// What facts rest on beside the events.
pub(crate) fn digest_of(settings: &Settings) -> String {
    format!("{FOLDS}:{}", settings.digest())
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) snapshot: Arc<Snapshot>,
    /// The version of the facts.
    pub(crate) version: i64,
    /// Up to which place of the log they hold.
    pub(crate) folded_seq: i64,
    /// See [`digest_of`]; none: nothing was folded yet.
    pub(crate) digest: Option<String>,
    /// The snapshot has the services and nothing that happened, for a process that folds and answers nothing.
    pub(crate) is_bare: bool,
}

impl Standing {
    /// Reads all facts, straight into frames. `is_bare`: see [`Self::is_bare`].
    pub(crate) async fn load(store: &Store, is_bare: bool) -> Result<Self> {
        let mut reader = store.read_facts().await?;
        let mut loader = FrameLoader::new();
        macro_rules! load {
            ($($row:ty),+) => { $(
                reader.load::<$row>(|cells: &mut Cells<'_>| loader.push::<$row, _>(cells)).await?;
            )+ };
        }
        load!(ServiceFact);
        if !is_bare {
            load!(DeploymentFact, ChangeFact, WaitingFact, IncidentFact, AvailabilityFact, QualityFact);
        }
        let (version, folded_seq, digest) = read_state(&reader);
        reader.finish().await?;
        let frames = tokio::task::spawn_blocking(|| loader.finish()).await.map_err(EngineError::internal)?;
        let (settings, teams) = catalogue(store, folded_seq).await?;
        let snapshot = Arc::new(Snapshot::new(settings, teams, frames, version_number(version)));
        Ok(Self { snapshot, version, folded_seq, digest, is_bare })
    }

    /// What the folds of these services are to be compared with. To be asked while nobody else writes facts.
    pub(crate) async fn before(&self, store: &Store, slugs: &[Box<str>]) -> Result<Arc<Snapshot>> {
        let known: Vec<&str> =
            slugs.iter().map(AsRef::as_ref).filter(|slug| self.snapshot.frame(slug).is_some()).collect();
        if !self.is_bare || known.is_empty() {
            return Ok(self.snapshot.clone());
        }
        let frames = frames(store.facts_of(&known).await?, false).await?;
        let settings = self.snapshot.settings().clone();
        Ok(Arc::new(Snapshot::new(settings, Vec::new(), frames, self.snapshot.version())))
    }

    /// Whether the facts were folded, and all under the same settings.
    pub(crate) fn is_whole(&self) -> bool {
        self.digest.as_deref().is_some_and(|digest| digest != UNDER_WAY)
    }

    /// Whether they are what the log says up to their place, and nothing else.
    pub(crate) fn is_exact(&self) -> bool {
        self.digest.as_deref() == Some(&*digest_of(self.snapshot.settings()))
    }

    /// Reads what changed since. `false`: nothing did, or (unless `even_mixed`) facts are being folded under other
    /// settings at the moment, so that a part of them would be taken for the whole.
    pub(crate) async fn refresh(&mut self, store: &Store, even_mixed: bool) -> Result<bool> {
        let mut reader = store.read_facts().await?;
        let (version, folded_seq, digest) = read_state(&reader);
        let is_mixed = digest.as_deref() == Some(UNDER_WAY);
        if (version, folded_seq) == (self.version, self.folded_seq) || (is_mixed && !even_mixed) {
            reader.finish().await?;
            return Ok(false);
        }
        let changed: Vec<String> =
            store.changed_services(self.version).await?.into_iter().map(|service| service.slug).collect();
        let mut removed: BTreeSet<Box<str>> = changed.iter().map(|slug| slug.as_str().into()).collect();
        let mut frames = Vec::with_capacity(changed.len());
        for slugs in changed.chunks(if self.is_bare { BARE_SERVICES_A_READ } else { SERVICES_A_READ }) {
            let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
            frames.extend(self::frames(reader.facts_of(&slugs).await?, self.is_bare).await?);
        }
        reader.finish().await?;
        for frame in &frames {
            removed.remove(&**frame.slug());
        }
        let removed: Vec<Box<str>> = removed.into_iter().collect();
        let (settings, teams) = match catalogue_changed(store, self.folded_seq, folded_seq).await? {
            true => catalogue(store, folded_seq).await.map(|(settings, teams)| (Some(settings), Some(teams)))?,
            false => (None, None),
        };
        let settings = settings.filter(|settings| *settings != *self.snapshot.settings());
        let snapshot = self.snapshot.refreshed(frames, &removed, teams, settings, version_number(version));
        *self = Self { snapshot: Arc::new(snapshot), version, folded_seq, digest, is_bare: self.is_bare };
        Ok(true)
    }
}

async fn frames(facts: Vec<ServiceFacts>, is_bare: bool) -> Result<Vec<Arc<ServiceFrame>>> {
    let made = tokio::task::spawn_blocking(move || parallel(&facts, |facts| frame_of(facts, is_bare)));
    Ok(made.await.map_err(EngineError::internal)?.into_iter().flatten().collect())
}

/// The frame of these facts; `is_bare`: of the service alone.
pub(crate) fn frame_of(facts: &ServiceFacts, is_bare: bool) -> Arc<ServiceFrame> {
    Arc::new(match is_bare {
        true => ServiceFrame::new(&ServiceFacts::from(facts.service.clone())),
        false => ServiceFrame::new(facts),
    })
}

/// The facts' version as snapshots count it.
pub(crate) fn version_number(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

fn read_state(reader: &FactsReader) -> (i64, i64, Option<String>) {
    (reader.version(), reader.folded_seq(), reader.settings_digest().map(str::to_owned))
}

/// What names teams and says the settings: the catalogue, and notes.
const HOMES_OF_CATALOGUE: [&str; 2] = ["c:", "n:"];

/// Settings and teams as the log has them up to a place.
async fn catalogue(store: &Store, up_to: i64) -> Result<(Arc<Settings>, Vec<TeamEntry>)> {
    let mut records = Vec::new();
    for prefix in HOMES_OF_CATALOGUE {
        records.extend(store.events_with_home_prefix(prefix, Some(up_to)).await?);
    }
    let read = tokio::task::spawn_blocking(move || {
        let mut world = World::new(Arc::new(Settings::default()));
        for record in &records {
            match record.parse() {
                Ok(stored) => world.apply(stored),
                Err(error) => tracing::error!(%error, "a record of the log was left out"),
            }
        }
        (world.settings().clone(), world.teams())
    });
    read.await.map_err(EngineError::internal)
}

/// Whether the catalogue or the settings changed between two places of the log.
async fn catalogue_changed(store: &Store, after: i64, up_to: i64) -> Result<bool> {
    const PAGE: usize = 4_096;
    let mut after = after;
    while after < up_to {
        let page = store.tail(after, PAGE).await?;
        let is_of_it = |home: &str| HOMES_OF_CATALOGUE.iter().any(|prefix| home.starts_with(prefix));
        if page.iter().any(|record| record.seq <= up_to && is_of_it(&record.home)) {
            return Ok(true);
        }
        match page.last() {
            Some(last) => after = last.seq,
            None => break,
        }
    }
    Ok(false)
}
