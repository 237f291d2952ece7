//! Requests whose heads are no HTTP, or too large: a problem like any other.

use super::*;
use crate::support::{TestApp, raw};

/// The answer to a request that is not valid, and its body.
async fn refused(app: &TestApp, request: &str) -> (String, serde_json::Value) {
    let answer = raw(app, request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

on_both! {
    async fn a_malformed_head_is_a_problem(on: Backend) {
        let app = on.app().await;
        let request = "GET /api/v1/tasks?q=\"milk\" HTTP/1.1\r\nHost: t\r\n\r\n";
        let (head, body) = refused(&app, request).await;
        let id = body["request_id"].as_str().unwrap();
        assert_eq!(id.len(), 16);
        let head: Vec<_> = head.lines().filter(|line| !line.starts_with("date: ")).collect();
        let length = body.to_string().len();
        let expected = [
            "HTTP/1.1 400 Bad Request",
            "content-type: application/problem+json",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            &format!("x-request-id: {id}"),
            "connection: close",
            &format!("content-length: {length}"),
        ];
        assert_eq!(head, expected);
        assert_eq!(body, json!({
            "type": "urn:taskward:problem:bad_request",
            "title": "Bad request",
            "status": 400,
            "detail": "The address of the request has characters that must be percent-encoded: a quotation mark as %22, `<` as \
                       %3C, `>` as %3E.",
            "code": "bad_request",
            "request_id": id,
        }));
    }

    async fn each_mistake_in_a_head_is_told(on: Backend) {
        let app = on.app().await;
        let get = |target: &str, fields: &str| format!("GET {target} HTTP/1.1\r\nHost: t\r\n{fields}\r\n");
        let cases = [
            ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400, "bad_request", "begin with a method"),
            (get("/healthz?a=b c", ""), 400, "bad_request", "%20"),
            ("GET /healthz HTTP/4.2\r\n\r\n".to_owned(), 400, "bad_request", "HTTP/1.1"),
            (get("/healthz", "a b: c\r\n"), 400, "bad_request", "A header of the request"),
            (get("/healthz", "Content-Length: -1\r\n"), 400, "bad_request", "Content-Length must"),
            (get("/healthz", "Transfer-Encoding: gzip\r\n"), 400, "bad_request", "Transfer-Encoding must"),
            (get("/healthz", &format!("Cookie: {}\r\n", "a".repeat(40_000))), 431, "head_too_large", "32768 bytes"),
            (get("/healthz", &"Cookie: a\r\n".repeat(100)), 431, "head_too_large", "100 headers"),
            // The address is a part of the head.
            (get(&format!("/healthz?{}", "a".repeat(40_000)), ""), 431, "head_too_large", "address and headers"),
            (get(&format!("/healthz?{}", "a".repeat(70_000)), ""), 431, "head_too_large", "address and headers"),
        ];
        for (request, status, code, detail) in cases {
            let (head, body) = refused(&app, &request).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            assert_eq!((&body["status"], &body["code"]), (&json!(status), &json!(code)));
            assert!(body["detail"].as_str().unwrap().contains(detail), "{body}");
        }
    }
}
