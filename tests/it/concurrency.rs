//! Many at once: revisions commit in order, nothing is lost, counted twice or waited for in vain.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database, Statement, TransactionTrait as _};
use serde_json::json;

use crate::support::{Actor, Answer, Backend, TestApp, on_both};

const TASKS: &str = "/api/v1/tasks";

fn statuses(answers: &[Answer]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.status).or_default() += 1;
    }
    counts
}

/// The same, by so many at once.
async fn all_at_once<F: Future<Output = Answer>>(
    many: i64,
    what: impl Fn(i64) -> F,
) -> Vec<Answer> {
    join_all((1..=many).map(what)).await
}

fn numbers(answers: &[Answer], member: &str) -> BTreeSet<i64> {
    answers
        .iter()
        .map(|answer| answer.body[member].as_i64().unwrap())
        .collect()
}

async fn revision(of: &Actor) -> i64 {
    let tag = of
        .get(&format!("{TASKS}?limit=1"))
        .await
        .header("etag")
        .to_owned();
    tag.trim_matches('"').parse().unwrap()
}

/// What the database says about a user: the clock's revision and count, and what they should be.
async fn check_books(app: &TestApp, user: &str) {
    let db = Database::connect(&app.database_url).await.unwrap();
    let sql = format!(
        "SELECT revision, task_count, last_task_id, \
         (SELECT MAX(revision) FROM task WHERE user_id = '{user}'), \
         (SELECT COUNT(*) FROM task WHERE user_id = '{user}' AND deleted_at IS NULL), \
         (SELECT MAX(id) FROM task WHERE user_id = '{user}') \
         FROM user_clock WHERE user_id = '{user}'"
    );
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await;
    let row = row.unwrap().unwrap();
    let number = |index| row.try_get_by_index::<i64>(index).unwrap();
    assert_eq!(
        [number(0), number(1), number(2)],
        [number(3), number(4), number(5)]
    );
    db.close().await.unwrap();
}

fn busy(on: Backend) -> impl Future<Output = TestApp> {
    on.app_with(|settings| settings.max_connections = 16)
}

