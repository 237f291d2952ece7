//! The database.

use std::{net::IpAddr, thread::available_parallelism, time::Duration};

use url::{Host, Url};

use super::{
    Source,
    setting::settings,
    value::{flag, number, optional},
};
use crate::store::DatabaseSettings;

settings! { "Database";
    /// the database: sqlite://… or postgres://… (a pooled one is fine)
    DATABASE_URL: String = "sqlite://taskward.db?mode=rwc", database_url;

    /// the same PostgreSQL without a pooler in between, for migrations
    DATABASE_DIRECT_URL: Option<String> = "" ("DATABASE_URL"), |text| optional(text, database_url);

    /// most connections of this process
    DATABASE_MAX_CONNECTIONS: Option<u32> = "" ("8 per core, from 8 to 64"),
        |text| optional(text, |text| number(text, 1..=10_000, ""));

    /// apply pending migrations at the start
    AUTO_MIGRATE: Option<bool> = "" ("on for SQLite, off for PostgreSQL"), |text| optional(text, flag);

    /// most tasks that one user can have
    MAX_TASKS_PER_USER: u32 = "10000", |text| number(text, 1..=u32::MAX, "");

    /// days for which a deleted task can be restored
    TOMBSTONE_RETENTION_DAYS: u32 = "30", |text| number(text, 1..=36_500, " of days");
}

/// Longer than a suspended Neon database takes to wake up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

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
    let direct = source.get(&DATABASE_DIRECT_URL);
    let days = u64::from(source.get(&TOMBSTONE_RETENTION_DAYS));
    let auto_migrate = source.get(&AUTO_MIGRATE);
    let max_connections = source.get(&DATABASE_MAX_CONNECTIONS);
    let max_tasks = source.get(&MAX_TASKS_PER_USER);
    let settings = |url: &str| DatabaseSettings {
        url: url.to_owned(),
        max_connections: max_connections.unwrap_or_else(connections_by_cores),
        acquire_timeout: ACQUIRE_TIMEOUT,
        max_tasks: max_tasks.into(),
        tombstone_retention: Duration::from_secs(days * 24 * 60 * 60),
    };
    Databases {
        direct: settings(direct.as_ref().unwrap_or(&pooled)),
        auto_migrate: auto_migrate.unwrap_or_else(|| pooled.starts_with("sqlite:")),
        pooled: settings(&pooled),
    }
}

fn connections_by_cores() -> u32 {
    let cores = available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(8));
    cores.saturating_mul(8).clamp(8, 64)
}

const NOT_A_URL: &str = "is not a URL that can be read: write sqlite://FILE, or postgres://USER:PASSWORD@HOST/DATABASE \
     with the special characters of the password percent-encoded (`@` as %40, `/` as %2F)";

/// Makes a URL as it is pasted from a console, or was written for Python, one that the driver takes.
/// The fault completes the sentence "DATABASE_URL …" and does not repeat the password.
fn database_url(text: &str) -> Result<String, String> {
    if text.starts_with("sqlite:") {
        return Ok(text.to_owned());
    }
    let malformed = |_| NOT_A_URL.to_owned();
    let mut url = Url::parse(text).map_err(malformed)?;
    // SQLAlchemy names the driver after a plus.
    let kind = url
        .scheme()
        .split('+')
        .next()
        .unwrap_or_default()
        .to_owned();
    if !matches!(kind.as_str(), "postgres" | "postgresql") {
        return Err(format!(
            "begins with `{kind}:`, but must begin with `sqlite:` or `postgres:`"
        ));
    }
    // The scheme of a URL of another kind cannot be set, but put before the rest.
    let rest = url
        .as_str()
        .split_once(':')
        .map_or(String::new(), |(_, rest)| rest.to_owned());
    url = Url::parse(&format!("postgres:{rest}")).map_err(malformed)?;

    let remote = !is_local(&url);
    let mut parameters = Vec::new();
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            // Neon puts it into its URLs. The driver does without, and would only warn.
            ("channel_binding", _) => {}
            // asyncpg's name for it.
            ("ssl" | "sslmode", "require" | "true") if remote => {
                // `require` encrypts, but to whoever answers.
                parameters.push(("sslmode".to_owned(), "verify-full".to_owned()));
            }
            ("ssl", "true") => parameters.push(("sslmode".to_owned(), "require".to_owned())),
            ("ssl", value) => parameters.push(("sslmode".to_owned(), value.to_owned())),
            (name, value) => parameters.push((name.to_owned(), value.to_owned())),
        }
    }
    url.set_query(None);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    Ok(url.into())
}

fn is_local(url: &Url) -> bool {
    // libpq takes the host from here, too.
    if url
        .query_pairs()
        .any(|(name, host)| name == "host" && !host.starts_with('/') && host != "localhost")
    {
        return false;
    }
    match url.host() {
        None => true,
        // The host of a URL that is not of the web is not parsed further than this.
        Some(Host::Domain(name)) => {
            name.is_empty()
                || name == "localhost"
                || name.starts_with("%2F")
                || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
    }
}
