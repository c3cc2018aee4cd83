//! What tests of the other crates share: a real PostgreSQL, databases to throw away, events in few words, and a
//! clock that is set by hand. Never a part of the program.
//!
//! - [`TestDatabase`] is an empty database, SQLite in a temporary folder or PostgreSQL on a server that all tests
//!   of a run share. [`store_test_suite!`] stamps a test onto both.
//! - [`PostgresServer`] starts that server. Where PostgreSQL is not installed, tests that need it fail and say how
//!   to get it: a suite that passes has run on both databases.
//! - [`events`] builds events, [`facts`] makes facts up; [`SetClock`] tells the time.

#![allow(clippy::panic, clippy::expect_used, reason = "only tests use it, and a test ends with a panic")]

mod database;
pub mod events;
pub mod facts;
mod postgres;

pub use database::TestDatabase;
pub use postgres::PostgresServer;
pub use vigie_model::{Clock, SetClock, Time};

/// An instant from its RFC 3339 text.
///
/// # Panics
/// Where the text is none.
#[must_use]
pub fn time(text: &str) -> Time {
    vigie_model::parse_time(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Stamps tests onto both databases: `store_test_suite! { one, another }` makes `sqlite::one`, `postgres::one` and so
/// on, each of which calls `one(TestDatabase)` with an empty database of its own.
#[macro_export]
macro_rules! store_test_suite {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $( #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::TestDatabase::sqlite()).await;
            } )+
        }
        mod postgres {
            $( #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::TestDatabase::postgres().await).await;
            } )+
        }
    };
}
