//! Taskward.
pub mod api;
pub mod auth;
pub mod contract;
pub mod server;
pub mod store;
