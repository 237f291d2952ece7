//! What is wrong with a batch, and with an operation of it.

use super::*;

on_both! {
    /// An operation that is invalid is refused like any other, with its place in the body.
    async fn an_invalid_operation_does_not_affect_the_others(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = batch(&alice, json!([
            create("first"),
            { "op": "create", "task": { "title": "", "tags": ["a", "A"], "id": 7 }, "id": 1 },
            { "op": "update", "patch": { "uid": UID } },
            { "op": "delete", "id": 1, "uid": UID, "if_version": "1" },
            { "op": "complete", "id": 1 },
            { "id": 0 },
            "delete",
            { "op": "restore", "id": null, "patch": {} },
            { "op": "update", "id": 1, "patch": [] },
            create("last"),
        ])).await;
        let faults = |place: usize| {
            let problem = &answer.body["results"][place]["problem"];
            assert_eq!(problem["code"], "validation_failed", "{place}: {answer}");
            let faults = problem["errors"].as_array().unwrap().iter();
            let said = |fault: &Value| format!("{} {}", fault["pointer"].as_str().unwrap(), fault["detail"].as_str().unwrap());
            faults.map(said).collect::<Vec<_>>()
        };
        assert_eq!(told(&answer)[0], "201 first v1");
        assert_eq!(faults(1), [
            "/operations/1/task/title must not be empty",
            "/operations/1/task/tags/1 is the same tag as \"a\", ignoring case",
            "/operations/1/task/id is not a member of a new task",
            "/operations/1/id is not a member of this operation",
        ]);
        assert_eq!(faults(2), [
            "/operations/2/id is required, or `uid`: which task",
            "/operations/2/patch/uid is not a member of a task that can be changed",
        ]);
        assert_eq!(faults(3), [
            "/operations/3/uid must not be combined with `id`",
            "/operations/3/if_version must be an integer from 1 to 9007199254740991, not a string",
        ]);
        assert_eq!(faults(4), ["/operations/4/op must be \"create\", \"update\", \"delete\" or \"restore\""]);
        assert_eq!(faults(5), ["/operations/5/op is required"]);
        assert_eq!(faults(6), ["/operations/6 must be an object, not a string"]);
        assert_eq!(faults(7), [
            "/operations/7/id must be an integer from 1 to 9007199254740991, not null",
            "/operations/7/patch is not a member of this operation",
        ]);
        assert_eq!(faults(8), ["/operations/8/patch must be an object, not an array"]);
        assert_eq!(told(&answer)[9], "201 last v2");
    }

    async fn a_body_that_is_no_batch_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (body, faults) in [
            (json!({}), vec!["/operations is required"]),
            (json!({ "operations": [] }), vec!["/operations must have 1 to 100 operations, has 0"]),
            (json!({ "operations": vec![create("x"); 101] }), vec!["/operations must have 1 to 100 operations, has 101"]),
            (json!({ "operations": {} }), vec!["/operations must be an array of operations, not an object"]),
            (
                json!({ "operations": [create("x")], "atomic": "yes", "all": true }),
                vec!["/atomic must be true or false, not a string", "/all is not a member of a batch"],
            ),
        ] {
            let answer = alice.post(BATCH, body).await.fails(422, "validation_failed");
            assert_eq!(answer.faults(), faults);
        }
        assert_eq!(alice.get(TASKS).await.header("etag"), "\"0\"");
    }

    /// Which of two would count differs from reader to reader.
    async fn a_name_occurs_once_in_an_object(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = r#"{"operations": [{"op": "create", "task": {"title": "a", "title": "b"}}, {"op": "delete", "id": 1, "id": 2}]}"#;
        let answer = alice.post_raw(BATCH, body).await.fails(422, "validation_failed");
        assert_eq!(
            answer.faults(),
            ["/operations/0/task/title occurs more than once", "/operations/1/id occurs more than once"]
        );
    }

    async fn headers_about_one_task_are_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (name, fault) in [
            ("If-Match", "If-Match is not supported here; give an operation its `if_version`"),
            ("If-None-Match", "If-None-Match is not supported here; give an operation its `if_version`"),
            (
                "Idempotency-Key",
                "Idempotency-Key is not supported here; give each new task a `uid`, and a retry creates nothing twice",
            ),
        ] {
            let request = alice.request(reqwest::Method::POST, BATCH).header(name, "\"1\"");
            let request = request.json(&json!({ "operations": [create("x")] }));
            let answer = alice.send(request).await.fails(400, "invalid_parameters");
            assert_eq!(answer.faults(), [fault]);
        }
    }
}
