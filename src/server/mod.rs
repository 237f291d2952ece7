//! The HTTP/1.1 server: accepts connections, bounds what one client can hold, and stops gracefully.
//!
//! It replaces `poem::Server`, which builds hyper without a timer: with it, a half-sent head stays for ever and
//! keeps a graceful stop from ending. TLS and HTTP/2 end at the proxy in front.
//!
//! - `mod.rs`: the accept loop and the stop; `limits.rs`: the limits.
//! - `open.rs`: the open connections; which one must go when there are too many.
//! - `connection.rs`: one connection from its first byte to its last.
//! - `body.rs`: what happens when a request or answer body ends, or is dropped before its end.
//! - `refusal.rs`: the answer to a head that is no HTTP, or too large.
//! - `socket.rs`: the time limits of reading and writing, and the lingering close.
//! - `large_heads.rs`: how many connections may have a large head.
//! - `deadline.rs`: a timer whose deadline moves.
//! - `connection_state.rs`: the state of a connection, which these share.

mod body;
mod connection;
mod connection_state;
mod deadline;
mod large_heads;
mod limits;
mod open;
mod refusal;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use poem::IntoEndpoint;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::sleep,
};

use self::open::Open;
pub use self::{limits::Limits, refusal::Refused};

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Connections that were cut because they did not finish within [`Limits::drain`]. Idle connections and half-sent
    /// heads are closed and not counted: they wait for no answer.
    pub cut: usize,
}

/// The bytes of an answer that the kernel takes before the client has (Linux takes twice as many, and counts its own needs
/// in). It would take up to 4 MiB for each connection otherwise, where no budget counts them.
const SEND_BUFFER: u32 = 128 * 1024;
/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Listens on an address.
///
/// # Errors
/// If the address is taken, or is not one of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A server that starts again does not wait for the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
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

/// Where connections come from. The tests have an implementation that runs out of file descriptors.
trait Accept {
    /// Waits for a connection. Must be safe to drop before it is ready.
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;

    /// Listens no more, and gives the connections that wait to be accepted.
    fn close(self) -> Vec<(TcpStream, SocketAddr)>;
}

impl Accept for TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }

    fn close(self) -> Vec<(TcpStream, SocketAddr)> {
        // The kernel resets a connection that is made between the last look and the close, and its client does not know why. So
        // nothing stands between them: tokio would look only if its last poll had seen a connection.
        let Ok(listener) = self.into_std() else {
            return Vec::new();
        };
        let mut waiting = Vec::new();
        while let Ok(accepted) = listener.accept() {
            waiting.push(accepted);
        }
        drop(listener);
        let tokio = |(stream, peer): (std::net::TcpStream, _)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, peer))
        };
        waiting.into_iter().filter_map(tokio).collect()
    }
}

/// What every connection needs from the server.
struct Shared<E> {
    endpoint: E,
    limits: Limits,
    /// As many connections are open as may be: answers carry `Connection: close`.
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
        full: AtomicBool::new(false),
    });
    let mut open = Open::new(&shared.limits);
    let mut pause = PAUSES.0;
    tokio::pin!(shutdown);
    loop {
        let full = open.len() >= shared.limits.max_connections;
        shared.full.store(full, Ordering::Relaxed);
        if full {
            open.close_longest_idle();
        }
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = open.ended() => {}
            () = sleep(FULL_RETRY), if full => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, peer)) => {
                    pause = PAUSES.0;
                    open.add(&shared, stream, peer);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, retry_ms = pause.as_millis(), "cannot accept connections");
                    // Close an idle connection in favour of a new client.
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
    // Clients whose handshake is done believe that they are connected, so they are served, too.
    for (stream, peer) in listener.close() {
        if open.len() < shared.limits.max_connections {
            open.add(&shared, stream, peer);
        }
    }
    open.drain(shared.limits.drain).await
}

/// The peer gave up before its connection was accepted; the listener is fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
