//! A source asked on its schedule, for as long as the server lives.

use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;
use vigie_ingest::pull::Pull;
use vigie_model::schedule::Schedule;

use super::schedule::due;
use super::{PullFailure, PullOptions, Pulled};
use crate::engine::Engine;

/// How often what is due is looked at, as another process may have pulled meanwhile.
const LOOK: Duration = Duration::from_secs(30);
/// The pause where another process pulls it, or where perhaps not even that it failed could be noted.
const BUSY: Duration = Duration::from_secs(5);

/// See [`Engine::pull_on_schedule`].
pub(crate) async fn on_schedule(
    engine: &Engine,
    source: &dyn Pull,
    schedule: &Schedule,
    stop: impl Future<Output = ()>,
) {
    let name = source.name();
    let stop = pin!(stop.shared());
    loop {
        let pause = match wait(engine, &name, schedule).await {
            Some(pause) => pause,
            None => {
                let options = PullOptions { patience: Duration::ZERO, schedule: Some(schedule), told: &|_| {} };
                match engine.pull(source, options, stop.clone()).await {
                    Ok(pulled) => {
                        say(&name, &pulled);
                        Duration::ZERO
                    }
                    Err(PullFailure::Busy { .. }) => BUSY,
                    Err(error) => {
                        tracing::error!(source = name, %error, "a pull failed; it is tried again");
                        BUSY
                    }
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.clone() => return,
        }
    }
}

/// How long to wait before the next look; `None`: the source is due.
async fn wait(engine: &Engine, name: &str, schedule: &Schedule) -> Option<Duration> {
    let own = match engine.store().pulled_source(name, engine.now()).await {
        Ok(own) => own,
        Err(error) => {
            tracing::error!(source = name, %error, "when a source is to be pulled could not be read; it is tried again");
            return Some(LOOK);
        }
    };
    let left = due(schedule, own.as_ref(), engine.now()).saturating_sub(engine.now());
    u64::try_from(left).ok().filter(|left| *left > 0).map(|left| Duration::from_micros(left).min(LOOK))
}

fn say(name: &str, pulled: &Pulled) {
    let Pulled { accepted, duplicates, .. } = pulled;
    tracing::info!(source = name, accepted, duplicates, is_cut = pulled.is_cut, "pulled");
    for note in &pulled.notes {
        tracing::warn!(source = name, "{note}");
    }
}
