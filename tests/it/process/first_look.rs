//! The start and each command say at once what is wrong with the database.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;

use super::{Home, eventually, number};
use crate::support::postgres::postgres;

/// The URL of an empty PostgreSQL database, with other parts.
fn with(url: &str, user: &str, host: &str, database: &str) -> String {
    let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    };
    format!("postgres://{user}@{host}/{database}")
}

/// A port at which nothing listens.
async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test]
async fn the_start_and_the_commands_say_what_is_wrong_and_what_to_do() {
    let Ok(server) = postgres() else {
        return;
    };
    let database = server.empty_database().await;
    let url = database.url();
    let nothing = format!("127.0.0.1:{}", free_port().await);
    for (url, words) in [
        (
            with(&url, "nobody", "127.0.0.1", "none"),
            "PostgreSQL at 127.0.0.1",
        ),
        (
            with(&url, "postgres", "127.0.0.1", "none"),
            "has no database none: create it",
        ),
        (
            with(&url, "postgres", &nothing, "none"),
            "nothing listens at 127.0.0.1:",
        ),
        (
            with(&url, "postgres:secret-word", "host.invalid", "none") + "?sslmode=disable",
            "the host name host.invalid is not known",
        ),
    ] {
        let home = Home::postgres(&url);
        let started = Instant::now();
        for command in [&["migrate", "up"][..], &["migrate", "status"]] {
            let told = home.run(command).bad();
            assert!(told.contains(words), "{words}: {told}");
            assert!(!told.contains("secret-word"), "{told}");
            assert_eq!(
                told.matches("PostgreSQL at").count().max(1),
                1,
                "said once: {told}"
            );
        }
        assert!(started.elapsed() < Duration::from_secs(8), "{words}");
        // The server starts nevertheless, and says it, too.
        let serving = home.start().await;
        eventually("the log has it", async || {
            serving
                .log()
                .iter()
                .any(|line| line.contains(words))
                .then_some(())
        })
        .await;
        assert!(
            !serving
                .log()
                .iter()
                .any(|line| line.contains("secret-word"))
        );
        serving.anon().get("/healthz").await.has(200);
    }
}

#[tokio::test]
async fn a_fault_names_the_setting_whose_url_it_is() {
    let url = format!("postgres://a:b@127.0.0.1:{}/c", free_port().await);
    for (home, words) in [
        (Home::postgres(&url), "in DATABASE_URL"),
        (
            Home::postgres("postgres://pooler/c").set("DATABASE_DIRECT_URL", &url),
            "in DATABASE_DIRECT_URL",
        ),
        (
            Home::empty()
                .set("DATABASE_URL", "sqlite://there.db")
                .set("DATABASE_DIRECT_URL", "sqlite://gone.db?mode=rw"),
            "to DATABASE_DIRECT_URL to create it",
        ),
        (
            Home::empty()
                .set("DATABASE_URL", "sqlite://there.db")
                .set("DATABASE_DIRECT_URL", "sqlite::memory:"),
            "set DATABASE_DIRECT_URL to a file",
        ),
    ] {
        let told = home.run(&["migrate", "up"]).bad();
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test]
async fn pending_migrations_are_named_at_the_start() {
    let Ok(server) = postgres() else {
        return;
    };
    let database = server.empty_database().await;
    let serving = Home::postgres(&database.url()).start().await;
    let log = serving.log();
    let told = log
        .iter()
        .find(|line| line.contains("migrations are pending"));
    let told = told.unwrap_or_else(|| panic!("{log:?}"));
    assert!(
        told.contains("run `taskward migrate up`") && told.contains("m20261123_000001"),
        "{told}"
    );
}

#[tokio::test]
async fn a_listener_that_is_not_postgresql_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let closing = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let home = Home::postgres(&format!(
        "postgres://a:b@127.0.0.1:{port}/c?sslmode=disable"
    ));
    let ran = tokio::task::spawn_blocking(move || home.run(&["migrate", "up"]).bad());
    let told = ran.await.unwrap();
    assert!(
        told.contains("closed the connection: check that it is PostgreSQL"),
        "{told}"
    );
    closing.abort();
}

#[tokio::test]
async fn an_import_analyses_the_tables_of_postgresql() {
    let Ok(server) = postgres() else {
        return;
    };
    let database = server.fresh_database().await;
    let home = Home::postgres(&database.url());
    let lines: Vec<String> = (0..500)
        .map(|n| format!(r#"{{"user_id":"alice","title":"Task {n}","completed":{},"created_at":"2026-02-01 08:30:00.123456"}}"#, n % 2))
        .collect();
    std::fs::write(home.path().join("old.jsonl"), lines.join("\n")).unwrap();
    let ran = home.run(&["import", "old.jsonl"]);
    assert!(ran.err.contains("ANALYZE"), "{ran:?}");
    assert_eq!(ran.good(), "imported 500 tasks of 1 user\n");
    let known = "SELECT reltuples::int8 FROM pg_class WHERE oid = 'task'::regclass";
    assert_eq!(number(&database.url(), known).await, 500);
    let done = r#"SELECT count(*) FROM task WHERE completed_at IS NOT NULL AND created_at = '2026-02-01T08:30:00.123456Z'"#;
    assert_eq!(number(&database.url(), done).await, 250);
}
