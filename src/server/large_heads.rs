//! How many connections may have a large head.
//!
//! A small head fits in the buffer that each connection has. For a larger one the buffer grows, and stays so. Without a limit
//! of their number, heads alone would take a gigabyte of memory, from clients without a token.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of connections with a large head: in all, and of one address.
#[derive(Clone)]
pub(super) struct LargeHeads {
    total: Arc<Semaphore>,
    /// `None` for a proxy, which has many clients.
    of_address: Option<Arc<Semaphore>>,
}

impl LargeHeads {
    pub(super) fn new(total: &Arc<Semaphore>, of_address: Option<&Arc<Semaphore>>) -> Self {
        Self {
            total: total.clone(),
            of_address: of_address.cloned(),
        }
    }

    /// Takes a place; `None` if there is none.
    pub(super) fn take(&self) -> Option<LargeHead> {
        let of_address = match &self.of_address {
            Some(places) => Some(places.clone().try_acquire_owned().ok()?),
            None => None,
        };
        Some(LargeHead {
            _total: self.total.clone().try_acquire_owned().ok()?,
            _of_address: of_address,
        })
    }
}

/// A place, until it is dropped.
pub(super) struct LargeHead {
    _total: OwnedSemaphorePermit,
    _of_address: Option<OwnedSemaphorePermit>,
}
