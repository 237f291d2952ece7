//! Batches beside lone writes of the same user: each takes its revisions in one piece, and nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use rand::random_range;
use serde_json::{Value, json};
use uuid_text::uuid;

use super::{TASKS, busy, check_user_clock, revision};
use crate::support::{Actor, Backend, on_both};

const BATCH: &str = "/api/v1/tasks/batch";
const WRITERS: usize = 32;
const ROUNDS: usize = 6;

mod uuid_text {
    /// A random UUID.
    pub fn uuid() -> String {
        let hex = format!("{:032x}", rand::random::<u128>());
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

fn version(task: &Value) -> i64 {
    task["version"].as_i64().unwrap()
}

/// A batch of all kinds of operations: the revisions that it took, and the ids that it gave.
async fn write_many(actor: &Actor) -> (Vec<i64>, Vec<i64>) {
    let operations: Vec<Value> = (0..random_range(5..40))
        .map(|_| {
            let id = random_range(1..=20);
            match random_range(0..6) {
                0 | 1 => json!({ "op": "create", "task": { "title": "many", "uid": uuid() } }),
                2 => json!({ "op": "create", "task": { "title": "many" } }),
                3 => json!({ "op": "update", "id": id, "patch": { "title": "changed", "completed": true } }),
                4 => json!({ "op": "update", "id": id, "patch": { "priority": "low" } }),
                _ => json!({ "op": "update", "id": id, "if_version": 1, "patch": { "priority": "high" } }),
            }
        })
        .collect();
    let answer = actor
        .post(BATCH, json!({ "operations": operations }))
        .await
        .has(200);
    let results = answer.body["results"].as_array().unwrap();
    let done: Vec<&Value> = results
        .iter()
        .map(|result| &result["task"])
        .filter(|task| !task.is_null())
        .collect();
    let versions: Vec<i64> = done.iter().map(|task| version(task)).collect();
    assert!(
        versions.windows(2).all(|two| two[1] == two[0] + 1),
        "consecutive: {versions:?}"
    );
    assert_eq!(
        versions.last().copied(),
        answer.body["revision"].as_i64(),
        "{answer}"
    );
    let created = results.iter().filter(|result| result["status"] == 201);
    (
        versions,
        created
            .map(|result| result["task"]["id"].as_i64().unwrap())
            .collect(),
    )
}

async fn write_one(actor: &Actor) -> (Vec<i64>, Vec<i64>) {
    let id = random_range(1..=20);
    let (answer, created) = match random_range(0..3) {
        0 => (
            actor.post(TASKS, json!({ "title": "one" })).await.has(201),
            true,
        ),
        1 => (
            actor
                .post(TASKS, json!({ "title": "one", "uid": uuid() }))
                .await
                .has(201),
            true,
        ),
        _ => (
            actor
                .patch(&format!("{TASKS}/{id}"), json!({ "title": "one" }))
                .await
                .has(200),
            false,
        ),
    };
    let id = created.then(|| answer.body["id"].as_i64().unwrap());
    (vec![version(&answer.body)], id.into_iter().collect())
}

on_both! {
    async fn revisions_and_ids_are_given_once_and_without_gaps(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        let first: Vec<_> = (0..20).map(|_| json!({ "op": "create", "task": { "title": "first" } })).collect();
        alice.post(BATCH, json!({ "operations": first })).await.has(200);
        let work = (0..WRITERS).map(|writer| {
            let alice = alice.clone();
            async move {
                let mut all = (Vec::new(), Vec::new());
                for _ in 0..ROUNDS {
                    let (versions, ids) = match writer % 4 {
                        0 => write_many(&alice).await,
                        _ => write_one(&alice).await,
                    };
                    all.0.extend(versions);
                    all.1.extend(ids);
                }
                all
            }
        });
        // A client that has seen revision n has seen all changes up to n.
        let reader = async {
            let (mut seen, mut known) = (0, BTreeMap::new());
            for _ in 0..20 {
                let page = alice.get(&format!("{TASKS}?sort=-updated_at&limit=100")).await;
                let now: i64 = page.header("etag").trim_matches('"').parse().unwrap();
                let tasks: BTreeMap<_, _> = page.items().iter().map(|task| (task["id"].as_i64(), version(task))).collect();
                assert_eq!(tasks.values().max(), Some(&now));
                for (id, version) in &tasks {
                    assert!(known.get(id) == Some(version) || known.is_empty() || *version > seen || !known.contains_key(id));
                }
                (seen, known) = (now, tasks);
            }
        };
        let (given, ()) = tokio::join!(join_all(work), reader);
        let versions: Vec<i64> = given.iter().flat_map(|(versions, _)| versions.clone()).collect();
        let ids: Vec<i64> = given.iter().flat_map(|(_, ids)| ids.clone()).collect();
        let last = revision(&alice).await;
        assert_eq!(versions.iter().copied().collect::<BTreeSet<_>>(), (21..=last).collect());
        let count = |of: &[i64]| i64::try_from(of.len()).unwrap();
        assert_eq!(count(&versions), last - 20, "each revision was given once");
        assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), (21..=20 + count(&ids)).collect());
        check_user_clock(&app, "alice").await;
    }

    /// Of two batches that expect the same version of a task, one changes it, and the other is told.
    async fn of_two_batches_that_race_nothing_is_lost(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        for id in 1..=4 {
            alice.create(&format!("{id}")).await;
        }
        for round in 0..8 {
            let list = alice.get(&format!("{TASKS}?sort=created_at")).await;
            let atomic = round % 2 == 1;
            let ask = async |name: String| {
                let mut operations: Vec<_> = list.items().iter().map(|task| json!({
                    "op": "update", "id": task["id"], "if_version": task["version"], "patch": { "title": name },
                })).collect();
                if name.ends_with('1') {
                    operations.reverse();
                }
                alice.post(BATCH, json!({ "operations": operations, "atomic": atomic })).await.has(200)
            };
            let answers = join_all((0..4).map(|n| ask(format!("{round} {n}")))).await;
            let failed: Vec<_> = answers.iter().map(|answer| answer.body["failed"].as_i64().unwrap()).collect();
            assert_eq!(failed.iter().filter(|failed| **failed == 0).count(), 1, "one wins all: {failed:?}");
            assert_eq!(failed.iter().filter(|failed| **failed == 4).count(), 3, "{failed:?}");
            let winner = failed.iter().position(|failed| *failed == 0).unwrap();
            assert_eq!(alice.titles("").await, vec![format!("{round} {winner}"); 4]);
        }
        assert_eq!(revision(&alice).await, 4 + 8 * 4);
    }

    async fn of_two_batches_of_one_uid_one_creates(on: Backend) {
        let app = busy(on).await;
        let alice = app.user("alice");
        let uids: Vec<_> = (0..10).map(|_| uuid()).collect();
        let operations: Vec<_> = uids.iter().map(|uid| json!({ "op": "create", "task": { "title": "once", "uid": uid } })).collect();
        let body = json!({ "operations": operations });
        let answers = join_all((0..6).map(|_| alice.post(BATCH, body.clone()))).await;
        let replayed = answers.iter().flat_map(|answer| answer.body["results"].as_array().unwrap());
        assert_eq!(replayed.filter(|result| result["replayed"] == false).count(), 10);
        assert_eq!(alice.titles("").await.len(), 10);
        check_user_clock(&app, "alice").await;
    }
}
