//! Stopping: readiness fails first, and everything that was accepted is finished.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Home, Process, eventually, ledger::Ledger, number, reply};
use crate::support::{Backend, on_both, postgres::postgres};

/// The program's limit on finishing what is in flight, and its delay before that.
const DRAIN_LIMIT: Duration = Duration::from_secs(20 + 1);

on_both! {
    async fn a_stop_finishes_what_was_accepted(on: Backend) {
        let home = Home::on(on).await;
        let mut server = home.start().await;
        let ledger = Arc::new(Ledger::default());
        let writers = ledger.write_to(&[&server]);
        ledger.grows_by(20).await;
        let mut idle = connect(&server).await;
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert_eq!(read_some(&mut idle, b"\"ok\"").await.1, "200");
        let mut half_sent = connect(&server).await;
        half_sent.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
        let (mut slow, rest) = start_upload(&server, "Slow bread").await;

        server.signal("TERM");
        let signalled = Instant::now();
        eventually("readiness fails", || async {
            let ready = server.anon().get("/readyz").await;
            (ready.status == 503).then(|| assert_eq!(ready.body["detail"], "Not ready: the server is stopping."))
        })
        .await;
        // Load balancers have not noticed yet, and send more requests.
        server.user("carol").create("Late milk").await;
        eventually("the door is closed", || async {
            TcpStream::connect(("127.0.0.1", server.port)).await.err()
        })
        .await;
        assert!(signalled.elapsed() > Duration::from_millis(900));

        slow.write_all(rest.as_bytes()).await.unwrap();
        assert_eq!(read_some(&mut slow, b"}").await.1, "201");
        let ended = server.ended(DRAIN_LIMIT).await;
        println!("ended after {:?}", signalled.elapsed());
        assert!(ended.success(), "{ended}");
        assert!(signalled.elapsed() < Duration::from_secs(8), "{:?}", signalled.elapsed());
        assert!(server.log().iter().any(|line| line.contains(r#""cut":0"#)));
        writers.stop().await;
        assert_eq!(ledger.refused(), 0);

        let server = home.start().await;
        ledger.check(&server).await;
        ledger.check_nothing_cut_was_done(&server).await;
        assert_eq!(server.user("carol").titles("").await, ["Late milk"]);
        assert_eq!(server.user("dave").titles("").await, ["Slow bread"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_a_slow_database() {
    if postgres().is_err() {
        return;
    }
    let home = Home::on(Backend::Postgres)
        .await
        .set("SHUTDOWN_DELAY_SECONDS", "0");
    let mut server = home.start().await;
    let url = home.setting("DATABASE_URL");
    let mut locker = PgConnection::connect(url).await.unwrap();
    locker
        .execute("BEGIN; LOCK TABLE task IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let write = server.user("alice").request(Method::POST, "/api/v1/tasks");
    let write = tokio::spawn(reply(write.json(&json!({ "title": "Buy milk" }))));
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the write waits", || async {
        (number(url, waiting).await == 1).then_some(())
    })
    .await;
    server.signal("TERM");
    eventually("the door is closed", || async {
        TcpStream::connect(("127.0.0.1", server.port)).await.err()
    })
    .await;
    locker.execute("COMMIT").await.unwrap();
    assert_eq!(write.await.unwrap().unwrap().status, 201);
    assert!(server.ended(DRAIN_LIMIT).await.success());
}

/// A connection that is closed in the moment in which its client sends the next request costs that client the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_a_stop_clients_are_asked_to_leave_their_connections() {
    let home = Home::sqlite().set("SHUTDOWN_DELAY_SECONDS", "20");
    let server = home.start().await;
    let health = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut kept = connect(&server).await;
    kept.write_all(health).await.unwrap();
    let (answer, _) = read_some(&mut kept, b"\"ok\"").await;
    assert!(!answer.contains("connection: close"), "{answer}");

    server.signal("TERM");
    eventually("readiness fails", || async {
        let ready = server.anon().get("/readyz").await;
        (ready.status == 503).then_some(())
    })
    .await;
    // The request is answered, and then the connection is closed.
    kept.write_all(health).await.unwrap();
    let (answer, status) = read_some(&mut kept, b"nothing of the kind").await;
    assert_eq!(status, "200");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupt_stops_without_delay() {
    let home = Home::sqlite();
    let mut server = home.start().await;
    server.user("alice").create("Buy milk").await;
    let _idle = connect(&server).await;
    let began = Instant::now();
    server.signal("INT");
    assert!(server.ended(DRAIN_LIMIT).await.success());
    println!("ended after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(3));
    // SQLite moves its write-ahead log into the file when the last connection closes properly.
    assert!(!home.path().join("taskward.db-wal").exists());
}

async fn connect(server: &Process) -> TcpStream {
    TcpStream::connect(("127.0.0.1", server.port))
        .await
        .unwrap()
}

/// Sends the half of a request that creates a task for dave; the rest is for later.
async fn start_upload(server: &Process, title: &str) -> (TcpStream, String) {
    let body = json!({ "title": title }).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{first}",
        server.token("dave"),
        body.len()
    );
    let mut stream = connect(server).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    (stream, rest.to_owned())
}

/// Reads until the answer ends in `end`, and returns it and its status.
async fn read_some(stream: &mut TcpStream, end: &[u8]) -> (String, String) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(end.len()).any(|window| window == end) {
        let count = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
        match count.await.unwrap().unwrap() {
            0 => break,
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    let text = String::from_utf8(bytes).unwrap();
    let status = text.split(' ').nth(1).unwrap_or_default().to_owned();
    (text, status)
}
