//! The bytes that a user has in flight.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{sync::Notify, time::timeout};

use super::{MAX_BYTES, MAX_USER_BYTES, MIN_USER_BYTES, SMALL, User};

/// How often a user that waits looks whether others have given room back.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The bytes of one user.
#[derive(Debug, Default)]
pub(super) struct Count {
    bytes: AtomicUsize,
    /// Told when there are fewer.
    fewer: Notify,
    /// The most that one answer had.
    largest: AtomicUsize,
}

/// The bytes of all users.
#[derive(Debug, Default)]
pub(super) struct Total(AtomicUsize);

/// Bytes in flight, until this is dropped.
#[derive(Debug)]
#[must_use = "the bytes count until this is dropped"]
pub struct Held {
    user: Arc<User>,
    total: Arc<Total>,
    bytes: usize,
}

impl Count {
    /// Waits until the user may have so many bytes more, or nothing.
    pub(super) async fn has_room(&self, total: &Total, more: usize) {
        loop {
            let mut fewer = pin!(self.fewer.notified());
            fewer.as_mut().enable();
            let held = self.bytes.load(Ordering::Acquire);
            let limit = match total.0.load(Ordering::Relaxed) < MAX_BYTES {
                true => MAX_USER_BYTES,
                false => MIN_USER_BYTES,
            };
            if held == 0 || held + more <= limit {
                return;
            }
            // What others give back is told to none but them.
            let _ = timeout(LOOK_AGAIN, fewer).await;
        }
    }

    /// How many bytes an answer of many tasks must be expected to have.
    pub(super) fn expected(&self) -> usize {
        self.largest.load(Ordering::Relaxed)
    }
}

impl Held {
    pub(super) fn new(user: &Arc<User>, total: &Arc<Total>, bytes: usize) -> Self {
        user.held.bytes.fetch_add(bytes, Ordering::AcqRel);
        total.0.fetch_add(bytes, Ordering::Relaxed);
        Self {
            user: Arc::clone(user),
            total: Arc::clone(total),
            bytes,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.0.fetch_sub(self.bytes, Ordering::Relaxed);
        self.user.held.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        self.user.held.fewer.notify_waiters();
    }
}

/// Bytes that count until the last of them is written.
struct HeldBytes {
    bytes: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The body of an answer whose bytes count until the client has taken them.
pub struct HeldBody<B> {
    inner: B,
    user: Arc<User>,
    total: Arc<Total>,
}

impl<B: Body> HeldBody<B> {
    /// The body of an answer to a user; as it is if it is small.
    pub(super) fn new(inner: B, user: &Arc<User>, total: &Arc<Total>) -> Result<Self, B> {
        let length = inner.size_hint().exact();
        if length.is_some_and(|length| length <= SMALL as u64) {
            return Err(inner);
        }
        Ok(Self {
            inner,
            user: Arc::clone(user),
            total: Arc::clone(total),
        })
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for HeldBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        frame.map(|frame| {
            frame.map(|frame| frame.map(|frame| frame.map_data(|data| self.hold(data))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> HeldBody<B> {
    fn hold(&self, bytes: Bytes) -> Bytes {
        let length = bytes.len();
        self.user.held.largest.fetch_max(length, Ordering::Relaxed);
        if length <= SMALL {
            return bytes;
        }
        let held = Held::new(&self.user, &self.total, length);
        Bytes::from_owner(HeldBytes { bytes, _held: held })
    }
}
