//! What deliveries say when they are mapped again, after a connector, its settings or the catalogue were mended.
//!
//! The log only grows, so what was said is not removed: it is followed by what takes its place. Every event that a
//! delivery became is noted with its own time and the stamp under which the log has it, which are the same at first.
//! An entity of which a delivery says something else than before, or nothing any more, is **restated**: the log gets a
//! deletion of it, just behind all that was said, and behind the deletion, a microsecond apart, all that is still said of
//! it, in the order of its own times: by the deliveries as they are mapped now, and by others (native events, deliveries
//! that are forgotten). So it is what it would be had the latest mapping been there from the beginning. What comes later
//! has a later stamp by itself; what comes late, and belongs between, restates the entity again.
//!
//! A timeless event has no place of its own and is never restated.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use vigie_model::kinds::FieldId;
use vigie_model::{Digest, Event, StoredEvent, Time};
use vigie_store::{Contribution, PreparedEvent, Restated, Result, Store};

/// Which entities were restated: the stamp of the deletion, and the greatest behind it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    restated: HashMap<Digest, (Time, Time)>,
}

/// A delivery of a batch: what it said and says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) delivery: i64,
    pub(super) before: Vec<Contribution>,
    pub(super) now: Vec<Event>,
}

/// What a batch comes to.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// What the log gets.
    pub(super) events: Vec<PreparedEvent>,
    /// What each delivery says, in the order of the batch, but for what is said of restated entities.
    pub(super) contributions: Vec<Vec<Contribution>>,
    /// What is said anew.
    pub(super) restated: Vec<Restated>,
}

/// Something that is still said of an entity.
struct Voice {
    delivery: i64,
    content: Digest,
    at: Time,
    event: Event,
}

impl Ledger {
    /// As the database has it.
    pub(super) async fn load(store: &Store) -> Result<Self> {
        Ok(Self { restated: store.restated().await? })
    }

    /// The batch is recorded.
    pub(super) fn recorded(&mut self, restated: &[Restated]) {
        self.restated.extend(restated.iter().map(|own| (own.entity, (own.deleted_at, own.last))));
    }

    /// What a batch of deliveries comes to.
    pub(super) async fn batch(&self, store: &Store, deliveries: Vec<Said>) -> Result<Batch> {
        let mut batch = Batch::default();
        let mut all = Vec::with_capacity(deliveries.len());
        let mut dirty = BTreeSet::new();
        for Said { delivery, before, now } in deliveries {
            let (timeless, now): (Vec<_>, Vec<_>) = now.into_iter().partition(|event| event.timeless);
            batch.events.extend(timeless.into_iter().map(PreparedEvent::new));
            let now: Vec<(Digest, Event)> = now.into_iter().map(|event| (event.entity_key(), event)).collect();
            dirty.extend(self.changed(&before, &now));
            all.push((delivery, before, now));
        }
        let mut voices: BTreeMap<Digest, Vec<Voice>> = BTreeMap::new();
        let mut mapped: HashSet<(i64, Digest)> = HashSet::new();
        for (delivery, before, now) in all {
            let mut contributions = Vec::new();
            mapped.extend(before.iter().map(|own| (delivery, own.entity)));
            for (entity, event) in now {
                mapped.insert((delivery, entity));
                let (content, at) = (event.digest(), event.at);
                if dirty.contains(&entity) {
                    voices.entry(entity).or_default().push(Voice { delivery, content, at, event });
                } else if !before.iter().any(|own| own.entity == entity) {
                    batch.say(entity, content, at, event, &mut contributions);
                }
            }
            // What it said before and says still is in the log.
            contributions.extend(before.into_iter().filter(|own| !dirty.contains(&own.entity)));
            batch.contributions.push(contributions);
        }
        let mut homes = HashMap::new();
        for entity in dirty {
            let live = voices.remove(&entity).unwrap_or_default();
            self.restate(store, entity, live, &mapped, &mut homes, &mut batch).await?;
        }
        Ok(batch)
    }

    /// The entities of which a delivery says something else than before, or something that belongs before what was said
    /// anew.
    fn changed(&self, before: &[Contribution], now: &[(Digest, Event)]) -> BTreeSet<Digest> {
        let mut entities: BTreeMap<Digest, (Vec<Digest>, Vec<Digest>, bool)> = BTreeMap::new();
        for own in before {
            entities.entry(own.entity).or_default().0.push(own.content);
        }
        for (entity, event) in now {
            let own = entities.entry(*entity).or_default();
            own.1.push(event.digest());
            own.2 |= self.restated.get(entity).is_some_and(|(_, last)| event.at <= *last);
        }
        let is_changed = |(mut before, mut now, is_late): (Vec<_>, Vec<_>, bool)| {
            before.sort_unstable();
            now.sort_unstable();
            before != now && (is_late || !before.is_empty())
        };
        entities.into_iter().filter_map(|(entity, own)| is_changed(own).then_some(entity)).collect()
    }

