//! One delivery through its connector's map.

use vigie_ingest::accept;
use vigie_ingest::connector::{Envelope, Failure, Hook, Outcome, RawDelivery};
use vigie_model::event::Context;
use vigie_store::Pending;

use super::mapper::Mapper;

/// From so many packed bytes on, reading a delivery would hold an async thread too long.
const READ_ASIDE: usize = 16 << 10;

/// Why a delivery became nothing.
#[derive(Debug, Clone)]
pub(super) enum Unmappable {
    /// It cannot be mapped; the text says why.
    Failed(String),
    /// No map could be run: it waits on.
    Later(String),
}

impl Mapper {
    /// What a delivery becomes.
    pub(super) async fn map(&self, pending: &Pending) -> Result<Outcome, Unmappable> {
        let hooks = &self.mapping.hooks;
        let hook = hooks.find(&pending.connector, &pending.source).map_err(Unmappable::Failed)?;
        let input = match pending.content.len() {
            ..READ_ASIDE => input(pending, &hook),
            _ => {
                let (pending, hook) = (pending.clone(), hook.clone());
                let read = tokio::task::spawn_blocking(move || input(&pending, &hook)).await;
                read.map_err(|error| Unmappable::Later(error.to_string()))?
            }
        };
        let input = input.map_err(Unmappable::Failed)?;
        let turn = self.turn(&pending.source).await;
        let outputs = self.pool.map(&hook.connector, &input).await;
        drop(turn);
        self.note_pace(&pending.source, matches!(&outputs, Err(failure) if failure.is_deadline()));
        let outputs = outputs.map_err(|failure| match failure.is_temporary() {
            true => Unmappable::Later(failure.to_string()),
            false => Unmappable::Failed(failure.to_string()),
        })?;
        let intake = accept::Intake {
            context: Context::outside(&hook.source),
            concealer: self.shared.concealer(),
            limits: accept::Limits { event_bytes: self.mapping.event_bytes, ..accept::Limits::default() },
        };
        let read = |outputs: &[u8], hook: &Hook, intake: &accept::Intake| {
            Outcome::read(&hook.connector, outputs, intake, hooks.routes())
        };
        let mut outcome =
            read(&outputs, &hook, &intake).map_err(|failure: Failure| Unmappable::Failed(failure.to_string()))?;
        for event in outcome.events.iter_mut().filter(|event| event.timeless) {
            // What a delivery says without a time held when it came: so that mapping it again changes nothing.
            event.timeless = false;
            event.at = pending.received_at;
        }
        Ok(outcome)
    }
}

fn input(pending: &Pending, hook: &Hook) -> Result<Vec<u8>, String> {
    let raw = RawDelivery::unpack(&pending.content).map_err(|error| error.to_string())?;
    let envelope = Envelope::read(&hook.connector.manifest, raw.headers(), &raw.body);
    let envelope = envelope.map_err(|error| error.to_string())?;
    Ok(envelope.input(&hook.source, &hook.settings, pending.received_at))
}
