//! Lists the files of `connectors/`, which makes them part of the program: a new connector is a new folder, and no
//! line of Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=connectors");
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name.to_owned()));
    let root = variable("CARGO_MANIFEST_DIR")?.join("connectors");
    let mut list = String::from("&[\n");
    for folder in entries(&root)?.into_iter().filter(|path| path.join("connector.toml").is_file()) {
        let mut files = vec![folder.join("connector.toml"), folder.join("map.jq")];
        let fixtures = folder.join("fixtures");
        if fixtures.is_dir() {
            files.extend(entries(&fixtures)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")));
        }
        for file in files {
            let name = file.strip_prefix(&folder).map_err(io::Error::other)?;
            let connector = folder.file_name().map(Path::new).unwrap_or(Path::new(""));
            // The text and not the file's place: another checkout may be built into the same folder. Writing to a string
            // cannot fail.
            let _ = writeln!(list, "    ({connector:?}, {name:?}, {:?}),", fs::read_to_string(&file)?);
        }
    }
    list.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("connectors.rs"), list)
}

/// What a folder holds, in the order of the names, so that the program is the same wherever it is built.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    all.sort();
    Ok(all)
}
