//! From a request to the user who sent it.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use poem::{
    Request,
    http::{HeaderValue, header},
};
use tracing::{Level, Span};

use super::{
    Access, Caller, Price, RateLimit, TrustedProxies,
    challenge::{insufficient_scope, refused},
    failures::Failures,
    price,
    quota::Quotas,
};
use crate::{
    auth::{Identity, Scopes, TokenFault, UserId, Verifier},
    contract::{Problem, ProblemCode, crowded},
    in_flight::{Crowded, MAX_STREAMS, Place, StreamPlace, Turn},
    store::{Database, Work},
};

/// Verifies the token of a request, and counts the request against the rate limit of its user.
pub struct Authenticator {
    verifier: Verifier,
    database: Database,
    quotas: Option<Quotas>,
    proxies: TrustedProxies,
    failures: Option<Failures>,
    /// Made anew by each process, so that the names of users in its log lead to nobody.
    log_key: RandomState,
}

/// What bounds the requests that are authenticated.
#[derive(Debug, Clone, Default)]
pub struct AccessLimits {
    /// The rate limit of a user; `None`: no limit.
    pub rate_limit: Option<RateLimit>,
    /// How many tokens that are not accepted an address may send; `None`: no limit.
    pub failures: Option<RateLimit>,
    /// The proxies whose word on the address of a client counts.
    pub proxies: TrustedProxies,
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}

impl Authenticator {
    /// An authenticator for the tasks in `database` and the tokens that `verifier` accepts.
    pub fn new(verifier: Verifier, database: Database, limits: &AccessLimits) -> Self {
        let AccessLimits {
            rate_limit,
            failures,
            proxies,
        } = limits;
        Self {
            verifier,
            database,
            quotas: rate_limit.map(Quotas::new),
            proxies: proxies.clone(),
            failures: failures.map(Failures::new),
            log_key: RandomState::new(),
        }
    }

    /// Forgets the users and addresses whose limit is fully refilled. To be called now and then.
    pub fn forget_idle(&self) {
        if let Some(failures) = &self.failures {
            failures.forget();
        }
        if let Some(quotas) = &self.quotas {
            quotas.forget();
        }
    }

    /// Verifies the token of a request, and counts the request.
    ///
    /// # Errors
    /// 401; 429 over quota, or if the user has too much in flight for too long; 503 while the keys for the token have not
    /// been fetched.
    pub(crate) async fn authenticate(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Authenticated, Problem> {
        let mut headers = request.headers().get_all(header::AUTHORIZATION).iter();
        let header = headers.next().map(HeaderValue::as_bytes);
        if headers.next().is_some() {
            let fault =
                TokenFault::AuthorizationMalformed("the request has more than one; send one");
            return Err(refused(&fault));
        }
        let identity = match self.verifier.known(header) {
            Some(known) => known.map_err(|fault| refused(&fault))?,
            None => self.verify(request, header).await?,
        };
        self.name_in_log(&identity.user_id);
        if let Some(quotas) = &self.quotas {
            let requests = price::of_request(request.headers());
            quotas.count(&identity.user_id, requests, Duration::ZERO)?;
        }
        let place: Option<&Arc<Place>> = request.data();
        if let Some(place) = place {
            let taken = place.take(identity.user_id.as_str()).await;
            taken.map_err(crowded)?;
        }
        Ok(Authenticated {
            authenticator: Arc::clone(self),
            identity,
            place: place.cloned(),
        })
    }

    /// Verifies a token that is not known, unless too many of its address were not accepted.
    async fn verify(
        &self,
        request: &Request,
        header: Option<&[u8]>,
    ) -> Result<Arc<Identity>, Problem> {
        let failures = self.failures.as_ref().filter(|_| header.is_some());
        let failures = failures.zip(self.proxies.client(request));
        if let Some((failures, address)) = failures {
            failures.check(address)?;
        }
        let identity = self.verifier.verify_header(header).await;
        identity.map_err(|fault| {
            // Without the issuer's keys nothing is known of the token.
            let counts = fault != TokenFault::KeysUnavailable;
            if let Some((failures, address)) = failures.filter(|_| counts) {
                failures.count(address);
            }
            refused(&fault)
        })
    }

    /// Names the user in the lines of this request: the same for all requests to this process, and of no use to
    /// those who have the log alone.
    fn name_in_log(&self, user: &UserId) {
        if tracing::enabled!(Level::INFO) {
            let hash = self.log_key.hash_one(user.as_str());
            Span::current().record("user", format_args!("{hash:016x}"));
        }
    }
}

/// A user whose token was verified, for whatever the token allows.
#[derive(Debug, Clone)]
pub(crate) struct Authenticated {
    authenticator: Arc<Authenticator>,
    identity: Arc<Identity>,
    place: Option<Arc<Place>>,
}

impl Authenticated {
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
        Ok(Caller {
            authenticated: self.clone(),
            scope: self.authenticator.database.scope(user),
        })
    }

    /// Waits for the turn of a request.
    ///
    /// # Errors
    /// 429 if the user has too much in flight for too long.
    pub(crate) async fn turn(&self, price: Price) -> Result<Turn, Problem> {
        match &self.place {
            Some(place) => place.turn(price.reads).await.map_err(crowded),
            None => Ok(Turn::default()),
        }
    }

    /// Waits for a turn in the middle of an answer.
    pub(crate) async fn next_turn(&self, price: Price) -> Result<Turn, Crowded> {
        match &self.place {
            Some(place) => place.next_turn(price.reads).await,
            None => Ok(Turn::default()),
        }
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

    /// Charges the price of a request, of which one was counted with the token.
    ///
    /// # Errors
    /// 429.
    pub(crate) fn charge(&self, price: Price) -> Result<(), Problem> {
        let Some(quotas) = &self.authenticator.quotas else {
            return Ok(());
        };
        let RateLimit { per_second, burst } = quotas.limit();
        let rest = price.after_the_first().min(burst.get() - 1);
        let Some(rest) = NonZeroU32::new(rest) else {
            return Ok(());
        };
        // The retry is counted with its token as well.
        let one = Duration::from_secs(1) / per_second.get();
        quotas.count(&self.identity.user_id, rest, one)
    }

    /// Charges what was read for a part of a long answer, and waits until there is room for it.
    pub(super) async fn pay(&self, work: Work) {
        if let Some(quotas) = &self.authenticator.quotas
            && let Some(requests) = price::of_work(work)
        {
            quotas.pay(&self.identity.user_id, requests).await;
        }
    }

    /// Charges what was read for a request, when it is done.
    pub(crate) fn owe(&self, work: Work) {
        if let Some(quotas) = &self.authenticator.quotas
            && let Some(requests) = price::of_work(work)
        {
            quotas.owe(&self.identity.user_id, requests);
        }
    }
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
