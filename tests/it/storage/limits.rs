//! The limits on rows and bytes.

use expect_test::expect;
use futures_util::future::join_all;
use serde_json::json;

use super::{
    LARGE, NOT_FOUND, TASKS, at_most, check_counts, delete, large, number, restore, usage,
};
use crate::{
    batch_tasks::{BATCH, UID},
    support::{Backend, on_both},
};

on_both! {
    async fn every_row_counts_and_every_byte(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        assert_eq!(usage(&alice).await, [0, 0, 0]);
        alice.create_with(large("a")).await;
        assert_eq!(usage(&alice).await, [1, 0, LARGE]);
        // Deleting frees nothing, and neither does restoring take more.
        delete(&alice, 1).await;
        assert_eq!(usage(&alice).await, [0, 1, LARGE]);
        assert_eq!(restore(&alice, 1).await, 200);
        assert_eq!(usage(&alice).await, [1, 0, LARGE]);
        // A change counts as what the task has become: é is two bytes and e in its search key.
        let task = format!("{TASKS}/1");
        alice.patch(&task, json!({ "title": "é", "description": null, "completed": true })).await.has(200);
        assert_eq!(usage(&alice).await, [1, 0, 256 + 3 + 2]);
        alice.patch(&task, json!({ "tags": ["a", "é"], "due_date": "2026-12-01" })).await.has(200);
        assert_eq!(usage(&alice).await, [1, 0, 256 + 3 + 2 * 6]);
        // The key of a request and the digest beside it.
        let before = usage(&alice).await[2];
        alice.post_with_key("k".repeat(36).as_str(), json!({ "title": "a" })).await.has(201);
        let digest = number(&app, "SELECT CAST(octet_length(create_hash) AS bigint) FROM task WHERE create_hash IS NOT NULL").await;
        assert_eq!(usage(&alice).await, [2, 0, before + 256 + 2 + 2 + 36 + digest]);
        assert_eq!(usage(&bob).await, [0, 0, 0]);
        check_counts(&app).await;
    }

    async fn the_oldest_tombstones_make_room(on: Backend) {
        let app = on.app_with(at_most(100, 4 * LARGE)).await;
        let (alice, bob) = app.two_users();
        for who in [&alice, &bob] {
            for title in ["a", "b", "c"] {
                who.create_with(large(title)).await;
            }
            // The oldest is the one that was deleted first.
            delete(who, 2).await;
            delete(who, 1).await;
        }
        alice.create_with(large("d")).await;
        assert_eq!(usage(&alice).await, [2, 2, 4 * LARGE]);
        alice.create_with(large("e")).await;
        assert_eq!(usage(&alice).await, [3, 1, 4 * LARGE]);
        assert_eq!(restore(&alice, 2).await, NOT_FOUND);
        assert_eq!(restore(&alice, 1).await, 200);
        assert_eq!(usage(&alice).await, [4, 0, 4 * LARGE]);
        // Nobody else's have gone.
        assert_eq!(usage(&bob).await, [1, 2, 3 * LARGE]);
        assert_eq!(restore(&bob, 2).await, 200);
        // What was purged is known by its greatest revision: that of the first deletion.
        assert_eq!(number(&app, "SELECT purged_revision FROM user_clock WHERE user_id = 'alice'").await, 4);
        check_counts(&app).await;
    }

    async fn a_write_for_which_there_is_no_room_is_refused(on: Backend) {
        let app = on.app_with(at_most(100, 3 * LARGE)).await;
        let alice = app.user("alice");
        for title in ["a", "b", "c"] {
            alice.create_with(large(title)).await;
        }
        alice.post(TASKS, large("d")).await.is(expect![[r#"
            409 Conflict

            {
              "type": "urn:taskward:problem:storage_limit_reached",
              "title": "Storage limit reached",
              "status": 409,
              "detail": "Your tasks take 3006 of 3006 bytes, and this needs 1002 more; delete tasks or shorten their texts.",
              "code": "storage_limit_reached",
              "request_id": "[id]"
            }"#]]);
        let task = format!("{TASKS}/1");
        let growing = json!({ "title": "aa" });
        alice.patch(&task, growing.clone()).await.fails(409, "storage_limit_reached");
        // What takes no more can be done, and what is not there or has changed is told as always.
        alice.patch(&task, json!({ "title": "x", "completed": true, "priority": "high" })).await.has(200);
        alice.patch(&format!("{TASKS}/9"), growing.clone()).await.fails(404, "task_not_found");
        alice.patch_if_match(&task, "\"1\"", growing.clone()).await.fails(412, "version_mismatch");
        // Either way out of the message helps.
        alice.patch(&task, json!({ "description": "short" })).await.has(200);
        alice.patch(&task, growing).await.has(200);
        alice.post(TASKS, large("d")).await.fails(409, "storage_limit_reached");
        delete(&alice, 3).await;
        alice.create_with(large("d")).await;
        assert_eq!(usage(&alice).await[..2], [3, 0]);
        check_counts(&app).await;
    }

    async fn no_tombstone_goes_in_vain(on: Backend) {
        let app = on.app_with(at_most(100, 3 * LARGE)).await;
        let alice = app.user("alice");
        for title in ["a", "b"] {
            alice.create_with(large(title)).await;
        }
        alice.create("small").await;
        delete(&alice, 3).await;
        let larger = json!({ "title": "c", "description": "x".repeat(1_000) });
        alice.post(TASKS, larger.clone()).await.fails(409, "storage_limit_reached");
        // A write that is refused for another reason needs no room.
        alice.patch(&format!("{TASKS}/9"), larger.clone()).await.fails(404, "task_not_found");
        alice.patch_if_match(&format!("{TASKS}/1"), "\"9\"", larger).await.fails(412, "version_mismatch");
        assert_eq!(restore(&alice, 3).await, 200);
    }

    /// In two processes, by single requests and by batches: none is refused that fits once the oldest have gone.
    async fn all_that_fits_fits_when_it_comes_together(on: Backend) {
        let app = on.app_with(at_most(100, 42 * LARGE)).await;
        let other = app.another(at_most(100, 42 * LARGE)).await;
        let (alice, elsewhere) = (app.user("alice"), other.user("alice"));
        for id in 1..=42 {
            alice.create_with(large("a")).await;
            if id <= 40 {
                delete(&alice, id).await;
            }
        }
        let create = json!({ "op": "create", "task": large("b") });
        let two = json!({ "operations": [create, create] });
        let writes = (0..20).map(async |n| match n % 4 {
            0 => alice.post(TASKS, large("b")).await.status,
            1 => elsewhere.post(TASKS, large("b")).await.status,
            n => {
                let who = if n == 2 { &alice } else { &elsewhere };
                let done = who.post(BATCH, two.clone()).await.has(200);
                if done.body["failed"] == 0 { 201 } else { panic!("{done}") }
            }
        });
        let statuses = join_all(writes).await;
        assert!(statuses.iter().all(|status| *status == 201), "{statuses:?}");
        assert_eq!(usage(&alice).await, [32, 10, 42 * LARGE]);
        check_counts(&app).await;
    }

    async fn there_are_as_many_tombstones_as_tasks_at_most(on: Backend) {
        let app = on.app_with(at_most(2, 1 << 20)).await;
        let alice = app.user("alice");
        for id in 1..=5 {
            alice.create("Buy milk").await;
            delete(&alice, id).await;
        }
        assert_eq!(usage(&alice).await[..2], [0, 2]);
        let restored: Vec<u16> = [restore(&alice, 3).await, restore(&alice, 4).await, restore(&alice, 5).await].into();
        assert_eq!(restored, [NOT_FOUND, 200, 200]);
        // A deletion is never refused for want of room.
        delete(&alice, 4).await;
        delete(&alice, 5).await;
        alice.create("Buy milk").await;
        delete(&alice, 6).await;
        assert_eq!(usage(&alice).await[..2], [0, 2]);
        check_counts(&app).await;
    }

    async fn a_limit_that_was_lowered_refuses_only_what_adds(on: Backend) {
        let app = on.app().await;
        for title in ["a", "b", "c"] {
            app.user("alice").create_with(large(title)).await;
            app.user("alice").create("z").await;
        }
        let app = app.another(at_most(2, LARGE)).await;
        let alice = app.user("alice");
        alice.post(TASKS, json!({ "title": "more" })).await.fails(409, "task_limit_reached");
        alice.patch(&format!("{TASKS}/1"), json!({ "title": "aa" })).await.fails(409, "storage_limit_reached");
        alice.patch(&format!("{TASKS}/1"), json!({ "description": "x" })).await.has(200);
        for id in 1..=5 {
            delete(&alice, id).await;
        }
        assert_eq!(usage(&alice).await[..2], [1, 2]);
        check_counts(&app).await;
    }

    async fn a_retry_is_known_as_long_as_the_tombstone(on: Backend) {
        let app = on.app_with(at_most(1, 1 << 20)).await;
        let alice = app.user("alice");
        let body = json!({ "title": "Buy milk" });
        alice.post_with_key("k", body.clone()).await.has(201);
        delete(&alice, 1).await;
        alice.post_with_key("k", body.clone()).await.fails(409, "idempotency_key_of_deleted_task");
        alice.create("another").await;
        delete(&alice, 2).await;
        // Nothing is known of the first task any more.
        let again = alice.post_with_key("k", body).await.has(201);
        assert_eq!((again.body["id"].as_i64(), again.header("idempotency-replayed")), (Some(3), ""));
    }

    /// Many writers at once, in two processes, near all limits.
    async fn counts_stay_exact(on: Backend) {
        let app = on.app_with(|settings| { at_most(6, 8 * LARGE)(settings); settings.max_connections = 8; }).await;
        let other = app.another(at_most(6, 8 * LARGE)).await;
        let users: Vec<_> = (0..6).map(|n| format!("user{n}")).collect();
        let writers = (0..36usize).map(async |n| {
            let who = if n % 2 == 0 { app.user(&users[n % 6]) } else { other.user(&users[n / 2 % 6]) };
            for step in 0..12 {
                let id = (n * 7 + step * 5) % 12 + 1;
                let path = format!("{TASKS}/{id}");
                let answer = match (n + step) % 8 {
                    0 | 1 => who.post(TASKS, large("n")).await,
                    2 => who.patch(&path, json!({ "title": "m".repeat(step + 1) })).await,
                    3 => who.patch(&path, json!({ "description": "d".repeat(step * 90), "tags": ["t"] })).await,
                    4 => who.delete(&path).await,
                    5 => who.post_nothing(&format!("{path}/restore")).await,
                    _ => who.post(BATCH, json!({ "atomic": step % 3 == 0, "operations": [
                        { "op": "delete", "id": id },
                        { "op": "create", "task": large("b") },
                        { "op": "update", "id": id + 1, "patch": { "title": "b".repeat(step + 1), "tags": [] } },
                        { "op": "restore", "id": id + 2 },
                        { "op": "delete", "id": id + 3 },
                        { "op": "create", "task": { "title": "b", "uid": UID } },
                    ] })).await,
                };
                assert!([200, 201, 204, 404, 409].contains(&answer.status), "{answer}");
            }
        });
        join_all(writers).await;
        check_counts(&app).await;
        for user in &users {
            let [tasks, tombstones, bytes] = usage(&app.user(user)).await;
            assert!(tasks <= 6 && tombstones <= 6 && bytes <= 8 * LARGE, "{user}: {tasks} {tombstones} {bytes}");
        }
    }
}
