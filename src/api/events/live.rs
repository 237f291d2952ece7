//! A stream of changes: what is sent, and when it ends.
//!
//! It holds a place among the streams of its user, and neither a connection to the database nor a page: a page is read when
//! the client has taken the one before, and counts for its user until the client has taken it.

use std::{io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use poem::Body;
use rand::Rng as _;
use tokio::{
    select,
    time::{Instant, sleep, sleep_until},
};

use super::{
    super::{Stopping, changes::into_list},
    counted::CountedStream,
};
use crate::{
    access::{Caller, NoTurn, Price, StreamPlace, problem},
    contract::{CursorText, EndReason, PageLimit, Problem, Revision, StreamEnd, event},
    store::{FeedPage, FeedQuery, Read, StoreError, Watch},
};

/// How often something is sent, so that proxies keep the connection and a client notices that it is broken.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The first time sooner: a client that gets nothing then is behind a proxy that holds parts of an answer back.
const FIRST_HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a client may take nothing before its stream is ended.
const SLOW: Duration = Duration::from_secs(10);
/// When a page that could not be read is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Changes in one event, and so in memory at once. The largest have some 100 kB each.
const AT_ONCE: i64 = 25;

/// A stream that is open.
pub(super) struct Live {
    caller: Caller<Read>,
    _place: StreamPlace,
    watch: Watch,
    stopping: Stopping,
    counted: CountedStream,
    /// What is not sent yet of what was read.
    ready: Option<Bytes>,
    /// The next page.
    query: FeedQuery,
    /// When it is to be read, if there must be one; otherwise when something is committed.
    due: Option<Instant>,
    /// Up to which revision all is sent.
    sent: i64,
    /// How long nothing is sent before the next heartbeat.
    heartbeat: Duration,
    /// When the last part was given to the connection.
    given: Instant,
    has_ended: bool,
}

/// What comes first.
enum Woken {
    Changes,
    Heartbeat,
}

impl Live {
    /// Reads the first page, so that what is wrong with the request is the answer to it.
    pub(super) async fn begin(
        caller: Caller<Read>,
        place: StreamPlace,
        watch: Watch,
        stopping: Stopping,
        counted: CountedStream,
        since: i64,
    ) -> Result<Self, Problem> {
        let mut live = Self {
            caller,
            _place: place,
            watch,
            stopping,
            counted,
            ready: None,
            query: FeedQuery::Since(since),
            due: None,
            sent: since,
            heartbeat: FIRST_HEARTBEAT,
            given: Instant::now(),
            has_ended: false,
        };
        let first = live.caller.in_turn(Price::PAGE, live.page()).await?;
        let mut text = retry().into_bytes();
        text.extend_from_slice(&live.write(first.map_err(problem)?).map_err(problem)?);
        live.ready = Some(text.into());
        Ok(live)
    }

    pub(super) fn into_body(mut self) -> Body {
        self.given = Instant::now();
        // A connection is not worth an error: what the stream has to tell, it tells by its last event.
        let parts = stream::unfold(self, |live| async {
            let next = Box::pin(live.next()).await;
            next.map(|(part, live)| (Ok::<_, io::Error>(part), live))
        });
        Body::from_bytes_stream(parts)
    }

    /// The next part, once the connection wants it.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.has_ended {
            return None;
        }
        let part = match self.ready.take() {
            Some(ready) => ready,
            // The connection asks again when it has room. The time in between is that of the client.
            None if self.given.elapsed() > SLOW => self.end(EndReason::SlowReader),
            None => self.wait().await,
        };
        self.given = Instant::now();
        Some((part, self))
    }

    /// Waits for what is to be sent, or for the end.
    async fn wait(&mut self) -> Bytes {
        let left = self.caller.time_left();
        if left.is_zero() {
            return self.end(EndReason::TokenExpired);
        }
        let (stopping, revoked) = (self.stopping.clone(), self.caller.revoked());
        let reason = select! {
            biased;
            () = stopping.closing() => EndReason::Shutdown,
            () = sleep(left) => EndReason::TokenExpired,
            () = revoked => EndReason::TokenRevoked,
            part = self.part() => match part {
                Ok(part) => return part,
                Err(reason) => reason,
            },
        };
        self.end(reason)
    }

    /// Waits for what is to be sent. May be dropped before.
    async fn part(&mut self) -> Result<Bytes, EndReason> {
        let heartbeat = Instant::now() + std::mem::replace(&mut self.heartbeat, HEARTBEAT);
        loop {
            if let Woken::Heartbeat = self.woken(heartbeat).await {
                return Ok(Bytes::from_static(b": still there\n\n"));
            }
            match self.read_in_turn().await {
                Ok(event) => return Ok(event.into()),
                Err(Some(reason)) => return Err(reason),
                Err(None) => self.due = Some(Instant::now() + RETRY),
            }
        }
    }

    async fn woken(&mut self, heartbeat: Instant) -> Woken {
        let (watch, sent, due, caller) = (&mut self.watch, self.sent, self.due, &self.caller);
        let changes = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => watch.beyond(sent).await,
            }
            // What others of the user's requests have read counts first.
            caller.paid().await;
        };
        select! {
            biased;
            () = changes => Woken::Changes,
            () = sleep_until(heartbeat) => Woken::Heartbeat,
        }
    }

    /// Reads the next page when it is the user's turn. Otherwise it says why the stream ends, or nothing if it is to be tried
    /// again.
    async fn read_in_turn(&mut self) -> Result<Vec<u8>, Option<EndReason>> {
        // The turn waits until the user's clients have taken what they were sent.
        let page = self.caller.in_next_turn(self.page()).await;
        let page = page.map_err(|no_turn| match no_turn {
            NoTurn::Crowded => Some(EndReason::SlowReader),
            NoTurn::Revoked => Some(EndReason::TokenRevoked),
            NoTurn::Expired => Some(EndReason::TokenExpired),
            NoTurn::Unknown => None,
        })?;
        page.and_then(|page| self.write(page))
            .map_err(|error| match error {
                StoreError::Unavailable(_) => None,
                StoreError::ResyncRequired(_) => Some(EndReason::ResyncRequired),
                error => {
                    tracing::error!(%error, "a stream failed");
                    Some(EndReason::InternalError)
                }
            })
    }

    /// The next page.
    fn page(&self) -> impl Future<Output = Result<FeedPage, StoreError>> + use<> {
        let limit = PageLimit::new(AT_ONCE).unwrap_or(PageLimit::DEFAULT);
        let (feed, query) = (self.caller.scope().changes(), self.query.clone());
        async move { feed.page(&query, limit).await }
    }

    /// Writes a page as an event, after which the next one comes.
    fn write(&mut self, page: FeedPage) -> Result<Vec<u8>, StoreError> {
        let FeedPage { place, next, .. } = page;
        let cursor = page.cursor.as_ref();
        let cursor = cursor.map(|cursor| CursorText::stored(cursor.clone()));
        let written = event("changes", Some(Revision::of(place)), &into_list(page));
        let written = written.map_err(|error| StoreError::Internal(error.to_string()))?;
        self.counted.event();
        self.sent = place;
        self.due = cursor.as_ref().map(|_| Instant::now());
        self.query = cursor.map_or(FeedQuery::Since(next), FeedQuery::After);
        Ok(written)
    }

    fn end(&mut self, reason: EndReason) -> Bytes {
        self.has_ended = true;
        self.counted.end(reason);
        tracing::debug!(?reason, "a stream ends");
        let written = event("end", None, &StreamEnd::of(reason));
        written.unwrap_or_default().into()
    }
}

/// In how many milliseconds a client that knows no better is to connect again. Not all at once, after a restart.
fn retry() -> String {
    format!("retry: {}\n\n", rand::rng().random_range(1_000..3_000))
}
