//! How much one user may store, and how much one does.

use sea_orm::{DbErr, QueryResult};

use super::entity::user_clock::Column as Clock;

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

impl Usage {
    /// The columns that it is read from.
    pub(super) const COLUMNS: [Clock; 3] = [Clock::TaskCount, Clock::RowCount, Clock::StoredBytes];

    /// Reads [`COLUMNS`](Self::COLUMNS) from an index on. A user without a clock has nulls, and stores nothing.
    pub(super) fn read(row: &QueryResult, first: usize) -> Result<Self, DbErr> {
        let number = |place| row.try_get_by_index::<Option<i64>>(first + place);
        let [tasks, rows, bytes] =
            [number(0)?, number(1)?, number(2)?].map(Option::unwrap_or_default);
        Ok(Self::of(tasks, rows, bytes))
    }

    /// `rows`: live tasks and tombstones. An older version beside this one may have written without counting.
    pub(super) fn of(tasks: i64, rows: i64, bytes: i64) -> Self {
        Self {
            tasks,
            tombstones: (rows - tasks).max(0),
            bytes: bytes.max(0),
        }
    }
}
