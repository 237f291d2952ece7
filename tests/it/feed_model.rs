//! Whatever is written, whoever reads by pages or by a stream ends with exactly what the server has.
//!
//! Each run has a user of its own, two servers over one database, writers that do anything at random, and purges. One reader
//! syncs by pages of random sizes, one reads a stream that is cut at random. `FEED_RUNS=1000` is the long form.

#![expect(
    clippy::print_stdout,
    reason = "`--nocapture` shows what the readers met"
)]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::join_all;
use rand::random_range;
use reqwest::Method;
use serde_json::{Value, json};
use taskward::store::Database;
use tokio::time::{Instant, timeout};

use crate::{
    list_changes::{TaskCopy, state},
    storage::{open, purge::in_days},
    support::{Actor, Backend, TestApp, events::Events, on_both},
};

const TASKS: &str = "/api/v1/tasks";
/// Runs at the same time.
const AT_ONCE: usize = 4;
const WRITERS: usize = 3;

/// What happened in all runs, to see that the readers met what they must cope with.
#[derive(Debug, Default)]
struct Met {
    writes: AtomicUsize,
    purged: AtomicUsize,
    syncs: AtomicUsize,
    /// A reader by pages had to begin again.
    resyncs: AtomicUsize,
    events: AtomicUsize,
    cuts: AtomicUsize,
    /// A stream could not be resumed, or ended because of a purge.
    restarts: AtomicUsize,
}

fn add(count: &AtomicUsize, more: usize) {
    count.fetch_add(more, Relaxed);
}

/// Two servers, and a database whose purges take every tombstone.
struct World {
    servers: [TestApp; 2],
    purger: Database,
    met: Met,
}

impl World {
    fn any(&self, user: &str) -> Actor {
        self.servers[random_range(0..2)].user(user)
    }

    /// One write, of any kind, to any of the user's tasks.
    async fn write(&self, user: &str) {
        let actor = self.any(user);
        let id = random_range(1..12);
        let task = format!("{TASKS}/{id}");
        let title = || json!({ "title": format!("{}", random_range(0..1_000)) });
        let answer = match random_range(0..10) {
            0..3 => actor.post(TASKS, title()).await,
            3..5 => actor.patch(&task, title()).await,
            5..8 => actor.delete(&task).await,
            8 => actor.post_nothing(&format!("{task}/restore")).await,
            _ => {
                let operation = |_| match random_range(0..4) {
                    0 => json!({ "op": "create", "task": title() }),
                    1 => json!({ "op": "update", "id": random_range(1..12), "patch": title() }),
                    2 => json!({ "op": "delete", "id": random_range(1..12) }),
                    _ => json!({ "op": "restore", "id": random_range(1..12) }),
                };
                let operations: Vec<Value> = (0..random_range(1..6)).map(operation).collect();
                let body = json!({ "operations": operations, "atomic": random_range(0..2) == 0 });
                actor.post(&format!("{TASKS}/batch"), body).await
            }
        };
        assert!([200, 201, 204, 404].contains(&answer.status), "{answer}");
        add(&self.met.writes, 1);
    }

    async fn writer(&self, user: &str) {
        for _ in 0..random_range(5..15) {
            self.write(user).await;
            if random_range(0..8) == 0 {
                let purged = self.purger.purge(Duration::ZERO).await.unwrap();
                add(&self.met.purged, purged.tombstones);
            }
        }
    }

    /// Syncs by pages until the writers are done, and once more.
    async fn sync(&self, user: &str, done: &AtomicBool) -> TaskCopy {
        let mut copy = TaskCopy::default();
        loop {
            let is_last = done.load(Relaxed);
            let actor = self.any(user);
            let again = copy.sync(&actor, || random_range(1..6)).await;
            add(&self.met.resyncs, again);
            add(&self.met.syncs, 1);
            if is_last {
                return copy;
            }
            pause().await;
        }
    }

    /// Reads streams, each until it is cut at random, until the writers are done and all has come.
    async fn stream(&self, user: &str, done: &AtomicBool) -> TaskCopy {
        let mut copy = TaskCopy::default();
        let mut until = Instant::now() + Duration::from_secs(60);
        loop {
            let actor = self.any(user);
            if done.load(Relaxed) {
                until = until.min(Instant::now() + Duration::from_secs(10));
                let tag = actor.get(&format!("{TASKS}?limit=1")).await;
                let revision = tag.header("etag").trim_matches('"').parse::<i64>().unwrap();
                if copy.since == revision {
                    return copy;
                }
                assert!(Instant::now() < until, "{revision} has not come: {copy:?}");
            }
            let request = actor.request(Method::GET, "/api/v1/events");
            let stream = Events::open(request.header("Last-Event-ID", copy.since)).await;
            let mut stream = match stream {
                Ok(stream) => stream,
                Err(refused) => {
                    assert!(refused.contains("resync_required"), "{refused}");
                    copy.forget();
                    add(&self.met.restarts, 1);
                    continue;
                }
            };
            for _ in 0..random_range(1..5) {
                let patience = Duration::from_millis(random_range(1..300));
                let Ok(Some(event)) = timeout(patience, stream.next()).await else {
                    break;
                };
                if let Some(reason) = event.reason() {
                    assert_eq!(reason, "resync_required");
                    copy.forget();
                    add(&self.met.restarts, 1);
                    break;
                }
                copy.apply(&event.data);
                copy.since = event.id.unwrap();
                add(&self.met.events, 1);
            }
            add(&self.met.cuts, 1);
        }
    }

    async fn run(&self, number: usize) {
        let user = format!("user-{number}");
        let done = AtomicBool::new(false);
        let write = async {
            join_all((0..WRITERS).map(|_| self.writer(&user))).await;
            done.store(true, Relaxed);
        };
        let ((), synced, streamed) =
            tokio::join!(write, self.sync(&user, &done), self.stream(&user, &done));
        let state = state(&self.any(&user)).await;
        assert_eq!(synced.tasks, state, "by pages, {user}");
        assert_eq!(streamed.tasks, state, "by the stream, {user}");
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(random_range(0..10))).await;
}

on_both! {
    async fn readers_end_with_what_the_server_has(on: Backend) {
        let runs = env::var("FEED_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(8);
        let servers = {
            let one = on.app_with(|settings| settings.max_connections = 12).await;
            let other = one.another(|settings| settings.max_connections = 12).await;
            [one, other]
        };
        let purger = open(&servers[0], &in_days(31)).await;
        let world = Arc::new(World { servers, purger, met: Met::default() });
        let next = Arc::new(AtomicUsize::new(0));
        let work = (0..AT_ONCE).map(|_| {
            let (world, next) = (world.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= runs {
                        return;
                    }
                    world.run(number).await;
                }
            })
        });
        for ended in join_all(work).await {
            ended.unwrap();
        }
        // Otherwise it proves little.
        let met = &world.met;
        assert!(met.purged.load(Relaxed) > 0 && met.cuts.load(Relaxed) > runs, "{met:?}");
        let again = met.restarts.load(Relaxed).min(met.resyncs.load(Relaxed));
        assert!(runs < 100 || again > 0, "{met:?}");
        println!("{runs} runs on {on:?}: {met:?}");
        world.purger.close().await;
    }
}
