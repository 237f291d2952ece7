//! Lists on the owner paths: their shape, their parameters and their pages.

use reqwest::Method;
use serde_json::{Value, json};
use taskward::api::ListShape;

use super::{TASKS, in_both_names, three_tasks, titles};
use crate::support::{Backend, on_both};

on_both! {
    async fn a_list_is_an_array_newest_first(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        assert_eq!(alice.get(TASKS).await.has(200).body, json!([]));
        three_tasks(&alice).await;
        assert_eq!(titles(&alice, "").await, ["Air the room", "Call mum", "Buy milk"]);
        // Each as it is everywhere, but for the second name of being done.
        let list = alice.get("/api/v1/tasks").await;
        let list: Vec<Value> = list.items().iter().cloned().map(in_both_names).collect();
        assert_eq!(alice.get(TASKS).await.body, json!(list));
    }

    async fn a_list_may_be_set_to_tell_its_total(on: Backend) {
        let app = on.app_with(|settings| settings.owner_list = ListShape::Tasks).await;
        let alice = app.user("alice");
        assert_eq!(alice.get(TASKS).await.has(200).body, json!({ "tasks": [], "total": 0 }));
        three_tasks(&alice).await;
        for (query, on_page, total) in [
            ("", 3, 3), ("?limit=1", 1, 3), ("?limit=2&offset=2", 1, 3), ("?offset=9", 0, 3), ("?page=9&limit=3", 0, 3),
            ("?status=pending", 2, 2), ("?status=pending&limit=1", 1, 2), ("?search=nothing", 0, 0),
            ("?status=pending&offset=5", 0, 2),
        ] {
            let answer = alice.get(&format!("{TASKS}{query}")).await.has(200);
            assert_eq!(answer.body["tasks"].as_array().unwrap().len(), on_page, "{query}");
            assert_eq!(answer.body["total"], total, "{query}");
        }
        // Others' tasks are not counted.
        assert_eq!(app.user("bob").get("/api/bob/tasks").await.body["total"], 0);
        alice.delete(&format!("{TASKS}/1")).await.has(200);
        assert_eq!(alice.get(TASKS).await.body["total"], 2);
    }

    async fn parameters_have_several_names(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        three_tasks(&alice).await;
        let (air, call, buy) = ("Air the room", "Call mum", "Buy milk");
        let lists: [(&str, &[&str]); 60] = [
            ("status=all", &[air, call, buy]),
            ("status=All", &[air, call, buy]),
            ("status=pending", &[air, call]),
            ("status=PENDING", &[air, call]),
            ("status=INCOMPLETE", &[air, call]),
            ("status=active", &[air, call]),
            ("status=todo", &[air, call]),
            ("status=completed", &[buy]),
            ("status=Completed", &[buy]),
            ("status=COMPLETE", &[buy]),
            ("status=done", &[buy]),
            ("completed=true", &[buy]),
            ("completed=false", &[air, call]),
            ("status=all&completed=true", &[buy]),
            ("priority=HIGH", &[buy]),
            ("priority=medium", &[air]),
            ("tag=home", &[air, buy]),
            ("search=MILK", &[call, buy]),
            ("q=milk", &[call, buy]),
            ("keyword=milk", &[call, buy]),
            ("search=milk&status=pending&priority=low", &[call]),
            ("sort=created", &[air, call, buy]),
            ("sort=created_at", &[air, call, buy]),
            ("sort=-created_at", &[air, call, buy]),
            ("sort_by=createdAt", &[air, call, buy]),
            ("sort_by=updated_at", &[air, call, buy]),
            ("sort_by=updatedAt&order=asc", &[buy, call, air]),
            ("order=asc", &[buy, call, air]),
            ("order=ASC", &[buy, call, air]),
            ("sort_order=asc", &[buy, call, air]),
            ("sort_direction=asc", &[buy, call, air]),
            ("sort_direction=desc", &[air, call, buy]),
            ("sort=title", &[air, buy, call]),
            ("sort=-title", &[call, buy, air]),
            ("sort=title&order=desc", &[call, buy, air]),
            ("sort_by=due_date", &[air, call, buy]),
            ("sort_by=dueDate", &[air, call, buy]),
            ("sort_by=dueDate&sort_order=desc", &[buy, call, air]),
            ("sort=-due_date", &[buy, call, air]),
            ("sort=priority", &[buy, air, call]),
            ("sort=priority&order=asc", &[call, air, buy]),
            ("sort=priority&order=desc", &[buy, air, call]),
            ("limit=2", &[air, call]),
            ("limit=1000", &[air, call, buy]),
            ("limit=2&offset=1", &[call, buy]),
            ("limit=2&skip=2", &[buy]),
            ("skip=1", &[call, buy]),
            ("limit=2&page=1", &[air, call]),
            ("limit=2&page=2", &[buy]),
            ("page=2&limit=2&sort=title", &[call]),
            ("page=1", &[air, call, buy]),
            ("page=2", &[]),
            ("offset=7", &[]),
            // Forms send what is empty, too.
            ("status=&search=&priority=&sort_by=&order=&limit=&tag=", &[air, call, buy]),
            ("search=%20&q=milk", &[call, buy]),
            ("completed=&page=&offset=&skip=", &[air, call, buy]),
            // These are values of other servers.
            ("category=work", &[air, call, buy]),
            ("labels=home&include_archived=false", &[air, call, buy]),
            ("_=1738400000000", &[air, call, buy]),
            ("search=nothing", &[]),
        ];
        for (query, expected) in lists {
            assert_eq!(titles(&alice, &format!("?{query}")).await, expected, "{query}");
        }
    }

    async fn invalid_values_are_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for query in [
            "status=open", "completed=maybe", "priority=urgent", "sort=colour", "sort_by=colour", "order=up",
            "sort_order=down", "sort_direction=1", "limit=0", "limit=1001", "limit=x", "limit=-1", "offset=-1", "skip=x",
            "page=0", "page=1.5", "limit=%2B1", "search=%00", "q=%FF", "limit=1&limit=2",
        ] {
            let answer = alice.get(&format!("{TASKS}?{query}")).await.fails(400, "invalid_parameters");
            let name = query.split('=').next().unwrap();
            assert_eq!(answer.body["errors"][0]["parameter"], name, "{answer}");
        }
        // All of them at once.
        let answer = alice.get(&format!("{TASKS}?status=open&order=up&page=0")).await.has(400);
        assert_eq!(answer.faults().len(), 3, "{answer}");
        // A list of the largest page is no fault, however far.
        alice.get(&format!("{TASKS}?limit=1000&page=1000000")).await.has(200);
    }

    async fn a_long_list_comes_whole_and_in_order(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let mut all = Vec::new();
        for number in 0..120 {
            let title = format!("Task {number:03}");
            alice.create(&title).await;
            all.insert(0, title);
        }
        assert_eq!(titles(&alice, "").await, all);
        for (offset, limit) in [(0, 25), (0, 26), (10, 50), (90, 100), (95, 25), (94, 26), (119, 30)] {
            let end = all.len().min(offset + limit);
            let list = titles(&alice, &format!("?offset={offset}&limit={limit}")).await;
            assert_eq!(list, all[offset..end], "{offset}, {limit}");
        }
        let with_total = app.another(|settings| settings.owner_list = ListShape::Tasks).await;
        let answer = with_total.user("alice").get(TASKS).await.has(200);
        assert_eq!(answer.body["total"], 120);
        let list = answer.body["tasks"].as_array().unwrap().iter();
        assert!(list.map(|task| task["title"].as_str().unwrap()).eq(&all));
    }

    async fn of_a_list_that_is_read_slowly_each_task_comes_once_and_deleted_ones_do_not(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let text = "\u{1f4dd}".repeat(10_000);
        for number in 1..=120 {
            alice.create_with(json!({ "title": format!("Task {number}"), "description": text })).await;
        }
        // 120 × 40 kB: more than the buffers on the way hold.
        let mut answer = alice.request(Method::GET, &format!("{TASKS}?sort=created")).send().await.unwrap();
        let mut json = answer.chunk().await.unwrap().unwrap().to_vec();
        alice.delete("/api/v1/tasks/1").await.has(204);
        alice.patch("/api/v1/tasks/120", json!({ "title": "Renamed" })).await.has(200);
        alice.create("Added meanwhile").await;
        while let Some(chunk) = answer.chunk().await.unwrap() {
            json.extend_from_slice(&chunk);
        }
        let list: Vec<Value> = serde_json::from_slice(&json).unwrap();
        let mut ids: Vec<i64> = list.iter().map(|task| task["id"].as_i64().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, Vec::from_iter(2..=120));
        let last = list.iter().find(|task| task["id"] == 120).unwrap();
        assert!(["Task 120", "Renamed"].contains(&last["title"].as_str().unwrap()));
    }
}
