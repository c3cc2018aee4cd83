//! The engine from outside, on both databases.

mod as_of;
mod catalogue;
mod intake;
mod order;
mod processes;
mod restart;
mod support;
