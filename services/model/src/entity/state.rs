//! What the events of an entity have said so far, open for the next one or packed away.

use smallvec::SmallVec;

use crate::Time;
use crate::event::{Digest, Event, Packer, Unpacker, Value};
use crate::kinds::FieldId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) at: Time,
    pub(super) digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    field: FieldId,
    stamp: u32,
    /// The greatest stamp of the same instant that gave another value: two events disagree on this field, and
    /// neither has been superseded. [`NO_RIVAL`] where there is none.
    rival: u32,
    value: Value,
}

const NO_RIVAL: u32 = u32::MAX;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct State {
    stamps: SmallVec<[Stamp; 4]>,
    deleted: Option<Stamp>,
    slots: Vec<Slot>,
}

impl State {
    pub(super) fn merge(&mut self, event: Event, digest: Digest) {
        let stamp = Stamp { at: event.at, digest };
        if self.deleted.is_some_and(|deleted| stamp <= deleted) {
            return;
        }
        if event.deleted {
            self.delete(stamp);
            return;
        }
        self.slots.reserve(event.fields.len());
        for (field, value) in event.fields {
            self.set(field, value, stamp, None);
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        if let Some(deleted) = other.deleted {
            self.delete(deleted);
        }
        for slot in other.slots {
            let stamp = other.stamps[slot.stamp as usize];
            if self.deleted.is_none_or(|deleted| stamp > deleted) {
                let rival = (slot.rival != NO_RIVAL).then(|| other.stamps[slot.rival as usize]);
                self.set(slot.field, slot.value, stamp, rival);
            }
        }
    }

    fn delete(&mut self, deletion: Stamp) {
        if self.deleted.is_some_and(|deleted| deletion <= deleted) {
            return;
        }
        self.deleted = Some(deletion);
        let stamps = &self.stamps;
        self.slots.retain_mut(|slot| {
            // A deleted event disagrees with nobody.
            if slot.rival != NO_RIVAL && stamps[slot.rival as usize] < deletion {
                slot.rival = NO_RIVAL;
            }
            stamps[slot.stamp as usize] > deletion
        });
    }

    /// Sets a field, unless a greater stamp has set it. `rival`: see [`Slot::rival`].
    fn set(&mut self, field: FieldId, value: Value, stamp: Stamp, rival: Option<Stamp>) {
        let rival = rival.filter(|rival| self.deleted.is_none_or(|deleted| *rival > deleted));
        let at = match self.slots.binary_search_by_key(&field, |slot| slot.field) {
            Ok(at) => at,
            Err(at) => {
                let (stamp, rival) = (self.number_of(stamp), self.number_of_rival(rival));
                self.slots.insert(at, Slot { field, stamp, rival, value });
                return;
            }
        };
        let slot = &self.slots[at];
        let current = self.stamps[slot.stamp as usize];
        let current_rival = self.stamps.get(slot.rival as usize).copied();
        // Of one instant: whoever loses and said something else disagrees, and so does whoever disagreed with the
        // loser, or with the winner already.
        let rival = if current.at != stamp.at {
            if stamp > current { rival } else { current_rival }
        } else if slot.value == value {
            rival.max(current_rival)
        } else {
            let (winners, loser) = if stamp > current { (rival, current) } else { (current_rival, stamp) };
            winners.max(Some(loser))
        };
        let rival = self.number_of_rival(rival);
        if stamp > current {
            self.slots[at] = Slot { field, stamp: self.number_of(stamp), rival, value };
        } else {
            self.slots[at].rival = rival;
        }
    }

    fn number_of(&mut self, stamp: Stamp) -> u32 {
        position_or_push(&mut self.stamps, stamp)
    }

    fn number_of_rival(&mut self, stamp: Option<Stamp>) -> u32 {
        stamp.map_or(NO_RIVAL, |stamp| self.number_of(stamp))
    }

    /// Only the stamps that a field still needs are kept.
    pub(super) fn pack(&self) -> Box<[u8]> {
        let mut needed: SmallVec<[Stamp; 4]> = SmallVec::new();
        let mut number = |stamp: u32| position_or_push(&mut needed, self.stamps[stamp as usize]) as usize;
        let numbers: SmallVec<[(usize, usize); 24]> = (self.slots.iter())
            .map(|slot| (number(slot.stamp), if slot.rival == NO_RIVAL { 0 } else { 1 + number(slot.rival) }))
            .collect();
        let mut bytes = Vec::with_capacity(1_024);
        let mut out = Packer(&mut bytes);
        out.count(usize::from(self.deleted.is_some()));
        out.count(needed.len());
        for stamp in self.deleted.iter().chain(&needed) {
            out.time(stamp.at);
            out.bytes(&stamp.digest.0);
        }
        for (slot, (stamp, rival)) in self.slots.iter().zip(numbers) {
            out.bytes(&[slot.field]);
            out.count(stamp);
            out.count(rival);
            // How long the value is stands before it and is known after it.
            let begin = out.0.len();
            out.value(&slot.value);
            let end = out.0.len();
            out.count(end - begin);
            let length = out.0.len() - end;
            out.0[begin..].rotate_right(length);
        }
        // Of the exact size: shrunk in place it would keep the room of the larger one.
        Box::from(&*bytes)
    }

    pub(super) fn unpack(packed: &[u8]) -> Self {
        let packed = Packed::new(packed);
        let number = |number: usize| u32::try_from(number).unwrap_or(NO_RIVAL);
        let slots = packed.slots().filter_map(|slot| {
            let rival = slot.rival.map_or(NO_RIVAL, number);
            Some(Slot { field: slot.field, stamp: number(slot.stamp), rival, value: slot.value()? })
        });
        Self { deleted: packed.deleted, slots: slots.collect(), stamps: packed.stamps().collect() }
    }
}

/// The stamps are few: a search beats a map.
fn position_or_push(stamps: &mut SmallVec<[Stamp; 4]>, stamp: Stamp) -> u32 {
    let at = stamps.iter().position(|known| *known == stamp).unwrap_or_else(|| {
        stamps.push(stamp);
        stamps.len() - 1
    });
    u32::try_from(at).unwrap_or(NO_RIVAL)
}

/// The bytes of a stamp.
const STAMP: usize = 24;

/// A packed [`State`], as far as a look at it needs.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a> {
    pub(super) deleted: Option<Stamp>,
    stamps: &'a [u8],
    slots: &'a [u8],
}

