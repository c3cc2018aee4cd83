//! Opening: whose database it is, which version, and what stands in the way.

use std::time::Duration;

use vigie_store::{ConnectOptions, KNOWN_VERSION, Migrated, Store, StoreError};
use vigie_testkit::events::deployed;
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{append, execute, now, open, prepared};

store_test_suite! {
    migrating_twice_does_nothing,
    several_may_migrate_at_once,
    a_newer_version_is_refused,
    a_changed_migration_is_refused,
    what_is_not_ours_is_refused_and_left_alone,
    an_empty_database_is_read_and_not_migrated,
    reading_only_never_writes,
    a_locked_database_says_so,
    a_report_counts_what_is_there,
    what_was_written_is_there_after_reopening,
}

fn hasty() -> ConnectOptions {
    ConnectOptions { busy_timeout: Duration::from_millis(100), ..ConnectOptions::default() }
}

async fn connect(db: &TestDatabase) -> Result<Store, StoreError> {
    Store::connect(db.url(), ConnectOptions::default()).await
}

async fn migrating_twice_does_nothing(db: TestDatabase) {
    let store = connect(&db).await.unwrap();
    assert_eq!(store.version().await.unwrap(), 0);
    assert!(matches!(store.check_version().await, Err(StoreError::NotMigrated { found: 0, known: KNOWN_VERSION })));
    assert_eq!(store.migrate(now()).await.unwrap(), Migrated { from: 0, to: KNOWN_VERSION });
    append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z")], now()).await;
    assert_eq!(store.migrate(now()).await.unwrap(), Migrated { from: KNOWN_VERSION, to: KNOWN_VERSION });
    store.check_version().await.unwrap();
    assert_eq!(store.tail(0, 10).await.unwrap().len(), 1);
}

async fn several_may_migrate_at_once(db: TestDatabase) {
    let stores = futures::future::join_all((0..16).map(|_| open(&db))).await;
    for store in stores {
        assert_eq!(store.version().await.unwrap(), KNOWN_VERSION);
    }
}

async fn a_newer_version_is_refused(db: TestDatabase) {
    open(&db).await.close().await;
    execute(&db, "INSERT INTO vigie_migrations VALUES (9999, 'later', 'x', 0)").await;
    let error = connect(&db).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerVersion { found: 9999, known: KNOWN_VERSION }), "{error}");
    assert!(error.to_string().contains("version 9999"), "{error}");
}

async fn a_changed_migration_is_refused(db: TestDatabase) {
    open(&db).await.close().await;
    execute(&db, "UPDATE vigie_migrations SET checksum = 'x'").await;
    let error = connect(&db).await.unwrap_err();
    assert!(matches!(error, StoreError::AlteredMigration { version: 1 }), "{error}");
}

async fn what_is_not_ours_is_refused_and_left_alone(db: TestDatabase) {
    execute(&db, "CREATE TABLE customers (id INTEGER); INSERT INTO customers VALUES (1)").await;
    let before = (!db.is_postgres()).then(|| std::fs::read(db.file()).unwrap());
    let error = Store::open(db.url(), ConnectOptions::default(), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotOurs { .. }), "{error}");
    assert!(error.to_string().contains("customers"), "{error}");
    if let Some(before) = before {
        assert_eq!(std::fs::read(db.file()).unwrap(), before, "the stranger's file was changed");
        let files = std::fs::read_dir(db.file().parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "something was left beside the stranger's file");
    }
}

async fn an_empty_database_is_read_and_not_migrated(db: TestDatabase) {
    let result = Store::open(db.url(), ConnectOptions::read_only(), now()).await;
    if db.is_postgres() {
        assert!(matches!(result, Err(StoreError::NotMigrated { found: 0, .. })));
    } else {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
        assert!(!db.file().exists(), "looking for the file created it");
    }
}

async fn reading_only_never_writes(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z")], now()).await;
    store.close().await;
    let store = Store::open(db.url(), ConnectOptions::read_only(), now()).await.unwrap();
    assert_eq!(store.tail(0, 10).await.unwrap().len(), 1);
    let error = store.append(&prepared(&[deployed("a", "2", "2026-09-01T10:00:00Z")]), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly), "{error}");
    assert!(error.to_string().contains("read-only"), "{error}");
    assert!(matches!(store.set_state("a", "b").await, Err(StoreError::ReadOnly)));
    assert!(matches!(store.migrate(now()).await, Err(StoreError::ReadOnly)));
}

