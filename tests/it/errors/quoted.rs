//! What an error quotes of a client cannot pass for anything else: no line breaks, no marks of direction.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, on_both};

/// A line separator, a paragraph separator, next line, an override of the direction, an isolate, a zero-width space.
const TEXT: &str = "a\u{2028}b\u{2029}c\u{85}d\u{202e}e\u{2066}f\u{200b}g";
const ESCAPED: &str = r"a\u{2028}b\u{2029}c\u{85}d\u{202e}e\u{2066}f\u{200b}g";

/// All sentences of an answer: `detail`, those in `errors`, `message` and `text`.
fn sentences(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text)
                        if ["detail", "message", "text", "error"].contains(&name.as_str()) =>
                    {
                        found.push(text.clone());
                    }
                    member => sentences(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| sentences(item, found)),
        _ => {}
    }
}

#[track_caller]
fn is_escaped(answer: &Answer) {
    let mut found = Vec::new();
    sentences(&answer.body, &mut found);
    assert!(found.iter().any(|text| text.contains(ESCAPED)), "{answer}");
    for text in found {
        let is_raw = |c: char| TEXT.contains(c) && !c.is_ascii();
        assert!(!text.contains(is_raw), "{text:?}");
    }
}

on_both! {
    async fn what_an_error_quotes_is_escaped_at_every_door(on: Backend) {
        let app = on.app_with(|settings| settings.mcp.chat_app_tools = true).await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        // Two tags that differ in case.
        let tag = TEXT.replace(['\u{2028}', '\u{2029}', '\u{85}'], "");
        let escaped_tag = r"abcd\u{202e}e\u{2066}f\u{200b}g";
        let tags = json!([tag, tag.to_uppercase()]);
        let task = json!({ "title": "a", "tags": tags });
        for answer in [
            alice.post("/api/v1/tasks", task.clone()).await.fails(422, "validation_failed"),
            alice.patch("/api/v1/tasks/1", json!({ "tags": tags })).await.fails(422, "validation_failed"),
            alice.post("/api/alice/tasks", task.clone()).await.fails(422, "validation_failed"),
            alice.agent().try_call("add_tasks", json!({ "tasks": [task] })).await,
        ] {
            assert!(answer.text.contains(&escaped_tag.replace('\\', r"\\")), "{answer}");
            assert!(!answer.text.contains('\u{202e}'), "{answer}");
        }

        is_escaped(&alice.post("/api/v1/tasks", json!({ "title": "a", TEXT: 1 })).await.fails(422, "validation_failed"));
        is_escaped(&alice.patch("/api/v1/tasks/1", json!({ TEXT: 1 })).await.fails(422, "validation_failed"));
        let name = "a%E2%80%A8b%E2%80%A9c%C2%85d%E2%80%AEe%E2%81%A6f%E2%80%8Bg";
        is_escaped(&alice.get(&format!("/api/v1/tasks?{name}=1")).await.fails(400, "invalid_parameters"));

        let agent = alice.agent();
        is_escaped(&agent.try_call("find_tasks", json!({ TEXT: 1 })).await);
        is_escaped(&agent.try_call("add_tasks", json!({ "tasks": [{ "title": "a", TEXT: 1 }] })).await);
        is_escaped(&agent.try_call(TEXT, json!({})).await);
        is_escaped(&agent.ask(TEXT, json!({})).await);
        let message = |params: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        let revision = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": TEXT } });
        let request = alice.request(Method::POST, "/mcp").header("mcp-protocol-version", "2025-11-25");
        is_escaped(&alice.send(request.json(&message(revision))).await);
        let request = alice.request(Method::POST, "/mcp").header("mcp-protocol-version", "a\u{202e}".as_bytes());
        let answer = alice.send(request.json(&message(json!({})))).await.has(400);
        assert!(answer.text.contains(r"`a\\u{202e}`") && !answer.text.contains('\u{202e}'), "{answer}");
        let twice = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{"{TEXT}":1,"{TEXT}":2}}}}"#);
        is_escaped(&alice.post_raw("/mcp", twice).await.has(400));
    }
}
