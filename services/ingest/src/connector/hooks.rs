//! The hooks of a site: which connectors take deliveries, of which sources, with which secrets and settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::signature::Secret;
use super::{Connector, Registry, Routes};

/// A connector as a site uses it.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The connector.
    pub connector: Arc<Connector>,
    /// The source of its events.
    pub source: Arc<str>,
    /// One of these proves a delivery; none: nothing is signed.
    pub secrets: Vec<Secret>,
    /// What the map is told: the connector's settings with the site's over them.
    pub settings: Map<String, Value>,
}

impl Hook {
    /// A connector as it is used where nothing is said of it.
    #[must_use]
    pub fn default_of(connector: Arc<Connector>) -> Self {
        Self {
            source: connector.name.as_str().into(),
            secrets: Vec::new(),
            settings: connector.manifest.settings.defaults().clone(),
            connector,
        }
    }
}

/// Every hook. A connector of which the site says nothing has one with the defaults.
#[derive(Debug, Clone, Default)]
pub struct Hooks {
    /// By the names of connectors; never an empty list.
    all: BTreeMap<String, Vec<Arc<Hook>>>,
    registry: Registry,
    routes: Routes,
}

impl Hooks {
    /// The hooks of a site.
    #[must_use]
    pub fn new(registry: Registry, own: impl IntoIterator<Item = Hook>, routes: Routes) -> Self {
        let mut all: BTreeMap<String, Vec<Arc<Hook>>> = BTreeMap::new();
        for hook in own {
            all.entry(hook.connector.name.clone()).or_default().push(Arc::new(hook));
        }
        for connector in registry.iter() {
            all.entry(connector.name.clone()).or_insert_with(|| vec![Arc::new(Hook::default_of(connector.clone()))]);
        }
        Self { all, registry, routes }
    }

    /// The hooks of a connector; `None`: there is no such connector.
    #[must_use]
    pub fn of(&self, connector: &str) -> Option<&[Arc<Hook>]> {
        self.all.get(connector).map(Vec::as_slice)
    }

    /// The hook that a delivery came by.
    ///
    /// # Errors
    /// The connector is no more, or the source is not set up any more: its settings are not known then.
    pub fn find(&self, connector: &str, source: &str) -> Result<Arc<Hook>, String> {
        let hooks = self.of(connector).ok_or_else(|| self.unknown(connector))?;
        if let Some(own) = hooks.iter().find(|hook| &*hook.source == source) {
            return Ok(own.clone());
        }
        match hooks.first() {
            // It came before the connector had a hook of its own.
            Some(hook) if source == connector => Ok(Arc::new(Hook::default_of(hook.connector.clone()))),
            _ => {
                Err(format!("no [[hook]] of the connector {connector} has the source {source:?} any more; put it back"))
            }
        }
    }

    /// Why there is no connector of this name, and which was probably meant.
    #[must_use]
    pub fn unknown(&self, connector: &str) -> String {
        self.registry.unknown(connector)
    }

    /// Which service a delivery means.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.routes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_has_its_own_hooks_or_one_with_the_defaults() {
        let registry = Registry::shipped();
        let github = registry.get("github").unwrap().clone();
        let hook = |source: &str| Hook { source: source.into(), ..Hook::default_of(github.clone()) };
        let hooks = Hooks::new(registry, [hook("acme"), hook("other")], Routes::default());
        let sources = |name: &str| -> Vec<String> {
            hooks.of(name).unwrap().iter().map(|hook| hook.source.to_string()).collect()
        };
        assert_eq!(sources("github"), ["acme", "other"]);
        assert_eq!(sources("gitlab"), ["gitlab"]);
        assert!(hooks.of("githup").is_none());
        assert!(hooks.unknown("githup").contains("did you mean github?"));
        assert_eq!(&*hooks.find("github", "other").unwrap().source, "other");
        let default = hooks.find("github", "github").unwrap();
        assert_eq!((&*default.source, &default.settings), ("github", github.manifest.settings.defaults()));
        assert!(hooks.find("github", "gone").unwrap_err().ends_with("has the source \"gone\" any more; put it back"));
        assert!(hooks.find("githup", "githup").unwrap_err().contains("did you mean github?"));
    }
}
