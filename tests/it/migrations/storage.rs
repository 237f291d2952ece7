//! The counts of what users store, in a database that an older version has filled.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use taskward::store::migrate::{ROW_BYTES, down, up};

use super::{Empty, on_both};

on_both! {
    rows_of_an_older_version_are_counted
    an_older_version_may_create_beside_a_newer_one
}

const NEW: [&str; 7] = [
    "m20261204_000005_storage",
    "m20261204_000006_tombstones",
    "m20261205_000007_task_uid",
    "m20261205_000008_storage_counts",
    "m20261206_000009_tombstones_of_user",
    "m20261207_000010_token_revocation",
    "m20261207_000011_erasure",
];

/// More than two batches.
const USERS: usize = 47;

/// A database as the version before left it.
async fn old(empty: &Empty) -> DatabaseConnection {
    let db = empty.connect().await;
    up(&db).await.unwrap();
    let newest_first: Vec<_> = NEW.into_iter().rev().collect();
    assert_eq!(down(&db, 7).await.unwrap(), newest_first);
    let clocks: Vec<_> = (0..USERS)
        .map(|user| {
            format!(
                "('user {user}', 30, 30, {}, '2026-01-01T00:00:00+00:00')",
                user % 4
            )
        })
        .collect();
    let clocks = format!(
        "INSERT INTO user_clock (user_id, revision, last_task_id, task_count, updated_at) VALUES {}",
        clocks.join(", ")
    );
    db.execute_unprepared(&clocks).await.unwrap();
    for user in 0..USERS {
        // As many live tasks as the clock says, and as many tombstones as users before.
        let live = (0..user % 4).map(|n| row(user, n + 1, "NULL"));
        let dead = (0..user).map(|n| row(user, n + 100, "'2026-01-01T00:00:00+00:00'"));
        let rows: Vec<_> = live.chain(dead).collect();
        if !rows.is_empty() {
            db.execute_unprepared(&insert(&rows)).await.unwrap();
        }
    }
    db
}

/// A row of [`BYTES`].
fn row(user: usize, id: usize, deleted_at: &str) -> String {
    format!(
        "('user {user}', {id}, 'milk', 'milk', 'é–é', 'e-e', 1, false, '[\"é\"]', ' e', {id}, {deleted_at}, \
         '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')"
    )
}

const BYTES: i64 = 256 + (4 + 4) + (7 + 3) + 2 * 2;

fn insert(rows: &[String]) -> String {
    format!(
        "INSERT INTO task (user_id, id, title, title_fold, description, description_fold, priority, due_is_date, tags, \
         tags_fold, revision, deleted_at, created_at, updated_at) VALUES {}",
        rows.join(", ")
    )
}

/// Tasks, rows, bytes and purged revision of a user.
async fn counts(db: &DatabaseConnection, user: usize) -> (i64, i64, i64, i64) {
    let select = format!(
        "SELECT task_count, row_count, stored_bytes, purged_revision FROM user_clock WHERE user_id = 'user {user}'"
    );
    let statement = Statement::from_string(db.get_database_backend(), select);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_many_by_index().unwrap()
}

async fn rows_of_an_older_version_are_counted(empty: Empty) {
    let db = old(&empty).await;
    assert_eq!(up(&db).await.unwrap(), NEW);
    for user in 0..USERS {
        let live = i64::try_from(user % 4).unwrap();
        let rows = live + i64::try_from(user).unwrap();
        assert_eq!(counts(&db, user).await, (live, rows, rows * BYTES, 0));
    }
    assert_eq!(migration::recount(&db, ROW_BYTES).await.unwrap(), 0);
}

async fn an_older_version_may_create_beside_a_newer_one(empty: Empty) {
    let db = old(&empty).await;
    up(&db).await.unwrap();
    // It knows neither the counts of a clock nor its other new columns.
    let clock = "INSERT INTO user_clock (user_id, revision, last_task_id, task_count, updated_at) \
                 VALUES ('user 99', 1, 1, 1, '2026-01-01T00:00:00+00:00')";
    db.execute_unprepared(clock).await.unwrap();
    let rows = [row(99, 1, "NULL"), row(3, 50, "NULL")];
    db.execute_unprepared(&insert(&rows)).await.unwrap();
    let more = "UPDATE user_clock SET task_count = task_count + 1 WHERE user_id = 'user 3'";
    db.execute_unprepared(more).await.unwrap();
    assert_eq!(counts(&db, 99).await, (1, 0, 0, 0));
    assert_eq!(migration::recount(&db, ROW_BYTES).await.unwrap(), 2);
    assert_eq!(counts(&db, 99).await, (1, 1, BYTES, 0));
    assert_eq!(counts(&db, 3).await, (4, 7, 7 * BYTES, 0));
}
