//! From deliveries that a tool would have sent to events, by the map that its webhooks go through.

use std::sync::Arc;

use serde_json::Value;
use vigie_model::{Event, Time};

use super::PullError;
use super::notes::Notes;
use crate::accept;
use crate::connector::{Envelope, Hook, Hooks, Outcome, Pool};

/// A delivery that a tool would have sent: its type and its body.
pub(super) type Delivery = (&'static str, Value);

/// See the module's documentation.
pub(super) struct Mapping {
    /// The header that says the type of a delivery, where its body does not.
    pub header: Option<&'static str>,
    pub hooks: Arc<Hooks>,
    pub hook: Arc<Hook>,
    pub pool: Arc<Pool>,
    pub intake: accept::Intake,
    pub now: Time,
}

impl Mapping {
    /// What deliveries become. One that cannot be mapped is told in `notes`, and the others go on.
    pub(super) async fn events(&self, deliveries: &[Delivery], notes: &mut Notes) -> Result<Vec<Event>, PullError> {
        let connector = &self.hook.connector;
        let mut events = Vec::new();
        for (kind, body) in deliveries {
            let text = body.to_string();
            let headers = self.header.map(|name| (name, *kind));
            let envelope = Envelope::read(&connector.manifest, headers, text.as_bytes());
            let Ok(envelope) = envelope else { continue };
            let input = envelope.input(&self.hook.source, &self.hook.settings, self.now);
            match self.pool.map(connector, &input).await {
                Ok(outputs) => events.extend(self.read(&outputs, notes)),
                Err(failure) if failure.is_temporary() => {
                    return Err(PullError::Unavailable { message: failure.to_string(), retry_after: None });
                }
                Err(failure) => notes.add(failure.to_string()),
            }
        }
        Ok(events)
    }

    /// Events as they are written, one a line.
    pub(super) fn plain(&self, values: impl IntoIterator<Item = Value>, notes: &mut Notes) -> Vec<Event> {
        values.into_iter().flat_map(|value| self.read(value.to_string().as_bytes(), notes)).collect()
    }

    fn read(&self, outputs: &[u8], notes: &mut Notes) -> Vec<Event> {
        match Outcome::read(&self.hook.connector, outputs, &self.intake, self.hooks.routes()) {
            Ok(outcome) => {
                notes.guessed(outcome.unmapped);
                outcome.events
            }
            Err(failure) => {
                notes.add(failure.to_string());
                Vec::new()
            }
        }
    }
}
