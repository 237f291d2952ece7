//! `listChanges`: what has changed since a revision, so that a copy can be kept in step.

mod copy;
mod cost;
mod faults;
mod pages;
mod resync;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Backend, TestApp, on_both};
pub use copy::{TaskCopy, state};

const TASKS: &str = "/api/v1/tasks";
pub const CHANGES: &str = "/api/v1/changes";

async fn changes(of: &Actor, query: &str) -> Answer {
    of.get(&format!("{CHANGES}{query}")).await
}

/// What a page says: each task as its id and version, each deletion with a minus before it; then `next`, with a plus if
/// there is a further page.
fn told(page: &Answer) -> String {
    let all = |name: &str, sign: &str| {
        let items = page.body[name].as_array().unwrap();
        let each = |item: &Value| format!("{sign}{}v{}", item["id"], item["version"]);
        items.iter().map(each).collect::<Vec<_>>()
    };
    let more = if page.body["cursor"].is_null() {
        ""
    } else {
        "+"
    };
    let (tasks, deleted) = (all("tasks", ""), all("deleted", "-"));
    format!(
        "{} -> {}{more}",
        [tasks, deleted].concat().join(" "),
        page.body["next"]
    )
}

/// Purges all tombstones of a server's database, as if they were old.
pub async fn purge(app: &TestApp) {
    let later = crate::storage::purge::in_days(31);
    let database = crate::storage::open(app, &later).await;
    database.purge(std::time::Duration::ZERO).await.unwrap();
    database.close().await;
}

on_both! {
    async fn a_sync_tells_what_was_written_since_the_one_before(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        assert_eq!(told(&changes(&alice, "").await.has(200)), " -> 0");
        let uid = "0b9d6d5e-3c8e-4b0a-a1a4-6f0b1a6e9c11";
        alice.create("Buy milk").await;
        alice.create_with(json!({ "title": "Buy bread", "uid": uid })).await;
        alice.create("Call mum").await;
        let first = changes(&alice, "?since=0").await.has(200);
        assert_eq!(told(&first), "1v1 2v2 3v3 -> 3");
        // A task is as every other operation shows it.
        assert_eq!(first.body["tasks"][1], alice.get("/api/v1/tasks/2").await.body);
        assert_eq!(told(&changes(&alice, "?since=3").await), " -> 3");

        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);
        alice.delete("/api/v1/tasks/2").await.has(204);
        alice.patch("/api/v1/tasks/1", json!({ "title": "Buy oat milk" })).await.has(200);
        // Changed twice, and told once.
        let second = changes(&alice, "?since=3").await;
        assert_eq!(told(&second), "1v6 -2v5 -> 6");
        assert_eq!(second.body["deleted"], json!([{ "id": 2, "uid": uid, "version": 5 }]));
        assert_eq!(told(&changes(&alice, "?since=5").await), "1v6 -> 6");

        alice.post_nothing("/api/v1/tasks/2/restore").await.has(200);
        assert_eq!(told(&changes(&alice, "?since=6").await), "2v7 -> 7");
        assert_eq!(told(&changes(&alice, "").await), "3v3 1v6 2v7 -> 7");
    }

    async fn a_batch_is_told_as_its_tasks_are_afterwards(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("old").await;
        let all = json!([
            { "op": "create", "task": { "title": "a" } }, { "op": "update", "id": 1, "patch": { "title": "new" } },
            { "op": "create", "task": { "title": "b" } }, { "op": "delete", "id": 2 }, { "op": "update", "id": 3, "patch": { "title": "c" } },
        ]);
        alice.post("/api/v1/tasks/batch", json!({ "operations": all })).await.has(200);
        assert_eq!(told(&changes(&alice, "?since=1").await), "1v3 3v6 -2v5 -> 6");
        // In the middle of it, too.
        assert_eq!(told(&changes(&alice, "?since=4").await), "3v6 -2v5 -> 6");
    }

    async fn everybody_has_changes_of_their_own(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("hers").await;
        alice.create("hers, too").await;
        assert_eq!(told(&changes(&bob, "").await), " -> 0");
        bob.create("his").await;
        let his = changes(&bob, "").await;
        assert_eq!(told(&his), "1v1 -> 1");
        assert!(!his.text.contains("hers"), "{his}");
        let cursor = changes(&alice, "?limit=1").await.body["cursor"].as_str().unwrap().to_owned();
        changes(&bob, &format!("?cursor={cursor}")).await.fails(400, "invalid_cursor");
        assert_eq!(told(&changes(&alice, &format!("?cursor={cursor}")).await), "2v2 -> 2");
    }

    async fn a_page_looks_like_this(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        alice.create("Buy bread").await;
        alice.delete("/api/v1/tasks/1").await.has(204);
        changes(&alice, "?since=0").await.is(expect![[r#"
            200 OK

            {
              "tasks": [
                {
                  "id": 2,
                  "uid": null,
                  "user_id": "alice",
                  "title": "Buy bread",
                  "description": null,
                  "completed": false,
                  "completed_at": null,
                  "priority": "medium",
                  "due_date": null,
                  "tags": [],
                  "created_at": "[now]",
                  "updated_at": "[now]",
                  "version": 2
                }
              ],
              "deleted": [
                {
                  "id": 1,
                  "uid": null,
                  "version": 3
                }
              ],
              "cursor": null,
              "next": 3
            }"#]]);
    }
}
