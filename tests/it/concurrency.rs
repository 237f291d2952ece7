//! Concurrent writes: revisions commit in order, and nothing is lost, counted twice or blocked for ever.

mod batches;
mod commits;
mod order;
mod places;
mod together;
mod users;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use reqwest::Method;
use sea_orm::{ConnectionTrait as _, Database, Statement};
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

/// Checks the clock of a user: its revision and counts against the tasks.
async fn check_user_clock(app: &TestApp, user: &str) {
    let db = Database::connect(&app.database_url).await.unwrap();
    let sql = format!(
        "SELECT revision, task_count, last_task_id, row_count, \
         (SELECT MAX(revision) FROM task WHERE user_id = '{user}'), \
         (SELECT COUNT(*) FROM task WHERE user_id = '{user}' AND deleted_at IS NULL), \
         (SELECT MAX(id) FROM task WHERE user_id = '{user}'), \
         (SELECT COUNT(*) FROM task WHERE user_id = '{user}') \
         FROM user_clock WHERE user_id = '{user}'"
    );
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await;
    let row = row.unwrap().unwrap();
    let number = |index| row.try_get_by_index::<i64>(index).unwrap();
    assert_eq!(
        [number(0), number(1), number(2), number(3)],
        [number(4), number(5), number(6), number(7)]
    );
    db.close().await.unwrap();
}

fn busy(on: Backend) -> impl Future<Output = TestApp> {
    on.app_with(|settings| settings.max_connections = 16)
}

on_both! {
    /// Two patches of different members of one task both take effect.
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

    async fn of_many_patches_with_one_etag_one_wins(on: Backend) {
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
}
