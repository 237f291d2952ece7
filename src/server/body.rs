//! Bodies that tell their connection when they end.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use super::connection_state::ConnectionState;

/// How many bytes of an unwanted request body are read, so that an early answer (a 401, say) to a small request
/// does not close the connection.
const SMALL: u64 = 64 * 1024;
/// How long reading them may delay the answer.
const SMALL_TIME: Duration = Duration::from_millis(250);

/// Where a request body goes when its reader drops it before its end.
#[derive(Clone, Default)]
pub(super) struct LeftOver(Arc<Mutex<Option<Incoming>>>);

impl LeftOver {
    /// Reads the rest if it is small. Otherwise the connection cannot be used again.
    pub(super) async fn finish(&self, state: &ConnectionState) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = left else { return };
        if body.size_hint().lower() > SMALL {
            return;
        }
        let rest = async {
            let mut bytes = 0;
            while bytes <= SMALL {
                match body.frame().await {
                    Some(Ok(frame)) => {
                        bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                    }
                    Some(Err(_)) => break,
                    None => return state.body_ended(),
                }
            }
        };
        // A body that is too slow is treated as one that is too long.
        let _ = timeout(SMALL_TIME, rest).await;
    }
}

/// A request body that tells its connection when it has been read to the end.
pub(super) struct IncomingBody {
    inner: Option<Incoming>,
    state: Arc<ConnectionState>,
    left_over: LeftOver,
}

impl IncomingBody {
    pub(super) fn new(inner: Incoming, state: Arc<ConnectionState>, left_over: LeftOver) -> Self {
        Self {
            inner: Some(inner),
            state,
            left_over,
        }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *inner).poll_frame(cx));
        if frame.is_none() || inner.is_end_stream() {
            self.state.body_ended();
            self.inner = None;
        } else if matches!(frame, Some(Err(_))) {
            // hyper reads no further, though the client may still be sending.
            self.inner = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for IncomingBody {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            *self
                .left_over
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(inner);
        }
    }
}

/// An answer's body that tells its connection when hyper is done with it.
pub(super) struct AnswerBody<B> {
    inner: B,
    state: Arc<ConnectionState>,
}

impl<B> AnswerBody<B> {
    pub(super) fn new(inner: B, state: Arc<ConnectionState>) -> Self {
        Self { inner, state }
    }
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        self.state.answer_ended();
    }
}
