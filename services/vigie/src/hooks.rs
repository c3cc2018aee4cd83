//! The hooks of the configuration, with their secrets read.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use vigie_engine::Mapping;
use vigie_ingest::connector::signature::{Secret, check_secret};
use vigie_ingest::connector::{Connector, Hook, Hooks, Launch, Pool, Registry};

use crate::config::{Config, HookEntry};
use crate::failure::Failure;

/// How deliveries of webhooks are taken in and mapped.
pub fn mapping(config: &Config) -> Result<Mapping, Failure> {
    let registry = Registry::load(config.intake.connectors.as_deref()).map_err(Failure::new)?;
    let hooks = config.hooks.iter().map(|entry| hook(&registry, entry)).collect::<Result<Vec<_>, _>>()?;
    told_apart(&hooks)?;
    let hooks = Arc::new(Hooks::new(registry, hooks, config.routes()));
    let mapping = Mapping::new(hooks, Launch::this_program(["map-worker"])?);
    Ok(Mapping {
        event_bytes: config.intake.max_event_bytes,
        limits: vigie_ingest::connector::Limits {
            // The headers stand beside the body.
            input_bytes: config.intake.max_request_bytes.saturating_add(1 << 20),
            ..mapping.limits
        },
        keep: Duration::from_micros(u64::try_from(config.intake.keep_deliveries).unwrap_or(0)),
        ..mapping
    })
}

/// What the pulls of a process share that go through the maps of webhooks.
pub struct Maps {
    /// How deliveries are mapped.
    pub mapping: Mapping,
    /// The workers that run the maps.
    pub pool: Arc<Pool>,
}

/// [`Maps`], made when the first pull needs them: a pull that does not need them does not care what is wrong with a hook.
pub struct LazyMaps<'c> {
    config: &'c Config,
    made: OnceLock<Maps>,
}

impl<'c> LazyMaps<'c> {
    /// None yet.
    pub fn new(config: &'c Config) -> Self {
        Self { config, made: OnceLock::new() }
    }

    /// The maps.
    pub fn get(&self) -> Result<&Maps, Failure> {
        if let Some(maps) = self.made.get() {
            return Ok(maps);
        }
        let mapping = mapping(self.config)?;
        let pool = Pool::new(mapping.launch.clone(), mapping.workers, mapping.limits).into();
        Ok(self.made.get_or_init(|| Maps { mapping, pool }))
    }

    /// The mapping, where some pull needed it.
    pub fn used(&self) -> Option<Mapping> {
        self.made.get().map(|maps| maps.mapping.clone())
    }
}

/// Of several hooks of one connector each has to be provable.
fn told_apart(hooks: &[Hook]) -> Result<(), Failure> {
    for (number, hook) in hooks.iter().enumerate() {
        let others = hooks[..number].iter().filter(|other| other.connector.name == hook.connector.name);
        for other in others {
            let is_shared = hook.secrets.iter().any(|secret| other.secrets.contains(secret));
            if is_shared || (hook.secrets.is_empty() && other.secrets.is_empty()) {
                return Err(Failure::new(format_args!(
                    "[[hook]] {}: the sources {} and {} cannot be told apart; give each a secret of its own",
                    hook.connector.name, other.source, hook.source
                )));
            }
        }
    }
    Ok(())
}

fn hook(registry: &Registry, entry: &HookEntry) -> Result<Hook, Failure> {
    let connector = registry.get(&entry.connector).ok_or_else(|| Failure::new(registry.unknown(&entry.connector)))?;
    let secrets = entry.secret_files.iter().map(|file| secret(connector, file)).collect::<Result<_, _>>()?;
    let settings = connector.manifest.settings.with(&entry.settings).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::new(format_args!("[[hook]] {}: {}", entry.connector, faults.join("; ")))
    })?;
    Ok(Hook { connector: connector.clone(), source: entry.source.as_str().into(), secrets, settings })
}

/// Reads a secret: the file's text without the line end that editors put there.
pub fn secret(connector: &Connector, file: &Path) -> Result<Secret, Failure> {
    let wrong = |what: String| {
        Failure::new(format_args!("the secret of the hook {} in {}: {what}", connector.name, file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let secret = Secret::new(text.trim_end_matches(['\r', '\n']))
        .ok_or_else(|| wrong("it is empty, and everybody knows that one; write one into it".to_owned()))?;
    check_secret(&connector.manifest, &secret).map_err(wrong)?;
    Ok(secret)
}
