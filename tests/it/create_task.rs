//! `createTask`.

mod due_dates;
mod faults;
mod retries;
mod uids;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{Actor, Backend, on_both};

const TASKS: &str = "/api/v1/tasks";

/// Creates a task with this member. Returns the member as it is in the answer, which must be the same
/// as when the task is fetched.
async fn stored(actor: &Actor, member: &str, value: impl Into<Value>) -> Value {
    let value = value.into();
    let created = actor
        .create_with(json!({ "title": "Buy milk", member: value }))
        .await;
    let fetched = actor.get(&created.location).await;
    assert_eq!(fetched.body, created.task);
    created.task[member].clone()
}

/// What is wrong with a new task that has this member: one fault, at that member or in it.
async fn fault(actor: &Actor, member: &str, value: impl Into<Value>) -> String {
    let value = value.into();
    let answer = actor
        .post(TASKS, json!({ "title": "Buy milk", member: value }))
        .await;
    let told = (answer.status, answer.code());
    assert_eq!(
        told,
        (422, "validation_failed"),
        "{member}: {value}: {answer}"
    );
    let [fault] = &answer.faults()[..] else {
        panic!("{answer}")
    };
    fault.clone()
}

on_both! {
    async fn a_title_is_enough(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = alice.post(TASKS, json!({ "title": "Buy milk" })).await;
        answer.is(expect![[r#"
            201 Created
            location: /api/v1/tasks/1
            etag: "1"

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
            }"#]]);
    }

    async fn everything_can_be_set(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = alice
            .post(TASKS, json!({
                "title": "Buy milk",
                "description": "Two litres,\nthe organic one",
                "completed": true,
                "priority": "high",
                "due_date": "2026-02-06T10:00:00.25+01:00",
                "tags": ["shopping", "Home"],
            }))
            .await;
        answer.is(expect![[r#"
            201 Created
            location: /api/v1/tasks/1
            etag: "1"

            {
              "id": 1,
              "uid": null,
              "user_id": "alice",
              "title": "Buy milk",
              "description": "Two litres,\nthe organic one",
              "completed": true,
              "completed_at": "[now]",
              "priority": "high",
              "due_date": "2026-02-06T09:00:00.250Z",
              "tags": [
                "shopping",
                "Home"
              ],
              "created_at": "[now]",
              "updated_at": "[now]",
              "version": 1
            }"#]]);
        // `completed_at` of a task that is created as completed is its `created_at`.
        assert_eq!(answer.body["completed_at"], answer.body["created_at"]);
        assert_eq!(answer.body["updated_at"], answer.body["created_at"]);

        let fetched = alice.get(answer.header("location")).await.has(200);
        assert_eq!(fetched.body, answer.body);
        assert_eq!(fetched.header("etag"), answer.header("etag"));
        let listed = alice.get(TASKS).await;
        assert_eq!(listed.items(), [answer.body]);
    }

    async fn ids_count_up_for_each_user(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        for id in 1..=3 {
            let task = alice.create("Buy milk").await;
            assert_eq!((task.id, task.location), (id, format!("/api/v1/tasks/{id}")));
            assert_eq!(task.etag, format!("\"{id}\""));
        }
        assert_eq!(bob.create("Water the plants").await.id, 1);
        // Neither a deleted task nor a refused one leaves its number to the next.
        alice.delete("/api/v1/tasks/3").await.has(204);
        alice.post(TASKS, json!({ "title": "" })).await.has(422);
        let next = alice.create("Call mum").await;
        assert_eq!((next.id, next.etag.as_str()), (4, "\"5\""));
    }

    async fn absent_null_and_a_value_differ(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        assert_eq!(stored(&alice, "description", json!(null)).await, json!(null));
        assert_eq!(stored(&alice, "description", "").await, "");
        assert_eq!(stored(&alice, "due_date", json!(null)).await, json!(null));
        assert_eq!(stored(&alice, "completed", false).await, false);
        assert_eq!(stored(&alice, "priority", "low").await, "low");
        assert_eq!(stored(&alice, "tags", json!([])).await, json!([]));
        // For members that cannot be null, null is a fault.
        let mut faults = Vec::new();
        for member in ["title", "completed", "priority", "tags"] {
            faults.push(fault(&alice, member, json!(null)).await);
        }
        expect![[r#"
            /title must be a string of 1 to 500 characters, not null
            /completed must be true or false, not null
            /priority must be "low", "medium" or "high", not null
            /tags must be an array of at most 20 strings, not null"#]].assert_eq(&faults.join("\n"));
    }

    async fn text_is_kept_exactly_as_sent(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let lines = [
            "  Buy   milk ",
            "a",
            "e\u{301} is not \u{e9}",
            "STRASSE straße İıIi ΣΑΣ",
            "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪",
            "\u{202e}right to left\u{202c} שלום",
            "<b>bold</b> & \"q\" 's' \\ / %00 %s {0} ${x}",
            "'); DROP TABLE task; --",
            "\u{feff}\u{200b}x\u{ffff}\u{10ffff}",
            "null",
            "007",
        ];
        for text in lines {
            assert_eq!(stored(&alice, "title", text).await, text);
            assert_eq!(stored(&alice, "description", text).await, text);
            assert_eq!(stored(&alice, "tags", json!([text, "x y"])).await, json!([text, "x y"]));
        }
        // A description may have lines and other controls, and be only white space.
        for text in ["one\r\ntwo\n\n\tthree\n", " \n ", "\u{1}\u{7f}\u{85}\u{2028}"] {
            assert_eq!(stored(&alice, "description", text).await, text);
        }
        let titles = alice.titles("?sort=created_at&limit=1").await;
        assert_eq!(titles, ["  Buy   milk "]);
    }
}
