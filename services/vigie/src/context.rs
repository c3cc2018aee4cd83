//! From the command line to a configuration, a database and an engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vigie_engine::{Configuration, Engine, EngineOptions, Folding, Mapping};
use vigie_model::event::RepositoryPaths;
use vigie_model::settings::Settings;
use vigie_model::{Clock, SystemClock, Time};
use vigie_store::{ConnectOptions, Store, StoreError};

use crate::config::{self, Config, Problems};
use crate::demo::MADE_UP;
use crate::failure::Failure;
use crate::terminal::say;

/// What every command is given.
pub struct Context {
    config_file: Option<PathBuf>,
    database: Option<String>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

/// What a command does with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Writes; an absent one is created. A command that ends by itself asks nothing then, and stays small.
    Write,
    /// The same, as fast as the disk takes it, with as much memory as that asks for.
    Import,
    /// Asks; an absent one is an error. What is not folded yet is folded, where that may be written.
    Ask,
}

/// A database that was opened.
pub struct Opened {
    /// The database.
    pub store: Store,
    /// It can only be read.
    pub read_only: bool,
}

impl Context {
    /// What the global flags say, on the machine's clock.
    pub fn new(config_file: Option<PathBuf>, database: Option<String>) -> Self {
        Self { config_file, database, clock: Arc::new(SystemClock) }
    }

    /// The current instant.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The database that the command line names.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The file that is read, whether or not it is there.
    pub fn config_file(&self) -> &Path {
        self.config_file.as_deref().unwrap_or(Path::new(config::DEFAULT_FILE))
    }

