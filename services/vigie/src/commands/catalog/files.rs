//! Which files are read, and what entities stand in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::entity::Entity;
use super::yaml::documents;
use crate::proposal::Proposal;

/// What a catalogue's file is called where a folder is searched for them.
const NAMES: [&str; 2] = ["catalog-info.yaml", "catalog-info.yml"];
/// Folders that hold the work of others, or none of people.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];
/// No catalogue is as long as this.
const LONGEST: u64 = 32 << 20;

/// Everything that these files and folders hold, and the local files that they point to. What cannot be read is noted.
pub(super) fn entities(paths: &[PathBuf], proposal: &mut Proposal) -> Vec<Entity> {
    let mut left: Vec<PathBuf> = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                let before = left.len();
                search(path, &mut left, proposal);
                if left.len() == before {
                    let message =
                        format!("no {} is in it or below; name the file, if it is called otherwise", NAMES[0]);
                    proposal.fault(path.display().to_string(), message);
                }
            }
            false => left.push(path.clone()),
        }
    }
    left.reverse();
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    while let Some(path) = left.pop() {
        // One that is not there is told by its reading.
        let own = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.insert(own) {
            continue;
        }
        let found = read(&path, proposal);
        let targets = found.iter().filter(|entity| entity.reference.kind == "location");
        let mut more: Vec<PathBuf> = targets.flat_map(|location| targets_of(location, &path, proposal)).collect();
        more.reverse();
        left.extend(more);
        all.extend(found);
    }
    all
}

/// The files of a folder and of those below it, in the order of their names.
fn search(folder: &Path, found: &mut Vec<PathBuf>, proposal: &mut Proposal) {
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                proposal.fault(folder.display().to_string(), format!("the folder cannot be read: {error}"));
                continue;
            }
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let mut folders = Vec::new();
        for entry in entries {
            let name = entry.file_name();
            // A link is not followed: it may lead back.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !SKIPPED.iter().any(|skipped| *skipped == name) {
                folders.push(entry.path());
            } else if !is_folder && NAMES.iter().any(|known| *known == name) {
                found.push(entry.path());
            }
        }
        open.extend(folders.into_iter().rev());
    }
}

fn read(path: &Path, proposal: &mut Proposal) -> Vec<Entity> {
    let file = path.display().to_string();
    let text = match text_of(path) {
        Ok(text) => text,
        Err(why) => {
            proposal.fault(file, why);
            return Vec::new();
        }
    };
    let (documents, fault) = documents(&text);
    let mut all = Vec::new();
    for document in &documents {
        match Entity::read(&file, document) {
            Some(Ok(entity)) => all.push(entity),
            Some(Err((place, message))) => proposal.fault(place.to_string(), message),
            None => {}
        }
    }
    if let Some(fault) = fault {
        let place = format!("{file}:{}", fault.line);
        proposal.fault(place, format!("{}; what stands behind it was not read", fault.message));
    }
    all
}

/// What a file holds that may be anything: a device, or endless.
fn text_of(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("it cannot be read: {error}");
    // Before it is opened: a pipe would wait for somebody to write.
    if !std::fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    std::io::Read::read_to_string(&mut std::io::Read::take(file, LONGEST + 1), &mut text).map_err(cannot)?;
    match text.len() as u64 > LONGEST {
        true => Err(format!("it has more than {LONGEST} bytes; a catalogue is shorter")),
        false => Ok(text),
    }
}

/// The files on this machine that a location points to.
fn targets_of(location: &Entity, file: &Path, proposal: &mut Proposal) -> Vec<PathBuf> {
    let (one, several) = (location.spec.get("target"), location.spec.get("targets"));
    let mut all = Vec::new();
    for node in std::iter::once(one).chain(several.items()) {
        let Some(target) = node.text() else { continue };
        if target.contains("://") {
            let message = format!("{target} is elsewhere; fetch it, and name the file");
            proposal.note(location.at(node), message);
        } else if target.contains(['*', '?']) {
            proposal.note(location.at(node), format!("{target} is a pattern; name the folder, or the files"));
        } else {
            all.push(file.parent().unwrap_or(Path::new("")).join(target));
        }
    }
    all
}
