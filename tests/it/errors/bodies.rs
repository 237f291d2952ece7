//! Bodies that cannot be read.

use std::convert::Infallible;

use futures_util::stream;
use reqwest::Body;

use super::*;
use crate::support::{Actor, Answer, raw};

const TASKS: &str = "/api/v1/tasks";
const LARGEST: usize = 1024 * 1024;

/// What the server says to a body that is not JSON as it wants it.
async fn malformed(actor: &Actor, body: impl Into<Body>) -> String {
    let answer = actor
        .post_raw(TASKS, body)
        .await
        .fails(400, "malformed_json");
    answer.body["detail"].as_str().unwrap().to_owned()
}

/// The faults of a body that is JSON.
async fn faults(actor: &Actor, body: &str) -> Vec<String> {
    actor
        .post_raw(TASKS, body.to_owned())
        .await
        .fails(422, "validation_failed")
        .faults()
}

on_both! {
    async fn a_body_that_is_not_json_is_400(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        alice.post_raw(TASKS, "{\"title\": \"Buy milk\"").await.is(expect![[r#"
            400 Bad Request

            {
              "type": "urn:taskward:problem:malformed_json",
              "title": "Malformed JSON",
              "status": 400,
              "detail": "The body is not valid JSON: it ends too early (line 1, column 20).",
              "code": "malformed_json",
              "request_id": "[id]"
            }"#]]);
        let bodies = [
            "",
            " \n",
            "{",
            "title=Buy+milk",
            "{'title':'Buy milk'}",
            "{title:\"Buy milk\"}",
            "{\"title\":\"Buy milk\",}",
            "{\"title\":\"Buy milk\"}}",
            "{\"title\":\"Buy milk\"} {\"title\":\"Buy milk\"}",
            "{\"title\":\"Buy milk\"} // done",
            "{\"title\":\"Buy\nmilk\"}",
            "{\"title\":\"\\x41\"}",
            "{\"title\":\"Buy milk}",
            "{\"title\":undefined}",
            "{\"title\":NaN}",
            "{\"title\":01}",
            "{\"title\":1e999}",
            // Halves of a pair, which no UTF-8 can hold.
            "{\"title\":\"\\ud800\"}",
            "{\"title\":\"\\udc00\\ud800\"}",
            "{\"\\ud800\":1}",
            "null",
            "true",
            "7",
            "-7.5",
            "\"Buy milk\"",
            "[{\"title\":\"Buy milk\"}]",
        ];
        let mut details = Vec::new();
        for body in bodies {
            details.push(format!("{body:?}: {}", malformed(&alice, body).await));
        }
        expect![[r#"
            "": The body is empty; it must be a JSON object.
            " \n": The body is empty; it must be a JSON object.
            "{": The body is not valid JSON: it ends too early (line 1, column 1).
            "title=Buy+milk": The body is not valid JSON: a value is expected (line 1, column 2).
            "{'title':'Buy milk'}": The body is not valid JSON: the name of a member must be in double quotes (line 1, column 2).
            "{title:\"Buy milk\"}": The body is not valid JSON: the name of a member must be in double quotes (line 1, column 2).
            "{\"title\":\"Buy milk\",}": The body is not valid JSON: there is a comma after the last item (line 1, column 21).
            "{\"title\":\"Buy milk\"}}": The body is not valid JSON: there is text after its end (line 1, column 21).
            "{\"title\":\"Buy milk\"} {\"title\":\"Buy milk\"}": The body is not valid JSON: there is text after its end (line 1, column 22).
            "{\"title\":\"Buy milk\"} // done": The body is not valid JSON: there is text after its end (line 1, column 22).
            "{\"title\":\"Buy\nmilk\"}": The body is not valid JSON: a string has a line break or another control character; write it as an escape, such as \n (end of line 1).
            "{\"title\":\"\\x41\"}": The body is not valid JSON: a string has an escape that JSON does not have (line 1, column 12).
            "{\"title\":\"Buy milk}": The body is not valid JSON: it ends too early (line 1, column 19).
            "{\"title\":undefined}": The body is not valid JSON: a value is expected (line 1, column 10).
            "{\"title\":NaN}": The body is not valid JSON: a value is expected (line 1, column 10).
            "{\"title\":01}": The body is not valid JSON: a number is not in JSON's form (line 1, column 11).
            "{\"title\":1e999}": The body is not valid JSON: a number is too large (line 1, column 14).
            "{\"title\":\"\\ud800\"}": The body is not valid JSON: a character is not valid Unicode (line 1, column 17).
            "{\"title\":\"\\udc00\\ud800\"}": The body is not valid JSON: a character is not valid Unicode (line 1, column 16).
            "{\"\\ud800\":1}": The body is not valid JSON: a character is not valid Unicode (line 1, column 9).
            "null": The body must be a JSON object, not null.
            "true": The body must be a JSON object, not a boolean.
            "7": The body must be a JSON object, not a number.
            "-7.5": The body must be a JSON object, not a number.
            "\"Buy milk\"": The body must be a JSON object, not a string.
            "[{\"title\":\"Buy milk\"}]": The body must be a JSON object, not an array."#]].assert_eq(&details.join("\n"));
        // A whole pair is one character, and white space around it all is fine.
        let good = alice.post_raw(TASKS, "\r\n\t {\"title\":\"\\ud83d\\ude00\"} \n").await.has(201);
        assert_eq!(good.body["title"], "😀");
        assert_eq!(good.body["id"], 1);
    }

    async fn a_body_that_is_not_utf_8_is_400(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let wrong: [&[u8]; 5] = [
            b"{\"title\":\"caf\xe9\"}",
            b"{\"title\":\"\xc0\xaf\"}",
            b"{\"title\":\"\xed\xa0\x80\"}",
            b"{\"title\":\"a\"}\xff",
            b"\xff\xfe{\0}\0",
        ];
        for (body, offset) in wrong.into_iter().zip([13, 10, 10, 13, 0]) {
            let expected = format!("The body is not UTF-8: the byte at offset {offset} is not part of a character.");
            assert_eq!(malformed(&alice, body.to_vec()).await, expected);
        }
    }

    async fn a_member_that_is_given_twice_is_refused(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let twice = "/title occurs more than once";
        assert_eq!(faults(&alice, r#"{"title":"one","title":"two"}"#).await, [twice]);
        assert_eq!(faults(&alice, r#"{"title":"one","title":"one"}"#).await, [twice]);
        assert_eq!(faults(&alice, r#"{"t\u0069tle":"one","title":"two"}"#).await, [twice]);
        let all = faults(&alice, r#"{"title":"","tags":1,"title":"a","x":1,"x":2}"#).await;
        expect![[r#"
            /title occurs more than once
            /x occurs more than once
            /title must not be empty
            /tags must be an array of at most 20 strings, not a number
            /x is not a member of a new task"#]].assert_eq(&all.join("\n"));
        let milk = alice.create("Buy milk").await;
        let request = alice.request(Method::PATCH, &milk.location).header("content-type", "application/json");
        let patch = request.body(r#"{"completed":true,"completed":false}"#);
        let answer = alice.send(patch).await.fails(422, "validation_failed");
        assert_eq!(answer.faults(), ["/completed occurs more than once"]);
    }

    async fn deep_and_wide_json_is_refused_quickly(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let members = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{n}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let many = malformed(&alice, members(4_000)).await;
        assert!(many.starts_with("The body must have at most 100 members"), "{many}");
        malformed(&alice, members(101)).await;
        // 100 that nobody knows, and the title that is missing.
        assert_eq!(faults(&alice, &members(100)).await.len(), 101);
        malformed(&alice, "{\"title\":\"a\",".repeat(3_000)).await;

        let nested = |open: &str, close: &str| format!("{{\"title\":{}1{}}}", open.repeat(1_000), close.repeat(1_000));
        for deep in [nested("[", "]"), nested("{\"a\":", "}")] {
            let detail = malformed(&alice, deep).await;
            assert!(detail.contains("it is nested too deeply"), "{detail}");
        }
        assert_eq!(faults(&alice, "{\"title\":[[[[[[[[1]]]]]]]]}").await.len(), 1);
        let tags = format!("{{\"title\":\"a\",\"tags\":[{}1]}}", "1,".repeat(9_000));
        assert_eq!(faults(&alice, &tags).await, ["/tags must have at most 20 tags, has 9001"]);
        let number = format!("{{\"title\":{}}}", "9".repeat(100_000));
        alice.post_raw(TASKS, number).await.has(400);
    }

    async fn a_body_has_at_most_a_mebibyte(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let padded = |length: usize| {
            let body = "{\"title\":\"Buy milk\"}";
            body.to_owned() + &" ".repeat(length - body.len())
        };
        alice.post_raw(TASKS, padded(LARGEST)).await.has(201);
        alice.post_raw(TASKS, padded(LARGEST + 1)).await.is(expect![[r#"
            413 Payload Too Large

            {
              "type": "urn:taskward:problem:body_too_large",
              "title": "Body too large",
              "status": 413,
              "detail": "The body must not be larger than 1048576 bytes.",
              "code": "body_too_large",
              "request_id": "[id]"
            }"#]]);
        // Chunked, without a Content-Length.
        let pieces = |count: usize| {
            let first = std::iter::once(padded(1024));
            let rest = first.chain((1..count).map(|_| " ".repeat(1024)));
            Body::wrap_stream(stream::iter(rest.map(Ok::<_, Infallible>)))
        };
        alice.post_raw(TASKS, pieces(1024)).await.has(201);
        alice.post_raw(TASKS, pieces(1025)).await.fails(413, "body_too_large");
        alice.post_raw(TASKS, pieces(20_000)).await.fails(413, "body_too_large");
        assert_eq!(alice.get(TASKS).await.items().len(), 2);
    }

    async fn a_length_too_large_is_refused_before_the_body(on: Backend) {
        let app = on.app().await;
        let token = app.token("alice");
        for length in ["1048577", "99999999999999"] {
            let head = format!(
                "POST {TASKS} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            // Nothing of the body is ever sent, and the answer comes all the same.
            let answer = raw(&app, head).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert!(answer.contains("\"code\":\"body_too_large\""), "{answer}");
            assert!(answer.contains("connection: close\r\n"), "{answer}");
        }
    }

    async fn a_compressed_body_is_refused_everywhere(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let send = async |path: &str, codings: &[&str], body: &str| {
            let mut request = alice.request(Method::POST, path).header("content-type", "application/json");
            for coding in codings {
                request = request.header("content-encoding", *coding);
            }
            alice.send(request.body(body.to_owned())).await
        };
        let owner_path = "/api/alice/tasks";
        // What is in the body does not matter, since it is not read.
        for path in [TASKS, owner_path, "/mcp"] {
            for codings in [&["gzip"][..], &["br"], &["identity, gzip"], &["identity", "zstd"], &["GZIP"]] {
                let answer = send(path, codings, "\u{1f}").await.fails(415, "unsupported_content_encoding");
                assert_eq!((answer.header("accept-encoding"), answer.header("accept")), ("identity", ""), "{path}");
            }
        }
        let complete = alice.request(Method::PATCH, "/api/alice/tasks/1/complete").header("content-encoding", "gzip");
        let complete = complete.header("content-type", "application/json").body("{}");
        alice.send(complete).await.fails(415, "unsupported_content_encoding");
        send(TASKS, &["gzip"], "{}").await.is(expect![[r#"
            415 Unsupported Media Type

            {
              "type": "urn:taskward:problem:unsupported_content_encoding",
              "title": "Unsupported content encoding",
              "status": 415,
              "detail": "The body must not be compressed: send it as it is, without the header Content-Encoding (it was `gzip`).",
              "code": "unsupported_content_encoding",
              "request_id": "[id]"
            }"#]]);
        // `identity` is not a compression.
        for codings in [&["identity"][..], &[""], &["Identity", "identity"]] {
            send(TASKS, codings, "{\"title\":\"Buy milk\"}").await.has(201);
        }
        // A wrong media type is told as such, and says nothing of codings (RFC 7694 §3).
        let request = alice.request(Method::POST, TASKS).header("content-type", "text/plain").body("{}");
        let answer = alice.send(request).await.fails(415, "unsupported_media_type");
        assert_eq!((answer.header("accept"), answer.header("accept-encoding")), ("application/json", ""));
        // A long header is cut when it is repeated.
        let answer = send(TASKS, &[&"x".repeat(5000)], "{}").await.fails(415, "unsupported_content_encoding");
        assert!(answer.text.len() < 700, "{answer}");
        let long = alice.request(Method::POST, TASKS).header("content-type", "x".repeat(5000)).body("{}");
        assert!(alice.send(long).await.fails(415, "unsupported_media_type").text.len() < 700);
    }

    async fn the_detail_has_the_first_fault_everywhere(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let detail = |answer: Answer| answer.body["detail"].as_str().unwrap().to_owned();
        let title = "x".repeat(20_000);
        for path in [TASKS, "/api/alice/tasks"] {
            let long = alice.post(path, json!({ "title": title })).await.has(422);
            let said = detail(long);
            assert!(said.starts_with("title must have at most ") && said.ends_with(", has 20000."), "{path}: {said}");
            let many = alice.post(path, json!({ "title": 7, "priority": "urgent", "tags": [""] })).await.has(422);
            let said = detail(many);
            assert!(said.starts_with("title must be a string"), "{path}: {said}");
            assert!(said.ends_with("; and 2 more faults (see `errors`)."), "{path}: {said}");
            let nested = alice.post(path, json!({ "title": "x", "tags": ["a", ""] })).await.has(422);
            assert_eq!(detail(nested), "tags[1] must not be empty.", "{path}");
        }
        let parameters = alice.get("/api/alice/tasks?limit=x").await.has(400);
        assert!(detail(parameters).starts_with("limit must be an integer"));
        let header = alice.patch_if_match("/api/v1/tasks/1", "12", json!({})).await.has(400);
        assert!(detail(header).starts_with("If-Match must be an ETag"));
        let path = alice.get("/api/v1/tasks/x").await.has(400);
        assert!(detail(path).starts_with("id must be an integer"));
        // The name of a member can be as long as a body.
        let named = alice.post(TASKS, json!({ "title": "x", "y".repeat(100_000): 1 })).await.has(422);
        assert!(named.text.len() < 2000, "{}", named.text.len());
    }

    async fn operations_without_a_body_ignore_one(on: Backend) {
        let app = on.app().await;
        let alice = app.user("alice");
        let milk = alice.create("Buy milk").await.location;
        let nonsense = |method, path: &str| alice.send(alice.request(method, path).body("nonsense"));
        nonsense(Method::GET, &milk).await.has(200);
        nonsense(Method::DELETE, &milk).await.has(204);
        nonsense(Method::POST, &format!("{milk}/restore")).await.has(200);
    }
}
