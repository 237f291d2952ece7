//! What can go wrong in the store: what the caller must know, and what only the log may.

use std::{borrow::Cow, io, sync::Arc};

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};
use thiserror::Error;

use super::{changes::Lost, tasks::Unchanged};
use crate::{
    contract::{TaskId, Uid},
    telemetry::StatementFault,
};

/// Why the store did not do what was asked. Causes are for the log and the operator, never for a client.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The user has no such task, or it is deleted.
    #[error("no task {}", .0.get())]
    NotFound(TaskId),
    /// The user has no task of this uid, or it is deleted.
    #[error("no task {}", .0.as_str())]
    NoUid(Uid),
    /// Nothing of the batch was done, because the operation at this place was refused.
    #[error("operation {0} of the batch was refused")]
    NotDone(usize),
    /// The task is not in the version that was expected.
    #[error("the task is at version {}", .0.version().get())]
    Changed(Unchanged),
    /// The Idempotency-Key was used with another body.
    #[error("the idempotency key was used with another body")]
    KeyReused,
    /// The task that was created with this Idempotency-Key is deleted.
    #[error("task {} of this key is deleted", .0.get())]
    KeyOfDeleted(TaskId),
    /// The uid is that of a task that another request created.
    #[error("the uid is that of the task at version {}", .0.version().get())]
    UidTaken(Unchanged),
    /// The task of this uid is deleted.
    #[error("task {} of this uid is deleted", .0.get())]
    UidOfDeleted(TaskId),
    /// The user has as many tasks as a user may have.
    #[error("the user has {0} tasks")]
    LimitReached(i64),
    /// There is no room for what is to be written, even without all tombstones of the user.
    #[error("the user stores {stored} of {limit} bytes, and needs {needed} more")]
    StorageFull {
        /// Bytes of the user's live tasks.
        stored: i64,
        /// Bytes that the write adds.
        needed: i64,
        /// Bytes that the user may store.
        limit: i64,
    },
    /// The cursor is of another list, or not a cursor at all.
    #[error("the cursor is of another list")]
    BadCursor,
    /// The cursor is not of this user's changes, or not a cursor at all.
    #[error("the cursor is not of this feed")]
    BadFeedCursor,
    /// What was deleted since is no longer known, so the client must read all tasks again.
    #[error("changes are lost: {0:?}")]
    ResyncRequired(Lost),
    /// What is to be read takes longer than a statement may take.
    #[error("the read takes too long")]
    TooSlow,
    /// The database cannot be reached or cannot work now; a retry can help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection broke during a write, which may have been done or not.
    #[error("the connection broke during a write: {0}")]
    Uncertain(String),
    /// A fault of this program or its data.
    #[error("the database failed: {0}")]
    Internal(String),
}

impl StoreError {
    /// What the failure of a write means.
    pub(super) fn of_write(error: &DbErr) -> Self {
        match Outage::of(error) {
            Some(Outage::Unknown) => Self::Uncertain(cause(error)),
            Some(Outage::NotDone | Outage::Unable) => Self::Unavailable(cause(error)),
            None => Self::Internal(cause(error)),
        }
    }
}

/// What the failure of a read means.
impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match Outage::of(&error) {
            Some(_) if is_too_slow(&error) => Self::TooSlow,
            Some(_) => Self::Unavailable(cause(&error)),
            None => Self::Internal(cause(&error)),
        }
    }
}

/// What the database said, without the layers that passed it on, and with a name for the code.
fn cause(error: &DbErr) -> String {
    let (DbErr::Conn(RuntimeErr::SqlxError(driver))
    | DbErr::Exec(RuntimeErr::SqlxError(driver))
    | DbErr::Query(RuntimeErr::SqlxError(driver))) = error
    else {
        return error.to_string();
    };
    match driver.as_database_error() {
        Some(told) => match told.code() {
            Some(code) => format!("{} ({})", told.message(), code_name(&code)),
            None => told.message().to_owned(),
        },
        None => driver.to_string(),
    }
}

