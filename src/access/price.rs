//! What a request costs, at every door. What is known before is charged before; what was read is charged when it is known.

use std::num::NonZeroU32;

use crate::{contract::SearchText, in_flight::Kind, store::Work};

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price {
    /// In requests of the [`RateLimit`](super::RateLimit).
    requests: NonZeroU32,
    /// What it reads, which bounds how many of a user run at once.
    pub(super) reads: Kind,
}

impl Price {
    /// A request that reads or writes one task.
    pub(crate) const ONE: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::Tasks,
    };

    /// A request that reads one page of tasks. What it reads is charged as [its work](of_work).
    pub(crate) const PAGE: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::Page,
    };

    /// A request that reads all texts of the user.
    pub(crate) const ALL_TEXTS: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::AllTexts,
    };

    /// A list: with a text that is searched for, all texts of the user are read.
    pub(crate) fn of_list(searched: Option<&SearchText>) -> Self {
        searched.map_or(Self::PAGE, |_| Self::ALL_TEXTS)
    }

    /// A request that does the work of this many.
    pub(crate) fn of_items(items: usize) -> Self {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Self {
            requests: NonZeroU32::new(items).unwrap_or(NonZeroU32::MIN),
            reads: Kind::Tasks,
        }
    }

    /// What is left to pay once one request has been counted.
    pub(super) fn after_the_first(self) -> u32 {
        self.requests.get() - 1
    }
}

/// What looking through so many stored bytes costs: some 1 to 2 ms of a core, as a request of one task does with all that
/// belongs to it.
const SCANNED: u64 = 2 << 20;
/// Reading so many tasks takes about as long.
const TASKS: u64 = 100;
/// So does reading and sending so many bytes of JSON.
const JSON: u64 = 256 << 10;

/// What was read for a request, in requests: those that count besides the one that was counted with the token.
pub(super) fn of_work(work: Work) -> Option<NonZeroU32> {
    let Work {
        scanned,
        tasks,
        json,
    } = work;
    let requests = scanned / SCANNED + tasks.saturating_sub(1) / TASKS + json / JSON;
    NonZeroU32::new(u32::try_from(requests).unwrap_or(u32::MAX))
}
