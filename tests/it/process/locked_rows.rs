//! Rows that another session of PostgreSQL holds locked: those whose rows they are wait, and nobody else.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::random_range;
use reqwest::Method;
use sea_orm::sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use serde_json::json;
use tokio::time::sleep;

use super::{Home, Process, eventually, number};
use crate::support::{Actor, Answer, Backend, postgres::postgres};

const TASKS: &str = "/api/v1/tasks";
/// The users whose rows nobody locks.
const OTHERS: usize = 12;
/// How long anybody of them may wait, on a busy machine. Whoever waits for a locked row waits for about 4 s.
const UNDISTURBED: Duration = Duration::from_secs(3);

/// Users whose rows a session holds, and others.
struct Story {
    home: Home,
    server: Process,
    locked: Vec<Actor>,
    others: Vec<Actor>,
    session: Option<PgConnection>,
}

impl Story {
    /// Everybody has a task. Of some, the row in a table is locked.
    async fn begin(connections: &str, table: &str, locked: usize) -> Self {
        let home = Home::on(Backend::Postgres).await;
        let home = home.set("DATABASE_MAX_CONNECTIONS", connections);
        let server = home.start().await;
        let user = async |name: String| {
            let actor = server.user(&name);
            actor.create("Buy milk").await;
            actor
        };
        let locked = join_all((0..locked).map(|n| user(format!("locked-{n}")))).await;
        let others = join_all((0..OTHERS).map(|n| user(format!("other-{n}")))).await;
        let mut session = PgConnection::connect(home.setting("DATABASE_URL"))
            .await
            .unwrap();
        let lock = format!("BEGIN; SELECT 1 FROM {table} WHERE user_id LIKE 'locked-%' FOR UPDATE");
        session.execute(AssertSqlSafe(lock)).await.unwrap();
        Self {
            home,
            server,
            locked,
            others,
            session: Some(session),
        }
    }

    /// A write of each locked user, and how long it took.
    async fn locked_writes(&self) -> Vec<(Answer, Duration)> {
        join_all(self.locked.iter().enumerate().map(async |(number, actor)| {
            let began = Instant::now();
            let answer = match number % 3 {
                0 => {
                    actor
                        .patch("/api/v1/tasks/1", json!({ "title": "Buy bread" }))
                        .await
                }
                1 => {
                    actor
                        .patch_if_match("/api/v1/tasks/1", "\"1\"", json!({ "priority": "high" }))
                        .await
                }
                _ => actor.delete("/api/v1/tasks/1").await,
            };
            (answer, began.elapsed())
        }))
        .await
    }

    /// Waits until a locked write was tried.
    async fn somebody_waits(&self) {
        let url = self.home.setting("DATABASE_URL");
        let tried = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%NOWAIT%'";
        eventually("a write is tried", || async {
            (number(url, tried).await > 0).then_some(())
        })
        .await;
    }

