//! Requests that count for no user: without a token that is accepted, over quota, for what needs no token, and heads that are
//! no HTTP. Each costs little, but a client could send them without end, and a line in the log with each.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{RateLimit, bucket::Buckets, price::REQUEST};

/// What an address may send of them. Beyond it, they are not logged one by one, and refusals wait.
const LIMIT: RateLimit = RateLimit {
    per_second: NonZeroU32::new(50).unwrap(),
    burst: NonZeroU32::new(500).unwrap(),
};
/// The longest wait of a refusal. So a connection gets one refusal in a second, and an address as many as it has connections.
const LONGEST: Duration = Duration::from_secs(1);

/// Counts the requests of each address that count for no user.
pub(crate) struct Anonymous {
    buckets: Buckets<IpAddr>,
    unlogged: AtomicU64,
}

impl Anonymous {
    pub(crate) fn new() -> Self {
        Self {
            buckets: Buckets::new(LIMIT),
            unlogged: AtomicU64::new(0),
        }
    }

    /// Counts a request. If the address has sent too many, returns how long a refusal of it waits; then it must not be logged.
    pub(crate) fn count(&self, address: IpAddr) -> Option<Duration> {
        // What an address owes is bounded, so that it is as before soon after it has stopped.
        if self.buckets.debt(&address) < LONGEST {
            self.buckets.owe(&address, REQUEST);
        }
        match self.buckets.debt(&address) {
            Duration::ZERO => None,
            wait => {
                self.unlogged.fetch_add(1, Relaxed);
                Some(wait.min(LONGEST))
            }
        }
    }

    /// Logs how many were not logged, and forgets the addresses that have sent nothing for a while. To be called now and then.
    pub(crate) fn forget_idle(&self) {
        self.report();
        self.buckets.forget();
    }

    fn report(&self) {
        let requests = self.unlogged.swap(0, Relaxed);
        if requests > 0 {
            tracing::warn!(
                requests,
                "requests that count for no user were not logged one by one, as an address sent too many"
            );
        }
    }
}

impl Drop for Anonymous {
    fn drop(&mut self) {
        self.report();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_sends_too_many_waits_alone_and_not_for_long() {
        let anonymous = Anonymous::new();
        let [mallory, alice] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(IpAddr::from);
        for _ in 0..500 {
            assert_eq!(anonymous.count(mallory), None);
        }
        let waits = (0..5_000).map(|_| anonymous.count(mallory));
        let waits = waits.flatten().collect::<Vec<_>>();
        assert!(waits.len() > 4_000, "{}", waits.len());
        assert!(waits[0] < LONGEST / 10);
        assert_eq!(waits.iter().max(), Some(&LONGEST));
        assert_eq!(anonymous.unlogged.load(Relaxed), waits.len() as u64);
        assert_eq!(anonymous.count(alice), None);
    }
}
