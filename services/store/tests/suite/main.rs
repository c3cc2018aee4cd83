//! How a store behaves, on SQLite and on PostgreSQL alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails ends so")]

mod backup;
mod facts;
mod keeping;
mod log;
mod opening;
mod pulls;
mod survival;
mod timeless;

use vigie_store::{Appended, ConnectOptions, Outcome, PreparedEvent, Store};
use vigie_testkit::events::Draft;
use vigie_testkit::{TestDatabase, Time, time};

/// The instant of the tests that need only one.
fn now() -> Time {
    time("2026-10-01T12:00:00Z")
}

async fn open(db: &TestDatabase) -> Store {
    Store::open(db.url(), ConnectOptions::default(), now()).await.expect("an empty database opens")
}

fn prepared(drafts: &[Draft]) -> Vec<PreparedEvent> {
    drafts.iter().map(|draft| PreparedEvent::new(draft.event())).collect()
}

async fn append(store: &Store, drafts: &[Draft], recorded_at: Time) -> Appended {
    store.append(&prepared(drafts), recorded_at).await.expect("the events are appended")
}

/// `A` for accepted, `d` for duplicate.
fn letters(appended: &Appended) -> String {
    let letter = |outcome: &Outcome| if matches!(outcome, Outcome::Accepted { .. }) { 'A' } else { 'd' };
    appended.outcomes.iter().map(letter).collect()
}

/// Whatever the database, as far as SQL is alike.
async fn execute(db: &TestDatabase, sql: &'static str) {
    if db.is_postgres() {
        let pool = sqlx::PgPool::connect(db.url()).await.expect("the database can be reached");
        sqlx::raw_sql(sql).execute(&pool).await.expect(sql);
        pool.close().await;
    } else {
        let pool = sqlx::SqlitePool::connect(&format!("{}?mode=rwc", db.url())).await.expect("the file opens");
        sqlx::raw_sql(sql).execute(&pool).await.expect(sql);
        pool.close().await;
    }
}
