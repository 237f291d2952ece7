//! The HTTP side of `/mcp`: tokens, hosts, origins, methods, messages and answers.

use expect_test::expect;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{
    Actor, Answer, Backend,
    mcp::{NEWEST, REVISIONS, meta},
    on_both, raw,
};

/// A message of 2025-03-26, which has no headers of its own.
fn message(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

async fn post(actor: &Actor, body: &str) -> Answer {
    actor.post_raw("/mcp", body.to_owned()).await
}

/// Code and words of an error of JSON-RPC.
fn error(answer: &Answer) -> (u16, i64, &str) {
    let error = &answer.body["error"];
    (
        answer.status,
        error["code"].as_i64().unwrap(),
        error["message"].as_str().unwrap(),
    )
}

on_both! {
    async fn a_request_without_a_token_is_401(on: Backend) {
        let app = on.app().await;
        for revision in REVISIONS {
            for method in ["initialize", "server/discover", "tools/list", "tools/call", "ping", "nonsense"] {
                let answer = app.anon().agent_of(revision).ask(method, json!({})).await.fails(401, "token_missing");
                assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer}");
            }
        }
        app.with_token("nonsense").agent().ask("tools/list", json!({})).await.has(401);
        // Whatever else is wrong, and by whatever method: clients look for the challenge by GET, too.
        post(&app.anon(), "{").await.fails(401, "token_missing");
        app.anon().get("/mcp").await.fails(401, "token_missing");
        app.anon().delete("/mcp").await.fails(401, "token_missing");
        app.anon().post_raw("/mcp", vec![b' '; 2 << 20]).await.fails(401, "token_missing");
    }

    async fn only_post_is_supported(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH] {
            let answer = alice.send(alice.request(method, "/mcp")).await.fails(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), "POST, OPTIONS");
        }
        let options = app.anon().send(app.anon().request(Method::OPTIONS, "/mcp")).await.has(204);
        assert_eq!(options.header("allow"), "POST, OPTIONS");
        // A slash at the end makes another address, which a proxy's rule for /mcp may not know.
        alice.post("/mcp/", message("tools/list", json!({}))).await.fails(404, "route_not_found");
        alice.post("/mcp/other", message("tools/list", json!({}))).await.fails(404, "route_not_found");
    }

    async fn the_body_is_one_message_of_json(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let request = alice.request(Method::POST, "/mcp").header(header::CONTENT_TYPE, "text/plain").body("{}");
        alice.send(request).await.fails(415, "unsupported_media_type");
        let request = alice.request(Method::POST, "/mcp").body("{}");
        alice.send(request).await.fails(415, "unsupported_media_type");

        for body in ["", "{", "nonsense", "{\"a\":}", "\u{feff}{}"] {
            let answer = post(&alice, body).await;
            assert_eq!((answer.status, &answer.body["error"]["code"], &answer.body["id"]), (400, &json!(-32700), &Value::Null), "{body}: {answer}");
            // With the same texts as REST.
            let (_, _, words) = error(&answer);
            let known = ["it ends too early (", "a value is expected ("];
            assert!(words.starts_with("Parse error: the body is not valid JSON: ") && known.iter().any(|known| words.contains(known)), "{words}");
        }
        alice.post_raw("/mcp", vec![0xff, 0xfe]).await.has(400);
        for (body, words) in [
            ("7", "a message must be an object"),
            ("[]", "batches are not supported"),
            ("{}", "`jsonrpc` must be \"2.0\""),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "`jsonrpc` must be \"2.0\""),
            (r#"{"jsonrpc":"2.0","id":1}"#, "`method` must be a string"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "`method` must be a string"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "`id` must be a string or an integer"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "`id` must be a string or an integer"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "`id` must be a string or an integer"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_tasks","_meta":7}}"#, "a member of `params` does not have the type that the protocol requires"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "`params` must be an object"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_tasks","arguments":[]}}"#, "`params.arguments` must be an object"),
        ] {
            let answer = post(&alice, body).await;
            let (status, code, message) = error(&answer);
            assert_eq!((status, code), (400, -32600), "{body}");
            assert!(message.starts_with(&format!("Invalid Request: {words}")), "{message}");
        }
        // Deep nesting does not crash the server.
        let deep = format!("{}{}", "[".repeat(9_000), "]".repeat(9_000));
        assert_eq!(error(&post(&alice, &deep).await).1, -32700);
    }

    async fn a_jsonrpc_batch_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.create("Buy milk").await;
        let reader = app.user_with_scope("alice", "tasks:read");
        let delete = message("tools/call", json!({ "name": "delete_tasks", "arguments": { "ids": [1] } }));
        let answer = post(&reader, &json!([message("tools/list", json!({})), delete]).to_string()).await;
        assert_eq!(error(&answer).1, -32600);
        // Of a name that is given twice, the one that is checked is the one that is called.
        for params in [
            r#"{"name":"find_tasks","name":"delete_tasks","arguments":{"ids":[1]}}"#,
            r#"{"name":"delete_tasks","name":"find_tasks","arguments":{"ids":[1]}}"#,
        ] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            post(&reader, &body).await;
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{params}}}"#);
            post(&reader, &body).await;
        }
        // A header that names another tool than the body does not help.
        let request = reader.request(Method::POST, "/mcp").header("mcp-protocol-version", NEWEST)
            .header("mcp-method", "tools/call").header("mcp-name", "find_tasks")
            .json(&message("tools/call", json!({ "name": "delete_tasks", "arguments": { "ids": [1] }, "_meta": meta() })));
        reader.send(request).await.fails(403, "insufficient_scope");
        // A call without an id is checked, too.
        let silent = json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "delete_tasks", "arguments": { "ids": [1] } } });
        post(&reader, &silent.to_string()).await.fails(403, "insufficient_scope");
        assert_eq!(alice.titles("").await, ["Buy milk"]);
    }

    async fn headers_that_differ_from_the_body_are_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let body = message("tools/call", json!({ "name": "find_tasks", "_meta": meta() }));
        for (method, name) in [("tools/list", "find_tasks"), ("tools/call", "get_task"), ("", "find_tasks"), ("tools/call", "")] {
            let request = alice.request(Method::POST, "/mcp").header("mcp-protocol-version", NEWEST)
                .header("mcp-method", method).header("mcp-name", name).json(&body);
            let answer = alice.send(request).await;
            assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!(-32020)), "{method} {name}: {answer}");
        }
    }

    async fn an_unsupported_revision_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let send = async |version: &str, method: &str, params: Value| {
            let request = alice.request(Method::POST, "/mcp").header("mcp-protocol-version", version).header("mcp-method", method);
            alice.send(request.json(&message(method, params))).await
        };
        let answer = send("1999-01-01", "tools/list", json!({})).await;
        expect![[r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version: the header MCP-Protocol-Version is `1999-01-01`, and must be one of 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28; send the one that `initialize` answered with","data":{"requested":"1999-01-01","supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"]}}}"#]].assert_eq(&answer.text);
        assert_eq!(answer.status, 400);
        for version in ["", "2025-11-25, 2025-11-25", "latest"] {
            let answer = send(version, "tools/list", json!({})).await.has(400);
            assert_eq!(error(&answer).1, -32022, "{version}: {answer}");
        }
        let mut future = meta();
        future["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
        let answer = send("2099-01-01", "tools/list", json!({ "_meta": future })).await;
        expect![[r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"Unsupported protocol version: the header MCP-Protocol-Version is `2099-01-01`, and must be one of 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28; send the one that `initialize` answered with","data":{"requested":"2099-01-01","supported":["2025-03-26","2025-06-18","2025-11-25","2026-07-28"]}}}"#]].assert_eq(&answer.text);
        assert_eq!(answer.status, 400);
        // An initialize is answered with a supported revision.
        for (asked, answered) in [("2024-11-05", "2025-11-25"), ("2099-01-01", "2025-11-25"), (NEWEST, "2025-11-25"), ("2025-03-26", "2025-03-26")] {
            let params = json!({ "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
            let answer = alice.post("/mcp", message("initialize", params)).await.has(200);
            assert_eq!(answer.body["result"]["protocolVersion"], answered, "{asked}");
        }
        // What each request of the newest one must say.
        let answer = send(NEWEST, "tools/list", json!({})).await;
        assert_eq!((answer.status, error(&answer).1), (400, -32602));
    }

    async fn unknown_methods(on: Backend) {
        let app = on.app().await;
        for (revision, status) in [("2025-03-26", 200), ("2025-06-18", 200), ("2025-11-25", 200), (NEWEST, 404)] {
            let agent = app.user("alice").agent_of(revision);
            for method in ["nonsense", "resources/list", "prompts/list", "logging/setLevel", "completion/complete", "tasks/list"] {
                let answer = agent.ask(method, json!({})).await;
                assert_eq!(error(&answer).1, -32601, "{revision} {method}: {answer}");
                assert_eq!(answer.status, status, "{revision} {method}: {answer}");
            }
        }
        let agent = app.user("alice").agent();
        agent.ask("ping", json!({})).await.has(200);
        // Notifications are taken, and have no answer.
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let answer = post(&agent.actor, &note.to_string()).await.has(202);
        assert_eq!(answer.text, "");
    }

    async fn answers_are_json_for_every_accept_header(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let send = async |accept: Option<&str>| {
            let request = alice.request(Method::POST, "/mcp").json(&message("tools/list", json!({})));
            let request = match accept {
                Some(accept) => request.header(header::ACCEPT, accept),
                None => request,
            };
            alice.send(request).await
        };
        for accept in [None, Some("*/*"), Some("application/json"), Some("application/json, text/event-stream"), Some("text/event-stream, Application/JSON;q=0.5")] {
            let answer = send(accept).await.has(200);
            assert_eq!(answer.header("content-type"), "application/json");
        }
        for accept in ["text/event-stream", "text/html"] {
            send(Some(accept)).await.fails(406, "not_acceptable");
        }
    }

    async fn only_the_servers_own_host_names_are_served(on: Backend) {
        let app = on.app_with(|settings| {
            settings.public_url = Some("https://tasks.example.com");
            settings.mcp.allowed_hosts = vec!["taskward:8000".to_owned()];
        }).await;
        let alice = app.user("alice");
        let send = async |host: &str| {
            let request = alice.agent().message("tools/list", json!({})).header(header::HOST, host);
            alice.send(request).await
        };
        for host in ["tasks.example.com", "tasks.example.com:443", "taskward:8000", "localhost:1234", "127.0.0.1", "[::1]:8000"] {
            send(host).await.has(200);
        }
        for host in ["evil.example", "taskward", "taskward:8001", "10.0.0.1", "tasks.example.com.evil.example"] {
            send(host).await.fails(403, "host_not_allowed");
        }
        send("evil.example").await.is(expect![[r#"
            403 Forbidden

            {
              "type": "urn:taskward:problem:host_not_allowed",
              "title": "Host not allowed",
              "status": 403,
              "detail": "/mcp is not served under the host `evil.example`, only under: tasks.example.com, taskward:8000, localhost. Set PUBLIC_URL to the address by which clients reach this server, or add the host to MCP_ALLOWED_HOSTS; a proxy must pass on the header Host.",
              "code": "host_not_allowed",
              "request_id": "[id]"
            }"#]]);
        // Before the token is looked at, and only here.
        let request = app.anon().agent().message("tools/list", json!({})).header(header::HOST, "evil.example");
        app.anon().send(request).await.fails(403, "host_not_allowed");
        alice.send(alice.request(Method::GET, "/api/v1/tasks").header(header::HOST, "evil.example")).await.has(200);
        // HTTP/1.0 knows no hosts.
        let answer = raw(&app, b"POST /mcp HTTP/1.0\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.0 403"), "{answer}");
    }

    async fn a_page_needs_permission_to_call(on: Backend) {
        let app = on.app_with(|settings| settings.public_url = Some("https://tasks.example.com")).await;
        let alice = app.user("alice");
        let send = async |host: &str, origin: &[u8]| {
            let request = alice.agent().message("tools/list", json!({})).header(header::HOST, host);
            alice.send(request.header(header::ORIGIN, origin)).await
        };
        // The harness allows localhost:3000, as development does.
        for origin in ["http://localhost:3000", "https://tasks.example.com"] {
            send("tasks.example.com", origin.as_bytes()).await.has(200);
        }
        send("localhost:8000", b"http://localhost:6274").await.has(200);
        for origin in [&b"https://evil.example"[..], b"null", b"http://localhost:6274", b"http://m\xc3\xbcller.example", b"\xff"] {
            send("tasks.example.com", origin).await.fails(403, "origin_not_allowed");
        }
        send("localhost:8000", b"https://evil.example").await.is(expect![[r#"
            403 Forbidden

            {
              "type": "urn:taskward:problem:origin_not_allowed",
              "title": "Origin not allowed",
              "status": 403,
              "detail": "Pages of this origin may not call /mcp. Set CORS_ALLOWED_ORIGINS to allow it.",
              "code": "origin_not_allowed",
              "request_id": "[id]"
            }"#]]);
        // A page that may call may read a refusal, too, and is told before what it may send.
        let preflight = alice.request(Method::OPTIONS, "/mcp").header(header::ORIGIN, "http://localhost:3000")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,last-event-id,mcp-method,mcp-name,mcp-protocol-version,mcp-session-id");
        let allowed = alice.send(preflight).await.has(204);
        let names = allowed.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "last-event-id"] {
            assert!(names.split(',').any(|allowed| allowed == name), "{name} in {names}");
        }
        let request = app.anon().agent().message("tools/list", json!({})).header(header::ORIGIN, "http://localhost:3000");
        let refused = app.anon().send(request).await.fails(401, "token_missing");
        assert!(refused.header("access-control-expose-headers").contains("WWW-Authenticate"));
    }
}

#[test]
fn the_openapi_document_leaves_mcp_out() {
    let document = include_str!("../../../openapi/openapi.json");
    assert!(!document.contains("\"/mcp\""));
}
