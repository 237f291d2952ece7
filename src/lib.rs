//! Taskward.
pub mod auth;
pub mod contract;
