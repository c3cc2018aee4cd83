//! What comes in, made into events: the bodies of requests, files of any length, and pulls of other tools.
//!
//! Several ways in, one vocabulary: whatever a way reads, it ends in [`vigie_model::Event`]s, their authors concealed.
//! Deliberately absent: the database and the HTTP server. The caller records what comes out of here and answers.
//!
//! - [`accept`]: the body of `POST /v1/events` becomes events and an answer.
//! - [`stream`]: the same for `vigie import`, in constant memory.
//! - [`connector`]: webhooks of other tools, mapped by folders of data. To add a tool, add a folder to `connectors/`.
//! - [`pull`]: sources that are asked. To add one, write a module in `pull/` and a line in its registry.

pub mod accept;
pub mod connector;
mod ordered;
pub mod pull;
mod split;
pub mod stream;
