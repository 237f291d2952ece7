//! A database that is some milliseconds away: what goes together shares the round trips.

use std::{
    slice,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Home, Process, proxy::Proxy};
use crate::support::{
    Actor, Backend,
    postgres::{Cluster, postgres},
};

const TASKS: &str = "/api/v1/tasks";
const CLIENTS: u32 = 64;
/// Of each client, one after the other.
const REQUESTS: u32 = 8;
const CONNECTIONS: u32 = 8;
/// What a server in a debug build may need for one request on a busy machine.
const WORK: Duration = Duration::from_millis(15);

/// A server whose database is far away. It has all its connections, and knows all its statements.
struct Far {
    proxy: Proxy,
    server: Process,
    /// Each has one task, of the same id as those of all others.
    users: Vec<(Actor, Value)>,
    _home: Home,
}

impl Far {
    async fn new(cluster: &Cluster, round_trip: Duration) -> Self {
        let home = Home::on(Backend::Postgres).await;
        let proxy = Proxy::to(cluster.port(), round_trip / 2).await;
        let url = proxy.url(home.setting("DATABASE_URL"));
        let home = home
            .set("DATABASE_URL", url)
            .set("DATABASE_MAX_CONNECTIONS", CONNECTIONS.to_string());
        let server = home.start().await;
        let users = join_all((0..CLIENTS).map(async |n| {
            let user = server.user(&format!("user-{n}"));
            user.create(&format!("of {n}")).await;
            user.get("/api/v1/tasks/1").await.has(200);
            user.get(&format!("{TASKS}?tag=warm")).await.has(200);
            let patch = json!({ "priority": "high" });
            let task = user.patch("/api/v1/tasks/1", patch).await.has(200);
            (user, task.body)
        }));
        let users = users.await;
        Self {
            proxy,
            server,
            users,
            _home: home,
        }
    }

    /// Asserts how many round trips something takes that nobody else is in the way of.
    async fn takes(&self, trips: u64, what: &str, request: impl AsyncFn()) {
        for _ in 0..3 {
            request().await;
        }
        // The list of revoked tokens is read beside the requests, once a second at most.
        let mut seen = Vec::new();
        for _ in 0..5 {
            let before = self.proxy.sent();
            for _ in 0..5 {
                request().await;
            }
            seen.push(self.proxy.sent() - before);
        }
        let least = seen.iter().min().copied();
        assert_eq!(least, Some(trips * 5), "{what}: {seen:?}");
    }

    /// What all clients do at once: how long it took, and with how many round trips.
    async fn all(&self, what: impl AsyncFn(&Actor, &Value, u32)) -> (Duration, u64) {
        let (began, sent) = (Instant::now(), self.proxy.sent());
        join_all(self.users.iter().map(async |(user, task)| {
            for number in 0..REQUESTS {
                what(user, task, number).await;
            }
        }))
        .await;
        (began.elapsed(), self.proxy.sent() - sent)
    }
}

