//! All integration tests, in one binary: it links once, and one temporary PostgreSQL serves them all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should panic, and the harness reads its environment"
)]

mod concurrency;
mod cors;
mod contract;
mod create_task;
mod delete_task;
mod docs;
mod entities;
mod errors;
mod get_me;
mod get_task;
mod health;
mod limits;
mod list_tasks;
mod isolation;
mod migrations;
mod restore_task;
mod properties;
mod readme;
mod schema;
mod support;
mod temporary_postgres;
mod tokens;
mod update_task;
