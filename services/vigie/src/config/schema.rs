//! The configuration's JSON schema, for editors: made from the table of keys and the defaults.

use serde_json::{Map, Value, json};

use super::Config;
use super::keys::{Kind, ROOT, Table};

/// The JSON schema of `vigie.toml`, with a line end.
#[must_use]
pub fn json_schema() -> String {
    let defaults = toml::from_str(&Config::default().effective()).unwrap_or(Value::Null);
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("vigie.toml"));
    schema.insert(
        "description".into(),
        json!("The configuration of Vigie. Everything has a default; an empty file works."),
    );
    schema.extend(object(&ROOT, &defaults));
    let mut text = serde_json::to_string_pretty(&sorted(Value::Object(schema))).unwrap_or_default();
    text.push('\n');
    text
}

/// The same with its keys in order, whether or not some crate in the build has serde_json keep theirs.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn object(table: &Table, defaults: &Value) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in table.keys {
        let own = defaults.get(key.name);
        let mut schema = Map::new();
        schema.insert("description".into(), json!(key.about));
        schema.extend(kind(key.kind, own.unwrap_or(&Value::Null)));
        if let Some(default) = own.filter(|own| !own.is_object()) {
            schema.insert("default".into(), default.clone());
        }
        properties.insert(key.name.into(), Value::Object(schema));
    }
    let required: Vec<&str> = table.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

fn kind(kind: Kind, defaults: &Value) -> Map<String, Value> {
    let text = || json!({ "type": "string", "minLength": 1 });
    let one_or_more = |item: Value| json!({ "anyOf": [item, { "type": "array", "items": item }] });
    let date = || json!({ "type": "string", "format": "date" });
    let schema = match kind {
        Kind::Text => text(),
        Kind::Title => json!({ "type": "string" }),
        Kind::Texts | Kind::Paths => one_or_more(text()),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Bytes => json!({ "anyOf": [
            { "type": "integer", "minimum": 1024 },
            { "type": "string", "pattern": "^[0-9]+ *([KMGkmg]i?[Bb]?|[Bb])?$" },
        ] }),
        Kind::Share => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Kind::Zone => {
            json!({ "type": "string", "minLength": 1, "examples": ["Europe/Paris", "UTC"] })
        }
        Kind::Length => {
            json!({ "type": "string", "minLength": 2, "examples": ["PT24H", "P7D", "15m"] })
        }
        Kind::Budget => json!({ "type": "string", "minLength": 2, "examples": ["month", "P28D"] }),
        Kind::Choice(names) => json!({ "enum": names }),
        Kind::Choices(names) => one_or_more(json!({ "enum": names })),
        Kind::Weekdays => one_or_more(json!({
            "enum": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        })),
        Kind::Date => date(),
        Kind::Dates => one_or_more(date()),
        Kind::Instant => json!({ "type": "string", "format": "date-time" }),
        Kind::Objective => json!({ "anyOf": [text(), { "type": "number" }] }),
        Kind::Settings => json!({ "type": "object" }),
        Kind::Matches => one_or_more(json!({
            "type": "object", "minProperties": 1, "additionalProperties": one_or_more(text()),
        })),
        Kind::Table(table) => Value::Object(object(table, defaults)),
        Kind::Tables(table) => json!({ "type": "array", "items": object(table, &Value::Null) }),
        Kind::TablesOr(table) => one_or_more(json!({ "anyOf": [object(table, &Value::Null), text()] })),
        Kind::TableOr(name, table) => {
            let word = table.key(name).map(|key| self::kind(key.kind, &Value::Null));
            json!({ "anyOf": [object(table, &Value::Null), word] })
        }
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}
