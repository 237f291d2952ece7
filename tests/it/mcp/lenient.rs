//! What hosts do to arguments is undone; everything else is read strictly.

use serde_json::{Value, json};

use super::on_monday;
use crate::support::{Backend, mcp::REVISIONS, on_both};

/// Every schema within a schema, with its place.
fn walk(place: String, schema: &Value, seen: &mut Vec<(String, Value)>) {
    match schema {
        Value::Object(members) => {
            seen.push((place.clone(), schema.clone()));
            for (name, member) in members {
                walk(format!("{place}/{name}"), member, seen);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(format!("{place}/{index}"), item, seen);
            }
        }
        _ => {}
    }
}

on_both! {
    /// Gemini refuses a whole request for one property with `enum` and no `type`, or with a list as `type`.
    async fn every_host_accepts_the_schemas(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        for tool in app.user("alice").agent().tools().await {
            let mut seen = Vec::new();
            for schema in ["inputSchema", "outputSchema"] {
                walk(format!("{}/{schema}", tool["name"]), &tool[schema], &mut seen);
            }
            assert!(seen.len() > 4);
            for (place, schema) in seen {
                let is_map_of_schemas = place.ends_with("/properties");
                if is_map_of_schemas {
                    continue;
                }
                assert!(schema.get("type").is_none_or(Value::is_string), "{place}: {schema}");
                assert!(schema.get("enum").is_none() || schema["type"].is_string(), "{place}: {schema}");
                assert!(!schema.to_string().contains("x-"), "{place}: {schema}");
            }
        }
    }

    async fn a_member_that_comes_twice_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("kept").await;
        for (member, call) in [
            ("/params/arguments/ids", r#""params":{"name":"delete_tasks","arguments":{"ids":[1],"ids":[2]}}"#),
            ("/params/name", r#""params":{"name":"get_task","name":"delete_tasks","arguments":{"ids":[1]}}"#),
            ("/params/arguments/tasks/0/title", r#""params":{"name":"add_tasks","arguments":{"tasks":[{"title":"a","title":"b"}]}}"#),
            ("/method", r#""method":"tools/list","params":{}"#),
        ] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call",{call}}}"#);
            let answer = alice.post_raw("/mcp", body).await.has(400);
            let expected = format!("Invalid Request: `{member}` occurs more than once");
            assert_eq!(answer.body["error"]["message"], expected);
        }
        assert_eq!(alice.get("/api/v1/tasks").await.items().len(), 1);
    }

    async fn an_id_is_a_string_or_any_integer(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let send = async |id: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{"_meta":{{"progressToken":{id}}}}}}}"#);
            alice.post_raw("/mcp", body).await
        };
        for (sent, answered) in [
            ("1.0", "1"), ("1e3", "1000"), ("-0.0", "0"), ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"), ("\"1.0\"", "\"1.0\""),
        ] {
            let answer = send(sent).await.has(200);
            assert_eq!(answer.body["id"].to_string(), answered, "{sent}");
        }
        for (id, limit) in [
            ("9223372036854775808", true), ("99999999999999999999", true), ("1e17", true), ("1e300", true),
            ("1.5", false), ("true", false), ("null", false), ("[1]", false),
        ] {
            let answer = send(id).await.has(400);
            let limit = if limit { " from -9223372036854775808 to 9223372036854775807, written without fraction and exponent" } else { "" };
            let expected = format!("Invalid Request: `id` must be a string or an integer{limit}");
            assert_eq!(answer.body["error"]["message"], expected, "{id}");
            assert_eq!(answer.body["id"], Value::Null);
        }
    }

    async fn arguments_may_come_as_their_text(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let call = |arguments: Value| json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "get_task", "arguments": arguments },
        });
        let answer = alice.post("/mcp", call(json!("{\"id\": 1}"))).await.has(200);
        assert_eq!(answer.body["result"]["structuredContent"]["title"], "Buy milk");
        let answer = alice.post("/mcp", call(json!("id 1"))).await.has(400);
        assert_eq!(answer.body["error"]["message"], "Invalid Request: `params.arguments` must be an object, not a string");
        let answer = alice.post("/mcp", call(json!([1]))).await.has(400);
        assert_eq!(answer.body["error"]["message"], "Invalid Request: `params.arguments` must be an object, not an array");
    }

    async fn no_text_of_a_user_breaks_a_row(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        let text = "one\u{2028}two\u{2029}three\u{85}four\nfive";
        alice.create_with(json!({ "title": "Buy milk", "description": text })).await;
        for (tool, arguments) in [
            ("get_task", json!({ "id": 1 })),
            ("update_tasks", json!({ "tasks": [{ "id": 1, "description": "else" }, { "id": 1, "description": text }] })),
            ("update_tasks", json!({ "tasks": [{ "id": 1, "description": "else" }] })),
        ] {
            let told = agent.call(tool, arguments).await.done().text;
            assert!(!told.contains(['\u{2028}', '\u{2029}', '\u{85}']), "{told:?}");
        }
        let told = agent.call("find_tasks", json!({ "a\u{2028}b": 1 })).await.refused();
        assert!(told.contains("a\\u{2028}b"), "{told:?}");
    }

    async fn what_hosts_send_is_understood(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        for title in ["one", "two", "three"] {
            alice.create(title).await;
        }
        for (tool, arguments) in [
            // Null for what is not there.
            ("find_tasks", json!({ "q": null, "completed": null, "limit": null, "cursor": null, "sort": null, "tag": null })),
            ("add_tasks", json!({ "tasks": [{ "title": "four", "description": null, "priority": null, "tags": null, "completed": null }], "request_id": null, "time_zone": null })),
            ("update_tasks", json!({ "tasks": [{ "id": 1, "title": null, "priority": "high", "tags": null, "version": null }] })),
            // Whole numbers as JavaScript and some models write them.
            ("find_tasks", json!({ "limit": 2.0 })),
            ("get_task", json!({ "id": 1.0 })),
            ("get_task", json!({ "id": "1" })),
            ("complete_tasks", json!({ "ids": [1.0, "2"] })),
            ("complete_tasks", json!({ "ids": "[3]" })),
            ("find_tasks", json!({ "completed": "true", "overdue": "False" })),
            ("complete_tasks", json!({ "ids": [3], "completed": "True" })),
            ("add_tasks", json!({ "tasks": "[{\"title\": \"five\", \"tags\": \"[\\\"a\\\"]\"}]" })),
            ("update_tasks", json!({ "tasks": [{ "id": 1, "tags": "[\"work\", \"home\"]" }] })),
            // Python's `isoformat` of a local time.
            ("add_tasks", json!({ "tasks": [{ "title": "six", "due_date": "2026-02-06T09:00:00.250" }], "time_zone": "Europe/Berlin" })),
            // What n8n and other hosts add for themselves.
            ("get_task", json!({ "id": 1, "toolCallId": "call_1", "sessionId": "s", "action": "sendMessage", "chatInput": "hi" })),
        ] {
            let called = agent.call(tool, arguments.clone()).await.done();
            if let Some(results) = called.content["results"].as_array() {
                assert!(results.iter().all(|result| result.get("error").is_none()), "{arguments}: {}", called.text);
            }
        }
        let one = alice.get("/api/v1/tasks/1").await.body;
        assert_eq!((&one["title"], &one["priority"], &one["tags"]), (&json!("one"), &json!("high"), &json!(["work", "home"])));
        let five = alice.get("/api/v1/tasks/5").await.body;
        assert_eq!((&five["title"], &five["tags"]), (&json!("five"), &json!(["a"])));
        assert_eq!(alice.get("/api/v1/tasks/6").await.body["due_date"], "2026-02-06T08:00:00.250Z");
    }

    /// Null clears where there is something to clear, as in REST.
    async fn null_still_clears_members_that_can_be_null(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        alice.create_with(json!({ "title": "one", "description": "more", "due_date": "2026-11-24" })).await;
        alice.agent().call("update_tasks", json!({ "tasks": [{ "id": 1, "due_date": null }] })).await.done();
        let one = alice.get("/api/v1/tasks/1").await.body;
        assert_eq!((&one["due_date"], &one["description"]), (&Value::Null, &json!("more")));
    }

    async fn other_values_of_a_wrong_type_are_still_refused(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        let agent = alice.agent();
        alice.create("one").await;
        for (tool, arguments, words) in [
            ("get_task", json!({ "id": null }), "`id` is required"),
            ("get_task", json!({ "id": 1.5 }), "`id` must be an integer"),
            ("get_task", json!({ "id": "one" }), "`id` must be an integer"),
            ("get_task", json!({ "id": "01" }), "`id` must be an integer"),
            ("get_task", json!({ "id": 1, "tool_call": "x" }), "`tool_call` is not an argument here"),
            ("find_tasks", json!({ "limit": "many" }), "`limit` must be an integer"),
            ("complete_tasks", json!({ "ids": "1, 2" }), "`ids` must be an array of 1 to 25 items, not a string"),
            ("complete_tasks", json!({ "ids": "[1, 2" }), "`ids` must be an array of 1 to 25 items, not a string"),
            ("add_tasks", json!({ "tasks": { "title": "x" } }), "`tasks` must be an array of 1 to 25 items, not an object"),
        ] {
            let told = agent.call(tool, arguments.clone()).await.refused();
            assert!(told.contains(words), "{arguments}: {told}");
        }
    }

    async fn an_unknown_method_names_the_methods_that_there_are(on: Backend) {
        let app = on.app().await;
        for revision in REVISIONS {
            let answer = app.user("alice").agent_of(revision).ask("tools/run", json!({})).await;
            assert_eq!(answer.body["error"]["code"], -32601, "{answer}");
            let words = answer.body["error"]["message"].as_str().unwrap();
            assert!(words.contains("tools/list and tools/call"), "{revision}: {words}");
        }
    }

    async fn a_malformed_initialize_names_its_members(on: Backend) {
        let app = on.app().await;
        let agent = app.user("alice").agent();
        for params in [json!({}), json!({ "protocolVersion": 3 }), json!({ "protocolVersion": "2025-06-18", "capabilities": [], "clientInfo": "x" })] {
            let answer = agent.ask("initialize", params.clone()).await;
            assert_eq!(answer.body["error"]["code"], -32602, "{params}: {answer}");
            let words = answer.body["error"]["message"].as_str().unwrap();
            assert!(words.contains("protocolVersion, capabilities and clientInfo"), "{words}");
        }
    }

    /// Whatever a title holds, a row of text is one line.
    async fn a_title_stays_in_its_row(on: Backend) {
        let app = on_monday(on).await;
        let alice = app.user("alice");
        for title in ["a \" b", "c\u{200b}d \\n e", "\u{202e}f"] {
            alice.create(title).await;
        }
        let text = alice.agent().call("find_tasks", json!({})).await.done().text;
        let rows = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}']).filter(|line| line.starts_with('#'));
        assert_eq!(rows.count(), 3, "{text}");
    }
}
