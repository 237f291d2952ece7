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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        check::CheckStatus::{self, Ok, Problem, Warning},
        store::UserLimits,
    };

    /// A server with which nothing is wrong.
    fn good() -> Facts {
        Facts {
            version: 150_018,
            version_name: "15.18".to_owned(),
            encoding: "UTF8".to_owned(),
            is_read_only: false,
            is_durable: true,
            most_connections: 20,
            connections: 3,
            clock_ahead: 0.0,
            clock_uncertainty: 0.0,
            schema: Some("public".to_owned()),
            may_create: true,
            missing_rights: None,
            has_tables: true,
            identity: "tasks 1 2".to_owned(),
            is_encrypted: true,
        }
    }

    /// What is found of one of the checks of the server, which is like a good one but for this.
    #[track_caller]
    fn found(check: &str, change: impl FnOnce(&mut Facts)) -> CheckStatus {
        let mut facts = good();
        change(&mut facts);
        let settings = DatabaseSettings {
            url: "postgres://db/tasks".to_owned(),
            url_setting: "DATABASE_URL",
            max_connections: 20,
            page_cache_bytes: 0,
            acquire_timeout: Duration::from_secs(4),
            limits: UserLimits {
                tasks: 1,
                bytes: None,
            },
            tombstone_retention: Duration::ZERO,
        };
        let checks = server(&settings, &facts);
        let others = checks.iter().filter(|other| other.check != check);
        assert!(others.clone().all(|other| other.status == Ok), "{checks:?}");
        assert_eq!(others.count(), checks.len() - 1);
        checks.iter().find(|one| one.check == check).unwrap().status
    }

    #[test]
    fn each_fault_of_a_server_is_told_and_no_other() {
        assert_eq!(found("database.version", |_| {}), Ok);
        assert_eq!(
            found("database.version", |facts| facts.version = 149_999),
            Warning
        );
        assert_eq!(
            found("database.version", |facts| facts.version = 180_000),
            Ok
        );
        assert_eq!(
            found("database.writable", |facts| facts.is_read_only = true),
            Problem
        );
        assert_eq!(
            found("database.durable", |facts| facts.is_durable = false),
            Warning
        );
        let latin = |facts: &mut Facts| facts.encoding = "LATIN1".to_owned();
        assert_eq!(found("database.encoding", latin), Problem);
        assert_eq!(
            found("database.connections", |facts| facts.most_connections = 19),
            Warning
        );
    }

    #[test]
    fn clocks_that_differ_are_told_whichever_is_ahead() {
        let by = |ahead: f64, uncertainty: f64| {
            found("database.clock", |facts| {
                facts.clock_ahead = ahead;
                facts.clock_uncertainty = uncertainty;
            })
        };
        assert_eq!([by(2.0, 0.0), by(-2.0, 0.0)], [Ok, Ok]);
        assert_eq!([by(2.1, 0.0), by(-2.1, 0.0)], [Warning, Warning]);
        // A slow answer says less.
        assert_eq!([by(2.9, 1.0), by(-3.1, 1.0)], [Ok, Warning]);
    }

    #[test]
    fn a_database_that_is_far_away_is_told() {
        assert_eq!(
            [0, 19, 20].map(|millis| reachable(&good(), millis).status),
            [Ok, Ok, Warning]
        );
    }

    #[test]
    fn whatever_does_not_check_the_certificate_is_told_unless_it_is_here() {
        let of = |host: &str, mode: PgSslMode| {
            let options = PgConnectOptions::new_without_pgpass()
                .host(host)
                .ssl_mode(mode);
            tls(&options, &good()).status
        };
        let modes = [
            (PgSslMode::VerifyFull, Ok),
            (PgSslMode::VerifyCa, Warning),
            (PgSslMode::Require, Warning),
            (PgSslMode::Prefer, Warning),
            (PgSslMode::Disable, Warning),
        ];
        for (mode, expected) in modes {
            assert_eq!(of("db.example.com", mode), expected, "{mode:?}");
        }
        assert_eq!(of("127.0.0.1", PgSslMode::Disable), Ok);
    }

    #[test]
    fn rights_that_are_missing_are_told() {
        let of = |for_migrations: bool, change: fn(&mut Facts)| {
            let mut facts = good();
            change(&mut facts);
            rights(&facts, for_migrations).map(|check| check.status)
        };
        assert_eq!(of(true, |_| {}), Some(Ok));
        assert_eq!(of(false, |_| {}), None);
        let missing = |facts: &mut Facts| facts.missing_rights = Some("DELETE on task".to_owned());
        assert_eq!([of(true, missing), of(false, missing)], [Some(Problem); 2]);
        assert_eq!(of(true, |facts| facts.schema = None), Some(Problem));
        assert_eq!(of(true, |facts| facts.may_create = false), Some(Warning));
    }
}
