//! A user whose token was verified.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::task::JoinError;
use tracing::{Instrument as _, Span};

use super::{
    Access, Authenticator, Caller, Price, RateLimit, bill::Bill, challenge::insufficient_scope,
    price::FURTHER_PAGE, quota::Quotas,
};
use crate::{
    auth::{Identity, Scopes},
    contract::{Problem, ProblemCode, crowded},
    in_flight::{Crowded, Kind, MAX_STREAMS, Place, StreamPlace, Turn},
    telemetry::Budget,
};

/// Why an answer does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// The user has had too much in flight for too long.
    Crowded,
    /// The token was revoked.
    Revoked,
    /// Whether it was cannot be read now.
    Unknown,
    /// The token has expired.
    Expired,
}

/// A user whose token was verified, for whatever the token allows.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    authenticator: Arc<Authenticator>,
    identity: Arc<Identity>,
    place: Option<Arc<Place>>,
    /// `None`: nothing is counted.
    bill: Option<Arc<Bill>>,
}

impl Authenticated {
    pub(super) fn new(
        authenticator: &Arc<Authenticator>,
        identity: Arc<Identity>,
        place: Option<Arc<Place>>,
    ) -> Self {
        Self {
            bill: Bill::of(authenticator),
            authenticator: authenticator.clone(),
            identity,
            place,
        }
    }

    /// Who was authenticated.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many requests the user may send.
    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.authenticator.quotas.as_ref().map(Quotas::limit)
    }

    /// The sender, for an operation that needs `A`.
    ///
    /// # Errors
    /// 403 if the token's scopes do not allow it.
    pub(crate) fn caller<A: Access>(&self) -> Result<Caller<A>, Problem> {
        if let Some(missing) = missing(A::SCOPES, self.identity.scopes) {
            return Err(insufficient_scope(missing));
        }
        let user = self.identity.user_id.clone();
        let scope = self.authenticator.database.scope(user);
        Ok(Caller {
            authenticated: self.clone(),
            scope: match &self.bill {
                Some(bill) => scope.metered(bill.clone()),
                None => scope,
            },
        })
    }

    /// Waits for the turn of a request. Meanwhile others of its user may have turned out to cost more than the rate limit
    /// has room for.
    ///
    /// # Errors
    /// 429 if the user has too much in flight for too long, or is over the rate limit by then.
    async fn turn(&self, price: Price) -> Result<Turn, Problem> {
        let Some(place) = &self.place else {
            return Ok(Turn::default());
        };
        let turn = place.turn(price.reads).await.map_err(crowded)?;
        if let Some(quotas) = &self.authenticator.quotas {
            let checked = quotas.check(&self.identity.user_id);
            checked.inspect_err(|_| self.authenticator.refused(Budget::UserRate))?;
        }
        Ok(turn)
    }

    /// Waits for a turn, charges the price, and does what needs the turn. It has the turn until that is done, also if the
    /// client goes away before: the database goes on with its statement.
    ///
    /// # Errors
    /// 429 if the user has too much in flight for too long, or is over the rate limit by then.
    pub(crate) fn in_turn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        price: Price,
        work: F,
    ) -> impl Future<Output = Result<T, Problem>> + Send + use<'_, T, F> {
        // It is large, and would be copied from future to future. As a parameter of an async function it would be a part of
        // that function's future, boxed or not.
        let work = Box::pin(work);
        async move {
            if price.reads == Kind::Tasks {
                return Ok(work.await);
            }
            let turn = self.turn(price).await?;
            if let Some(quotas) = &self.authenticator.quotas {
                quotas.owe(&self.identity.user_id, price.after_the_first());
            }
            to_its_end(turn, work)
                .await
                .map_err(|_| Problem::internal())
        }
    }

    /// Reads a further page in the middle of an answer when it is the user's turn, to its end, also if the client goes away
    /// before.
    ///
    /// # Errors
    /// [`NoTurn`], and then nothing was done.
    pub(crate) fn in_next_turn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        work: F,
    ) -> impl Future<Output = Result<T, NoTurn>> + Send + use<'_, T, F> {
        let work = Box::pin(work);
        async move {
            let turn = match &self.place {
                Some(place) => {
                    let turn = place.next_turn(Kind::Page).await;
                    turn.map_err(|_| NoTurn::Crowded)?
                }
                None => Turn::default(),
            };
            // An answer may take longer than a token is good, or than it takes to revoke it.
            if self.authenticator.verifier.has_expired(&self.identity) {
                return Err(NoTurn::Expired);
            }
            let revocations = self.authenticator.database.revocations();
            match revocations.check(&self.identity).await {
                Ok(None) => {}
                Ok(Some(_)) => return Err(NoTurn::Revoked),
                Err(error) => {
                    tracing::debug!(%error, "the revoked tokens could not be read");
                    return Err(NoTurn::Unknown);
                }
            }
            if let Some(quotas) = &self.authenticator.quotas {
                quotas.owe(&self.identity.user_id, FURTHER_PAGE);
            }
            to_its_end(turn, work).await.map_err(|_| NoTurn::Crowded)
        }
    }

    /// Waits until the token is known to be revoked. May be dropped before.
    pub(super) async fn revoked(&self) {
        let revocations = self.authenticator.database.revocations();
        revocations.revoked(&self.identity).await;
    }

    /// Takes a place among the streams of the user.
    ///
    /// # Errors
    /// 429 if the user has as many as one may have.
    pub(crate) fn stream(&self) -> Result<StreamPlace, Problem> {
        match &self.place {
            Some(place) => place.stream().map_err(too_many_streams),
            None => Ok(StreamPlace::default()),
        }
    }

    /// For how long the token is still good.
    pub(super) fn time_left(&self) -> Duration {
        self.authenticator.verifier.time_left(&self.identity)
    }

    /// Waits until the rate limit has room for all that was read for the user.
    pub(super) async fn paid(&self) {
        if let Some(quotas) = &self.authenticator.quotas {
            quotas.paid(&self.identity.user_id).await;
        }
    }
}

/// Does what has a turn in a task of its own, which nobody drops.
async fn to_its_end<T: Send + 'static>(
    turn: Turn,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let work = async move {
        let _turn = turn;
        work.await
    };
    tokio::spawn(work.instrument(Span::current())).await
}

fn too_many_streams(_: Crowded) -> Problem {
    let detail = format!(
        "You have {MAX_STREAMS} event streams open, which is the limit. Close one, then retry in 15 s."
    );
    Problem::new(ProblemCode::TooManyStreams, detail).retry_after(15)
}

/// The scopes that are needed and not granted, as they are written in a token; `None` if there are none.
fn missing(needed: Scopes, granted: Scopes) -> Option<&'static str> {
    match (needed.read && !granted.read, needed.write && !granted.write) {
        (false, false) => None,
        (true, false) => Some("tasks:read"),
        (false, true) => Some("tasks:write"),
        (true, true) => Some("tasks:read tasks:write"),
    }
}
