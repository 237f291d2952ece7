//! Batches near the limits: each operation is judged by itself, and the oldest tombstones go.

use serde_json::{Value, json};

use super::{
    LARGE, NOT_FOUND, TASKS, at_most, check_counts, delete, large, number, restore, usage,
};
use crate::{
    batch_tasks::{UID, atomic, batch, create_as, told},
    support::{Actor, Backend, on_both},
};

const OTHER: &str = "019300f1-7c2e-7000-8000-000000000001";
const REFUSED: &str = "409 storage_limit_reached";

fn create_large(title: &str) -> Value {
    json!({ "op": "create", "task": large(title) })
}

fn update(id: i64, patch: Value) -> Value {
    json!({ "op": "update", "id": id, "patch": patch })
}

fn on(op: &str, id: i64) -> Value {
    json!({ "op": op, "id": id })
}

fn delete_uid(uid: &str) -> Value {
    json!({ "op": "delete", "uid": uid })
}

async fn purged_revision(app: &crate::support::TestApp) -> i64 {
    number(
        app,
        "SELECT purged_revision FROM user_clock WHERE user_id = 'alice'",
    )
    .await
}

async fn create_all(who: &Actor, titles: &[&str]) {
    for title in titles {
        who.create_with(large(title)).await;
    }
}

