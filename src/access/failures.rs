//! How often an address may send tokens that are not accepted. Each costs a check of a signature, and its sender cannot be
//! told by the token.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{
    RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};

use super::RateLimit;
use crate::contract::{Problem, ProblemCode};

type Limiter = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, DefaultClock>;

/// The budget of each address.
pub(super) struct Failures {
    limiter: Limiter,
    limit: RateLimit,
    /// The addresses that are over it, and until when.
    over: Mutex<HashMap<IpAddr, Instant>>,
}

impl Failures {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limiter: RateLimiter::keyed(limit.quota()),
            limit,
            over: Mutex::default(),
        }
    }

    /// To be asked before a token is verified that is not known.
    ///
    /// # Errors
    /// 429 for an address that is over its budget.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Problem> {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = over
            .get(&address)
            .and_then(|until| until.checked_duration_since(Instant::now()))
        else {
            return Ok(());
        };
        let seconds = left.as_secs() + 1;
        let detail = format!(
            "Too many requests with tokens that are not accepted have come from your address. Retry in {seconds} s."
        );
        let problem = Problem::new(ProblemCode::RateLimited, detail);
        Err(self.limit.over("address", problem, seconds))
    }

    /// Counts a token that was not accepted.
    pub(super) fn count(&self, address: IpAddr) {
        let Err(until) = self.limiter.check_key(&address) else {
            return;
        };
        let wait: Duration = until.wait_time_from(DefaultClock::default().now());
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.insert(address, Instant::now() + wait);
    }

    /// Forgets the addresses whose budget is fully refilled.
    pub(super) fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        let now = Instant::now();
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.retain(|_, until| *until > now);
        over.shrink_to_fit();
    }
}
