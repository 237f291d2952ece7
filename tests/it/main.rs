//! All integration tests, in one binary: it links once, and one temporary PostgreSQL serves them all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on should panic, and the harness reads its environment"
)]

mod batch_tasks;
mod behind_a_proxy;
mod clock;
mod concurrency;
mod contract;
mod cors;
mod costs;
mod create_task;
mod delete_task;
mod docs;
mod entities;
mod errors;
mod feed_model;
mod front_ends;
#[expect(
    clippy::print_stdout,
    reason = "`--nocapture` shows how many cases were tried"
)]
#[path = "../fuzz/fuzz.rs"]
mod fuzz;
mod fuzzed;
mod get_me;
mod get_task;
mod health;
mod isolation;
mod layers;
mod limits;
mod list_changes;
mod list_tasks;
mod mcp;
mod migrations;
mod my_data;
mod owner_paths;
mod process;
mod properties;
mod readme;
mod restore_task;
mod schema;
mod storage;
mod stream_events;
mod support;
mod telemetry;
mod temporary_postgres;
mod tokens;
mod update_task;