on_both! {
    async fn operations_count_as_single_requests_do(on_db: Backend) {
        let app = on_db.app().await;
        let (alice, bob) = app.two_users();
        let changes = [
            json!({ "title": "é", "description": null, "tags": ["a", "é"] }),
            json!({ "description": "Ünïcode", "completed": true }),
        ];
        batch(&alice, json!([
            create_large("a"),
            create_as(UID, "milk"),
            update(1, changes[0].clone()),
            update(1, changes[1].clone()),
            on("delete", 2),
        ])).await;
        bob.create_with(large("a")).await;
        bob.create_with(json!({ "title": "milk", "uid": UID })).await;
        for change in &changes {
            bob.patch(&format!("{TASKS}/1"), change.clone()).await.has(200);
        }
        delete(&bob, 2).await;
        assert_eq!(usage(&alice).await, usage(&bob).await);
        // Of what is there already, too.
        batch(&alice, json!([update(1, json!({ "title": "longer" })), on("restore", 2), update(2, json!({ "tags": ["x"] }))])).await;
        bob.patch(&format!("{TASKS}/1"), json!({ "title": "longer" })).await.has(200);
        assert_eq!(restore(&bob, 2).await, 200);
        bob.patch(&format!("{TASKS}/2"), json!({ "tags": ["x"] })).await.has(200);
        assert_eq!(usage(&alice).await, usage(&bob).await);
        check_counts(&app).await;
    }

    async fn an_operation_for_which_there_is_no_room_is_refused_by_itself(on_db: Backend) {
        let app = on_db.app_with(at_most(100, 3 * LARGE)).await;
        let alice = app.user("alice");
        create_all(&alice, &["a", "b"]).await;
        let answer = batch(&alice, json!([
            create_large("c"),
            create_large("d"),
            update(1, json!({ "title": "aa" })),
            update(1, json!({ "description": "short" })),
            update(1, json!({ "title": "aa" })),
            create_large("d"),
            on("delete", 2),
        ])).await;
        assert_eq!(told(&answer), ["201 c v3", REFUSED, REFUSED, "200 a v4", "200 aa v5", REFUSED, "204"]);
        assert_eq!(
            answer.body["results"][1]["problem"]["detail"],
            "Your tasks take 3006 of 3006 bytes, and this needs 1002 more; delete tasks or shorten their texts."
        );
        check_counts(&app).await;
    }

    async fn the_oldest_tombstones_make_room_for_a_batch(on_db: Backend) {
        let app = on_db.app_with(at_most(100, 4 * LARGE)).await;
        let (alice, bob) = app.two_users();
        for who in [&alice, &bob] {
            create_all(who, &["a", "b", "c"]).await;
            delete(who, 2).await;
            delete(who, 1).await;
        }
        // One fits as it is, the second needs the place of the oldest, the third that of the other.
        let answer = batch(&alice, json!([
            create_large("d"),
            create_large("e"),
            on("restore", 2),
            on("restore", 1),
            create_large("f"),
        ])).await;
        assert_eq!(told(&answer), ["201 d v6", "201 e v7", "404 task_not_found", "200 a v8", REFUSED]);
        assert_eq!(usage(&alice).await, [4, 0, 4 * LARGE]);
        assert_eq!(purged_revision(&app).await, 4);
        assert_eq!(usage(&bob).await, [1, 2, 3 * LARGE]);
        check_counts(&app).await;
    }

    async fn no_tombstone_goes_for_a_batch_in_vain(on_db: Backend) {
        let app = on_db.app_with(at_most(100, 3 * LARGE)).await;
        let alice = app.user("alice");
        create_all(&alice, &["a", "b"]).await;
        alice.create("small").await;
        delete(&alice, 3).await;
        let larger = json!({ "op": "create", "task": { "title": "c", "description": "x".repeat(1_000) } });
        assert_eq!(told(&batch(&alice, json!([larger])).await), [REFUSED]);
        let answer = atomic(&alice, json!([create_large("c"), on("delete", 9)])).await;
        assert_eq!(told(&answer), ["424 batch_not_done", "404 task_not_found"]);
        assert_eq!((usage(&alice).await[1], purged_revision(&app).await), (1, 0));
        assert_eq!(told(&atomic(&alice, json!([create_large("c")])).await), ["201 c v5"]);
        assert_eq!((usage(&alice).await[1], purged_revision(&app).await), (0, 4));
        check_counts(&app).await;
    }

    /// After its operator has lowered the limit, a user deletes more than is kept of what was deleted.
    async fn a_batch_may_delete_more_than_there_may_be_tombstones(on_db: Backend) {
        let before = on_db.app_with(at_most(10, 1 << 20)).await;
        create_all(&before.user("alice"), &["a", "b", "c", "d", "e", "f"]).await;
        let app = before.another(at_most(2, 1 << 20)).await;
        let alice = app.user("alice");
        let all: Vec<_> = (1..=6).map(|id| on("delete", id)).collect();
        assert_eq!(told(&batch(&alice, json!(all)).await), ["204"; 6]);
        assert_eq!(usage(&alice).await, [0, 2, 2 * LARGE]);
        assert_eq!(purged_revision(&app).await, 10);
        assert_eq!(restore(&alice, 4).await, NOT_FOUND);
        assert_eq!(told(&batch(&alice, json!([on("restore", 4), on("restore", 5)])).await), ["404 task_not_found", "200 e v13"]);
        assert_eq!(alice.titles("").await, ["e"]);
        check_counts(&app).await;
    }

    async fn the_uid_of_a_purged_task_is_free(on_db: Backend) {
        let app = on_db.app_with(at_most(1, 1 << 20)).await;
        let alice = app.user("alice");
        let body = json!({ "title": "milk", "uid": UID });
        alice.create_with(body.clone()).await;
        delete(&alice, 1).await;
        alice.post(TASKS, body.clone()).await.fails(409, "uid_of_deleted_task");
        alice.create("another").await;
        delete(&alice, 2).await;
        assert_eq!(alice.create_with(body).await.task["id"], 3);
        // Within one batch, of a task that was there and of one that it made.
        let answer = batch(&alice, json!([
            delete_uid(UID),
            create_as(OTHER, "bread"),
            delete_uid(OTHER),
            create_as(UID, "oat milk"),
            on("restore", 3),
            delete_uid(UID),
            create_as(OTHER, "tea"),
        ])).await;
        assert_eq!(
            told(&answer),
            ["204", "201 bread v7", "204", "201 oat milk v9", "404 task_not_found", "204", "201 tea v11"]
        );
        assert_eq!(answer.body["results"][6]["task"]["id"], 6);
        assert_eq!(alice.titles("").await, ["tea"]);
        assert_eq!(usage(&alice).await[..2], [1, 1]);
        assert_eq!(purged_revision(&app).await, 8);
        check_counts(&app).await;
    }
}
