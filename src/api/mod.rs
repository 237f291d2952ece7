//! What is served.

pub mod docs;
mod fixed;

pub use fixed::Allowed;
