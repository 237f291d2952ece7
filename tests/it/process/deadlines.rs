//! Statements that take longer than anybody waits for them.

use reqwest::Method;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Home, eventually, number, reply};
use crate::support::{Backend, postgres::postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_nobody_waits_for_ends_in_postgres() {
    if postgres().is_err() {
        return;
    }
    let home = Home::on(Backend::Postgres).await;
    let server = home.start().await;
    let alice = server.user("alice");
    alice.create("Buy milk").await;
    let url = home.setting("DATABASE_URL");
    let mut locker = PgConnection::connect(url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
    locker.execute(lock).await.unwrap();

    let search = reply(alice.request(Method::GET, "/api/v1/tasks?q=milk"));
    let search = search.await.unwrap();
    assert_eq!(search.status, 503, "{search:?}");
    assert_eq!(search.body["code"], "read_too_slow");

    // It would go on for as long as the lock is held, or the scan takes.
    let working = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' \
         AND datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()";
    eventually("no session of the server works any more", || async {
        (number(url, working).await == 0).then_some(())
    })
    .await;
    locker.execute("COMMIT").await.unwrap();
    assert_eq!(alice.titles("?q=milk").await, ["Buy milk"]);
}
