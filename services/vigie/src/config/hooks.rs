//! `[[hook]]`: the webhook connectors that are set up. Settings are checked against those of the connector.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value};
use toml::de::DeValue;
use vigie_ingest::connector::{Connector, Registry, Routes, ServiceMatches};

use super::keys::HOOK;
use super::reader::{Node, Reader, Section};
use super::{Config, Intake};

/// A webhook connector that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEntry {
    /// The connector's name.
    pub connector: String,
    /// The source of its events.
    pub source: String,
    /// Files that hold its secrets; none: nothing is signed.
    pub secret_files: Vec<PathBuf>,
    /// What the connector is told, where it is not the default.
    pub settings: Map<String, Value>,
}

impl Config {
    /// Which service a delivery means.
    #[must_use]
    pub fn routes(&self) -> Routes {
        Routes::new(self.services.iter().map(|service| ServiceMatches {
            slug: service.slug.clone(),
            formerly: service.formerly.clone(),
            matches: service.matches.clone(),
        }))
    }
}

pub(super) fn hooks(reader: &mut Reader, root: &Section<'_>, intake: &Intake) -> Vec<HookEntry> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    let sections = reader.tables(root.get("hook"), &HOOK);
    if sections.is_empty() {
        return all;
    }
    let registry = match Registry::load(intake.connectors.as_deref()) {
        Ok(registry) => registry,
        Err(fault) => {
            reader.wrong_at(&super::Origin::Nowhere, "intake.connectors", fault);
            return all;
        }
    };
    for section in sections {
        let source = section.get("source").and_then(|node| reader.text(&node));
        let secret_files = secret_files(reader, &section);
        let Some((node, name)) = section.get("connector").and_then(|node| Some((node.clone(), reader.text(&node)?)))
        else {
            continue;
        };
        let Some(connector) = registry.get(&name) else {
            reader.wrong(&node, registry.unknown(&name));
            continue;
        };
        if let Some((node, _)) = secret_files.first().filter(|_| connector.manifest.signatures.is_empty()) {
            let title = &connector.manifest.title;
            reader.wrong(node, format_args!("{title} signs nothing, so a secret could not be checked; remove it"));
        }
        let source = source.unwrap_or_else(|| name.clone());
        if !seen.insert((name.clone(), source.clone())) {
            reader.wrong(&node, "this connector is set up twice; keep one, or give each a source of its own");
            continue;
        }
        let settings = section.get("settings").map(|node| settings(reader, &node, connector)).unwrap_or_default();
        let secret_files = secret_files.into_iter().map(|(_, path)| path).collect();
        all.push(HookEntry { source, connector: name, secret_files, settings });
    }
    all
}

fn secret_files<'v>(reader: &mut Reader, section: &Section<'v>) -> Vec<(Node<'v>, PathBuf)> {
    let nodes = ["secret_file", "secret_files"].into_iter().filter_map(|name| section.get(name));
    let nodes: Vec<Node<'v>> = nodes.flat_map(|node| reader.items(&node)).collect();
    nodes.into_iter().filter_map(|node| reader.text(&node).map(|path| (node, path.into()))).collect()
}

fn settings(reader: &mut Reader, node: &Node<'_>, connector: &Connector) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, node) in reader.entries(node) {
        let Some(value) = json(node.value) else {
            reader.wrong(&node, "a setting is a text, a number, true, false or a list of those");
            continue;
        };
        let one = Map::from_iter([(name.to_owned(), value.clone())]);
        match connector.manifest.settings.with(&one) {
            Ok(_) => all.extend(one),
            Err(faults) => faults.iter().for_each(|fault| reader.wrong(&node, &fault.message)),
        }
    }
    all
}

/// What JSON has of TOML.
fn json(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::from(&**text)),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from),
        DeValue::Float(number) => serde_json::Number::from_f64(number.as_str().parse().ok()?).map(Value::Number),
        DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        DeValue::Array(items) => items
            .iter()
            .map(|item| json(item.get_ref()).filter(|item| !item.is_array()))
            .collect::<Option<_>>()
            .map(Value::Array),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}
