//! What the tests stand on: a server of their own, and the people who use it.

pub mod actor;
pub mod answer;
pub mod app;
pub mod collector;
pub mod contract;
pub mod events;
pub mod issuer;
pub mod mcp;
pub mod postgres;
pub mod raw;
pub mod token;

pub use actor::{Actor, Created};
pub use answer::{Answer, time};
pub use app::{Backend, Settings, TestApp};
pub use collector::Collector;
pub use issuer::Issuer;
pub use raw::raw;

/// Makes a story run on both databases: one test each, with the same body.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($on:ident: $backend:ty) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every story needs all of it")]
            use super::*;

            $(#[$meta])*
            async fn story($on: $backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story($crate::support::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::support::postgres::postgres().is_ok() {
                    story($crate::support::Backend::Postgres).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both;