    /// Says anew what is still said of an entity. `mapped`: what the deliveries of the batch say of which entity is
    /// among the voices, if anything.
    async fn restate(
        &self,
        store: &Store,
        entity: Digest,
        mut voices: Vec<Voice>,
        mapped: &HashSet<(i64, Digest)>,
        homes: &mut HashMap<String, HashMap<Digest, Vec<StoredEvent>>>,
        batch: &mut Batch,
    ) -> Result<()> {
        let rows = store.said_of(entity).await?;
        let Some(home) = rows.first().map(|(_, own)| own.home.clone()).or_else(|| Some(voices.first()?.event.home()))
        else {
            return Ok(());
        };
        if !homes.contains_key(&home) {
            let mut of_entity: HashMap<Digest, Vec<StoredEvent>> = HashMap::new();
            for raw in store.events_of(std::slice::from_ref(&home), None).await? {
                let stored = raw.parse()?;
                of_entity.entry(stored.event.entity_key()).or_default().push(stored);
            }
            homes.insert(home.clone(), of_entity);
        }
        let logged = homes.get(&home).and_then(|own| own.get(&entity)).map(Vec::as_slice).unwrap_or_default();
        let key = |own: &Contribution| (own.stamp, own.digest);
        // Several deliveries may have said the very same.
        let mut speakers: HashMap<(Time, Digest), Vec<(i64, Contribution)>> = HashMap::new();
        for (delivery, own) in rows {
            speakers.entry(key(&own)).or_default().push((delivery, own));
        }
        let deleted_at = self.restated.get(&entity).map_or(Time::MIN, |(deleted_at, _)| *deleted_at);
        for stored in logged.iter().filter(|stored| stored.event.at > deleted_at && !stored.event.timeless) {
            let (at, event) = (stored.event.at, stored.event.clone());
            let Some(own) = speakers.get(&(at, stored.digest)) else {
                voices.push(Voice { delivery: 0, content: stored.digest, at, event });
                continue;
            };
            let left = own.iter().filter(|(delivery, _)| !mapped.contains(&(*delivery, entity)));
            voices.extend(left.map(|(delivery, own)| Voice {
                delivery: *delivery,
                content: own.content,
                at: own.at,
                event: event.clone(),
            }));
        }
        let last = logged.iter().map(|stored| stored.event.at).max().unwrap_or(deleted_at);
        let Some(example) = voices.first().map(|voice| &voice.event).or(logged.first().map(|stored| &stored.event))
        else {
            return Ok(());
        };
        let deleted_at = last.max(deleted_at).saturating_add(1);
        batch.events.push(PreparedEvent::new(deletion(example, deleted_at)));
        // As the fold orders events of one instant.
        voices.sort_by_key(|voice| (voice.at, voice.content));
        let mut restated = Restated { entity, deleted_at, last: deleted_at, contributions: Vec::new() };
        for voice in voices {
            restated.last = restated.last.saturating_add(1);
            let mut own = Vec::new();
            let event = Event { at: restated.last, ..voice.event };
            batch.say(entity, voice.content, voice.at, event, &mut own);
            restated.contributions.extend(own.into_iter().map(|own| (voice.delivery, own)));
        }
        batch.restated.push(restated);
        Ok(())
    }
}

impl Batch {
    /// An event goes into the log, and is noted.
    fn say(&mut self, entity: Digest, content: Digest, at: Time, event: Event, noted: &mut Vec<Contribution>) {
        let stamp = event.at;
        let prepared = PreparedEvent::new(event);
        noted.push(Contribution {
            entity,
            home: prepared.home().to_owned(),
            content,
            at,
            stamp,
            digest: prepared.digest(),
        });
        self.events.push(prepared);
    }
}

/// Clears everything of the entity that the event is about.
fn deletion(of: &Event, at: Time) -> Event {
    let roles = of.kind.fields();
    let is_identity = |field: &FieldId| roles.get(usize::from(*field)).is_some_and(|field| field.role.is_identity());
    let fields = of.fields.iter().filter(|(field, _)| is_identity(field)).cloned().collect();
    Event { kind: of.kind, source: of.source.clone(), at, timeless: false, partial: false, deleted: true, fields }
}
