//! The facts: written by difference, read back equal.

use vigie_model::SECOND;
use vigie_model::facts::{
    AvailabilityFact, ChangeFact, ColumnType, DeploymentFact, FactRow, IncidentFact, QualityFact, ServiceFact,
    ServiceFacts, WaitingFact,
};
use vigie_store::{ChangedService, FactsBatch, LeaseProof, ServiceDelta, Store, StoreError};
use vigie_testkit::facts::invent_service;
use vigie_testkit::{TestDatabase, store_test_suite};

use crate::{execute, now, open};

store_test_suite! {
    the_tables_have_the_columns_of_the_facts,
    what_is_written_is_read_back,
    only_the_difference_is_written,
    what_was_taken_for_new_is_replaced,
    readers_see_one_moment,
    removed_services_are_gone,
    without_the_lease_nothing_is_written,
    thousands_of_rows_are_read_in_the_order_of_their_key,
    a_damaged_fact_is_named,
}

async fn write(store: &Store, old: Option<&ServiceFacts>, new: &ServiceFacts) -> i64 {
    let batch = FactsBatch { services: vec![ServiceDelta::between(old, new)], ..FactsBatch::default() };
    store.write_facts(&batch).await.unwrap()
}

async fn the_tables_have_the_columns_of_the_facts(db: TestDatabase) {
    open(&db).await;
    check_columns::<DeploymentFact>(&db).await;
    check_columns::<ChangeFact>(&db).await;
    check_columns::<WaitingFact>(&db).await;
    check_columns::<IncidentFact>(&db).await;
    check_columns::<AvailabilityFact>(&db).await;
    check_columns::<QualityFact>(&db).await;
    check_columns::<ServiceFact>(&db).await;
}

/// `name type [not null] [whether it is part of the key]`; in which order the key has them is the database's business.
async fn check_columns<R: FactRow>(db: &TestDatabase) {
    let expected: Vec<_> = R::COLUMNS
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let ty = match (column.ty, db.is_postgres()) {
                (ColumnType::Text | ColumnType::OptText, true) => "text C",
                (ColumnType::Flag, true) => "boolean",
                (_, true) => "bigint",
                (ColumnType::Text | ColumnType::OptText, false) => "TEXT",
                (_, false) => "INTEGER",
            };
            let null = if column.ty.is_nullable() { "null" } else { "not null" };
            let key = if at < R::KEY { "key" } else { "no key" };
            format!("{} {ty} {null} {key}", column.name)
        })
        .collect();
    let found: Vec<String> = if db.is_postgres() {
        let pool = sqlx::PgPool::connect(db.url()).await.unwrap();
        let sql = "SELECT c.column_name || ' ' || concat_ws(' ', c.data_type, c.collation_name) || ' ' || \
            CASE c.is_nullable WHEN 'YES' THEN 'null' ELSE 'not null' END || ' ' || \
            CASE WHEN k.column_name IS NULL THEN 'no key' ELSE 'key' END \
            FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k \
            ON k.table_name = c.table_name AND k.column_name = c.column_name \
            WHERE c.table_name = $1 ORDER BY c.ordinal_position";
        sqlx::query_scalar(sql).bind(R::TABLE).fetch_all(&pool).await.unwrap()
    } else {
        let pool = sqlx::SqlitePool::connect(db.url()).await.unwrap();
        let sql = "SELECT name || ' ' || type || ' ' || iif(\"notnull\", 'not null', 'null') || ' ' || iif(pk, 'key', 'no key') FROM pragma_table_info($1)";
        sqlx::query_scalar(sql).bind(R::TABLE).fetch_all(&pool).await.unwrap()
    };
    assert_eq!(found, expected, "{}: the migration and the model disagree", R::TABLE);
}

async fn what_is_written_is_read_back(db: TestDatabase) {
    let store = open(&db).await;
    let (one, other) = (invent_service("checkout", 0..150, 1), invent_service("it's", 0..3, 1));
    let batch = FactsBatch {
        services: vec![ServiceDelta::between(None, &one), ServiceDelta::between(None, &other)],
        folded_seq: Some(77),
        settings_digest: Some("abc".to_owned()),
        ..FactsBatch::default()
    };
    assert_eq!(store.write_facts(&batch).await.unwrap(), 1);
    assert_eq!(store.facts_of(&["it's", "nobody", "checkout"]).await.unwrap(), [one.clone(), other.clone()]);
    assert_eq!(store.facts_of(&[]).await.unwrap(), []);
    let mut reader = store.read_facts().await.unwrap();
    assert_eq!((reader.version(), reader.folded_seq(), reader.settings_digest()), (1, 77, Some("abc")));
    assert_eq!(reader.rows::<ChangeFact>().await.unwrap(), [&one.changes[..], &other.changes[..]].concat());
    reader.finish().await.unwrap();
}

async fn only_the_difference_is_written(db: TestDatabase) {
    let store = open(&db).await;
    let states = [
        invent_service("checkout", 0..100, 1),
        invent_service("checkout", 50..1_000, 2),
        invent_service("checkout", 30..1_200, 1),
        invent_service("checkout", 0..5, 3),
        invent_service("checkout", 0..5, 3),
    ];
    let mut old = None;
    for new in &states {
        write(&store, old, new).await;
        assert_eq!(store.facts_of(&["checkout"]).await.unwrap(), std::slice::from_ref(new));
        old = Some(new);
    }
    // The last write changed nothing of the service.
    let changed = store.changed_services(0).await.unwrap();
    assert_eq!(changed, [ChangedService { slug: "checkout".to_owned(), version: 4, removed: false }]);
    assert_eq!(store.changed_services(4).await.unwrap(), []);
}

