//! Queries as parsed documents. The same few texts come again and again, so a text is looked at, parsed and validated
//! once while it is remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;

use super::text::TextLimits;
use crate::error::{ApiError, Result};
use crate::memory::Recent;

/// A parsed query.
#[derive(Debug)]
pub struct Document {
    /// What the parser made of it.
    pub parsed: ExecutableDocument,
    /// It was executed without any complaint before, so that nothing is wrong with the text itself.
    proven: AtomicBool,
}

impl Document {
    /// Whether the text is known to be valid.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// Remembers that the text is valid.
    pub fn prove(&self) {
        self.proven.store(true, Ordering::Relaxed);
    }
}

/// The documents that were asked for lately.
#[derive(Debug)]
pub struct Documents {
    recent: Recent<Arc<str>, Arc<Document>>,
    limits: TextLimits,
}

/// Longer texts are parsed each time, so that the memory stays within some tens of megabytes.
const REMEMBERED_BYTES: usize = 16 * 1024;
const REMEMBERED: usize = 2_048;

impl Documents {
    /// An empty memory.
    #[must_use]
    pub fn new(limits: TextLimits) -> Self {
        Self { recent: Recent::new(REMEMBERED), limits }
    }

    /// The document of a text.
    ///
    /// # Errors
    /// It is too large, or no GraphQL; the message says where.
    pub fn get(&self, query: &str) -> Result<Arc<Document>> {
        if let Some(known) = self.recent.get(query) {
            return Ok(known);
        }
        self.limits.check(query)?;
        let parsed =
            parse_query(query).map_err(|error| ApiError::bad_input(format!("the query is no GraphQL: {error}")))?;
        let document = Arc::new(Document { parsed, proven: AtomicBool::new(false) });
        if query.len() <= REMEMBERED_BYTES {
            self.recent.put(query.into(), document.clone());
        }
        Ok(document)
    }
}
