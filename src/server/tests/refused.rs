//! Heads that hyper refuses by itself: the endpoint says so, in its own form.

use super::*;

/// Sends bytes and reads until the server closes.
async fn send(server: &Server, bytes: impl AsRef<[u8]>) -> String {
    let mut client = server.client().await;
    client.0.write_all(bytes.as_ref()).await.unwrap();
    String::from_utf8(client.closed().await).unwrap()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: t\r\n\r\n")
}

fn with(field: &str) -> String {
    format!("GET /hello HTTP/1.1\r\nhost: t\r\n{field}\r\n\r\n")
}

#[tokio::test]
async fn the_endpoint_answers_a_head_that_is_refused() {
    let server = Server::start(patient()).await;
    let too_large = "TooLarge { max_bytes: 32768, max_headers: 100 }";
    let cases = [
        ("G=T / HTTP/1.1\r\n\r\n".to_owned(), "Method"),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), "Method"),
        (get("/hello?q=\"milk\""), "Target"),
        (get("/hello?q=<b>"), "Target"),
        (get("/hello?q=\u{7f}"), "Target"),
        (get("/hello?q=a b"), "Version"),
        ("GET /hello HTTP/3.0\r\n\r\n".to_owned(), "Version"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "Version"),
        (with("a b: c"), "Header"),
        (with("a: \u{1}"), "Header"),
        (with("no colon"), "Header"),
        (with("content-length: x"), "ContentLength"),
        (
            with("content-length: 1\r\ncontent-length: 2"),
            "ContentLength",
        ),
        (with("transfer-encoding: gzip"), "TransferEncoding"),
        (
            "GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            "TransferEncoding",
        ),
        (with(&"a: b\r\n".repeat(101)), too_large),
        (with(&format!("a: {}", "b".repeat(100_000))), too_large),
        (get(&format!("/{}", "a".repeat(40_000))), too_large),
        (get(&format!("/{}", "a".repeat(70_000))), too_large),
    ];
    for (head, refused) in cases {
        let answer = send(&server, &head).await;
        let (status, body) = (
            answer.lines().next().unwrap(),
            answer.split("\r\n\r\n").nth(1),
        );
        assert_eq!(status, "HTTP/1.1 418 I'm a teapot", "{refused}: {answer}");
        assert_eq!(body, Some(refused), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        for field in ["connection: close", "content-type: text/plain", "date: "] {
            assert!(answer.contains(field), "{answer}");
        }
        let length = format!("content-length: {}\r\n", refused.len());
        assert!(answer.contains(&length), "{answer}");
    }
}

#[tokio::test]
async fn answers_before_a_refused_head_are_complete() {
    let server = Server::start(patient()).await;
    // One after the other, all at once, and after an answer that the client takes late.
    let mut client = server.client().await;
    for _ in 0..3 {
        assert!(client.get("/hello").await.ends_with("hello"));
    }
    client.send(&get("/?\"")).await;
    assert!(client.answer().await.ends_with("\r\n\r\nTarget"));
    assert_eq!(client.closed().await, b"");

    let answers = send(&server, get("/hello") + &get("/nothing") + &get("/?\"")).await;
    let statuses: Vec<_> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses, ["200", "404", "418"], "{answers}");

    let mut client = server.client().await;
    client.send(&(get("/large") + &get("/?\""))).await;
    sleep(ms(100)).await;
    let answers = String::from_utf8(client.closed().await).unwrap();
    assert!(answers.len() > LARGE, "{}", answers.len());
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 2);
}

#[tokio::test]
async fn a_head_that_breaks_off_gets_no_answer() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    client.send("GET /hello HTTP/1.1\r\n").await;
    client.0.shutdown().await.unwrap();
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_stop_waits_for_a_refusal() {
    let mut server = Server::start(patient()).await;
    let mut client = server.client().await;
    client.send("GET /?\" HTTP/1.1\r\nhost").await;
    sleep(ms(50)).await;
    server.begin_stop();
    sleep(ms(50)).await;
    client.send(": t\r\n\r\n").await;
    assert!(client.answer().await.ends_with("\r\n\r\nTarget"));
    drop(client);
    assert_eq!(server.stopped().await.cut, 0);
}
