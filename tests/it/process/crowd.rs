//! More clients than connections to the database, and hostile clients.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::sqlx::{
    Connection as _, Executor as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{Home, Process, eventually, number, reply};
use crate::support::{Backend, on_both};

const CROWD: usize = 1000;

on_both! {
    async fn a_thousand_clients_at_four_connections_are_all_answered(on: Backend) {
        let home = Home::on(on).await.set("DATABASE_MAX_CONNECTIONS", "4");
        let server = home.start().await;
        server.user("alice").create("Buy milk").await;

        // All of them meet a locked database, which is then released.
        let lock = Lock::take(on, &home).await;
        let began = Instant::now();
        let mut crowd = JoinSet::new();
        for number in 0..CROWD {
            // Four of each user: what one user may have under way at once is bounded.
            let token = server.token(&format!("user {}", number / 4));
            crowd.spawn(ask(server.port, token, number));
        }
        lock.held_up(&home).await;
        eventually("the crowd is there", || async {
            // A client connects, and then waits for its turn: /healthz is answered all the while.
            assert_eq!(server.anon().get("/healthz").await.status, 200);
            // On SQLite those who read need not wait.
            (connections(&server) >= CROWD / 2).then_some(())
        })
        .await;
        lock.release().await;
        let statuses = crowd.join_all().await;
        println!("{CROWD} answers took {:?}", began.elapsed());
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        let good = count(200) + count(201);
        println!("{good} good, {} times 503", count(503));
        assert_eq!(good + count(503), CROWD, "{statuses:?}");
        assert!(good > 0);

        let alice = server.user("alice");
        let after = Instant::now();
        assert_eq!(alice.get("/api/v1/tasks").await.status, 200);
        alice.create("Buy bread").await;
        assert!(after.elapsed() < Duration::from_secs(1), "{:?}", after.elapsed());
        assert_eq!(server.anon().get("/readyz").await.status, 200);
    }
}

on_both! {
    async fn a_database_that_somebody_else_locks_is_told_within_5_s(on: Backend) {
        let home = Home::on(on).await;
        let server = home.start().await;
        let alice = server.user("alice");
        alice.create("Buy milk").await;
        let lock = Lock::take(on, &home).await;
        // The second one arrives while the first one waits, and has its own 5 s.
        let write = async |after: Duration| {
            tokio::time::sleep(after).await;
            let began = Instant::now();
            let answer = alice.post("/api/v1/tasks", json!({ "title": "Buy bread" })).await;
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            (answer.status, answer.body["code"].clone())
        };
        let answers = join_all([write(Duration::ZERO), write(Duration::from_secs(2))]).await;
        lock.release().await;
        // SQLite never got the statements. PostgreSQL has ended the first one; it got the second one later, and may yet run it
        // when nobody waits for it any more: that is said.
        let second = match on {
            Backend::Sqlite => "database_unavailable",
            Backend::Postgres => "outcome_unknown",
        };
        assert_eq!(answers, [(503, json!("database_unavailable")), (503, json!(second))]);
        let list = alice.get("/api/v1/tasks").await.body;
        if let Backend::Sqlite = on {
            assert_eq!(list["items"].as_array().unwrap().len(), 1, "what was refused was not done");
        }
        alice.create("Buy bread").await;
    }
}

/// The database locked by somebody else.
enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    async fn take(on: Backend, home: &Home) -> Self {
        match on {
            Backend::Sqlite => {
                let file = SqliteConnectOptions::new().filename(home.path().join("taskward.db"));
                let mut connection = SqliteConnection::connect_with(&file).await.unwrap();
                connection.execute("BEGIN IMMEDIATE").await.unwrap();
                Self::Sqlite(connection)
            }
            Backend::Postgres => {
                let url = home.setting("DATABASE_URL");
                let mut connection = PgConnection::connect(url).await.unwrap();
                let lock = "BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE";
                connection.execute(lock).await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    /// Waits until every connection of the server waits for it; SQLite does not tell.
    async fn held_up(&self, home: &Home) {
        if let Self::Postgres(_) = self {
            let waiting = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually("all connections are taken", || async {
                (number(home.setting("DATABASE_URL"), waiting).await == 4).then_some(())
            })
            .await;
        }
    }

    async fn release(self) {
        match self {
            Self::Sqlite(mut connection) => {
                connection.execute("ROLLBACK").await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(mut connection) => {
                connection.execute("ROLLBACK").await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }
}

/// How many connections the server's process holds, from /proc.
fn connections(server: &Process) -> usize {
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap();
    let links = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("socket:"))
        .count()
}

/// One client on a connection of its own: one creates, the next reads.
async fn ask(port: u16, token: String, number: usize) -> u16 {
    let body = json!({ "title": format!("Of the crowd {number}") }).to_string();
    // Three kinds of statements, which together take all connections.
    let (method, query, body) = match number % 4 {
        0 | 2 => ("POST", "", body.as_str()),
        1 => ("GET", "?limit=1", ""),
        _ => ("GET", "?limit=1&q=milk", ""),
    };
    let request = format!(
        "{method} /api/v1/tasks{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let read = tokio::time::timeout(Duration::from_secs(30), read).await;
    read.expect("an answer in time").unwrap();
    status(&answer)
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    let status = text.split(' ').nth(1).unwrap_or_default();
    status.parse().unwrap_or_else(|_| panic!("{text:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_sent_heads_do_not_block_other_clients() {
    let server = Home::sqlite().start().await;
    let mut half_open = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port))
            .await
            .unwrap();
        let half = b"GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
        stream.write_all(half).await.unwrap();
        half_open.push(stream);
    }
    let alice = server.user("alice");
    let began = Instant::now();
    let answers = (0..100).map(|_| reply(alice.request(Method::GET, "/api/v1/tasks")));
    let answers = join_all(answers).await;
    println!("100 answers took {:?}", began.elapsed());
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// A body that is far too large.
const HUGE: usize = 256 * 1024 * 1024;
/// The bytes that may be in the buffers of two kernels, or are discarded by the lingering close.
const ON_ITS_WAY: usize = 32 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_body_is_refused_before_it_is_sent() {
    let server = Home::sqlite().start().await;
    let token = server.token("alice");
    for (length, chunked) in [
        (format!("Content-Length: {HUGE}"), false),
        ("Transfer-Encoding: chunked".to_owned(), true),
    ] {
        let head = format!(
            "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\
             Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let stream = TcpStream::connect(("127.0.0.1", server.port))
            .await
            .unwrap();
        let (mut from, mut to) = stream.into_split();
        to.write_all(head.as_bytes()).await.unwrap();
        let sending = tokio::spawn(async move {
            let piece = match chunked {
                true => [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat(),
                false => vec![b' '; 0x10000],
            };
            let mut sent = 0;
            while sent < HUGE && to.write_all(&piece).await.is_ok() {
                sent += 0x10000;
            }
            sent
        });
        let mut answer = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(10), from.read(&mut answer));
        let count = read.await.expect("an answer in time").unwrap();
        assert_eq!(status(&answer[..count]), 413);
        let mut rest = Vec::new();
        from.read_to_end(&mut rest).await.ok();
        drop(from);
        let sent = tokio::time::timeout(Duration::from_secs(10), sending);
        let sent = sent.await.expect("the sender is told").unwrap();
        println!("{length}: {} KiB were sent", sent / 1024);
        assert!(sent < ON_ITS_WAY, "{sent} bytes were taken");
    }
    server.user("alice").create("Buy milk").await;
}