async fn what_was_taken_for_new_is_replaced(db: TestDatabase) {
    let store = open(&db).await;
    for rows in [3, 700] {
        write(&store, None, &invent_service("checkout", 0..rows, 1)).await;
        let other = invent_service("checkout", 0..rows, 2);
        write(&store, None, &other).await;
        assert_eq!(store.facts_of(&["checkout"]).await.unwrap(), [other]);
    }
}

async fn readers_see_one_moment(db: TestDatabase) {
    let store = open(&db).await;
    let (old, new) = (invent_service("checkout", 0..50, 1), invent_service("checkout", 0..50, 2));
    write(&store, None, &old).await;
    let mut reader = store.read_facts().await.unwrap();
    assert_eq!(reader.rows::<DeploymentFact>().await.unwrap(), old.deployments);
    write(&store, Some(&old), &new).await;
    assert_eq!(reader.rows::<ChangeFact>().await.unwrap(), old.changes, "a reader saw half of a write");
    assert_eq!(reader.version(), 1);
    reader.finish().await.unwrap();
    assert_eq!(store.facts_of(&["checkout"]).await.unwrap(), [new]);
}

async fn removed_services_are_gone(db: TestDatabase) {
    let store = open(&db).await;
    let (one, other) = (invent_service("checkout", 0..10, 1), invent_service("search", 0..10, 1));
    write(&store, None, &one).await;
    write(&store, None, &other).await;
    let batch = FactsBatch { removed: vec!["checkout".into()], ..FactsBatch::default() };
    store.write_facts(&batch).await.unwrap();
    assert_eq!(store.facts_of(&["checkout", "search"]).await.unwrap(), [other]);
    let changed = store.changed_services(2).await.unwrap();
    assert_eq!(changed, [ChangedService { slug: "checkout".to_owned(), version: 3, removed: true }]);
    write(&store, None, &one).await;
    assert!(!store.changed_services(3).await.unwrap()[0].removed, "it is back");
}

async fn without_the_lease_nothing_is_written(db: TestDatabase) {
    let store = open(&db).await;
    let new = invent_service("checkout", 0..10, 1);
    let fence = store.lease("fold", "a", 10 * SECOND, now()).await.unwrap().unwrap();
    let batch = |holder: &str, at: i64| FactsBatch {
        services: vec![ServiceDelta::between(None, &new)],
        lease: Some(LeaseProof { name: "fold".to_owned(), holder: holder.to_owned(), fence, now: now() + at * SECOND }),
        ..FactsBatch::default()
    };
    for (holder, at) in [("b", 1), ("a", 10)] {
        let error = store.write_facts(&batch(holder, at)).await.unwrap_err();
        assert!(matches!(error, StoreError::LeaseLost { .. }), "{error}");
    }
    assert_eq!(store.facts_of(&["checkout"]).await.unwrap(), []);
    assert_eq!(store.write_facts(&batch("a", 9)).await.unwrap(), 1);
}

async fn thousands_of_rows_are_read_in_the_order_of_their_key(db: TestDatabase) {
    let store = open(&db).await;
    let all: Vec<_> = ["a", "b", "c"].into_iter().map(|service| invent_service(service, 0..3_000, 1)).collect();
    let batch = FactsBatch {
        services: all.iter().map(|new| ServiceDelta::between(None, new)).collect(),
        ..FactsBatch::default()
    };
    store.write_facts(&batch).await.unwrap();
    let mut reader = store.read_facts().await.unwrap();
    let rows = reader.rows::<DeploymentFact>().await.unwrap();
    assert!(rows == all.iter().flat_map(|facts| facts.deployments.clone()).collect::<Vec<_>>());
    // A visitor need not read every cell.
    let mut lengths = 0;
    reader
        .load::<ChangeFact>(|cells| {
            lengths += cells.text_ref()?.map_or(0, str::len);
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(lengths, 9_000);
    reader.finish().await.unwrap();
}

async fn a_damaged_fact_is_named(db: TestDatabase) {
    let store = open(&db).await;
    write(&store, None, &invent_service("checkout", 0..2, 1)).await;
    if db.is_postgres() {
        execute(
            &db,
            "ALTER TABLE waiting_facts ALTER merged_at DROP NOT NULL; UPDATE waiting_facts SET merged_at = NULL",
        )
        .await;
    } else {
        // A strict table takes no other type, so only a hand in the schema itself can do this.
        execute(
            &db,
            "PRAGMA writable_schema = ON; \
            UPDATE sqlite_schema SET sql = replace(sql, 'merged_at INTEGER NOT NULL', 'merged_at INTEGER') WHERE name = 'waiting_facts'; \
            PRAGMA writable_schema = RESET; UPDATE waiting_facts SET merged_at = NULL",
        )
        .await;
    }
    let error = store.facts_of(&["checkout"]).await.unwrap_err();
    let StoreError::Corrupt { table, column, row, .. } = &error else { panic!("{error}") };
    assert_eq!((*table, *column), ("waiting_facts", "merged_at"));
    assert!(row.starts_with("checkout/"), "{row}");
    // The next reader is not disturbed by what this one left unread.
    assert_eq!(store.state("nothing").await.unwrap(), None);
    assert_eq!(store.changed_services(0).await.unwrap().len(), 1);
}
