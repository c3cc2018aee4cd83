//! Connectors: what the webhooks of a tool mean, as data.
//!
//! A connector is a folder with a `connector.toml` (how a delivery is signed, identified and named), a `map.jq` (one
//! delivery → zero or more events) and fixtures. Those in `connectors/` are part of the program; a site's own folder
//! adds others, or takes the place of one of the same name.
//!
//! # One delivery's way
//! [`Hooks::of`] finds the connector as the site uses it → [`signature::verify`] looks at the raw bytes and says yes or
//! no → [`Envelope::read`] finds the delivery's id and type and what of it is JSON, [`identity`] what it is recognised
//! by → [`RawDelivery::pack`] packs it (the caller stores it and answers) → [`RawDelivery::unpack`],
//! [`Envelope::input`] is what the map sees → [`Pool::map`] runs the map in a worker process →
//! [`Outcome::read`] makes events of what comes out, by the parser that every event goes through, and says which
//! service each belongs to.
//!
//! # Invariants
//! - **A map is a function of its delivery.** It has no clock, no environment, no files and no network, and what it
//!   gives for one delivery it gives again for the same one.
//! - **A map cannot hurt.** It runs in a process of its own with limits on time, memory, input and output; one that
//!   overruns them is given up on, and says which. Nothing here blocks an async thread or panics.
//! - **All or nothing.** An event that the parser rejects makes the delivery fail; nothing of it is an event then.
//! - **A signature is right or not.** Nobody is told why not.
//!
//! # Extending
//! A tool: a folder in `connectors/`, by its README. A signature scheme: [`manifest::Scheme`] and `signature`. A
//! function for every map: `connectors/lib.jq`.

mod delivery;
pub mod fixture;
mod folder;
mod hooks;
pub mod manifest;
pub mod map;
mod outcome;
mod pool;
mod protocol;
mod raw;
mod registry;
mod routes;
mod settings;
pub mod signature;
pub mod worker;

pub use delivery::{Envelope, Unreadable};
pub use folder::{Connector, Origin};
pub use hooks::{Hook, Hooks};
pub use manifest::Manifest;
pub use map::Program;
pub use outcome::{Outcome, Unmapped};
pub use pool::{Failure, Launch, Limit, Limits, Pool};
pub use raw::{Damaged, RawDelivery, identity};
pub use registry::Registry;
pub use routes::{Match, Routes, ServiceMatches};
pub use settings::{SettingFault, Settings};

/// What is wrong with a connector: the file, the place in it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// The known name that was probably meant.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let lower = name.to_lowercase();
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known));
    let allowed = (name.chars().count() / 3).max(1);
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}
