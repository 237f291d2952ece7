//! The operations on tasks.

pub(super) mod get;
pub(super) mod paging;
