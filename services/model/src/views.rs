//! Typed views of complete entities: what the folds read.
//!
//! A view is made from an [`Entity`] by `from_entity`, which answers `None` where the entity is deleted or still
//! lacks something that it cannot be computed without. Names that are compared without regard to case are in
//! lower case here.

mod availability;
mod catalogue;
mod check;
mod code;
mod deployment;
mod incident;

pub use availability::{Availability, Maintenance, Sample};
pub use catalogue::{Note, ServiceEntry, TeamEntry};
pub use check::Check;
pub use code::{Commit, PullRequest};
pub use deployment::{Deployment, Outcome};
pub use incident::Incident;

fn own(text: Option<&str>) -> Option<Box<str>> {
    text.map(Into::into)
}
