//! Values with their places and sections by their keys, collecting everything that is wrong on the way.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Kind, ROOT, Table, variable};
use super::problem::{Origin, Problem, Problems, Source, mask, nearest};

/// A value with its place.
#[derive(Clone)]
pub(super) struct Node<'v> {
    /// With its section.
    pub key: String,
    pub origin: Origin,
    pub value: &'v DeValue<'v>,
}

/// A table with its place.
pub(super) struct Section<'v> {
    /// Empty for the root.
    pub key: String,
    pub origin: Origin,
    nodes: Vec<(&'static str, Node<'v>)>,
}

impl<'v> Section<'v> {
    /// A section that is not written.
    pub(super) fn empty(key: &str) -> Self {
        Self { key: key.to_owned(), origin: Origin::Nowhere, nodes: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<Node<'v>> {
        self.nodes.iter().find(|(known, _)| *known == name).map(|(_, node)| node.clone())
    }

    pub(super) fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    /// Puts a value over the file's.
    pub(super) fn set(&mut self, name: &'static str, node: Node<'v>) {
        self.nodes.retain(|(known, _)| *known != name);
        self.nodes.push((name, node));
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Reader {
    wrong: Vec<(Origin, String, Option<String>, String)>,
}

impl Reader {
    /// Notes what is wrong with a value.
    pub(super) fn wrong(&mut self, node: &Node<'_>, message: impl std::fmt::Display) {
        let value = match (&node.origin, node.value) {
            (Origin::Outside(_), DeValue::String(text)) => Some(format!("{:?}", mask(text))),
            _ => None,
        };
        self.wrong.push((node.origin.clone(), node.key.clone(), value, message.to_string()));
    }

    /// Notes what is wrong with a place that has no value of its own.
    pub(super) fn wrong_at(&mut self, origin: &Origin, key: &str, message: impl std::fmt::Display) {
        self.wrong.push((origin.clone(), key.to_owned(), Some(String::new()), message.to_string()));
    }

    /// What was noted, in the order of the file. On a line with a syntax error (no key), the rest follows from it.
    pub(super) fn finish(self, source: &Source<'_>) -> Result<(), Problems> {
        let mut problems: Vec<Problem> = self
            .wrong
            .into_iter()
            .map(|(origin, key, value, message)| {
                let (place, written, key) = match origin {
                    Origin::File(span) => {
                        let (line, column) = source.place(span.start);
                        (Some((source.name.to_owned(), line, column)), source.excerpt(&span), key)
                    }
                    Origin::Outside(name) => (None, String::new(), name),
                    Origin::Nowhere => (None, String::new(), key),
                };
                let value = value.unwrap_or(written);
                // The value stands before the message already.
                let message = match message.strip_prefix(&value) {
                    Some(rest) if !value.is_empty() => format!("this{rest}"),
                    _ => message,
                };
                Problem { place, key, value, message }
            })
            .collect();
        let line = |problem: &Problem| problem.place.as_ref().map(|(_, line, _)| *line);
        let broken: Vec<usize> = problems.iter().filter(|problem| problem.key.is_empty()).filter_map(line).collect();
        // Behind a section whose header is broken, nobody knows what section a key is in.
        let is_header =
            |line: &usize| source.text.lines().nth(line - 1).is_some_and(|text| text.trim_start().starts_with('['));
        let lost = broken.iter().copied().filter(is_header).min().unwrap_or(usize::MAX);
        problems.retain(|problem| {
            problem.key.is_empty() || line(problem).is_none_or(|line| line < lost && !broken.contains(&line))
        });
        problems.sort_by_key(|problem| problem.place.as_ref().map(|(_, line, column)| (*line, *column)));
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// The entries of a table by the keys it may have; the others are wrong.
    pub(super) fn section<'v>(
        &mut self,
        key: String,
        origin: Origin,
        table: &'v DeTable<'v>,
        known: &'static Table,
    ) -> Section<'v> {
        let mut section = Section { key, origin, nodes: Vec::new() };
        for (name, value) in table {
            let node =
                Node { key: section.path(name.get_ref()), origin: Origin::File(value.span()), value: value.get_ref() };
            match known.key(name.get_ref()) {
                Some(key) => section.nodes.push((key.name, node)),
                None => {
                    let message = unknown_key(name.get_ref(), known);
                    self.wrong_at(&Origin::File(name.span()), &node.key, message);
                }
            }
        }
        for key in known.keys.iter().filter(|key| key.required) {
            if section.get(key.name).is_none() {
                let path = section.path(key.name);
                self.wrong_at(&section.origin, &path, format_args!("missing; {}", lower_first(key.about)));
            }
        }
        section
    }

    /// The section behind a key, if it is there.
    pub(super) fn table<'v>(&mut self, node: &Node<'v>, known: &'static Table) -> Option<Section<'v>> {
        match node.value {
            DeValue::Table(table) => Some(self.section(node.key.clone(), node.origin.clone(), table, known)),
            _ => self.mistyped(node, "a table"),
        }
    }

    /// The items of a list; anything else stands for a list of one.
    pub(super) fn items<'v>(&mut self, node: &Node<'v>) -> Vec<Node<'v>> {
        match node.value {
            DeValue::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, item): (usize, &Spanned<DeValue<'_>>)| Node {
                    key: format!("{}[{}]", node.key, index + 1),
                    origin: Origin::File(item.span()),
                    value: item.get_ref(),
                })
                .collect(),
            _ => vec![node.clone()],
        }
    }

    /// The entries of a table whose keys are not ours.
    pub(super) fn entries<'v>(&mut self, node: &Node<'v>) -> Vec<(&'v str, Node<'v>)> {
        let DeValue::Table(table) = node.value else {
            return self.mistyped(node, "a table").unwrap_or_default();
        };
        let entry = |(name, value): (&'v Spanned<toml::de::DeString<'v>>, &'v Spanned<DeValue<'v>>)| {
            let key = format!("{}.{}", node.key, name.get_ref());
            (name.get_ref().as_ref(), Node { key, origin: Origin::File(value.span()), value: value.get_ref() })
        };
        table.iter().map(entry).collect()
    }

    /// The sections of a list of tables.
    pub(super) fn tables<'v>(&mut self, node: Option<Node<'v>>, known: &'static Table) -> Vec<Section<'v>> {
        let Some(node) = node else { return Vec::new() };
        if !matches!(node.value, DeValue::Array(_)) {
            let key = &node.key;
            self.wrong(&node, format_args!("this is one table where several may stand; write [[{key}]]"));
            return Vec::new();
        }
        self.items(&node).into_iter().filter_map(|item| self.table(&item, known)).collect()
    }
}

