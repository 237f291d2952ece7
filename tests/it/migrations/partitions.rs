//! Tables in parts, as deploy/postgresql/partition-by-user.sql makes them.

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use taskward::store::migrate::{down, up};

use super::{Empty, all};

const PARTITION: &str = include_str!("../../../deploy/postgresql/partition-by-user.sql");

/// A migration that is newer than the parts can build an index, although PostgreSQL does not build one of all parts CONCURRENTLY.
#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_built_on_tables_in_parts() {
    let Some(empty) = Empty::postgres().await else {
        return;
    };
    let db = empty.connect().await;
    up(&db).await.unwrap();
    db.execute_unprepared(PARTITION).await.unwrap();
    let create =
        "INSERT INTO user_clock SELECT 'user-' || n, 1, 1, 1, now() FROM generate_series(1, 50) n";
    db.execute_unprepared(create).await.unwrap();
    let index = all().iter().position(|name| name.contains("000006"));
    let later = all().split_off(index.unwrap());
    let newest_first: Vec<_> = later.iter().rev().cloned().collect();
    let steps = u32::try_from(later.len()).unwrap();

    assert_eq!(down(&db, steps).await.unwrap(), newest_first);
    assert_eq!(up(&db).await.unwrap(), later);

    // Each part has an index that is used, and the users are still there.
    let parts = "SELECT count(*) FROM pg_index JOIN pg_inherits ON inhrelid = indexrelid \
        WHERE inhparent = 'task_tombstones'::regclass AND indisvalid";
    assert_eq!(number(&db, parts).await, 8);
    assert_eq!(number(&db, "SELECT count(*) FROM user_clock").await, 50);
}

async fn number(db: &sea_orm::DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
