//! Taskward.
pub mod auth;
