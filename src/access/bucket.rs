//! Buckets that are refilled steadily, one for each key.

use std::{
    hash::Hash,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use dashmap::DashMap;

use super::{RateLimit, price::REQUEST};

/// The buckets of the generic cell rate algorithm (ITU-T I.371): each holds the burst, and nothing is kept of it but the time
/// when it is full again. It can owe more than it holds.
pub(super) struct Buckets<K> {
    limit: RateLimit,
    began: Instant,
    /// In nanoseconds since `began`. A key whose bucket is full may be missing.
    full_at: DashMap<K, u64>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
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

    /// Forgets the full ones.
    pub(super) fn forget(&self) {
        let now = self.now();
        self.full_at.retain(|_, full_at| *full_at > now);
        self.full_at.shrink_to_fit();
    }

    /// Takes so many requests. More than the burst are taken from a full bucket, which owes the rest.
    ///
    /// # Errors
    /// How long it takes until they are there.
    pub(super) fn take(&self, key: &K, requests: NonZeroU32) -> Result<(), Duration> {
        let needed = requests.min(self.limit.burst);
        self.change(key, |now, full_at| {
            match self.over(now, full_at.saturating_add(self.time_of(needed))) {
                0 => *full_at = full_at.saturating_add(self.time_of(requests)),
                over => return Err(Duration::from_nanos(over)),
            }
            Ok(())
        })
    }

    /// Takes so many thousandths of a request, whether they are there or not.
    pub(super) fn owe(&self, key: &K, thousandths: u64) {
        // Nearly always.
        if thousandths == 0 {
            return;
        }
        let time = thousandths.saturating_mul(self.time_of(NonZeroU32::MIN)) / REQUEST;
        self.change(key, |_, full_at| *full_at = full_at.saturating_add(time));
    }

    /// How long it takes until a bucket owes nothing.
    pub(super) fn debt(&self, key: &K) -> Duration {
        Duration::from_nanos(self.over(self.now(), self.full_at_of(key)))
    }

    /// How long it takes until a request is there.
    pub(super) fn wait(&self, key: &K) -> Duration {
        let after = self
            .full_at_of(key)
            .max(self.now())
            .saturating_add(self.time_of(NonZeroU32::MIN));
        Duration::from_nanos(self.over(self.now(), after))
    }

    fn full_at_of(&self, key: &K) -> u64 {
        self.full_at.get(key).map_or(0, |full_at| *full_at)
    }

    /// By how long a bucket is emptier than empty that is full then, in nanoseconds.
    fn over(&self, now: u64, full_at: u64) -> u64 {
        let burst = self.time_of(self.limit.burst);
        full_at.saturating_sub(now.saturating_add(burst))
    }

    fn change<T>(&self, key: &K, change: impl FnOnce(u64, &mut u64) -> T) -> T {
        let now = self.now();
        let mut full_at = match self.full_at.get_mut(key) {
            Some(full_at) => full_at,
            None => self.full_at.entry(key.clone()).or_insert(now),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(requests: u32) -> NonZeroU32 {
        NonZeroU32::new(requests).unwrap()
    }

    #[tokio::test]
    async fn who_owes_nothing_is_forgotten() {
        let buckets = Buckets::new(RateLimit {
            per_second: of(u32::MAX),
            burst: of(10),
        });
        buckets.take(&"alice", of(1)).unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        buckets.forget();
        assert!(buckets.full_at.is_empty());
    }

    #[test]
    fn an_empty_bucket_owes_nothing_and_holds_no_request() {
        let buckets = Buckets::new(RateLimit {
            per_second: of(1),
            burst: of(10),
        });
        buckets.take(&"alice", of(9)).unwrap();
        assert_eq!(buckets.wait(&"alice"), Duration::ZERO);
        buckets.take(&"alice", of(1)).unwrap();
        assert_eq!(buckets.debt(&"alice"), Duration::ZERO);
        assert!(buckets.wait(&"alice") > Duration::ZERO);
        assert_eq!(buckets.wait(&"bob"), Duration::ZERO);
    }
}
