//! One look at the database when the server starts.
//!
//! The server starts all the same when PostgreSQL is away, since it may come later. But then the operator should
//! read at once what is wrong, instead of meeting 503s.

use std::time::Duration;

use anyhow::bail;
use sea_orm::{
    SqlxError,
    sqlx::{
        self, ConnectOptions as _, Connection as _, PgConnection, Row as _, error::DatabaseError,
        postgres::PgConnectOptions,
    },
};
use tokio::time::timeout;

use super::{Database, fault::postgres_fault, migrate::UnknownMigrations};

/// How long a connection may take. A suspended Neon database needs some hundred milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the start waits for the look to end.
const START_WAITS: Duration = Duration::from_secs(2);

/// What is wrong with the database.
#[derive(Debug)]
enum Finding {
    /// With this setup no request would work, or do what it should.
    Unusable(String),
    /// It may become well without a restart.
    Trouble(String),
}

impl Database {
    /// Looks at the database and logs what is wrong with it. If that takes long, the start goes on meanwhile.
    ///
    /// # Errors
    /// If it is a pooler that mixes up the prepared statements of its clients.
    pub async fn first_look(&self) -> anyhow::Result<()> {
        let database = self.clone();
        let mut look = tokio::spawn(async move { database.look().await });
        match timeout(START_WAITS, &mut look).await {
            Ok(Ok(Err(Finding::Unusable(what)))) => bail!("{what}"),
            Ok(Ok(Err(Finding::Trouble(what)))) => tracing::error!("{what}"),
            Ok(_) => {}
            Err(_) => {
                tokio::spawn(async move {
                    if let Ok(Err(Finding::Unusable(what) | Finding::Trouble(what))) = look.await {
                        tracing::error!("{what}");
                    }
                });
            }
        }
        Ok(())
    }

    /// Connects once, without the pool, which would try again and again until its timeout.
    ///
    /// # Errors
    /// Why that failed, and what to do.
    pub async fn check_reachable(&self) -> anyhow::Result<()> {
        if let Some(postgres) = self.engine().postgres() {
            let connection = connect(postgres, self.url_setting()).await;
            connection.map_err(anyhow::Error::msg)?.close().await.ok();
        }
        Ok(())
    }

    async fn look(&self) -> Result<(), Finding> {
        if let Some(postgres) = self.engine().postgres() {
            look_for_poolers(postgres, self.url_setting()).await?;
        }
        let migrations = match self.status().await {
            Ok(migrations) => migrations,
            Err(error) if error.is::<UnknownMigrations>() => {
                tracing::warn!("{error}");
                return Ok(());
            }
            Err(error) => return Err(Finding::Trouble(format!("{error:#}"))),
        };
        let pending: Vec<String> = migrations
            .into_iter()
            .filter_map(|(name, applied)| (!applied).then_some(name))
            .collect();
        if pending.is_empty() {
            return Ok(());
        }
        Err(Finding::Trouble(format!(
            "migrations are pending, and requests fail until they are applied: run `taskward migrate up`, or set \
             AUTO_MIGRATE=on ({})",
            pending.join(", ")
        )))
    }
}

/// Checks that prepared statements of two clients are kept apart.
///
/// # Errors
/// A pooler that mixes them up, or why it could not be found out.
pub(super) async fn prepared_statements(
    options: &PgConnectOptions,
    setting: &str,
) -> Result<(), String> {
    let looked = look_for_poolers(options, setting).await;
    looked.map_err(|(Finding::Unusable(what) | Finding::Trouble(what))| what)
}

async fn connect(options: &PgConnectOptions, setting: &str) -> Result<PgConnection, String> {
    let connected = match timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connected) => connected,
        Err(_) => Err(SqlxError::PoolTimedOut),
    };
    match connected {
        Ok(connection) => Ok(connection),
        Err(error) => Err(postgres_fault(options, setting, &error).await),
    }
}

/// Finds out whether a pooler gives its clients one server connection in turn, and mixes up their prepared
/// statements, which all have the same names: PgBouncer before 1.21 does, and later ones without
/// `max_prepared_statements`. A request could then run the statement of another one.
async fn look_for_poolers(options: &PgConnectOptions, setting: &str) -> Result<(), Finding> {
    let mut one = connect(options, setting).await.map_err(Finding::Trouble)?;
    let mut other = connect(options, setting).await.map_err(Finding::Trouble)?;
    // Two texts under one name, most likely on one server connection, as nobody else is there yet.
    let first = sqlx::query("SELECT pg_backend_pid(), 1")
        .fetch_one(&mut one)
        .await;
    let second = sqlx::query("SELECT pg_backend_pid(), 2")
        .fetch_one(&mut other)
        .await;
    one.close().await.ok();
    other.close().await.ok();
    let confused = |error: &SqlxError| {
        let code = error.as_database_error().and_then(DatabaseError::code);
        // duplicate_prepared_statement, invalid_sql_statement_name
        matches!(code.as_deref(), Some("42P05" | "26000"))
    };
    let mixed_up = match (&first, &second) {
        (Ok(_), Ok(second)) => second.try_get::<i32, _>(1).is_ok_and(|number| number != 2),
        (first, second) => [first, second]
            .iter()
            .any(|answer| answer.as_ref().is_err_and(confused)),
    };
    if mixed_up {
        return Err(Finding::Unusable(format!(
            "{setting} leads to a pooler in transaction mode that does not keep prepared statements apart. Use \
             PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode = session, or connect to \
             PostgreSQL directly"
        )));
    }
    for answer in [first, second] {
        if let Err(error) = answer {
            return Err(Finding::Trouble(
                postgres_fault(options, setting, &error).await,
            ));
        }
    }
    Ok(())
}
