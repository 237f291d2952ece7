//! The place of one request among those of its user.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, OnceLock},
};

use futures_util::FutureExt as _;
use hyper::body::Body;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};

use super::{
    Held, HeldBody, InFlight, Kind, MAX_USER_BYTES, NEXT_PATIENCE, PATIENCE, SMALL, StreamPlace,
    Turn, User,
};
use crate::telemetry::Budget;

/// The user has had too much in flight for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowded;

/// The place of one request among those of its user. It stays empty for a request without a user.
#[derive(Debug)]
pub struct Place {
    in_flight: Arc<InFlight>,
    /// Until when the request waits.
    until: Instant,
    taken: OnceLock<Taken>,
}

#[derive(Debug)]
struct Taken {
    user: Arc<User>,
    _request: Option<OwnedSemaphorePermit>,
}

impl Place {
    pub(super) fn new(in_flight: Arc<InFlight>) -> Self {
        Self {
            in_flight,
            until: Instant::now() + PATIENCE,
            taken: OnceLock::new(),
        }
    }

    /// Takes the place for a user. Waits while the user has too much in flight.
    ///
    /// # Errors
    /// If that lasts.
    pub async fn take(&self, name: &str) -> Result<(), Crowded> {
        let user = self.in_flight.user(name);
        let request = self
            .waited(self.until, async {
                let request = user.turns.request().await;
                user.held.has_room(&self.in_flight.total, 0).await;
                request
            })
            .await?;
        // A request has one user: the first, who is the only one.
        let _ = self.taken.set(Taken {
            user,
            _request: request,
        });
        Ok(())
    }

    /// Whether the request has a user.
    pub fn is_taken(&self) -> bool {
        self.taken.get().is_some()
    }

    /// Waits for a turn to read, and for room for what is read.
    ///
    /// # Errors
    /// If the user has too much in flight for too long.
    pub async fn turn(&self, kind: Kind) -> Result<Turn, Crowded> {
        self.turn_until(kind, self.until).await
    }

    /// The same in the middle of an answer. The client that the turn waits for may be this one: it is given the time
    /// after which a client that takes nothing is cut.
    ///
    /// # Errors
    /// If the user has too much in flight for too long.
    pub async fn next_turn(&self, kind: Kind) -> Result<Turn, Crowded> {
        self.turn_until(kind, Instant::now() + NEXT_PATIENCE).await
    }

    /// Takes a place among the streams of the user. Nobody waits for one, since streams do not end by themselves.
    ///
    /// # Errors
    /// If the user has as many as one may have.
    pub fn stream(&self) -> Result<StreamPlace, Crowded> {
        match self.taken.get() {
            Some(taken) => {
                let place = taken.user.turns.stream();
                place.ok_or_else(|| self.refused(Budget::Streams))
            }
            None => Ok(StreamPlace::default()),
        }
    }

    async fn turn_until(&self, kind: Kind, until: Instant) -> Result<Turn, Crowded> {
        let (Some(taken), false) = (self.taken.get(), kind == Kind::Tasks) else {
            return Ok(Turn::default());
        };
        let held = &taken.user.held;
        self.waited(until, async {
            let turn = taken.user.turns.of(kind).await;
            held.has_room(&self.in_flight.total, held.expected()).await;
            turn
        })
        .await
    }

    /// Waits for room for a body of so many bytes, which then counts. A small one does not.
    ///
    /// # Errors
    /// If the user has too much in flight for too long.
    pub async fn body(&self, bytes: usize) -> Result<Option<Held>, Crowded> {
        let Some(taken) = self.taken.get().filter(|_| bytes > SMALL) else {
            return Ok(None);
        };
        let (user, total) = (&taken.user, &self.in_flight.total);
        let room = user.held.has_room(total, bytes.min(MAX_USER_BYTES));
        self.waited(self.until, room).await?;
        Ok(Some(Held::new(user, total, bytes)))
    }

    /// Counts the body of the answer until the client has taken it. Returns it as it is if it is small.
    ///
    /// # Errors
    /// The body, if it does not count.
    pub fn answer<B: Body>(&self, body: B) -> Result<HeldBody<B>, B> {
        match self.taken.get() {
            Some(taken) => HeldBody::new(body, &taken.user, &self.in_flight.total),
            None => Err(body),
        }
    }

    /// Waits for a turn, at most until then.
    async fn waited<T>(&self, until: Instant, turn: impl Future<Output = T>) -> Result<T, Crowded> {
        // Most do not wait at all, and set no timer.
        let mut turn = pin!(turn);
        if let Some(ready) = turn.as_mut().now_or_never() {
            return Ok(ready);
        }
        let waited = timeout_at(until, turn).await;
        waited.map_err(|_| self.refused(Budget::InFlight))
    }

    fn refused(&self, budget: Budget) -> Crowded {
        self.in_flight.budgets.refusals.of(budget).increment();
        Crowded
    }
}
