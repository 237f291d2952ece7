//! One connection from its first byte to its last.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use futures_util::FutureExt;
use http_body_util::{BodyExt, combinators::BoxBody};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use poem::{
    Addr, Body, Endpoint, Request, RequestParts, Response,
    http::{
        HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, EXPECT},
        uri::Scheme,
    },
    web::{LocalAddr, RemoteAddr},
};
use tokio::{net::TcpStream, time::sleep};

use super::{
    Limits, Shared,
    body::{AnswerBody, IncomingBody, LeftOver},
    connection_state::ConnectionState,
    large_heads::LargeHeads,
    refusal::{self, Refused},
    socket::Socket,
};

/// hyper's buffer for reading, and for an answer that the client does not take fast enough.
const BUFFER: usize = 32 * 1024;
/// The media type of a stream of events (HTML standard, "Server-sent events").
const EVENT_STREAM: &str = "text/event-stream";
/// What hyper allows without allocating a table for every request.
const FREE_HEADERS: usize = 100;

/// Serves the requests of one connection until either side closes it.
pub(super) async fn serve<E>(
    shared: Arc<Shared<E>>,
    state: Arc<ConnectionState>,
    stream: TcpStream,
    peer: SocketAddr,
    large_heads: LargeHeads,
) where
    E: Endpoint + 'static,
{
    // An answer is written in one go; Nagle's algorithm would only hold back its last packet until
    // the client has acknowledged the ones before. This fails only if the connection is dead already.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let addresses = (
        LocalAddr(Addr::SocketAddr(local)),
        RemoteAddr(Addr::SocketAddr(peer)),
    );
    let socket = Socket::new(stream, state.clone(), &shared.limits, large_heads);
    let service = service_fn(|request| {
        answer(shared.clone(), state.clone(), addresses.clone(), request).map(Ok::<_, Infallible>)
    });
    let mut connection = builder(&shared.limits).serve_connection(TokioIo::new(socket), service);
    let ended = 'ended: {
        // The connection is polled first, so that a request that has arrived is seen before the connection counts
        // as idle.
        tokio::select! {
            biased;
            ended = &mut connection => break 'ended ended,
            () = state.asked() => {}
        }
        // A request that is arriving is still answered, but a client that never completes its head does not delay a stop.
        tokio::select! {
            biased;
            ended = &mut connection => break 'ended ended,
            () = state.no_head_due() => {}
            () = sleep(shared.limits.late_head) => return,
        }
        // Closes an idle connection at once, a busy one after its answer.
        Pin::new(&mut connection).graceful_shutdown();
        tokio::select! {
            biased;
            ended = &mut connection => break 'ended ended,
            () = sleep(shared.limits.last_event) => {}
        }
        // A client that does not read would hold up the stop, and loses nothing: it resumes.
        if state.is_streaming() {
            return;
        }
        (&mut connection).await
    };
    let Err(error) = ended else {
        return;
    };
    // The client or its network causes this at will, so it is not logged as an error.
    tracing::debug!(%peer, error = &error as &dyn std::error::Error, "a connection broke");
    let crowded = state.is_crowded().then(|| Refused::crowded(&shared.limits));
    if let Some(refused) = crowded.or_else(|| Refused::of(&error, &shared.limits)) {
        let mut socket = connection.into_parts().io.into_inner();
        // hyper answers neither HTTP/2 nor what the socket has refused.
        if socket.resume() || error.is_parse_version_h2() || state.is_crowded() {
            let answer = respond(&shared.endpoint, refused.into_request(addresses)).await;
            // The client may be gone by now.
            let _ = refusal::write(answer, &mut socket).await;
        }
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // The time limits are in `socket.rs`.
        .header_read_timeout(None)
        .max_header_size(limits.max_head_bytes)
        .max_buf_size(BUFFER.max(limits.max_head_bytes));
    if limits.max_headers != FREE_HEADERS {
        builder.max_headers(limits.max_headers);
    }
    builder
}

type Answer = hyper::Response<AnswerBody<BoxBody<hyper::body::Bytes, std::io::Error>>>;

/// Lets the endpoint answer one request.
async fn answer<E: Endpoint>(
    shared: Arc<Shared<E>>,
    state: Arc<ConnectionState>,
    (local, remote): (LocalAddr, RemoteAddr),
    request: hyper::Request<Incoming>,
) -> Answer {
    let has_body = !request.body().is_end_stream();
    state.request_began(has_body);
    let (parts, body) = request.into_parts();
    let mut left_over = None;
    let body = if has_body {
        let slot = LeftOver::default();
        let body = IncomingBody::new(body, state.clone(), slot.clone());
        // After `Expect: 100-continue`, reading the body asks the client to send it (RFC 9110 §10.1.1). Only the
        // endpoint decides that.
        left_over = Some(slot).filter(|_| !parts.headers.contains_key(EXPECT));
        Body::from(BoxBody::new(body.map_err(std::io::Error::other)))
    } else {
        Body::empty()
    };
    let parts = RequestParts::from((parts, local, remote, Scheme::HTTP));
    let request = Request::from_parts(parts, body);

    let mut answer = respond(&shared.endpoint, request).await;
    if let Some(left_over) = left_over {
        left_over.finish(&state).await;
    }
    // hyper closes the connection after an answer to a body that was not read, but does not announce it.
    if state.has_unread()
        || state.has_large_head()
        || state.is_stopping()
        || shared.full.load(Ordering::Relaxed)
    {
        answer
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|of| of == EVENT_STREAM)
    {
        state.stream_began();
    }
    let answer: hyper::Response<BoxBody<_, _>> = answer.into();
    answer.map(|body| AnswerBody::new(body, state))
}

/// The endpoint's answer, or 500 if it panics.
async fn respond<E: Endpoint>(endpoint: &E, request: Request) -> Response {
    // Unwind safe: after a panic, nothing of this call is used again.
    let answer = AssertUnwindSafe(endpoint.get_response(request))
        .catch_unwind()
        .await;
    answer.unwrap_or_else(|_| {
        tracing::error!("an endpoint panicked");
        Response::from(StatusCode::INTERNAL_SERVER_ERROR)
    })
}
