//! The engine: it takes events into the log, keeps the facts up with it, and hands out snapshots to ask.
//!
//! ```text
//! submit ─► intake ─► log ─► world ─► folds ─► facts ─► snapshot
//! ```
//!
//! # Invariants
//! - **Acknowledged is on disk.** [`Engine::submit`] resolves after the commit, never before.
//! - **A snapshot is whole.** It is what the log says up to one place, folded under one set of settings, and it is
//!   swapped for the next in one step. A fold of everything replaces it when it is complete.
//! - **One process folds at a time**, by a lease in the database that every write of facts checks; the others follow
//!   what it writes. Whoever takes over goes on from what was written.
//! - **A restart folds nothing** that was folded: facts are read back, and only what the log holds beyond them is
//!   folded. They are folded anew where the settings that they rest on changed, or the folds themselves, or where a
//!   fold of so much that it took several transactions was cut off by a crash.
//! - **The same events give the same facts**, whatever their order, their batches and their repetition.
//!
//! # Finding your way
//! [`mod@intake`] is the queue and its writer, [`mod@deliveries`] what webhooks send and how it is mapped, [`mod@pulls`] the
//! runs of pulls. [`mod@fold`] is the worker: it leads or follows; [`fold::folder`] is the world with what it reads from the log. [`standing`] is the facts as the database holds them, [`mod@as_of`]
//! snapshots of earlier instants, [`mod@configure`] the configuration file as events.
//!
//! Deliberately absent: SQL (the store's), what facts mean and what numbers are (the metrics'), where events come
//! from, and HTTP.

mod as_of;
pub mod configure;
mod deliveries;
mod engine;
mod error;
mod fold;
mod intake;
mod lease;
mod options;
mod pulls;
mod shared;
mod standing;
mod status;
mod unmapped;

pub use configure::Configuration;
pub use deliveries::{Mapping, kept_as};
pub use engine::Engine;
pub use error::{EngineError, Result};
pub use options::{EngineOptions, Folding};
pub use pulls::{PullFailure, PullOptions, PullStep, Pulled};
pub use status::{Progress, Status};
pub use unmapped::say_unmapped;
pub use vigie_store::{
    Appended, Cursor, Delivery, DeliveryFilter, DeliveryState, NewDelivery, Outcome, PullFilter, PullRun, PullState,
    PulledSource, Requeue, StoreError, Unmapped,
};
