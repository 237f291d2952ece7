//! PostgreSQL goes away and comes back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use tokio::{task::block_in_place, time::timeout};

use super::{
    Home, Process, Reply, any, eventually, number, proxy::Proxy, reply, telemetry::sample,
};
use crate::support::{Actor, postgres::Cluster};

/// The default of the program: how long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_down_the_answer_is_a_quick_503() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let home = Home::postgres(&database.url()).set("METRICS_ADDR", "127.0.0.1:0");
    let server = home.start().await;
    let alice = server.user("alice");
    let milk = alice.create("Buy milk").await;
    let counted = async || {
        let of = |name: &str| format!(r#"{name}{{db_system_name="postgresql"}}"#);
        let [away, outages] = ["taskward_store_away", "taskward_store_outages_total"].map(of);
        [
            sample(&server, &away).await,
            sample(&server, &outages).await,
        ]
        .map(Option::unwrap)
    };
    assert_eq!(counted().await, [0.0, 0.0]);
    block_in_place(|| cluster.stop());

    // The first request waits, in case it is only a restart.
    let patient = get(&alice, &milk.location);
    let patient = tokio::spawn(patient);
    let went = Instant::now();
    eventually("an answer comes at once", || async {
        let soon = Duration::from_millis(500);
        let answer = timeout(soon, get(&alice, &milk.location)).await.ok()?;
        assert_unavailable(&answer);
        Some(())
    })
    .await;
    assert!(went.elapsed() < Duration::from_secs(8));
    println!("answers come at once after {:?}", went.elapsed());
    let asked = Instant::now();
    let many = (0..100).map(|_| get(&alice, &milk.location));
    join_all(many).await.iter().for_each(assert_unavailable);
    println!("100 answers took {:?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(3));
    let write = alice.request(Method::POST, "/api/v1/tasks");
    let write = write.json(&serde_json::json!({ "title": "Buy bread" }));
    assert_unavailable(&reply(write).await.unwrap());

    let anon = server.anon();
    assert_eq!(anon.get("/healthz").await.status, 200);
    let asked = Instant::now();
    let ready = anon.get("/readyz").await;
    assert_eq!((ready.status, ready.code()), (503, "not_ready"));
    let detail = ready.body["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "Not ready: the database does not answer.");
    assert!(asked.elapsed() < Duration::from_secs(3));

    assert_eq!(counted().await, [1.0, 1.0]);

    block_in_place(|| cluster.start());
    let back = Instant::now();
    assert_ready(&server).await;
    assert_eq!(counted().await, [0.0, 1.0]);
    println!("ready again after {:?}", back.elapsed());
    assert_eq!(alice.get(&milk.location).await.status, 200);
    alice.create("Buy bread").await;
    let patient = patient.await.unwrap();
    assert!(matches!(patient.status, 200 | 503), "{patient:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_notice_a_restart_of_postgres() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let server = Home::postgres(&database.url()).start().await;
    let alice = server.user("alice");
    let milk = alice.create("Buy milk").await;
    for restart in [Cluster::stop, Cluster::crash] {
        open_connections(&alice, &milk.location, &database.url()).await;
        block_in_place(|| restart(&cluster));
        block_in_place(|| cluster.start());
        // One request after the other meets each dead connection that is left.
        for _ in 0..20 {
            let answer = alice.get(&milk.location).await;
            assert_eq!(answer.status, 200, "{answer}");
        }
        let together = join_all((0..50).map(|_| alice.get(&milk.location))).await;
        assert!(together.iter().all(|answer| answer.status == 200));
        alice.create("Buy bread").await;
    }
    // A reader that comes while it is down waits.
    open_connections(&alice, &milk.location, &database.url()).await;
    block_in_place(|| cluster.stop());
    let waiting = tokio::spawn(get(&alice, &milk.location));
    block_in_place(|| cluster.start());
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_do_not_notice_ended_connections() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let home = Home::postgres(&database.url()).set("METRICS_ADDR", "127.0.0.1:0");
    let server = home.start().await;
    let alice = server.user("alice");
    let milk = alice.create("Buy milk").await;
    for round in 0..10 {
        open_connections(&alice, &milk.location, &database.url()).await;
        let readers = (0..4).map(|_| async {
            for _ in 0..25 {
                let answer = alice.get(&milk.location).await;
                assert_eq!(answer.status, 200, "round {round}: {answer}");
            }
        });
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name = 'taskward' AND datname = current_database()";
        let url = database.url();
        let (_, ended) = tokio::join!(join_all(readers), number(&url, terminate));
        assert!(ended > 0);
    }
    // Those that were ended do not count as open.
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskward' AND datname = current_database()";
    let name = r#"taskward_store_connections{db_system_name="postgresql"}"#;
    eventually("as many connections are counted as there are", async || {
        let counted = sample(&server, name).await?;
        let there = u32::try_from(number(&database.url(), open).await).unwrap();
        ((counted - f64::from(there)).abs() < 0.5).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_first_migrates_when_the_database_comes() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.empty_database().await;
    block_in_place(|| cluster.stop());
    let home = Home::postgres(&database.url()).set("AUTO_MIGRATE", "on");
    let server = home.start().await;
    assert_eq!(server.anon().get("/healthz").await.status, 200);
    assert_eq!(server.anon().get("/readyz").await.status, 503);
    let alice = server.user("alice");
    assert_unavailable(&get(&alice, "/api/v1/tasks").await);
    block_in_place(|| cluster.start());
    assert_ready(&server).await;
    alice.create("Buy milk").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_first_becomes_ready_by_itself() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    block_in_place(|| cluster.stop());
    let server = Home::postgres(&database.url()).start().await;
    let anon = server.anon();
    assert_eq!(anon.get("/healthz").await.status, 200);
    assert_eq!(anon.get("/readyz").await.status, 503);
    block_in_place(|| cluster.start());
    assert_ready(&server).await;
    server.user("alice").create("Buy milk").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_drops_all_packets_counts_as_an_outage() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let proxy = Proxy::to(cluster.port(), Duration::ZERO).await;
    let home = Home::postgres(&proxy.url(&database.url()))
        .set("DATABASE_MAX_CONNECTIONS", "4")
        .set("METRICS_ADDR", "127.0.0.1:0");
    let server = home.start().await;
    let alice = server.user("alice");
    let milk = alice.create("Buy milk").await;
    open_connections(&alice, &milk.location, &database.url()).await;
    proxy.deliver(false);
    let asked = Instant::now();
    let many = join_all((0..20).map(|_| get(&alice, &milk.location))).await;
    many.iter().for_each(assert_unavailable);
    println!("answers after {:?}", asked.elapsed());
    assert!(asked.elapsed() < ACQUIRE_TIMEOUT * 2);
    let labels = r#"db_system_name="postgresql",db_query_summary="tasks""#;
    let late = format!("taskward_store_deadlines_total{{{labels}}}");
    let late = sample(&server, &late).await.unwrap();
    println!("{late} of 20 waited in vain until their time was over");
    assert!(late > 0.0);
    assert_eq!(server.anon().get("/healthz").await.status, 200);
    assert_eq!(server.anon().get("/readyz").await.status, 503);
    proxy.deliver(true);
    assert_ready(&server).await;
    assert_eq!(alice.get(&milk.location).await.status, 200);
}

/// Reads until the server has several connections.
async fn open_connections(actor: &Actor, path: &str, url: &str) {
    eventually("several connections are open", || async {
        // Lists with a filter that nobody has asked for go alone, each over a connection of its own.
        let list = || async {
            let path = format!("/api/v1/tasks?q={}", any(0..u64::MAX));
            actor.get(&path).await
        };
        let lists = join_all((0..20).map(|_| list()));
        tokio::join!(lists, actor.get(path), actor.get("/api/v1/tasks"));
        let open = "SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = 'taskward' AND datname = current_database()";
        (number(url, open).await >= 3).then_some(())
    })
    .await;
}

async fn assert_ready(server: &Process) {
    eventually("the server is ready", || async {
        (server.anon().get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

fn get(actor: &Actor, path: &str) -> impl Future<Output = Reply> + use<> {
    let request = actor.request(Method::GET, path);
    async move { reply(request).await.unwrap() }
}

#[track_caller]
fn assert_unavailable(answer: &Reply) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.body["code"], "database_unavailable", "{answer:?}");
    assert!(answer.retry_after.is_some(), "{answer:?}");
}
