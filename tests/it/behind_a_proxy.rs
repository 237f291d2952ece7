//! What a proxy or a browser changes about a request.

use reqwest::Method;
use serde_json::json;
use taskward::access::TrustedProxies;

use crate::support::{Backend, on_both, raw};

const TASKS: &str = "/api/v1/tasks";
const PREFIXED: &str = "https://example.com/todo/";

on_both! {
    async fn addresses_in_answers_carry_the_prefix_of_public_url(on: Backend) {
        let app = on.app_with(|settings| settings.public_url = Some(PREFIXED)).await;
        let alice = app.user("alice");
        alice.post(TASKS, json!({ "title": "Buy milk" })).await.has(201);
        let created = alice.post(TASKS, json!({ "title": "Buy tea" })).await.has(201);
        assert_eq!(created.header("location"), "/todo/api/v1/tasks/2");
        let page = alice.get("/api/v1/tasks?limit=1").await.has(200);
        assert!(page.header("link").starts_with("</todo/api/v1/tasks?"), "{page}");
        for document in ["/openapi.json", "/openapi.yaml"] {
            let document = app.anon().get(document).await.has(200);
            let at = document.text.find("https://example.com/todo").expect("the public URL");
            assert!(!document.text[at..].starts_with("https://example.com/todo/"));
        }
    }

    async fn without_public_url_addresses_begin_at_the_root(on: Backend) {
        let app = on.app().await;
        let created = app.user("alice").post(TASKS, json!({ "title": "Buy milk" })).await.has(201);
        assert_eq!(created.header("location"), "/api/v1/tasks/1");
        let document = app.anon().get("/openapi.json").await.has(200);
        assert_eq!(document.body["servers"][0]["url"], "/");
    }

    async fn an_etag_that_a_compressing_proxy_marked_is_still_the_version(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        for mark in ["-gzip", "-br", "-zstd", "-deflate", "--gzip", ";gzip", ":br"] {
            for weak in ["", "W/"] {
                let etag = format!("{weak}\"1{mark}\"");
                alice.get_if_none_match(&milk.location, &etag).await.has(304);
                alice.get_if_none_match(TASKS, &etag).await.has(304);
            }
        }
        alice.patch_if_match(&milk.location, "\"1-gzip\"", json!({ "priority": "high" })).await.has(200);
        // The version counts nevertheless.
        alice.patch_if_match(&milk.location, "\"1-gzip\"", json!({ "priority": "low" })).await.has(412);
        alice.get_if_none_match(&milk.location, "\"1-gzip\"").await.has(200);
    }

    async fn an_etag_of_another_version_is_412(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await;
        for etag in ["\"1-other\"", "\"abc\"", "\"01\"", "\"\""] {
            let answer = alice.patch_if_match(&milk.location, etag, json!({ "priority": "high" })).await;
            let answer = answer.fails(412, "version_mismatch");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("If-Match names no version of a task"), "{detail}");
            assert!(!detail.contains("has changed"), "{detail}");
            assert_eq!(answer.body["current"]["version"], 1);
        }
    }

    async fn a_page_may_send_whatever_headers_its_libraries_add(on: Backend) {
        let app = on.app().await;
        let preflight = async |origin: &str, headers: &str| {
            let anon = app.anon();
            let request = anon.request(Method::OPTIONS, TASKS).header("origin", origin);
            let request = request.header("access-control-request-method", "POST");
            anon.send(request.header("access-control-request-headers", headers)).await.has(204)
        };
        let traced = "authorization,baggage,cache-control,content-type,sentry-trace,traceparent,tracestate,x-datadog-trace-id";
        let answer = preflight("http://localhost:3000", traced).await;
        assert_eq!(answer.header("access-control-allow-headers"), traced);
        // For another origin, nothing is allowed.
        let answer = preflight("https://evil.example", traced).await;
        assert_eq!(answer.header("access-control-allow-headers"), "");
        // A value that is not a list of names is not repeated.
        let answer = preflight("http://localhost:3000", "a b").await;
        assert!(!answer.header("access-control-allow-headers").contains("a b"), "{answer}");
        let long = "x".repeat(5000);
        assert!(!preflight("http://localhost:3000", &long).await.header("access-control-allow-headers").contains("xxx"));
    }

    async fn a_request_names_one_host(on: Backend) {
        let app = on.app().await;
        for hosts in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n"] {
            let answer = raw(&app, &format!("GET /healthz HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
            assert!(answer.contains("\"code\":\"invalid_host\""), "{answer}");
        }
        for good in ["HTTP/1.0\r\n", "HTTP/1.1\r\nHost:\r\n", "HTTP/1.1\r\nHost: [::1]:8000\r\n", "HTTP/1.1\r\nHost: a.example\r\n"] {
            let answer = raw(&app, &format!("GET /healthz {good}Connection: close\r\n\r\n")).await;
            assert!(answer.contains(" 200 OK"), "{good}: {answer}");
        }
    }

    async fn what_the_server_sees_is_told_without_an_address(on: Backend) {
        let trusting = |trusted: &str| TrustedProxies(vec![trusted.parse().unwrap()]);
        for (proxies, trusted) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
            let app = on.app_with(|settings| settings.proxies = trusting(proxies)).await;
            for (headers, authorization, noted) in [
                ("", false, "nothing"),
                ("Authorization: Bearer x\r\n", true, "nothing"),
                ("X-Forwarded-For: 9.9.9.9\r\nTaskward-Claim: 9.9.9.9\r\n", false, "claim"),
                ("X-Forwarded-For: 9.9.9.9, 8.8.8.8\r\nTaskward-Claim: 9.9.9.9\r\n", false, "address"),
                ("Forwarded: for=8.8.8.8\r\n", false, "address"),
                ("X-Forwarded-For: unknown\r\n", false, "nothing"),
            ] {
                let answer = raw(&app, format!(
                    "GET /.well-known/taskward HTTP/1.1\r\nHost: tasks.example.com\r\n{headers}Connection: close\r\n\r\n"
                )).await;
                let (_, body) = answer.split_once("\r\n\r\n").unwrap();
                let mut seen: serde_json::Value = serde_json::from_str(body).unwrap();
                let instance = seen.as_object_mut().unwrap().remove("instance").unwrap();
                assert_eq!(instance.as_str().unwrap().len(), 16);
                assert_eq!(seen, json!({
                    "service": "taskward", "host": "tasks.example.com", "authorization": authorization,
                    "peer_is_trusted": trusted, "noted": noted,
                }));
            }
            let posted = app.anon().post_nothing("/.well-known/taskward").await;
            posted.fails(405, "method_not_allowed");
        }
    }

    async fn a_slash_at_the_end_of_mcp_is_not_a_way_around_a_proxys_rule(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for path in ["/mcp/", "/mcp//", "//mcp", "/./mcp", "/%6dcp", "/mcp%2f", "/MCP", "/mcp;x", "/readyz/", "/openapi.json/", "/.well-known/oauth-protected-resource/"] {
            let answer = raw(&app, &format!(
                "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: Bearer x\r\n\r\n"
            )).await;
            assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        }
        // Front ends written for FastAPI end the paths of tasks in a slash.
        alice.get("/api/v1/tasks/").await.has(200);
        alice.get("/api/alice/tasks/").await.has(200);
        // `/docs` redirects to `/docs/`, since the page has relative links.
        alice.get("/docs").await.has(307);
    }
}
