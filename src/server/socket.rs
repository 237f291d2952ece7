//! A TCP stream with time limits for reading and writing, and a close that lets the client read the last answer.
//!
//! It withholds the answer that hyper gives to a head by itself, without the endpoint (`refusal.rs`).
//!
//! hyper's own `header_read_timeout` does not do: it begins when hyper *waits* for a head. At 10 s it would also close
//! idle kept-alive connections after 10 s, and at 75 s it would give a client that drips bytes 75 s. hyper has no
//! limit for writes.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::{
    Limits,
    connection_state::{ConnectionState, Phase},
    deadline::Deadline,
    large_heads::{LargeHead, LargeHeads},
};

/// How much of an unread request body is discarded while the client reads its answer. A client that writes all
/// before it reads needs this; beyond it, the kernel's flow control stops the client.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Socket {
    stream: TcpStream,
    state: Arc<ConnectionState>,
    head_timeout: Duration,
    idle_timeout: Duration,
    write_stall: Duration,
    linger: Duration,
    large_head: usize,
    large_heads: LargeHeads,
    /// The place of a large head.
    place: Option<LargeHead>,
    /// Bytes of the head that is arriving, and maybe of what comes after it.
    head_bytes: usize,
    reading: Deadline,
    writing: Deadline,
    least_taken: usize,
    /// The client is behind: the kernel has refused more bytes.
    behind: Option<Behind>,
    lingering: Option<Linger>,
    /// hyper has answered a head by itself; none of that went out.
    withheld: bool,
}

/// What a client that is behind takes.
struct Behind {
    since: Instant,
    taken: usize,
}

/// A close that waits for the client.
struct Linger {
    until: Instant,
    bytes: usize,
}

impl Socket {
    pub(super) fn new(
        stream: TcpStream,
        state: Arc<ConnectionState>,
        limits: &Limits,
        large_heads: LargeHeads,
    ) -> Self {
        Self {
            stream,
            state,
            head_timeout: limits.head_timeout,
            idle_timeout: limits.idle_timeout,
            write_stall: limits.write_stall,
            linger: limits.linger,
            large_head: limits.large_head,
            large_heads,
            place: None,
            head_bytes: 0,
            reading: Deadline::default(),
            writing: Deadline::default(),
            least_taken: limits.least_taken,
            behind: None,
            lingering: None,
            withheld: false,
        }
    }

    /// Makes the socket write again after an answer was withheld. Returns whether one was.
    pub(super) fn resume(&mut self) -> bool {
        self.state.refusal_began();
        std::mem::take(&mut self.withheld)
    }

    /// Whether bytes that hyper writes are to be withheld.
    fn withholds(&mut self) -> bool {
        self.withheld |= !self.state.is_answering();
        self.withheld
    }

    /// Whether the head that is arriving may go on. One that is large needs a place, and has it until the connection ends.
    fn may_read(&mut self) -> bool {
        match self.state.phase() {
            // hyper wants more of it.
            Phase::Head(_) if self.head_bytes >= self.large_head && self.place.is_none() => {
                self.place = self.large_heads.take();
                match self.place {
                    Some(_) => self.state.head_is_large(),
                    None => self.state.head_has_no_place(),
                }
                self.place.is_some()
            }
            Phase::Head(_) => true,
            Phase::Fresh(_) | Phase::Busy | Phase::Idle(_) | Phase::Closing => {
                self.head_bytes = 0;
                true
            }
        }
    }

    /// When the current read times out. This depends on what the connection is doing.
    fn read_deadline(&self) -> Option<Instant> {
        match self.state.phase() {
            Phase::Fresh(since) | Phase::Head(since) => Some(since + self.head_timeout),
            Phase::Idle(since) => Some(since + self.idle_timeout),
            // The endpoint limits the time of a body: only it knows whether it wants one.
            Phase::Busy | Phase::Closing => None,
        }
    }

    /// Passes on the result of a write, or an error when the client has taken too little for too long.
    fn watch_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            if let (Some(behind), Ok(bytes)) = (&mut self.behind, result) {
                behind.taken += bytes;
            }
            self.state.bytes_went();
            return written;
        }
        loop {
            let behind = self.behind.get_or_insert_with(|| Behind {
                since: Instant::now(),
                taken: 0,
            });
            ready!(self.writing.poll_at(cx, behind.since + self.write_stall));
            // A client that takes a byte now and then would keep an answer in memory for hours.
            if behind.taken < self.least_taken {
                return Poll::Ready(Err(timed_out("write stalled")));
            }
            self.behind = None;
        }
    }

    /// Reads and discards what the client still sends, until it closes or a limit is reached.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = Instant::now() + self.linger;
        let linger = self.lingering.get_or_insert(Linger {
            until,
            bytes: LINGER_BYTES,
        });
        while linger.bytes > 0 {
            let mut scratch = [0; 16 * 1024];
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    linger.bytes = linger.bytes.saturating_sub(buf.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        self.reading.poll_at(cx, linger.until)
    }
}

fn timed_out(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.may_read() {
            return Poll::Ready(Err(io::Error::other("too many large heads")));
        }
        let before = buf.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            let bytes = buf.filled().len() - before;
            if bytes > 0 {
                this.head_bytes += bytes;
                this.state.bytes_came();
            }
            // Checked after a successful read as well: a client that drips bytes is ready at every poll, and would
            // never reach the deadline below.
            return match this.read_deadline() {
                Some(deadline) if Instant::now() >= deadline => {
                    Poll::Ready(Err(timed_out("head too slow")))
                }
                _ => Poll::Ready(read),
            };
        }
        match this.read_deadline() {
            Some(deadline) => this
                .reading
                .poll_at(cx, deadline)
                .map(|()| Err(timed_out("no whole head in time"))),
            None => Poll::Pending,
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.withholds() {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watch_write(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.withholds() {
            return Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()));
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.watch_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A TCP stream has no buffer of its own. hyper flushes when its own buffer is empty.
        self.behind = None;
        self.state.flushed();
        Poll::Ready(Ok(()))
    }

    /// Ends the answer, then lingers if some of the request is unread: closing a socket that holds
    /// unread bytes, or that gets some later, sends a reset, and that destroys the answer on its
    /// way to the client (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.withheld {
            return Poll::Ready(Ok(()));
        }
        if this.lingering.is_none() {
            this.state.closing();
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        if this.state.has_unread() {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
