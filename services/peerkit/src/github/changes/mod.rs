//! Changes of an organisation: what people, bots and workflows do at GitHub. The history is made with the same methods
//! that a test calls, so each change leaves its webhook.
//!
//! They panic where a test names what is not there.

mod code;
mod issues;
mod pulls;
mod repositories;
mod ships;

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// One new commit with everything.
    Squash,
    /// A commit with two parents.
    Commit,
    /// A copy of each commit, with new hashes.
    Rebase,
}
