//! What a request costs.

use std::num::NonZeroU32;

use crate::{contract::SearchText, in_flight::Kind};

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

    /// A request that reads one page of tasks.
    pub(crate) const PAGE: Self = Self {
        requests: NonZeroU32::MIN,
        reads: Kind::Page,
    };

    /// A request that reads the texts of all tasks of the user. With 10,000 tasks of 8 kB it takes about as long as
    /// five pages.
    pub(crate) const ALL_TEXTS: Self = Self {
        requests: NonZeroU32::MIN.saturating_add(4),
        reads: Kind::AllTexts,
    };

    /// A list: with a text that is searched for, all texts of the user are read.
    pub(crate) fn of_list(searched: Option<&SearchText>) -> Self {
        searched.map_or(Self::PAGE, |_| Self::ALL_TEXTS)
    }

    /// What a list of so many tasks costs, once it is known how many they are: a request for every 100.
    pub(crate) fn of_tasks(tasks: usize) -> Self {
        Self::of_items(tasks.div_ceil(100))
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
