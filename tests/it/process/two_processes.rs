//! Two servers on one SQLite file: they wait for each other, and their clients do not notice.

use std::sync::Arc;

use sea_orm::sqlx::{
    Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use serde_json::json;

use super::{Home, eventually, ledger::Ledger, telemetry::sample};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_write_to_one_file() {
    let home = Home::sqlite();
    let (one, other) = tokio::join!(home.start(), home.start());
    let ledger = Arc::new(Ledger::default());
    let writers = ledger.write_to(&[&one, &other]);
    ledger.grows_by(400).await;
    writers.stop().await;
    assert_eq!((ledger.refused(), ledger.cut()), (0, 0));
    ledger.check(&one).await;
    ledger.check(&other).await;
    // The end of one server, even in the middle of a write, does not affect the other.
    let writers = ledger.write_to(&[&other]);
    ledger.grows_by(20).await;
    one.kill();
    ledger.grows_by(100).await;
    writers.stop().await;
    assert_eq!((ledger.refused(), ledger.cut()), (0, 0));
    ledger.check(&other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_may_start_together_on_a_fresh_file() {
    for _ in 0..5 {
        let home = Home::sqlite();
        let servers: Vec<_> = (0..4).map(|_| home.launch()).collect();
        let mut users = Vec::new();
        let mut running = Vec::new();
        for server in servers {
            let server = server.listening().await;
            users.push(server.user("alice"));
            running.push(server);
        }
        let mut ids = Vec::new();
        for alice in &users {
            ids.push(alice.create("Buy milk").await.id);
        }
        assert_eq!(ids, [1, 2, 3, 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_another_process_that_locks_the_new_file() {
    let home = Home::sqlite();
    let file = home.path().join("taskward.db");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("CREATE TABLE other (x)").await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let starting = home.launch();
    eventually("the server has opened the file", || async {
        starting.has_open(&file).then_some(())
    })
    .await;
    other.execute("COMMIT").await.unwrap();
    other.close().await.unwrap();
    starting
        .listening()
        .await
        .user("alice")
        .create("Buy milk")
        .await;
}

/// Another process has the lock for longer than a request may wait: that is told, and counted for the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waits_in_vain_for_another_process_is_counted() {
    let home = Home::sqlite().set("METRICS_ADDR", "127.0.0.1:0");
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("Buy milk").await;
    let options = SqliteConnectOptions::new().filename(home.path().join("taskward.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = alice
        .post("/api/v1/tasks", json!({ "title": "lost" }))
        .await;
    assert_eq!(refused.status, 503, "{refused}");
    assert_eq!(refused.body["code"], "database_unavailable");
    let late =
        r#"taskward_store_deadlines_total{db_system_name="sqlite",db_query_summary="writes"}"#;
    assert_eq!(sample(&server, late).await, Some(1.0));
    other.execute("COMMIT").await.unwrap();
    alice.create("Buy bread").await;
    assert_eq!(
        alice.titles("?sort=created_at").await,
        ["Buy milk", "Buy bread"]
    );
}
