//! Taskward.
pub mod auth;
pub mod contract;
pub mod server;
