//! How often an address may send tokens that are not accepted. Each costs a check of a signature, and its sender cannot be
//! told by the token.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use super::{RateLimit, bucket::Buckets};
use crate::contract::Problem;

/// The budget of each address.
pub(super) struct Failures(Buckets<IpAddr>);

impl Failures {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self(Buckets::new(limit))
    }

    /// To be asked before a token is verified that is not known.
    ///
    /// # Errors
    /// 429 for an address that is over its budget.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Problem> {
        let detail = |seconds| {
            format!(
                "Too many requests with tokens that are not accepted have come from your address. Retry in {seconds} s."
            )
        };
        match self.0.wait(&address) {
            Duration::ZERO => Ok(()),
            wait => Err(self.0.limit().over("address", wait, detail)),
        }
    }

    /// Counts a token that was not accepted.
    pub(super) fn count(&self, address: IpAddr) {
        // An address whose budget is spent by others of its requests meanwhile owes nothing.
        let _ = self.0.take(&address, NonZeroU32::MIN);
    }

    /// Forgets the addresses whose budget is fully refilled.
    pub(super) fn forget(&self) {
        self.0.forget();
    }
}
