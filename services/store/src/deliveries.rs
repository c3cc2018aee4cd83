//! Deliveries of webhooks: kept as they came, waiting to be mapped, and what became of them.
//!
//! A delivery is `pending` from its arrival, and becomes `mapped`, `ignored` or `failed` in the transaction that records
//! its events ([`Store::append_with`](crate::Store::append_with)): a crash neither loses nor doubles anything. What a
//! delivery said is noted beside it, so that another mapping of it can take back what it says no more.
//!
//! Content is opaque here: whoever takes a delivery in packs it, and whoever maps it unpacks it.

mod copy;
mod mapped;
mod pending;
mod put;
mod read;

use std::sync::Arc;

use vigie_model::{Digest, Time};

pub(crate) use copy::copy_deliveries;
pub use mapped::{Contribution, Mapping, Mappings, Restated, Standing, Unmapped};
pub(crate) use mapped::{note_late, said_meanwhile, write_mappings, write_unmapped};
pub use pending::Pending;
pub use read::{Delivery, DeliveryFilter, DeliveryTally, Requeue};

/// A delivery that has just come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The connector that understands it.
    pub connector: Arc<str>,
    /// The source of its events.
    pub source: Arc<str>,
    /// What it is recognised by when it comes again.
    pub identity: Digest,
    /// The tool's own id of it.
    pub tool_id: Option<String>,
    /// What the tool calls its type.
    pub kind: Option<String>,
    /// When it came, or, where it was missed then, when it was sent.
    pub received_at: Time,
    /// Bytes of its body.
    pub bytes: usize,
    /// Headers and body, packed.
    pub content: Vec<u8>,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// It waits to be mapped.
    Pending,
    /// It became events.
    Mapped,
    /// It means nothing to us: a ping, an action that is no event.
    Ignored,
    /// It could not be mapped; the error says why.
    Failed,
}

impl DeliveryState {
    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Mapped, Self::Ignored, Self::Failed];

    /// As the database, the command line and messages have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Mapped => "mapped",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl std::fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a digest out of a column.
fn digest(column: &'static str, bytes: &[u8]) -> crate::Result<Digest> {
    let bytes = bytes.try_into().map_err(|_| crate::StoreError::Corrupt {
        table: "delivery_events",
        column,
        row: String::new(),
        reason: "it has not 16 bytes".to_owned(),
    })?;
    Ok(Digest(bytes))
}
