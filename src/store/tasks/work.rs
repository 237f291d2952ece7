//! How much a read reads, which is what it costs.

use super::query::Filter;
use crate::contract::Sort;

/// How much was read from the database for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Bytes of the user's rows that were looked through, because no index leads to those that were asked for.
    pub scanned: u64,
    /// Tasks that were read as a whole.
    pub tasks: u64,
    /// Bytes of these as JSON.
    pub json: u64,
}

impl Work {
    /// Sending so many bytes of JSON.
    pub(crate) fn sending(bytes: usize) -> Self {
        Self {
            json: bytes as u64,
            ..Self::default()
        }
    }

    /// The same where the whole list was counted, too.
    pub(crate) fn with_count(self, filter: &Filter) -> Self {
        match *filter == Filter::default() {
            // That number is stored.
            true => self,
            false => Self {
                scanned: self.scanned.saturating_mul(2),
                ..self
            },
        }
    }

    /// Looking through all that a user stores, so many times.
    pub(super) fn scan(stored_bytes: i64, times: u64) -> Self {
        Self {
            scanned: stored_bytes.unsigned_abs().saturating_mul(times),
            ..Self::default()
        }
    }
}

/// Whether a list is found by looking through all rows of the user: there are indexes of ids and of revisions.
pub(super) fn scans(filter: &Filter, sort: Sort) -> bool {
    let has_index = matches!(
        sort,
        Sort::Created | Sort::CreatedDesc | Sort::Updated | Sort::UpdatedDesc
    );
    *filter != Filter::default() || !has_index
}
