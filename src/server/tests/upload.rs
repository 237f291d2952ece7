//! Answers that come before the request has been read.

use super::*;

const MEGABYTE: usize = 1024 * 1024;

async fn begin_upload(client: &mut Client, path: &str, bytes: usize) {
    client
        .send(&format!(
            "POST {path} HTTP/1.1\r\nhost: t\r\ncontent-length: {bytes}\r\n\r\n"
        ))
        .await;
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_is_still_sending_and_the_rest_is_not_read() {
    let server = Server::start(Limits {
        linger: ms(500),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    begin_upload(&mut client, "/refuse", 200 * MEGABYTE).await;
    let (mut read, mut write) = client.0.into_split();
    let sending = tokio::spawn(async move {
        let mut sent = 0;
        while write.write_all(&vec![0; MEGABYTE]).await.is_ok() {
            sent += 1;
        }
        sent
    });
    let mut answer = Vec::new();
    // The answer and the end, not a reset, although the client never stops sending.
    soon(read.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"),
        "{answer}"
    );
    let sent = soon(sending).await.unwrap();
    assert!(sent < 50, "{sent} MB were read");
}

#[tokio::test]
async fn an_early_answer_reaches_a_client_that_sends_all_before_it_reads() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    begin_upload(&mut client, "/refuse", 3 * MEGABYTE).await;
    for _ in 0..3 * 16 {
        client.0.write_all(&[0; MEGABYTE / 16]).await.unwrap();
        sleep(ms(1)).await;
    }
    assert!(client.answer().await.starts_with("http/1.1 413"));
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn an_early_answer_to_a_small_request_keeps_the_connection() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    begin_upload(&mut client, "/refuse", 20_000).await;
    // In a packet of its own, after hyper has read the head.
    sleep(ms(20)).await;
    client.send(&"x".repeat(20_000)).await;
    let answer = client.answer().await;
    assert!(
        answer.starts_with("http/1.1 413") && !answer.contains("close"),
        "{answer}"
    );
    assert!(client.get("/hello").await.ends_with("hello"));

    client
        .send("POST /refuse HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    client.send("2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n").await;
    assert!(client.answer().await.starts_with("http/1.1 413"));
    assert!(client.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn an_unwanted_body_gets_no_100_continue() {
    let server = Server::start(Limits {
        linger: ms(50),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    let ask = "host: t\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    client
        .send(&format!("POST /length HTTP/1.1\r\n{ask}"))
        .await;
    assert!(client.answer().await.starts_with("http/1.1 100"));
    client.send("ab").await;
    assert!(client.answer().await.ends_with('2'));
    client
        .send(&format!("POST /refuse HTTP/1.1\r\n{ask}"))
        .await;
    assert!(client.answer().await.starts_with("http/1.1 413"));
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_close_does_not_linger_after_a_body_that_was_read() {
    let mut server = Server::start(patient()).await;
    let mut client = server.client().await;
    begin_upload(&mut client, "/length", 5).await;
    client.send("12345").await;
    assert!(client.answer().await.ends_with('5'));
    server.begin_stop();
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}
