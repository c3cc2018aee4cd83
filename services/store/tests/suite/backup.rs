//! A backup holds what cannot be made again, and is read back whole or not at all.

use vigie_store::{Cursor, StoreError, Token};
use vigie_testkit::events::{deployed, incident};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{append, letters, now, open};

store_test_suite! {
    a_backup_is_read_back,
    nothing_is_mixed_into_what_is_there,
}

async fn a_backup_is_read_back(db: TestDatabase) {
    let store = open(&db).await;
    let events =
        [deployed("checkout", "1", "2026-09-01T10:00:00Z"), incident("i1", "checkout", "2026-09-01T11:00:00Z")];
    append(&store, &events, now()).await;
    append(&store, &[deployed("checkout", "2", "2026-09-02T10:00:00Z")], now() + 1).await;
    let token = Token {
        name: "ci".into(),
        hash: vec![7; 32],
        rights: "ingest".into(),
        team: None,
        created_at: now(),
        expires_at: None,
        revoked_at: None,
    };
    assert!(store.add_token(&token).await.unwrap());
    let secret = store.secret_or("people", || vec![1, 2, 3]).await.unwrap();
    store.set_cursor(&Cursor { source: "git".into(), value: "page 2".into() }, now()).await.unwrap();

    // There, and from there into another database of the kind that the first one is.
    let (file, again) = (
        TestDatabase::sqlite(),
        if db.is_postgres() { TestDatabase::postgres().await } else { TestDatabase::sqlite() },
    );
    let (backup, restored) = (open(&file).await, open(&again).await);
    let mut told = Vec::new();
    assert_eq!(store.copy_into(&backup, |count| told.push(count)).await.unwrap(), 3);
    assert_eq!(told, [3]);
    assert_eq!(backup.copy_into(&restored, |_| ()).await.unwrap(), 3);

    assert_eq!(restored.tail(0, 10).await.unwrap(), store.tail(0, 10).await.unwrap());
    assert_eq!(restored.tokens().await.unwrap(), [token]);
    assert_eq!(restored.secret("people").await.unwrap(), Some(secret));
    assert_eq!(restored.cursors().await.unwrap(), store.cursors().await.unwrap());
    // What comes again is recognised, and what is new goes on behind it.
    let next = [deployed("checkout", "2", "2026-09-02T10:00:00Z"), deployed("checkout", "3", "2026-09-03T10:00:00Z")];
    assert_eq!(letters(&append(&restored, &next, now()).await), "dA");
}

async fn nothing_is_mixed_into_what_is_there(db: TestDatabase) {
    let (store, file) = (open(&db).await, TestDatabase::sqlite());
    append(&store, &[deployed("checkout", "1", "2026-09-01T10:00:00Z")], now()).await;
    let other = open(&file).await;
    append(&other, &[deployed("search", "1", "2026-09-01T10:00:00Z")], now()).await;
    let refused = store.copy_into(&other, |_| ()).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotEmpty { .. }), "{refused}");
    assert!(matches!(other.copy_into(&store, |_| ()).await, Err(StoreError::NotEmpty { .. })));
    assert_eq!(other.last_seq().await.unwrap(), 1);
}