fn unknown_key(name: &str, known: &'static Table) -> String {
    let names: Vec<&str> = known.keys.iter().map(|key| key.name).collect();
    let lower = name.to_lowercase();
    if ["token", "password", "secret", "api_key"].contains(&lower.as_str()) {
        let own = format!("{lower}_file");
        let files = || names.iter().copied().filter(|name| name.ends_with("_file"));
        let file = files().find(|name| *name == own).or_else(|| files().next()).unwrap_or("database_file");
        return format!("unknown key; a secret is not written here: put it into a file and write {file} = \"/path\"");
    }
    if let Some(near) = nearest(name, names.iter().copied()) {
        return format!("unknown key in {}; did you mean {near}?", known.title);
    }
    let sections = std::iter::once(&ROOT).chain(ROOT.keys.iter().filter_map(|key| key.kind.table()));
    match sections.filter(|table| table.title != known.title).find(|table| table.key(name).is_some()) {
        Some(home) if std::ptr::eq(home, &ROOT) => {
            format!(
                "unknown key in {}; {name} belongs at the beginning of the file, before the first [section]",
                known.title
            )
        }
        Some(home) => format!("unknown key in {}; {name} belongs under {}", known.title, home.title),
        None => format!("unknown key; {} knows {}", known.title, names.join(", ")),
    }
}

/// Values that a variable or a flag may set.
pub(super) fn settable(kind: Kind) -> bool {
    kind.table().is_none()
        && !matches!(
            kind,
            Kind::Date | Kind::Dates | Kind::Instant | Kind::Objective | Kind::Paths | Kind::Settings | Kind::Matches
        )
}

/// What is wrong with variables that nothing reads but that look like one that is read.
pub(super) fn misspelt_variable(name: &str, known: &[&str]) -> Option<String> {
    let rest = name.strip_prefix("VIGIE_")?.to_lowercase();
    let near = known.iter().map(|known| (strsim::damerau_levenshtein(&rest, known), known)).min()?;
    let allowed = if near.1.len() > 6 { 2 } else { 1 };
    (near.0 > 0 && near.0 <= allowed).then(|| format!("unknown variable; did you mean {}?", variable(near.1)))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
