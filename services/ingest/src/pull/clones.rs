//! The paths that commits touch, from clones: of the repositories of which some service counts some paths only.
//!
//! A host's pull asks which repository needs one, once it was read otherwise, and reads its pages before the next one's.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vigie_model::Event;

use super::mirror::{Mirror, Remote};
use super::notes::Notes;
use super::{Pages, Start};

/// See the module's documentation. `K` is what a pull knows its repositories by.
pub(super) struct Clones<K> {
    /// The folder of all of them.
    folder: PathBuf,
    start: Start,
    /// The one that is being read.
    open: Option<Open<K>>,
}

/// A clone that is being read.
struct Open<K> {
    key: K,
    name: String,
    head: Option<String>,
    mirror: Mirror,
    pages: Box<dyn Pages>,
}

/// How far a clone is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cloned {
    /// The clone's own cursor.
    pub cursor: String,
    /// The commit of the default branch up to which it was read to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// A repository as far as its clone is concerned.
pub(super) struct Cloneable<'r> {
    /// Its name in events.
    pub name: &'r str,
    /// The commit of the default branch up to which it was read otherwise.
    pub head: Option<&'r str>,
    /// How far its clone is.
    pub before: Option<&'r Cloned>,
}

impl<K> Clones<K> {
    pub(super) fn new(folder: &Path, start: Start) -> Self {
        Self { folder: folder.to_owned(), start, open: None }
    }

    /// Whether a clone is needed, and has something new.
    pub(super) fn wants(&self, repository: &Cloneable<'_>) -> bool {
        let known = repository.before.and_then(|before| before.head.as_deref());
        self.start.patterned.contains(&repository.name.to_lowercase()) && (known.is_none() || known != repository.head)
    }

    /// Begins to read a clone. `remedy` is what helps where the password is not taken.
    pub(super) async fn open(
        &mut self,
        key: K,
        repository: &Cloneable<'_>,
        remote: &Remote<'_>,
        remedy: &str,
        notes: &mut Notes,
    ) {
        let name = repository.name;
        let mirror = Mirror::new(&self.folder, remote.url, name);
        if let Err(why) = mirror.fetch(remote).await {
            // What holds of many is said once: without the name of each.
            let why = why.replace(remote.url, "…");
            let is_refused = ["Authentication failed", "403", "could not read"].iter().any(|text| why.contains(text));
            notes.add(unknown(name, &format!("{why}{}", if is_refused { remedy } else { "" })));
            return;
        }
        let cursor = repository.before.map(|before| before.cursor.clone());
        match mirror.pages(Start { cursor, ..self.start.clone() }).await {
            Ok(pages) => {
                let (name, head) = (name.to_owned(), repository.head.map(str::to_owned));
                self.open = Some(Open { key, name, head, mirror, pages });
            }
            Err(error) => {
                mirror.forget().await;
                notes.add(unknown(name, &error.to_string()));
            }
        }
    }

    /// Whose clone is being read.
    pub(super) fn key(&self) -> Option<&K> {
        self.open.as_ref().map(|open| &open.key)
    }

    /// The next page of the clone that is being read, and how far it is then; `None` where none is.
    pub(super) async fn page(&mut self, place: &mut Option<Cloned>, notes: &mut Notes) -> Option<Vec<Event>> {
        let open = self.open.as_mut()?;
        match open.pages.next().await {
            Ok(Some(page)) => {
                *place = Some(Cloned { cursor: page.cursor, head: None });
                Some(page.events)
            }
            Ok(None) => {
                if let Some(clone) = place {
                    clone.head.clone_from(&open.head);
                }
                open.pages.notes().into_iter().for_each(|note| notes.add(format!("{}: {note}", open.name)));
                self.open = None;
                // For its cursor.
                Some(Vec::new())
            }
            // The clone is damaged, and the rest is not to suffer for it.
            Err(error) => {
                open.mirror.forget().await;
                notes.add(unknown(&open.name, &error.to_string()));
                self.open = None;
                None
            }
        }
    }
}

fn unknown(name: &str, why: &str) -> String {
    format!("{name}: the paths of its commits are unknown, so all services count them: {why}")
}
