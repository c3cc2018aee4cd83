//! A connector as a folder: on disk, or part of the program.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use sha2::{Digest, Sha256};

use super::{Fault, Manifest};

/// The files of the shipped connectors: connector, file, text.
pub(super) static SHIPPED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// A connector.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    /// The folder's name, by which a hook and an address call it.
    pub name: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The text of `map.jq`.
    pub map: Arc<str>,
    /// Where it comes from.
    pub origin: Origin,
    /// What its map is recognised by.
    pub(super) digest: [u8; 32],
}

/// Where a connector comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Shipped,
    /// A site's own, in this folder.
    Own(PathBuf),
}

impl Connector {
    fn new(name: &str, origin: Origin, manifest: &str, map: &str) -> Result<Self, Fault> {
        let place = |file: &str| match &origin {
            Origin::Shipped => format!("{name}/{file}"),
            Origin::Own(folder) => folder.join(file).display().to_string(),
        };
        let manifest = Manifest::parse(&place("connector.toml"), manifest)?;
        let digest = Sha256::new().chain_update(place("map.jq")).chain_update([0]).chain_update(map).finalize().into();
        Ok(Self { name: name.to_owned(), manifest, map: map.into(), origin, digest })
    }

    pub(super) fn shipped(name: &str) -> Result<Self, Fault> {
        let text = |file: &str| {
            let own = SHIPPED.iter().find(|(connector, known, _)| *connector == name && *known == file);
            own.map(|(.., text)| *text).ok_or_else(|| Fault(format!("{name}/{file}: it is missing")))
        };
        Self::new(name, Origin::Shipped, text("connector.toml")?, text("map.jq")?)
    }

    /// Reads a connector's folder.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, Fault> {
        let read = |file: &str| {
            let path = folder.join(file);
            fs::read_to_string(&path).map_err(|error| Fault(format!("{}: it cannot be read: {error}", path.display())))
        };
        let name = name_of(folder)?;
        Self::new(&name, Origin::Own(folder.to_owned()), &read("connector.toml")?, &read("map.jq")?)
    }

    /// What messages call a file of it.
    #[must_use]
    pub fn place(&self, file: &str) -> String {
        match &self.origin {
            Origin::Shipped => format!("{}/{file}", self.name),
            Origin::Own(folder) => folder.join(file).display().to_string(),
        }
    }

    /// Its fixtures, by the names of their files, in order.
    ///
    /// # Errors
    /// The folder or one of the files cannot be read.
    pub fn fixtures(&self) -> io::Result<Vec<(String, String)>> {
        match &self.origin {
            Origin::Shipped => {
                let own = SHIPPED.iter().filter(|(connector, ..)| *connector == self.name);
                let fixtures = own.filter_map(|(_, file, text)| {
                    Some((file.strip_prefix("fixtures/")?.to_owned(), (*text).to_owned()))
                });
                Ok(fixtures.collect())
            }
            Origin::Own(folder) => {
                let mut paths: Vec<PathBuf> = match fs::read_dir(folder.join("fixtures")) {
                    Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                    Err(error) => return Err(error),
                };
                paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
                paths.sort();
                let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                paths.iter().map(|path| Ok((name(path), fs::read_to_string(path)?))).collect()
            }
        }
    }
}

/// The name of a connector's folder, which becomes part of an address.
pub(super) fn name_of(folder: &Path) -> Result<String, Fault> {
    // `.` has no name of its own.
    let whole = folder.canonicalize();
    let whole = whole.as_deref().unwrap_or(folder);
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if (1..=100).contains(&name.len()) && name.bytes().all(is_good) {
        return Ok(name.to_owned());
    }
    Err(Fault(format!(
        "{}: a connector's folder is named by a-z, 0-9, - and _, at most 100 of them; rename it",
        folder.display()
    )))
}
