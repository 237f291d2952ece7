//! What follows from what PostgreSQL says of itself.

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{DatabaseSettings, facts::Facts, postgres::REACHABLE};
use crate::{
    check::{Check, clock_difference},
    store::engine::is_local,
};

/// The oldest version that its makers still maintain, and the one that Taskward is tested with.
const OLDEST: i32 = 15;
/// Seconds by which the clocks may differ without a word.
const CLOCKS: f64 = 2.0;
/// A round trip of so many milliseconds makes each request slow.
const FAR: u128 = 20;

pub(super) fn reachable(facts: &Facts, millis: u128) -> Check {
    let version = &facts.version_name;
    match millis {
        0..FAR => Check::ok(
            REACHABLE,
            format!("PostgreSQL {version}, {millis} ms for a statement"),
        ),
        _ => Check::warning(
            REACHABLE,
            format!(
                "PostgreSQL {version} takes {millis} ms for a statement, and each request takes at least one: run Taskward \
                 nearer to it, unless it was only waking up"
            ),
        ),
    }
}

pub(super) fn tls(options: &PgConnectOptions, facts: &Facts) -> Check {
    const TLS: &str = "database.tls";
    match options.get_ssl_mode() {
        PgSslMode::VerifyFull => Check::ok(TLS, "encrypted; certificate and host name are checked"),
        PgSslMode::VerifyCa => Check::warning(
            TLS,
            "encrypted, but any server with a certificate of that authority is taken for the database: use \
             sslmode=verify-full",
        ),
        _ if is_local(options) => Check::ok(
            TLS,
            match facts.is_encrypted {
                true => "encrypted; not checked, since the database is on this machine",
                false => "not encrypted; the database is on this machine",
            },
        ),
        PgSslMode::Disable => Check::warning(
            TLS,
            "off (sslmode=disable): tasks and password go over the network in clear, which is right only in a network that \
             you trust; otherwise remove it, and the certificate is checked",
        ),
        _ => Check::warning(
            TLS,
            "whose certificate the server shows is not checked: use sslmode=verify-full",
        ),
    }
}

/// The version of the server and how it is set up.
pub(super) fn server(settings: &DatabaseSettings, facts: &Facts) -> Vec<Check> {
    const VERSION: &str = "database.version";
    const WRITABLE: &str = "database.writable";
    const DURABLE: &str = "database.durable";
    const ENCODING: &str = "database.encoding";
    const CONNECTIONS: &str = "database.connections";
    const CLOCK: &str = "database.clock";
    let major = facts.version / 10_000;
    let version = match major {
        ..OLDEST => Check::warning(
            VERSION,
            format!(
                "{major} is no longer maintained, and Taskward is not tested with it: upgrade to {OLDEST} or later"
            ),
        ),
        _ => Check::ok(VERSION, format!("{major}")),
    };
    let writable = match facts.is_read_only {
        true => Check::problem(
            WRITABLE,
            "it is a standby, or its sessions may only read (default_transaction_read_only): name the primary server",
        ),
        false => Check::ok(WRITABLE, "yes"),
    };
    let durable = match facts.is_durable {
        true => Check::ok(DURABLE, "a commit waits until it is on the disk"),
        false => Check::warning(
            DURABLE,
            "a crash can lose writes that were acknowledged: set fsync and synchronous_commit to on",
        ),
    };
    let encoding = match &*facts.encoding {
        "UTF8" => Check::ok(ENCODING, "UTF8"),
        other => Check::problem(
            ENCODING,
            format!("{other} cannot hold all texts: create the database with ENCODING 'UTF8'"),
        ),
    };
    let (ours, most, used) = (
        i64::from(settings.max_connections),
        facts.most_connections,
        facts.connections,
    );
    let connections = match ours <= most {
        true => Check::ok(
            CONNECTIONS,
            format!("up to {ours} of {most}; {used} are open now, by all programs"),
        ),
        false => Check::warning(
            CONNECTIONS,
            format!(
                "up to {ours} of a process, but the server takes {most}: lower DATABASE_MAX_CONNECTIONS, or raise \
                 max_connections"
            ),
        ),
    };
    let clock = match clock_difference(facts.clock_ahead, CLOCKS + facts.clock_uncertainty) {
        None => Check::ok(CLOCK, "agrees with that of this machine"),
        Some(ahead) => Check::warning(
            CLOCK,
            format!(
                "differs from that of this machine by {:.0} s: synchronise both (NTP)",
                ahead.abs()
            ),
        ),
    };
    vec![version, writable, durable, encoding, connections, clock]
}

pub(super) fn rights(facts: &Facts, for_migrations: bool) -> Option<Check> {
    const RIGHTS: &str = "database.rights";
    if let Some(missing) = &facts.missing_rights {
        return Some(Check::problem(
            RIGHTS,
            format!("the user lacks {missing}: grant them"),
        ));
    }
    if !for_migrations {
        return None;
    }
    let Some(schema) = &facts.schema else {
        let detail =
            "none of the schemas of search_path exists: create one, or correct search_path";
        return Some(Check::problem(RIGHTS, detail));
    };
    Some(match facts.may_create {
        true => Check::ok(
            RIGHTS,
            format!("may use the tables, and make tables in the schema {schema}"),
        ),
        false => Check::warning(
            RIGHTS,
            format!(
                "the user may not make tables in the schema {schema}, which migrations need: `GRANT CREATE ON SCHEMA \
                 {schema} TO …`, or name a user in DATABASE_DIRECT_URL who may"
            ),
        ),
    })
}
