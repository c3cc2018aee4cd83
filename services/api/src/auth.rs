//! Who asks, and what they may.

mod access;
mod gate;
mod policy;
mod token;

pub use access::{Access, Right, Rights};
pub use gate::Gate;
pub use policy::{Auth, AuthRefusal};
pub use token::{Token, TokenDigest};
