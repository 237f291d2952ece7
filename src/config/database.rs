//! The database.

use std::{thread::available_parallelism, time::Duration};

use super::{
    Source,
    database_url::DatabaseUrl,
    setting::settings,
    value::{flag, number, optional},
};
use crate::store::{DatabaseSettings, UserLimits};

settings! { "Database";
    /// the database: sqlite://… or postgres://… (a pooled one is fine)
    DATABASE_URL: DatabaseUrl = "sqlite://taskward.db", DatabaseUrl::read;

    /// the same PostgreSQL without a pooler in between, for migrations
    DATABASE_DIRECT_URL: Option<DatabaseUrl> = "" ("DATABASE_URL"), |text| optional(text, DatabaseUrl::read);

    /// most connections of this process
    DATABASE_MAX_CONNECTIONS: Option<u32> = "" ("8 per core, from 8 to 64"),
        |text| optional(text, |text| number(text, 1..=10_000, ""));

    /// apply pending migrations at the start
    AUTO_MIGRATE: Option<bool> = "" ("on for SQLite, off for PostgreSQL"), |text| optional(text, flag);

    /// most tasks that one user can have
    MAX_TASKS_PER_USER: u32 = "10000", |text| number(text, 1..=u32::MAX, "");

    /// most bytes that one user can store, deleted tasks and what is derived for search included, or `off`; when they
    /// are reached, the oldest deleted tasks go first
    MAX_BYTES_PER_USER: Option<i64> = "67108864", bytes;

    /// mebibytes of memory for pages that can be sent again while nothing has changed; 0 for none
    PAGE_CACHE_MIB: u32 = "32", |text| number(text, 0..=65_536, " of mebibytes");

    /// days for which a deleted task can be restored; then it is purged
    TOMBSTONE_RETENTION_DAYS: u32 = "30", |text| number(text, 1..=36_500, " of days");
}

/// The least is what some of the largest tasks take.
fn bytes(text: &str) -> Result<Option<i64>, String> {
    match text {
        "off" => Ok(None),
        text => number(text, 1 << 20..=1 << 50, " of bytes")
            .map(Some)
            .map_err(|fault| format!("{fault}, or `off`")),
    }
}

/// Longer than a suspended Neon database takes to wake up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);

/// The database in its uses.
pub(super) struct Databases {
    /// For requests.
    pub(super) pooled: DatabaseSettings,
    /// For migrations.
    pub(super) direct: DatabaseSettings,
    pub(super) auto_migrate: bool,
}

pub(super) fn read(source: &mut Source) -> Databases {
    let pooled = source.get(&DATABASE_URL);
    source.note_all(DATABASE_URL.name, &pooled.notes);
    if pooled.url == "sqlite::memory:" {
        source.warn(
            "the database is in memory (DATABASE_URL): all tasks are gone when the server stops",
        );
    }
    let direct = source.get(&DATABASE_DIRECT_URL);
    if let Some(direct) = &direct {
        source.note_all(DATABASE_DIRECT_URL.name, &direct.notes);
        if is_sqlite(direct) != is_sqlite(&pooled) {
            let fault = "must name the same database as DATABASE_URL, and so be of the same kind";
            source.fault(DATABASE_DIRECT_URL.name, fault);
        }
    }
    let days = u64::from(source.get(&TOMBSTONE_RETENTION_DAYS));
    let auto_migrate = source.get(&AUTO_MIGRATE);
    let max_connections = source.get(&DATABASE_MAX_CONNECTIONS);
    let page_cache = source.get(&PAGE_CACHE_MIB);
    let limits = UserLimits {
        tasks: source.get(&MAX_TASKS_PER_USER).into(),
        bytes: source.get(&MAX_BYTES_PER_USER),
    };
    let settings = |url: &DatabaseUrl, url_setting| DatabaseSettings {
        url: url.url.clone(),
        url_setting,
        max_connections: max_connections.unwrap_or_else(connections_by_cores),
        acquire_timeout: ACQUIRE_TIMEOUT,
        page_cache_bytes: u64::from(page_cache) * 1024 * 1024,
        limits,
        tombstone_retention: Duration::from_secs(days * 24 * 60 * 60),
    };
    Databases {
        direct: match &direct {
            Some(direct) => settings(direct, DATABASE_DIRECT_URL.name),
            None => settings(&pooled, DATABASE_URL.name),
        },
        auto_migrate: auto_migrate.unwrap_or_else(|| is_sqlite(&pooled)),
        pooled: settings(&pooled, DATABASE_URL.name),
    }
}

fn is_sqlite(url: &DatabaseUrl) -> bool {
    url.url.starts_with("sqlite:")
}

fn connections_by_cores() -> u32 {
    let cores = available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(8));
    cores.saturating_mul(8).clamp(8, 64)
}