async fn a_locked_database_says_so(db: TestDatabase) {
    let store = open(&db).await;
    store.close().await;
    let store = Store::open(db.url(), hasty(), now()).await.unwrap();
    let event = prepared(&[deployed("a", "1", "2026-09-01T10:00:00Z")]);
    let error = if db.is_postgres() {
        let pool = sqlx::PgPool::connect(db.url()).await.unwrap();
        let mut tx = pool.begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE events IN ACCESS EXCLUSIVE MODE").execute(&mut *tx).await.unwrap();
        store.append(&event, now()).await.unwrap_err()
    } else {
        let pool = sqlx::SqlitePool::connect(db.url()).await.unwrap();
        let _tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        // Reading goes on; and who opens it to write learns at once what is the matter.
        assert!(store.tail(0, 10).await.unwrap().is_empty());
        assert!(matches!(Store::open(db.url(), hasty(), now()).await, Err(StoreError::Locked)));
        store.append(&event, now()).await.unwrap_err()
    };
    assert!(matches!(error, StoreError::Locked), "{error}");
    assert!(error.is_transient());
    assert!(error.to_string().contains("locked"), "{error}");
    // Nothing was written, and the store goes on as soon as the lock is gone.
    let mut tries = 0;
    while store.append(&event, now()).await.is_err() {
        tries += 1;
        assert!(tries < 50, "it stays locked");
    }
    assert_eq!(store.tail(0, 10).await.unwrap().len(), 1);
}

async fn a_report_counts_what_is_there(db: TestDatabase) {
    let store = connect(&db).await.unwrap();
    assert_eq!(store.check().await.unwrap().version, 0);
    store.migrate(now()).await.unwrap();
    append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z"), deployed("a", "2", "2026-09-01T10:00:00Z")], now())
        .await;
    let report = store.check().await.unwrap();
    assert_eq!(report.events, [("deployment".to_owned(), 2)]);
    assert_eq!(report.recorded, Some((now(), now())));
    assert_eq!((report.version, report.known), (KNOWN_VERSION, KNOWN_VERSION));
    assert_eq!(report.facts.len(), 7);
    assert!(report.bytes > 0);
    assert!(report.engine.starts_with(if db.is_postgres() { "PostgreSQL 1" } else { "SQLite 3" }), "{}", report.engine);
}

async fn what_was_written_is_there_after_reopening(db: TestDatabase) {
    let store = open(&db).await;
    append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z")], now()).await;
    let before = store.tail(0, 10).await.unwrap();
    store.close().await;
    let store = open(&db).await;
    assert_eq!(store.tail(0, 10).await.unwrap(), before);
    assert_eq!(append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z")], now()).await.accepted(), 0);
}

#[tokio::test]
async fn a_full_disk_says_so_and_loses_nothing() {
    let db = TestDatabase::sqlite();
    let store = open(&db).await;
    append(&store, &[deployed("a", "1", "2026-09-01T10:00:00Z")], now()).await;
    let pages = u32::try_from(store.check().await.unwrap().bytes / 4_096).unwrap();
    store.close().await;
    let options = ConnectOptions { max_pages: Some(pages + 40), ..ConnectOptions::default() };
    let store = Store::open(db.url(), options, now()).await.unwrap();
    let large: Vec<_> = (0..2_000).map(|n| deployed("a", &format!("large-{n}"), "2026-09-01T10:00:00Z")).collect();
    let error = store.append(&prepared(&large), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(store.tail(0, 10_000).await.unwrap().len(), 1, "a part of the batch was written");
    // What still has room is taken.
    assert_eq!(append(&store, &large[..10], now()).await.accepted(), 10);
    assert_eq!(store.verify().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn files_that_are_no_database_are_told_from_those_that_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    std::fs::write(
        folder.path().join("notes.txt"),
        "not a database at all, but long enough to be looked at\n".repeat(100),
    )
    .unwrap();
    let error = Store::connect(&at("notes.txt"), ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotOurs { .. }), "{error}");
    for name in ["missing/vigie.db", "."] {
        let error = Store::connect(&at(name), ConnectOptions::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    }
    let options = ConnectOptions { create: false, ..ConnectOptions::default() };
    let error = Store::connect(&at("missing.db"), options).await.unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    // An empty file is an empty database.
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    Store::open(&at("empty.db"), ConnectOptions::default(), now()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let url = "postgres://me:secret@127.0.0.1:1/vigie";
    let error = Store::connect(url, ConnectOptions::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    let told = format!("{error} {error:?}");
    assert!(told.contains("127.0.0.1:1/vigie") && !told.contains("secret"), "{told}");

    let db = TestDatabase::postgres().await;
    let url = db.url().rsplit_once('/').unwrap().0.to_owned() + "/nowhere";
    let error = Store::connect(&url, ConnectOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
}
