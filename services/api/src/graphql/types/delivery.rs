//! Deliveries of webhooks, for those who administer.

use async_graphql::{Enum, ID, Object};
use vigie_engine::{Delivery as Kept, DeliveryFilter, DeliveryState as Kind};

use crate::error::{ApiError, Result};
use crate::graphql::context::Ask;
use crate::graphql::page::{Connection, Edge, PageArgs, bad_cursor, connection, decode, encode};
use crate::graphql::parts::count;
use crate::graphql::scalars::DateTime;

/// How far a delivery has come.
#[derive(Enum, Debug, Copy, Clone, PartialEq, Eq)]
#[graphql(remote = "Kind")]
pub enum DeliveryState {
    /// It waits to be mapped.
    Pending,
    /// It became events.
    Mapped,
    /// It means nothing here: a ping, an action that is no event.
    Ignored,
    /// It could not be mapped: `error` says why. `vigie replay` maps it again once that was mended.
    Failed,
}

/// See the GraphQL type.
pub struct Delivery(Kept);

/// What a tool sent to a webhook, and what became of it.
#[Object]
impl Delivery {
    /// What it is called here, as `vigie replay` takes it. Later ones have larger numbers.
    async fn id(&self) -> ID {
        ID::from(self.0.seq)
    }

    /// The connector that understands it.
    async fn connector(&self) -> &str {
        &self.0.connector
    }

    /// The source of its events.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// The tool's own id of it; null: it has none, and is recognised by its content.
    async fn tool_id(&self) -> Option<&str> {
        self.0.tool_id.as_deref()
    }

    /// What the tool calls its type.
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        self.0.kind.as_deref()
    }

    /// When it came.
    async fn received_at(&self) -> DateTime {
        DateTime::at(self.0.received_at)
    }

    /// How far it has come.
    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// When it was last mapped.
    async fn mapped_at(&self) -> Option<DateTime> {
        self.0.mapped_at.map(DateTime::at)
    }

    /// How many events it became.
    async fn events(&self) -> i32 {
        count(u64::try_from(self.0.events).unwrap_or(0))
    }

    /// Why it could not be mapped.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// Bytes of its body.
    async fn bytes(&self) -> i32 {
        count(u64::try_from(self.0.bytes).unwrap_or(0))
    }
}

/// A page of deliveries, the latest first.
///
/// # Errors
/// Only those who administer may see them; a bad cursor; the database does not answer.
pub async fn page(
    ask: &Ask,
    state: Option<DeliveryState>,
    connector: Option<String>,
    source: Option<String>,
    page: &PageArgs,
    is_counted: bool,
) -> Result<Connection<Delivery>> {
    let engine = ask.admin()?;
    let before = page
        .after
        .as_deref()
        .map(|cursor| decode(cursor).and_then(|text| text.parse().ok()).ok_or_else(|| bad_cursor(cursor)));
    let filter = DeliveryFilter { state: state.map(Into::into), connector, source, ..DeliveryFilter::default() };
    let away = |error: vigie_engine::StoreError| ApiError::from(vigie_engine::EngineError::from(error));
    // Counting reads them all, and few ask for it.
    let total = match is_counted {
        true => engine.store().count_deliveries(&filter).await.map_err(away)?,
        false => 0,
    };
    let filter = DeliveryFilter { before: before.transpose()?, ..filter };
    let first = i64::try_from(page.first).unwrap_or(0);
    let mut found = engine.store().deliveries(&filter, first.saturating_add(1)).await.map_err(away)?;
    let has_next = found.len() > page.first;
    found.truncate(page.first);
    let mut rows = connection(page.after.is_some(), has_next, total);
    rows.edges.extend(found.into_iter().map(|row| Edge::new(encode(&row.seq.to_string()), Delivery(row))));
    Ok(rows)
}