    /// The configuration, with these flags over it.
    pub fn load(&self, flags: &[(&'static str, String)]) -> Result<Config, Failure> {
        self.read(&self.with_database(flags)).map_err(|problems| {
            let is_usage = problems.0.iter().all(|problem| problem.place.is_none() && problem.key.starts_with("--"));
            if is_usage {
                Failure::usage(problems)
            } else {
                Failure::new(format_args!("the configuration:\n{problems}"))
            }
        })
    }

    fn with_database(&self, flags: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
        let database = self.database.iter().map(|url| ("database", url.clone()));
        flags.iter().cloned().chain(database).collect()
    }

    /// The configuration with exactly these flags over it, or everything that is wrong.
    pub fn read(&self, flags: &[(&str, String)]) -> Result<Config, Problems> {
        config::load(self.config_file.as_deref(), std::env::vars(), flags)
    }

    /// The configuration of a command that a site's own file does not concern: one that is named with `--config`, the
    /// variables, and these flags.
    pub fn load_named(&self, flags: &[(&'static str, String)]) -> Result<Config, Failure> {
        match self.config_file {
            Some(_) => self.load(flags),
            None => config::parse(config::DEFAULT_FILE, "", std::env::vars(), &self.with_database(flags))
                .map_err(Failure::usage),
        }
    }

    /// The database, as new as this program needs it.
    pub async fn store(&self, config: &Config, what_for: Use) -> Result<Opened, Failure> {
        self.connect(config, what_for, ConnectOptions::default()).await
    }

    async fn connect(&self, config: &Config, what_for: Use, options: ConnectOptions) -> Result<Opened, Failure> {
        let options = ConnectOptions { create: what_for != Use::Ask, ..options };
        let store = Store::connect(&config.database, options).await?;
        match store.migrate(self.now()).await {
            Ok(_) => Ok(Opened { store, read_only: false }),
            Err(StoreError::ReadOnly) if what_for == Use::Ask => {
                store.close().await;
                let store = Store::connect(&config.database, ConnectOptions::read_only()).await?;
                store.check_version().await?;
                Ok(Opened { store, read_only: true })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An engine over the database, under the configuration.
    pub async fn engine(&self, config: &Config, what_for: Use, folding: Folding) -> Result<Engine, Failure> {
        self.open(config, what_for, folding, None).await
    }

    /// The same with deliveries of webhooks taken in and mapped.
    pub async fn mapping_engine(
        &self,
        config: &Config,
        what_for: Use,
        folding: Folding,
        mapping: Mapping,
    ) -> Result<Engine, Failure> {
        self.open(config, what_for, folding, Some(mapping)).await
    }

    async fn open(
        &self,
        config: &Config,
        what_for: Use,
        folding: Folding,
        mapping: Option<Mapping>,
    ) -> Result<Engine, Failure> {
        let is_small = folding == Folding::OnDemand && what_for == Use::Write;
        let options = ConnectOptions::default();
        let options = if is_small { options.sparing() } else { options };
        let Opened { store, read_only } = self.connect(config, what_for, options).await?;
        let options = EngineOptions {
            read_only,
            mapping,
            ..EngineOptions::new(store).clock(self.clock.clone()).folding(folding)
        };
        let options = match folding {
            Folding::Background => options.serving(),
            Folding::OnDemand if is_small => options.sparing(),
            Folding::OnDemand => options,
        };
        let engine = Engine::open(options).await?;
        if read_only {
            say("note: the database is read-only; events that are not folded yet do not count");
            return Ok(engine);
        }
        self.apply(config, &engine).await?;
        if what_for == Use::Ask {
            engine.fold_all().await?;
        }
        Ok(engine)
    }

    /// Records what the configuration says of the organisation, where it differs from what is recorded. Without a
    /// file only what variables set is changed: somebody may ask from another folder than the file's.
    async fn apply(&self, config: &Config, engine: &Engine) -> Result<(), Failure> {
        let mut configuration = configuration(config);
        let mut what = self.config_file().display().to_string();
        if !config.has_file {
            let recorded = engine.snapshot().settings().clone();
            configuration.settings = overlaid(&recorded, config).map_err(Failure::new)?;
            if configuration.settings == *recorded {
                return Ok(());
            }
            configuration.keeps_catalogue = true;
            what = "the variables".to_owned();
        }
        if engine.snapshot().settings().organization.ends_with(MADE_UP) {
            say("note: the database holds made-up data, so the configuration's settings are not applied to it");
            return Ok(());
        }
        let changed = engine.configure(&configuration).await?;
        if changed > 0 {
            say(format_args!("applied {what}: {} recorded", crate::humane::some(changed as u64, "change", "changes")));
        }
        Ok(())
    }
}

/// The recorded settings with those over them that variables and flags set.
fn overlaid(recorded: &Settings, config: &Config) -> serde_json::Result<Settings> {
    let mut all = serde_json::to_value(recorded)?;
    let set = serde_json::to_value(&config.settings)?;
    if let Some(all) = all.as_object_mut() {
        let chosen = config.set_outside.iter().filter_map(|key| Some((*key, set.get(*key)?)));
        all.extend(chosen.map(|(key, value)| (key.to_owned(), value.clone())));
    }
    serde_json::from_value(all)
}

/// What the engine wants to know of a configuration.
pub fn configuration(config: &Config) -> Configuration {
    let team = |team: &config::TeamEntry| vigie_engine::configure::TeamDeclaration {
        slug: team.slug.clone(),
        name: team.name.clone(),
        parent: team.parent.clone(),
    };
    let service = |service: &config::ServiceEntry| vigie_engine::configure::ServiceDeclaration {
        slug: service.slug.clone(),
        name: service.name.clone(),
        team: service.team.clone(),
        repositories: service.repositories.iter().map(repository).collect(),
        production: service.production.clone(),
        r#type: service.kind.clone(),
        tier: service.tier.clone(),
        formerly: service.formerly.clone(),
        archived_at: service.archived_at,
    };
    Configuration {
        keeps_catalogue: false,
        settings: config.settings.clone(),
        teams: config.teams.iter().map(team).collect(),
        services: config.services.iter().map(service).collect(),
    }
}

fn repository(entry: &config::RepositoryEntry) -> RepositoryPaths {
    let texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    RepositoryPaths {
        repository: entry.repository.as_str().into(),
        paths: texts(&entry.paths),
        formerly: texts(&entry.formerly),
    }
}
