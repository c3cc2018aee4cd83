//! What a command proposes for `vigie.toml`: sections to review, and what could not be used and why.
//!
//! A proposal is never put into the file by itself. What the file says already is not proposed again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::json;
use toml::Value;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::humane::some;
use crate::terminal::{Paint, Tone, print, print_json, say};

/// One table of the file, like `[[service]]`, with what a reader should know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// The table's name, without brackets; empty for a remark that is of no table.
    pub table: &'static str,
    /// A line each, above the table.
    pub comments: Vec<String>,
    keys: Vec<(&'static str, Value)>,
}

impl Section {
    /// A table without a key.
    pub fn new(table: &'static str) -> Self {
        Self { table, comments: Vec::new(), keys: Vec::new() }
    }

    /// Lines that are for people alone.
    pub fn remark_only(comment: impl Into<String>) -> Self {
        Self::new("").remark(comment)
    }

    /// With a key. What is empty is left out.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let is_empty = match &value {
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Table(table) => table.is_empty(),
            _ => false,
        };
        self.keys.retain(|(known, _)| *known != key);
        if !is_empty {
            self.keys.push((key, value));
        }
        self
    }

    /// With a text, where there is one.
    pub fn with_some(self, key: &'static str, text: Option<&str>) -> Self {
        self.with(key, text.unwrap_or_default())
    }

    /// With a remark.
    pub fn remark(mut self, comment: impl Into<String>) -> Self {
        self.comments.push(comment.into());
        self
    }

    /// A key that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.keys.iter().find(|(known, _)| *known == key).and_then(|(_, value)| value.as_str())
    }

    fn remove(&mut self, key: &str) {
        self.keys.retain(|(known, _)| *known != key);
    }

    fn write(&self, out: &mut String) {
        for comment in &self.comments {
            let _ = writeln!(out, "# {}", one_line(comment));
        }
        if !self.table.is_empty() {
            let _ = writeln!(out, "[[{}]]", self.table);
        }
        for (key, value) in &self.keys {
            let _ = writeln!(out, "{key} = {value}");
        }
    }

    fn json(&self) -> serde_json::Value {
        let mut all: serde_json::Map<String, serde_json::Value> = self
            .keys
            .iter()
            .filter_map(|(key, value)| Some(((*key).to_owned(), serde_json::to_value(value).ok()?)))
            .collect();
        all.insert("comments".to_owned(), json!(self.comments));
        all.into()
    }
}

/// Something that could not be used, or that is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// It was refused: the command ends with status 1.
    pub is_fault: bool,
    /// What it is about: a file with its line and an entity, or a repository.
    pub place: String,
    /// What happened, and what to do.
    pub message: String,
}

/// See the module's documentation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// Where it comes from, for its first line.
    pub origin: String,
    /// The sections, in the order of the file.
    pub sections: Vec<Section>,
    /// What is to be said beside it.
    pub notes: Vec<Note>,
}

impl Proposal {
    /// Notes what is worth knowing.
    pub fn note(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.notes.push(Note { is_fault: false, place: place.into(), message: message.into() });
    }

    /// Notes what was refused.
    pub fn fault(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.notes.push(Note { is_fault: true, place: place.into(), message: message.into() });
    }

    /// Leaves out what the configuration says already, and the parents that would close a circle with it.
    pub fn beside(&mut self, config: &Config, file: &str) {
        let services = config.services.iter().flat_map(|own| std::iter::once(&own.slug).chain(&own.formerly));
        let teams = config.teams.iter().map(|team| &team.slug);
        let known: BTreeMap<&str, BTreeSet<&String>> =
            BTreeMap::from([("service", services.collect()), ("team", teams.collect())]);
        for (table, known) in known {
            let mut left_out = Vec::new();
            self.sections.retain(|section| {
                let slug = section.text("slug").unwrap_or_default();
                let is_new = section.table != table || !known.iter().any(|known| *known == slug);
                if !is_new {
                    left_out.push(slug.to_owned());
                }
                is_new
            });
            if !left_out.is_empty() {
                let count = some(left_out.len() as u64, table, &format!("{table}s"));
                let names = left_out.join(", ");
                let verb = if left_out.len() == 1 { "is" } else { "are" };
                self.note(file, format!("it has {count} already that would be proposed, and {verb} left out: {names}"));
            }
        }
        let written = config.teams.iter().filter_map(|team| Some((team.slug.clone(), team.parent.clone()?)));
        self.open_circles(written.collect());
    }

    /// A team that would come to stand above itself is proposed without its parent.
    fn open_circles(&mut self, mut parents: BTreeMap<String, String>) {
        let mut circles = Vec::new();
        for section in self.sections.iter_mut().filter(|section| section.table == "team") {
            let (Some(slug), Some(parent)) = (section.text("slug"), section.text("parent")) else { continue };
            let (slug, parent) = (slug.to_owned(), parent.to_owned());
            let mut above = Some(&parent);
            while let Some(team) = above.filter(|team| **team != slug) {
                above = parents.get(team);
            }
            if above.is_some() {
                section.remove("parent");
                circles.push((slug, parent));
            } else {
                parents.insert(slug, parent);
            }
        }
        for (slug, parent) in circles {
            let message = format!("its parent {parent} stands below it too; it is proposed without a parent");
            self.note(format!("team {slug}"), message);
        }
    }

