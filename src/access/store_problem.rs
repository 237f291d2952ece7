//! What the store's errors mean to a client.

use crate::{
    contract::{Fault, Problem, ProblemCode, Task},
    store::{Lost, Named, StoreError, Unchanged},
};

/// The problem that an error of the store is. Causes that only the operator may know go to the log.
pub(crate) fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(id) => {
            let detail = format!("You have no task {}.", id.get());
            Problem::new(ProblemCode::TaskNotFound, detail)
        }
        StoreError::NoUid(uid) => {
            let detail = format!("You have no task with the uid {}.", uid.as_str());
            Problem::new(ProblemCode::TaskNotFound, detail)
        }
        StoreError::NotDone(place) => {
            let detail = format!(
                "Nothing of this batch was done, because operations[{place}] was refused. Correct that operation, then \
                 send all again."
            );
            Problem::new(ProblemCode::BatchNotDone, detail)
        }
        StoreError::Changed(task) => changed(&task, None, "If-Match"),
        StoreError::KeyReused => {
            let detail =
                "This Idempotency-Key was used with another body; use a new key for a new task.";
            Problem::new(ProblemCode::IdempotencyKeyReused, detail)
        }
        StoreError::KeyOfDeleted(id) => {
            let detail = format!(
                "This Idempotency-Key created task {}, which is deleted now; restore it, or use a new key.",
                id.get()
            );
            Problem::new(ProblemCode::IdempotencyKeyOfDeletedTask, detail)
        }
        StoreError::UidTaken(task) => uid_taken(&task, None),
        StoreError::UidOfDeleted(id) => {
            let detail = format!(
                "This uid is that of task {}, which is deleted now; restore it, or use a new uid.",
                id.get()
            );
            Problem::new(ProblemCode::UidOfDeletedTask, detail)
        }
        StoreError::LimitReached(limit) => {
            let detail = format!("You have {limit} tasks, which is the limit; delete some first.");
            Problem::new(ProblemCode::TaskLimitReached, detail)
        }
        StoreError::StorageFull {
            stored,
            needed,
            limit,
        } => {
            let detail = format!(
                "Your tasks take {stored} of {limit} bytes, and this needs {needed} more; delete tasks or shorten their texts."
            );
            Problem::new(ProblemCode::StorageLimitReached, detail)
        }
        StoreError::BadCursor => Problem::parameters(vec![Fault::at_parameter(
            "cursor",
            "is not the `next_cursor` of a page with these filters and this order; start without it",
        )]),
        StoreError::BadFeedCursor => Problem::parameters(vec![Fault::at_parameter(
            "cursor",
            "is not the `cursor` of a page of your changes; start with `since`",
        )]),
        StoreError::ResyncRequired(lost) => {
            Problem::new(ProblemCode::ResyncRequired, resync_required(lost))
        }
        StoreError::TooSlow => {
            let detail = "It took too long to read this, so the database was told to stop. Ask for less, by another \
                          filter or order, or retry in 10 s.";
            Problem::new(ProblemCode::ReadTooSlow, detail).retry_after(10)
        }
        StoreError::Unavailable(cause) => {
            tracing::error!(cause, "the database is not available");
            let detail = "The database is not available now. Retry in 2 s.";
            Problem::new(ProblemCode::DatabaseUnavailable, detail).retry_after(2)
        }
        StoreError::Uncertain(cause) => {
            tracing::error!(cause, "the connection to the database broke during a write");
            let detail = "The connection to the database broke, so it is not known whether the change was made. \
                          Read the task before you repeat the change; creations can be repeated safely with an \
                          Idempotency-Key or a uid.";
            Problem::new(ProblemCode::OutcomeUnknown, detail).retry_after(2)
        }
        StoreError::Internal(cause) => {
            tracing::error!(cause, "the database failed");
            Problem::internal()
        }
    }
}

/// What a client is told that must read all tasks again.
pub(crate) fn resync_required(lost: Lost) -> String {
    let why = match lost {
        Lost::Purged(place) => {
            format!("What was deleted after revision {place} is no longer known.")
        }
        Lost::Erased(revision) => {
            format!("Everything up to revision {revision} was deleted or replaced.")
        }
        Lost::Ahead { known, revision } => format!(
            "Your tasks are at revision {revision}, before {known}: this is another database, or an older state of it."
        ),
        Lost::Late => {
            "The cursor is older than the time for which deleted tasks are kept.".to_owned()
        }
    };
    format!("{why} Sync again from `since=0`, and forget the tasks that you have.")
}

/// 409 for a creation with the uid of another task. `current` is for clients that may read.
pub(super) fn uid_taken(met: &Unchanged, current: Option<Task>) -> Problem {
    let shown = match current {
        Some(_) => " `current` shows it.",
        None => "",
    };
    let detail = format!(
        "This uid is that of task {}, which was created with another body.{shown} Change that task, \
         or use a new uid for a new one.",
        met.id().get()
    );
    let problem = Problem::new(ProblemCode::UidTaken, detail);
    Problem {
        current: current.map(Box::new),
        ..problem
    }
}

/// 412 for a write that expected another version. `current` is for clients that may read; `condition` is by what they
/// say which version they expect.
pub(super) fn changed(met: &Unchanged, current: Option<Task>, condition: &str) -> Problem {
    let then = match current {
        Some(_) => "`current` shows it;",
        None => "Read it with a token that has `tasks:read`,",
    };
    let version = met.version().get();
    let detail = match met.named() {
        Named::Earlier => format!(
            "The task has changed since and is now at version {version}. {then} decide again and send {condition} with that version."
        ),
        Named::Later => format!(
            "{condition} names a version that the task has not reached; it is at version {version}. {then} decide again and send \
             {condition} with that version."
        ),
        Named::Excluded => format!(
            "If-None-Match excludes the task as it is, at version {version}. {then} decide again, and to change only that version \
             send {condition} with it."
        ),
        Named::Nothing => format!(
            "{condition} names no version of a task; the task is at version {version}. {then} decide again and send {condition} with its \
             ETag as it came."
        ),
    };
    let problem = Problem::new(ProblemCode::VersionMismatch, detail);
    Problem {
        current: current.map(Box::new),
        ..problem
    }
}
