//! Clients that hang up at any moment, with a slow database.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use sea_orm::sqlx::{
    Connection as _, Executor as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};
use serde_json::json;
use tokio::time::timeout;

use super::{Home, Process, any, eventually, ledger::Ledger, number, proxy::Proxy, reply};
use crate::support::{
    Backend,
    postgres::{Cluster, postgres},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_leaves_no_transaction_open_on_postgres() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let url = database.url();
    let proxy = Proxy::to(cluster.port(), Duration::from_millis(30)).await;
    let home = Home::postgres(&proxy.url(&url)).set("DATABASE_MAX_CONNECTIONS", "8");
    let server = home.start().await;
    let ledger = Arc::new(Ledger::default());
    let writers = ledger.write_to(&[&server]);
    hang_up(&server, 150, 1000).await;
    writers.stop().await;
    all_idle(&url).await;

    // Without other requests: the next write on the same session would end a transaction that was left open there.
    for _ in 0..15 {
        hang_up(&server, 8, 300).await;
        all_idle(&url).await;
    }
    ledger.check(&server).await;

    // Eight at once work: no connection is lost. Five lists with filters, for which there are no more, and three others. Each
    // filter is another user's: of one user they go one after the other.
    let alice = server.user("alice");
    let milk = alice.create("Buy milk").await.location;
    let mut locker = PgConnection::connect(&url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
    locker.execute(lock).await.unwrap();
    let searchers = (0..5).map(|number| {
        (
            server.user(&format!("searcher {number}")),
            "/api/v1/tasks?q=milk",
        )
    });
    let others = [&*milk, &*milk, "/api/v1/tasks"].map(|path| (alice.clone(), path));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' \
         AND datname = current_database() AND wait_event_type = 'Lock'";
    let mut reads = Vec::new();
    for (number, (user, path)) in (1..).zip(searchers.chain(others)) {
        reads.push(tokio::spawn(reply(user.request(Method::GET, path))));
        eventually("another one waits for the lock", || async {
            (super::number(&url, waiting).await == number).then_some(())
        })
        .await;
    }
    locker.execute("COMMIT").await.unwrap();
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap().status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_up_leaves_no_lock_behind_on_sqlite() {
    let home = Home::on(Backend::Sqlite).await;
    let server = home.start().await;
    let ledger = Arc::new(Ledger::default());
    let writers = ledger.write_to(&[&server]);
    hang_up(&server, 400, 60).await;
    writers.stop().await;

    // Another process does not even have to wait, once the last abandoned write is done.
    let file = SqliteConnectOptions::new()
        .filename(home.path().join("taskward.db"))
        .busy_timeout(Duration::ZERO);
    let began = Instant::now();
    let mut other = eventually("another process can write", || async {
        let mut other = SqliteConnection::connect_with(&file).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.ok()?;
        Some(other)
    })
    .await;
    println!("free after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(3));
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    ledger.check(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_has_the_turn_until_the_statement_has_ended() {
    if postgres().is_err() {
        return;
    }
    let home = Home::on(Backend::Postgres).await;
    let server = home.start().await;
    let (mallory, bob) = (server.user("mallory"), server.user("bob"));
    mallory.create("Buy milk").await;
    let url = home.setting("DATABASE_URL");
    let mut locker = PgConnection::connect(url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
    locker.execute(lock).await.unwrap();
    for _ in 0..8 {
        let search = reply(mallory.request(Method::GET, "/api/v1/tasks?q=milk"));
        let hung_up = timeout(Duration::from_millis(100), search).await;
        assert!(hung_up.is_err(), "{hung_up:?}");
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' \
         AND datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(number(url, waiting).await, 1);
    let search = tokio::spawn(reply(bob.request(Method::GET, "/api/v1/tasks?q=milk")));
    eventually("another user's search begins", || async {
        (number(url, waiting).await == 2).then_some(())
    })
    .await;
    locker.execute("COMMIT").await.unwrap();
    assert_eq!(search.await.unwrap().unwrap().status, 200);
    assert_eq!(mallory.titles("?q=milk").await, ["Buy milk"]);
}

/// Waits until no session of the server is active. A transaction that is left open never ends.
async fn all_idle(url: &str) {
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' \
         AND datname = current_database() AND state <> 'idle'";
    eventually("all sessions are idle, and in no transaction", || async {
        (number(url, busy).await == 0).then_some(())
    })
    .await;
}

/// Sends many requests, most of them writes, and hangs up after random times of up to `millis`.
async fn hang_up(server: &Process, many: u64, millis: u64) {
    let mallory = server.user("mallory");
    let hers = mallory.create("There already").await.location;
    let request = |number: u64| {
        let (method, path) = match number % 4 {
            0 => (Method::GET, "/api/v1/tasks"),
            1 => (Method::PATCH, hers.as_str()),
            _ => (Method::POST, "/api/v1/tasks"),
        };
        let request = mallory.request(method, path);
        let request = request.json(&json!({ "title": format!("Perhaps {number}") }));
        timeout(Duration::from_millis(any(0..millis)), reply(request))
    };
    let answered = stream::iter(0..many)
        .map(request)
        .buffer_unordered(24)
        .filter(|answer| std::future::ready(answer.is_ok()))
        .count()
        .await;
    println!("{answered} of {many} did not hang up");
}
