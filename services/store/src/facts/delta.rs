//! What changed between two folds of a service.

use std::collections::HashMap;

use vigie_model::facts::{
    AvailabilityFact, CellWriter, ChangeFact, DeploymentFact, FactRow, IncidentFact, QualityFact, ServiceFact,
    ServiceFacts, WaitingFact,
};

/// What to do to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta<R> {
    /// Rows that have changed or are new, unique by their key.
    pub upsert: Vec<R>,
    /// How many of the first of these have changed; the others are taken for new, which saves a search for them.
    pub changed: usize,
    /// Rows that are no more; only their keys matter. None of them is in `upsert`.
    pub delete: Vec<R>,
}

impl<R> Default for Delta<R> {
    fn default() -> Self {
        Self { upsert: Vec::new(), changed: 0, delete: Vec::new() }
    }
}

impl<R: FactRow> Delta<R> {
    /// Everything is new.
    #[must_use]
    pub fn insert(rows: Vec<R>) -> Self {
        Self { upsert: rows, ..Self::default() }
    }

    /// The difference of two folds, each unique by key and in any order.
    #[must_use]
    pub fn between(old: &[R], new: &[R]) -> Self {
        // Most often rows were added at the end, so what is alike on both ends is passed over first.
        let alike = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[alike..], &new[alike..]);
        let alike = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        let (old, new) = (&old[..old.len() - alike], &new[..new.len() - alike]);

        let mut known: HashMap<Vec<u8>, &R> = old.iter().map(|row| (key_of(row), row)).collect();
        let (mut upsert, mut added) = (Vec::new(), Vec::new());
        for row in new {
            match known.remove(&key_of(row)) {
                Some(before) if before == row => {}
                Some(_) => upsert.push(row.clone()),
                None => added.push(row.clone()),
            }
        }
        let changed = upsert.len();
        upsert.append(&mut added);
        let mut gone: Vec<_> = known.into_iter().collect();
        gone.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Self { upsert, changed, delete: gone.into_iter().map(|(_, row)| row.clone()).collect() }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.upsert.is_empty() && self.delete.is_empty()
    }
}

/// The cells of a row's key, one after the other.
struct Key {
    left: usize,
    bytes: Vec<u8>,
}

impl Key {
    fn push(&mut self, bytes: &[u8]) {
        if self.left > 0 {
            self.left -= 1;
            self.bytes.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            self.bytes.extend_from_slice(bytes);
        }
    }
}

impl CellWriter for Key {
    fn text(&mut self, value: Option<&str>) {
        self.push(value.unwrap_or_default().as_bytes());
    }
    fn int(&mut self, value: Option<i64>) {
        self.push(&value.unwrap_or_default().to_be_bytes());
    }
    fn flag(&mut self, value: bool) {
        self.push(&[u8::from(value)]);
    }
}

fn key_of<R: FactRow>(row: &R) -> Vec<u8> {
    let mut key = Key { left: R::KEY, bytes: Vec::with_capacity(96) };
    row.write(&mut key);
    key.bytes
}

/// What changed in the facts of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceDelta {
    /// Its slug.
    pub slug: Box<str>,
    /// Its own row.
    pub service: Delta<ServiceFact>,
    /// See [`DeploymentFact`].
    pub deployments: Delta<DeploymentFact>,
    /// See [`ChangeFact`].
    pub changes: Delta<ChangeFact>,
    /// See [`WaitingFact`].
    pub waiting: Delta<WaitingFact>,
    /// See [`IncidentFact`].
    pub incidents: Delta<IncidentFact>,
    /// See [`AvailabilityFact`].
    pub availability: Delta<AvailabilityFact>,
    /// See [`QualityFact`].
    pub quality: Delta<QualityFact>,
}

impl ServiceDelta {
    /// From one fold of a service to the next; `None`: it has no facts yet.
    #[must_use]
    pub fn between(old: Option<&ServiceFacts>, new: &ServiceFacts) -> Self {
        let Some(old) = old else { return Self::insert(new.clone()) };
        Self {
            slug: new.service.service.clone(),
            service: Delta::between(std::slice::from_ref(&old.service), std::slice::from_ref(&new.service)),
            deployments: Delta::between(&old.deployments, &new.deployments),
            changes: Delta::between(&old.changes, &new.changes),
            waiting: Delta::between(&old.waiting, &new.waiting),
            incidents: Delta::between(&old.incidents, &new.incidents),
            availability: Delta::between(&old.availability, &new.availability),
            quality: Delta::between(&old.quality, &new.quality),
        }
    }

    /// The first facts of a service.
    #[must_use]
    pub fn insert(new: ServiceFacts) -> Self {
        Self {
            slug: new.service.service.clone(),
            service: Delta::insert(vec![new.service]),
            deployments: Delta::insert(new.deployments),
            changes: Delta::insert(new.changes),
            waiting: Delta::insert(new.waiting),
            incidents: Delta::insert(new.incidents),
            availability: Delta::insert(new.availability),
            quality: Delta::insert(new.quality),
        }
    }

    /// Whether nothing changed, so that nothing needs writing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        macro_rules! all_empty {
            ($($member:ident: $row:ty,)+) => { $( self.$member.is_empty() )&&+ };
        }
        super::for_each_fact!(all_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(subject: &str, detail: &str) -> QualityFact {
        QualityFact { service: "a".into(), code: "x".into(), subject: subject.into(), at: None, detail: detail.into() }
    }

    #[test]
    fn only_what_differs_is_written() {
        let old = [quality("1", "a"), quality("2", "a"), quality("3", "a"), quality("4", "a")];
        let new = [quality("1", "a"), quality("3", "b"), quality("5", "a"), quality("2", "a"), quality("4", "a")];
        let delta = Delta::between(&old, &new);
        assert_eq!((&*delta.upsert, delta.changed), (&[quality("3", "b"), quality("5", "a")][..], 1));
        assert_eq!(delta.delete, []);
        let delta = Delta::between(&new, &old);
        assert_eq!(delta.upsert, [quality("3", "a")]);
        assert_eq!(delta.delete, [quality("5", "a")]);
        assert!(Delta::between(&old, &old).is_empty());
        assert_eq!(Delta::between(&old, &[]).delete, old);
        assert_eq!(Delta::between(&[], &new), Delta::insert(new.to_vec()));
    }

    #[test]
    fn keys_do_not_run_into_each_other() {
        let mut one = quality("b", "");
        one.code = "a".into();
        let mut other = quality("", "");
        other.code = "ab".into();
        assert_ne!(key_of(&one), key_of(&other));
    }
}
