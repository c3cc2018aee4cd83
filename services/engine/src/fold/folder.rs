//! A world with what its folds need read from the log, home by home.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::task::JoinHandle;
use vigie_metrics::world::World;
use vigie_metrics::{Difference, Differing, ServiceFrame, Snapshot};
use vigie_model::Settings;
use vigie_model::facts::{FactRow, ServiceFact, ServiceFacts};
use vigie_store::{Delta, RawEvent, ServiceDelta, Store};

use super::parallel::parallel;
use super::reading::{Loaded, parse, read};
use super::recent::Recent;
use crate::error::{EngineError, Result};
use crate::standing::frame_of;

/// What the fold of one service gave, compared with what a snapshot holds.
#[derive(Debug)]
pub(crate) enum Folded {
    /// There is no such service.
    Nothing,
    /// The facts are those of the snapshot.
    Same,
    /// Other facts, or the first.
    Changed(Box<ServiceDelta>, Arc<ServiceFrame>),
    /// The service is no more.
    Gone,
    /// The fold broke off: a bug, which is logged; the old facts stay.
    Failed,
}

/// What is being read for a later group of services.
pub(crate) struct Ahead(JoinHandle<Result<Vec<Loaded>>>);

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Folder {
    store: Store,
    /// What need not be read.
    recent: Option<Arc<Recent>>,
    /// What the world holds, up to this place of the log.
    seq: i64,
    /// Lent to another thread while it works; gone for good only if that thread broke off.
    world: Option<Box<World>>,
    held_entities: usize,
    /// When a home was last of use, for letting the others go first.
    used: HashMap<String, u64>,
    turn: u64,
    /// Repositories by the last segment of their name, of which it is not known yet whether they had events by
    /// `seq`: a service that declares none may rest on one that is named like it.
    perhaps: HashMap<Box<str>, Vec<String>>,
}

impl Folder {
    /// The world as the log stood at a place, with catalogue, settings, incidents, checks and notes, and the names of all
    /// there is; the rest is read when a fold needs it. `is_past`: the log goes on beyond the place.
    pub(crate) async fn open(store: &Store, seq: i64, is_past: bool, held_entities: usize) -> Result<Self> {
        let catalogue = store.events_with_home_prefix("c:", Some(seq)).await?;
        let incidents = store.events_with_home_prefix("i:", Some(seq)).await?;
        let checks = store.events_with_home_prefix("k:", Some(seq)).await?;
        let notes = store.events_with_home_prefix("n:", Some(seq)).await?;
        let repositories = store.homes("r:").await?;
        let mut folder = Self {
            store: store.clone(),
            recent: None,
            seq,
            world: Some(Box::new(World::new(Arc::new(Settings::default())))),
            held_entities,
            used: HashMap::new(),
            turn: 0,
            perhaps: HashMap::new(),
        };
        let mut names = Vec::new();
        for home in repositories {
            let name = home.strip_prefix("r:").unwrap_or(&home).to_owned();
            let segment = name.rsplit('/').next().unwrap_or(&name).into();
            if is_past {
                folder.perhaps.entry(segment).or_default().push(home);
            } else {
                names.push(name);
            }
        }
        let services = if is_past { Vec::new() } else { store.homes("s:").await? };
        folder
            .with_world(move |world| {
                if held_entities == 0 {
                    world.keep_no_entities();
                }
                for records in [catalogue, incidents, checks, notes] {
                    parse(&records).into_iter().for_each(|stored| world.apply(stored));
                }
                for name in &names {
                    world.remember_repository(name);
                }
                for home in &services {
                    remember_service(world, home);
                }
                world.take_dirty();
                world.take_teams_changed();
                world.take_settings_changed();
            })
            .await?;
        Ok(folder)
    }

    /// The same with what this process has recorded itself, which need not be read.
    pub(crate) fn with_recent(self, recent: Option<Arc<Recent>>) -> Self {
        Self { recent, ..self }
    }

    /// Up to which place of the log the world goes.
    pub(crate) fn seq(&self) -> i64 {
        self.seq
    }

