//! What a user may store: every row counts, tombstones too, and the oldest tombstones go first.

mod batches;
mod limits;
mod lists;
pub mod purge;

use std::time::Duration;

use reqwest::StatusCode;
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::{Value, json};
use taskward::{
    clock::Clock,
    store::{Database, DatabaseSettings, UserLimits},
};

use crate::support::{Actor, Settings, TestApp};

const TASKS: &str = "/api/v1/tasks";

/// A task whose row counts 1,000 bytes and those of its title, which are stored twice.
fn large(title: &str) -> Value {
    // 256 for the row, the texts and their search keys, and two line feeds for no tags.
    let description = "x".repeat((1_000 - 256 - 2) / 2);
    json!({ "title": title, "description": description })
}

/// Bytes of [`large`] with a title of one letter.
const LARGE: i64 = 1_000 + 2;

/// A server whose users may store so much.
fn at_most(tasks: i64, bytes: i64) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.limits.tasks = tasks;
        settings.limits.bytes = Some(bytes);
    }
}

/// The database of a server, as another process would open it.
pub async fn open(app: &TestApp, clock: &Clock) -> Database {
    let settings = DatabaseSettings {
        url: app.database_url.clone(),
        url_setting: "DATABASE_URL",
        max_connections: 4,
        page_cache_bytes: 0,
        acquire_timeout: Duration::from_secs(1),
        limits: UserLimits {
            tasks: 10_000,
            bytes: None,
        },
        tombstone_retention: Duration::from_secs(30 * 24 * 60 * 60),
    };
    Database::connect(&settings, clock).await.unwrap()
}

/// What the server says of a user: tasks, deleted tasks and bytes.
async fn usage(of: &Actor) -> [i64; 3] {
    let me = of.get("/api/v1/me").await.has(200);
    ["tasks", "deleted_tasks", "bytes"].map(|member| me.body["usage"][member].as_i64().unwrap())
}

/// Checks that the counts of all users are those of their rows.
async fn check_counts(app: &TestApp) {
    let database = open(app, &Clock::System).await;
    assert_eq!(database.recount().await.unwrap(), 0);
    database.close().await;
}

pub async fn delete(who: &Actor, id: i64) {
    who.delete(&format!("{TASKS}/{id}")).await.has(204);
}

/// Tries to restore a task, and gives the status.
async fn restore(who: &Actor, id: i64) -> u16 {
    who.post_nothing(&format!("{TASKS}/{id}/restore"))
        .await
        .status
}

/// Runs a statement past the server.
pub async fn execute(app: &TestApp, sql: &str) {
    let db = sea_orm::Database::connect(&app.database_url).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

/// A number that a statement reads past the server.
pub async fn number(app: &TestApp, sql: &str) -> i64 {
    let db = sea_orm::Database::connect(&app.database_url).await.unwrap();
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    db.close().await.unwrap();
    row.try_get_by_index(0).unwrap()
}

const NOT_FOUND: u16 = StatusCode::NOT_FOUND.as_u16();
