//! PostgreSQL that cannot be reached, or is set up in a wrong way.

use std::time::{Duration, Instant};

use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, PgConnection};
use tokio::{io::AsyncReadExt as _, net::TcpListener};
use url::Url;

use super::{Found, Home, PASSWORD, free_port};
use crate::support::postgres::postgres;

async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The same URL with another user, who has a password.
fn of_user(url: &str, user: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(PASSWORD)).unwrap();
    url.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_reached_is_named() {
    let port = free_port().await;
    let nothing = format!("postgres://a:{PASSWORD}@127.0.0.1:{port}/c");
    Found::by(&Home::postgres(&nothing), &[]).says(
        "database.reachable",
        "problem",
        "nothing listens at 127.0.0.1",
    );
    let unknown = format!("postgres://a:{PASSWORD}@host.invalid/c?sslmode=disable");
    Found::by(&Home::postgres(&unknown), &[]).says(
        "database.reachable",
        "problem",
        "host.invalid is not known",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = tokio::spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            open.spawn(async move { while socket.read_u8().await.is_ok() {} });
        }
    });
    let url = format!("postgres://a:{PASSWORD}@127.0.0.1:{port}/c?sslmode=disable");
    let began = Instant::now();
    Found::by(&Home::postgres(&url), &[]).says("database.reachable", "problem", "does not answer");
    assert!(began.elapsed() < Duration::from_secs(60));
    silent.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_a_database_is_named() {
    let Ok(server) = postgres() else {
        return;
    };
    let empty = server.empty_database().await;
    let found = Found::by(&Home::postgres(&empty.url()), &[]);
    found.says(
        "database.migrations",
        "problem",
        "run `taskward migrate up`",
    );
    found.says("database.version", "ok", "");
    execute(&empty.url(), "CREATE TABLE task (id bigint)").await;
    Found::by(&Home::postgres(&empty.url()), &[]).says(
        "database.migrations",
        "problem",
        "not Taskward's",
    );

    // As users of its own, whom a pooler would not pass on.
    let database = server.fresh_database().await.without_pooler();
    let (url, user) = (database.url(), format!("patient_{}", std::process::id()));
    let home = Home::postgres(&of_user(&url, &user));
    execute(&url, &format!("CREATE ROLE {user} LOGIN")).await;
    Found::by(&home, &[]).says(
        "database.rights",
        "problem",
        "the user lacks SELECT on task",
    );
    let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON task, user_clock TO {user}");
    execute(&url, &grant).await;
    Found::by(&home, &[]).says("database.migrations", "problem", "permission denied");
    execute(
        &url,
        &format!(
            "GRANT SELECT ON seaql_migrations TO {user}; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ),
    )
    .await;
    Found::by(&home, &[]).says(
        "database.rights",
        "warning",
        "may not make tables in the schema public",
    );
    execute(&url, &format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;

    let home = Home::postgres(&url);
    Found::by(&home, &[]).is_good();
    // The server of the tests does not wait for its disk.
    Found::by(&home, &[]).says("database.durable", "warning", "synchronous_commit");
    let name = Url::parse(&url).unwrap().path()[1..].to_owned();
    execute(
        &url,
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    )
    .await;
    Found::by(&home, &[]).says("database.writable", "problem", "name the primary server");
    let many = Home::postgres(&url).set("DATABASE_MAX_CONNECTIONS", "10000");
    Found::by(&many, &[]).says(
        "database.connections",
        "warning",
        "lower DATABASE_MAX_CONNECTIONS",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direct_url_to_another_database_is_a_problem() {
    let Ok(server) = postgres() else {
        return;
    };
    let one = server.fresh_database().await.without_pooler();
    let other = server.fresh_database().await.without_pooler();
    let home = Home::postgres(&one.url());
    Found::by(&home, &[]).says("database.direct_url", "skipped", "is not set");
    let same = one.url().replace("127.0.0.1", "localhost");
    let home = home.set("DATABASE_DIRECT_URL", same);
    Found::by(&home, &[]).says("database.direct_url", "ok", "the same database");
    let home = home.set("DATABASE_DIRECT_URL", other.url());
    Found::by(&home, &[]).says("database.direct_url", "problem", "lead to two databases");
}
