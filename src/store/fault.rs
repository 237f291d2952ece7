//! Why a database cannot be used, in sentences for the operator: what is wrong, and what to do.

use std::{fs::metadata, io, os::unix::fs::FileTypeExt as _, path::Path};

use sea_orm::{
    SqlxError,
    sqlx::{
        error::DatabaseError,
        postgres::{PgConnectOptions, PgSslMode},
    },
};
use tokio::net::lookup_host;

/// Why a connection to PostgreSQL failed. `setting` is the name of the one that has its URL.
pub(super) async fn postgres_fault(
    options: &PgConnectOptions,
    setting: &str,
    error: &SqlxError,
) -> String {
    let place = place(options);
    match error {
        SqlxError::Io(error) => io_fault(options, setting, &place, error).await,
        SqlxError::Database(error) => refusal(options, setting, &place, &**error),
        SqlxError::Tls(error) => {
            let checks = match options.get_ssl_mode() {
                PgSslMode::VerifyCa | PgSslMode::VerifyFull => {
                    ". Its certificate is checked, also for `sslmode=require` on another machine: for a certificate \
                     authority of your own add `sslrootcert=FILE`"
                }
                _ => "",
            };
            format!(
                "TLS with PostgreSQL at {place} failed ({error}){checks}. For a server without TLS in a network \
                 that you trust, `sslmode=disable`"
            )
        }
        SqlxError::Protocol(_) => {
            format!("what listens at {place} does not answer like PostgreSQL; check host and port")
        }
        SqlxError::PoolTimedOut => format!(
            "PostgreSQL at {place} does not answer; check host and port, and whether a firewall is in between"
        ),
        other => format!("cannot connect to PostgreSQL at {place}: {other}"),
    }
}

async fn io_fault(
    options: &PgConnectOptions,
    setting: &str,
    place: &str,
    error: &io::Error,
) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => format!(
            "nothing listens at {place}: start PostgreSQL there, or correct host and port in {setting}"
        ),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            format!("{place} closed the connection: check that it is PostgreSQL, and its log")
        }
        _ if options.get_socket().is_none()
            && lookup_host((options.get_host(), options.get_port()))
                .await
                .is_err() =>
        {
            format!(
                "the host name {} is not known: correct it in {setting}, or look at the DNS of this machine",
                options.get_host()
            )
        }
        _ => format!("cannot connect to PostgreSQL at {place}: {error}"),
    }
}

/// What PostgreSQL, or a pooler before it, said no to.
fn refusal(
    options: &PgConnectOptions,
    setting: &str,
    place: &str,
    error: &dyn DatabaseError,
) -> String {
    let user = options.get_username();
    // Without a name, PostgreSQL takes that of the user.
    let database = options.get_database().unwrap_or(user);
    let (code, message) = (error.code().unwrap_or_default(), error.message());
    match &*code {
        "28P01" => format!(
            "PostgreSQL at {place} refuses the password of the user {user}: correct it in {setting} (special \
             characters percent-encoded)"
        ),
        "28000" => format!("PostgreSQL at {place} refuses the user {user}: {message}"),
        "3D000" => format!(
            "PostgreSQL at {place} has no database {database}: create it (`CREATE DATABASE {database}`), or correct \
             its name in {setting}"
        ),
        "53300" => format!(
            "PostgreSQL at {place} has no connection left: lower DATABASE_MAX_CONNECTIONS, or raise its \
             max_connections"
        ),
        "57P03" => format!("PostgreSQL at {place} is starting or stopping"),
        _ if is_parameter_refused(error) => format!(
            "the pooler at {place} refuses a parameter of {setting} ({message}): leave it out, or name it in \
             PgBouncer's ignore_startup_parameters"
        ),
        _ => format!("PostgreSQL at {place} refuses to connect: {message} ({code})"),
    }
}

/// Whether a pooler does not know a parameter of the connection.
fn is_parameter_refused(error: &dyn DatabaseError) -> bool {
    error.message().contains("unsupported startup parameter")
}

/// Where a server is, without the password.
fn place(options: &PgConnectOptions) -> String {
    let (host, port) = (options.get_host(), options.get_port());
    match options.get_socket() {
        Some(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
        None if host.contains(':') => format!("[{host}]:{port}"),
        None => format!("{host}:{port}"),
    }
}

/// Why what is there cannot be the file of a SQLite database; `None` if it can. `setting` is the name of the one that
/// has its URL.
pub(super) fn not_a_file(file: &Path, setting: &str) -> Option<String> {
    // Of a file that is not there, or may not be looked at, opening it tells more.
    let kind = metadata(file).ok()?.file_type();
    let file = file.display();
    let what = match kind {
        kind if kind.is_file() => return None,
        kind if kind.is_dir() => {
            return Some(format!(
                "{setting} names the directory {file}: add the name of a file in it, like taskward.db"
            ));
        }
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "something else",
    };
    Some(format!(
        "{setting} names {file}, which is {what} and no regular file: a SQLite database needs a file of its own"
    ))
}

/// Why a SQLite file that is there cannot be used, or cannot be written any further.
pub(super) fn sqlite_fault(file: &Path, error: &SqlxError) -> String {
    let file = file.display();
    let code = error.as_database_error().and_then(DatabaseError::code);
    // The lower eight bits are the kind of error.
    match code
        .and_then(|code| code.parse::<u32>().ok())
        .map(|code| code & 0xff)
    {
        Some(8) => format!(
            "the SQLite file {file} cannot be written: give this user the right to write it and its folder"
        ),
        Some(14) => format!(
            "SQLite cannot open {file}, or make its files beside it (-wal, -shm): give this user the right to write \
             the file and its folder"
        ),
        Some(5 | 6) => format!("another process locks the SQLite file {file}"),
        Some(26) => format!("{file} is no SQLite database"),
        Some(11) => format!("the SQLite file {file} is damaged: restore it from a backup"),
        Some(13) => format!("the disk of the SQLite file {file} is full"),
        _ => format!("cannot use the SQLite file {file}: {error}"),
    }
}
