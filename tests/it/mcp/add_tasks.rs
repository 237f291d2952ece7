//! `add_tasks`: each item by itself, and no item twice.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::{DateTime, TimeDelta, Utc};
use expect_test::expect;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::monday;
use crate::support::{Backend, on_both};

fn titles(titles: &[&str]) -> Value {
    titles
        .iter()
        .map(|title| json!({ "title": title }))
        .collect()
}

on_both! {
    async fn a_uid_is_kept_and_shown(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let uid = "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a";
        let agent = alice.agent();
        let add = |title: &str| json!({ "tasks": [{ "title": title, "uid": uid }, { "title": "tea" }] });
        expect![[r##"
            #1 "milk", uid 5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a, v1
            #2 "tea", v2"##]].assert_eq(&agent.call("add_tasks", add("milk")).await.done().text);
        let again = agent.call("add_tasks", add("milk")).await.done();
        assert_eq!((&again.results()[0]["replayed"], &again.results()[0]["task"]["id"]), (&json!(true), &json!(1)));
        let other = agent.call("add_tasks", add("bread")).await.done();
        assert_eq!(
            other.results()[0]["error"],
            "This uid is that of task 1, which was created with another body. Change that task, or use a new uid for a new one."
        );
        assert_eq!(alice.get("/api/v1/tasks/1").await.body["uid"], uid);
    }

    /// The items of a call are one commit.
    async fn the_items_of_a_call_have_consecutive_versions(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let calls = join_all((0..6).map(|_| agent.call("add_tasks", json!({ "tasks": titles(&["a", "b", "c", "d"]) })))).await;
        for call in calls {
            let versions: Vec<i64> = call.results().iter().map(|item| item["task"]["version"].as_i64().unwrap()).collect();
            assert!(versions.windows(2).all(|two| two[1] == two[0] + 1), "{versions:?}");
        }
    }
    async fn an_invalid_item_does_not_affect_the_others(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let added = agent.call("add_tasks", json!({ "tasks": [
            { "title": "first" },
            { "title": "", "tags": ["a", "A"], "priority": "urgent", "id": 7 },
            { "titel": "third" },
            "fourth",
            { "title": "fifth", "due_date": "tomorrow" },
            { "title": "sixth", "description": null, "due_date": null, "completed": true },
        ] })).await.done();
        expect![[r##"
            #1 "first", v1
            error: `title` must not be empty; `priority` must be "low", "medium" or "high"; `tags/1` is the same tag as "a", ignoring case; `id` is not an argument here; use: title, description, completed, priority, due_date, tags, uid
            error: `title` is required; `titel` is not an argument here; use: title, description, completed, priority, due_date, tags, uid
            error: it must be an object, not a string
            error: `due_date` needs `time_zone` to know when "tomorrow" is: the user's IANA time zone, such as Europe/Berlin; ask the user if you do not know it
            #2 "sixth", done, v2"##]].assert_eq(&added.text);
        assert_eq!(alice.titles("?sort=created_at").await, ["first", "sixth"]);
        // Where nothing was done, the call as a whole says that it failed, in the same form.
        let failed = agent.call("add_tasks", json!({ "tasks": [{ "title": " " }, { "title": 7 }] })).await;
        assert_eq!((failed.failed, failed.results().len()), (true, 2));
        assert_eq!(alice.titles("").await.len(), 2);
    }

    async fn a_batch_has_1_to_25_items(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        for number in [0, 26, 1000] {
            let many = titles(&vec!["x"; number]);
            let advice = if number > 0 { "; split them into several calls" } else { "" };
            assert_eq!(
                agent.call("add_tasks", json!({ "tasks": many })).await.refused(),
                format!("add_tasks: `tasks` must have 1 to 25 items, has {number}{advice}")
            );
        }
        assert_eq!(agent.call("add_tasks", json!({ "tasks": {} })).await.refused(), "add_tasks: `tasks` must be an array of 1 to 25 items, not an object");
        assert_eq!(agent.call("add_tasks", json!({})).await.refused(), "add_tasks: `tasks` is required");
        for tool in ["complete_tasks", "delete_tasks", "restore_tasks"] {
            let words = agent.call(tool, json!({ "ids": (1..=26).collect::<Vec<_>>() })).await.refused();
            assert!(words.contains("must have 1 to 25 items, has 26"), "{words}");
        }
        let added = agent.call("add_tasks", json!({ "tasks": titles(&["x"; 25]) })).await.done();
        let ids: Vec<_> = added.results().iter().map(|item| item["task"]["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, (1..=25).collect::<Vec<_>>());
    }

    async fn a_retry_adds_nothing_twice(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let ask = |id: &str, tasks: Value| json!({ "request_id": id, "tasks": tasks });
        let first = agent.call("add_tasks", ask("r 1", titles(&["milk", "", "tea"]))).await.done();
        let again = agent.call("add_tasks", ask("r 1", titles(&["milk", "", "tea"]))).await.done();
        for index in [0, 2] {
            assert_eq!(again.results()[index]["task"], first.results()[index]["task"]);
            assert_eq!((&first.results()[index]["replayed"], &again.results()[index]["replayed"]), (&Value::Null, &json!(true)));
        }
        expect![[r##"
            #1 "milk", v1; added by an earlier call with this request_id
            error: `title` must not be empty
            #2 "tea", v2; added by an earlier call with this request_id"##]].assert_eq(&again.text);
        // Other arguments with the same id are a mistake, whichever item they differ in; nothing is added.
        for other in [titles(&["milk", "", "coffee"]), titles(&["milk"]), titles(&["milk", "", "tea", "more"]), titles(&["milk", "mended", "tea"])] {
            expect!["add_tasks: this `request_id` was used before with other arguments; repeat those to retry, or use a new one"]
                .assert_eq(&agent.call("add_tasks", ask("r 1", other)).await.refused());
        }
        assert_eq!(alice.titles("?sort=created_at").await, ["milk", "tea"]);
        // The same tasks under another id are others.
        agent.call("add_tasks", ask("r 2", titles(&["milk"]))).await.done();
        // The order of members does not matter.
        let members = r#"{"request_id":"r 3","tasks":[{"title":"a","priority":"low"}]}"#;
        let turned = r#"{"tasks":[{"priority":"low","title":"a"}],"request_id":"r 3"}"#;
        agent.call("add_tasks", serde_json::from_str(members).unwrap()).await.done();
        let again = agent.call("add_tasks", serde_json::from_str(turned).unwrap()).await.done();
        assert_eq!(again.results()[0]["replayed"], true);
        // One that was deleted since is not made anew.
        agent.call("delete_tasks", json!({ "ids": [1] })).await.done();
        let again = agent.call("add_tasks", ask("r 1", titles(&["milk", "", "tea"]))).await.done();
        assert_eq!(again.results()[0]["error"], "this `request_id` added it before as task 1, which was deleted since; restore_tasks restores it");
        assert_eq!(again.results()[2]["replayed"], true);
        // Keys of REST are others.
        alice.post_with_key("r1", json!({ "title": "by REST" })).await.has(201);
        agent.call("add_tasks", ask("r1", titles(&["by MCP"]))).await.done();

        for id in [json!(""), json!("x".repeat(101)), json!("a\nb"), json!(7)] {
            let words = agent.call("add_tasks", json!({ "request_id": id, "tasks": titles(&["x"]) })).await.refused();
            assert_eq!(words, "add_tasks: `request_id` must be a text of 1 to 100 characters");
        }
    }

    /// The digest that older versions stored for a batch cannot be computed again. So the key alone decides, and a
    /// retry adds nothing twice.
    async fn a_request_id_stored_by_an_older_version_is_still_known(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let ask = json!({ "request_id": "r", "tasks": titles(&["milk", "tea"]) });
        let first = agent.call("add_tasks", ask.clone()).await.done();
        let database = sea_orm::Database::connect(&app.database_url).await.unwrap();
        let update = "UPDATE task SET create_hash = '5ac3'";
        database.execute_unprepared(update).await.unwrap();
        let again = agent.call("add_tasks", ask).await.done();
        for index in [0, 1] {
            assert_eq!(again.results()[index]["task"], first.results()[index]["task"]);
            assert_eq!(again.results()[index]["replayed"], true);
        }
        assert_eq!(alice.titles("").await.len(), 2);
    }

    async fn a_retry_with_tomorrow_is_the_same_request_after_midnight(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.now = next_day).await;
        let agent = app.user("alice").agent();
        let ask = json!({ "request_id": "r", "time_zone": "UTC", "tasks": [{ "title": "x", "due_date": "tomorrow" }] });
        let first = agent.call("add_tasks", ask.clone()).await.done();
        assert!(first.results()[0]["task"]["due_date"].is_string());
        let again = agent.call("add_tasks", ask).await.done();
        assert_eq!(again.results()[0]["task"], first.results()[0]["task"]);
    }

    async fn a_retry_on_another_day_adds_only_the_items_that_failed(on: Backend) {
        let app = on
            .app_with(|settings| {
                settings.mcp.now = match on {
                    Backend::Sqlite => day_by_day::<0>,
                    Backend::Postgres => day_by_day::<1>,
                };
            })
            .await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let ask = |id: &str, days: &[(&str, &str)]| {
            let tasks: Vec<_> = days.iter().map(|(title, due)| json!({ "title": title, "due_date": due })).collect();
            json!({ "request_id": id, "time_zone": "Europe/Berlin", "tasks": tasks })
        };
        // The 25th: in three days the clocks skip half past two.
        let partly = ask("partly", &[("pay", "tomorrow"), ("sleep", "in 3 days 02:30")]);
        let day_25 = agent.call("add_tasks", partly.clone()).await.done();
        expect![[r##"
            #1 "pay", due 2027-03-26, v1
            error: `due_date` is 2027-03-28 02:30 in Europe/Berlin, a time that the clocks skip that day; choose another time
            "tomorrow" is 2027-03-26"##]].assert_eq(&day_25.text);
        // The 26th: tomorrow they do not.
        let whole = ask("whole", &[("call mum", "tomorrow"), ("wake", "tomorrow 02:30"), ("gone", "tomorrow 02:30")]);
        agent.call("add_tasks", whole.clone()).await.done();
        alice.delete("/api/v1/tasks/4").await.has(204);
        // The 27th: the same phrases would now mean other dates, one of which does not exist.
        let day_27 = agent.call("add_tasks", whole).await.done();
        expect![[r##"
            #2 "call mum", due 2027-03-27, v2; added by an earlier call with this request_id
            #3 "wake", due 2027-03-27T02:30:00+01:00, v3; added by an earlier call with this request_id
            error: this `request_id` added it before as task 4, which was deleted since; restore_tasks restores it"##]].assert_eq(&day_27.text);
        assert_eq!(day_27.content["dates"], Value::Null);
        // The 28th: the items that failed are added now, with dates seen from today.
        let day_28 = agent.call("add_tasks", partly).await.done();
        expect![[r##"
            #1 "pay", due 2027-03-26, v1; added by an earlier call with this request_id
            #5 "sleep", due 2027-03-31T02:30:00+02:00, v6
            "in 3 days 02:30" is 2027-03-31T02:30:00+02:00"##]].assert_eq(&day_28.text);
        assert_eq!(alice.titles("?sort=created_at").await, ["pay", "call mum", "wake", "sleep"]);
    }

    async fn retries_at_the_same_time_add_once(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let ask = json!({ "request_id": "r", "tasks": titles(&["a", "b", "c", "d", "e"]) });
        let calls = join_all((0..8).map(|_| agent.call("add_tasks", ask.clone()))).await;
        let ids = |call: &crate::support::mcp::Called| -> Vec<i64> {
            call.results().iter().map(|item| item["task"]["id"].as_i64().unwrap_or_else(|| panic!("{item}"))).collect()
        };
        for call in &calls {
            assert_eq!(ids(call), ids(&calls[0]), "{}", call.text);
        }
        assert_eq!(alice.titles("").await.len(), 5);
    }

    async fn items_over_the_task_limit_are_reported_one_by_one(on: Backend) {
        let app = on.app_with(|settings| settings.limits.tasks = 2).await;
        let agent = app.user("alice").agent();
        let added = agent.call("add_tasks", json!({ "tasks": titles(&["a", "b", "c", "d"]) })).await.done();
        let full = "You have 2 tasks, which is the limit; delete some first.";
        assert_eq!((&added.results()[2]["error"], &added.results()[3]["error"]), (&json!(full), &json!(full)));
        agent.call("delete_tasks", json!({ "ids": [1] })).await.done();
        agent.call("add_tasks", json!({ "tasks": titles(&["e"]) })).await.done();
        assert_eq!(agent.call("restore_tasks", json!({ "ids": [1] })).await.refused(), format!("error: {full}"));
    }
}

/// A clock that advances by a day each time it is read.
fn next_day() -> DateTime<Utc> {
    static DAYS: AtomicI64 = AtomicI64::new(0);
    monday() + TimeDelta::days(DAYS.fetch_add(1, Relaxed))
}

/// A clock that advances by a day each time it is read, from 25 March 2027; one for each database.
fn day_by_day<const DATABASE: usize>() -> DateTime<Utc> {
    static DAYS: [AtomicI64; 2] = [AtomicI64::new(0), AtomicI64::new(0)];
    let first: DateTime<Utc> = "2027-03-25T12:00:00Z".parse().unwrap();
    first + TimeDelta::days(DAYS[DATABASE].fetch_add(1, Relaxed))
}
