//! What time it is, as a value: a test sets it, and need not wait.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use chrono::{DateTime, SubsecRound as _, Utc};

/// A source of wall-clock time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that somebody sets, in microseconds since 1970-01-01T00:00:00Z.
    Set(Arc<AtomicI64>),
}

impl Clock {
    /// This instant, cut to whole microseconds: what both databases keep.
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Set(micros) => {
                DateTime::from_timestamp_micros(micros.load(Relaxed)).unwrap_or_default()
            }
        }
    }
}
