//! `find_tasks` and `get_overview`, and the size of their answers.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use chrono::{DateTime, TimeDelta, Utc};
use expect_test::expect;
use serde_json::{Value, json};

use super::{monday, on_monday};
use crate::support::{Backend, mcp::Agent, on_both};

/// A clock that advances by a second each time it is read.
fn next_second() -> DateTime<Utc> {
    static SECONDS: AtomicI64 = AtomicI64::new(0);
    monday() + TimeDelta::seconds(SECONDS.fetch_add(1, Relaxed))
}

/// The ids that are found, in their order.
async fn ids(agent: &Agent, arguments: Value) -> Vec<i64> {
    let found = agent.call("find_tasks", arguments).await.done();
    let tasks = found.content["tasks"].as_array().unwrap();
    tasks
        .iter()
        .map(|task| task["id"].as_i64().unwrap())
        .collect()
}

async fn add(agent: &Agent, tasks: Value) {
    let added = agent
        .call("add_tasks", json!({ "tasks": tasks, "time_zone": "UTC" }))
        .await
        .done();
    assert!(
        added.results().iter().all(|item| item["error"].is_null()),
        "{}",
        added.text
    );
}

on_both! {
    async fn a_page_of_25_among_500_is_small(on: Backend) {
        let app = on_monday(on).await;
        let agent = app.user("alice").agent();
        for batch in 0..20 {
            let tasks: Vec<Value> = (0..25)
                .map(|n| json!({
                    "title": format!("Prepare the quarterly report, part {}", batch * 25 + n + 1),
                    "due_date": "2026-12-01",
                    "priority": if n % 3 == 0 { "high" } else { "medium" },
                    "tags": ["work", "reports"],
                    "description": "What nobody needs in a list. ".repeat(20),
                }))
                .collect();
            add(&agent, json!(tasks)).await;
        }
        let answer = agent.try_call("find_tasks", json!({})).await.has(200);
        let result = &answer.body["result"];
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!((&result["structuredContent"]["total"], text.lines().count()), (&json!(500), 1 + 25 + 1));
        assert!(text.len() < 3_000, "{} bytes", text.len());
        let structured = result["structuredContent"].to_string().len();
        expect!["text 2878 bytes, structured 3921 bytes, REST 22404 bytes"].assert_eq(&format!("text {} bytes, structured {structured} bytes, REST {} bytes", text.len(),
            agent.actor.get("/api/v1/tasks?limit=25").await.text.len()));

        // All of them, a page at a time.
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let mut arguments = json!({ "limit": 100, "sort": "priority", "tag": "WORK" });
            if let Some(cursor) = &cursor {
                arguments["cursor"] = json!(cursor);
            }
            let page = agent.call("find_tasks", arguments).await.done();
            assert_eq!(page.content["total"], 500);
            let tasks = page.content["tasks"].as_array().unwrap();
            seen.extend(tasks.iter().map(|task| task["id"].as_i64().unwrap()));
            match page.content["next_cursor"].as_str() {
                Some(next) => {
                    assert!(page.text.ends_with(&format!("next_cursor \"{next}\"")), "{}", page.text);
                    cursor = Some(next.to_owned());
                }
                None => break,
            }
        }
        assert_eq!(seen.len(), 500);
        seen.sort_unstable();
        assert_eq!(seen, (1..=500).collect::<Vec<_>>());
    }

    async fn due_dates_depend_on_the_time_zone(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.now = next_second).await;
        let agent = app.user("alice").agent();
        add(&agent, json!([
            { "title": "the day before", "due_date": "2026-11-22" },
            { "title": "this day", "due_date": "2026-11-23" },
            { "title": "the day after", "due_date": "2026-11-24" },
            { "title": "in the night to it in Berlin", "due_date": "2026-11-22T23:30:00Z" },
            { "title": "late in the evening in New York", "due_date": "2026-11-24T04:30:00Z" },
            { "title": "an hour ago", "due_date": "2026-11-23T11:00:00Z" },
            { "title": "in an hour", "due_date": "2026-11-23T13:00:00Z" },
            { "title": "done", "due_date": "2026-11-20", "completed": true },
            { "title": "never" },
        ])).await;
        let today = |zone: &str| json!({ "due_from": "today", "due_to": "today", "time_zone": zone, "sort": "created_at" });
        // A date is that day everywhere, a time is on the day that it has there.
        assert_eq!(ids(&agent, today("UTC")).await, [2, 6, 7]);
        assert_eq!(ids(&agent, today("Europe/Berlin")).await, [2, 4, 6, 7]);
        assert_eq!(ids(&agent, today("America/New_York")).await, [2, 5, 6, 7]);
        // In Auckland it is Tuesday already, and 17:30 there is still Monday in New York.
        assert_eq!(ids(&agent, today("Pacific/Auckland")).await, [3, 5, 6, 7]);

        let overdue = |zone: &str| json!({ "overdue": true, "time_zone": zone, "sort": "created_at" });
        assert_eq!(ids(&agent, overdue("UTC")).await, [1, 4, 6]);
        assert_eq!(ids(&agent, overdue("America/New_York")).await, [1, 4, 6]);
        assert_eq!(ids(&agent, overdue("Pacific/Auckland")).await, [1, 2, 4, 6]);

        let some = json!({ "due_from": "2026-11-23T11:00:00Z", "due_to": "2026-11-23T13:00:00Z", "time_zone": "UTC", "sort": "created_at" });
        assert_eq!(ids(&agent, some).await, [2, 6, 7]);
        assert_eq!(ids(&agent, json!({ "due_to": "yesterday", "completed": true, "time_zone": "UTC" })).await, [8]);

        assert_eq!(ids(&agent, json!({ "due": "none" })).await, [9]);
        assert_eq!(ids(&agent, json!({ "due": "any", "due_to": "2026-11-22", "time_zone": "UTC", "sort": "due_date" })).await, [8, 1, 4]);
        // In the order by due date the days are those of the user as well.
        let soonest = |zone: &str| json!({ "sort": "due_date", "completed": false, "time_zone": zone });
        assert_eq!(ids(&agent, soonest("UTC")).await, [1, 4, 2, 6, 7, 3, 5, 9]);
        assert_eq!(ids(&agent, soonest("America/New_York")).await, [1, 4, 2, 6, 7, 5, 3, 9]);

        // Pages of what is overdue go on while time does.
        let first = agent.call("find_tasks", json!({ "overdue": true, "time_zone": "UTC", "limit": 2, "sort": "created_at" })).await.done();
        let cursor = &first.content["next_cursor"];
        let next = json!({ "overdue": true, "time_zone": "UTC", "limit": 2, "sort": "created_at", "cursor": cursor });
        assert_eq!(ids(&agent, next).await, [6]);
        let other = json!({ "limit": 2, "sort": "created_at", "cursor": cursor });
        expect!["find_tasks: `cursor` is not the next_cursor of a page with these arguments; start again without it"]
            .assert_eq(&agent.call("find_tasks", other).await.refused());

        for (arguments, words) in [
            (json!({ "overdue": true }), "find_tasks: `overdue` needs `time_zone` to know what day it is"),
            (json!({ "due_to": "2026-11-23" }), "find_tasks: `due_to` needs `time_zone` to know when a day begins"),
            (json!({ "due_from": "2026-11-23T11:00:00Z" }), "find_tasks: `due_from` needs `time_zone` to know what day that is"),
            (json!({ "overdue": true, "completed": true, "time_zone": "UTC" }), "find_tasks: `overdue` finds open tasks that were due before now"),
            (json!({ "due_from": "soon", "time_zone": "UTC" }), "find_tasks: `due_from` must be a date like 2026-02-06, or one of these phrases, not \"soon\": today, "),
            (json!({ "time_zone": "Berlin" }), "find_tasks: `time_zone` must be the name of a time zone in the IANA database, like Europe/Berlin or UTC"),
            (json!({ "limit": 101 }), "find_tasks: `limit` must be an integer from 1 to 100"),
        ] {
            let refused = agent.call("find_tasks", arguments).await.refused();
            assert!(refused.starts_with(words), "{refused}");
        }
    }

    async fn an_agent_asks_what_has_changed(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let ask = async |arguments: Value| agent.call("find_tasks", arguments).await.done();
        add(&agent, json!([{ "title": "a" }, { "title": "b" }, { "title": "c" }])).await;
        alice.delete("/api/v1/tasks/3").await.has(204);
        // At first there is nothing that could have been deleted.
        let first = ask(json!({ "changed_since": 0, "limit": 1 })).await;
        expect![[r##"
            1 of 2 tasks; revision 4
            #2 "b", v2
            next_cursor "##]].assert_eq(&format!("{} ", first.text.rsplit_once(' ').unwrap().0));
        let cursor = &first.content["next_cursor"];
        let rest = ask(json!({ "changed_since": 0, "limit": 1, "cursor": cursor })).await;
        // The revision of the first page counts, which what changes meanwhile is above.
        assert_eq!((&rest.content["tasks"][0]["id"], &rest.content["revision"]), (&json!(1), &Value::Null));

        let nothing = ask(json!({ "changed_since": 4 })).await;
        assert_eq!(nothing.content, json!({ "tasks": [], "total": 0, "revision": 4 }));
        alice.patch("/api/v1/tasks/1", json!({ "completed": true })).await.has(200);
        alice.delete("/api/v1/tasks/2").await.has(204);
        let some = ask(json!({ "changed_since": 4 })).await;
        expect![[r##"
            1 of 1 tasks; revision 6; deleted: #2
            #1 "a", done, v5"##]].assert_eq(&some.text);
        assert_eq!(some.content["deleted"], json!([2]));
        // With the other filters, too.
        assert_eq!(ids(&agent, json!({ "changed_since": 4, "completed": false })).await, [0i64; 0]);
        let other = json!({ "changed_since": 3, "limit": 1, "cursor": cursor });
        assert!(agent.call("find_tasks", other).await.refused().contains("`cursor` is not"));
        assert_eq!(ask(json!({})).await.content.get("revision"), None);

        crate::list_changes::purge(&app).await;
        expect!["find_tasks: `changed_since`: what was deleted after that revision is no longer known; forget the tasks that you know, and call again with `changed_since` 0"]
            .assert_eq(&agent.call("find_tasks", json!({ "changed_since": 5 })).await.refused());
        assert_eq!(ids(&agent, json!({ "changed_since": 0 })).await, [1]);
        assert_eq!(ids(&agent, json!({ "changed_since": 6 })).await, [0i64; 0]);
    }

    async fn too_many_deletions_are_not_told_one_by_one(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for operation in ["create", "delete"] {
            let all = (1..=101).map(|id| match operation {
                "create" => json!({ "op": "create", "task": { "title": "x" } }),
                _ => json!({ "op": "delete", "id": id }),
            });
            for some in all.collect::<Vec<_>>().chunks(100) {
                alice.post("/api/v1/tasks/batch", json!({ "operations": some })).await.has(200);
            }
        }
        let refused = alice.agent().call("find_tasks", json!({ "changed_since": 101 })).await.refused();
        assert!(refused.starts_with("find_tasks: `changed_since`: more than 100 tasks were deleted since; "), "{refused}");
        let all = alice.agent().call("find_tasks", json!({ "changed_since": 102 })).await.done();
        assert_eq!(all.content["deleted"].as_array().unwrap().len(), 100);
    }

    async fn an_overview_counts(on: Backend) {
        let app = on_monday(on).await;
        let agent = app.user("alice").agent();
        let empty = agent.call("get_overview", json!({ "time_zone": "UTC" })).await.done();
        expect!["today is Monday 2026-11-23; 0 open (0 high, 0 medium, 0 low), 0 done; 0 overdue, 0 more due today, 0 in the 7 days after"].assert_eq(&empty.text);
        add(&agent, json!([
            { "title": "a", "due_date": "2026-11-22", "tags": ["Home", "shop"] },
            { "title": "b", "due_date": "2026-11-23", "priority": "high", "tags": ["home"] },
            { "title": "c", "due_date": "2026-11-23T11:59:59Z", "tags": ["HOME", "Straße"] },
            { "title": "d", "due_date": "2026-11-23T12:00:00Z", "tags": ["STRASSE"] },
            { "title": "e", "due_date": "2026-11-24", "priority": "low" },
            { "title": "f", "due_date": "2026-11-30T23:59:00Z" },
            { "title": "g", "due_date": "2026-12-01" },
            { "title": "h" },
            { "title": "i", "due_date": "2026-11-01", "completed": true, "tags": ["done"] },
            { "title": "gone", "due_date": "2026-11-01", "tags": ["gone"] },
        ])).await;
        agent.call("delete_tasks", json!({ "ids": [10] })).await.done();
        // Other users' tasks do not count.
        add(&app.user("bob").agent(), json!([{ "title": "bob's", "due_date": "2026-11-01", "tags": ["bob"] }])).await;
        let overview = agent.call("get_overview", json!({ "time_zone": "UTC" })).await.done();
        expect![[r#"today is Monday 2026-11-23; 8 open (1 high, 6 medium, 1 low), 1 done; 2 overdue, 2 more due today, 2 in the 7 days after; tags of open tasks: "HOME" 3, "STRASSE" 2, "shop" 1"#]].assert_eq(&overview.text);
        let there = agent.call("get_overview", json!({ "time_zone": "Pacific/Auckland" })).await.done();
        expect![[r#"today is Tuesday 2026-11-24; 8 open (1 high, 6 medium, 1 low), 1 done; 3 overdue, 2 more due today, 2 in the 7 days after; tags of open tasks: "HOME" 3, "STRASSE" 2, "shop" 1"#]].assert_eq(&there.text);
        // It counts what find_tasks finds.
        let overdue = agent.call("find_tasks", json!({ "overdue": true, "time_zone": "UTC" })).await.done();
        assert_eq!(overdue.content["total"], overview.content["overdue"]);
    }
}
