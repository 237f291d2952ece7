//! What time it is, as a value, so that tests need not wait for tokens to expire.

use std::time::{SystemTime, UNIX_EPOCH};

/// A source of wall-clock time.
#[derive(Clone, Default)]
pub(super) enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that a test sets, in milliseconds since 1970.
    #[cfg(test)]
    Set(std::sync::Arc<std::sync::atomic::AtomicI64>),
}

impl Clock {
    /// Milliseconds since 1970-01-01T00:00:00Z; 0 on a machine whose clock is before that.
    pub(super) fn now_ms(&self) -> i64 {
        match self {
            Clock::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .ok()
                .and_then(|passed| i64::try_from(passed.as_millis()).ok())
                .unwrap_or(0),
            #[cfg(test)]
            Clock::Set(at) => at.load(std::sync::atomic::Ordering::Relaxed),
        }
    }
}
