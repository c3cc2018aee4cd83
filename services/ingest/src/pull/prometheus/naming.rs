//! Which service a series is about.

use std::collections::BTreeMap;

use vigie_model::json::shorten;

use super::asked::Asked;
use crate::connector::Routes;

/// The longest name of an event, in bytes.
const MOST: usize = 500;

/// Labels of a series.
pub(super) type Labels = BTreeMap<String, String>;

/// A service in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub service: String,
    /// In lower case.
    pub environment: String,
}

/// What a series is about; `Err`: how it reads, for a note.
pub(super) fn target(asked: &Asked, routes: &Routes, labels: &Labels) -> Result<Target, String> {
    let service = match &asked.service {
        Some(service) => Some(service.clone()),
        None => {
            let fields: Vec<(String, String)> = labels.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
            let declared = routes.service_of(&fields).map(str::to_owned);
            declared.or_else(|| labels.get(&asked.label).cloned())
        }
    };
    let environment = asked.environment_label.as_ref().and_then(|label| labels.get(label));
    let environment = environment.filter(|name| is_name(name)).unwrap_or(&asked.environment).to_lowercase();
    match service.filter(|service| is_name(service)) {
        Some(service) => Ok(Target { service, environment }),
        None => Err(shown(labels)),
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.trim() == text && text.len() <= MOST && !text.chars().any(char::is_control)
}

/// As Prometheus writes a series.
pub(super) fn shown(labels: &Labels) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let rest = labels.iter().filter(|(label, _)| *label != "__name__");
    let rest: Vec<String> = rest.map(|(label, value)| format!("{label}={value:?}")).collect();
    shorten(&format!("{name}{{{}}}", rest.join(",")))
}
