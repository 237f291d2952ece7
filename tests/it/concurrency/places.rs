//! The limit on tasks: creations, deletions and restorations compete for the same places.

use serde_json::json;

use super::{TASKS, all_at_once, check_user_clock, numbers, statuses};
use crate::support::{Backend, on_both};

on_both! {
    async fn of_many_deletions_of_one_task_one_counts(on: Backend) {
        let app = on.app_with(|settings| {
            settings.limits.tasks = 3;
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
        check_user_clock(&app, "alice").await;
        // One comes back for one that goes, once, however many ask.
        assert_eq!(alice.delete(&format!("{TASKS}/1")).await.status, 204);
        let restore = format!("{path}/restore");
        let answers = all_at_once(8, |_| alice.post(&restore, json!({}))).await;
        assert_eq!(statuses(&answers), [(200, 8)].into());
        assert_eq!(numbers(&answers, "version").len(), 1);
        assert_eq!(alice.titles("").await.len(), 3);
        check_user_clock(&app, "alice").await;
    }

    async fn the_task_limit_holds_under_concurrent_writes(on: Backend) {
        let app = on.app_with(|settings| {
            settings.limits.tasks = 10;
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
        check_user_clock(&app, "alice").await;
    }
}
