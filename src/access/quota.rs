//! What a user may send: a number of requests, and what they turn out to cost.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use governor::{
    RateLimiter,
    clock::{Clock as _, DefaultClock},
    state::keyed::DefaultKeyedStateStore,
};
use tokio::time::sleep;

use super::RateLimit;
use crate::{
    auth::UserId,
    contract::{Problem, ProblemCode},
};

/// Counts the requests of each user.
///
/// What a read costs is known when it is done. It is counted then, and what there is no room for is owed: it counts with the
/// next request. So nothing that was read is refused, and nothing is read for nothing.
pub(super) struct Quotas {
    limit: RateLimit,
    limiter: RateLimiter<UserId, DefaultKeyedStateStore<UserId>, DefaultClock>,
    owed: Mutex<HashMap<UserId, Owed>>,
    /// How many users owe something. Nearly always nobody does, and then nobody waits for the lock.
    owing: AtomicUsize,
}

#[derive(Debug, Clone, Copy)]
struct Owed {
    requests: u32,
    since: Instant,
}

impl Quotas {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            limiter: RateLimiter::keyed(limit.quota()),
            owed: Mutex::default(),
            owing: AtomicUsize::new(0),
        }
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Forgets the users whose limit is fully refilled.
    pub(super) fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        // Nobody owes more than the burst.
        let refilled = Duration::from_secs(self.limit.window());
        let mut owed = self.owed();
        owed.retain(|_, owed| owed.since.elapsed() < refilled);
        self.owing.store(owed.len(), Relaxed);
    }

    /// Counts a request that is about to begin, with all that the user owes. It never counts as more than the burst, so
    /// that none is too expensive to be sent at all.
    ///
    /// # Errors
    /// 429. `Retry-After` is the time until it can be counted, plus `more`.
    pub(super) fn count(
        &self,
        user: &UserId,
        requests: NonZeroU32,
        more: Duration,
    ) -> Result<(), Problem> {
        let owed = self.take_owed(user);
        let due = owed.map_or(0, |owed| owed.requests);
        let RateLimit { burst, .. } = self.limit;
        let all = requests.saturating_add(due).min(burst);
        let Ok(counted) = self.limiter.check_key_n(user, all) else {
            return Err(Problem::internal());
        };
        counted.map_err(|until| {
            self.put_owed(user, due);
            let wait = until.wait_time_from(DefaultClock::default().now()) + more;
            // Whole seconds, rounded up, so that a retry after them is not too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail = format!("You have sent too many requests. Retry in {seconds} s.");
            let problem = Problem::new(ProblemCode::RateLimited, detail);
            self.limit.over("user", problem, seconds)
        })
    }

    /// Counts what a part of a long answer costs, and waits until there is room for it.
    pub(super) async fn pay(&self, user: &UserId, requests: NonZeroU32) {
        let requests = requests.min(self.limit.burst);
        while let Ok(Err(until)) = self.limiter.check_key_n(user, requests) {
            sleep(until.wait_time_from(DefaultClock::default().now())).await;
        }
    }

    /// Counts what a request turned out to cost.
    pub(super) fn owe(&self, user: &UserId, requests: NonZeroU32) {
        let requests = requests.min(self.limit.burst);
        if !matches!(self.limiter.check_key_n(user, requests), Ok(Ok(()))) {
            self.put_owed(user, requests.get());
        }
    }

    fn take_owed(&self, user: &UserId) -> Option<Owed> {
        if self.owing.load(Relaxed) == 0 {
            return None;
        }
        let mut owed = self.owed();
        let taken = owed.remove(user);
        self.owing.store(owed.len(), Relaxed);
        taken
    }

    fn put_owed(&self, user: &UserId, requests: u32) {
        if requests == 0 {
            return;
        }
        let most = self.limit.burst.get();
        let mut owed = self.owed();
        let entry = owed.entry(user.clone()).or_insert(Owed {
            requests: 0,
            since: Instant::now(),
        });
        entry.requests = entry.requests.saturating_add(requests).min(most);
        entry.since = Instant::now();
        self.owing.store(owed.len(), Relaxed);
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<UserId, Owed>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::Quotas;
    use crate::{access::RateLimit, auth::UserId, contract::Problem};

    fn of(requests: u32) -> NonZeroU32 {
        NonZeroU32::new(requests).unwrap()
    }

    /// Ten at once, and one in a second after that.
    fn quotas() -> Quotas {
        Quotas::new(RateLimit {
            per_second: of(1),
            burst: of(10),
        })
    }

    fn one(quotas: &Quotas, user: &UserId) -> Result<(), Problem> {
        quotas.count(user, of(1), Duration::ZERO)
    }

    #[test]
    fn what_is_owed_counts_with_the_next_request() {
        let (quotas, alice, bob) = (
            quotas(),
            UserId::for_tests("alice"),
            UserId::for_tests("bob"),
        );
        one(&quotas, &alice).unwrap();
        quotas.owe(&alice, of(8));
        // One is left.
        one(&quotas, &alice).unwrap();
        quotas.owe(&alice, of(4));
        for _ in 0..2 {
            let refused = one(&quotas, &alice).unwrap_err();
            assert!(
                format!("{refused:?}").contains("Retry in 5 s."),
                "{refused:?}"
            );
        }
        one(&quotas, &bob).unwrap();
    }

    #[test]
    fn nobody_owes_more_than_the_burst() {
        let (quotas, alice) = (quotas(), UserId::for_tests("alice"));
        quotas.owe(&alice, of(10));
        quotas.owe(&alice, of(1000));
        let refused = one(&quotas, &alice).unwrap_err();
        assert!(
            format!("{refused:?}").contains("Retry in 10 s."),
            "{refused:?}"
        );
        quotas.forget();
        assert!(one(&quotas, &alice).is_err());
    }

    #[tokio::test]
    async fn a_part_of_a_long_answer_waits_for_its_share() {
        let quotas = Quotas::new(RateLimit {
            per_second: of(20),
            burst: of(10),
        });
        let alice = UserId::for_tests("alice");
        let began = Instant::now();
        for _ in 0..3 {
            quotas.pay(&alice, of(10)).await;
        }
        assert!(began.elapsed() >= Duration::from_millis(900));
    }
}