async fn many_clients(round_trip: Duration) {
    let Ok(cluster) = postgres() else { return };
    let far = Far::new(cluster, round_trip).await;
    let requests = CLIENTS * REQUESTS;
    let work = WORK * requests;

    // Each a statement of its own: as many at once as there are connections, more or less.
    let (took, sent) = far
        .all(async |user, _, number| {
            user.get(&format!("{TASKS}?tag=t{number}")).await.has(200);
        })
        .await;
    println!("{round_trip:?}: lists with a filter took {took:?}, {sent} round trips");
    let limit = round_trip * requests / CONNECTIONS * 3 + work;
    assert!(took < limit, "{took:?}, not {limit:?}");

    let (took, sent) = far
        .all(async |user, task, _| {
            assert_eq!(&user.get("/api/v1/tasks/1").await.has(200).body, task);
        })
        .await;
    println!("{round_trip:?}: point reads took {took:?}, {sent} round trips");
    assert!(sent < u64::from(requests) / 2, "{sent} round trips");
    let limit = round_trip * REQUESTS * 3 + work;
    assert!(took < limit, "{took:?}, not {limit:?}");

    // Each page for the first time, and so from the database.
    let (took, sent) = far
        .all(async |user, task, number| {
            let page = format!("{TASKS}?limit={}", number + 1);
            assert_eq!(
                user.get(&page).await.has(200).items(),
                slice::from_ref(task)
            );
        })
        .await;
    println!("{round_trip:?}: pages took {took:?}, {sent} round trips");
    assert!(sent < u64::from(requests) / 2, "{sent} round trips");
    assert!(took < limit, "{took:?}, not {limit:?}");

    let (took, sent) = far
        .all(async |user, task, number| {
            let title = format!("{number}");
            match number % 2 {
                0 => drop(user.create(&title).await),
                _ => {
                    let patch = json!({ "title": title });
                    let now = user.patch("/api/v1/tasks/1", patch).await.has(200).body;
                    assert_eq!(
                        [&now["user_id"], &now["title"]],
                        [&task["user_id"], &json!(title)]
                    );
                }
            }
        })
        .await;
    println!("{round_trip:?}: writes took {took:?}, {sent} round trips");
    assert!(sent < u64::from(requests) / 2, "{sent} round trips");
    let limit = round_trip * REQUESTS * 3 + work;
    assert!(took < limit, "{took:?}, not {limit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_share_round_trips_of_5_ms() {
    many_clients(Duration::from_millis(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_share_round_trips_of_30_ms() {
    many_clients(Duration::from_millis(30)).await;
}

/// Nothing is asked or said around a statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lone_request_takes_one_round_trip() {
    let Ok(cluster) = postgres() else { return };
    let far = Far::new(cluster, Duration::from_millis(4)).await;
    let alice = far.server.user("alice");
    alice.create("Buy milk").await;
    let etag = alice.get(TASKS).await.header("etag").to_owned();
    far.takes(1, "a task", async || {
        drop(alice.get("/api/v1/tasks/1").await.has(200));
    })
    .await;
    far.takes(1, "a missing task", async || {
        drop(alice.get("/api/v1/tasks/7777").await.has(404));
    })
    .await;
    far.takes(1, "a page", async || drop(alice.get(TASKS).await.has(200)))
        .await;
    let filtered = format!("{TASKS}?completed=false");
    far.takes(1, "a page with a filter", async || {
        drop(alice.get(&filtered).await.has(200));
    })
    .await;
    let unchanged = async || drop(alice.get_if_none_match(TASKS, &etag).await.has(304));
    far.takes(1, "an unchanged page", unchanged).await;
    far.takes(1, "a creation", async || {
        drop(alice.create("Buy bread").await);
    })
    .await;
    let patch = async || {
        let patch = json!({ "title": "Buy butter" });
        alice.patch("/api/v1/tasks/1", patch).await.has(200);
    };
    far.takes(1, "a patch", patch).await;
    far.takes(2, "a patch, and the changed page", async || {
        patch().await;
        alice.get(TASKS).await.has(200);
    })
    .await;
    let batch = async || {
        let task = json!({ "op": "create", "task": { "title": "Buy eggs" } });
        let patch = json!({ "op": "update", "id": 1, "patch": { "title": "Buy rice" } });
        let operations: Vec<_> = [task, patch].into_iter().cycle().take(30).collect();
        let body = json!({ "operations": operations });
        alice.post("/api/v1/tasks/batch", body).await.has(200);
    };
    far.takes(2, "a batch, which reads and then writes", batch)
        .await;
    far.takes(2, "a patch of another version", async || {
        let patch = json!({ "title": "lost" });
        alice
            .patch_if_match("/api/v1/tasks/1", "\"1\"", patch)
            .await
            .has(412);
    })
    .await;
}
