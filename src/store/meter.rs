//! How much is read for a user, and who is told.

use std::{fmt, time::Duration};

use super::{Usage, row::TaskRow};
use crate::auth::UserId;

/// Is told what was read for a user, when it was read.
pub trait Meter: fmt::Debug + Send + Sync {
    /// So much was read, and maybe nobody waits for it any more.
    fn has_read(&self, user: &UserId, work: Work);
}

/// How much was read from the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes of the user's rows that were looked through, because no index leads to those that were asked for.
    pub scanned: u64,
    /// Rows that were looked through, or passed over.
    pub rows: u64,
    /// Tasks that were read.
    pub tasks: u64,
    /// Bytes of texts.
    pub texts: u64,
    /// How much longer a search took than is usual.
    pub late: Duration,
}

impl Work {
    /// Looking through all that a user stores, so many times.
    pub(super) fn scan(stored: Usage, times: u64) -> Self {
        let rows = stored.tasks.max(0) + stored.tombstones;
        Self {
            scanned: stored.bytes.unsigned_abs().saturating_mul(times),
            rows: rows.unsigned_abs().saturating_mul(times),
            ..Self::default()
        }
    }

    /// Passing over so many tombstones, all of a user, on the way along an index.
    pub(super) fn passing(tombstones: i64) -> Self {
        Self {
            rows: u64::try_from(tombstones).unwrap_or(0),
            ..Self::default()
        }
    }

    /// A search that took so much longer than is usual, since many places of a long text nearly match.
    pub(super) fn late(late: Duration) -> Self {
        Self {
            late,
            ..Self::default()
        }
    }

    /// Writing so many bytes of texts and what is derived from them for searches, which takes about four times as long as
    /// reading them.
    pub(super) fn writing(bytes: i64) -> Self {
        Self {
            texts: bytes.unsigned_abs().saturating_mul(4),
            ..Self::default()
        }
    }

    /// Removing all of these rows, and their entries in the indexes.
    pub(super) fn erasing(stored: Usage) -> Self {
        let rows = stored.tasks.max(0) + stored.tombstones;
        Self {
            tasks: rows.unsigned_abs(),
            ..Self::default()
        }
    }

    /// Looking at so many tombstones.
    pub(super) fn tombstones(count: usize) -> Self {
        Self {
            tasks: count as u64,
            ..Self::default()
        }
    }

    /// Counts a task that was read.
    pub(super) fn add(&mut self, row: &TaskRow) {
        self.tasks += 1;
        self.texts += row.text_bytes();
    }
}
