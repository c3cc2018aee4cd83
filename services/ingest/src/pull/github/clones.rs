//! The paths that commits touch, from clones: of the repositories of which some service counts some paths only.

use vigie_model::Event;

use super::super::mirror::Mirror;
use super::super::notes::Notes;
use super::super::{Pages, PullError, Start};
use super::GitHub;
use super::client::Client;
use super::cursor::{Cloned, Cursor};
use super::repository::Reader;

/// The user of whoever has a token.
const USER: &str = "x-access-token";

/// See the module's documentation.
pub(super) struct Clones {
    pub source: GitHub,
    pub start: Start,
    /// The one that is being read.
    pub open: Option<Open>,
}

/// A clone that is being read.
pub(super) struct Open {
    key: String,
    head: Option<String>,
    mirror: Mirror,
    pages: Box<dyn Pages>,
}

impl Clones {
    /// Begins to read the clone of a repository that was read otherwise, where one is needed and has something new.
    pub(super) async fn open(
        &mut self,
        key: &str,
        reader: &Reader,
        client: &Client,
        notes: &mut Notes,
    ) -> Result<(), PullError> {
        let repository = reader.repository();
        let name = repository.name.to_lowercase();
        let Some(branch) = repository.branch.as_deref().filter(|_| self.start.patterned.contains(&name)) else {
            return Ok(());
        };
        let (head, before) = (&reader.place.head, &reader.place.clone);
        if before.as_ref().is_some_and(|before| before.head.is_some() && before.head == *head) {
            return Ok(());
        }
        let url = self.source.clone_url(&repository.name);
        let mirror = Mirror::new(&self.source.clones, &url, &repository.name);
        let password = client.password(&self.source.access).await?;
        if let Err(why) = mirror.fetch(&url, branch, USER, &password).await {
            notes.add(unknown(&repository.name, &why));
            return Ok(());
        }
        let cursor = before.as_ref().map(|before| before.cursor.clone());
        match mirror.pages(Start { cursor, ..self.start.clone() }).await {
            Ok(pages) => self.open = Some(Open { key: key.to_owned(), head: head.clone(), mirror, pages }),
            Err(error) => {
                mirror.forget().await;
                notes.add(unknown(&repository.name, &error.to_string()));
            }
        }
        Ok(())
    }

    /// The next page of the clone that is being read; `None` where none is.
    pub(super) async fn page(&mut self, cursor: &mut Cursor, notes: &mut Notes) -> Option<Vec<Event>> {
        let Some(open) = &mut self.open else { return None };
        let place = cursor.repositories.entry(open.key.clone()).or_default();
        match open.pages.next().await {
            Ok(Some(page)) => {
                place.clone = Some(Cloned { cursor: page.cursor, head: None });
                Some(page.events)
            }
            Ok(None) => {
                if let Some(clone) = &mut place.clone {
                    clone.head.clone_from(&open.head);
                }
                open.pages.notes().into_iter().for_each(|note| notes.add(format!("{}: {note}", open.key)));
                self.open = None;
                // For its cursor.
                Some(Vec::new())
            }
            // The clone is damaged, and the rest is not to suffer for it.
            Err(error) => {
                open.mirror.forget().await;
                notes.add(unknown(&open.key, &error.to_string()));
                self.open = None;
                None
            }
        }
    }
}

fn unknown(name: &str, why: &str) -> String {
    format!("{name}: the paths of its commits are unknown, so all services count them: {why}")
}
