//! What each operation does, alone and after others.

use futures_util::future::join_all;

use super::*;

on_both! {
    async fn each_operation_is_answered_as_it_would_be_alone(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for title in ["milk", "bread", "tea"] {
            alice.create(title).await;
        }
        alice.delete("/api/v1/tasks/3").await.has(204);
        let answer = batch(&alice, json!([
            create("eggs"),
            { "op": "update", "id": 1, "if_version": 1, "patch": { "title": "oat milk", "completed": true } },
            { "op": "delete", "id": 2 },
            { "op": "restore", "id": 3, "if_version": 4 },
            { "op": "update", "id": 7, "patch": { "title": "x" } },
            { "op": "delete", "id": 1, "if_version": 1 },
            { "op": "delete", "uid": UID },
        ])).await;
        assert_eq!(
            told(&answer),
            [
                "201 eggs v5", "200 oat milk v6", "204", "200 tea v8",
                "404 task_not_found", "412 version_mismatch", "404 task_not_found",
            ]
        );
        assert_eq!(answer.body["revision"], 8);
        let problem = |place: usize| &answer.body["results"][place]["problem"];
        assert_eq!(problem(5)["current"], answer.body["results"][1]["task"]);
        assert_eq!(
            problem(5)["detail"],
            "The task has changed since and is now at version 6. `current` shows it; decide again and send `if_version` with that \
             version."
        );
        assert_eq!(problem(6)["detail"], format!("You have no task with the uid {UID}."));
        // What was told is what is there.
        let list = alice.get(&format!("{TASKS}?sort=created_at")).await;
        assert_eq!(list.header("etag"), "\"8\"");
        let results = &answer.body["results"];
        assert_eq!(list.items(), [results[1]["task"].clone(), results[3]["task"].clone(), results[0]["task"].clone()]);
        assert_eq!(results[1]["task"]["completed_at"], results[1]["task"]["updated_at"]);
        alice.get("/api/v1/tasks/2").await.fails(404, "task_not_found");
        assert_eq!(alice.titles("?q=OAT").await, ["oat milk"]);
    }

    async fn each_sees_what_those_before_it_did(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let answer = batch(&alice, json!([
            create_as(UID, "milk"),
            { "op": "update", "uid": UID, "if_version": 1, "patch": { "tags": ["shop"], "completed": true } },
            { "op": "update", "id": 1, "if_version": 2, "patch": { "title": "oat milk", "description": "2 l" } },
            { "op": "delete", "uid": UID },
            { "op": "update", "id": 1, "patch": { "title": "x" } },
            create_as(UID, "milk"),
            { "op": "restore", "id": 1, "if_version": 4 },
            create_as(&UID.to_uppercase(), "milk"),
            create_as(UID, "bread"),
            { "op": "update", "uid": UID, "patch": { "completed": false, "due_date": "2026-02-06" } },
            create("bread"),
            { "op": "delete", "id": 2 },
        ])).await;
        assert_eq!(
            told(&answer),
            [
                "201 milk v1", "200 milk v2", "200 oat milk v3", "204", "404 task_not_found", "409 uid_of_deleted_task",
                "200 oat milk v5", "201 oat milk v5 replayed", "409 uid_taken", "200 oat milk v6", "201 bread v7", "204",
            ]
        );
        let task = alice.get("/api/v1/tasks/1").await.body;
        assert_eq!(task, answer.body["results"][9]["task"]);
        assert_eq!(
            [&task["uid"], &task["description"], &task["completed_at"], &task["due_date"], &task["tags"]],
            [&json!(UID), &json!("2 l"), &Value::Null, &json!("2026-02-06"), &json!(["shop"])]
        );
        assert_eq!(alice.get(TASKS).await.header("etag"), "\"8\"");
        // A task that was made and deleted by one batch can be restored.
        let restored = alice.post_nothing("/api/v1/tasks/2/restore").await.has(200);
        assert_eq!((&restored.body["title"], &restored.body["version"]), (&json!("bread"), &json!(9)));
        assert_eq!(alice.create("tea").await.id, 3);
    }

    /// All members come and go as by the operations alone.
    async fn every_member_is_written(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let full = json!({
            "title": "Straße", "description": "Zwei \"Liter\"\n", "completed": true, "priority": "high",
            "due_date": "2026-02-06T10:00:00.5+01:00", "tags": ["Ü", "b"],
        });
        let patch = json!({ "description": null, "completed": false, "priority": "low", "due_date": null, "tags": [] });
        let alone = alice.create_with(full.clone()).await;
        let patched = alice.patch(&alone.location, patch.clone()).await.has(200).body;
        let answer = batch(&alice, json!([
            { "op": "create", "task": full },
            { "op": "create", "task": { "title": "usual" } },
        ])).await;
        let changed = batch(&alice, json!([{ "op": "update", "id": 2, "patch": patch }])).await;
        let same = |one: &Value, other: &Value| {
            for name in ["title", "description", "completed", "priority", "due_date", "tags"] {
                assert_eq!(one[name], other[name], "{name}");
            }
        };
        same(&answer.body["results"][0]["task"], &alone.task);
        same(&changed.body["results"][0]["task"], &patched);
        for (id, told) in [(2, &changed.body["results"][0]["task"]), (3, &answer.body["results"][1]["task"])] {
            assert_eq!(&alice.get(&format!("{TASKS}/{id}")).await.body, told);
        }
        assert_eq!(alice.titles("?q=STRASSE").await.len(), 2);
    }

    async fn what_changes_nothing_writes_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        // Also before the first write.
        let answer = batch(&alice, json!([{ "op": "delete", "id": 1 }])).await;
        assert_eq!((told(&answer), &answer.body["revision"]), (vec!["404 task_not_found".to_owned()], &json!(0)));
        alice.create_with(json!({ "title": "milk", "uid": UID })).await;
        let answer = batch(&alice, json!([
            { "op": "update", "id": 1, "patch": {} },
            { "op": "restore", "uid": UID },
            create_as(UID, "milk"),
        ])).await;
        assert_eq!(told(&answer), ["200 milk v1", "200 milk v1", "201 milk v1 replayed"]);
        assert_eq!(answer.body["revision"], 1);
        // Setting what is there is a change, as by updateTask.
        let answer = batch(&alice, json!([{ "op": "update", "id": 1, "patch": { "title": "milk" } }])).await;
        assert_eq!(told(&answer), ["200 milk v2"]);
    }

    /// The answer to a write has the task that was written. To show any other task is reading.
    async fn a_token_that_only_writes_is_shown_no_task_that_it_does_not_write(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let writer = app.user_with_scope("alice", "tasks:write");
        alice.create_with(json!({ "title": "milk", "uid": UID })).await;
        let operations = json!([
            { "op": "update", "id": 1, "patch": {} },
            { "op": "restore", "id": 1 },
            { "op": "update", "id": 1, "if_version": 7, "patch": { "title": "x" } },
            create_as(UID, "bread"),
        ]);
        let answer = batch(&writer, operations.clone()).await;
        assert_eq!(told(&answer), ["200", "200", "412 version_mismatch", "409 uid_taken"]);
        assert!(!answer.text.contains("milk"), "{answer}");
        let shown = batch(&alice, operations).await;
        assert_eq!(told(&shown), ["200 milk v1", "200 milk v1", "412 version_mismatch", "409 uid_taken"]);
        for place in [2, 3] {
            assert_eq!(shown.body["results"][place]["problem"]["current"]["title"], "milk");
        }
        assert_eq!(told(&batch(&writer, json!([{ "op": "delete", "id": 1 }, create("tea")])).await), ["204", "201 tea v3"]);
        app.user_with_scope("alice", "tasks:read")
            .post(BATCH, json!({ "operations": [create("x")] }))
            .await
            .fails(403, "insufficient_scope");
    }

    async fn the_limit_of_tasks_is_judged_within_the_batch(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 2).await;
        let alice = app.user("alice");
        alice.create("milk").await;
        let answer = batch(&alice, json!([
            create("bread"),
            create_as(UID, "tea"),
            { "op": "delete", "id": 1 },
            create_as(UID, "tea"),
            { "op": "restore", "id": 1 },
            create("eggs"),
        ])).await;
        assert_eq!(
            told(&answer),
            ["201 bread v2", "409 task_limit_reached", "204", "201 tea v4", "409 task_limit_reached", "409 task_limit_reached"]
        );
        alice.post(TASKS, json!({ "title": "eggs" })).await.fails(409, "task_limit_reached");
    }

    async fn a_hundred_at_once_are_in_order(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let many: Vec<_> = (1..=100).map(|n| create(&format!("{n}"))).collect();
        let answer = batch(&alice, json!(many)).await;
        let expected: Vec<_> = (1..=100).map(|n| format!("201 {n} v{n}")).collect();
        assert_eq!(told(&answer), expected);
        assert_eq!(alice.titles("?sort=created_at&limit=100").await, (1..=100).map(|n| n.to_string()).collect::<Vec<_>>());
        let many: Vec<_> = (1..=100)
            .map(|n| json!({ "op": "update", "id": n, "patch": if n % 2 == 0 { json!({ "completed": true }) } else { json!({ "tags": [format!("t{n}")], "priority": "low" }) } }))
            .collect();
        let answer = batch(&alice, json!(many)).await;
        let expected: Vec<_> = (1..=100).map(|n| format!("200 {n} v{}", 100 + n)).collect();
        assert_eq!(told(&answer), expected);
        assert_eq!(alice.titles("?completed=true&limit=100").await.len(), 50);
        assert_eq!(alice.titles("?tag=T99").await, ["99"]);
    }

    /// A page that is kept in memory shows what a batch changed.
    async fn a_list_follows(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        batch(&alice, json!([create("milk"), create("bread"), create("tea")])).await;
        assert_eq!(alice.titles("").await, ["tea", "bread", "milk"]);
        batch(&alice, json!([
            { "op": "delete", "id": 2 },
            create("eggs"),
            { "op": "update", "id": 1, "patch": { "title": "oat milk" } },
            { "op": "delete", "id": 3 },
            { "op": "restore", "id": 3 },
        ])).await;
        assert_eq!(alice.titles("").await, ["eggs", "tea", "oat milk"]);
    }

    async fn nobody_reaches_the_tasks_of_others(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        bob.create("his").await;
        let attempt = async || {
            let operations = json!([
                { "op": "update", "id": 2, "patch": { "title": "x" } }, { "op": "delete", "id": 3 }, { "op": "restore", "id": 4 },
                { "op": "update", "uid": UID, "patch": { "title": "x" } }, { "op": "delete", "uid": UID }, { "op": "restore", "uid": UID },
                { "op": "update", "id": 2, "if_version": 2, "patch": {} },
            ]);
            let body = json!({ "operations": operations });
            let request = bob.request(reqwest::Method::POST, BATCH).header("x-request-id", "same").json(&body);
            bob.send(request).await.has(200).text
        };
        let before = attempt().await;
        join_all((0..3).map(|n| alice.create_with(json!({ "title": format!("hers {n}") })))).await;
        alice.create_with(json!({ "title": "hers", "uid": UID })).await;
        alice.delete("/api/v1/tasks/4").await.has(204);
        let hers = alice.get(TASKS).await.text;
        assert_eq!(attempt().await, before);
        assert!(!before.contains("hers"));
        assert_eq!(alice.get(TASKS).await.text, hers);
        // His task of that uid is his own.
        assert_eq!(told(&batch(&bob, json!([create_as(UID, "his")])).await), ["201 his v2"]);
    }

    async fn a_batch_counts_as_its_operations(on: Backend) {
        let limit = std::num::NonZeroU32::new(10).unwrap();
        let rate = taskward::access::RateLimit { per_second: std::num::NonZeroU32::MIN, burst: limit };
        let app = on.app_with(|settings| settings.rate_limit = Some(rate)).await;
        let alice = app.user("alice");
        let many = |count| json!({ "operations": vec![create("x"); count] });
        alice.post(BATCH, many(8)).await.has(200);
        // Two are left. Whatever is begun is done, and what it counts beyond them is owed.
        alice.post(BATCH, many(8)).await.has(200);
        let refused = alice.post(BATCH, many(1)).await.fails(429, "rate_limited");
        assert!((5..=7).contains(&refused.header("retry-after").parse::<u32>().unwrap()), "{refused}");
        let bob = app.user("bob");
        // One that is larger than all that may be sent at once is possible, and leaves nothing.
        bob.post(BATCH, many(100)).await.has(200);
        bob.get(TASKS).await.fails(429, "rate_limited");
    }
}
