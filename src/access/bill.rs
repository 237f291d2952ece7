//! What a request turns out to cost.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use super::{
    Authenticator,
    price::{self, REQUEST},
};
use crate::{
    auth::UserId,
    store::{Meter, Work},
};

/// Charges what is read for a request, as it is read. The request that was counted with the token pays for as much as one may
/// read.
#[derive(Debug)]
pub(super) struct Bill {
    authenticator: Arc<Authenticator>,
    /// What that one still pays for, in thousandths of a request.
    paid: AtomicU64,
}

impl Bill {
    /// `None` if nothing is counted.
    pub(super) fn of(authenticator: &Arc<Authenticator>) -> Option<Arc<Self>> {
        authenticator.quotas.as_ref()?;
        Some(Arc::new(Self {
            authenticator: authenticator.clone(),
            paid: AtomicU64::new(REQUEST),
        }))
    }
}

impl Meter for Bill {
    fn has_read(&self, user: &UserId, work: Work) {
        let cost = price::of_work(work);
        let rest = |paid: u64| Some(paid.saturating_sub(cost));
        let paid = self.paid.fetch_update(Relaxed, Relaxed, rest).unwrap_or(0);
        if let Some(quotas) = &self.authenticator.quotas {
            quotas.owe(user, cost.saturating_sub(paid));
        }
    }
}
