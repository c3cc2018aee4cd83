//! Which connectors there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{SHIPPED, name_of};
use super::{Connector, Fault, nearest};

#[cfg(test)]
mod tests;

/// The connectors by their names: those of the program, and a site's own, which take the place of one of the same name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    all: BTreeMap<String, Arc<Connector>>,
    faults: BTreeMap<String, Fault>,
}

impl Registry {
    /// Those that are part of the program.
    #[must_use]
    pub fn shipped() -> Self {
        let mut registry = Self::default();
        for (name, ..) in SHIPPED.iter().filter(|(_, file, _)| *file == "connector.toml") {
            registry.put(name, Connector::shipped(name));
        }
        registry
    }

    /// Those of the program, and over them those of a site's folder. A connector of the site's that cannot be read is
    /// among [`faults`](Self::faults), and the shipped one that it would have replaced is not used in its place.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn load(own: Option<&Path>) -> Result<Self, Fault> {
        let mut registry = Self::shipped();
        let Some(own) = own else { return Ok(registry) };
        let unreadable = |error: std::io::Error| Fault(format!("{}: it cannot be read: {error}", own.display()));
        let entries: Result<Vec<PathBuf>, _> =
            fs::read_dir(own).map_err(unreadable)?.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect();
        let mut folders: Vec<PathBuf> = entries?.into_iter().filter(|path| path.is_dir()).collect();
        // What version control and editors keep there is no connector.
        folders.retain(|path| !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.'));
        folders.sort();
        for folder in folders {
            match name_of(&folder) {
                Ok(name) => registry.put(&name, Connector::read(&folder)),
                Err(fault) => registry.put(&folder.file_name().unwrap_or_default().to_string_lossy(), Err(fault)),
            }
        }
        Ok(registry)
    }

    fn put(&mut self, name: &str, connector: Result<Connector, Fault>) {
        self.all.remove(name);
        match connector {
            Ok(connector) => {
                self.all.insert(name.to_owned(), Arc::new(connector));
            }
            Err(fault) => {
                self.faults.insert(name.to_owned(), fault);
            }
        }
    }

    /// A connector by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Connector>> {
        self.all.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connector>> {
        self.all.values()
    }

    /// What is wrong with a connector of this name.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.get(name)
    }

    /// Everything that is wrong, by the names of folders.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.values()
    }

    /// Why there is no connector of this name, and which was probably meant.
    #[must_use]
    pub fn unknown(&self, name: &str) -> String {
        if let Some(fault) = self.fault(name) {
            return format!("the connector {name} cannot be used: {fault}");
        }
        let names = self.all.keys().map(String::as_str);
        match nearest(name, names.clone()) {
            Some(near) => format!("there is no connector {name:?}; did you mean {near}?"),
            None => format!("there is no connector {name:?}; there are {}", names.collect::<Vec<_>>().join(", ")),
        }
    }
}
