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

    /// The hook that a delivery came by. One whose source is not set up any more is mapped by the defaults.
    #[must_use]
    pub fn find(&self, connector: &str, source: &str) -> Option<Arc<Hook>> {
        let hooks = self.of(connector)?;
        let own = hooks.iter().find(|hook| &*hook.source == source);
        own.cloned().or_else(|| {
            let connector = hooks.first()?.connector.clone();
            Some(Arc::new(Hook { source: source.into(), ..Hook::default_of(connector) }))
        })
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
        let gone = hooks.find("github", "gone").unwrap();
        assert_eq!((&*gone.source, &gone.settings), ("gone", github.manifest.settings.defaults()));
    }
}
