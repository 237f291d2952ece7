//! Streams while the server stops, is killed, or loses its database; and what many of them cost.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rand::random_range;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::block_in_place,
    time::timeout,
};

use super::{Home, Process, eventually, number};
use crate::{
    list_changes::{TaskCopy, state},
    support::{
        Actor, Backend,
        events::Events,
        on_both,
        postgres::{Cluster, postgres},
    },
};

const TASKS: &str = "/api/v1/tasks";

async fn resume(of: &Actor, copy: &TaskCopy) -> Result<Events, String> {
    let request = of.request(Method::GET, "/api/v1/events");
    Events::open(request.header("Last-Event-ID", copy.since)).await
}

on_both! {
    async fn a_stop_tells_the_streams_and_does_not_wait_for_them(on: Backend) {
        let home = Home::on(on).await;
        let mut server = home.start().await;
        let alice = server.user("alice");
        let mut streams = Vec::new();
        for _ in 0..8 {
            let mut stream = alice.events(0).await;
            stream.soon().await;
            streams.push(stream);
        }
        server.signal("TERM");
        let signalled = Instant::now();
        eventually("readiness fails", || async {
            (server.anon().get("/readyz").await.status == 503).then_some(())
        })
        .await;
        // Until the server takes no more connections, a stream goes on: its client would only come back.
        alice.create("Late milk").await;
        for stream in &mut streams {
            assert_eq!(stream.soon().await.id, Some(1));
        }
        for mut stream in streams {
            let end = stream.soon().await;
            assert_eq!(end.reason(), Some("shutdown"));
            assert!(signalled.elapsed() > Duration::from_millis(900));
            assert_eq!(stream.next().await, None);
        }
        assert!(server.ended(Duration::from_secs(10)).await.success());
        assert!(signalled.elapsed() < Duration::from_secs(4), "{:?}", signalled.elapsed());
        assert!(server.log().iter().any(|line| line.contains(r#""cut":0"#)));
    }
}

/// A client that does not read cannot be told, and does not hold up a stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_client_that_does_not_read() {
    let home = Home::sqlite();
    let mut server = home.start().await;
    let alice = server.user("alice");
    let text = "x".repeat(10_000);
    let task = |_| json!({ "op": "create", "task": { "title": "Buy milk", "description": text } });
    let all = json!({ "operations": (0..50).map(task).collect::<Vec<_>>() });
    for _ in 0..2 {
        let answer = alice.post(&format!("{TASKS}/batch"), all.clone()).await;
        assert_eq!(answer.status, 200);
    }
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8 * 1024).unwrap();
    let address = ([127, 0, 0, 1], server.port).into();
    let mut slow = socket.connect(address).await.unwrap();
    slow.write_all(request(&server, "alice").as_bytes())
        .await
        .unwrap();
    slow.readable().await.unwrap();
    server.signal("INT");
    let signalled = Instant::now();
    assert!(server.ended(Duration::from_secs(10)).await.success());
    assert!(
        signalled.elapsed() < Duration::from_secs(4),
        "{:?}",
        signalled.elapsed()
    );
    assert!(server.log().iter().any(|line| line.contains(r#""cut":0"#)));
}

/// How often a server is killed. `KILL_ROUNDS=50` is the long form.
fn rounds() -> usize {
    let rounds = env::var("KILL_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// Writes until the server is gone.
fn write_until_cut(actor: Actor) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let id = random_range(1..40);
            let request = match random_range(0..4) {
                0 => actor.request(Method::DELETE, &format!("{TASKS}/{id}")),
                1 => actor
                    .request(Method::PATCH, &format!("{TASKS}/{id}"))
                    .json(&json!({ "completed": true })),
                _ => actor
                    .request(Method::POST, TASKS)
                    .json(&json!({ "title": "Buy milk" })),
            };
            if request.send().await.is_err() {
                return;
            }
        }
    })
}

async fn kill_in_mid_stream(home: &Home) {
    let mut copy = TaskCopy::default();
    for round in 0..rounds() {
        let server = home.start().await;
        let alice = server.user("alice");
        let mut stream = resume(&alice, &copy).await.unwrap();
        let writers: Vec<_> = (0..3).map(|_| write_until_cut(alice.clone())).collect();
        let enough = random_range(5..40);
        for _ in 0..enough {
            let event = stream.soon().await;
            copy.apply(&event.data);
            copy.since = event.id.unwrap();
        }
        server.kill();
        // What was on its way may still come; then the connection breaks, without an end.
        while let Some(event) = stream.next().await {
            assert_eq!(event.reason(), None, "round {round}");
            copy.apply(&event.data);
            copy.since = event.id.unwrap();
        }
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let server = home.start().await;
    let alice = server.user("alice");
    let mut stream = resume(&alice, &copy).await.unwrap();
    loop {
        let event = stream.soon().await;
        copy.apply(&event.data);
        if event.data["cursor"].is_null() {
            break;
        }
    }
    assert_eq!(copy.tasks, state(&alice).await);
    assert!(copy.tasks.len() > 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_without_a_gap_after_a_kill_on_sqlite() {
    kill_in_mid_stream(&Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_goes_on_without_a_gap_after_a_kill_on_postgres() {
    if postgres().is_ok() {
        kill_in_mid_stream(&Home::on(Backend::Postgres).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_outlives_an_outage_of_postgres() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let home = Home::postgres(&database.url());
    let (one, other) = (home.start().await, home.start().await);
    let alice = one.user("alice");
    let mut stream = alice.events(0).await;
    stream.soon().await;
    block_in_place(|| cluster.stop());
    tokio::time::sleep(Duration::from_secs(3)).await;
    block_in_place(|| cluster.start());
    let there = other.user("alice");
    eventually("the other server writes", || async {
        let answer = there.post(TASKS, json!({ "title": "Buy milk" })).await;
        (answer.status == 201).then_some(())
    })
    .await;
    let event = stream.soon().await;
    assert_eq!(event.data["tasks"][0]["title"], "Buy milk", "{event:?}");
}

const MANY: usize = 1_000;
/// As many as one user may have.
const OF_ONE_USER: usize = 16;
const LEAST: Duration = Duration::from_secs(5);

/// A request for a stream.
fn request(server: &Process, user: &str) -> String {
    let token = server.token(user);
    format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

/// Opens a stream, and returns when its first event is there.
async fn open_raw(server: &Process, user: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port))
        .await
        .unwrap();
    stream
        .write_all(request(server, user).as_bytes())
        .await
        .unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.ends_with(b"\n\n\r\n") {
        let read = timeout(LEAST, stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&buffer[..read]);
    }
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("event: changes\n"), "{text}");
    stream
}

/// A number of `/proc/<id>/status`, in kB.
fn resident(server: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The CPU time of a process. Linux counts hundredths of a second.
fn cpu_time(server: &Process) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |field: usize| fields[field].parse::<u64>().unwrap();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// How many tasks are created in a second, by users without a stream.
async fn writes_per_second(server: &Process) -> usize {
    let until = Instant::now() + Duration::from_secs(1);
    let writers = (0..8).map(async |n| {
        let writer = server.user(&format!("writer-{n}"));
        let mut count = 0;
        while Instant::now() < until {
            writer.create("Buy milk").await;
            count += 1;
        }
        count
    });
    join_all(writers).await.into_iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_streams_cost_little() {
    if postgres().is_err() {
        return;
    }
    let home = Home::on(Backend::Postgres)
        .await
        .set("MAX_CONNECTIONS_PER_ADDRESS", "2000");
    let server = home.start().await;
    let user = |n: usize| format!("user-{}", n / OF_ONE_USER);
    server.user(&user(0)).create("Buy milk").await;
    drop(open_raw(&server, &user(0)).await);
    let alone = writes_per_second(&server).await;
    let before = resident(&server);
    let mut streams = Vec::new();
    for n in 0..MANY {
        streams.push(open_raw(&server, &user(n)).await);
    }
    let more = resident(&server) - before;
    let connections = number(
        home.setting("DATABASE_URL"),
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    );
    // One is that of the question itself.
    let connections = connections.await - 1;
    let (began, used) = (Instant::now(), cpu_time(&server));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let used = cpu_time(&server) - used;
    let share = 100.0 * used.as_secs_f64() / began.elapsed().as_secs_f64();
    println!("{MANY} idle streams: {more} kB, {connections} connections, {share:.1} % of a CPU");
    assert!(more < 32 * 1024, "{more} kB");
    assert!(connections <= 8, "{connections}");

    let beside = writes_per_second(&server).await;
    println!("{alone} writes per second without streams, {beside} with them");
    let other = home.start().await;
    let (here, there) = (server.user("alice"), other.user("alice"));
    let mut stream = here.events(0).await;
    stream.soon().await;
    let mut took = Vec::new();
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(random_range(0..250))).await;
        there.create("Buy milk").await;
        let began = Instant::now();
        stream.soon().await;
        took.push(began.elapsed());
    }
    took.sort();
    println!(
        "from one server to the other: p50 {:?}, p99 {:?}",
        took[30], took[59]
    );
    assert!(took[59] < Duration::from_secs(1));

    // Each is told of a commit, and nobody else's streams are.
    server.user(&user(17)).create("Buy salt").await;
    for (n, stream) in streams.iter_mut().enumerate().take(64) {
        let is_told = n / OF_ONE_USER == 1;
        let patience = if is_told {
            LEAST
        } else {
            Duration::from_millis(5)
        };
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.contains("Buy salt")
            && let Ok(read) = timeout(patience, stream.read(&mut buffer)).await
        {
            text.push_str(&String::from_utf8_lossy(&buffer[..read.unwrap()]));
        }
        assert_eq!(text.contains("Buy salt"), is_told, "{n}: {text}");
    }
}
