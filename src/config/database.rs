//! The database.

use std::{net::IpAddr, thread::available_parallelism, time::Duration};

use url::{Host, Url};

use super::Source;
use crate::store::DatabaseSettings;

/// Longer than a suspended Neon database takes to wake up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// The database for requests, and the one for migrations.
pub(super) fn read(source: &mut Source) -> (DatabaseSettings, DatabaseSettings) {
    let mut url = |name| {
        let text = source.take(name)?;
        match database_url(&text) {
            Ok(url) => Some(url),
            Err(fault) => {
                source.fault(name, fault);
                None
            }
        }
    };
    let pooled = url("DATABASE_URL").unwrap_or_else(|| "sqlite://taskward.db?mode=rwc".to_owned());
    let direct = url("DATABASE_DIRECT_URL").unwrap_or_else(|| pooled.clone());
    let cores = available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(2));
    let positive = |text: &str| text.parse().ok().filter(|n| *n > 0);
    let max_connections = source
        .parse(
            "DATABASE_MAX_CONNECTIONS",
            "a number of at least 1",
            positive,
        )
        .unwrap_or((cores * 8).clamp(8, 64));
    let whole = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0);
    let max_tasks = source.parse("MAX_TASKS_PER_USER", "a number of at least 1", whole);
    let century = |text: &str| whole(text).filter(|days| *days <= 36_500);
    let expected = "a number of days from 1 to 36500";
    let days = source.parse("TOMBSTONE_RETENTION_DAYS", expected, century);
    let settings = |url| DatabaseSettings {
        url,
        max_connections,
        acquire_timeout: ACQUIRE_TIMEOUT,
        max_tasks: max_tasks.unwrap_or(10_000).into(),
        tombstone_retention: Duration::from_secs(u64::from(days.unwrap_or(30)) * 24 * 60 * 60),
    };
    (settings(pooled), settings(direct))
}

/// Makes a URL as it is pasted from a console, or was written for Python, one that the driver takes.
/// The fault completes the sentence "DATABASE_URL …" and does not repeat the password.
fn database_url(text: &str) -> Result<String, String> {
    if text.starts_with("sqlite:") {
        return Ok(text.to_owned());
    }
    let mut url = Url::parse(text).map_err(|e| format!("is no URL: {e}"))?;
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
    url = Url::parse(&format!("postgres:{rest}")).map_err(|e| format!("is no URL: {e}"))?;

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
