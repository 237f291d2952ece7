//! What a user may send: a number of requests, and what they turn out to cost.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use dashmap::DashMap;
use tokio::time::sleep;

use super::{RateLimit, price::REQUEST};
use crate::{
    auth::UserId,
    contract::{Problem, ProblemCode},
};

/// Counts the requests of each user, by the generic cell rate algorithm (ITU-T I.371): a bucket that holds the burst and is
/// refilled steadily, of which nothing is kept but the time when it is full again.
///
/// What a read costs is known when it is done, and is taken out then, whether it is there or not. So a user can owe more
/// than the bucket holds, and nothing of that user begins until it is refilled that far.
pub(super) struct Quotas {
    limit: RateLimit,
    began: Instant,
    /// In nanoseconds since `began`. A user whose bucket is full may be missing.
    full_at: DashMap<UserId, u64>,
}

impl Quotas {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            began: Instant::now(),
            full_at: DashMap::new(),
        }
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Forgets the users whose bucket is full.
    pub(super) fn forget(&self) {
        let now = self.now();
        self.full_at.retain(|_, full_at| *full_at > now);
        self.full_at.shrink_to_fit();
    }

    /// Counts a request that is about to begin. If it counts more than the burst, it begins with a full bucket and owes the
    /// rest, so that nothing is too expensive to be sent at all.
    ///
    /// # Errors
    /// 429. `Retry-After` is the time until it can be counted.
    pub(super) fn count(&self, user: &UserId, requests: NonZeroU32) -> Result<(), Problem> {
        let needed = requests.min(self.limit.burst);
        self.change(user, |now, full_at| {
            match self.over(now, full_at.saturating_add(self.time_of(needed))) {
                0 => *full_at = full_at.saturating_add(self.time_of(requests)),
                over => return Err(over),
            }
            Ok(())
        })
        .map_err(|wait| self.refused(wait))
    }

    /// Looks whether what was counted may still begin: others may have turned out to cost more meanwhile.
    ///
    /// # Errors
    /// 429.
    pub(super) fn check(&self, user: &UserId) -> Result<(), Problem> {
        match self.debt(user) {
            0 => Ok(()),
            // The retry is counted.
            debt => Err(self.refused(debt.saturating_add(self.time_of(NonZeroU32::MIN)))),
        }
    }

    /// Counts what something turned out to cost, in thousandths of a request.
    pub(super) fn owe(&self, user: &UserId, thousandths: u64) {
        // Nearly always.
        if thousandths == 0 {
            return;
        }
        let time = thousandths.saturating_mul(self.time_of(NonZeroU32::MIN)) / REQUEST;
        self.change(user, |_, full_at| *full_at = full_at.saturating_add(time));
    }

    /// Waits until the user owes nothing.
    pub(super) async fn paid(&self, user: &UserId) {
        loop {
            match self.debt(user) {
                0 => return,
                debt => sleep(Duration::from_nanos(debt)).await,
            }
        }
    }

    /// What the user owes, in nanoseconds of the refilling.
    fn debt(&self, user: &UserId) -> u64 {
        let full_at = self.full_at.get(user).map_or(0, |full_at| *full_at);
        self.over(self.now(), full_at)
    }

    /// By how long a bucket is emptier than empty that is full then.
    fn over(&self, now: u64, full_at: u64) -> u64 {
        let burst = self.time_of(self.limit.burst);
        full_at.saturating_sub(now.saturating_add(burst))
    }

    fn change<T>(&self, user: &UserId, change: impl FnOnce(u64, &mut u64) -> T) -> T {
        let now = self.now();
        let mut full_at = match self.full_at.get_mut(user) {
            Some(full_at) => full_at,
            None => self.full_at.entry(user.clone()).or_insert(now),
        };
        *full_at = now.max(*full_at);
        change(now, &mut full_at)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// How long the refilling of so many requests takes, in nanoseconds.
    fn time_of(&self, requests: NonZeroU32) -> u64 {
        u64::from(requests.get()) * 1_000_000_000 / u64::from(self.limit.per_second.get())
    }

    fn refused(&self, wait: u64) -> Problem {
        // Whole seconds, rounded up, so that a retry after them is not too early.
        let seconds = wait.div_ceil(1_000_000_000).max(1);
        let detail = format!("You have sent too many requests. Retry in {seconds} s.");
        let problem = Problem::new(ProblemCode::RateLimited, detail);
        self.limit.over("user", problem, seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::{Quotas, REQUEST};
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
        quotas.count(user, of(1))
    }

    fn is_told(refused: Result<(), Problem>, seconds: u32) {
        let refused = format!("{:?}", refused.unwrap_err());
        let told = format!("Retry in {seconds} s.");
        assert!(refused.contains(&told), "{refused}");
    }

    #[test]
    fn what_was_read_counts_before_the_next_request() {
        let (quotas, alice, bob) = (
            quotas(),
            UserId::for_tests("alice"),
            UserId::for_tests("bob"),
        );
        one(&quotas, &alice).unwrap();
        quotas.owe(&alice, 8 * REQUEST);
        // One is left.
        quotas.check(&alice).unwrap();
        one(&quotas, &alice).unwrap();
        quotas.owe(&alice, 4 * REQUEST);
        for _ in 0..2 {
            is_told(one(&quotas, &alice), 5);
            is_told(quotas.check(&alice), 5);
        }
        one(&quotas, &bob).unwrap();
    }

    #[test]
    fn all_is_owed_that_requests_sent_together_turned_out_to_cost() {
        let (quotas, alice) = (quotas(), UserId::for_tests("alice"));
        for _ in 0..10 {
            one(&quotas, &alice).unwrap();
        }
        for _ in 0..10 {
            quotas.owe(&alice, 32 * REQUEST);
        }
        is_told(one(&quotas, &alice), 321);
        quotas.forget();
        is_told(one(&quotas, &alice), 321);
    }

    #[test]
    fn what_counts_more_than_the_burst_can_be_sent_and_the_rest_is_owed() {
        let (quotas, alice) = (quotas(), UserId::for_tests("alice"));
        quotas.count(&alice, of(100)).unwrap();
        is_told(one(&quotas, &alice), 91);
        is_told(quotas.count(&alice, of(100)), 100);
    }

    #[tokio::test]
    async fn who_owes_nothing_is_forgotten() {
        let quotas = Quotas::new(RateLimit {
            per_second: of(u32::MAX),
            burst: of(10),
        });
        one(&quotas, &UserId::for_tests("alice")).unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        quotas.forget();
        assert!(quotas.full_at.is_empty());
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
            quotas.owe(&alice, 10 * REQUEST);
            quotas.paid(&alice).await;
        }
        assert!(began.elapsed() >= Duration::from_millis(900));
    }
}
