//! `listTasks`.

mod faults;
mod filters;
mod from_memory;
mod pages;
mod search;
mod sorts;
mod time_zones;
mod unchanged;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";

/// The ids of a list, in its order.
fn ids(answer: &Answer) -> Vec<i64> {
    answer
        .items()
        .iter()
        .map(|task| task["id"].as_i64().unwrap())
        .collect()
}

/// The ids of the first page of a list.
async fn listed(actor: &Actor, query: &str) -> Vec<i64> {
    ids(&actor.get(&format!("{TASKS}{query}")).await.has(200))
}

/// Follows the links, as they come, from the first page to the last.
async fn walk(actor: &Actor, query: &str, limit: usize) -> Vec<i64> {
    let mut path = format!("{TASKS}?{query}&limit={limit}");
    let mut seen = Vec::new();
    loop {
        let page = actor.get(&path).await.has(200);
        seen.extend(ids(&page));
        let cursor = &page.body["next_cursor"];
        let Some(link) = page.header("link").strip_prefix('<') else {
            assert_eq!(*cursor, Value::Null);
            // The last page may be the only one, but is never empty after another.
            assert!(!page.items().is_empty() || seen.is_empty());
            return seen;
        };
        assert_eq!(page.items().len(), limit);
        path = link.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        assert!(
            path.ends_with(&format!("&cursor={}", cursor.as_str().unwrap())),
            "{path}"
        );
    }
}

on_both! {
    async fn a_new_user_has_an_empty_list(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("Buy milk").await;
        bob.get(TASKS).await.is(expect![[r#"
            200 OK
            etag: "0"

            {
              "items": [],
              "next_cursor": null
            }"#]]);
    }

    async fn a_list_has_the_newest_fifty_tasks(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("Buy milk").await;
        let second = alice.create_with(json!({ "title": "Call mum", "tags": ["family"] })).await;
        bob.create("Water the plants").await;
        let list = alice.get(TASKS).await;
        list.is(expect![[r#"
            200 OK
            etag: "2"

            {
              "items": [
                {
                  "id": 2,
                  "uid": null,
                  "user_id": "alice",
                  "title": "Call mum",
                  "description": null,
                  "completed": false,
                  "completed_at": null,
                  "priority": "medium",
                  "due_date": null,
                  "tags": [
                    "family"
                  ],
                  "created_at": "[now]",
                  "updated_at": "[now]",
                  "version": 2
                },
                {
                  "id": 1,
                  "uid": null,
                  "user_id": "alice",
                  "title": "Buy milk",
                  "description": null,
                  "completed": false,
                  "completed_at": null,
                  "priority": "medium",
                  "due_date": null,
                  "tags": [],
                  "created_at": "[now]",
                  "updated_at": "[now]",
                  "version": 1
                }
              ],
              "next_cursor": null
            }"#]]);
        assert_eq!(list.items()[0], second.task);
        assert_eq!(list.header("content-type"), "application/json");

        for n in 3..=51 {
            alice.create(&format!("Task {n}")).await;
        }
        let list = alice.get(TASKS).await;
        assert_eq!(ids(&list), (2..=51).rev().collect::<Vec<_>>());
        assert_eq!(listed(&alice, "?limit=100").await.len(), 51);
    }

    async fn deleted_tasks_are_not_listed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for title in ["one", "two", "three"] {
            alice.create(title).await;
        }
        alice.delete("/api/v1/tasks/2").await.has(204);
        assert_eq!(listed(&alice, "").await, [3, 1]);
        assert_eq!(listed(&alice, "?q=two").await, [0; 0]);
        alice.post_nothing("/api/v1/tasks/2/restore").await.has(200);
        assert_eq!(listed(&alice, "").await, [3, 2, 1]);
        // A user whose tasks are all deleted has a revision.
        for id in 1..=3 {
            alice.delete(&format!("/api/v1/tasks/{id}")).await.has(204);
        }
        let list = alice.get(TASKS).await.has(200);
        assert_eq!((list.items().len(), list.header("etag")), (0, "\"8\""));
    }
}