    /// As a part of `vigie.toml`.
    pub fn toml(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# Proposed by {}. Review it, and put what is right into vigie.toml.", self.origin);
        if self.sections.is_empty() {
            out.push_str("# There is nothing new.\n");
        }
        for section in &self.sections {
            out.push('\n');
            section.write(&mut out);
        }
        out
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let mut all = serde_json::Map::new();
        for table in ["team", "service", "pull", "hook"] {
            let own = self.sections.iter().filter(|section| section.table == table).map(Section::json);
            all.insert(format!("{table}s"), own.collect());
        }
        let remarks = self.sections.iter().filter(|section| section.table.is_empty());
        all.insert("remarks".to_owned(), remarks.flat_map(|section| section.comments.iter().cloned()).collect());
        let note = |note: &Note| {
            let level = if note.is_fault { "error" } else { "note" };
            json!({"level": level, "place": note.place, "message": note.message})
        };
        all.insert("notes".to_owned(), self.notes.iter().map(note).collect());
        all.into()
    }
}

/// How a proposal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Form {
    /// As lines of vigie.toml.
    #[default]
    Toml,
    /// For programs.
    Json,
}

/// Where a proposal goes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Target {
    /// Write the proposal into a new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file of --output where it is there already
    #[arg(long, requires = "output")]
    force: bool,
    /// How to write the proposal
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
}

impl Target {
    /// Refuses a file that is there before anything is read for it.
    pub fn check(&self) -> Outcome {
        match &self.output {
            Some(path) if path.exists() && !self.force => Err(Failure::new(format_args!(
                "{} is there already; name a new file, or replace it with --force",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Writes a proposal, and says what else there is to say on standard error.
    pub fn write(&self, proposal: &Proposal) -> Outcome {
        let paint = Paint::for_stderr();
        for note in &proposal.notes {
            let level =
                if note.is_fault { paint.tone(Tone::Bad, "error:") } else { paint.tone(Tone::Warning, "note:") };
            say(format_args!("{level} {}: {}", one_line(&note.place), one_line(&note.message)));
        }
        match &self.output {
            None if self.format == Form::Json => print_json(&proposal.json())?,
            None => print(&proposal.toml())?,
            Some(path) => {
                self.check()?;
                let is_replaced = path.exists();
                let text = match self.format {
                    Form::Toml => proposal.toml(),
                    Form::Json => format!("{:#}\n", proposal.json()),
                };
                std::fs::write(path, text)
                    .map_err(|error| Failure::new(format_args!("{}: cannot be written: {error}", path.display())))?;
                let verb = if is_replaced { "replaced" } else { "written" };
                say(format_args!("{} is {verb}: {}", path.display(), count(proposal)));
            }
        }
        if proposal.notes.iter().any(|note| note.is_fault) { Err(Failure::said()) } else { Ok(()) }
    }
}

fn count(proposal: &Proposal) -> String {
    let of = |table: &str| proposal.sections.iter().filter(|section| section.table == table).count() as u64;
    format!("{} and {}", some(of("service"), "service", "services"), some(of("team"), "team", "teams"))
}

/// What comes from outside ends no line and commands no terminal.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What connectors make of a name: lower case, a hyphen for everything that is neither a letter nor a digit. `None`:
/// nothing is left.
pub fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(100);
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// A text that the configuration takes: not empty, not long, without control characters.
pub fn is_text(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 500 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_what_connectors_make_of_a_name() {
        for (name, expected) in [
            ("Checkout", Some("checkout")),
            ("my_service.v2", Some("my-service-v2")),
            ("--a  b--", Some("a-b")),
            ("été", Some("t")),
            ("···", None),
            ("", None),
        ] {
            assert_eq!(slug(name).as_deref(), expected, "{name}");
        }
        assert_eq!(slug(&"a-".repeat(80)).unwrap().len(), 99);
    }

    #[test]
    fn a_comment_ends_on_its_line() {
        let section = Section::new("service").with("slug", "shop").remark("a\nslug = \"evil\"\u{1b}[31m");
        let proposal = Proposal { origin: "a test".to_owned(), sections: vec![section], notes: Vec::new() };
        assert_eq!(
            proposal.toml(),
            "# Proposed by a test. Review it, and put what is right into vigie.toml.\n\n\
             # a slug = \"evil\" [31m\n[[service]]\nslug = \"shop\"\n"
        );
    }

    #[test]
    fn a_circle_with_what_is_written_is_opened() {
        let team = |slug: &str, parent: &str| Section::new("team").with("slug", slug).with("parent", parent);
        let config = crate::config::parse(
            "vigie.toml",
            "[[team]]\nslug = \"a\"\nparent = \"b\"\n[[service]]\nslug = \"shop\"\nformerly = [\"store\"]\n",
            [],
            &[],
        );
        let mut proposal = Proposal {
            sections: vec![
                team("a", "z"),
                team("b", "c"),
                team("c", "a"),
                Section::new("service").with("slug", "store"),
            ],
            ..Proposal::default()
        };
        proposal.beside(&config.unwrap(), "vigie.toml");
        let left: Vec<_> =
            proposal.sections.iter().map(|own| (own.text("slug").unwrap(), own.text("parent"))).collect();
        assert_eq!(left, [("b", Some("c")), ("c", None)]);
        let said: Vec<&str> = proposal.notes.iter().map(|note| note.message.as_str()).collect();
        assert_eq!(
            said,
            [
                "it has 1 service already that would be proposed, and is left out: store",
                "it has 1 team already that would be proposed, and is left out: a",
                "its parent a stands below it too; it is proposed without a parent",
            ]
        );
    }
}
