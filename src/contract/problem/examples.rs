//! The problems that the document shows as examples: one for each code that a status comes with. Tests
//! hold real answers against them.

use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Fault, Problem};
use crate::contract::Task;

/// The codes of a status, each with a detail as a client could get it.
fn kinds(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        400 => &[
            (
                "invalid_parameters",
                "Parameters have faults; `errors` lists all of them.",
            ),
            (
                "invalid_cursor",
                "Parameters have faults; `errors` lists all of them.",
            ),
            (
                "malformed_json",
                "The body is not valid JSON: expected value at line 1 column 11.",
            ),
            ("body_incomplete", "The body was cut off."),
        ],
        // The most frequent of many.
        401 => &[
            (
                "token_missing",
                "Send the header `Authorization: Bearer <token>`.",
            ),
            ("token_expired", "The token expired 37 s ago."),
            (
                "session_token_not_jwt",
                "This is a Better Auth session token; call authClient.token() (or GET /api/auth/token) and send that JWT.",
            ),
            (
                "bad_signature",
                "The token was not signed with the issuer's key, or was changed.",
            ),
        ],
        403 => &[
            (
                "insufficient_scope",
                "The token's `scope` does not have `tasks:write`, which this needs.",
            ),
            (
                "not_your_path",
                "The path names another user than your token; use your own id, or `me`.",
            ),
        ],
        404 => &[("task_not_found", "You have no task 7.")],
        408 => &[("body_too_slow", "The body must arrive within 30 s.")],
        409 => &[
            (
                "task_limit_reached",
                "You have 10000 tasks, which is the most one can have; delete some first.",
            ),
            (
                "idempotency_key_of_deleted_task",
                "This Idempotency-Key created task 7, which was deleted since; restore it, or use a new key.",
            ),
        ],
        412 => &[(
            "version_mismatch",
            "The task has changed since: it is at version 12 now. `current` shows it; decide again and send If-Match with its version.",
        )],
        413 => &[(
            "body_too_large",
            "The body must not be larger than 1048576 bytes.",
        )],
        415 => &[(
            "unsupported_media_type",
            "The body must be JSON in UTF-8 with the header `Content-Type: application/json`; it was `text/plain`.",
        )],
        422 => &[
            (
                "validation_failed",
                "The body has faults; `errors` lists all of them.",
            ),
            (
                "idempotency_key_reused",
                "This Idempotency-Key came before with another body; use a new key for a new task.",
            ),
        ],
        429 => &[(
            "rate_limited",
            "You have sent too many requests; go on in 2 s.",
        )],
        500 => &[(
            "internal_error",
            "The server failed. The log has the cause under the request id.",
        )],
        503 => &[
            (
                "database_unavailable",
                "The database is not available now; try again shortly.",
            ),
            (
                "outcome_unknown",
                "The connection to the database broke, and whether the change was made is not known. Look before you repeat it, or send an Idempotency-Key with creations.",
            ),
            (
                "keys_unavailable",
                "The issuer's keys cannot be fetched at the moment; the token may be good. Try again in a second.",
            ),
            ("not_ready", "Not ready: the database does not answer."),
        ],
        _ => &[],
    }
}

fn errors(code: &str) -> Vec<Fault> {
    let cursor =
        "is not the `next_cursor` of a page with these filters and this order; start without it";
    match code {
        "invalid_parameters" => vec![Fault::at_parameter(
            "limit",
            "must be an integer from 1 to 100",
        )],
        "invalid_cursor" => vec![Fault::at_parameter("cursor", cursor)],
        "validation_failed" => vec![
            Fault::at_pointer("/title".to_owned(), "is required"),
            Fault::at_pointer("/tags/1".to_owned(), "is the same as tag 0, ignoring case"),
        ],
        _ => Vec::new(),
    }
}

/// The name in the document of what a status says, and its examples, by their codes.
pub(crate) fn problem_examples(status: u16) -> (String, Value) {
    let status_code = StatusCode::from_u16(status).unwrap_or_default();
    let example = |(code, detail): &(&'static str, &str)| {
        let current =
            (status == 412).then(|| Box::new(<Task as poem_openapi::types::Example>::example()));
        let problem = Problem {
            errors: errors(code),
            current,
            ..Problem::new(status_code, code, *detail)
        };
        let value = json!({ "value": problem.into_detail("9f0c1a52b7d84e36") });
        ((*code).to_owned(), value)
    };
    let name = status_code
        .canonical_reason()
        .unwrap_or("Error")
        .replace(' ', "");
    let examples: Map<_, _> = kinds(status).iter().map(example).collect();
    (name, examples.into())
}
