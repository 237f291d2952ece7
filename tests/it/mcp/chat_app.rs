//! The tools of todo chat apps, which a setting enables.

use expect_test::expect;
use serde_json::json;

use crate::support::{Backend, on_both};

const TOOLS: [&str; 5] = [
    "add_task",
    "list_tasks",
    "complete_task",
    "delete_task",
    "update_task",
];

on_both! {
    async fn the_tools_are_off_by_default(on: Backend) {
        let app = on.app().await;
        let agent = app.user("alice").agent();
        let tools = agent.tools().await;
        for name in TOOLS {
            assert!(tools.iter().all(|tool| tool["name"] != name), "{name}");
            let answer = agent.try_call(name, json!({ "user_id": "alice" })).await;
            assert_eq!(answer.body["error"]["code"], -32602, "{answer}");
        }
    }

    async fn the_tools_answer_as_such_apps_expect(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let mut said = Vec::new();
        for (tool, arguments) in [
            ("add_task", json!({ "user_id": "alice", "title": "Buy groceries", "description": "Milk, eggs, bread" })),
            ("add_task", json!({ "user_id": "alice", "title": "Call mom", "description": "" })),
            ("update_task", json!({ "user_id": "alice", "task_id": 1, "title": "Buy groceries and fruits" })),
            ("complete_task", json!({ "user_id": "alice", "task_id": 2 })),
            ("list_tasks", json!({ "user_id": "alice", "status": "pending" })),
            ("list_tasks", json!({ "user_id": "alice", "status": "completed" })),
            ("delete_task", json!({ "user_id": "alice", "task_id": 1 })),
            ("list_tasks", json!({ "user_id": "alice" })),
        ] {
            said.push(format!("> {tool}\n{}", agent.call(tool, arguments).await.done().text));
        }
        expect![[r#"
            > add_task
            {"task_id":1,"status":"created","title":"Buy groceries"}
            > add_task
            {"task_id":2,"status":"created","title":"Call mom"}
            > update_task
            {"task_id":1,"status":"updated","title":"Buy groceries and fruits","before":{"title":"Buy groceries"}}
            > complete_task
            {"task_id":2,"status":"completed","title":"Call mom"}
            > list_tasks
            [{"id":1,"title":"Buy groceries and fruits","has_description":true,"version":3}]
            > list_tasks
            [{"id":2,"title":"Call mom","completed":true,"version":4}]
            > delete_task
            {"task_id":1,"status":"deleted","title":"Buy groceries and fruits"}
            > list_tasks
            [{"id":2,"title":"Call mom","completed":true,"version":4}]"#]].assert_eq(&said.join("\n"));
        // The other tools are there as well, and see the same tasks.
        agent.call("restore_tasks", json!({ "ids": [1] })).await.done();
        let words = agent.call("complete_task", json!({ "user_id": "alice", "task_id": 9 })).await.refused();
        assert_eq!(words, "complete_task: no task 9; find_tasks lists your tasks");
        let words = agent.call("list_tasks", json!({ "user_id": "alice", "status": "open" })).await.refused();
        assert_eq!(words, "list_tasks: `status` must be all, pending or completed");
    }

    async fn a_list_that_is_cut_says_so(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        for batch in 0..5 {
            let tasks: Vec<_> = (0..25).map(|n| json!({ "title": format!("Task {batch} {n}"), "completed": n == 0 })).collect();
            agent.call("add_tasks", json!({ "tasks": tasks })).await.done();
        }
        let list = async |status: &str| agent.call("list_tasks", json!({ "user_id": "alice", "status": status })).await.done();
        let all = list("all").await;
        assert_eq!(all.content["tasks"].as_array().unwrap().len(), 100);
        let note = "These are the newest 100 of 125 tasks; find_tasks finds the others.";
        assert_eq!(all.content["note"], note);
        assert!(all.text.starts_with('[') && all.text.ends_with(note), "{}", all.text);
        assert!(list("pending").await.text.contains("100 of 120 tasks"));
        // A whole list is the array and nothing else.
        let done = list("completed").await;
        assert_eq!((done.content.get("note"), done.text.ends_with(']')), (None, true));
    }

    async fn the_user_id_must_be_the_caller(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let (alice, bob) = app.two_users();
        alice.create("Alice's").await;
        bob.create("Bob's").await;
        let agent = bob.agent();
        for name in TOOLS {
            for user in ["alice", "ALICE", "nobody", "", "me", "bob ", "Bob"] {
                let mut arguments = json!({ "user_id": user });
                if name == "add_task" {
                    arguments["title"] = json!("x");
                } else if name != "list_tasks" {
                    arguments["task_id"] = json!(1);
                }
                let words = agent.call(name, arguments).await.refused();
                assert_eq!(words, format!("{name}: `user_id` must be the user of the access token: no other user's tasks can be reached"));
            }
            let words = agent.call(name, json!({})).await.refused();
            assert!(words.contains("`user_id` is required"), "{words}");
        }
        assert_eq!((alice.titles("").await, bob.titles("").await), (vec!["Alice's".to_owned()], vec!["Bob's".to_owned()]));
    }
}
