//! Pulls on their schedule, beside a server.

use tokio::task::JoinSet;
use vigie_engine::Engine;
use vigie_model::Time;

use super::git::{self, Wanted};
use super::{name, wanted};
use crate::config::{Config, PullSource};
use crate::failure::Failure;
use crate::shutdown::Shutdown;

/// The running pulls of a server.
pub struct Pulls(JoinSet<()>);

impl Pulls {
    /// Resolves once each has recorded what it had read. They stop by themselves when somebody asks.
    pub async fn finish(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts every pull of the configuration: at once, then every so often.
pub fn schedule(config: &Config, engine: &Engine, shutdown: &Shutdown) -> Pulls {
    let mut tasks = JoinSet::new();
    for entry in &config.pulls {
        match wanted(entry) {
            Some(wanted) => {
                tasks.spawn(again_and_again(engine.clone(), wanted, entry.every, shutdown.clone()));
            }
            None => {
                let source = name(&entry.source);
                tracing::warn!(source, "this release pulls git repositories only; the entry is left out");
            }
        }
    }
    Pulls(tasks)
}

async fn again_and_again(engine: Engine, wanted: Wanted, every: Time, shutdown: Shutdown) {
    let holder = format!("{:016x}", chance());
    let pause = std::time::Duration::from_micros(u64::try_from(every).unwrap_or(0));
    let source = name(&PullSource::Git {
        path: wanted.path.clone(),
        repository: None,
        service: None,
        environment: None,
        deployments: wanted.deployments.clone(),
    });
    loop {
        match once(&engine, &wanted, (every, &holder), &shutdown).await {
            Ok(true) | Err(_) if shutdown.is_asked() => return,
            Ok(_) => {}
            Err(failure) => tracing::error!(source, error = failure.message, "a pull failed; it is tried again"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.asked() => return,
        }
    }
}

/// One pull, unless another process does it at the moment.
async fn once(
    engine: &Engine,
    wanted: &Wanted,
    (every, holder): (Time, &str),
    shutdown: &Shutdown,
) -> Result<bool, Failure> {
    let lease = format!("pull {}", wanted.key());
    // A file has one server; on PostgreSQL several may have the same configuration.
    let is_shared = engine.store().is_postgres();
    if is_shared && engine.store().lease(&lease, holder, every, engine.now()).await?.is_none() {
        return Ok(false);
    }
    let pulled = git::pull(engine, wanted, shutdown, false).await?;
    tracing::info!(
        repository = pulled.repository,
        service = pulled.service,
        commits = pulled.commits,
        deployments = pulled.deployments,
        accepted = pulled.accepted,
        "pulled"
    );
    for warning in &pulled.warnings {
        tracing::warn!(repository = pulled.repository, "{warning}");
    }
    if is_shared && shutdown.is_asked() {
        engine.store().release(&lease, holder).await?;
    }
    Ok(true)
}

/// Containers may all have the same process number, so chance tells their processes apart.
fn chance() -> u64 {
    getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()))
}
