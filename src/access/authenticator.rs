//! From a request to the user who sent it.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use poem::{
    Request,
    http::{HeaderValue, header},
};
use tracing::{Level, Span};

use super::{
    Authenticated, RateLimit, TrustedProxies, challenge::refused, failures::Failures, price,
    quota::Quotas, store_problem::problem,
};
use crate::{
    auth::{Identity, TokenFault, UserId, Verifier},
    contract::{Problem, crowded},
    in_flight::Place,
    store::Database,
    telemetry::{Budget, BudgetInstruments},
};

/// Verifies the token of a request, and counts the request against the rate limit of its user.
pub struct Authenticator {
    pub(super) verifier: Verifier,
    pub(super) database: Database,
    pub(super) quotas: Option<Quotas>,
    proxies: TrustedProxies,
    failures: Option<Failures>,
    budgets: Arc<BudgetInstruments>,
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
    /// An authenticator for the tasks in `database` and the tokens that `verifier` accepts. What it refuses because of a limit is
    /// counted.
    pub fn new(
        verifier: Verifier,
        database: Database,
        limits: &AccessLimits,
        budgets: &Arc<BudgetInstruments>,
    ) -> Self {
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
            budgets: budgets.clone(),
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
    /// been fetched, or if it cannot be read whether the token was revoked.
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
        self.check_revoked(&identity).await?;
        if let Some(quotas) = &self.quotas {
            let requests = price::of_request(request.headers());
            let counted = quotas.count(&identity.user_id, requests);
            counted.inspect_err(|_| self.refused(Budget::UserRate))?;
        }
        let place: Option<&Arc<Place>> = request.data();
        if let Some(place) = place {
            let taken = place.take(identity.user_id.as_str()).await;
            taken.map_err(crowded)?;
        }
        Ok(Authenticated::new(self, identity, place.cloned()))
    }

    /// Refuses a token that was revoked, also one that was verified before.
    async fn check_revoked(&self, identity: &Identity) -> Result<(), Problem> {
        let revoked = self.database.revocations().check(identity).await;
        match (revoked.map_err(problem)?, identity.issued_at) {
            (None, _) => Ok(()),
            (Some(at), Some(_)) => Err(refused(&TokenFault::Revoked(at))),
            (Some(_), None) => Err(refused(&TokenFault::RevokedWithoutTime)),
        }
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
            let checked = failures.check(address);
            checked.inspect_err(|_| self.refused(Budget::AddressRate))?;
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

    /// Counts a request that is refused because a budget is spent.
    pub(super) fn refused(&self, budget: Budget) {
        self.budgets.refusals.of(budget).increment();
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
