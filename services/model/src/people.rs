//! Authors: replaced as events are taken in, so that no name ever reaches the log (unless a site asks for it).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Event, Value};
use crate::kinds::{Kind, commit, pull_request};
use crate::pattern::Pattern;
use crate::settings::{People, Settings};

/// The secret that pseudonyms are made with. Destroying it makes the data anonymous and changes no number.
#[derive(Clone)]
pub struct PeopleKey(pub [u8; 32]);

impl std::fmt::Debug for PeopleKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeopleKey(…)")
    }
}

/// What a pseudonym begins with; an author that does is one already (an export read back in).
const PREFIX: &str = "person-";
/// How many hexadecimal digits follow.
const DIGITS: usize = 20;

/// Replaces the authors of events and marks bots.
#[derive(Debug, Clone)]
pub struct Concealer {
    key: PeopleKey,
    mode: People,
    bots: Vec<Pattern>,
    /// Of a name that was met: its pseudonym, and whether it is a bot's. Few names make many commits.
    known: Arc<Mutex<Known>>,
}

type Known = HashMap<Box<str>, (Box<str>, bool)>;

/// So many names are remembered; when there are more, all are forgotten.
const REMEMBERED: usize = 50_000;

impl Concealer {
    /// A concealer by these settings.
    #[must_use]
    pub fn new(key: PeopleKey, settings: &Settings) -> Self {
        let bots = settings.bots.iter().map(|p| Pattern::name(p)).collect();
        Self { key, mode: settings.people, bots, known: Arc::default() }
    }

    /// Replaces the author of `event`, where it has one. A sender's own `bot` mark stands.
    pub fn conceal(&self, event: &mut Event) {
        let (author, bot) = match event.kind {
            Kind::Commit => (commit::AUTHOR, commit::BOT),
            Kind::PullRequest => (pull_request::AUTHOR, pull_request::BOT),
            _ => return,
        };
        let Some(Value::Text(name)) = event.get(author) else {
            return;
        };
        let name = name.clone();
        if is_pseudonym(&name) {
            return;
        }
        let (pseudonym, is_bot) = self.look_up(&name);
        if event.get(bot).is_none() {
            event.set(bot, Value::Bool(is_bot));
        }
        match self.mode {
            People::Names => {}
            People::None => event.remove(author),
            People::Pseudonym => event.set(author, Value::Text(pseudonym)),
        }
    }

    /// What stands in the place of a person's name wherever else one is told; `None`: nothing does.
    #[must_use]
    pub fn person(&self, name: &str) -> Option<Box<str>> {
        match self.mode {
            People::Pseudonym if !is_pseudonym(name) => Some(self.look_up(name).0),
            People::Pseudonym | People::Names => Some(name.into()),
            People::None => None,
        }
    }

    fn look_up(&self, name: &str) -> (Box<str>, bool) {
        // Whoever panicked with the lock in hand left the map whole.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(name) {
            return found.clone();
        }
        // Of `Name <email>`, as git has it, the name alone may be what a pattern means (`*[bot]`).
        let bare = name.split_once(" <").map_or(name, |(bare, _)| bare);
        let is_bot = self.bots.iter().any(|p| p.matches_ignore_case(name) || p.matches_ignore_case(bare));
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.entry(name.into()).or_insert((self.pseudonym(name), is_bot)).clone()
    }

    fn pseudonym(&self, name: &str) -> Box<str> {
        let hash = blake3::keyed_hash(&self.key.0, name.to_lowercase().as_bytes());
        let hex = hash.to_hex();
        format!("{PREFIX}{}", &hex[..DIGITS]).into()
    }
}

/// A login may begin in the same way; only one that could have been made here passes.
fn is_pseudonym(name: &str) -> bool {
    let digits = name.strip_prefix(PREFIX).unwrap_or_default().as_bytes();
    digits.len() == DIGITS && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Context, parse_object};
    use crate::json::Json;

    fn concealed(mode: People, author: &str) -> Event {
        let text = format!(
            r#"{{"kind":"pull_request","repository":"r","number":1,"opened_at":"2026-10-01T12:00:00Z","author":"{author}"}}"#
        );
        let mut event = parse_object(&Json::parse(text.as_bytes()).unwrap(), &Context::outside("t")).unwrap();
        let settings = Settings { people: mode, ..Settings::default() };
        Concealer::new(PeopleKey([7; 32]), &settings).conceal(&mut event);
        event
    }

    #[test]
    fn an_author_becomes_a_keyed_pseudonym_and_again_the_same() {
        let once = concealed(People::Pseudonym, "ada");
        let author = once.text(pull_request::AUTHOR).to_owned();
        assert!(author.starts_with("person-") && !author.contains("ada"));
        assert_eq!(concealed(People::Pseudonym, "ADA").text(pull_request::AUTHOR), author);
        assert_eq!(concealed(People::Pseudonym, &author).text(pull_request::AUTHOR), author);
        assert_eq!(once.get(pull_request::BOT), Some(&Value::Bool(false)));
    }

    #[test]
    fn bots_are_marked_whatever_becomes_of_the_name() {
        for bot in ["dependabot[bot]", "Renovate-Runner", "build[bot]", "ci[bot] <41+ci[bot]@users.noreply.github.com>"]
        {
            assert_eq!(concealed(People::None, bot).get(pull_request::BOT), Some(&Value::Bool(true)), "{bot}");
        }
        assert!(concealed(People::None, "ada").get(pull_request::AUTHOR).is_none());
        assert_eq!(concealed(People::Names, "ada").text(pull_request::AUTHOR), "ada");
    }
}