/// The name of a code by which people find it in the manual.
fn code_name(code: &str) -> String {
    let number = code.parse::<u32>().ok().filter(|_| code.len() < 5);
    let name = match number.map(|number| number & 0xff) {
        None => return format!("SQLSTATE {code}"),
        Some(5) => "SQLITE_BUSY",
        Some(6) => "SQLITE_LOCKED",
        Some(8) => "SQLITE_READONLY",
        Some(9) => "SQLITE_INTERRUPT",
        Some(10) => "SQLITE_IOERR",
        Some(11) => "SQLITE_CORRUPT",
        Some(13) => "SQLITE_FULL",
        Some(14) => "SQLITE_CANTOPEN",
        Some(19) => "SQLITE_CONSTRAINT",
        Some(26) => "SQLITE_NOTADB",
        Some(_) => return format!("SQLite's result code {code}"),
    };
    name.to_owned()
}

/// In what way the database is away, which decides whether a statement may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// The statement did not take effect: no connection could be had, or the server said that it
    /// ended the session before the statement was done.
    NotDone,
    /// The connection broke; whether the statement took effect is not known.
    Unknown,
    /// The database answers, but cannot do this now (disk full, read-only, locked).
    Unable,
}

impl Outage {
    /// `None` for an error that is not about the database being away.
    pub(super) fn of(error: &DbErr) -> Option<Self> {
        let runtime = match error {
            DbErr::ConnectionAcquire(_) => return Some(Self::NotDone),
            DbErr::Conn(RuntimeErr::SqlxError(_)) => return Some(Self::NotDone),
            DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => e,
            _ => return None,
        };
        match &**runtime {
            SqlxError::PoolTimedOut | SqlxError::PoolClosed => Some(Self::NotDone),
            SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::WorkerCrashed => Some(Self::Unknown),
            // A connection that ends in the middle of a message.
            SqlxError::Protocol(_) => Some(Self::Unknown),
            SqlxError::Database(e) => Self::of_code(&e.code().unwrap_or_default()),
            _ => None,
        }
    }

    /// The codes of PostgreSQL (appendix A of its manual; five characters) and of SQLite (numbers,
    /// of which the lower eight bits are the kind).
    fn of_code(code: &str) -> Option<Self> {
        // The session ended before the commit, never began, or was rolled back.
        if matches!(
            code,
            "57P01" | "57P03" | "53300" | "40001" | "40P01" | "08001" | "08004"
        ) {
            return Some(Self::NotDone);
        }
        // The server crashed (57P02), or a pooler lost it: PgBouncer says 08P01 whenever that was.
        if code == "57P02" || code.len() == 5 && code.starts_with("08") {
            return Some(Self::Unknown);
        }
        if matches!(
            code,
            "53100" | "42P01" | "42703" | "53200" | "53400" | "25006" | "57014" | "55P03" | "58030"
        ) {
            return Some(Self::Unable);
        }
        let number = code.parse::<u32>().ok().filter(|_| code.len() < 5)?;
        // BUSY, LOCKED, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN
        matches!(number & 0xff, 5 | 6 | 8 | 9 | 10 | 13 | 14).then_some(Self::Unable)
    }
}

