//! What deliveries say when they are mapped again, after a connector, its settings or the catalogue were mended.
//!
//! The log only grows, so what was said is not removed: it is followed by what takes its place. Every event that a
//! delivery became is noted with its own time and the stamp under which the log has it, which are the same at first.
//! An entity of which a delivery says something else than before, or nothing any more, is **restated**: the log gets a
//! deletion of it, just behind all that was said, and behind the deletion, a microsecond apart, all that is still said of
//! it, in the order of its own times: by the deliveries as they are mapped now, and by others (native events, pulls,
//! deliveries that are forgotten). So it is what it would be had the latest mapping been there from the beginning. What
//! comes later has a later stamp by itself; what comes late, from a delivery or from anybody else, belongs between, and
//! restates the entity again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use vigie_model::kinds::FieldId;
use vigie_model::{Digest, Event, Time};
use vigie_store::{Contribution, PreparedEvent, Restated, Result, Standing, Store};

use super::homes::Homes;

/// What is remembered from batch to batch, for as long as much is restated.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    homes: Homes,
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
    /// What a batch of deliveries comes to.
    pub(super) async fn batch(&mut self, store: &Store, deliveries: Vec<Said>) -> Result<Batch> {
        let mut batch = Batch::default();
        let mut all = Vec::with_capacity(deliveries.len());
        for Said { delivery, before, now } in deliveries {
            let now: Vec<(Digest, Event)> = now.into_iter().map(|event| (event.entity_key(), event)).collect();
            all.push((delivery, before, now));
        }
        let entities: BTreeSet<Digest> = all.iter().flat_map(|(.., now)| now).map(|(entity, _)| *entity).collect();
        let standing = store.restated(entities).await?;
        let dirty: BTreeSet<Digest> = all.iter().flat_map(|(_, before, now)| changed(before, now, &standing)).collect();
        let mut voices: BTreeMap<Digest, Vec<Voice>> = BTreeMap::new();
        let mut homes: BTreeMap<Digest, String> = BTreeMap::new();
        let mut mapped: HashSet<(i64, Digest)> = HashSet::new();
        for (delivery, before, now) in all {
            let mut contributions = Vec::new();
            for own in before.iter().filter(|own| dirty.contains(&own.entity)) {
                mapped.insert((delivery, own.entity));
                homes.entry(own.entity).or_insert_with(|| own.home.clone());
            }
            for (entity, event) in now {
                let (content, at) = (event.digest(), event.at);
                if dirty.contains(&entity) {
                    mapped.insert((delivery, entity));
                    homes.entry(entity).or_insert_with(|| event.home());
                    voices.entry(entity).or_default().push(Voice { delivery, content, at, event });
                } else if !before.iter().any(|own| own.entity == entity) {
                    batch.say(entity, content, at, event, &mut contributions);
                }
            }
            // What it said before and says still is in the log.
            contributions.extend(before.into_iter().filter(|own| !dirty.contains(&own.entity)));
            batch.contributions.push(contributions);
        }
        let wanted: BTreeSet<String> = homes.values().cloned().collect();
        let seen = match wanted.is_empty() {
            true => 0,
            false => self.homes.hold(store, wanted).await?,
        };
        for (entity, home) in homes {
            let live = voices.remove(&entity).unwrap_or_default();
            self.restate(store, (entity, home, seen), live, &mapped, &mut batch).await?;
        }
        Ok(batch)
    }

    /// Says entities anew of which others have said something that belongs among what was said anew before.
    pub(super) async fn catch_up(&mut self, store: &Store, stale: Vec<(Digest, String)>) -> Result<Batch> {
        let mut batch = Batch::default();
        let seen = self.homes.hold(store, stale.iter().map(|(_, home)| home.clone()).collect::<BTreeSet<_>>()).await?;
        for (entity, home) in stale {
            self.restate(store, (entity, home, seen), Vec::new(), &HashSet::new(), &mut batch).await?;
        }
        Ok(batch)
    }

    /// Says anew what is still said of an entity. `mapped`: what the deliveries of the batch say of which entity is
    /// among the voices, if anything.
    async fn restate(
        &self,
        store: &Store,
        (entity, home, seen): (Digest, String, i64),
        mut voices: Vec<Voice>,
        mapped: &HashSet<(i64, Digest)>,
        batch: &mut Batch,
    ) -> Result<()> {
        let before = store.restated([entity]).await?.remove(&entity);
        // Several deliveries may have said the very same.
        let mut speakers: HashMap<(Time, Digest), Vec<(i64, Contribution)>> = HashMap::new();
        for (delivery, own) in store.said_of(entity).await? {
            speakers.entry((own.stamp, own.digest)).or_default().push((delivery, own));
        }
        let logged = self.homes.of(&home, entity);
        for stored in logged.iter().filter(|stored| !stored.event.timeless) {
            let (at, event) = (stored.event.at, &stored.event);
            let own_deletion = event.deleted && before.is_some_and(|before| at == before.deleted_at);
            let mut say = |delivery, content, at| voices.push(Voice { delivery, content, at, event: event.clone() });
            if let Some(own) = speakers.get(&(at, stored.digest)) {
                let left = own.iter().filter(|(delivery, _)| !mapped.contains(&(*delivery, entity)));
                left.for_each(|(delivery, own)| say(*delivery, own.content, own.at));
            } else if before.is_none_or(|before| at > before.deleted_at || (stored.seq > before.seen && !own_deletion))
            {
                // Nobody noted it: others said it, and nothing has taken it back.
                say(0, stored.digest, at);
            }
        }
        let deleted_at = before.map_or(Time::MIN, |before| before.last);
        let deleted_at = logged.iter().map(|stored| stored.event.at).max().unwrap_or(deleted_at).max(deleted_at);
        let Some(example) = voices.first().map(|voice| &voice.event).or(logged.first().map(|stored| &stored.event))
        else {
            return Ok(());
        };
        let deleted_at = deleted_at.saturating_add(1);
        batch.events.push(PreparedEvent::new(deletion(example, deleted_at)));
        // As the fold orders events of one instant.
        voices.sort_by_key(|voice| (voice.at, voice.content));
        let mut restated = Restated { entity, home, deleted_at, last: deleted_at, seen, contributions: Vec::new() };
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

/// The entities of which a delivery says something else than before, or something that belongs before what was said
/// anew.
fn changed(before: &[Contribution], now: &[(Digest, Event)], standing: &HashMap<Digest, Standing>) -> Vec<Digest> {
    let mut entities: BTreeMap<Digest, (Vec<Digest>, Vec<Digest>, bool)> = BTreeMap::new();
    for own in before {
        entities.entry(own.entity).or_default().0.push(own.content);
    }
    for (entity, event) in now {
        let own = entities.entry(*entity).or_default();
        own.1.push(event.digest());
        own.2 |= standing.get(entity).is_some_and(|standing| event.at <= standing.last);
    }
    let is_changed = |(mut before, mut now, is_late): (Vec<_>, Vec<_>, bool)| {
        before.sort_unstable();
        now.sort_unstable();
        before != now && (is_late || !before.is_empty())
    };
    entities.into_iter().filter_map(|(entity, own)| is_changed(own).then_some(entity)).collect()
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
