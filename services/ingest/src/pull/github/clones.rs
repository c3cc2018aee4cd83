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
    /// The clone that is being read: under which key the cursor has it, and up to which commit it goes.
    pub open: Option<(String, Option<String>, Box<dyn Pages>)>,
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
            notes.add(format!(
                "{}: the paths of its commits are unknown, so all services count them: {why}",
                repository.name
            ));
            return Ok(());
        }
        let cursor = before.as_ref().map(|before| before.cursor.clone());
        let pages = mirror.pages(Start { cursor, ..self.start.clone() }).await?;
        self.open = Some((key.to_owned(), head.clone(), pages));
        Ok(())
    }

    /// The next page of the clone that is being read; `None` where none is.
    pub(super) async fn page(
        &mut self,
        cursor: &mut Cursor,
        notes: &mut Notes,
    ) -> Result<Option<Vec<Event>>, PullError> {
        let Some((key, head, pages)) = &mut self.open else { return Ok(None) };
        let page = pages.next().await?;
        let place = cursor.repositories.entry(key.clone()).or_default();
        match page {
            Some(page) => {
                place.clone = Some(Cloned { cursor: page.cursor, head: None });
                Ok(Some(page.events))
            }
            None => {
                if let Some(clone) = &mut place.clone {
                    clone.head.clone_from(head);
                }
                pages.notes().into_iter().for_each(|note| notes.add(format!("{key}: {note}")));
                self.open = None;
                // For its cursor.
                Ok(Some(Vec::new()))
            }
        }
    }
}
