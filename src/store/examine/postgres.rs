//! The checks of one URL of PostgreSQL.

use sea_orm::{
    SqlxError,
    sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions},
};
use tokio::{join, time::Instant};

use super::{
    DatabaseSettings,
    facts::{Facts, applied},
    judge::{reachable, rights, server, tls},
    migrations,
    pooler::PoolMode,
};
use crate::{
    check::{CHECK_LIMIT, Check, in_time},
    store::{
        engine::{may_be_about_a_parameter, postgres_options, statement_timeout, with_deadline},
        fault::postgres_fault,
        first_look::prepared_statements,
    },
};

pub(super) const REACHABLE: &str = "database.reachable";
const POOLER: &str = "database.pooler";
const SAME: &str = "database.direct_url";
const PREPARED: &str = "database.prepared_statements";

pub(super) async fn examine(
    pooled: &DatabaseSettings,
    direct: &DatabaseSettings,
    auto_migrate: bool,
) -> Vec<Check> {
    if pooled.url == direct.url {
        let (mut checks, seen) = Box::pin(examine_url(pooled, true, auto_migrate)).await;
        let mode = seen.map(|seen| seen.mode);
        checks.push(match mode {
            Some(PoolMode::Transaction) => Check::warning(
                SAME,
                "DATABASE_URL leads to a pooler in transaction mode, and migrations need a session: set \
                 DATABASE_DIRECT_URL to the same database without the pooler",
            ),
            _ => Check::skipped(SAME, "DATABASE_DIRECT_URL is not set; DATABASE_URL is used for migrations"),
        });
        return checks;
    }
    let ((mut checks, of_pooled), (more, of_direct)) = join!(
        Box::pin(examine_url(pooled, false, auto_migrate)),
        Box::pin(examine_url(direct, true, auto_migrate))
    );
    checks.extend(more);
    checks.push(match (of_pooled, of_direct) {
        (_, Some(Seen { mode: PoolMode::Transaction, .. })) => Check::problem(
            SAME,
            "DATABASE_DIRECT_URL leads to a pooler in transaction mode, and migrations need a session: name the database \
             without the pooler",
        ),
        (Some(one), Some(other)) if one.identity != other.identity => Check::problem(
            SAME,
            "DATABASE_DIRECT_URL and DATABASE_URL lead to two databases: migrations would be applied to another one than \
             requests use; name the same",
        ),
        (Some(_), Some(_)) => Check::ok(SAME, "leads to the same database as DATABASE_URL, in a session"),
        _ => Check::skipped(SAME, "both URLs must be reachable to compare them"),
    });
    checks
}

/// What two URLs are compared by.
struct Seen {
    identity: String,
    mode: PoolMode,
}

/// Checks one URL. The one for migrations must be able to make tables.
async fn examine_url(
    settings: &DatabaseSettings,
    for_migrations: bool,
    auto_migrate: bool,
) -> (Vec<Check>, Option<Seen>) {
    let of = settings.url_setting;
    let named = |checks: Vec<Check>| checks.into_iter().map(|check| check.of(of)).collect();
    let Ok(options) = postgres_options(&settings.url) else {
        // Not the driver's words: they may repeat a part of the URL.
        let detail =
            format!("{of} cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE");
        return (named(vec![Check::problem(REACHABLE, detail)]), None);
    };
    let mut checks = Vec::new();
    let seen = look(
        settings,
        &options,
        for_migrations,
        auto_migrate,
        &mut checks,
    )
    .await;
    let seen = seen.unwrap_or_else(|fault| {
        checks.push(fault);
        None
    });
    (named(checks), seen)
}

/// # Errors
/// The check after which nothing more can be found out.
async fn look(
    settings: &DatabaseSettings,
    options: &PgConnectOptions,
    for_migrations: bool,
    auto_migrate: bool,
    checks: &mut Vec<Check>,
) -> Result<Option<Seen>, Check> {
    let of = settings.url_setting;
    let (mut one, deadline) = connect(settings, options).await?;
    checks.push(deadline);
    let began = Instant::now();
    let facts = in_time(REACHABLE, Facts::read(&mut one)).await?;
    let facts = known(REACHABLE, facts)?;
    checks.push(reachable(&facts, began.elapsed().as_millis()));
    checks.push(tls(options, &facts));
    checks.extend(server(settings, &facts));
    if let Some(rights) = rights(&facts, for_migrations) {
        checks.push(rights);
    }
    let names = in_time(super::MIGRATIONS, applied(&mut one)).await?;
    let names = known(super::MIGRATIONS, names)?;
    if for_migrations {
        checks.push(migrations(names.as_deref(), facts.has_tables, auto_migrate));
    }
    let (mut other, _) = connect(settings, options).await?;
    let mode = in_time(POOLER, PoolMode::between(&mut one, &mut other)).await?;
    let mode = known(POOLER, mode)?;
    checks.push(Check::ok(
        POOLER,
        match mode {
            PoolMode::Session => "none, or one in session mode",
            PoolMode::Transaction => "one in transaction mode",
        },
    ));
    drop((one, other));
    let prepared = in_time(PREPARED, prepared_statements(options, of)).await?;
    checks.push(match prepared {
        Ok(()) => Check::ok(PREPARED, "are kept apart"),
        Err(fault) => Check::problem(PREPARED, fault),
    });
    let identity = facts.identity;
    Ok(Some(Seen { identity, mode }))
}

/// Connects as the server does: with a deadline for statements, and without it where a pooler refuses that.
async fn connect(
    settings: &DatabaseSettings,
    options: &PgConnectOptions,
) -> Result<(PgConnection, Check), Check> {
    const DEADLINE: &str = "database.statement_timeout";
    let of = settings.url_setting;
    let limited = with_deadline(options, settings.acquire_timeout);
    match within(&limited).await {
        Ok(connection) => Ok((connection, Check::ok(DEADLINE, "is accepted"))),
        Err(SqlxError::Database(refusal)) if may_be_about_a_parameter(&*refusal) => {
            let Ok(connection) = within(options).await else {
                let fault = postgres_fault(options, of, &SqlxError::Database(refusal)).await;
                return Err(Check::problem(REACHABLE, fault));
            };
            let detail = format!(
                "the pooler refuses the parameter ({}), so the database goes on with a statement that nobody waits for: set \
                 it for the role (`ALTER ROLE … SET statement_timeout = '{}'`)",
                refusal.message(),
                statement_timeout(settings.acquire_timeout)
            );
            Ok((connection, Check::warning(DEADLINE, detail)))
        }
        Err(error) => Err(Check::problem(
            REACHABLE,
            postgres_fault(options, of, &error).await,
        )),
    }
}

async fn within(options: &PgConnectOptions) -> Result<PgConnection, SqlxError> {
    let connected = tokio::time::timeout(CHECK_LIMIT, options.connect()).await;
    connected.unwrap_or(Err(SqlxError::PoolTimedOut))
}

/// A statement that failed is a problem of its check. The words are PostgreSQL's, for the operator.
fn known<T>(check: &'static str, read: Result<T, SqlxError>) -> Result<T, Check> {
    read.map_err(|error| Check::problem(check, format!("a statement failed: {error}")))
}
