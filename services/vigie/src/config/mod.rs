//! The configuration: `vigie.toml`, then `VIGIE_*` variables, then flags.
//!
//! Reading finds everything that is wrong at once, each with its line and column, the key, the value and what to
//! write instead. What is read is checked: zones, patterns, objectives and durations are good, slugs are unique and
//! the teams are a tree. The table of keys is in `keys.rs`.

mod catalogue;
mod effective;
pub(crate) mod github;
pub(crate) mod gitlab;
mod hooks;
pub(crate) mod jira;
mod keys;
mod metrics;
pub(crate) mod pagerduty;
mod problem;
pub(crate) mod prometheus;
mod pulls;
mod reader;
#[cfg_attr(not(test), allow(dead_code, unused_imports))]
// run by its test, which writes the checked-in file
mod schema;
#[cfg(test)]
mod tests;
mod values;

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use vigie_model::settings::{People, Settings};
use vigie_model::{DAY, Time};

use keys::{INTAKE, METRICS, ROOT, SCALAR_SECTIONS, variable};
use problem::{Origin, Source};
use reader::{Node, Reader, Section, misspelt_variable, settable};

#[allow(unused_imports)]
pub use catalogue::{RepositoryEntry, ServiceEntry, TeamEntry};
pub use github::GitHubEntry;
pub use hooks::HookEntry;
pub use problem::{Problem, Problems, mask};
pub use prometheus::PrometheusEntry;
pub(crate) use pulls::check_url;
pub use pulls::{PullEntry, PullSource, When};
#[allow(unused_imports)]
pub use schema::json_schema;

/// The file that is read when none is named; it may be absent.
pub const DEFAULT_FILE: &str = "vigie.toml";

/// Everything that a site configures.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// There is a file: what it does not say is said to be the default.
    pub has_file: bool,
    /// The keys that variables and flags set.
    pub set_outside: Vec<&'static str>,
    /// Somebody said where the data are: the file, a variable or a flag.
    pub names_database: bool,
    /// What the numbers mean here, targets and per-service settings among it.
    pub settings: Settings,
    /// The declared teams; a parent need not be declared.
    pub teams: Vec<TeamEntry>,
    /// The declared services; a team need not be declared.
    pub services: Vec<ServiceEntry>,
    /// `sqlite://…` or `postgres://…`. It may hold a password: print it through [`mask`].
    pub database: String,
    /// The file that `database` was read from.
    pub database_file: Option<PathBuf>,
    /// Host and port.
    pub listen: String,
    /// Whether requests need a token.
    pub auth: Auth,
    /// What is taken in.
    pub intake: Intake,
    /// The sources that are pulled.
    pub pulls: Vec<PullEntry>,
    /// The webhook connectors that are set up.
    pub hooks: Vec<HookEntry>,
}

/// Whether requests need a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Nothing is written: none on loopback; on any other address the server starts only when a token exists.
    Default,
    /// Everywhere.
    Token,
    /// Nowhere, on purpose.
    None,
}

impl Auth {
    const NAMES: &'static [&'static str] = &["token", "none"];

    fn parse(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::Token => Some("token"),
            Self::None => Some("none"),
        }
    }
}

/// Limits and folders of the intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// The largest request.
    pub max_request_bytes: usize,
    /// The largest event.
    pub max_event_bytes: usize,
    /// For how long raw deliveries are kept, in microseconds.
    pub keep_deliveries: Time,
    /// A folder with the site's own connectors.
    pub connectors: Option<PathBuf>,
}

impl Default for Intake {
    fn default() -> Self {
        Self { max_request_bytes: 10 << 20, max_event_bytes: 1 << 20, keep_deliveries: 90 * DAY, connectors: None }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            has_file: false,
            set_outside: Vec::new(),
            names_database: false,
            settings: Settings::default(),
            teams: Vec::new(),
            services: Vec::new(),
            database: "sqlite://vigie.db".to_owned(),
            database_file: None,
            listen: "127.0.0.1:8080".to_owned(),
            auth: Auth::Default,
            intake: Intake::default(),
            pulls: Vec::new(),
            hooks: Vec::new(),
        }
    }
}