/// A field of a [`Packed`].
pub(super) struct PackedSlot<'a> {
    pub(super) field: FieldId,
    pub(super) stamp: usize,
    pub(super) rival: Option<usize>,
    value: &'a [u8],
}

impl PackedSlot<'_> {
    pub(super) fn value(&self) -> Option<Value> {
        Unpacker(self.value).value()
    }
}

impl<'a> PackedSlot<'a> {
    pub(super) fn is_null(&self) -> bool {
        Unpacker(self.value).is_null()
    }

    /// Where it is a text.
    pub(super) fn text(&self) -> Option<&'a str> {
        Unpacker(self.value).tagged_text()
    }
}

impl<'a> Packed<'a> {
    /// What does not end as it should would be a mistake in this module; it is read as if it ended there.
    pub(super) fn new(packed: &'a [u8]) -> Self {
        Self::read(packed).unwrap_or(Self { deleted: None, stamps: &[], slots: &[] })
    }

    fn read(packed: &'a [u8]) -> Option<Self> {
        let mut rest = Unpacker(packed);
        let (is_deleted, count) = (rest.count()? > 0, rest.count()?);
        let deleted = if is_deleted { Some(stamp(rest.bytes(STAMP)?)?) } else { None };
        Some(Self { deleted, stamps: rest.bytes(count.checked_mul(STAMP)?)?, slots: rest.0 })
    }

    fn stamps(&self) -> impl Iterator<Item = Stamp> + use<'a> {
        self.stamps.chunks_exact(STAMP).filter_map(stamp)
    }

    /// When the event with this number said what it said.
    pub(super) fn at(&self, number: usize) -> Option<Time> {
        let begin = number.checked_mul(STAMP)?;
        stamp(self.stamps.get(begin..begin.checked_add(STAMP)?)?).map(|stamp| stamp.at)
    }

    /// In the order of the fields.
    pub(super) fn slots(&self) -> impl Iterator<Item = PackedSlot<'a>> + use<'a> {
        let mut rest = Unpacker(self.slots);
        std::iter::from_fn(move || {
            let [field] = rest.take()?;
            let (stamp, rival, length) = (rest.count()?, rest.count()?, rest.count()?);
            Some(PackedSlot { field, stamp, rival: rival.checked_sub(1), value: rest.bytes(length)? })
        })
    }

    pub(super) fn slot(&self, field: FieldId) -> Option<PackedSlot<'a>> {
        self.slots().take_while(|slot| slot.field <= field).find(|slot| slot.field == field)
    }
}

fn stamp(bytes: &[u8]) -> Option<Stamp> {
    let mut rest = Unpacker(bytes);
    Some(Stamp { at: rest.time()?, digest: Digest(rest.take()?) })
}
