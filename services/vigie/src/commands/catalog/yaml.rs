//! YAML with its lines: as much of it as a catalogue needs, and no more of it than a file can hold.
//!
//! Scalars stay texts: a name that is all digits is a name. An alias is a copy, so aliases are counted before they are
//! copied: a few lines of them can mean billions of nodes.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

/// A value and the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub line: usize,
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a file is read no further.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub line: usize,
    pub message: String,
}

/// What a node of a map holds where there is none.
static NOTHING: Node = Node { line: 0, value: Value::Null };

/// Nodes of a file, those of aliases among them.
const MOST_NODES: usize = 1_000_000;
/// Lists and maps within each other.
const DEEPEST: usize = 100;

impl Node {
    /// The value of a key; a null where there is none.
    pub(super) fn get(&self, key: &str) -> &Node {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name == key).map_or(&NOTHING, |(_, node)| node),
            _ => &NOTHING,
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// There is nothing here.
    pub(super) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Node::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, node)| node.size()).sum::<usize>(),
            _ => 0,
        }
    }
}

/// A list or a map that is not at its end.
struct Open {
    line: usize,
    anchor: usize,
    value: Value,
    /// The key whose value comes next.
    key: Option<String>,
}

/// Puts nodes into what is open.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    nodes: usize,
    documents: Vec<Node>,
}

impl Builder {
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += node.size();
        if self.nodes > MOST_NODES {
            return Err(format!("it has more than {MOST_NODES} values, those of its aliases counted"));
        }
        if anchor > 0 {
            // The copy counts too.
            self.nodes += node.size();
            self.anchors.push((anchor, node.clone()));
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match (&mut open.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(key)) => entries.push((key, node)),
            (Value::Map(_), None) => match node.value {
                Value::Text(key) => open.key = Some(key),
                Value::Null => open.key = Some(String::new()),
                _ => return Err("a key is a list or a map; write a text".to_owned()),
            },
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, line: usize, anchor: usize, value: Value) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("lists and maps stand more than {DEEPEST} deep in each other"));
        }
        self.open.push(Open { line, anchor, value, key: None });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Open { line, anchor, mut value, .. }) = self.open.pop() else { return Ok(()) };
        if let Value::Map(entries) = &mut value {
            merge(entries);
        }
        // It was counted as it came.
        let node = Node { line, value };
        self.nodes = self.nodes.saturating_sub(node.size() - 1);
        self.put(node, anchor)
    }

    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if is_null { Value::Null } else { Value::Text(text.into_owned()) };
                self.put(Node { line, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(line, anchor, Value::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.begin(line, anchor, Value::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let found = self.anchors.iter().rev().find(|(known, _)| *known == anchor);
                let Some((_, node)) = found else {
                    return Err("an alias (*name) has no anchor (&name) before it in its document".to_owned());
                };
                if self.nodes + node.size() > MOST_NODES {
                    return Err(format!("its aliases stand for more than {MOST_NODES} values"));
                }
                let node = Node { line, value: node.value.clone() };
                self.put(node, 0)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => Ok(()),
        }
    }
}

/// `<<` takes the entries of other maps in, under those that are written.
fn merge(entries: &mut Vec<(String, Node)>) {
    while let Some(at) = entries.iter().position(|(key, _)| key == "<<") {
        let (_, node) = entries.remove(at);
        let maps = match node.value {
            Value::List(items) => items.into_iter().map(|item| item.value).collect(),
            value => vec![value],
        };
        for value in maps {
            let Value::Map(more) = value else { continue };
            for (key, node) in more {
                if key != "<<" && !entries.iter().any(|(known, _)| *known == key) {
                    entries.push((key, node));
                }
            }
        }
    }
}

/// The documents of a text, and why those behind them cannot be read.
pub(super) fn documents(text: &str) -> (Vec<Node>, Option<Fault>) {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => return (builder.documents, Some(broken(&error))),
        };
        if let Err(message) = builder.take(event, span.start.line()) {
            return (builder.documents, Some(Fault { line: span.start.line(), message }));
        }
    }
    (builder.documents, None)
}

fn broken(error: &ScanError) -> Fault {
    Fault { line: error.marker().line(), message: format!("this is no YAML: {}", error.info()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_their_lines() {
        let (documents, fault) = documents("# a file\n---\na: 1\nb:\n  - x\n  - ~\n---\n'c': \"null\"\n");
        assert_eq!(fault, None);
        assert_eq!(documents.len(), 2);
        let b = documents[0].get("b");
        assert_eq!((documents[0].line, documents[0].get("a").text(), documents[0].get("a").line), (3, Some("1"), 3));
        assert_eq!((b.items()[0].line, b.items()[1].is_null()), (5, true));
        assert_eq!((documents[1].line, documents[1].get("c").text()), (8, Some("null")));
        assert!(documents[1].get("nothing").is_null());
    }

    #[test]
    fn what_stands_before_a_fault_is_kept() {
        let (documents, fault) = documents("a: 1\n---\nb: [1\nc: 2\n");
        assert_eq!(documents.len(), 1);
        let fault = fault.unwrap();
        assert!(fault.line >= 3 && fault.message.starts_with("this is no YAML: "), "{fault:?}");
    }

    #[test]
    fn aliases_and_merges_are_copies() {
        let (documents, fault) = documents("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  y: 3\nlist: [*b, *b]\n");
        assert_eq!(fault, None);
        let own = documents[0].get("own");
        assert_eq!((own.get("x").text(), own.get("y").text()), (Some("1"), Some("3")));
        assert_eq!(documents[0].get("list").items()[1].get("y").text(), Some("2"));
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let copies = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{copies}]\n"));
        }
        assert!(documents(&bomb).1.unwrap().message.contains("aliases stand for more than"));
        let deep = |depth: usize| documents(&format!("a: {}{}", "[".repeat(depth), "]".repeat(depth))).1;
        assert_eq!(deep(90), None);
        assert!(deep(110).unwrap().message.contains("deep in each other"));
        assert!(deep(50_000).is_some());
    }
}
