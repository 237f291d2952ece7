//! Clients that send or read too slowly.

use tokio::{io::AsyncReadExt, time::Instant};

use super::*;

#[tokio::test]
async fn a_client_that_sends_nothing_is_closed_after_the_head_timeout() {
    let server = Server::start(Limits {
        head_timeout: ms(50),
        ..patient()
    })
    .await;
    let began = Instant::now();
    assert_eq!(server.client().await.closed().await, b"");
    assert!(began.elapsed() >= ms(50));
}

#[tokio::test]
async fn a_client_that_drips_its_head_is_closed_after_the_head_timeout() {
    let server = Server::start(Limits {
        head_timeout: ms(100),
        ..patient()
    })
    .await;
    let (mut read, mut write) = server.client().await.0.into_split();
    let drip = async {
        write.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        while write.write_all(b"y").await.is_ok() {
            sleep(ms(5)).await;
        }
    };
    let mut rest = Vec::new();
    tokio::select! {
        _ = soon(read.read_to_end(&mut rest)) => {}
        () = drip => {}
    }
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout() {
    let limits = Limits {
        head_timeout: ms(50),
        idle_timeout: ms(400),
        ..patient()
    };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    client.get("/hello").await;
    sleep(ms(200)).await;
    assert!(client.get("/hello").await.ends_with("hello"));
    let idle = Instant::now();
    assert_eq!(client.closed().await, b"");
    assert!(
        idle.elapsed() >= ms(350),
        "closed after {:?}",
        idle.elapsed()
    );
}

#[tokio::test]
async fn a_half_sent_later_head_is_closed_after_the_head_timeout() {
    let server = Server::start(Limits {
        head_timeout: ms(50),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client.get("/hello").await;
    client.send("GET /hello HTTP/1.1\r\nho").await;
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn a_request_may_take_longer_than_the_head_and_idle_timeouts() {
    let limits = Limits {
        head_timeout: ms(30),
        idle_timeout: ms(30),
        ..patient()
    };
    let server = Server::start(limits).await;
    let mut client = server.held().await;
    sleep(ms(150)).await;
    server.gate.open.notify_one();
    assert!(client.answer().await.ends_with("held"));
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_after_the_write_stall() {
    let server = Server::start(Limits {
        write_stall: ms(100),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client.send("GET /flood HTTP/1.1\r\nhost: t\r\n\r\n").await;
    soon(server.gate.dropped.notified()).await;
}

#[tokio::test]
async fn a_stream_that_is_read_lives_longer_than_the_stall_limit() {
    let limits = Limits {
        write_stall: ms(100),
        head_timeout: ms(100),
        idle_timeout: ms(100),
        ..patient()
    };
    let server = Server::start(limits).await;
    let mut client = server.client().await;
    client.send("GET /ticks HTTP/1.1\r\nhost: t\r\n\r\n").await;
    let began = Instant::now();
    let mut tick = [0; 7]; // "2\r\n..\r\n"
    client.answer().await;
    while began.elapsed() < ms(400) {
        soon(client.0.read_exact(&mut tick)).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_steadily_is_not_cut() {
    let server = Server::start(Limits {
        write_stall: ms(300),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client.send("GET /flood HTTP/1.1\r\nhost: t\r\n\r\n").await;
    let mut some = vec![0; 8 * 1024 * 1024];
    let began = Instant::now();
    while began.elapsed() < ms(1000) {
        soon(client.0.read_exact(&mut some)).await.unwrap();
        sleep(ms(100)).await;
    }
}

#[tokio::test]
async fn a_client_that_takes_a_few_bytes_now_and_then_is_cut() {
    let server = Server::start(Limits {
        write_stall: ms(300),
        least_taken: LARGE / 2,
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client.send("GET /large HTTP/1.1\r\nhost: t\r\n\r\n").await;
    let began = Instant::now();
    let mut some = vec![0; 256 * 1024];
    let mut taken = 0;
    while soon(client.0.read_exact(&mut some)).await.is_ok() {
        taken += some.len();
        sleep(ms(20)).await;
    }
    assert!(began.elapsed() >= ms(300));
    assert!(taken < LARGE - some.len(), "{taken}");
}

/// hyper still holds the rest of such an answer long after the endpoint has finished.
#[tokio::test]
async fn an_answer_that_is_still_being_read_is_not_idle() {
    let server = Server::start(Limits {
        idle_timeout: ms(300),
        ..patient()
    })
    .await;
    let mut client = server.client().await;
    client
        .send("GET /large HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n")
        .await;
    let mut some = vec![0; LARGE / 32];
    let mut read = 0;
    loop {
        let bytes = soon(client.0.read(&mut some)).await.unwrap();
        if bytes == 0 {
            break;
        }
        read += bytes;
        // At most this fast, so that reading takes longer than the idle timeout.
        sleep(ms(1000) / 64 * u32::try_from(bytes).unwrap() / u32::try_from(LARGE / 64).unwrap())
            .await;
    }
    assert!(read > LARGE);
}
