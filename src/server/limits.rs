//! The limits and their defaults.

use std::time::Duration;

use ipnet::IpNet;

/// What one client, and all clients together, may take from the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long the head of a request may take from its first byte to its last; of the first request, from when the
    /// connection was accepted. After that the connection is closed without an answer.
    pub head_timeout: Duration,
    /// How long a kept-alive connection may be silent between two requests.
    pub idle_timeout: Duration,
    /// How long a client that is behind may take for the next [`least_taken`](Self::least_taken) bytes of an answer. A
    /// stream has no other limit.
    pub write_stall: Duration,
    /// The bytes that a client that is behind must take within [`write_stall`](Self::write_stall).
    pub least_taken: usize,
    /// Header fields in one request; more is a 431 (RFC 6585 §5).
    pub max_headers: usize,
    /// Bytes in one request's head, the request line included; more is a 431.
    pub max_head_bytes: usize,
    /// Bytes of a head beyond which it is large.
    pub large_head: usize,
    /// Connections with a large head. One more of them gets a 503. Each is closed after its answer, since its buffers have grown.
    pub max_large_heads: usize,
    /// The same for one address.
    pub max_large_heads_per_address: usize,
    /// Open connections. Beyond it new ones wait in the kernel's backlog, the longest-idle
    /// connection is closed, and answers carry `Connection: close` until there is room again.
    pub max_connections: usize,
    /// Open connections of one address. Beyond it, the one that has been idle for longest is closed for a new one; if none
    /// is idle, the new one is closed.
    pub max_connections_per_address: usize,
    /// The addresses whose connections are counted together only: proxies, behind which are many clients.
    pub proxies: Vec<IpNet>,
    /// How long a connection stays open after an answer whose request body was not read, so that the client can read
    /// the answer (RFC 9112 §9.6).
    pub linger: Duration,
    /// How long a head that is arriving when the stop begins may still take.
    pub late_head: Duration,
    /// How long a stream of events may take to bring out its last event after the stop has begun. Then it is closed: its client
    /// connects again, to another server.
    pub last_event: Duration,
    /// How long requests in flight may take after the stop has begun. After that they are cut.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            // Longer than the 60 s for which common proxies keep a connection, so that the proxy closes it first and
            // no request meets a closing connection.
            idle_timeout: Duration::from_secs(75),
            write_stall: Duration::from_secs(30),
            // About a kilobyte in a second.
            least_taken: 32 * 1024,
            max_headers: 100,
            max_head_bytes: 32 * 1024,
            // As much as hyper reads at first, and as many other servers take at most.
            large_head: 8 * 1024,
            max_large_heads: 512,
            max_large_heads_per_address: 64,
            max_connections: 10_000,
            max_connections_per_address: 1_000,
            proxies: Vec::new(),
            linger: Duration::from_secs(2),
            late_head: Duration::from_secs(1),
            last_event: Duration::from_secs(2),
            drain: Duration::from_secs(20),
        }
    }
}