    /// Works on the world on a thread that may be held.
    pub(crate) async fn with_world<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut World) -> T + Send + 'static,
    ) -> Result<T> {
        let Some(mut world) = self.world.take() else {
            return Err(EngineError::internal("the world was lost when a fold broke off"));
        };
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&mut world);
            (world, result)
        });
        let (world, result) = task.await.map_err(EngineError::internal)?;
        self.world = Some(world);
        Ok(result)
    }

    /// Takes the records in that follow.
    pub(crate) async fn apply(&mut self, records: Vec<RawEvent>) -> Result<()> {
        let Some(last) = records.last().map(|record| record.seq) else { return Ok(()) };
        self.turn += 1;
        for record in &records {
            // Homes that are not held are not to be remembered either.
            if let Some(turn) = self.used.get_mut(&*record.home) {
                *turn = self.turn;
            }
        }
        self.with_world(move |world| parse(&records).into_iter().for_each(|stored| world.apply(stored))).await?;
        self.seq = last;
        Ok(())
    }

    /// Begins to read what the folds of these services will need as far as that is known, while others are folded.
    /// To be used before the world takes in more of the log.
    pub(crate) async fn read_ahead(&mut self, slugs: &[Box<str>]) -> Result<Ahead> {
        let homes = self.needed(slugs).await?;
        let (store, recent, seq) = (self.store.clone(), self.recent.clone(), self.seq);
        Ok(Ahead(tokio::spawn(async move { read(&store, recent.as_deref(), homes, seq).await })))
    }

    /// Puts in what was read ahead, reads what the folds of these services need and the world lacks even so. Gives
    /// the number of records read.
    pub(crate) async fn load(&mut self, slugs: &[Box<str>], ahead: Option<Ahead>) -> Result<usize> {
        self.turn += 1;
        let mut count = 0;
        if let Some(Ahead(reading)) = ahead {
            count += self.put(reading.await.map_err(EngineError::internal)??).await?;
        }
        let mut first: Vec<String> = Vec::new();
        for slug in slugs {
            let lower = slug.to_lowercase();
            let segment = lower.rsplit('/').next().unwrap_or(&lower);
            first.extend(self.perhaps.remove(segment).unwrap_or_default());
        }
        let mut needed = first;
        if needed.is_empty() {
            needed = self.needed(slugs).await?;
        }
        while !needed.is_empty() {
            count += self.put(read(&self.store, self.recent.as_deref(), needed, self.seq).await?).await?;
            needed = self.needed(slugs).await?;
        }
        Ok(count)
    }

    /// The homes that the folds of these services need and the world lacks, sorted, as far as its own tell.
    async fn needed(&mut self, slugs: &[Box<str>]) -> Result<Vec<String>> {
        let slugs = slugs.to_vec();
        let needed = self.with_world(move |world| {
            let needed = parallel(&slugs, |slug| world.homes_needed(slug));
            needed.into_iter().flatten().flatten().collect::<BTreeSet<String>>()
        });
        Ok(needed.await?.into_iter().collect())
    }

    async fn put(&mut self, homes: Vec<Loaded>) -> Result<usize> {
        let turn = self.turn;
        self.used.extend(homes.iter().map(|loaded| (loaded.name.clone(), turn)));
        let count = homes.iter().map(|loaded| loaded.records).sum();
        self.with_world(move |world| {
            for Loaded { name, home, .. } in homes {
                if name.starts_with("s:") && !home.is_empty() {
                    remember_service(world, &name);
                }
                world.put_home(&name, home);
            }
        })
        .await?;
        Ok(count)
    }

    /// Folds services whose homes are loaded, in the order of `slugs`, and compares with what `before` holds.
    /// Without it everything is [`Folded::Changed`], with an empty difference. `is_bare`: the frames are of the services
    /// alone.
    pub(crate) async fn fold(
        &mut self,
        slugs: Vec<Box<str>>,
        before: Option<Arc<Snapshot>>,
        is_bare: bool,
    ) -> Result<Vec<(Box<str>, Folded)>> {
        let (folded, used) = self
            .with_world(move |world| {
                let results = parallel(&slugs, |slug| fold_one(world, slug, before.as_deref(), is_bare));
                let mut used = Vec::new();
                let mut folded = Vec::with_capacity(slugs.len());
                for (slug, result) in slugs.into_iter().zip(results) {
                    let result = result.unwrap_or_else(|| {
                        tracing::error!(
                            service = &*slug,
                            "the fold of a service broke off; its facts stay as they were"
                        );
                        (Folded::Failed, None)
                    });
                    if let Some(fact) = &result.1 {
                        world.remember(fact);
                        used.extend(world.homes_behind(fact));
                    }
                    folded.push((slug, result.0));
                }
                (folded, used)
            })
            .await?;
        for home in used {
            if let Some(turn) = self.used.get_mut(&home) {
                *turn = self.turn;
            }
        }
        Ok(folded)
    }

    /// Lets every home go, at once.
    pub(crate) async fn let_go(&mut self) -> Result<()> {
        self.used.clear();
        self.with_world(|world| {
            let homes: Vec<String> = world.loaded().map(|(home, _)| home.to_owned()).collect();
            homes.iter().for_each(|home| drop(world.evict(home)));
        })
        .await
    }

    /// Lets homes go until the world is as small as it should be, those first that were of no use for longest. Those of
    /// the last turn stay: services of one repository are folded one after the other.
    pub(crate) async fn shrink(&mut self) -> Result<()> {
        let (limit, turn) = (self.held_entities, self.turn);
        let used = std::mem::take(&mut self.used);
        let (used, gone) = self
            .with_world(move |world| {
                let mut used = used;
                let mut gone = Vec::new();
                let mut homes: Vec<(u64, String, usize)> = world
                    .loaded()
                    .map(|(home, entities)| (used.get(home).copied().unwrap_or(0), home.to_owned(), entities))
                    .collect();
                let mut total: usize = homes.iter().map(|(.., entities)| entities + 1).sum();
                if total > limit {
                    homes.sort_unstable();
                    for (used_at, home, entities) in homes {
                        if total <= limit || used_at == turn {
                            break;
                        }
                        gone.extend(world.evict(&home));
                        used.remove(&home);
                        total -= entities + 1;
                    }
                }
                (used, gone)
            })
            .await?;
        self.used = used;
        if !gone.is_empty() {
            tokio::task::spawn_blocking(move || drop(gone));
        }
        Ok(())
    }
}

