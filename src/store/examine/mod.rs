//! Checks the database for `taskward doctor`, and changes nothing in it.
//!
//! - `postgres.rs`: the checks of one URL; `facts.rs`: what the server says of itself, in one statement; `judge.rs`: what
//!   follows from that; `pooler.rs`: what is between.
//! - `sqlite.rs`: the file and its place; `content.rs`: what is in it.

mod content;
mod facts;
mod judge;
mod pooler;
mod postgres;
mod sqlite;

use super::{DatabaseSettings, migrate::compare};
use crate::check::Check;

/// Checks the database for requests and the one for migrations. No check takes longer than
/// [`CHECK_LIMIT`](crate::check::CHECK_LIMIT).
///
/// `auto_migrate`: whether the start applies pending migrations.
pub async fn examine(
    pooled: &DatabaseSettings,
    direct: &DatabaseSettings,
    auto_migrate: bool,
) -> Vec<Check> {
    match pooled.url.starts_with("sqlite:") {
        true => sqlite::examine(pooled, direct, auto_migrate).await,
        false => postgres::examine(pooled, direct, auto_migrate).await,
    }
}

const MIGRATIONS: &str = "database.migrations";

/// What the table of migrations means. `applied` is `None` if there is no such table; then `has_tables` says whether there
/// are others under the names of ours.
fn migrations(applied: Option<&[String]>, has_tables: bool, auto_migrate: bool) -> Check {
    if applied.is_none() && has_tables {
        return Check::problem(
            MIGRATIONS,
            "there is a table `task` or `user_clock` that is not Taskward's: give Taskward a database of its own",
        );
    }
    let status = match compare(applied.unwrap_or_default()) {
        Ok(status) => status,
        Err(error) => return Check::warning(MIGRATIONS, format!("{error:#}")),
    };
    let pending: Vec<&str> = status
        .iter()
        .filter(|(_, applied)| !applied)
        .map(|(name, _)| name.as_str())
        .collect();
    let all = status.len();
    match (pending.len(), auto_migrate) {
        (0, _) => Check::ok(MIGRATIONS, format!("all {all} are applied")),
        (count, true) => Check::ok(
            MIGRATIONS,
            format!("{count} of {all} are pending; the start applies them (AUTO_MIGRATE)"),
        ),
        (count, false) => Check::problem(
            MIGRATIONS,
            format!(
                "{count} of {all} are pending, and requests fail until they are applied: run `taskward migrate up`, or \
                 set AUTO_MIGRATE=on ({})",
                pending.join(", ")
            ),
        ),
    }
}
