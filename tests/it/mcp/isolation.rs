//! No agent reaches anything of another user. The tools are those that the server offers, so a new one
//! fails here until its calls are listed.

use serde_json::{Value, json};

use crate::support::{Actor, Backend, TestApp, mcp::REVISIONS, on_both};

/// A mark in all texts of Alice's, which must not be in any answer to another user.
const MARK: &str = "xyzzy";
/// What Alice retried with.
const REQUEST: &str = "the request";

/// Alice's tasks: open, done, deleted, and one with a request id.
async fn alice_with_tasks(app: &TestApp) -> Actor {
    let alice = app.user("alice");
    for title in ["open", "done", "deleted"] {
        let task = json!({
            "title": format!("{title} {MARK}"), "description": MARK, "tags": [MARK], "completed": title == "done",
            "due_date": "2026-02-06",
        });
        alice.create_with(task).await;
    }
    alice.delete("/api/v1/tasks/3").await.has(204);
    alice.agent().call("add_tasks", additions()).await.done();
    alice
}

fn additions() -> Value {
    json!({ "request_id": REQUEST, "tasks": [{ "title": format!("by request {MARK}"), "tags": [MARK] }] })
}

/// The calls by which a tool might reach a task of somebody else: their ids, their cursor, their request id, and
/// arguments that name them, as a model might be talked into.
fn attempts(tool: &str, cursor: &str) -> Vec<Value> {
    let ids = json!({ "ids": [1, 2, 3, 4, 5] });
    let with = |mut arguments: Value, name: &str, value: Value| {
        arguments[name] = value;
        arguments
    };
    let named = |arguments: Value| {
        let users = ["user_id", "user", "owner", "sub"];
        let mut all: Vec<Value> = users
            .map(|name| with(arguments.clone(), name, json!("alice")))
            .into();
        all.push(arguments);
        all
    };
    match tool {
        "find_tasks" => [
            named(json!({})),
            named(json!({ "q": MARK })),
            named(json!({ "tag": MARK })),
            named(json!({ "limit": 1, "cursor": cursor })),
            named(json!({ "q": "' OR user_id = 'alice' --" })),
            named(json!({ "overdue": true, "time_zone": "UTC" })),
        ]
        .concat(),
        "get_task" => (1..=5)
            .flat_map(|id| named(json!({ "id": id })))
            .chain([
                json!({ "id": "1' OR user_id = 'alice" }),
                json!({ "id": "alice/1" }),
            ])
            .collect(),
        "get_overview" => named(json!({ "time_zone": "UTC" })),
        "add_tasks" => named(
            json!({ "request_id": REQUEST, "tasks": [{ "title": "mine", "user_id": "alice" }] }),
        ),
        "update_tasks" => {
            let each = |id: i64| {
                named(
                    json!({ "tasks": [{ "id": id, "title": "taken" }, { "id": id, "user_id": "alice", "title": "taken" }] }),
                )
            };
            (1..=5).flat_map(each).collect()
        }
        "complete_tasks" => [
            named(ids.clone()),
            named(with(ids, "completed", json!(false))),
        ]
        .concat(),
        "delete_tasks" | "restore_tasks" => named(ids),
        "add_task" => vec![json!({ "user_id": "alice", "title": "planted" })],
        "list_tasks" => vec![json!({ "user_id": "alice" }), json!({ "user_id": "bob" })],
        "complete_task" | "delete_task" => ["alice", "bob"]
            .into_iter()
            .flat_map(|user| (1..=5).map(move |id| json!({ "user_id": user, "task_id": id })))
            .collect(),
        "update_task" => ["alice", "bob"]
            .into_iter()
            .flat_map(|user| {
                (1..=5).map(move |id| json!({ "user_id": user, "task_id": id, "title": "taken" }))
            })
            .collect(),
        other => panic!("{other} is a new tool: say here how it might reach somebody else's tasks"),
    }
}

/// All that Alice has, deleted tasks included.
async fn all_of(alice: &Actor) -> Value {
    let list = alice.get("/api/v1/tasks").await.has(200);
    let overview = alice
        .agent()
        .call("get_overview", json!({ "time_zone": "UTC" }))
        .await
        .done();
    json!([list.body, list.header("etag"), overview.content])
}

on_both! {
    async fn no_tool_reaches_another_users_task(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = alice_with_tasks(&app).await;
        let page = alice.agent().call("find_tasks", json!({ "limit": 1 })).await.done();
        let cursor = page.content["next_cursor"].as_str().unwrap();
        let before = all_of(&alice).await;
        let mut tried = 0;
        for revision in REVISIONS {
            let agent = app.user("bob").agent_of(revision);
            for tool in agent.tools().await {
                let name = tool["name"].as_str().unwrap();
                for arguments in attempts(name, cursor) {
                    let called = agent.call(name, arguments.clone()).await;
                    assert!(!called.text.replace(&arguments.to_string(), "").contains(MARK), "{name} {arguments}: {}", called.text);
                    assert!(!called.content.to_string().contains(MARK), "{name} {arguments}: {}", called.content);
                    let writes = tool["annotations"]["readOnlyHint"] == false;
                    assert!(!writes || called.failed, "{name} {arguments}: {}", called.text);
                    tried += 1;
                }
            }
        }
        assert!(tried > 300, "only {tried} attempts were made");
        assert_eq!(all_of(&alice).await, before);
        // Bob has nothing, and has seen nothing.
        let bobs = app.user("bob").agent().call("find_tasks", json!({})).await.done();
        assert_eq!(bobs.content, json!({ "tasks": [], "total": 0 }));
        // And Alice can still bring back what she deleted.
        alice.agent().call("restore_tasks", json!({ "ids": [3] })).await.done();
    }

    async fn a_request_id_belongs_to_one_user(on: Backend) {
        let app = on.app().await;
        let alice = alice_with_tasks(&app).await;
        let bob = app.user("bob");
        // The very same request: Bob gets a task of his own, and learns nothing of hers.
        let added = bob.agent().call("add_tasks", additions()).await.done();
        let item = &added.results()[0];
        assert_eq!((&item["task"]["id"], &item["replayed"]), (&json!(1), &Value::Null));
        assert_eq!(bob.titles("").await.len(), 1);
        assert_eq!(alice.titles("").await.len(), 3);
    }

    async fn the_user_is_that_of_the_token_of_each_request(on: Backend) {
        let app = on.app().await;
        let (alice, bob) = app.two_users();
        alice.create("Alice's").await;
        bob.create("Bob's").await;
        // One connection, one session id that a client makes up, two tokens.
        for (actor, title) in [(&alice, "Alice's"), (&bob, "Bob's"), (&alice, "Alice's")] {
            let agent = actor.agent();
            let request = agent.message("tools/call", json!({ "name": "find_tasks" })).header("mcp-session-id", "shared");
            let answer = actor.send(request).await.has(200);
            let tasks = &answer.body["result"]["structuredContent"]["tasks"];
            assert_eq!((&tasks[0]["title"], tasks.as_array().unwrap().len()), (&json!(title), 1));
        }
    }
}