    /// What the others do meanwhile, and the locked ones, too, who read. Nobody waits.
    async fn others_go_on(&self, time: Duration) {
        let until = Instant::now() + time;
        let writers = self.others.iter().map(async |actor| {
            let mut done = 0;
            while Instant::now() < until {
                let began = Instant::now();
                let what = random_range(0..6);
                let answer = match what {
                    0 => actor.post(TASKS, json!({ "title": "Buy bread" })).await,
                    1 => {
                        actor
                            .patch("/api/v1/tasks/1", json!({ "completed": true }))
                            .await
                    }
                    2 => actor.get(TASKS).await,
                    3 => {
                        actor
                            .get(&format!("{TASKS}?completed=true&sort=title"))
                            .await
                    }
                    4 => {
                        actor
                            .patch_if_match("/api/v1/tasks/1", "\"99999\"", json!({ "title": "x" }))
                            .await
                    }
                    _ => actor.get("/api/v1/tasks/1").await,
                };
                assert!(matches!(answer.status, 200 | 201 | 412), "{answer}");
                assert!(
                    began.elapsed() < UNDISTURBED,
                    "{what} took {:?}",
                    began.elapsed()
                );
                done += 1;
            }
            done
        });
        let readers = self.locked.iter().map(async |actor| {
            while Instant::now() < until {
                let began = Instant::now();
                for path in ["/api/v1/tasks/1", TASKS] {
                    let answer = actor.get(path).await;
                    assert_eq!(answer.status, 200, "{answer}");
                    assert!(
                        began.elapsed() < UNDISTURBED,
                        "a read took {:?}",
                        began.elapsed()
                    );
                }
                sleep(Duration::from_millis(200)).await;
            }
        });
        let newcomers = async {
            for n in 0..3 {
                let began = Instant::now();
                self.server
                    .user(&format!("new-{n}"))
                    .create("Buy milk")
                    .await;
                assert!(
                    began.elapsed() < UNDISTURBED,
                    "a newcomer took {:?}",
                    began.elapsed()
                );
                sleep(time / 4).await;
            }
        };
        let (done, _, ()) = tokio::join!(join_all(writers), join_all(readers), newcomers);
        println!("{} requests of others", done.iter().sum::<i32>());
        assert!(done.iter().all(|done| *done > 3), "{done:?}");
    }
}

/// The lock is gone soon enough: the writes succeed.
async fn writes_wait_for_a_short_lock(connections: &str, table: &str, locked: usize) {
    if postgres().is_err() {
        return;
    }
    let mut story = Story::begin(connections, table, locked).await;
    let mut session = story.session.take().unwrap();
    let meanwhile = async {
        story.somebody_waits().await;
        story.others_go_on(Duration::from_secs(1)).await;
        session.execute("COMMIT").await.unwrap();
    };
    let (writes, ()) = tokio::join!(story.locked_writes(), meanwhile);
    for (answer, took) in writes {
        assert!(
            matches!(answer.status, 200 | 204),
            "{answer} after {took:?}"
        );
    }
    for actor in &story.locked {
        assert_eq!(actor.create("afterwards").await.id, 2);
    }
}

/// The lock stays: the writes are answered in time, and what is said of them holds.
async fn writes_are_refused_in_time(connections: &str, table: &str, locked: usize) {
    if postgres().is_err() {
        return;
    }
    let mut story = Story::begin(connections, table, locked).await;
    let meanwhile = async {
        story.somebody_waits().await;
        story.others_go_on(Duration::from_millis(5500)).await;
    };
    let (writes, ()) = tokio::join!(story.locked_writes(), meanwhile);
    let url = story.home.setting("DATABASE_URL").to_owned();
    story
        .session
        .as_mut()
        .unwrap()
        .execute("COMMIT")
        .await
        .unwrap();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND state <> 'idle' AND pid <> pg_backend_pid()";
    eventually("nothing runs any more", || async {
        (number(&url, busy).await == 0).then_some(())
    })
    .await;
    for (actor, (answer, took)) in story.locked.iter().zip(writes) {
        assert!(took < Duration::from_secs(5), "{answer} after {took:?}");
        assert_eq!(answer.status, 503, "{answer}");
        assert!(!answer.header("retry-after").is_empty(), "{answer}");
        if answer.code() == "database_unavailable" {
            let task = actor.get("/api/v1/tasks/1").await.has(200);
            assert_eq!(task.body["version"], 1, "refused, and yet done: {task}");
        } else {
            answer.fails(503, "outcome_unknown");
        }
        let again = actor.send(
            actor
                .request(Method::POST, TASKS)
                .json(&json!({ "title": "again" })),
        );
        again.await.has(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_task_delays_its_user_only() {
    writes_wait_for_a_short_lock("8", "task", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_clock_delays_its_user_only() {
    writes_wait_for_a_short_lock("4", "user_clock", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_locked_users_delay_nobody_else() {
    writes_are_refused_in_time("16", "task", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_locked_users_delay_nobody_else_at_four_connections() {
    writes_are_refused_in_time("4", "user_clock", 30).await;
}
