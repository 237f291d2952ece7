//! The HTTP/1.1 server: accepts connections, bounds what one client can hold, and stops gracefully.
//!
//! It replaces `poem::Server`, which builds hyper without a timer: there a half-sent head stays for
//! ever and holds a graceful stop up for ever. TLS and HTTP/2 end at the proxy in front.
//!
//! - `mod.rs`: the limits, the accept loop, the stop.
//! - `connection.rs`: one connection from its first byte to its last.
//! - `body.rs`: what happens when a request or answer body ends, or is dropped before its end.
//! - `socket.rs`: the time limits of reading and writing, and the lingering close.
//! - `link.rs`: the few facts about a connection that these share.

mod body;
mod connection;
mod link;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use poem::IntoEndpoint;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{Id, JoinError, JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

use self::link::Link;

/// What one client, and all clients together, may take from the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request's head to its last, and from the accepting of a connection
    /// to its first complete head. The connection is then closed without an answer.
    pub head_timeout: Duration,
    /// How long a kept-alive connection may be silent between two requests.
    pub idle_timeout: Duration,
    /// How long an answer may wait for the client to take another byte. A stream may live for ever
    /// as long as its bytes are taken.
    pub write_stall: Duration,
    /// Header fields in one request; more is a 431 (RFC 6585 §5).
    pub max_headers: usize,
    /// Bytes in one request's head, the request line included; more is a 431.
    pub max_head_bytes: usize,
    /// Open connections. Beyond it new ones wait in the kernel's backlog, the longest-idle
    /// connection is closed, and answers carry `Connection: close` until there is room again.
    pub max_connections: usize,
    /// How long a connection whose answer is out, but whose request body was not read, is kept so
    /// that the client can read that answer (RFC 9112 §9.6).
    pub linger: Duration,
    /// How long a head that is on its way when the stop begins may still take.
    pub late_head: Duration,
    /// How long requests in flight may take after the stop has begun; then they are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            // Longer than the 60 s for which common proxies keep a connection, so that it is they
            // who close it: a request cannot then meet a closing connection.
            idle_timeout: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            max_headers: 100,
            max_head_bytes: 32 * 1024,
            max_connections: 10_000,
            linger: Duration::from_secs(2),
            late_head: Duration::from_secs(1),
            drain: Duration::from_secs(20),
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Connections that were cut because they had not finished within [`Limits::drain`]. Idle ones
    /// and half-sent heads are closed without being counted: nobody was promised an answer.
    pub cut: usize,
}

/// Serves `endpoint` on `listener` until `shutdown` resolves, then finishes what is in flight.
///
/// Never fails: an error of one connection ends that connection, an error of `accept` (no more
/// file descriptors, say) is logged and tried again after a pause. An endpoint that panics is
/// answered by an empty 500. An endpoint's future is dropped when its client hangs up or when the
/// drain limit cuts it, so work that must not be half done belongs in a task of its own.
pub async fn serve<E>(
    listener: TcpListener,
    endpoint: E,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    E: IntoEndpoint,
    E::Endpoint: 'static,
{
    run(listener, endpoint.into_endpoint(), limits, shutdown).await
}

/// Where connections come from; the tests have one that runs out of file descriptors.
trait Accept {
    /// Waits for a connection. Must be safe to drop before it is ready.
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }
}

/// What every connection needs from the server.
struct Shared<E> {
    endpoint: E,
    limits: Limits,
    /// Becomes true when the stop begins.
    stop: watch::Sender<bool>,
    /// No connection is free: answers ask their clients to come back on a new one.
    full: AtomicBool,
}

/// How often a full server looks again for a connection that has become idle.
const FULL_RETRY: Duration = Duration::from_millis(50);
/// The first and the longest pause after an `accept` that failed for lack of resources.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

async fn run<L, E>(
    mut listener: L,
    endpoint: E,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    L: Accept,
    E: poem::Endpoint + 'static,
{
    let shared = Arc::new(Shared {
        endpoint,
        limits,
        stop: watch::Sender::new(false),
        full: AtomicBool::new(false),
    });
    let mut open = Open {
        tasks: JoinSet::new(),
        links: HashMap::new(),
    };
    let mut pause = PAUSES.0;
    tokio::pin!(shutdown);
    loop {
        let full = open.tasks.len() >= shared.limits.max_connections;
        shared.full.store(full, Ordering::Relaxed);
        if full {
            open.close_longest_idle();
        }
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = open.tasks.join_next_with_id() => open.forget(ended),
            () = sleep(FULL_RETRY), if full => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, peer)) => {
                    pause = PAUSES.0;
                    open.add(&shared, stream, peer);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, retry_ms = pause.as_millis(), "cannot accept connections");
                    // An idle connection is worth less than a client who cannot get in.
                    open.close_longest_idle();
                    tokio::select! {
                        biased;
                        () = &mut shutdown => break,
                        () = sleep(pause) => {}
                    }
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }
    // Clients whose handshake is done believe that they are connected: take them, too. The runtime
    // looks at the listener only when it has nothing else to do, or is asked to.
    yield_now().await;
    while open.tasks.len() < shared.limits.max_connections
        && let Some(Ok((stream, peer))) = listener.accept().now_or_never()
    {
        open.add(&shared, stream, peer);
    }
    drop(listener);
    shared.stop.send_replace(true);
    open.drain(shared.limits.drain).await
}

/// The peer gave up before its connection was accepted: its business, not the listener's.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// The open connections.
struct Open {
    tasks: JoinSet<()>,
    links: HashMap<Id, Arc<Link>>,
}

impl Open {
    fn add<E>(&mut self, shared: &Arc<Shared<E>>, stream: TcpStream, peer: SocketAddr)
    where
        E: poem::Endpoint + 'static,
    {
        let link = Arc::new(Link::new());
        let task = self.tasks.spawn(connection::serve(
            shared.clone(),
            link.clone(),
            stream,
            peer,
        ));
        self.links.insert(task.id(), link);
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                // Endpoints are caught closer by; this is a body that panicked while it was sent.
                tracing::error!(%error, "a connection's task failed");
                error.id()
            }
        };
        self.links.remove(&id);
    }

    /// Asks the connection that has been idle for longest to close. A look at every connection
    /// (some 20 µs for 10,000) that only a full server takes, so that the others keep no list.
    fn close_longest_idle(&self) {
        let idle = self
            .links
            .values()
            .filter_map(|link| Some((link.idle_since()?, link)));
        if let Some((_, link)) = idle.min_by_key(|(since, _)| *since) {
            link.ask_to_close();
        }
    }

    async fn drain(mut self, limit: Duration) -> Drained {
        let began = Instant::now();
        let finish = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.forget(ended);
            }
        };
        // The deadline is looked at again below, by what is left.
        let _ = timeout(limit, finish).await;
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
        let cut = self.tasks.len();
        self.tasks.shutdown().await;
        tracing::info!(
            cut,
            took_ms = began.elapsed().as_millis(),
            "all connections are closed"
        );
        Drained { cut }
    }
}
