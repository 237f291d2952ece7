//! Each write takes the next revision, and revisions commit in their order.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use reqwest::Method;
use serde_json::json;

use super::{TASKS, all_at_once, busy, check_user_clock, numbers, revision, statuses};
use crate::support::{Backend, on_both};

on_both! {
    async fn ids_of_new_tasks_have_no_gaps(on: Backend) {
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
        check_user_clock(&app, "alice").await;
    }

    /// A client that has seen revision n has seen all changes up to n: nothing that commits later is numbered
    /// n or less. Change feeds and conditional requests depend on this.
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
        check_user_clock(&app, "alice").await;
    }

    async fn refused_writes_leave_the_revision_alone(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 2).await;
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
        check_user_clock(&app, "alice").await;
    }
}
