//! Two servers over one PostgreSQL, with writes of all kinds on few rows: nobody waits in a circle.

use std::{
    env, fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use rand::random_range;
use reqwest::{Method, header};
use sea_orm::sqlx::{Connection as _, Executor as _, PgConnection};
use serde_json::json;

use super::{Home, number};
use crate::support::{Actor, postgres::Cluster};

const TASKS: &str = "/api/v1/tasks";
const USERS: usize = 16;
/// Of each user on each server.
const WRITERS: usize = 2;
/// Of each user.
const ROWS: i64 = 4;

/// What the database says of two creations with one key or uid at once, which is resolved, and of a lock that another server holds,
/// after which the write is sent again. The index of a part of the table has a name of its own.
fn is_expected(line: &str) -> bool {
    let is_of = |columns: &str| {
        line.contains(&format!("{columns}_key\"")) || line.contains(&format!("{columns}_idx\""))
    };
    let is_duplicate = line.contains("duplicate key value violates unique constraint \"task_");
    is_duplicate && (is_of("_uid") || is_of("_create_key"))
        || line.contains("could not obtain lock on row")
}

/// How long. `DEADLOCK_SECONDS=600 cargo test --test it deadlocks` looks harder.
fn duration() -> Duration {
    let seconds = env::var("DEADLOCK_SECONDS").ok();
    Duration::from_secs(seconds.map_or(8, |seconds| seconds.parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_write_the_same_rows_never_deadlock() {
    let Ok(cluster) = Cluster::own_cluster(false) else {
        return;
    };
    let database = cluster.fresh_database().await;
    let mut admin = PgConnection::connect(&database.url()).await.unwrap();
    // Found soon, and not after the second for which a circle would hold up all who are in it.
    let soon = "ALTER SYSTEM SET deadlock_timeout = '20ms'";
    admin.execute(soon).await.unwrap();
    admin.execute("SELECT pg_reload_conf()").await.unwrap();
    // With fewer tasks, tombstones would be purged, and rows that all of them want would be gone.
    let home = || Home::postgres(&database.url()).set("MAX_TASKS_PER_USER", "100000");
    // Each has its own key, and so its own tokens of the same users.
    let homes = [home(), home().set("DATABASE_MAX_CONNECTIONS", "4")];
    let servers = [homes[0].start().await, homes[1].start().await];
    for user in 0..USERS {
        for _ in 0..ROWS {
            servers[0].user(&format!("user-{user}")).create("row").await;
        }
    }
    let log = || fs::read_to_string(cluster.folder().join("log")).unwrap();
    let before = log().len();
    let until = Instant::now() + duration();
    let writers = (0..USERS * WRITERS * servers.len()).map(|place| {
        let actor = servers[place % 2].user(&format!("user-{}", place / 2 % USERS));
        tokio::spawn(async move {
            let mut done = 0;
            while Instant::now() < until {
                write(&actor, done).await;
                done += 1;
            }
            done
        })
    });
    let done = join_all(writers).await.into_iter().map(Result::unwrap);
    println!("{} requests", done.sum::<usize>());

    let log = log();
    let errors = log[before..]
        .lines()
        .filter(|line| line.contains("ERROR:"))
        .filter(|line| !is_expected(line));
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0]);
    let wrong = "SELECT count(*) FROM user_clock c WHERE (revision, last_task_id, task_count) NOT IN \
         (SELECT MAX(t.revision), MAX(t.id), COUNT(*) FILTER (WHERE deleted_at IS NULL) \
          FROM task t WHERE t.user_id = c.user_id)";
    assert_eq!(
        number(&database.url(), wrong).await,
        0,
        "clocks that are wrong"
    );
    let gaps = "SELECT count(*) FROM user_clock c \
         WHERE last_task_id <> (SELECT count(*) FROM task t WHERE t.user_id = c.user_id)";
    assert_eq!(number(&database.url(), gaps).await, 0, "gaps in the ids");
    let miscounted = "SELECT count(*) FROM user_clock c \
         WHERE row_count <> (SELECT count(*) FROM task t WHERE t.user_id = c.user_id)";
    assert_eq!(number(&database.url(), miscounted).await, 0, "rows");
    let together = "SELECT count(*) FROM (SELECT FROM task GROUP BY xmin::text HAVING count(DISTINCT user_id) > 1) AS x";
    assert!(
        number(&database.url(), together).await > 0,
        "nothing was written together"
    );
}

/// One request, which meets those of three others.
async fn write(actor: &Actor, number: usize) {
    let path = format!("{TASKS}/{}", random_range(1..=ROWS));
    let (answer, fine): (_, &[u16]) = match random_range(0..12) {
        0..3 => {
            let patch = [
                json!({ "title": "a" }),
                json!({ "completed": true }),
                json!({ "due_date": null, "priority": "low" }),
            ];
            (
                actor.patch(&path, patch[number % 3].clone()).await,
                &[200, 404],
            )
        }
        3 => {
            let request = actor
                .request(Method::PATCH, &path)
                .header(header::IF_MATCH, "\"1\", \"2\"");
            (
                actor.send(request.json(&json!({ "title": "b" }))).await,
                &[200, 404, 412],
            )
        }
        4 => (actor.delete(&path).await, &[204, 404]),
        5..7 => (
            actor.post_nothing(&format!("{path}/restore")).await,
            &[200, 409],
        ),
        7 => (
            actor.post(TASKS, json!({ "title": "new" })).await,
            &[201, 409],
        ),
        8 => {
            let uid = format!("00000000-0000-0000-0000-{:012}", number / 16);
            let body = json!({ "title": "new", "uid": uid });
            (actor.post(TASKS, body).await, &[201, 409])
        }
        9 => {
            let change = |id| json!({ "op": "update", "id": id, "patch": { "title": "c" } });
            let operations = json!([
                change(ROWS), { "op": "create", "task": { "title": "new" } }, change(1),
                { "op": "delete", "id": 2 }, { "op": "restore", "id": 2 },
            ]);
            let body = json!({ "operations": operations, "atomic": number.is_multiple_of(2) });
            (actor.post("/api/v1/tasks/batch", body).await, &[200])
        }
        10 => {
            // Two at once, on both servers, of the same key.
            let key = format!("key-{}", number / 16);
            (
                actor.post_with_key(&key, json!({ "title": "new" })).await,
                &[201, 409],
            )
        }
        _ => {
            let list = actor.get(&format!("{TASKS}?limit=100")).await;
            let items = list.items();
            let mut ids = items.iter().filter_map(|task| task["id"].as_i64());
            // Room for others.
            match ids.find(|id| *id > ROWS) {
                Some(id) => (actor.delete(&format!("{TASKS}/{id}")).await, &[204, 404]),
                None => (list, &[200]),
            }
        }
    };
    assert!(fine.contains(&answer.status), "{answer}");
}