/// The error of a statement that was sent by the driver itself.
pub(super) fn of_driver(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Whether a connection was lost, as opposed to one that could not be had in time, or on which nothing
/// came in time.
pub(super) fn is_lost(error: &DbErr) -> bool {
    let timed_out =
        |e: &SqlxError| matches!(e, SqlxError::Io(e) if e.kind() == io::ErrorKind::TimedOut);
    of_statement(error).is_some_and(|error| !timed_out(error))
        && matches!(Outage::of(error), Some(Outage::NotDone | Outage::Unknown))
}

/// Whether the database itself refused a statement, and did nothing of it.
pub(super) fn is_refused(error: &DbErr) -> bool {
    of_statement(error).is_some_and(|error| error.as_database_error().is_some())
}

/// Whether the transaction was rolled back for the sake of another one; the connection is well.
pub(super) fn is_conflict(error: &DbErr) -> bool {
    let code = of_statement(error).and_then(code);
    matches!(code.as_deref(), Some("40001" | "40P01"))
}

/// Whether another transaction holds a lock that the statement did not wait for (`lock_not_available`), or others wrote
/// while a plan was made.
pub(super) fn is_locked(error: &DbErr) -> bool {
    matches!(error, DbErr::RecordNotUpdated)
        || of_statement(error).and_then(code).as_deref() == Some("55P03")
}

/// Whether a statement was ended because it took too long (`query_canceled`, `SQLITE_INTERRUPT`).
fn is_too_slow(error: &DbErr) -> bool {
    let code = of_statement(error).and_then(code);
    matches!(code.as_deref(), Some("57014" | "9"))
}

/// What the metrics call the fault of a statement.
pub(super) fn statement_fault(error: &DbErr) -> StatementFault {
    match error {
        error if is_locked(error) || is_busy(error) => StatementFault::Locked,
        error if is_too_slow(error) => StatementFault::Timeout,
        error if is_lost(error) || of_statement(error).is_none() => StatementFault::Unavailable,
        error if is_refused(error) => StatementFault::Refused,
        _ => StatementFault::Timeout,
    }
}

/// Whether SQLite only says that somebody else has its lock (`SQLITE_BUSY`, in any of its extended forms).
pub(super) fn is_busy(error: &DbErr) -> bool {
    let error = match error {
        DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(&**error),
        error => of_statement(error),
    };
    let number = error
        .and_then(code)
        .and_then(|code| code.parse::<u32>().ok());
    number.is_some_and(|number| number & 0xff == 5)
}

/// The driver's error, if it is about a statement and not about getting a connection.
fn of_statement(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => Some(e),
        _ => None,
    }
}

fn code(error: &SqlxError) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Whether a table is not there (PostgreSQL's `undefined_table`; SQLite has no code of its own for it).
pub(super) fn is_missing_table(error: &DbErr) -> bool {
    let database = of_statement(error).and_then(SqlxError::as_database_error);
    database.is_some_and(|error| {
        error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
    })
}

/// Whether a unique constraint refused the write.
pub(super) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

#[cfg(test)]
mod tests {
    use super::{
        Outage::{self, NotDone, Unable, Unknown},
        code_name,
    };

    #[test]
    fn codes_have_the_names_of_the_manuals() {
        for (code, name) in [
            ("14", "SQLITE_CANTOPEN"),
            ("778", "SQLITE_IOERR"),
            ("1", "SQLite's result code 1"),
            ("57P01", "SQLSTATE 57P01"),
            ("53100", "SQLSTATE 53100"),
        ] {
            assert_eq!(code_name(code), name);
        }
    }

    #[test]
    fn codes_tell_whether_a_write_may_be_sent_again() {
        for (code, outage) in [
            ("57P01", Some(NotDone)), // ended by an administrator, before the commit
            ("57P02", Some(Unknown)), // the server crashed
            ("57P03", Some(NotDone)), // it is starting
            ("08001", Some(NotDone)), // no connection was made
            ("08006", Some(Unknown)), // one broke
            ("08P01", Some(Unknown)), // PgBouncer lost its server
            ("40P01", Some(NotDone)), // deadlock
            ("53100", Some(Unable)),  // disk full
            ("23505", None),          // duplicate
            ("5", Some(Unable)),      // SQLite: busy
            ("778", Some(Unable)),    // SQLite: an I/O error of a write
            ("13", Some(Unable)),     // SQLite: disk full
            ("1555", None),           // SQLite: duplicate primary key
        ] {
            assert_eq!(Outage::of_code(code), outage, "{code}");
        }
    }
}
