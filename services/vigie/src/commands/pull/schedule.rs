//! Pulls on their schedule, beside a server.

use tokio::task::JoinSet;
use vigie_engine::Engine;

use super::{name, wanted};
use crate::config::Config;
use crate::hooks::LazyMaps;
use crate::shutdown::Shutdown;

/// The running pulls of a server.
pub struct Pulls(JoinSet<()>);

impl Pulls {
    /// Resolves once each has recorded what it had read. They stop by themselves when somebody asks.
    pub async fn finish(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts every pull of the configuration: each where it is due, then on its schedule.
pub fn schedule(config: &Config, engine: &Engine, shutdown: &Shutdown) -> Pulls {
    let (mut tasks, maps) = (JoinSet::new(), LazyMaps::new(config));
    for entry in &config.pulls {
        let source = match wanted(config, &entry.source, &maps) {
            Ok(source) => source,
            Err(failure) => {
                let source = name(&entry.source);
                tracing::error!(source, error = failure.message, "it is not pulled");
                continue;
            }
        };
        let (engine, shutdown) = (engine.clone(), shutdown.clone());
        let schedule = entry.when.schedule(&config.settings.time_zone);
        tasks.spawn(async move { engine.pull_on_schedule(&*source, &schedule, shutdown.asked()).await });
    }
    Pulls(tasks)
}