/// A value from a variable or a flag.
struct Outside {
    /// `VIGIE_LISTEN` or `--listen`.
    name: String,
    key: &'static str,
    value: DeValue<'static>,
}

/// Reads the file (or, where none is named, [`DEFAULT_FILE`] if it is there), the variables (all of the process's
/// may be given; an empty one is as good as none) and the flags, by the names of their keys.
///
/// # Errors
/// Everything that is wrong.
pub fn load(
    file: Option<&Path>,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<Config, Problems> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let message = format!("cannot be read ({error}); name another file with --config, or leave it out");
            return Err(Problems(vec![Problem { place: None, key: name, value: String::new(), message }]));
        }
    };
    let config = parse(&name, text.as_deref().unwrap_or_default(), variables, flags)?;
    Ok(Config { has_file: text.is_some(), ..config })
}

/// As [`load`], with the text of the file.
///
/// # Errors
/// Everything that is wrong.
pub fn parse(
    name: &str,
    text: &str,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<Config, Problems> {
    let source = Source { name, text };
    let mut reader = Reader::default();
    let outside = outside(&mut reader, variables, flags);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        reader.wrong_at(&Origin::File(span), "", error.message());
    }
    let config = read(&mut reader, document.get_ref(), &outside);
    reader.finish(&source)?;
    Ok(Config { set_outside: outside.iter().map(|set| set.key).collect(), ..config })
}

/// What variables and flags say; flags come last and win.
fn outside(
    reader: &mut Reader,
    variables: impl IntoIterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Vec<Outside> {
    let keys: Vec<&'static str> = SCALAR_SECTIONS
        .iter()
        .flat_map(|table| table.keys)
        .filter(|key| settable(key.kind))
        .map(|key| key.name)
        .collect();
    let mut all = Vec::new();
    let mut variables: Vec<_> = variables.into_iter().filter(|(name, _)| name.starts_with("VIGIE_")).collect();
    variables.sort();
    for (name, value) in variables {
        match keys.iter().find(|key| variable(key) == name) {
            Some(_) if value.is_empty() => {}
            Some(key) => all.push(Outside { name, key, value: DeValue::String(value.into()) }),
            None => {
                if let Some(message) = misspelt_variable(&name, &keys) {
                    reader.wrong_at(&Origin::Outside(name), "", message);
                }
            }
        }
    }
    for (flag, value) in flags {
        if let Some(key) = keys.iter().find(|key| *key == flag) {
            let name = format!("--{}", flag.replace('_', "-"));
            all.push(Outside { name, key, value: DeValue::String(value.clone().into()) });
        }
    }
    all
}

/// Puts what comes from outside over the section's own values.
fn overlay<'v>(section: &mut Section<'v>, table: &'static keys::Table, outside: &'v [Outside]) {
    for Outside { name, key, value } in outside {
        if table.key(key).is_some() {
            section.set(key, Node { key: section.path(key), origin: Origin::Outside(name.clone()), value });
        }
    }
}

fn read<'v>(reader: &mut Reader, document: &'v DeTable<'v>, outside: &'v [Outside]) -> Config {
    let mut config = Config::default();
    let mut root = reader.section(String::new(), Origin::Nowhere, document, &ROOT);
    overlay(&mut root, &ROOT, outside);
    let section = |reader: &mut Reader, name: &str, known| {
        let own = root.get(name).and_then(|node| reader.table(&node, known));
        let mut own = own.unwrap_or_else(|| Section::empty(name));
        overlay(&mut own, known, outside);
        own
    };
    let metrics = section(reader, "metrics", &METRICS);
    let intake = section(reader, "intake", &INTAKE);

    let settings = &mut config.settings;
    put(&mut settings.organization, root.get("organization"), |node| reader.title(node));
    put(&mut settings.time_zone, root.get("time_zone"), |node| reader.zone(node));
    put(&mut settings.people, root.get("people"), |node| reader.choice(node, People::parse, People::NAMES));
    metrics::read(reader, &metrics, settings);

    put(&mut config.listen, root.get("listen"), |node| reader.parsed(node, check_listen));
    put(&mut config.auth, root.get("auth"), |node| reader.choice(node, Auth::parse, Auth::NAMES));
    read_database(reader, &root, &mut config);
    read_intake(reader, &intake, &mut config.intake);

    config.teams = catalogue::teams(reader, &root);
    config.services = catalogue::services(reader, &root, &mut config.settings);
    config.settings.targets = catalogue::targets(reader, &root);
    config.pulls = pulls::pulls(reader, &root, &config.settings);
    config.hooks = hooks::hooks(reader, &root, &config.intake);
    config
}

