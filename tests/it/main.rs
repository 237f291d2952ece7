//! All integration tests, in one binary: it links once, and one temporary PostgreSQL serves them all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should panic, and the harness reads its environment"
)]

mod create_task;
mod entities;
mod migrations;
mod schema;
mod support;
mod temporary_postgres;
