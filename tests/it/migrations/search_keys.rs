//! The migration that rewrites search keys, over tasks of an older version and beside one that still runs.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, Value};
use taskward::{
    store::migrate::{self, pending, up},
    unicode::{fold, search_key},
};

use super::{Empty, SEARCH_KEYS, on_both};

/// More than two batches.
const TASKS: usize = 1_201;

on_both! {
    tasks_of_an_older_version_get_their_keys
    an_older_version_may_write_at_the_same_time
    an_interrupted_rewrite_starts_again
}

/// A tag, and the keys of the tags of a task that has it: those of the older version, and those of this one.
const TAGS: [&str; 3] = ["[\"İl\", \"x\"]", "\ni\u{307}l\nx\n", "\nil\nx\n"];

fn title(number: usize) -> String {
    match number % 3 {
        0 => format!("İstanbul “{number}”"),
        1 => format!("plain {number}"),
        _ => format!("mum’s\u{A0}{number}"),
    }
}

/// A database as an older version left it: everything but the last migration, and tasks with its keys.
async fn old(empty: &Empty) -> DatabaseConnection {
    let db = empty.connect().await;
    up(&db).await.unwrap();
    let forget = format!("DELETE FROM seaql_migrations WHERE version = '{SEARCH_KEYS}'");
    db.execute_unprepared(&forget).await.unwrap();
    let rows: Vec<String> = (0..TASKS)
        .map(|number| {
            let (user, id, title) = (number % 7, number / 7 + 1, title(number));
            let description = (number % 2 == 0).then(|| format!("Café {number}"));
            let [tags, old_tags, _] = TAGS;
            let text = |text: Option<String>| text.map_or("NULL".to_owned(), |text| format!("'{text}'"));
            let deleted = if number % 5 == 0 { "'2026-01-01T00:00:00+00:00'" } else { "NULL" };
            format!(
                "('user {user}', {id}, '{title}', '{}', {}, {}, 1, false, '{tags}', '{old_tags}', {id}, {deleted}, \
                 '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
                fold(&title),
                text(description.clone()),
                text(description.as_deref().map(fold)),
            )
        })
        .collect();
    let insert = format!(
        "INSERT INTO task (user_id, id, title, title_fold, description, description_fold, priority, due_is_date, \
         tags, tags_fold, revision, deleted_at, created_at, updated_at) VALUES {}",
        rows.join(", ")
    );
    db.execute_unprepared(&insert).await.unwrap();
    db
}

/// Title, description, their keys and the revision of each task.
type Row = (String, Option<String>, String, Option<String>, i64);

async fn rows(db: &DatabaseConnection) -> Vec<Row> {
    let select = "SELECT title, description, title_fold, description_fold, revision FROM task ORDER BY user_id, id";
    let statement = Statement::from_string(db.get_database_backend(), select);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_many_by_index().unwrap())
        .collect()
}

async fn assert_tag_keys(db: &DatabaseConnection) {
    let statement = Statement::from_string(
        db.get_database_backend(),
        "SELECT DISTINCT tags_fold FROM task",
    );
    let rows = db.query_all_raw(statement).await.unwrap();
    let keys: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect();
    assert_eq!(keys, TAGS[2..]);
}

fn assert_keys(rows: &[Row]) {
    for (title, description, title_key, description_key, _) in rows {
        assert_eq!(*title_key, search_key(title));
        assert_eq!(*description_key, description.as_deref().map(search_key));
    }
}

async fn tasks_of_an_older_version_get_their_keys(empty: Empty) {
    let db = old(&empty).await;
    let before = rows(&db).await;
    assert_eq!(pending(&db).await.unwrap(), 1);
    assert_eq!(up(&db).await.unwrap(), [SEARCH_KEYS]);
    let after = rows(&db).await;
    assert_eq!(after.len(), TASKS);
    assert_keys(&after);
    assert_tag_keys(&db).await;
    // Nothing else has changed, so no client's ETag is void.
    let seen = |rows: Vec<Row>| {
        rows.into_iter()
            .map(|(a, b, _, _, c)| (a, b, c))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(after), seen(before));
    assert_eq!(
        migration::rewrite(&db, migrate::SEARCH_KEYS).await.unwrap(),
        0
    );
}

async fn an_interrupted_rewrite_starts_again(empty: Empty) {
    let db = old(&empty).await;
    // As if it had been killed after the first batch.
    let some =
        "UPDATE task SET title_fold = 'istanbul', description_fold = NULL WHERE user_id < 'user 2'";
    db.execute_unprepared(some).await.unwrap();
    assert_eq!(up(&db).await.unwrap(), [SEARCH_KEYS]);
    assert_keys(&rows(&db).await);
    assert_tag_keys(&db).await;
}

/// During a rolling update the older version writes its own keys, before and after the migration passes.
async fn an_older_version_may_write_at_the_same_time(empty: Empty) {
    let db = old(&empty).await;
    let writer = empty.connect().await;
    let done = AtomicBool::new(false);
    let writes = async {
        let mut written = 0u32;
        while !done.load(Relaxed) || written < 20 {
            let number = written as usize * 37 % TASKS;
            let title = format!("Ünal’s {written}");
            let sql = match writer.get_database_backend() {
                DbBackend::Postgres => {
                    "UPDATE task SET title = $1, title_fold = $2, revision = revision + 1000 \
                     WHERE user_id = $3 AND id = $4"
                }
                _ => {
                    "UPDATE task SET title = ?, title_fold = ?, revision = revision + 1000 \
                     WHERE user_id = ? AND id = ?"
                }
            };
            let values: [Value; 4] = [
                title.as_str().into(),
                fold(&title).into(),
                format!("user {}", number % 7).into(),
                i64::try_from(number / 7 + 1).unwrap().into(),
            ];
            let update = Statement::from_sql_and_values(writer.get_database_backend(), sql, values);
            match writer.execute_raw(update).await {
                Ok(result) => {
                    assert_eq!(result.rows_affected(), 1);
                    written += 1;
                }
                // SQLite's short wait of these tests; a server waits for longer.
                Err(error) => assert!(error.to_string().contains("locked"), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        written
    };
    let migration = async {
        let applied = up(&db).await;
        done.store(true, Relaxed);
        applied
    };
    let (written, applied) = tokio::join!(writes, migration);
    assert_eq!(applied.unwrap(), [SEARCH_KEYS]);
    let after = rows(&db).await;
    let changed = after.iter().filter(|row| row.0.starts_with("Ünal")).count();
    assert_eq!(changed, (written as usize).min(TASKS));
    for (title, _, key, _, _) in &after {
        // Each key is that of the title as it is, by the one version or the other.
        assert!(
            [search_key(title), fold(title)].contains(key),
            "{title}: {key}"
        );
    }
    // What `taskward migrate reindex` does when the older version has gone.
    migration::rewrite(&db, migrate::SEARCH_KEYS).await.unwrap();
    assert_keys(&rows(&db).await);
}
