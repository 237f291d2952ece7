//! Too many connections, too large heads, and endpoints that panic.

use std::{
    collections::VecDeque,
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::FutureExt;

use super::*;
use crate::server::{Accept, connection_state::ConnectionState, run};

#[tokio::test]
async fn a_connection_serves_many_requests_even_after_a_panic() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    assert!(client.get("/hello").await.starts_with("http/1.1 200"));
    assert!(client.get("/panic").await.starts_with("http/1.1 500"));
    assert!(client.get("/hello").await.ends_with("hello"));
    assert!(server.client().await.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn a_head_with_too_many_fields_is_refused() {
    for max_headers in [8, 100] {
        let server = Server::start(Limits {
            max_headers,
            ..patient()
        })
        .await;
        for (more, status) in [(0, "http/1.1 200"), (1, "http/1.1 418")] {
            let fields = "x: y\r\n".repeat(max_headers + more);
            let mut client = server.client().await;
            client
                .send(&format!("GET /hello HTTP/1.1\r\n{fields}\r\n"))
                .await;
            assert!(client.answer().await.starts_with(status));
        }
    }
}

#[tokio::test]
async fn a_head_with_too_many_bytes_is_refused() {
    let server = Server::start(Limits {
        max_head_bytes: 10_000,
        ..patient()
    })
    .await;
    for (bytes, status) in [(9_000, "http/1.1 200"), (11_000, "http/1.1 418")] {
        let mut client = server.client().await;
        let field = "y".repeat(bytes);
        client
            .send(&format!("GET /hello HTTP/1.1\r\nx: {field}\r\n\r\n"))
            .await;
        assert!(client.answer().await.starts_with(status));
    }
}

/// A head with so many bytes in a field.
fn head(bytes: usize) -> String {
    format!(
        "GET /hello HTTP/1.1\r\nhost: t\r\nx: {}\r\n\r\n",
        "y".repeat(bytes)
    )
}

#[tokio::test]
async fn a_large_head_is_the_last_one_of_its_connection() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    client.send(&head(5_000)).await;
    assert!(!client.answer().await.contains("connection: close"));
    client.send(&head(5_000)).await;
    assert!(!client.answer().await.contains("connection: close"));
    client.send(&head(20_000)).await;
    let answer = client.answer().await;
    assert!(
        answer.starts_with("http/1.1 200") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_body_that_comes_with_its_head_makes_no_large_head() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    for _ in 0..5 {
        let body = "y".repeat(200_000);
        let head = "POST /length HTTP/1.1\r\nhost: t\r\ncontent-length: 200000\r\n\r\n";
        client.send(&format!("{head}{body}")).await;
        let answer = client.answer().await;
        assert!(
            answer.ends_with("200000") && !answer.contains("connection: close"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_address_has_only_so_many_large_heads() {
    for (in_all, of_address) in [(2, 100), (100, 2)] {
        let limits = Limits {
            max_large_heads: in_all,
            max_large_heads_per_address: of_address,
            ..patient()
        };
        let server = Server::start(limits).await;
        // Both have sent more than a small head, and not all of it.
        let mut slow = [server.client().await, server.client().await];
        for client in &mut slow {
            client.send(&head(20_000)[..15_000]).await;
        }
        let crowded = "Crowded { small: 8192 }";
        loop {
            let mut third = server.client().await;
            third.send(&head(20_000)).await;
            if third.answer().await.ends_with(crowded) {
                break;
            }
        }
        // Small heads are always accepted.
        let mut small = server.client().await;
        small.send(&head(7_000)).await;
        assert!(small.answer().await.starts_with("http/1.1 200"));
        // Whoever has a place is answered, and gives it back.
        let [first, _second] = &mut slow;
        first.send(&head(20_000)[15_000..]).await;
        assert!(first.answer().await.starts_with("http/1.1 200"));
        assert_eq!(first.closed().await, b"");
        loop {
            let mut third = server.client().await;
            third.send(&head(20_000)).await;
            if third.answer().await.starts_with("http/1.1 200") {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_of_a_head_reaches_a_client_that_is_still_sending_it() {
    let server = Server::start(patient()).await;
    let mut client = server.client().await;
    let line = format!("x: {}\r\n", "y".repeat(1000));
    client.send("GET /hello HTTP/1.1\r\n").await;
    for _ in 0..2_000 {
        client.send(&line).await;
    }
    assert!(client.answer().await.starts_with("http/1.1 418"));
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_full_server_closes_its_longest_idle_connection_for_a_new_one() {
    let server = Server::start(Limits {
        max_connections: 3,
        ..patient()
    })
    .await;
    let (mut first, mut second) = (server.client().await, server.client().await);
    first.get("/hello").await;
    second.get("/hello").await;
    first.get("/hello").await;
    let mut third = server.client().await;
    assert!(third.get("/hello").await.ends_with("hello"));
    // Now the second is the one that has been idle for longest.
    assert_eq!(second.closed().await, b"");
    assert!(first.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn a_full_server_lets_new_clients_wait_and_closes_after_each_answer() {
    let server = Server::start(Limits {
        max_connections: 1,
        ..patient()
    })
    .await;
    let mut busy = server.held().await;
    let mut waiting = server.client().await;
    waiting.send("GET /hello HTTP/1.1\r\nhost: t\r\n\r\n").await;
    assert!(
        timeout(ms(150), waiting.0.read_u8()).await.is_err(),
        "served beyond the limit"
    );
    server.gate.open.notify_one();
    assert!(busy.answer().await.contains("connection: close"));
    assert!(waiting.answer().await.ends_with("hello"));
}

#[tokio::test]
async fn an_address_has_only_so_many_connections() {
    let limits = || Limits {
        max_connections_per_address: 2,
        ..patient()
    };
    let server = Server::start(limits()).await;
    let mut busy = server.held().await;
    let mut idle = server.client().await;
    idle.get("/hello").await;
    // The third is turned away, and its coming ends the idle one, so that the fourth finds a place.
    let mut third = server.client().await;
    assert_eq!(third.closed().await, b"");
    assert_eq!(idle.closed().await, b"");
    let mut fourth = server.client().await;
    assert!(fourth.get("/hello").await.ends_with("hello"));
    server.gate.open.notify_one();
    assert!(busy.answer().await.starts_with("http/1.1 200"));
    // Behind a proxy are many clients.
    let server = Server::start(Limits {
        proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..limits()
    })
    .await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = server.client().await;
        assert!(client.get("/hello").await.ends_with("hello"));
        clients.push(client);
    }
}

#[tokio::test]
async fn a_connection_that_became_busy_ignores_the_request_for_its_slot() {
    let state = ConnectionState::new();
    state.request_began(false);
    state.ask_to_close();
    assert!(state.asked().now_or_never().is_none());
    state.answer_ended();
    assert!(
        state.asked().now_or_never().is_none(),
        "an earlier request must not count"
    );
    state.ask_to_close();
    assert!(state.asked().now_or_never().is_some());
}

/// A listener that fails before it accepts.
struct Failing {
    errors: VecDeque<i32>,
    calls: Arc<AtomicUsize>,
    listener: TcpListener,
}

impl Accept for Failing {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.errors.pop_front() {
            Some(code) => Err(io::Error::from_raw_os_error(code)),
            None => self.listener.accept().await,
        }
    }

    fn close(self) -> Vec<(TcpStream, SocketAddr)> {
        Accept::close(self.listener)
    }
}

/// Serves one client behind a listener that first fails with these error codes of Linux. Returns how long it took.
async fn serve_after(errors: &[i32]) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::default();
    let failing = Failing {
        errors: errors.iter().copied().collect(),
        calls,
        listener,
    };
    let began = std::time::Instant::now();
    tokio::spawn(run(failing, endpoint(Arc::default()), patient(), pending()));
    let mut client = Client(TcpStream::connect(address).await.unwrap());
    assert!(client.get("/hello").await.ends_with("hello"));
    began.elapsed()
}

#[tokio::test]
async fn the_server_accepts_again_after_a_lack_of_file_descriptors() {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    // The pauses are 10, 20 and 40 ms.
    assert!(serve_after(&[EMFILE, ENFILE, EMFILE]).await >= ms(70));
}

#[tokio::test]
async fn a_client_that_gave_up_before_it_was_accepted_does_not_pause_the_accept_loop() {
    const ECONNABORTED: i32 = 103;
    let took = serve_after(&[ECONNABORTED; 20]).await;
    assert!(took < ms(2_000), "{took:?}");
}
