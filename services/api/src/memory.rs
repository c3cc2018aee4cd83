//! What is remembered so that it is not done twice: two bounded memories without a background task.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use hashbrown::{DefaultHashBuilder, HashMap};
use std::hash::BuildHasher;
use vigie_model::{SECOND, Time};

use crate::http::body::Ready;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves a memory whole: at worst an entry is missing.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A map that forgets what was not asked for lately: two generations, and what is asked for moves to the young one.
/// Where the young one is full, it becomes the old one, and the old one goes.
#[derive(Debug)]
pub struct Recent<K, V> {
    generations: Mutex<(HashMap<K, V>, HashMap<K, V>)>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// An empty map that holds between `capacity` and twice as many entries once it is full.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { generations: Mutex::new((HashMap::new(), HashMap::new())), capacity }
    }

    /// What is remembered of a key.
    pub fn get<Q: Hash + hashbrown::Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        let mut generations = lock(&self.generations);
        if let Some(value) = generations.0.get(key) {
            return Some(value.clone());
        }
        let (key, value) = generations.1.remove_entry(key)?;
        self.add(&mut generations, key, value.clone());
        Some(value)
    }

    /// Remembers a value.
    pub fn put(&self, key: K, value: V) {
        self.add(&mut lock(&self.generations), key, value);
    }

    fn add(&self, generations: &mut (HashMap<K, V>, HashMap<K, V>), key: K, value: V) {
        if generations.0.len() >= self.capacity {
            generations.1 = std::mem::take(&mut generations.0);
        }
        generations.0.insert(key, value);
    }
}

/// For which moment answers are the same: within one second and one version of the data, equal requests of equal rights
/// have equal answers, as every request's now is the end of its second: what has happened is in a window up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Now, in whole seconds.
    pub now: Time,
    /// The snapshot's version.
    pub version: u64,
}

impl Moment {
    /// The moment of an instant and a version.
    #[must_use]
    pub fn new(now: Time, version: u64) -> Self {
        Self { now: now.saturating_add((SECOND - now.rem_euclid(SECOND)) % SECOND), version }
    }
}

/// What makes two requests equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    /// Whose rows may be seen: a team's slug, empty for all.
    pub team: std::sync::Arc<str>,
    /// The form of the answer: the endpoint and whether it is packed.
    pub form: u8,
    /// The request's body or query string.
    pub request: Bytes,
}

/// The answers of one moment. They are all forgotten with the moment, so that nothing ever has to be looked for that is
/// out of date.
#[derive(Debug)]
pub struct Answers {
    shards: Vec<Mutex<Shard>>,
    hasher: DefaultHashBuilder,
    shard_bytes: usize,
}

#[derive(Debug, Default)]
struct Shard {
    moment: Moment,
    bytes: usize,
    answers: HashMap<AnswerKey, Ready>,
}

const SHARDS: usize = 16;

impl Answers {
    /// An empty memory of at most about so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: DefaultHashBuilder::default(), shard_bytes: bytes / SHARDS }
    }

    fn shard(&self, key: &AnswerKey) -> MutexGuard<'_, Shard> {
        #[allow(clippy::cast_possible_truncation)] // any bits do
        lock(&self.shards[self.hasher.hash_one(key) as usize >> 7 & (SHARDS - 1)])
    }

    /// The answer to an equal request of the same moment.
    #[must_use]
    pub fn get(&self, moment: Moment, key: &AnswerKey) -> Option<Ready> {
        let shard = self.shard(key);
        if shard.moment == moment { shard.answers.get(key).cloned() } else { None }
    }

    /// Remembers an answer until its moment is over, or there is no room.
    pub fn put(&self, moment: Moment, key: AnswerKey, answer: Ready) {
        let size = key.request.len() + answer.bytes.len() + 128;
        let mut shard = self.shard(&key);
        if shard.moment != moment {
            // An answer that took longer than its moment must not push out those of the present one.
            if (moment.now, moment.version) < (shard.moment.now, shard.moment.version) {
                return;
            }
            shard.moment = moment;
            shard.bytes = 0;
            shard.answers.clear();
        }
        if shard.bytes + size <= self.shard_bytes {
            shard.bytes += size;
            shard.answers.insert(key, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays() {
        let recent = Recent::new(2);
        recent.put(1, "one");
        for n in 2..100 {
            recent.put(n, "other");
            assert_eq!(recent.get(&1), Some("one"));
        }
        assert_eq!(recent.get(&2), None);
    }

    #[test]
    fn an_answer_is_true_for_its_moment_only() {
        let answers = Answers::new(100_000);
        let key = |team: &str| AnswerKey { team: team.into(), form: 0, request: Bytes::from_static(b"{}") };
        let now = Moment::new(5_400_000, 7);
        answers.put(now, key(""), Ready::new(b"1".to_vec(), false));
        let remembered = |moment, team: &str| answers.get(moment, &key(team)).is_some();
        assert!(remembered(now, "") && remembered(Moment::new(5_999_999, 7), ""));
        assert!(!remembered(now, "other team"));
        assert!(remembered(Moment::new(6_000_000, 7), "") && !remembered(Moment::new(6_000_001, 7), ""));
        assert!(!remembered(Moment::new(5_400_000, 8), ""));
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let answers = Answers::new(SHARDS * 1000);
        for n in 0..1000u32 {
            let key = AnswerKey { team: "".into(), form: 0, request: Bytes::from(n.to_string()) };
            answers.put(Moment::default(), key, Ready::new(vec![b'x'; 100], false));
        }
        let kept: usize = answers.shards.iter().map(|shard| lock(shard).answers.len()).sum();
        assert!(kept <= SHARDS * 4 && kept > 0);
    }
}
