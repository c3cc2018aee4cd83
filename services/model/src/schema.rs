//! The JSON schema (draft 2020-12) of the native events, made from the table of kinds: for editors, for senders in
//! other languages, and for the documentation.
//!
//! The schema is a little wider than the parser: what one field asks of another (an outcome of `finished_at`, an
//! interval of its ends) is said there in words only.

use serde_json::{Map, Value, json};

use crate::kinds::{Field, Kind, Role, Type};

/// The name that the schema gives itself.
const ID: &str = "urn:vigie:schema:events:v1";

/// The schema of one native event.
#[must_use]
pub fn events() -> Value {
    let public = || Kind::ALL.iter().copied().filter(|kind| kind.is_public());
    let kinds: Map<String, Value> = public().map(|kind| (kind.name().to_owned(), of_kind(kind))).collect();
    let references: Vec<Value> = public().map(|kind| json!({"$ref": format!("#/$defs/{}", kind.name())})).collect();
    let mut definitions = values();
    definitions.extend(kinds);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Vigie events",
        "description": "One native event, as POST /v1/events and `vigie import` take it: an object, an array of them, or one object a line.",
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"enum": public().map(Kind::name).collect::<Vec<_>>()}},
        "oneOf": references,
        "$defs": definitions,
    })
}

/// [`events`] as it is checked in: indented, with a newline at its end.
#[must_use]
pub fn events_text() -> String {
    format!("{:#}\n", events())
}

fn of_kind(kind: Kind) -> Value {
    let mut properties = Map::new();
    properties.insert("kind".to_owned(), json!({"const": kind.name()}));
    for (name, schema) in common() {
        properties.insert(name.to_owned(), schema);
    }
    properties.extend(kind.fields().iter().map(|field| (field.name.to_owned(), of_field(field))));
    let named = |role: Role| kind.fields().iter().filter(move |f| f.role == role).map(|f| f.name);
    let identity: Vec<&str> = std::iter::once("kind").chain(named(Role::Identity)).collect();
    let required: Vec<&str> = named(Role::Required).collect();
    let is_true = |name: &str| json!({"properties": {name: {"const": true}}, "required": [name]});
    let mut schema = json!({
        "description": kind.about(),
        "type": "object",
        "properties": properties,
        "required": identity,
        "additionalProperties": false,
        "allOf": [{"if": is_true("deleted"), "then": {"required": ["at"]}}],
    });
    if !required.is_empty()
        && let Some(rules) = schema["allOf"].as_array_mut()
    {
        rules.push(json!({
            "if": {"not": {"anyOf": [is_true("partial"), is_true("deleted")]}},
            "then": {"required": required},
        }));
    }
    schema
}

/// What every kind has.
fn common() -> [(&'static str, Value); 4] {
    [
        (
            "source",
            json!({"$ref": "#/$defs/id", "description": "Who says so; the token's when left out, import for a file."}),
        ),
        (
            "at",
            json!({"$ref": "#/$defs/time", "description": "When the source says that this state held; the latest time in the object when left out. Needed beside a null or deleted."}),
        ),
        (
            "partial",
            json!({"type": "boolean", "description": "It changes some fields: only the identity is required."}),
        ),
        ("deleted", json!({"type": "boolean", "description": "It clears every field; later events begin afresh."})),
    ]
}

fn of_field(field: &Field) -> Value {
    let value = of_type(field.ty);
    let mut schema = match field.role {
        // The identity cannot be cleared.
        Role::Identity | Role::IdentityEnvironment => value,
        Role::Required | Role::Optional => json!({"anyOf": [value, {"type": "null"}]}),
    };
    schema["description"] = field.about.into();
    if field.role == Role::IdentityEnvironment {
        schema["default"] = "production".into();
    }
    schema
}

fn of_type(ty: Type) -> Value {
    let list = |items: &str| json!({"type": "array", "items": {"$ref": format!("#/$defs/{items}")}});
    match ty {
        Type::Id | Type::LowerId => json!({"$ref": "#/$defs/id"}),
        Type::Text(max) => json!({"type": "string", "maxLength": max}),
        Type::Time => json!({"$ref": "#/$defs/time"}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Count => json!({"$ref": "#/$defs/count"}),
        Type::Sha => json!({"$ref": "#/$defs/sha"}),
        Type::Shas => list("sha"),
        Type::Ids => list("id"),
        Type::Paths => list("path"),
        Type::Choice(words) => json!({"enum": words}),
        Type::Commits => list("listed_commit"),
        Type::Revisions => list("repository_revision"),
        Type::Repositories => list("repository_paths"),
        Type::Labels => json!({"$ref": "#/$defs/labels"}),
    }
}

/// The shapes that fields share.
fn values() -> Map<String, Value> {
    let object = |about: &str, properties: Value, required: &[&str]| json!({"description": about, "type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let id = json!({"$ref": "#/$defs/id"});
    let definitions = [
        (
            "id",
            json!({"description": "A name or id: up to 500 bytes, not blank, no control characters.", "type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"}),
        ),
        (
            "time",
            json!({"description": "An RFC 3339 time with an offset, from 1970 to 9999.", "type": "string", "format": "date-time", "examples": ["2026-10-01T12:00:00Z"]}),
        ),
        ("count", json!({"type": "integer", "minimum": 0, "maximum": i64::MAX})),
        (
            "sha",
            json!({"description": "A commit's full hash.", "type": "string", "pattern": "^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"}),
        ),
        ("path", json!({"type": "string", "maxLength": 4_096})),
        (
            "labels",
            json!({"description": "Whatever a site wants to keep, as strings.", "type": "object", "propertyNames": {"maxLength": 500}, "additionalProperties": {"type": "string", "maxLength": 10_000}}),
        ),
        (
            "listed_commit",
            object(
                "A commit that a deployment ships.",
                json!({"sha": {"$ref": "#/$defs/sha"}, "authored_at": {"$ref": "#/$defs/time"}}),
                &["sha", "authored_at"],
            ),
        ),
        (
            "repository_revision",
            object(
                "A repository with the revision of it that is deployed.",
                json!({"repository": id, "revision": id}),
                &["repository", "revision"],
            ),
        ),
        (
            "repository_paths",
            json!({"anyOf": [id, object(
                "A service's part of a repository.",
                json!({
                    "repository": id,
                    "paths": {"description": "Path patterns; all of it when left out.", "type": ["array", "null"], "items": {"$ref": "#/$defs/path"}},
                    "formerly": {"description": "Names that the repository had before.", "type": ["array", "null"], "items": id},
                }),
                &["repository"],
            )]}),
        ),
    ];
    definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic)]
    fn the_schema_that_is_checked_in_is_the_tables() {
        let path = "../../schema/events.schema.json";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(path, events_text()).unwrap();
        }
        // Values are compared, not texts: the order of keys depends on serde_json's features in a build.
        let checked_in: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_default();
        assert!(
            checked_in == events(),
            "schema/events.schema.json is not what the table of kinds says; run the tests once with UPDATE_SCHEMAS=1"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|v| references(v, found));
                }
                Value::Array(items) => items.iter().for_each(|v| references(v, found)),
                _ => {}
            }
        }
        let schema = events();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 50);
        for reference in found {
            assert!(schema.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
