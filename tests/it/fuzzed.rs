//! Random heads, query strings and messages through the real server: each has its answer, and no answer is a 500.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Handle,
    task::block_in_place,
    time::timeout,
};

use crate::{
    fuzz::{assert_own_words, fuzz},
    support::{Backend, TestApp},
};

/// What may never take longer: the server cuts a head that does not come within its own limit.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a property that waits.
fn wait<T>(story: impl Future<Output = T>) -> T {
    Handle::current().block_on(story)
}

/// An answer that was read to its end.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// Sends bytes, says that there are no more, and reads all answers. `None`: the server closed without a word.
async fn exchange(app: &TestApp, request: &[u8]) -> Option<Answer> {
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may close before it has read all.
    stream.write_all(request).await.ok();
    stream.shutdown().await.ok();
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the server closes").ok();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    Some(Answer {
        status: status
            .unwrap_or_else(|| panic!("no answer: {head}"))
            .parse()
            .unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}

/// An error is a problem in words of ours.
fn check_problem(status: u16, body: &Value) {
    assert!(status < 500 && status != 408, "{status}: {body}");
    assert_eq!(body["status"], status, "{body}");
    assert_own_words(body["detail"].as_str().unwrap());
    for fault in body["errors"].as_array().unwrap_or(&Vec::new()) {
        assert_own_words(fault["detail"].as_str().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzz_request_heads() {
    let app = Backend::Sqlite.app().await;
    let good = [
        "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST /api/v1/tasks HTTP/1.1\r\nHost: a:80\r\nContent-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{\"title\":\"x\"}",
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "GET /api/v1/tasks/1?limit=5 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\nIf-None-Match: \"1\"\r\nX-Request-Id: abc\r\nConnection: close\r\n\r\n",
        "OPTIONS /api/v1/tasks HTTP/1.1\r\nHost: a\r\nOrigin: http://localhost:3000\r\nAccess-Control-Request-Method: PATCH\r\nConnection: close\r\n\r\n",
    ];
    block_in_place(|| {
        fuzz("http-head", &good, |request| {
            let Some(answer) = wait(exchange(&app, request)) else {
                return;
            };
            assert!((200..500).contains(&answer.status), "{}", answer.head);
            assert!(answer.head.contains("x-request-id:"), "{}", answer.head);
            if answer.status >= 400
                && let Ok(body) = serde_json::from_str(&answer.body)
            {
                check_problem(answer.status, &body);
            }
        });
    });
    app.anon().get("/healthz").await.has(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzz_query_strings() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    for title in ["Buy milk", "Ä & ö", "100 %"] {
        alice
            .create_with(json!({ "title": title, "tags": ["a"], "due_date": "2026-02-06" }))
            .await;
    }
    let good = [
        "completed=false&priority=high&tag=a&due=any&sort=due_date&limit=1",
        "q=milk&due_before=2026-02-07&time_zone=Europe/Berlin&sort=-title&limit=2",
        "due_after=2026-02-06T09%3A00%3A00%2B05%3A30&changed_since=1&cursor=WzcsbnVsbCwxXQ",
        "limit=100&sort=created_at",
    ];
    block_in_place(|| {
        fuzz("query", &good, |query| {
            let Ok(query) = std::str::from_utf8(query) else {
                return;
            };
            // Only what can stand in a target; the heads are another story.
            if !query
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte))
            {
                return;
            }
            let answer = wait(alice.get(&format!("/api/v1/tasks?{query}")));
            if answer.status != 200 {
                assert!(
                    [400, 414, 431].contains(&answer.status),
                    "{query}: {answer}"
                );
                check_problem(answer.status, &answer.body);
                return;
            }
            // The next page is there, and is another one.
            if let Some(link) = answer.headers.get("link") {
                let link = link.to_str().unwrap();
                let target = &link[1..link.find('>').unwrap()];
                let next = wait(alice.get(target));
                assert_eq!(next.status, 200, "{query}: {link}: {next}");
                assert_ne!(next.body["items"], answer.body["items"]);
            }
        });
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fuzz_mcp_calls() {
    let app = Backend::Sqlite.app().await;
    let alice = app.user("alice");
    let good = [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_tasks","arguments":{"tasks":[{"title":"x","due":"tomorrow"}],"time_zone":"Europe/Berlin"}}}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"find_tasks","arguments":{"text":"x","limit":5}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#,
    ];
    block_in_place(|| {
        fuzz("mcp-call", &good, |message| {
            let answer = wait(alice.post_raw("/mcp", message.to_vec()));
            assert!(answer.status < 500, "{answer}");
            if answer.body.get("jsonrpc").is_none() {
                if answer.status >= 400 {
                    check_problem(answer.status, &answer.body);
                }
                return;
            }
            let asked: Option<Value> = serde_json::from_slice(message).ok();
            let id = asked
                .map(|asked| asked["id"].clone())
                .filter(Value::is_string);
            if let Some(id) = id {
                assert!(
                    answer.body["id"] == id || answer.body["id"].is_null(),
                    "{answer}"
                );
            }
            if let Some(said) = answer.body["error"]["message"].as_str() {
                assert!(!said.is_empty() && said.chars().count() <= 600, "{answer}");
            }
        });
    });
}
