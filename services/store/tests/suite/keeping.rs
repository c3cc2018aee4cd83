//! Leases, tokens, secrets, cursors and single values.

use vigie_model::SECOND;
use vigie_store::{Cursor, Token};
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{now, open};

store_test_suite! {
    a_lease_has_one_holder,
    of_many_one_gets_the_lease,
    tokens_are_kept_by_hash,
    all_get_the_same_secret,
    cursors_are_kept_by_source,
    single_values_are_replaced,
}

async fn a_lease_has_one_holder(db: TestDatabase) {
    let store = open(&db).await;
    let lease = |holder: &'static str, at: i64| {
        let store = store.clone();
        async move { store.lease("fold", holder, 10 * SECOND, now() + at * SECOND).await.unwrap().is_some() }
    };
    assert!(lease("a", 0).await);
    assert!(!lease("b", 1).await);
    assert!(lease("a", 5).await, "the holder holds it for longer");
    assert!(!lease("b", 11).await);
    assert!(lease("b", 15).await, "it ran out");
    assert!(!lease("a", 16).await);
    store.release("fold", "a").await.unwrap();
    assert!(!lease("a", 17).await, "it was not a's to give back");
    store.release("fold", "b").await.unwrap();
    assert!(lease("a", 18).await);
    assert!(store.lease("report", "b", SECOND, now()).await.unwrap().is_some(), "another lease is another matter");
    // Each change of the holder is a new number, so that who comes back is told from who stayed.
    let fence = |holder: &'static str, at: i64| store.lease("fold", holder, 10 * SECOND, now() + at * SECOND);
    let (stayed, again) = (fence("a", 19).await.unwrap(), fence("a", 20).await.unwrap());
    assert_eq!(stayed, again);
    assert!(fence("b", 31).await.unwrap() > again);
    assert!(fence("a", 42).await.unwrap() > fence("b", 32).await.unwrap());
}

async fn of_many_one_gets_the_lease(db: TestDatabase) {
    let store = open(&db).await;
    let holders: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let tries = holders.iter().map(|holder| store.lease("fold", holder, SECOND, now()));
    let won = futures::future::join_all(tries).await.into_iter().filter(|won| won.as_ref().unwrap().is_some()).count();
    assert_eq!(won, 1);
}

async fn tokens_are_kept_by_hash(db: TestDatabase) {
    let store = open(&db).await;
    let token = Token {
        name: "ci".to_owned(),
        hash: vec![0, 1, 2, 255],
        rights: "ingest,read".to_owned(),
        team: Some("payments".to_owned()),
        created_at: now(),
        expires_at: None,
        revoked_at: None,
    };
    assert!(store.add_token(&token).await.unwrap());
    assert!(!store.add_token(&Token { hash: vec![9], ..token.clone() }).await.unwrap(), "the name is taken");
    assert_eq!(store.token_by_hash(&[0, 1, 2, 255]).await.unwrap(), Some(token.clone()));
    assert_eq!(store.token_by_hash(&[9]).await.unwrap(), None);

    assert!(store.revoke_token("ci", now() + 1).await.unwrap());
    assert!(!store.revoke_token("ci", now() + 2).await.unwrap(), "once is enough");
    assert!(!store.revoke_token("nobody", now()).await.unwrap());
    assert_eq!(store.tokens().await.unwrap(), [Token { revoked_at: Some(now() + 1), ..token.clone() }]);

    assert!(store.rotate_token("ci", &[7], Some(now() + 5)).await.unwrap());
    assert_eq!(store.token_by_hash(&[0, 1, 2, 255]).await.unwrap(), None);
    let rotated = Token { hash: vec![7], expires_at: Some(now() + 5), ..token };
    assert_eq!(store.token_by_hash(&[7]).await.unwrap(), Some(rotated));
}

async fn all_get_the_same_secret(db: TestDatabase) {
    let store = open(&db).await;
    let tries = (0..10_u8).map(|n| store.secret_or("people", move || vec![n; 32]));
    let secrets: Vec<_> = futures::future::join_all(tries).await.into_iter().map(|secret| secret.unwrap()).collect();
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    assert_eq!(store.secret("people").await.unwrap().as_ref(), Some(&secrets[0]));
    assert!(store.destroy_secret("people").await.unwrap());
    assert_eq!(store.secret("people").await.unwrap(), None);
}

async fn cursors_are_kept_by_source(db: TestDatabase) {
    let store = open(&db).await;
    let cursor = |value: &str| Cursor { source: "github:acme/shop".to_owned(), value: value.to_owned() };
    assert_eq!(store.cursor("github:acme/shop").await.unwrap(), None);
    store.set_cursor(&cursor("1"), now()).await.unwrap();
    store.set_cursor(&cursor("2"), now() + 1).await.unwrap();
    assert_eq!(store.cursor("github:acme/shop").await.unwrap().as_deref(), Some("2"));
    assert_eq!(store.cursors().await.unwrap(), [(cursor("2"), now() + 1)]);
}

async fn single_values_are_replaced(db: TestDatabase) {
    let store = open(&db).await;
    assert_eq!(store.state("x").await.unwrap(), None);
    store.set_state("x", "1").await.unwrap();
    store.set_state("x", "it's 2").await.unwrap();
    assert_eq!(store.state("x").await.unwrap().as_deref(), Some("it's 2"));
}
