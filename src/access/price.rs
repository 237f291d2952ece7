//! What a request costs.

use std::num::NonZeroU32;

use crate::contract::SearchText;

/// What a request costs, in requests of the [`RateLimit`](super::RateLimit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price(NonZeroU32);

impl Price {
    /// A request that reads or writes one task, or one page of tasks.
    pub(crate) const ONE: Self = Self(NonZeroU32::MIN);

    /// A request that reads the texts of all tasks of the user. With 10,000 tasks of 8 kB it takes about as long as
    /// five pages.
    pub(crate) const ALL_TEXTS: Self = Self(NonZeroU32::MIN.saturating_add(4));

    /// A list: with a text that is searched for, all texts of the user are read.
    pub(crate) fn of_list(searched: Option<&SearchText>) -> Self {
        searched.map_or(Self::ONE, |_| Self::ALL_TEXTS)
    }

    /// A request that does the work of this many.
    pub(crate) fn of_items(items: usize) -> Self {
        let items = u32::try_from(items).unwrap_or(u32::MAX);
        Self(NonZeroU32::new(items).unwrap_or(NonZeroU32::MIN))
    }

    /// What is left to pay once one request has been counted.
    pub(super) fn after_the_first(self) -> u32 {
        self.0.get() - 1
    }
}
