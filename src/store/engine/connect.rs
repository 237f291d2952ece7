//! Opens the connections to the database.

use std::{
    fs::{File, OpenOptions, Permissions, set_permissions},
    io,
    net::IpAddr,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectOptions, DatabaseConnection, DbErr, RuntimeErr, SqlxError,
    sqlx::{
        ConnectOptions as _, Connection as _, SqliteConnection,
        postgres::{PgConnectOptions, PgSslMode},
        sqlite::SqliteConnectOptions,
    },
};
use tokio::time::sleep;

use super::connections::IDLE_TIMEOUT;
use crate::store::{
    DatabaseSettings, StoreError,
    error::is_busy,
    fault::{not_a_file, sqlite_fault},
};

/// How long SQLite waits for the lock of another process.
pub(in crate::store) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for the connection that writes for requests, which tries again until the time of each request is over.
const WRITER_BUSY_TIMEOUT: Duration = Duration::from_millis(250);
/// Read and write for the owner alone, as for the development key.
const PRIVATE: u32 = 0o600;

fn options(settings: &DatabaseSettings) -> ConnectOptions {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(settings.max_connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

/// How this program connects to PostgreSQL.
pub(in crate::store) fn postgres_options(url: &str) -> Result<PgConnectOptions, SqlxError> {
    url.parse().map(adapted)
}

fn adapted(options: PgConnectOptions) -> PgConnectOptions {
    // PgBouncer refuses this parameter unless it is told to ignore it, and no column is a float.
    let options = options
        .application_name("taskward")
        .extra_float_digits(None);
    let options = verified(options);
    // A URL has an IPv6 address in brackets, a socket's address has none. The driver keeps them.
    let host = options.get_host();
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => options.clone().host(address),
        None => options,
    }
}

/// The driver would take `prefer` as the default, and give the password in clear to a server that says it has no TLS. The
/// settings say so already; this also holds where `PGHOST` names another machine.
fn verified(options: PgConnectOptions) -> PgConnectOptions {
    match options.get_ssl_mode() {
        PgSslMode::Allow | PgSslMode::Prefer if !is_local(&options) => {
            options.ssl_mode(PgSslMode::VerifyFull)
        }
        _ => options,
    }
}

/// Whether the database is on this machine.
pub(in crate::store) fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_matches(['[', ']']);
    let is_loopback = || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || is_loopback()
}

/// The connections for what the operator does: migrations, imports. None is made before it is used.
pub(in crate::store) async fn postgres_for_operator(
    settings: &DatabaseSettings,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(settings);
    options
        .min_connections(0)
        .connect_lazy(true)
        .map_sqlx_postgres_opts(adapted);
    sea_orm::Database::connect(options).await
}

/// The connections for what the operator does, and one for the task that writes.
pub(in crate::store) async fn sqlite(
    settings: &DatabaseSettings,
) -> Result<(DatabaseConnection, DatabaseConnection), StoreError> {
    let file = sqlite_file(settings)?;
    if let Some(file) = &file {
        open_private(file, settings)?;
    }
    let opened = sqlite_pools(settings, file.is_some()).await;
    opened.map_err(|error| match (&file, &error) {
        (Some(file), DbErr::Conn(RuntimeErr::SqlxError(error))) => {
            StoreError::Unavailable(sqlite_fault(file, error))
        }
        _ => error.into(),
    })
}

/// Whether a database is gone when its process ends.
pub(in crate::store) fn is_in_memory(url: &str) -> bool {
    url.starts_with("sqlite:") && (url.contains(":memory:") || url.contains("mode=memory"))
}

/// The file of a SQLite database, if it is in one. It need not be there yet.
pub(in crate::store) fn sqlite_file(
    settings: &DatabaseSettings,
) -> Result<Option<PathBuf>, StoreError> {
    let options = sqlite_options(settings)?;
    Ok(options.map(|options| options.get_filename().to_owned()))
}

