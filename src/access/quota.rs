//! What a user may send: a number of requests, and what they turn out to cost.

use std::{num::NonZeroU32, time::Duration};

use tokio::time::sleep;

use super::{RateLimit, bucket::Buckets};
use crate::{auth::UserId, contract::Problem};

/// Counts the requests of each user.
///
/// What a read costs is known when it is done, and is taken out of the user's bucket then, whether it is there or not. So a
/// user can owe more than the bucket holds, and nothing of that user begins until it is refilled that far.
pub(super) struct Quotas(Buckets<UserId>);

impl Quotas {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self(Buckets::new(limit))
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.0.limit()
    }

    /// Forgets the users whose bucket is full.
    pub(super) fn forget(&self) {
        self.0.forget();
    }

    /// Counts a request that is about to begin. If it counts more than the burst, it begins with a full bucket and owes the
    /// rest, so that nothing is too expensive to be sent at all.
    ///
    /// # Errors
    /// 429. `Retry-After` is the time until it can be counted.
    pub(super) fn count(&self, user: &UserId, requests: NonZeroU32) -> Result<(), Problem> {
        let taken = self.0.take(user, requests);
        taken.map_err(|wait| self.refused(wait))
    }

    /// Looks whether what was counted may still begin: others may have turned out to cost more meanwhile.
    ///
    /// # Errors
    /// 429.
    pub(super) fn check(&self, user: &UserId) -> Result<(), Problem> {
        if self.0.debt(user).is_zero() {
            return Ok(());
        }
        // The retry is counted.
        Err(self.refused(self.0.wait(user)))
    }

    /// Counts what something turned out to cost, in thousandths of a request.
    pub(super) fn owe(&self, user: &UserId, thousandths: u64) {
        self.0.owe(user, thousandths);
    }

    /// Waits until the user owes nothing.
    pub(super) async fn paid(&self, user: &UserId) {
        loop {
            match self.0.debt(user) {
                Duration::ZERO => return,
                debt => sleep(debt).await,
            }
        }
    }

    fn refused(&self, wait: Duration) -> Problem {
        let detail = |seconds| format!("You have sent too many requests. Retry in {seconds} s.");
        self.limit().over("user", wait, detail)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        num::NonZeroU32,
        time::{Duration, Instant},
    };

    use super::Quotas;
    use crate::{
        access::{RateLimit, price::REQUEST},
        auth::UserId,
        contract::Problem,
    };

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
