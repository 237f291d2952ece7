//! What the store's errors mean to a client.

use poem::http::StatusCode;

use crate::{
    contract::{Fault, Problem, Task},
    store::{StoreError, Unchanged},
};

/// What the store's errors mean to a client. What only the log may know goes there.
pub(crate) fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::NotFound(id) => Problem::new(
            StatusCode::NOT_FOUND,
            "task_not_found",
            format!("You have no task {}.", id.get()),
        ),
        StoreError::Changed(task) => changed(&task, None),
        StoreError::KeyReused => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This Idempotency-Key came before with another body; use a new key for a new task.",
        ),
        StoreError::KeyOfDeleted(id) => Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_of_deleted_task",
            format!(
                "This Idempotency-Key created task {}, which was deleted since; restore it, or use a new key.",
                id.get()
            ),
        ),
        StoreError::LimitReached(limit) => Problem::new(
            StatusCode::CONFLICT,
            "task_limit_reached",
            format!("You have {limit} tasks, which is the most one can have; delete some first."),
        ),
        StoreError::BadCursor => Problem {
            code: "invalid_cursor",
            ..Problem::parameters(vec![Fault::at_parameter(
                "cursor",
                "is not the `next_cursor` of a page with these filters and this order; start without it",
            )])
        },
        StoreError::Unavailable(cause) => {
            tracing::error!(cause, "the database is not available");
            let detail = "The database is not available now; try again shortly.";
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "database_unavailable",
                detail,
            )
            .retry_after(2)
        }
        StoreError::Uncertain(cause) => {
            tracing::error!(cause, "the connection to the database broke during a write");
            let detail = "The connection to the database broke, and whether the change was made is not \
                          known. Look before you repeat it, or send an Idempotency-Key with creations.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", detail).retry_after(2)
        }
        StoreError::Internal(cause) => {
            tracing::error!(cause, "the database failed");
            Problem::internal()
        }
    }
}

/// 412 for a write that expected another version. `current` is for clients that may read.
pub(super) fn changed(met: &Unchanged, current: Option<Task>) -> Problem {
    let then = match current {
        Some(_) => "`current` shows it;",
        None => "Read it with a token that has `tasks:read`,",
    };
    let version = met.version().get();
    let detail = if met.is_in_another_version() {
        format!(
            "The task has changed since: it is at version {version} now. {then} decide again and send If-Match with its version."
        )
    } else {
        format!(
            "If-Match names no version of a task; the task is at version {version}. {then} decide again and send If-Match with its \
             ETag as it came."
        )
    };
    let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", detail);
    Problem {
        current: current.map(Box::new),
        ..problem
    }
}