/// How a SQLite database is opened that is in a file; `None` for one in memory. The file need not be there yet.
pub(super) fn sqlite_options(
    settings: &DatabaseSettings,
) -> Result<Option<SqliteConnectOptions>, StoreError> {
    if is_in_memory(&settings.url) {
        return Ok(None);
    }
    let options: SqliteConnectOptions = settings.url.parse().map_err(|error| {
        StoreError::Unavailable(format!("{} cannot be read: {error}", settings.url_setting))
    })?;
    match not_a_file(options.get_filename(), settings.url_setting) {
        Some(fault) => Err(StoreError::Unavailable(fault)),
        None => Ok(Some(durable(options).disable_statement_logging())),
    }
}

/// WAL: readers and the writer do not wait for each other. FULL: what was acknowledged is on the disk, also after a power
/// cut.
fn durable(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .pragma("journal_mode", "WAL")
        .pragma("synchronous", "FULL")
}

/// Makes sure that the file is there, and creates it readable for its owner alone, which SQLite would not do.
/// The files that SQLite makes beside it (`-wal`, `-shm`) get its permissions.
fn open_private(file: &Path, settings: &DatabaseSettings) -> Result<(), StoreError> {
    let create = settings.url.contains("mode=rwc");
    let unavailable = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound if create => ": its folder must exist".to_owned(),
            io::ErrorKind::NotFound => {
                format!(": add `?mode=rwc` to {} to create it", settings.url_setting)
            }
            _ => String::new(),
        };
        let verb = if create { "create" } else { "open" };
        StoreError::Unavailable(format!(
            "cannot {verb} the SQLite file {} ({error}){hint}. `sqlite://tasks.db` is in the working folder, \
             `sqlite:///srv/tasks.db` is absolute",
            file.display()
        ))
    };
    if create && create_private(file).map_err(unavailable)? {
        return Ok(());
    }
    let mode = File::open(file)
        .and_then(|file| file.metadata())
        .map_err(unavailable)?
        .mode();
    if mode & 0o007 != 0 {
        tracing::warn!(
            "every user of this machine can read the tasks in {0}: `chmod 600 {0}*`",
            file.display()
        );
    }
    Ok(())
}

/// Creates an empty file for its owner alone, whatever the umask; `false` if there is a file already.
pub(in crate::store) fn create_private(file: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    match options
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(file)
    {
        Ok(_) => set_permissions(file, Permissions::from_mode(PRIVATE)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

async fn sqlite_pools(
    settings: &DatabaseSettings,
    in_file: bool,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    let with_busy_timeout = |limit: Duration| {
        let mut options = options(settings);
        options
            .idle_timeout(None)
            .max_lifetime(None)
            .map_sqlx_sqlite_opts(move |options| durable(options).busy_timeout(limit))
            .map_sqlx_sqlite_pool_opts(|pool| {
                pool.after_release(|connection, _| Box::pin(has_no_transaction(connection)))
            });
        options
    };
    let mut one = with_busy_timeout(WRITER_BUSY_TIMEOUT);
    one.max_connections(1).min_connections(1);
    let writer = sqlite_pool(one).await?;
    // Each connection to a database in memory would be a database of its own.
    if !in_file {
        return Ok((writer.clone(), writer));
    }
    Ok((sqlite_pool(with_busy_timeout(BUSY_TIMEOUT)).await?, writer))
}

/// Whether a connection can be used again. SQLite itself ends a transaction that meets a full disk; the
/// `ROLLBACK` that sqlx then sends fails, and sqlx believes for ever to be in a transaction. It would make the
/// next ones savepoints, acknowledged and never committed.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, SqlxError> {
    if connection.is_in_transaction() {
        // A rollback that is under way comes before the ping.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Connects, again if need be: a process that turns a fresh file to WAL, or meets one that does, is told at once
/// that the database is locked, whatever the busy timeout (SQLite calls no busy handler there).
async fn sqlite_pool(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match sea_orm::Database::connect(options.clone()).await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                sleep(Duration::from_millis(rand::random_range(5..25))).await;
            }
            result => return result,
        }
    }
}
