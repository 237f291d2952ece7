//! `update_tasks`, `complete_tasks`, `delete_tasks` and `restore_tasks`, and how they are undone.

use expect_test::expect;
use futures_util::future::join_all;
use serde_json::json;

use super::on_monday;
use crate::support::{Backend, on_both};

on_both! {
    async fn setting_before_again_undoes_a_change(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let task = json!({
            "title": "Buy milk", "description": "Two litres", "priority": "low",
            "due_date": "2026-11-24T08:00:00Z", "tags": ["shop", "home"],
        });
        alice.create_with(task).await;
        let was = agent.call("get_task", json!({ "id": 1 })).await.content;
        let updated = agent.call("update_tasks", json!({ "time_zone": "Europe/Berlin", "tasks": [{
            "id": 1, "title": "Buy tea", "description": null, "completed": true, "priority": "high",
            "due_date": "next monday", "tags": [],
        }] })).await.done();
        expect![[r##"
            #1 "Buy tea", done, high, due 2026-11-30, v2; before {"title":"Buy milk","description":"Two litres","completed":false,"priority":"low","due_date":"2026-11-24T09:00:00+01:00","tags":["shop","home"]}
            "next monday" is 2026-11-30"##]].assert_eq(&updated.text);
        let mut back = updated.results()[0]["before"].clone();
        back["id"] = json!(1);
        agent.call("update_tasks", json!({ "tasks": [back] })).await.done();
        let is = agent.call("get_task", json!({ "id": 1 })).await.content;
        for member in ["title", "description", "completed", "completed_at", "priority", "due_date", "tags"] {
            assert_eq!(is[member], was[member], "{member}");
        }
    }

    async fn only_members_that_are_given_and_differ_are_changed(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create_with(json!({ "title": "Buy milk", "due_date": "2026-11-24", "tags": ["a"] })).await;
        let same = json!({ "tasks": [
            { "id": 1, "title": "Buy milk", "tags": ["a"], "due_date": "2026-11-24", "description": null },
            { "id": 1 },
        ] });
        let unchanged = agent.call("update_tasks", same).await.done();
        for item in unchanged.results() {
            // Not even the version changes.
            assert_eq!((&item["unchanged"], &item["task"]["version"]), (&json!(true), &json!(1)), "{item}");
        }
        let one = agent.call("update_tasks", json!({ "tasks": [{ "id": 1, "title": "Buy milk", "priority": "high" }] })).await.done();
        assert_eq!(one.results()[0]["before"], json!({ "priority": "medium" }));
        assert_eq!(one.results()[0]["task"]["due_date"], "2026-11-24");
    }

    async fn a_task_in_another_version_is_not_changed(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("Buy milk").await;
        alice.patch("/api/v1/tasks/1", json!({ "title": "Buy tea" })).await.has(200);
        let update = |version: i64| json!({ "tasks": [{ "id": 1, "version": version, "title": "Buy coffee" }] });
        expect![[r#"error: task 1 has changed since you read it, so this was not done; it is now #1 "Buy tea", v2"#]].assert_eq(&agent.call("update_tasks", update(1)).await.refused());
        assert_eq!(alice.titles("").await, ["Buy tea"]);
        agent.call("update_tasks", update(2)).await.done();
        assert_eq!(alice.titles("").await, ["Buy coffee"]);
    }

    async fn an_invalid_item_does_not_affect_the_others(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("one").await;
        alice.create("two").await;
        let updated = agent.call("update_tasks", json!({ "tasks": [
            { "id": 1, "title": null },
            { "id": 3, "title": "x" },
            { "title": "x" },
            { "id": "two", "title": "x" },
            { "id": 2, "user_id": "bob", "title": "x" },
            { "id": 2, "due_date": "some day" },
            { "id": 2, "title": "zwei" },
        ] })).await.done();
        expect![[r##"
            #1 "one", v1; unchanged
            error: no task 3; find_tasks lists your tasks
            error: `id` is required
            error: `id` must be an integer from 1 to 9007199254740991, not a string
            error: `user_id` is not an argument: the access token alone says whose tasks these are; use: id, version, title, description, completed, priority, due_date, tags
            error: `due_date` must be a date like 2026-02-06, or one of these phrases, not "some day": today, tomorrow, yesterday; monday to sunday (the first after today); next monday to next sunday (in the week after this one; weeks begin on monday); in N days, in N weeks, in N months; end of week (sunday), end of month; each may be followed by a time, as in "tomorrow 09:00"
            #2 "zwei", v3; before {"title":"two"}"##]].assert_eq(&updated.text);
        assert_eq!(alice.titles("?sort=created_at").await, ["one", "zwei"]);
    }

    async fn completing_and_reopening(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("one").await;
        alice.create_with(json!({ "title": "two", "completed": true })).await;
        let done = agent.call("complete_tasks", json!({ "ids": [1, 2, 3, 1, 0] })).await.done();
        expect![[r##"
            #1 "one", done, v3; before {"completed":false}
            #2 "two", done, v2; unchanged
            error: no task 3; find_tasks lists your tasks
            #1 "one", done, v3; unchanged
            error: it must be an integer from 1 to 9007199254740991"##]].assert_eq(&done.text);
        let reopened = agent.call("complete_tasks", json!({ "ids": [1], "completed": false })).await.done();
        assert_eq!(reopened.results()[0]["before"], json!({ "completed": true }));
        assert_eq!(alice.titles("?completed=true").await, ["two"]);
    }

    async fn deleting_and_bringing_back(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("one").await;
        alice.create_with(json!({ "title": "two", "completed": true, "tags": ["x"] })).await;
        let before = agent.call("get_task", json!({ "id": 2 })).await.content;
        let deleted = agent.call("delete_tasks", json!({ "ids": [2, 2, 7] })).await.done();
        expect![[r##"
            #2 "two", done, tags "x", v3
            error: no task 2; find_tasks lists your tasks
            error: no task 7; find_tasks lists your tasks
            deleted; restore_tasks with ids [2] undoes it"##]].assert_eq(&deleted.text);
        assert_eq!(agent.call("get_task", json!({ "id": 2 })).await.refused(), "get_task: no task 2; find_tasks lists your tasks");
        let restored = agent.call("restore_tasks", json!({ "ids": [2, 7, 1] })).await.done();
        expect![[r##"
            #2 "two", done, tags "x", v4
            error: no deleted task 7 that can still be restored
            #1 "one", v1"##]].assert_eq(&restored.text);
        let mut after = agent.call("get_task", json!({ "id": 2 })).await.content;
        for member in ["version", "updated_at"] {
            after[member] = before[member].clone();
        }
        assert_eq!(after, before);
    }

    async fn before_is_exact_under_concurrent_writes(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("0").await;
        let rename = |n: usize| json!({ "tasks": [{ "id": 1, "title": n.to_string() }] });
        let calls = join_all((1..=6).map(|n| agent.call("update_tasks", rename(n)))).await;
        // Each title was replaced by exactly one change, but for the last: the changes make one chain.
        let mut replaced: Vec<String> = calls
            .iter()
            .filter(|call| !call.failed)
            .map(|call| call.results()[0]["before"]["title"].as_str().unwrap().to_owned())
            .collect();
        replaced.push(alice.titles("").await.remove(0));
        replaced.sort_unstable();
        let changed = calls.iter().enumerate().filter(|(_, call)| !call.failed).map(|(n, _)| (n + 1).to_string());
        let mut all: Vec<String> = std::iter::once("0".to_owned()).chain(changed).collect();
        all.sort_unstable();
        assert_eq!(replaced, all);
        for call in calls.iter().filter(|call| call.failed) {
            assert!(call.text.contains("try again"), "{}", call.text);
        }
    }
}
