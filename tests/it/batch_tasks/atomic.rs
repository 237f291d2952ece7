//! All or nothing.

use super::*;

on_both! {
    async fn one_that_is_refused_undoes_all(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 3).await;
        let alice = app.user("alice");
        alice.create("milk").await;
        alice.create("bread").await;
        alice.delete("/api/v1/tasks/2").await.has(204);
        let before = (alice.get(TASKS).await.text, alice.get(TASKS).await.header("etag").to_owned());
        let good = json!([
            create_as(UID, "tea"),
            { "op": "update", "id": 1, "patch": { "title": "oat milk" } },
            { "op": "restore", "id": 2 },
        ]);
        for (bad, status, code) in [
            (json!({ "op": "delete", "id": 1, "if_version": 1 }), 412, "version_mismatch"),
            (json!({ "op": "delete", "id": 9 }), 404, "task_not_found"),
            (create("one too many"), 409, "task_limit_reached"),
            (create_as(UID, "another"), 409, "uid_taken"),
            (json!({ "op": "update", "id": 1, "patch": { "title": "" } }), 422, "validation_failed"),
        ] {
            let mut operations = good.clone();
            operations.as_array_mut().unwrap().extend([bad, create("never reached")]);
            let answer = atomic(&alice, operations).await;
            let refused = format!("{status} {code}");
            let rest = "424 batch_not_done";
            assert_eq!(told(&answer), [rest, rest, rest, &refused, rest]);
            assert_eq!(
                answer.body["results"][0]["problem"]["detail"],
                "Nothing of this batch was done, because operations[3] was refused. Correct that operation, then send all again."
            );
            assert_eq!(answer.body["revision"], 3);
            let after = alice.get(TASKS).await;
            assert_eq!((after.text.clone(), after.header("etag").to_owned()), before);
        }
        // Nothing is left of it: not the uid, not an id.
        let answer = atomic(&alice, good).await;
        assert_eq!(told(&answer), ["201 tea v4", "200 oat milk v5", "200 bread v6"]);
        assert_eq!(answer.body["results"][0]["task"]["id"], 3);
    }

    async fn all_that_is_invalid_is_told_at_once(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let bad = json!({ "op": "create", "task": {} });
        let answer = atomic(&alice, json!([create("x"), bad, create("y"), bad])).await;
        assert_eq!(told(&answer), ["424 batch_not_done", "422 validation_failed", "424 batch_not_done", "422 validation_failed"]);
        assert_eq!(alice.get(TASKS).await.header("etag"), "\"0\"");
    }
}