fn remember_service(world: &mut World, home: &str) {
    let name = home.strip_prefix("s:").unwrap_or(home);
    world.remember(&ServiceFact {
        service: name.into(),
        name: name.into(),
        team: None,
        teams: "[]".into(),
        archived_at: None,
        failure_signal: false,
        repositories: "[]".into(),
        environments: "[]".into(),
        uptime_sources: "[]".into(),
        declared: false,
    });
}

/// A service folded anew, and its own row where there is one.
fn fold_one(world: &World, slug: &str, before: Option<&Snapshot>, is_bare: bool) -> (Folded, Option<ServiceFact>) {
    let old = before.and_then(|before| before.frame(slug));
    let Some(mut new) = world.fold(slug) else {
        return (if old.is_some() { Folded::Gone } else { Folded::Nothing }, None);
    };
    let service = new.service.clone();
    ServiceFrame::sort(&mut new);
    let folded = match (before, old) {
        (_, Some(old)) => {
            let difference = old.difference(&new);
            let delta = delta_of(old, &new, &difference);
            if delta.is_empty() {
                Folded::Same
            } else {
                let frame = if is_bare { frame_of(&new, true) } else { Arc::new(old.refreshed(&new, &difference)) };
                Folded::Changed(Box::new(delta), frame)
            }
        }
        (Some(_), None) => {
            let frame = frame_of(&new, is_bare);
            Folded::Changed(Box::new(ServiceDelta::insert(new)), frame)
        }
        (None, None) => Folded::Changed(Box::default(), frame_of(&new, is_bare)),
    };
    (folded, Some(service))
}

fn delta_of(old: &ServiceFrame, new: &ServiceFacts, difference: &Difference) -> ServiceDelta {
    fn of<R: FactRow>(differing: &Differing<R>, rows: &[R]) -> Delta<R> {
        Delta::between(&differing.before, &rows[differing.after.clone()])
    }
    ServiceDelta {
        slug: new.service.service.clone(),
        service: Delta::between(std::slice::from_ref(old.service()), std::slice::from_ref(&new.service)),
        deployments: of(&difference.deployments, &new.deployments),
        changes: of(&difference.changes, &new.changes),
        waiting: of(&difference.waiting, &new.waiting),
        incidents: of(&difference.incidents, &new.incidents),
        availability: of(&difference.availability, &new.availability),
        quality: of(&difference.quality, &new.quality),
    }
}