on_both! {
    async fn creations_number_without_gaps(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        let answers = all_at_once(32, |n| alice.post(TASKS, json!({ "title": format!("{n}") }))).await;
        assert_eq!(statuses(&answers), [(201, 32)].into());
        assert_eq!(numbers(&answers, "id"), (1..=32).collect());
        assert_eq!(numbers(&answers, "version"), (1..=32).collect());
        for answer in &answers {
            assert_eq!(answer.body["id"], answer.body["version"], "created in the order of their numbers");
        }
        // Each its own task, and then all of them one task.
        let own = async |id: i64| alice.patch(&format!("{TASKS}/{id}"), json!({ "priority": "high" })).await;
        let answers = all_at_once(32, own).await;
        assert_eq!(statuses(&answers), [(200, 32)].into());
        assert_eq!(numbers(&answers, "version").len(), 32);
        let same = async |n: i64| alice.patch(&format!("{TASKS}/1"), json!({ "title": format!("{n}") })).await;
        let answers = all_at_once(32, same).await;
        assert_eq!(statuses(&answers), [(200, 32)].into());
        assert_eq!(numbers(&answers, "version").len(), 32);
        assert!(revision(&alice).await >= 96);
        let last = answers.iter().max_by_key(|answer| answer.body["version"].as_i64()).unwrap();
        assert_eq!(alice.get(&format!("{TASKS}/1")).await.body, last.body);
        check_books(&app, "alice").await;
    }

    /// Two patches of different members of one task: neither undoes the other.
    async fn patches_of_different_members_all_count(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        for round in 0..8 {
            let task = alice.create("Buy milk").await;
            let patches = [
                json!({ "title": "Buy oat milk" }),
                json!({ "description": "Two litres" }),
                json!({ "completed": true }),
                json!({ "priority": "low" }),
                json!({ "due_date": "2026-02-06" }),
                json!({ "tags": ["shopping"] }),
            ];
            let answers = join_all(patches.iter().map(|patch| alice.patch(&task.location, patch.clone()))).await;
            assert_eq!(statuses(&answers), [(200, 6)].into(), "round {round}");
            let now = alice.get(&task.location).await.body;
            for patch in &patches {
                for (name, value) in patch.as_object().unwrap() {
                    assert_eq!(&now[name], value, "round {round}");
                }
            }
        }
        assert_eq!(alice.titles("?q=TWO&tag=Shopping").await.len(), 8);
    }

    /// Whoever has seen revision n has seen all that n stands for: nothing that commits later is numbered
    /// n or less. Change feeds and conditional requests stand on this.
    async fn revisions_commit_in_order(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        for title in ["a", "b", "c", "d"] {
            alice.create(title).await;
        }
        let writing = AtomicBool::new(true);
        let writers = async {
            all_at_once(8, async |writer| {
                for round in 0..10 {
                    let title = format!("{writer} {round}");
                    if round % 2 == 0 {
                        alice.create(&title).await;
                    }
                    let shared = format!("{TASKS}/{}", writer % 4 + 1);
                    alice.patch(&shared, json!({ "title": title })).await;
                }
                alice.get(TASKS).await
            })
            .await;
            writing.store(false, Relaxed);
        };
        let reader = async || {
            let (mut seen, mut known, mut polls) = (0, BTreeMap::new(), 0);
            while writing.load(Relaxed) {
                let page = alice.get(&format!("{TASKS}?sort=-updated_at&limit=100")).await;
                let now: i64 = page.header("etag").trim_matches('"').parse().unwrap();
                assert!(now >= seen, "{now} after {seen}");
                let tasks: BTreeMap<_, _> = page
                    .items()
                    .iter()
                    .map(|task| (task["id"].as_i64().unwrap(), task["version"].as_i64().unwrap()))
                    .collect();
                // The clock and the tasks are of one moment: the last change is the revision.
                assert_eq!(tasks.values().max(), Some(&now));
                for (id, version) in &tasks {
                    let news = known.get(id) != Some(version);
                    assert!(!news || *version > seen, "task {id} at {version} came after revision {seen}");
                }
                (seen, known, polls) = (now, tasks, polls + 1);
            }
            polls
        };
        let ((), polls, more) = tokio::join!(writers, reader(), reader());
        assert!(polls > 5 && more > 5, "{polls}, {more}");
        check_books(&app, "alice").await;
    }

    async fn refused_writes_leave_the_revision_alone(on: Backend) {
        let app = on.app_with(|settings| settings.max_tasks = 2).await;
        let alice = app.user("alice");
        let kept = alice.create("kept").await;
        let gone = alice.create("gone").await;
        alice.delete(&gone.location).await;
        alice.create("in its place").await;
        let before = alice.get(TASKS).await;
        let delete = |path: &str| {
            alice.send(alice.request(Method::DELETE, path).header("If-Match", "\"999\""))
        };
        let refused = [
            (404, alice.patch(&format!("{TASKS}/99"), json!({ "title": "x" })).await),
            (404, alice.patch(&gone.location, json!({ "title": "x" })).await),
            (404, alice.delete(&gone.location).await),
            (404, alice.post(&format!("{TASKS}/99/restore"), json!({})).await),
            (412, alice.patch_if_match(&kept.location, "\"999\"", json!({ "title": "x" })).await),
            (412, delete(&kept.location).await),
            (409, alice.post(TASKS, json!({ "title": "too many" })).await),
            (409, alice.post(&format!("{}/restore", gone.location), json!({})).await),
            (422, alice.patch(&kept.location, json!({ "title": null })).await),
            (200, alice.patch(&kept.location, json!({})).await),
            (200, alice.post(&format!("{}/restore", kept.location), json!({})).await),
        ];
        for (status, answer) in &refused {
            assert_eq!(answer.status, *status, "{answer}");
        }
        let after = alice.get(TASKS).await;
        assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
        check_books(&app, "alice").await;
    }

    async fn one_of_many_with_the_same_tag_wins(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        let task = alice.create("Buy milk").await;
        let patch = |n: i64| {
            let body = json!({ "title": format!("{n}") });
            alice.patch_if_match(&task.location, &task.etag, body)
        };
        let answers = all_at_once(32, patch).await;
        assert_eq!(statuses(&answers), [(200, 1), (412, 31)].into());
        let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
        assert_eq!(alice.get(&task.location).await.body, winner.body);
        for loser in answers.iter().filter(|answer| answer.status == 412) {
            assert_eq!(loser.body["current"], winner.body);
        }
        assert_eq!(revision(&alice).await, 2);
    }

    async fn one_of_many_deletions_counts(on: Backend) {
        let app = on.app_with(|settings| {
            settings.max_tasks = 3;
            settings.max_connections = 16;
        })
        .await;
        let alice = app.user("alice");
        for title in ["a", "b", "c"] {
            alice.create(title).await;
        }
        let path = format!("{TASKS}/2");
        let answers = all_at_once(32, |_| alice.delete(&path)).await;
        assert_eq!(statuses(&answers), [(204, 1), (404, 31)].into());
        // Exactly one place is free.
        let answers = all_at_once(4, |_| alice.post(TASKS, json!({ "title": "d" }))).await;
        assert_eq!(statuses(&answers), [(201, 1), (409, 3)].into());
        check_books(&app, "alice").await;
        // One comes back for one that goes, once, however many ask.
        assert_eq!(alice.delete(&format!("{TASKS}/1")).await.status, 204);
        let restore = format!("{path}/restore");
        let answers = all_at_once(8, |_| alice.post(&restore, json!({}))).await;
        assert_eq!(statuses(&answers), [(200, 8)].into());
        assert_eq!(numbers(&answers, "version").len(), 1);
        assert_eq!(alice.titles("").await.len(), 3);
        check_books(&app, "alice").await;
    }

    async fn the_limit_holds(on: Backend) {
        let app = on.app_with(|settings| {
            settings.max_tasks = 10;
            settings.max_connections = 16;
        })
        .await;
        let alice = app.user("alice");
        let answers = all_at_once(32, |_| alice.post(TASKS, json!({ "title": "x" }))).await;
        assert_eq!(statuses(&answers), [(201, 10), (409, 22)].into());
        let created: Vec<_> = answers.into_iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(numbers(&created, "id"), (1..=10).collect());
        // Creations and restorations compete for the same places.
        for id in 1..=5 {
            alice.delete(&format!("{TASKS}/{id}")).await;
        }
        let answers = all_at_once(20, async |n| match n {
            1..=5 => alice.post(&format!("{TASKS}/{n}/restore"), json!({})).await,
            _ => alice.post(TASKS, json!({ "title": "x" })).await,
        })
        .await;
        assert_eq!(statuses(&answers)[&409], 15, "{:?}", statuses(&answers));
        assert_eq!(alice.titles("").await.len(), 10);
        check_books(&app, "alice").await;
    }

    async fn one_key_creates_one_task(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        let answers = all_at_once(32, |_| {
            let request = alice.request(Method::POST, TASKS).header("Idempotency-Key", "one");
            alice.send(request.json(&json!({ "title": "Buy milk" })))
        })
        .await;
        assert_eq!(statuses(&answers), [(201, 32)].into());
        assert_eq!(numbers(&answers, "id").len(), 1);
        let replayed = answers.iter().filter(|answer| answer.header("idempotency-replayed") == "true");
        assert_eq!(replayed.count(), 31);
        assert_eq!(alice.titles("").await.len(), 1);
    }

    /// Everything at once on a few tasks of two users: no deadlock, no error, and the books are right.
    async fn a_storm_leaves_the_books_right(on: Backend) {
        let app = busy(on).await;
        let users = [app.user("alice"), app.user("bob")];
        for user in &users {
            for title in ["a", "b", "c", "d"] {
                user.create(title).await;
            }
        }
        all_at_once(160, async |n| {
            let user = &users[usize::try_from(n % 2).unwrap()];
            let path = format!("{TASKS}/{}", n / 2 % 4 + 1);
            let (answer, fine) = match n / 8 % 5 {
                0 => (user.delete(&path).await, [204, 404]),
                // There is room, and either the task or a fresh tombstone.
                1 => (user.post(&format!("{path}/restore"), json!({})).await, [200, 200]),
                2 => (user.post(TASKS, json!({ "title": "e" })).await, [201, 201]),
                3 => (user.get(TASKS).await, [200, 200]),
                // It expects no version, so none can be wrong.
                _ => (user.patch(&path, json!({ "title": format!("{n}") })).await, [200, 404]),
            };
            assert!(fine.contains(&answer.status), "{answer}");
            answer
        })
        .await;
        for user in ["alice", "bob"] {
            check_books(&app, user).await;
        }
    }

    /// The rate of one user is no matter of another's.
    async fn one_users_haste_does_not_slow_another(on: Backend) {
        let two = NonZeroU32::new(2).unwrap();
        let limit = taskward::access::RateLimit { per_second: two, burst: two };
        let app = on.app_with(|settings| settings.rate_limit = Some(limit)).await;
        let (alice, bob) = app.two_users();
        let answers = all_at_once(32, |_| alice.get(TASKS)).await;
        assert!(statuses(&answers)[&429] >= 28, "{:?}", statuses(&answers));
        assert_eq!(bob.get(TASKS).await.status, 200);
    }
}

/// Who holds the lock of Alice's clock holds up Alice, and nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_do_not_wait_for_each_others_locks() {
    if crate::support::postgres::postgres().is_err() {
        return;
    }
    let app = Backend::Postgres.app().await;
    let (alice, bob) = app.two_users();
    alice.create("hers").await;
    let his = bob.create("his").await;
    let db = Database::connect(&app.database_url).await.unwrap();
    let lock = db.begin().await.unwrap();
    lock.execute_unprepared("SELECT 1 FROM user_clock WHERE user_id = 'alice' FOR UPDATE")
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let alice = alice.clone();
        async move { alice.create("waits").await }
    });
    let free = async {
        bob.create("his, too").await;
        assert_eq!(
            bob.patch(&his.location, json!({ "completed": true }))
                .await
                .status,
            200
        );
        assert_eq!(bob.delete(&his.location).await.status, 204);
        app.user("carol").create("the first of a new user").await;
        // Readers wait for no writer.
        assert_eq!(alice.titles("").await, ["hers"]);
    };
    tokio::time::timeout(Duration::from_secs(5), free)
        .await
        .expect("nobody else waits");
    assert!(!waiting.is_finished(), "the lock was not held");
    lock.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().id, 2);
}
