//! What a stop waits for, and what it does not wait for.

use super::*;

#[tokio::test]
async fn a_request_in_flight_is_answered_with_connection_close() {
    let mut server = Server::start(patient()).await;
    let mut client = server.held().await;
    server.begin_stop();
    // The listener is gone as soon as the stop has begun.
    while TcpStream::connect(server.address).await.is_ok() {}
    server.gate.open.notify_one();
    let answer = client.answer().await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with("held"), "{answer}");
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}

#[tokio::test]
async fn idle_connections_do_not_delay_a_stop() {
    let mut server = Server::start(patient()).await;
    let mut client = server.client().await;
    client.get("/hello").await;
    server.begin_stop();
    assert_eq!(client.closed().await, b"");
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_half_sent_head_does_not_delay_a_stop() {
    let mut server = Server::start(Limits {
        late_head: ms(30),
        ..patient()
    })
    .await;
    let mut used = server.client().await;
    used.get("/hello").await;
    used.send("GET /hel").await;
    let mut new = server.client().await;
    new.send("GET /hel").await;
    let mut silent = server.client().await;
    server.begin_stop();
    for client in [&mut used, &mut new, &mut silent] {
        assert_eq!(client.closed().await, b"");
    }
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_request_whose_head_is_arriving_is_answered() {
    let mut server = Server::start(patient()).await;
    let mut clients = [server.client().await, server.client().await];
    clients[0].get("/hello").await;
    for client in &mut clients {
        client.send("GET /hello HTTP/1.1\r\nho").await;
    }
    // Another request makes sure that the server has read the halves.
    server.client().await.get("/hello").await;
    server.begin_stop();
    while TcpStream::connect(server.address).await.is_ok() {}
    for client in &mut clients {
        client.send("st: t\r\n\r\n").await;
        let answer = client.answer().await;
        assert!(
            answer.ends_with("hello") && answer.contains("connection: close"),
            "{answer}"
        );
        assert_eq!(client.closed().await, b"");
    }
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}

#[tokio::test]
async fn a_client_in_the_backlog_is_answered() {
    let mut server = Server::start(patient()).await;
    // Before the server runs for the first time: all on this thread, without a pause.
    let early = std::net::TcpStream::connect(server.address).unwrap();
    server.begin_stop();
    early.set_nonblocking(true).unwrap();
    let mut client = Client(TcpStream::from_std(early).unwrap());
    assert!(client.get("/hello").await.ends_with("hello"));
    assert_eq!(server.stopped().await, Drained { cut: 0 });
}

#[tokio::test]
async fn requests_that_do_not_finish_are_cut_and_counted() {
    let mut server = Server::start(Limits {
        drain: ms(50),
        ..patient()
    })
    .await;
    let mut clients = [server.held().await, server.held().await];
    let mut idle = server.client().await;
    idle.get("/hello").await;
    server.begin_stop();
    assert_eq!(server.stopped().await, Drained { cut: 2 });
    for client in &mut clients {
        assert_eq!(client.closed().await, b"");
    }
}

#[tokio::test]
async fn a_stop_waits_for_an_answer_that_is_being_sent_then_cuts_it() {
    let mut server = Server::start(Limits {
        drain: ms(300),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client.get("/ticks").await;
    server.begin_stop();
    // The answer never ends, so the stop waits for the drain limit, and then cuts it.
    assert_eq!(server.stopped().await, Drained { cut: 1 });
    assert!(client.closed().await.len() > 7 * 5);
}
