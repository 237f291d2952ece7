//! Batches, and processes and connections that end in the middle: all of a batch is there, or nothing.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use reqwest::Method;
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Home, Process, any, eventually, number};
use crate::support::{Actor, Backend, postgres::postgres};

const TASKS: &str = "/api/v1/tasks";
const BATCH: &str = "/api/v1/tasks/batch";
const OPERATIONS: usize = 20;
const USERS: usize = 3;

/// The batches that were sent, by user and name: whether they were acknowledged.
#[derive(Default)]
struct Sent {
    batches: Mutex<Vec<(String, String, bool)>>,
    acknowledged: AtomicU64,
    stop: AtomicBool,
}

impl Sent {
    /// Users who send one batch after another. Each creates tasks of one name, and then changes the first of them.
    fn write_to(self: &Arc<Self>, server: &Process) -> JoinSet<()> {
        let mut writers = JoinSet::new();
        for user in 0..USERS {
            let (sent, actor) = (self.clone(), server.user(&format!("user-{user}")));
            writers.spawn(async move {
                while !sent.stop.load(Relaxed) {
                    let name = format!("{:016x}", rand::random::<u64>());
                    let done = sent_one(&actor, &name).await;
                    sent.acknowledged.fetch_add(u64::from(done), Relaxed);
                    let batch = (format!("user-{user}"), name, done);
                    sent.batches.lock().unwrap().push(batch);
                }
            });
        }
        writers
    }

    async fn grows_by(&self, count: u64) {
        let before = self.acknowledged.load(Relaxed);
        eventually("batches are acknowledged", || async {
            (self.acknowledged.load(Relaxed) >= before + count).then_some(())
        })
        .await;
    }

    async fn check(&self, server: &Process) {
        let batches = std::mem::take(&mut *self.batches.lock().unwrap());
        assert!(!batches.is_empty());
        for (user, name, acknowledged) in batches {
            let list = server
                .user(&user)
                .get(&format!("{TASKS}?q={name}&limit=100"))
                .await
                .has(200);
            let done = list
                .items()
                .iter()
                .filter(|task| task["completed"] == true)
                .count();
            match list.items().len() {
                0 => assert!(!acknowledged, "a batch that was acknowledged is gone"),
                all => assert_eq!((all, done), (OPERATIONS - 1, 1), "half a batch"),
            }
        }
    }
}

/// Whether the batch was acknowledged.
async fn sent_one(actor: &Actor, name: &str) -> bool {
    let uid = format!("00000000-0000-0000-{}-{}", &name[..4], &name[4..]);
    let mut operations = vec![json!({ "op": "create", "task": { "title": name, "uid": uid } })];
    operations
        .extend((2..OPERATIONS).map(|_| json!({ "op": "create", "task": { "title": name } })));
    operations.push(json!({ "op": "update", "uid": uid, "patch": { "completed": true } }));
    let request = actor
        .request(Method::POST, BATCH)
        .json(&json!({ "operations": operations }));
    let Ok(answer) = request.send().await else {
        return false;
    };
    let status = answer.status().as_u16();
    assert!(matches!(status, 200 | 503), "{status}");
    status == 200
}

async fn kill_repeatedly(home: &Home) {
    for _ in 0..3 {
        let server = home.start().await;
        let sent = Arc::new(Sent::default());
        let mut writers = sent.write_to(&server);
        sent.grows_by(any(5..20)).await;
        sent.stop.store(true, Relaxed);
        server.kill();
        while writers.join_next().await.is_some() {}
        sent.check(&home.start().await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_all_or_nothing_on_sqlite() {
    kill_repeatedly(&Home::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_leaves_all_or_nothing_on_postgres() {
    let Ok(_) = postgres() else { return };
    kill_repeatedly(&Home::on(Backend::Postgres).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_connection_leaves_all_or_nothing() {
    let Ok(_) = postgres() else { return };
    let home = Home::on(Backend::Postgres).await;
    let server = home.start().await;
    let sent = Arc::new(Sent::default());
    let mut writers = sent.write_to(&server);
    let mut admin = PgConnection::connect(home.setting("DATABASE_URL"))
        .await
        .unwrap();
    for _ in 0..20 {
        sent.grows_by(1).await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'taskward' AND state = 'active'";
        admin.execute(AssertSqlSafe(kill)).await.unwrap();
    }
    sent.grows_by(5).await;
    sent.stop.store(true, Relaxed);
    while writers.join_next().await.is_some() {}
    sent.check(&server).await;
}

/// Each of two servers writes batches and lone tasks of the same user. Nobody is refused, and no revision is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_write_the_tasks_of_one_user() {
    let Ok(_) = postgres() else { return };
    let home = Home::on(Backend::Postgres).await;
    let other = Home::postgres(home.setting("DATABASE_URL"));
    let servers = [home.start().await, other.start().await];
    let mut writers = JoinSet::new();
    for (server, is_batch) in [
        (0, true),
        (1, true),
        (0, false),
        (1, false),
        (0, false),
        (1, false),
    ] {
        let alice = servers[server].user("alice");
        writers.spawn(async move {
            for round in 0..25 {
                if is_batch {
                    let operations: Vec<_> = (0..10)
                        .map(|_| json!({ "op": "create", "task": { "title": "many" } }))
                        .collect();
                    let answer = alice
                        .post(BATCH, json!({ "operations": operations }))
                        .await
                        .has(200);
                    assert_eq!(answer.body["failed"], 0, "{answer}");
                } else {
                    alice.create(&format!("{round}")).await;
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let written = 25 * (2 * 10 + 4);
    let url = home.setting("DATABASE_URL");
    let right = format!(
        "SELECT count(*) FROM user_clock WHERE (revision, last_task_id, task_count) = ({written}, {written}, {written}) \
         AND (SELECT count(DISTINCT revision) FROM task) = {written} AND (SELECT max(revision) FROM task) = {written}"
    );
    assert_eq!(number(url, &right).await, 1);
}
