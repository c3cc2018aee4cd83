//! The envelope that every entity of Backstage has, and references to entities.

use super::yaml::{Node, Value};

/// A file and a line of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub file: String,
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// `[kind:][namespace/]name`, whole and in lower case: upper and lower case are the same in references.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reference {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

/// The namespace of what names none.
pub(super) const DEFAULT: &str = "default";

impl Reference {
    /// Reads a reference that stands in an entity of this namespace.
    pub(super) fn parse(text: &str, kind: &str, namespace: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((kind, text));
        let (namespace, name) = rest.split_once('/').unwrap_or((namespace, rest));
        let parts = [kind, namespace, name].map(|part| part.trim().to_lowercase());
        let [kind, namespace, name] = parts;
        let is_good = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_control() || "/:{}$".contains(c));
        (is_good(&kind) && is_good(&namespace) && is_good(&name)).then_some(Self { kind, namespace, name })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

/// An entity of a catalogue.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    pub place: Place,
    /// As others refer to it.
    pub reference: Reference,
    /// Its name as it is written.
    pub name: String,
    pub metadata: Node,
    pub spec: Node,
}

impl Entity {
    /// Reads a document. An empty one is `None`.
    ///
    /// # Errors
    /// It is no entity of Backstage: the line, and why.
    pub(super) fn read(file: &str, document: &Node) -> Option<Result<Self, (Place, String)>> {
        let place = |line: usize| Place { file: file.to_owned(), line: line.max(document.line) };
        let wrong = |node: &Node, what: &str| Some(Err((place(node.line), what.to_owned())));
        if document.is_null() {
            return None;
        }
        if !matches!(document.value, Value::Map(_)) {
            return wrong(document, "this is no entity; one has apiVersion, kind, metadata and spec");
        }
        let version = document.get("apiVersion");
        match version.text() {
            Some(text) if text.starts_with("backstage.io/") => {}
            Some(text) => {
                return wrong(
                    version,
                    &format!("apiVersion {text:?} is none of Backstage's; it has backstage.io/v1alpha1"),
                );
            }
            None => return wrong(version, "it has no apiVersion; Backstage's is backstage.io/v1alpha1"),
        }
        let Some(kind) = document.get("kind").text() else { return wrong(document.get("kind"), "it has no kind") };
        let metadata = document.get("metadata");
        let Some(name) = metadata.get("name").text() else {
            return wrong(metadata.get("name"), &format!("this {kind} has no metadata.name"));
        };
        let namespace = metadata.get("namespace").text().unwrap_or(DEFAULT);
        let Some(reference) = Reference::parse(&format!("{kind}:{namespace}/{name}"), kind, namespace) else {
            let hint = if name.contains(['{', '$']) { "; it looks like a template's placeholder" } else { "" };
            return wrong(metadata.get("name"), &format!("metadata.name {name:?} is no name of an entity{hint}"));
        };
        Some(Ok(Self {
            place: place(document.get("kind").line),
            reference,
            name: name.to_owned(),
            metadata: metadata.clone(),
            spec: document.get("spec").clone(),
        }))
    }

    /// An annotation that is not empty.
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.get("annotations").get(name).text()
    }

    /// What people call it, where that is not its name.
    pub(super) fn title(&self) -> Option<&str> {
        let profile = self.spec.get("profile").get("displayName").text();
        self.metadata.get("title").text().or(profile).filter(|title| *title != self.name)
    }

    /// Where something of it is written, for messages.
    pub(super) fn at(&self, node: &Node) -> String {
        let line = if node.line == 0 { self.place.line } else { node.line };
        format!("{}:{line}: {} {}", self.place.file, self.reference.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Entity, (Place, String)> {
        let (documents, fault) = super::super::yaml::documents(text);
        assert_eq!(fault, None);
        Entity::read("c.yaml", &documents[0]).unwrap()
    }

    #[test]
    fn a_reference_may_leave_out_kind_and_namespace() {
        let parse = |text: &str| Reference::parse(text, "group", "shop").map(|own| own.to_string());
        assert_eq!(parse("team-a").as_deref(), Some("group:shop/team-a"));
        assert_eq!(parse("default/Team-A").as_deref(), Some("group:default/team-a"));
        assert_eq!(parse("User:jane").as_deref(), Some("user:shop/jane"));
        assert_eq!(parse("group:default/team-a").as_deref(), Some("group:default/team-a"));
        for bad in ["", "group:", "a/b/c", "${{ values.owner }}"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_entity_says_why_and_where() {
        for (text, line, said) in [
            ("[1]", 1, "this is no entity"),
            ("\nkind: Component\n", 2, "it has no apiVersion"),
            ("apiVersion: v1\nkind: Pod\n", 1, "apiVersion \"v1\" is none of Backstage's"),
            ("apiVersion: backstage.io/v1alpha1\nmetadata: {name: a}\n", 1, "it has no kind"),
            (
                "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {}\n",
                1,
                "this Component has no metadata.name",
            ),
            (
                "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${{ values.name }}\n",
                4,
                "it looks like a template's placeholder",
            ),
        ] {
            let (place, message) = read(text).unwrap_err();
            assert!(place.line == line && message.contains(said), "{text}: {place} {message}");
        }
    }
}
