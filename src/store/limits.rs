//! How much one user may store, and how much one does.

/// The most that one user may store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserLimits {
    /// Live tasks. Besides them, as many tombstones are kept: when there are more, the oldest are purged.
    pub tasks: i64,
    /// Bytes of all rows, tombstones included; `None`: no limit.
    pub bytes: Option<i64>,
}

/// What one user stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Live tasks.
    pub tasks: i64,
    /// Deleted tasks that are kept as tombstones.
    pub tombstones: i64,
    /// Bytes of all rows, as [`UserLimits::bytes`] counts them.
    pub bytes: i64,
}
