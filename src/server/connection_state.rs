//! The state of one connection, shared by its parts and the accept loop.

use std::{
    future::poll_fn,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

/// What a connection is doing, as seen from its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Accepted at this time; not a byte of a request yet.
    Fresh(Instant),
    /// The first byte of a head came at this time, its end has not.
    Head(Instant),
    /// A request is with the endpoint, or its answer is being made.
    Busy,
    /// Between two requests since this time.
    Idle(Instant),
    /// The last answer is out.
    Closing,
}

/// The state of one connection.
pub(super) struct ConnectionState {
    /// Only the connection's own task writes it; the lock is there because the accept loop reads it.
    phase: Mutex<Phase>,
    /// A request is with the endpoint, or not all of its answer is out.
    answering: AtomicBool,
    /// The client may still be sending a body, or a head, that nobody will read.
    unread: AtomicBool,
    /// The answer is a stream of events, which has no end of its own.
    streaming: AtomicBool,
    /// The head of a request was large. It is the last one of its connection.
    large_head: AtomicBool,
    /// There was no place for a large head.
    crowded: AtomicBool,
    /// The accept loop asked for this connection's slot.
    wanted: AtomicBool,
    /// The server is stopping.
    stopping: AtomicBool,
    /// Wakes the connection to read these two. A `Notify` or a shared channel would take a lock at each poll.
    waker: AtomicWaker,
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            phase: Mutex::new(Phase::Fresh(Instant::now())),
            answering: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            streaming: AtomicBool::new(false),
            large_head: AtomicBool::new(false),
            crowded: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        // A `Copy` value is intact even if its holder panicked.
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        *self.lock()
    }

    /// A whole head has been read.
    pub(super) fn request_began(&self, has_body: bool) {
        *self.lock() = Phase::Busy;
        self.answering.store(true, Ordering::Relaxed);
        self.unread.store(has_body, Ordering::Relaxed);
        self.streaming.store(false, Ordering::Relaxed);
    }

    /// The answer is a stream of events.
    pub(super) fn stream_began(&self) {
        self.streaming.store(true, Ordering::Relaxed);
    }

    /// Whether the last answer is a stream of events.
    pub(super) fn is_streaming(&self) -> bool {
        self.streaming.load(Ordering::Relaxed)
    }

    /// The answer's last byte has been handed to hyper (it may still be on its way out).
    pub(super) fn answer_ended(&self) {
        *self.lock() = Phase::Idle(Instant::now());
    }

    /// hyper has no more bytes to write for now.
    pub(super) fn flushed(&self) {
        if self.is_answering() && self.phase() != Phase::Busy {
            self.answering.store(false, Ordering::Relaxed);
        }
    }

    /// Whether what hyper writes belongs to an answer of the endpoint.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }

    /// The endpoint answers a head that hyper has refused. What the client sends after it is not read.
    pub(super) fn refusal_began(&self) {
        self.answering.store(true, Ordering::Relaxed);
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Bytes came in.
    pub(super) fn bytes_came(&self) {
        let mut phase = self.lock();
        match *phase {
            // The time limit of the first head runs from when the connection was accepted.
            Phase::Fresh(since) => *phase = Phase::Head(since),
            Phase::Idle(_) => *phase = Phase::Head(Instant::now()),
            Phase::Head(_) | Phase::Busy | Phase::Closing => {}
        }
    }

    /// Bytes went out: the rest of an answer that hyper still held, if this looks idle.
    pub(super) fn bytes_went(&self) {
        if let Phase::Idle(since) = &mut *self.lock() {
            *since = Instant::now();
        }
    }

    /// No more requests will be read. A head that was refused before its end counts as unread.
    pub(super) fn closing(&self) {
        let mut phase = self.lock();
        if matches!(*phase, Phase::Fresh(_) | Phase::Head(_)) {
            self.unread.store(true, Ordering::Relaxed);
        }
        *phase = Phase::Closing;
    }

    pub(super) fn body_ended(&self) {
        self.unread.store(false, Ordering::Relaxed);
    }

    pub(super) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    /// The head that is arriving is large.
    pub(super) fn head_is_large(&self) {
        self.large_head.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_large_head(&self) -> bool {
        self.large_head.load(Ordering::Relaxed)
    }

    /// There is no place for the large head that is arriving.
    pub(super) fn head_has_no_place(&self) {
        self.crowded.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Since when the connection has been idle between two requests, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        match self.phase() {
            Phase::Idle(since) => Some(since),
            _ => None,
        }
    }

    /// Asks the connection to close if it is idle.
    pub(super) fn ask_to_close(&self) {
        self.wanted.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Asks the connection to finish what it is doing, and close.
    pub(super) fn ask_to_stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Resolves when the connection should close: the server stops, or the connection is idle and its slot is
    /// wanted.
    pub(super) async fn asked(&self) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            // A busy connection ignores the request for its slot; a full server asks again.
            let wanted =
                self.wanted.load(Ordering::Acquire) && self.wanted.swap(false, Ordering::AcqRel);
            if self.is_stopping() || wanted && self.idle_since().is_some() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// Resolves when no head is on its way. To be awaited beside the connection itself, in one
    /// task: it has no waker of its own, and the phase changes only when the connection is polled.
    pub(super) async fn no_head_due(&self) {
        poll_fn(|_| match self.phase() {
            Phase::Fresh(_) | Phase::Head(_) => Poll::Pending,
            Phase::Busy | Phase::Idle(_) | Phase::Closing => Poll::Ready(()),
        })
        .await;
    }
}