/// Takes what is written and readable, and leaves the default where nothing is.
fn put<'v, T>(place: &mut T, node: Option<Node<'v>>, read: impl FnOnce(&Node<'v>) -> Option<T>) {
    if let Some(value) = node.and_then(|node| read(&node)) {
        *place = value;
    }
}

fn read_database(reader: &mut Reader, root: &Section<'_>, config: &mut Config) {
    // A flag wins over a variable and a variable over the file, whichever of the two keys each of them sets.
    let rank = |node: &Node<'_>| match &node.origin {
        Origin::Outside(name) if name.starts_with("--") => 2,
        Origin::Outside(_) => 1,
        _ => 0,
    };
    config.names_database = root.get("database").is_some() || root.get("database_file").is_some();
    let (url, file) = match (root.get("database"), root.get("database_file")) {
        (Some(url), Some(file)) if rank(&url) == rank(&file) => {
            reader.wrong(&file, "database and database_file are both set; keep one of them");
            return;
        }
        (Some(url), Some(file)) if rank(&url) > rank(&file) => (Some(url), None),
        (Some(_), Some(file)) => (None, Some(file)),
        one => one,
    };
    put(&mut config.database, url, |node| reader.parsed(node, check_database));
    let Some((node, path)) = file.and_then(|node| reader.text(&node).map(|path| (node, PathBuf::from(path)))) else {
        return;
    };
    match read_secret(&path) {
        Ok(url) => match check_database(&url) {
            Ok(url) => config.database = url,
            Err(error) => reader.wrong(&node, format_args!("what the file holds is wrong: {error}")),
        },
        Err(error) => reader.wrong(
            &node,
            format_args!("the file cannot be read ({error}); write the path of a file that holds the URL"),
        ),
    }
    config.database_file = Some(path);
}

/// The content of a `*_file`, without the line end that editors leave.
///
/// # Errors
/// The file cannot be read.
pub fn read_secret(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
}

fn check_database(url: &str) -> Result<String, &'static str> {
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if known.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
        Ok(url.to_owned())
    } else {
        Err("this is no database URL; write sqlite://vigie.db or postgres://HOST/NAME")
    }
}

fn check_listen(text: &str) -> Result<String, &'static str> {
    let well_formed = match text.rsplit_once(':') {
        Some((host, port)) => {
            // A bare IPv6 address would swallow the port.
            let host_is_clear =
                !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'));
            host_is_clear && port.parse::<u16>().is_ok()
        }
        None => false,
    };
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err("this is no address with a port; write it like 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080")
    }
}

/// A folder that is there: without it, what it should add or replace would silently not be.
fn folder(reader: &mut Reader, node: &Node<'_>) -> Option<PathBuf> {
    reader.parsed(node, |path| match Path::new(path).is_dir() {
        true => Ok(PathBuf::from(path)),
        false => Err("there is no such folder; create it, or remove the line"),
    })
}

fn read_intake(reader: &mut Reader, section: &Section<'_>, intake: &mut Intake) {
    put(&mut intake.max_request_bytes, section.get("max_request_bytes"), |node| reader.bytes(node));
    put(&mut intake.max_event_bytes, section.get("max_event_bytes"), |node| reader.bytes(node));
    put(&mut intake.keep_deliveries, section.get("keep_deliveries"), |node| reader.length(node));
    put(&mut intake.connectors, section.get("connectors"), |node| Some(Some(folder(reader, node)?)));
    let culprit = section.get("max_event_bytes").or_else(|| section.get("max_request_bytes"));
    if let Some(node) = culprit.filter(|_| intake.max_event_bytes > intake.max_request_bytes) {
        let (event, request) = (intake.max_event_bytes, intake.max_request_bytes);
        reader.wrong(&node, format_args!("an event of {event} bytes would not fit into a request of {request}; raise max_request_bytes or lower max_event_bytes"));
    }
}
