//! What is missing or odd: each sentence once, for all that it holds of, and not without end; and the services that were
//! guessed.

use std::collections::{BTreeMap, HashSet};

use crate::connector::Unmapped;

/// Sentences that are kept.
const MOST: usize = 50;
/// Names that stand before one.
const NAMED: usize = 3;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Notes {
    all: Vec<Note>,
    more: u64,
    /// By the guess.
    unmapped: BTreeMap<String, Unmapped>,
}

#[derive(Debug)]
struct Note {
    /// Of whom it is said, the first few by name.
    named: Vec<String>,
    subjects: HashSet<String>,
    said: String,
}

impl Notes {
    /// Adds a sentence. One like `acme/shop: no deployments: …` is said of `acme/shop`.
    pub(super) fn add(&mut self, note: String) {
        let (subject, said) = match note.split_once(": ") {
            Some((subject, said)) if !subject.contains(' ') => (Some(subject.to_owned()), said.to_owned()),
            _ => (None, note),
        };
        let known = self.all.iter().position(|own| own.said == said && own.subjects.is_empty() == subject.is_none());
        let at = match known {
            Some(at) => at,
            None if self.all.len() >= MOST => {
                self.more += 1;
                return;
            }
            None => {
                self.all.push(Note { named: Vec::new(), subjects: HashSet::new(), said });
                self.all.len() - 1
            }
        };
        subject.into_iter().for_each(|subject| self.all[at].of(subject));
    }

    /// Notes services that were guessed; of one, what was said of it last.
    pub(super) fn guessed(&mut self, unmapped: Vec<Unmapped>) {
        self.unmapped.extend(unmapped.into_iter().map(|guess| (guess.service.clone(), guess)));
    }

    /// The services that were guessed.
    pub(super) fn unmapped(&self) -> Vec<Unmapped> {
        self.unmapped.values().cloned().collect()
    }

    /// The sentences, in the order in which they came first.
    pub(super) fn list(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.all.iter().map(Note::text).chain(more).collect()
    }
}

impl Note {
    fn of(&mut self, subject: String) {
        if self.subjects.insert(subject.clone()) && self.named.len() < NAMED {
            self.named.push(subject);
        }
    }

    fn text(&self) -> String {
        let names = self.named.join(", ");
        match self.subjects.len() - self.named.len() {
            _ if self.subjects.is_empty() => self.said.clone(),
            0 => format!("{names}: {}", self.said),
            others => format!("{names} and {others} more: {}", self.said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_of_many_is_said_once() {
        let mut notes = Notes::default();
        for name in ["acme/a", "acme/b", "acme/a"] {
            notes.add(format!("{name}: no runs: GitHub answers 404"));
        }
        notes.add("acme/a: no releases: GitHub answers 403".to_owned());
        notes.add("acme/x* fits nothing".to_owned());
        notes.add("acme/x* fits nothing".to_owned());
        let said = [
            "acme/a, acme/b: no runs: GitHub answers 404",
            "acme/a: no releases: GitHub answers 403",
            "acme/x* fits nothing",
        ];
        assert_eq!(notes.list(), said);
        for number in 0..198 {
            notes.add(format!("acme/{number}: no runs: GitHub answers 404"));
        }
        assert_eq!(notes.list()[0], "acme/a, acme/b, acme/0 and 197 more: no runs: GitHub answers 404");
        assert_eq!(notes.list().len(), 3);
        for number in 0..60 {
            notes.add(format!("acme/a: {number} is odd"));
        }
        assert_eq!((notes.list().len(), notes.list().last().map(String::as_str)), (51, Some("and 13 more")));
    }
}
