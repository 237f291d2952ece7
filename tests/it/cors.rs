//! Scripts of other origins (the CORS protocol of the Fetch standard).

use expect_test::expect;
use reqwest::{Method, header::HeaderName};
use serde_json::json;

use crate::support::{Actor, Answer, Backend, on_both};
use taskward::access::AllowedOrigin;

const TASKS: &str = "/api/v1/tasks";
const ALLOWED: &str = "http://localhost:3000";

/// The headers by which a browser decides.
fn cors_headers(answer: &Answer) -> String {
    let names = answer.headers.keys().map(HeaderName::as_str);
    let mut names: Vec<&str> = names
        .filter(|name| name.starts_with("access-control-") || *name == "vary")
        .collect();
    names.sort_unstable();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("{name}: {}", answer.header(name)))
        .collect();
    format!("{}\n{}", answer.status, lines.join("\n"))
}

async fn get_from(actor: &Actor, path: &str, origin: impl AsRef<[u8]>) -> Answer {
    actor
        .send(
            actor
                .request(Method::GET, path)
                .header("origin", origin.as_ref()),
        )
        .await
}

async fn preflight(actor: &Actor, path: &str, origin: &str) -> Answer {
    let request = actor
        .request(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "authorization,content-type,if-match",
        );
    actor.send(request).await
}

on_both! {
    async fn an_allowed_origin_reads_answers(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        expect![[r#"
            200
            access-control-allow-credentials: true
            access-control-allow-origin: http://localhost:3000
            access-control-expose-headers: ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Traceresponse, WWW-Authenticate, X-Request-Id, X-Total-Count
            vary: Origin"#]].assert_eq(&cors_headers(&get_from(&alice, TASKS, ALLOWED).await));
        // Errors too: a script must be able to read them.
        let errors = [
            get_from(&app.anon(), TASKS, ALLOWED).await.has(401),
            get_from(&app.with_token("nonsense"), TASKS, ALLOWED).await.has(401),
            get_from(&app.user_with_scope("alice", ""), TASKS, ALLOWED).await.has(403),
            get_from(&alice, "/api/v1/tasks/7", ALLOWED).await.has(404),
            get_from(&alice, "/api/v1/nothing", ALLOWED).await.has(404),
            get_from(&alice, "/api/v1/tasks?limit=0", ALLOWED).await.has(400),
            alice.send(alice.request(Method::PUT, TASKS).header("origin", ALLOWED)).await.has(405),
            alice.send(alice.request(Method::POST, TASKS).header("origin", ALLOWED).body("{")).await.has(415),
            alice.send(alice.request(Method::POST, TASKS).header("origin", ALLOWED).json(&json!({}))).await.has(422),
        ];
        for error in errors {
            assert_eq!(error.header("access-control-allow-origin"), ALLOWED, "{error}");
            assert_eq!(error.header("access-control-allow-credentials"), "true");
            assert!(error.header("access-control-expose-headers").contains("WWW-Authenticate"));
        }
        // A script can read a 304, too.
        let request = alice.request(Method::GET, TASKS).header("origin", ALLOWED).header("if-none-match", "*");
        let unchanged = alice.send(request).await.has(304);
        assert_eq!(unchanged.header("access-control-allow-origin"), ALLOWED);
    }

    async fn another_origin_reads_nothing(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let others = [
            "https://evil.example",
            "http://localhost:3001",
            "https://localhost:3000",
            "http://localhost:3000.evil.example",
            "http://localhost:3000/",
            "HTTP://LOCALHOST:3000",
            "http://localhost",
            "null",
            "*",
            "",
        ];
        for origin in others {
            // It is answered, since the server's own pages send an Origin as well.
            let answer = get_from(&alice, TASKS, origin).await;
            assert_eq!(cors_headers(&answer), "200\nvary: Origin", "{origin}");
            assert_eq!(cors_headers(&preflight(&app.anon(), TASKS, origin).await), "204\nvary: Origin", "{origin}");
        }
        assert_eq!(cors_headers(&alice.get(TASKS).await), "200\nvary: Origin");
    }

    async fn the_servers_own_pages_need_no_permission(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let request = alice.request(Method::POST, TASKS).header("origin", &app.base);
        alice.send(request.json(&json!({ "title": "Buy milk" }))).await.has(201);
    }

    async fn a_preflight_needs_no_token(on: Backend) {
        let app = on.app().await;
        let anon = app.anon();
        expect![[r#"
            204
            access-control-allow-credentials: true
            access-control-allow-headers: authorization,content-type,if-match
            access-control-allow-methods: GET, POST, PUT, PATCH, DELETE
            access-control-allow-origin: http://localhost:3000
            access-control-expose-headers: ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Traceresponse, WWW-Authenticate, X-Request-Id, X-Total-Count
            access-control-max-age: 7200
            vary: Origin"#]].assert_eq(&cors_headers(&preflight(&anon, "/api/v1/tasks/7", ALLOWED).await));
        // OPTIONS without the headers of a preflight is not one.
        let plain = anon.send(anon.request(Method::OPTIONS, TASKS).header("origin", ALLOWED)).await.has(204);
        assert_eq!(plain.header("access-control-allow-methods"), "");
        assert_ne!(plain.header("allow"), "");
    }

    async fn an_origin_of_invalid_bytes_is_answered(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        for origin in [&b"http://m\xc3\xbcller.example"[..], b"\xff\xfe", b"http://localhost:3000\xa0"] {
            get_from(&alice, TASKS, origin).await.has(200);
            get_from(&app.anon(), TASKS, origin).await.fails(401, "token_missing");
        }
    }

    async fn no_origin_is_allowed_unless_set(on: Backend) {
        let app = on.app_with(|settings| settings.allowed_origins.clear()).await;
        let alice = app.user("alice");
        assert_eq!(cors_headers(&get_from(&alice, TASKS, ALLOWED).await), "200\n");
        assert_eq!(cors_headers(&preflight(&alice, TASKS, ALLOWED).await), "204\n");
    }

    async fn several_origins_are_told_apart(on: Backend) {
        let two = [ALLOWED, "https://app.example"].map(|one| AllowedOrigin::Exact(one.to_owned())).to_vec();
        let app = on.app_with(|settings| settings.allowed_origins = two).await;
        let alice = app.user("alice");
        for origin in [ALLOWED, "https://app.example"] {
            let answer = get_from(&alice, TASKS, origin).await;
            assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (origin, "Origin"));
        }
    }

    async fn previews_of_one_pattern_are_allowed(on: Backend) {
        let pattern = AllowedOrigin::Pattern {
            start: "https://pr-".to_owned(),
            end: ".example.app".to_owned(),
        };
        let app = on.app_with(|settings| settings.allowed_origins = vec![pattern]).await;
        let alice = app.user("alice");
        let preview = "https://pr-7.example.app";
        let answer = get_from(&alice, TASKS, preview).await;
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), (preview, "Origin"));
        let answer = preflight(&alice, TASKS, preview).await;
        assert_eq!(answer.header("access-control-allow-origin"), preview);
        for origin in ["https://pr-7.x.example.app", "http://pr-7.example.app", "https://evil.com/.example.app"] {
            assert_eq!(cors_headers(&get_from(&alice, TASKS, origin).await), "200\nvary: Origin", "{origin}");
        }
    }
}
