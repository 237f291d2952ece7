//! All errors are problems (RFC 9457), those of the framework included.

mod amounts;
mod bodies;
mod codes;
mod heads;
mod quoted;

use expect_test::expect;
use reqwest::Method;
use serde_json::json;

use crate::support::{Backend, on_both};

on_both! {
    async fn an_unknown_path_is_404(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.get("/api/v1/nothing").await.is(expect![[r#"
            404 Not Found

            {
              "type": "urn:taskward:problem:route_not_found",
              "title": "Route not found",
              "status": 404,
              "detail": "There is nothing at /api/v1/nothing; the document openapi.json of this server lists all operations.",
              "code": "route_not_found",
              "request_id": "[id]"
            }"#]]);
        for path in ["/", "/api", "/api/v1", "/api/v2/things", "/api/v1/TASKS", "/api//v1/tasks", "/api/v1/tasks/1/restore/now", "/docs/nothing", "/openapi.xml"] {
            for user in [&alice, &app.anon()] {
                user.get(path).await.fails(404, "route_not_found");
            }
        }
        // This is the path of an owner `v2`.
        alice.get("/api/v2/tasks").await.fails(403, "not_your_path");
        app.anon().get("/api/v2/tasks").await.fails(401, "token_missing");
        let strange = "/api/v1/%3Cscript%3E%0A%22%5C";
        let answer = alice.get(strange).await.fails(404, "route_not_found");
        let expected = format!("There is nothing at {strange}; the document openapi.json of this server lists all operations.");
        assert_eq!(answer.body["detail"], expected);
        let long = alice.post(&format!("/{}", "a".repeat(8000)), json!({})).await.fails(404, "route_not_found");
        assert!(long.text.len() < 500, "{long}");
        let answer = alice.get("/api/v1/tasks/%FF").await.fails(400, "bad_request");
        assert_eq!(answer.body["detail"], "The path of the request must be percent-encoded UTF-8.");
    }

    async fn an_unsupported_method_is_405(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.send(alice.request(Method::PUT, "/api/v1/tasks/7")).await.is(expect![[r#"
            405 Method Not Allowed
            allow: GET, PATCH, DELETE, HEAD, OPTIONS

            {
              "type": "urn:taskward:problem:method_not_allowed",
              "title": "Method not allowed",
              "status": 405,
              "detail": "/api/v1/tasks/7 does not support PUT; it supports GET, PATCH, DELETE, HEAD, OPTIONS.",
              "code": "method_not_allowed",
              "request_id": "[id]"
            }"#]]);
        let allowed = [
            ("PUT", "/api/v1/tasks", "GET, POST, HEAD, OPTIONS"),
            ("DELETE", "/api/v1/tasks/", "GET, POST, HEAD, OPTIONS"),
            ("POST", "/api/v1/tasks/7", "GET, DELETE, PATCH, HEAD, OPTIONS"),
            ("GET", "/api/v1/tasks/7/restore", "POST, OPTIONS"),
            ("HEAD", "/api/v1/tasks/7/restore", "POST, OPTIONS"),
            ("PATCH", "/api/v1/me", "GET, DELETE, HEAD, OPTIONS"),
            ("POST", "/healthz", "GET, HEAD, OPTIONS"),
            ("DELETE", "/openapi.json", "GET, HEAD"),
            ("POST", "/openapi.yaml", "GET, HEAD"),
            ("POST", "/docs/", "GET, HEAD"),
            ("TRACE", "/api/v1/tasks", "GET, POST, HEAD, OPTIONS"),
            ("PROPFIND", "/api/v1/tasks", "GET, POST, HEAD, OPTIONS"),
            ("get", "/api/v1/tasks", "GET, POST, HEAD, OPTIONS"),
        ];
        for (method, path, allow) in allowed {
            let method: Method = method.parse().unwrap();
            // The method is checked before the token.
            for user in [&alice, &app.anon()] {
                let answer = user.send(user.request(method.clone(), path)).await.has(405);
                assert_eq!(sorted(answer.header("allow")), sorted(allow), "{method} {path}");
            }
            let options = app.anon().send(app.anon().request(Method::OPTIONS, path)).await.has(204);
            assert_eq!(sorted(options.header("allow")), sorted(allow), "OPTIONS {path}");
        }
        alice.send(alice.request(Method::OPTIONS, "/api/v1/nothing")).await.fails(404, "route_not_found");
    }

    async fn errors_have_no_body_for_head(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for (path, status) in [("/api/v1/nothing", 404), ("/api/v1/tasks/7", 404), ("/api/v1/tasks?limit=0", 400)] {
            let answer = alice.send(alice.request(Method::HEAD, path)).await.has(status);
            assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", "application/problem+json"));
        }
        let anon = app.anon();
        let answer = anon.send(anon.request(Method::HEAD, "/api/v1/tasks")).await.has(401);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"taskward\"");
    }

    async fn a_slash_at_the_end_of_a_path_is_ignored(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let made = alice.post("/api/v1/tasks/", json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!(made.header("location"), "/api/v1/tasks/1");
        alice.create("Call mum").await;
        assert_eq!(alice.get("/api/v1/tasks/?limit=1&sort=created_at").await.items()[0], made.body);
        alice.patch("/api/v1/tasks/1/", json!({ "completed": true })).await.has(200);
        alice.delete("/api/v1/tasks/1/").await.has(204);
        alice.post_nothing("/api/v1/tasks/1/restore/").await.has(200);
        alice.get("/api/v1/me/").await.has(200);
    }

    async fn every_request_has_an_id(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let ask = async |path: &str, id: &[u8]| {
            alice.send(alice.request(Method::GET, path).header("x-request-id", id)).await
        };
        // The client's own id is in every answer.
        let longest = "x".repeat(128);
        for id in ["abc-123_X.9", "7", &longest] {
            for path in ["/api/v1/tasks", "/api/v1/tasks/7", "/api/v1/nothing", "/healthz"] {
                assert_eq!(ask(path, id.as_bytes()).await.header("x-request-id"), id);
            }
        }
        assert_eq!(ask("/api/v1/nothing", b"mine").await.body["request_id"], "mine");
        // Without an id that is safe in a log, the server makes a new one for each request.
        let longer = "x".repeat(129);
        let mut made = vec![alice.get("/healthz").await.header("x-request-id").to_owned()];
        for id in ["", "a b", "a\"b", "<x>", "é", "a,b", &longer] {
            made.push(ask("/healthz", id.as_bytes()).await.header("x-request-id").to_owned());
        }
        for id in &made {
            assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        }
        made.sort();
        made.dedup();
        assert_eq!(made.len(), 8);
    }

    async fn answers_are_not_cached(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        let answers = [
            alice.get("/api/v1/tasks").await.has(200),
            alice.get_if_none_match("/api/v1/tasks", "\"1\"").await.has(304),
            alice.get(&milk.location).await.has(200),
            alice.get_if_none_match(&milk.location, &milk.etag).await.has(304),
            alice.patch(&milk.location, json!({ "completed": true })).await.has(200),
            alice.delete(&milk.location).await.has(204),
            alice.get("/api/v1/me").await.has(200),
            alice.get("/api/v1/tasks/7").await.has(404),
            alice.get("/api/v1/nothing").await.has(404),
            app.anon().get("/api/v1/tasks").await.has(401),
        ];
        for answer in answers {
            assert_eq!(answer.header("cache-control"), "no-store", "{answer}");
            // No header tells which software the server uses.
            assert_eq!((answer.header("server"), answer.header("x-powered-by")), ("", ""));
        }
    }
}

/// The elements of a list, in an order that does not depend on the list's.
fn sorted(list: &str) -> Vec<&str> {
    let mut elements: Vec<&str> = list.split(", ").collect();
    elements.sort_unstable();
    elements
}
