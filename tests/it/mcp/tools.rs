//! The tools, their schemas, and the size of the list.

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{
    Backend,
    mcp::{NEWEST, REVISIONS},
    on_both,
};

on_both! {
    async fn eight_tools_in_less_than_12_kb(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for revision in REVISIONS {
            let answer = alice.agent_of(revision).ask("tools/list", json!({})).await.has(200);
            let tools = answer.body["result"]["tools"].as_array().unwrap();
            assert!(tools.len() <= 8, "{}", tools.len());
            // The size of the whole answer; a model reads a little less.
            assert!(answer.text.len() < 12_000, "{} bytes", answer.text.len());
        }
        let answer = alice.agent().ask("tools/list", json!({})).await;
        expect!["10977 bytes"].assert_eq(&format!("{} bytes", answer.text.len()));
    }

    async fn the_titles_and_hints_of_the_tools(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let hints = |tool: &Value| {
            let hints = &tool["annotations"];
            assert_eq!(hints.as_object().unwrap().len(), 4, "{hints}");
            assert_eq!(hints["openWorldHint"], false);
            let words: Vec<&str> = [("readOnlyHint", "reads"), ("destructiveHint", "overwrites"), ("idempotentHint", "repeatable")]
                .into_iter()
                .filter(|(hint, _)| hints[*hint].as_bool().unwrap())
                .map(|(_, word)| word)
                .collect();
            format!("{} ({}): {}", tool["name"].as_str().unwrap(), tool["title"].as_str().unwrap(), words.join(", "))
        };
        let tools = app.user("alice").agent().tools().await;
        let tools: Vec<String> = tools.iter().map(hints).collect();
        expect![[r#"
            find_tasks (Find tasks): reads, repeatable
            get_task (Get a task): reads, repeatable
            get_overview (Get an overview): reads, repeatable
            add_tasks (Add tasks): 
            update_tasks (Change tasks): overwrites, repeatable
            complete_tasks (Complete or reopen tasks): repeatable
            delete_tasks (Delete tasks): overwrites, repeatable
            restore_tasks (Restore deleted tasks): repeatable
            add_task (Add a task): 
            list_tasks (List tasks): reads, repeatable
            complete_task (Complete a task): repeatable
            delete_task (Delete a task): overwrites, repeatable
            update_task (Update a task): overwrites, repeatable"#]].assert_eq(&tools.join("\n"));
    }

    /// A read-only tool changes nothing, and an idempotent one nothing more when it is called again.
    async fn the_hints_are_true(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = app.user("alice");
        for title in ["one", "two", "three", "four", "five", "six"] {
            alice.create(title).await;
        }
        alice.delete("/api/v1/tasks/6").await.has(204);
        let version = async || alice.get("/api/v1/tasks").await.header("etag").to_owned();
        for tool in alice.agent().tools().await {
            let name = tool["name"].as_str().unwrap();
            let arguments = match name {
                "find_tasks" => json!({}),
                "get_task" => json!({ "id": 1 }),
                "get_overview" => json!({ "time_zone": "UTC" }),
                "add_tasks" => json!({ "tasks": [{ "title": "seven" }] }),
                "update_tasks" => json!({ "tasks": [{ "id": 1, "title": "first" }] }),
                "complete_tasks" => json!({ "ids": [2] }),
                "delete_tasks" => json!({ "ids": [3] }),
                "restore_tasks" => json!({ "ids": [6] }),
                "add_task" => json!({ "user_id": "alice", "title": "eight" }),
                "list_tasks" => json!({ "user_id": "alice" }),
                "complete_task" => json!({ "user_id": "alice", "task_id": 4 }),
                "delete_task" => json!({ "user_id": "alice", "task_id": 5 }),
                "update_task" => json!({ "user_id": "alice", "task_id": 4, "title": "fourth" }),
                other => panic!("what does {other} take?"),
            };
            let before = version().await;
            alice.agent().call(name, arguments.clone()).await.done();
            let once = version().await;
            alice.agent().try_call(name, arguments).await.has(200);
            let twice = version().await;
            let hint = |hint: &str| tool["annotations"][hint].as_bool().unwrap();
            assert_eq!(before == once, hint("readOnlyHint"), "{name}");
            assert_eq!(once == twice, hint("idempotentHint"), "{name}");
        }
    }

    async fn schemas_are_lean_and_strict(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        for tool in app.user("alice").agent_of(NEWEST).tools().await {
            let (input, output) = (&tool["inputSchema"], &tool["outputSchema"]);
            for schema in [input, output] {
                jsonschema::validator_for(schema).unwrap();
                jsonschema::meta::validate(schema).unwrap();
                assert_eq!(schema["type"], "object");
                for word in ["$schema", "$ref", "$defs", "\"title\":\"", "nullable"] {
                    assert!(!schema.to_string().contains(word), "{word} in {schema}");
                }
            }
            assert_eq!(input["additionalProperties"], false, "{input}");
            assert!(!tool["description"].as_str().unwrap().is_empty());
        }
    }

    async fn every_token_sees_every_tool(on: Backend) {
        let app = on.app().await;
        let all = app.user("alice").agent().tools().await;
        for scope in ["tasks:read", "tasks:write", ""] {
            assert_eq!(app.user_with_scope("alice", scope).agent().tools().await, all, "{scope}");
        }
    }

    async fn a_token_calls_what_its_scopes_allow(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        // These show a task that they do not write: the old values, or an unchanged task.
        let both = ["update_tasks", "complete_tasks", "restore_tasks", "complete_task", "update_task"];
        for revision in REVISIONS {
            for tool in app.user("alice").agent_of(revision).tools().await {
                let name = tool["name"].as_str().unwrap();
                let reads = tool["annotations"]["readOnlyHint"] == true;
                for (scope, missing) in [
                    ("tasks:read", (!reads).then_some("tasks:write")),
                    ("tasks:write", (reads || both.contains(&name)).then_some("tasks:read")),
                    ("", Some(if reads { "tasks:read" } else { "tasks:write" })),
                    ("tasks:read tasks:write", None),
                ] {
                    // Nonsense as arguments: a token that does not allow the call is refused before they are read.
                    let agent = app.user_with_scope("alice", scope).agent_of(revision);
                    let answer = agent.try_call(name, json!({ "nonsense": 1 })).await;
                    let Some(missing) = missing else {
                        answer.has(200);
                        continue;
                    };
                    let answer = answer.fails(403, "insufficient_scope");
                    let challenge = answer.header("www-authenticate");
                    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
                    // The detail names what is missing. The challenge asks for all scopes: a client that asked for
                    // the missing one alone would lose the others.
                    assert!(answer.body["detail"].as_str().unwrap().contains(missing), "{answer}");
                    assert!(challenge.contains(r#", scope="tasks:read tasks:write""#), "{challenge}");
                }
            }
        }
    }

    async fn a_token_that_only_writes_adds_and_deletes(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let writer = app.user_with_scope("alice", "tasks:write").agent();
        let added = writer.call("add_tasks", json!({ "tasks": [{ "title": "Buy milk" }] })).await.done();
        assert_eq!(added.results()[0]["task"]["title"], "Buy milk");
        writer.call("delete_tasks", json!({ "ids": [1] })).await.done();
        writer.call("add_task", json!({ "user_id": "alice", "title": "Call mum" })).await.done();
        writer.call("delete_task", json!({ "user_id": "alice", "task_id": 2 })).await.done();
        assert_eq!(app.user("alice").titles("").await, [""; 0]);
    }

    async fn unknown_names_are_refused_with_the_known_ones(on: Backend) {
        let app = on.app().await;
        let agent = app.user("alice").agent();
        let answer = agent.try_call("drop_tasks", json!({})).await.has(200);
        assert_eq!(answer.body["error"]["code"], -32602);
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("Unknown tool: drop_tasks; the tools are: find_tasks, get_task, "), "{message}");
        for tool in agent.tools().await {
            let name = tool["name"].as_str().unwrap();
            let words = agent.call(name, json!({ "user_id": "alice", "foo": 1 })).await.refused();
            let known: Vec<&str> = tool["inputSchema"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
            let list = known.join(", ");
            assert!(words.starts_with(name), "{words}");
            assert!(words.contains(&format!("`user_id` is not an argument: the access token alone says whose tasks these are; use: {list}")), "{words}");
            assert!(words.contains(&format!("`foo` is not an argument here; use: {list}")), "{words}");
        }
    }
}
