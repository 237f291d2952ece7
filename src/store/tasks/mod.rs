//! The operations on tasks.

pub(super) mod get;
