//! What a site may set in a `[[hook]]`: the connector's defaults, and the site's values over them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::nearest;

/// The settings of a connector with their defaults. The type of a default is the type of the setting.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    defaults: Map<String, Value>,
    /// The words that a setting, or an item of its list, may be, where these are all.
    choices: BTreeMap<String, Vec<String>>,
}

/// A setting that a site cannot set so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct SettingFault {
    /// The setting.
    pub name: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl Settings {
    pub(super) fn new(defaults: Map<String, Value>, choices: BTreeMap<String, Vec<String>>) -> Self {
        Self { defaults, choices }
    }

    /// The defaults.
    #[must_use]
    pub fn defaults(&self) -> &Map<String, Value> {
        &self.defaults
    }

    /// The defaults with a site's values over them.
    ///
    /// # Errors
    /// Everything of the site's that is no setting, or of another type than its default.
    pub fn with(&self, site: &Map<String, Value>) -> Result<Map<String, Value>, Vec<SettingFault>> {
        let mut all = self.defaults.clone();
        let mut faults = Vec::new();
        for (name, value) in site {
            match self.checked(name, value).and_then(|value| self.chosen(name, value)) {
                Ok(value) => {
                    all.insert(name.clone(), value);
                }
                Err(message) => faults.push(SettingFault { name: name.clone(), message }),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }

    /// A value of the right type, where it is one that there is.
    fn chosen(&self, name: &str, value: Value) -> Result<Value, String> {
        let is_negative = |value: &Value| value.as_f64().is_some_and(|number| number < 0.0);
        if is_negative(&value) && !self.defaults.get(name).is_some_and(is_negative) {
            return Err("expected 0 or more".to_owned());
        }
        let Some(choices) = self.choices.get(name) else { return Ok(value) };
        let items = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
        match items.iter().filter_map(Value::as_str).find(|item| !choices.iter().any(|choice| choice == item)) {
            None => Ok(value),
            Some(other) => Err(match nearest(other, choices.iter().map(String::as_str)) {
                Some(near) => format!("there is no {other:?}; did you mean {near:?}? It may be {}", choices.join(", ")),
                None => format!("there is no {other:?}; it may be {}", choices.join(", ")),
            }),
        }
    }

    fn checked(&self, name: &str, value: &Value) -> Result<Value, String> {
        let Some(default) = self.defaults.get(name) else {
            let known = self.defaults.keys().map(String::as_str);
            return Err(match nearest(name, known.clone()) {
                Some(near) => format!("the connector has no such setting; did you mean {near}?"),
                None if self.defaults.is_empty() => "the connector has no settings; remove it".to_owned(),
                None => format!("the connector has no such setting; it has {}", known.collect::<Vec<_>>().join(", ")),
            });
        };
        let wrong = |expected: &str| Err(format!("expected {expected}, like its default {default}"));
        match (default, value) {
            (Value::Array(defaults), Value::Array(items)) => match defaults.first() {
                Some(first) if !items.iter().all(|item| is_like(first, item)) => {
                    wrong(&format!("a list of {}s", type_name(first)))
                }
                _ => Ok(value.clone()),
            },
            // One stands for a list of one, as everywhere in the configuration.
            (Value::Array(defaults), value) if defaults.first().is_none_or(|first| is_like(first, value)) => {
                Ok(Value::Array(vec![value.clone()]))
            }
            (Value::Array(_), _) => wrong("a list"),
            (default, value) if is_like(default, value) => Ok(value.clone()),
            (Value::Bool(_), _) => wrong("true or false"),
            (default, _) => wrong(&format!("a {}", type_name(default))),
        }
    }
}

fn is_like(one: &Value, other: &Value) -> bool {
    type_name(one) == type_name(other)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "list",
        Value::Object(_) => "table",
        Value::Null => "nothing",
    }
}

/// A setting's value as a map sees it; none for dates and tables, which JSON has not or no setting is.
#[must_use]
pub fn json(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::String(text.clone())),
        toml::Value::Integer(number) => Some(Value::from(*number)),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number).map(Value::Number),
        toml::Value::Boolean(flag) => Some(Value::Bool(*flag)),
        toml::Value::Array(items) if items.iter().all(|item| !item.is_array()) => {
            items.iter().map(json).collect::<Option<_>>().map(Value::Array)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(site: &Value) -> Result<Map<String, Value>, String> {
        let defaults = json!({"labels": ["incident"], "patterns": [], "shortest": 0, "as": "auto", "drafts": false});
        let site = site.as_object().cloned().unwrap();
        let choices = BTreeMap::from([("as".to_owned(), vec!["auto".to_owned(), "availability".to_owned()])]);
        Settings::new(defaults.as_object().cloned().unwrap(), choices)
            .with(&site)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_sites_values_stand_over_the_defaults() {
        let all = with(&json!({"labels": "outage", "shortest": 1.5, "patterns": ["a", "b"]})).unwrap();
        let expected =
            json!({"labels": ["outage"], "patterns": ["a", "b"], "shortest": 1.5, "as": "auto", "drafts": false});
        assert_eq!(Value::Object(all), expected);
    }

    #[test]
    fn what_is_no_setting_or_of_another_type_is_named() {
        for (site, said) in [
            (json!({"lables": []}), "lables: the connector has no such setting; did you mean labels?"),
            (json!({"zzz": 1}), "zzz: the connector has no such setting; it has "),
            (json!({"shortest": "1"}), "shortest: expected a number, like its default 0"),
            (json!({"drafts": "yes"}), "drafts: expected true or false, like its default false"),
            (json!({"labels": [1]}), "labels: expected a list of texts, like its default [\"incident\"]"),
            (
                json!({"as": "availabilty"}),
                "as: there is no \"availabilty\"; did you mean \"availability\"? It may be auto, ",
            ),
            (json!({"as": "x"}), "as: there is no \"x\"; it may be auto, availability"),
            (json!({"shortest": -1}), "shortest: expected 0 or more"),
            (json!({"labels": true}), "labels: expected a list, like its default"),
        ] {
            let error = with(&site).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
        assert_eq!(with(&json!({"a": 1, "b": 2})).unwrap_err().lines().count(), 2);
    }
}
