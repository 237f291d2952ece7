//! Errors on the wire: RFC 9457 problem details, the same for every fault of every path.

use std::fmt;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem_openapi::{
    ApiResponse, Object,
    types::{ToJSON, Type},
};
use serde::Serialize;

use super::{
    Maybe, Task,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry},
};

/// A problem (RFC 9457): what went wrong, for a person (`detail`) and for a program (`code`).
#[derive(Debug, Clone, Object, Serialize)]
#[oai(rename = "Problem")]
pub struct ProblemDetail {
    /// A URI that stands for the kind of problem: `urn:taskward:problem:` and the `code`.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub type_uri: String,
    /// A summary that is the same for every problem of this kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time and what to do about it.
    pub detail: String,
    /// The kind of problem, for programs. Codes are stable.
    pub code: String,
    /// Names this request in the server's log; also in the header `X-Request-Id`.
    pub request_id: String,
    /// What is wrong with the input, all of it.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub errors: Maybe<Vec<Fault>>,
    /// With 412: the task as it is now.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub current: Maybe<Task>,
}

/// One thing that is wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
pub struct Fault {
    /// Where in the body: a JSON Pointer (RFC 6901).
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub pointer: Maybe<String>,
    /// The name of the parameter or header, when it is not in the body.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub parameter: Maybe<String>,
    /// What is wrong with it.
    pub detail: String,
}

impl Fault {
    pub(crate) fn at_pointer(pointer: String, detail: impl Into<String>) -> Self {
        Self {
            pointer: Maybe(Some(pointer)),
            parameter: Maybe(None),
            detail: detail.into(),
        }
    }

    pub(crate) fn at_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self {
            pointer: Maybe(None),
            parameter: Maybe(Some(name.to_owned())),
            detail: detail.into(),
        }
    }
}

/// An error on its way to the client; `app` gives it the request's id.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// For a person.
    pub detail: String,
    /// All faults of the input.
    pub errors: Vec<Fault>,
    /// The task as it is, with 412.
    pub current: Option<Box<Task>>,
    /// Headers that belong to it (`Retry-After`, `WWW-Authenticate`, `Allow`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem without anything special.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            current: None,
            headers: Vec::new(),
        }
    }

    /// Input that could be read but is not acceptable: 422 with all its faults.
    pub fn validation(errors: Vec<Fault>) -> Self {
        let detail = "The body has faults; `errors` lists all of them.";
        Self {
            errors,
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation_failed",
                detail,
            )
        }
    }

    /// Parameters or headers that cannot be used: 400 with all their faults.
    pub fn parameters(errors: Vec<Fault>) -> Self {
        let detail = "Parameters have faults; `errors` lists all of them.";
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", detail)
        }
    }

    /// Something outside the caller's reach; the cause belongs in the log, not here.
    pub fn internal() -> Self {
        let detail = "The server failed. The log has the cause under the request id.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// Says when to try again (RFC 9110 §10.2.3), in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What goes over the wire.
    pub fn into_detail(self, request_id: &str) -> ProblemDetail {
        ProblemDetail {
            type_uri: format!("urn:taskward:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: Maybe((!self.errors.is_empty()).then_some(self.errors)),
            current: Maybe(self.current.map(|task| *task)),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

/// The statuses that an operation can fail with, as bits for [`Fail`].
pub mod status {
    /// What any operation for a caller can answer: 401, 403, 429, 500, 503.
    pub const CALLER: u32 = 1;
    /// 400: parameters.
    pub const PARAMETERS: u32 = 1 << 1;
    /// 404.
    pub const NOT_FOUND: u32 = 1 << 2;
    /// 409.
    pub const CONFLICT: u32 = 1 << 3;
    /// 412.
    pub const PRECONDITION: u32 = 1 << 4;
    /// What any operation with a body can answer: 400, 408, 413, 415, 422.
    pub const BODY: u32 = 1 << 5;
    /// 503 alone, for readiness.
    pub const UNAVAILABLE: u32 = 1 << 6;

    /// The statuses that the bits stand for, in order.
    pub(super) fn codes(bits: u32) -> Vec<u16> {
        let groups: [(u32, &[u16]); 7] = [
            (CALLER, &[401, 403, 429, 500, 503]),
            (PARAMETERS, &[400]),
            (NOT_FOUND, &[404]),
            (CONFLICT, &[409]),
            (PRECONDITION, &[412]),
            (BODY, &[400, 408, 413, 415, 422]),
            (UNAVAILABLE, &[503]),
        ];
        let mut codes: Vec<u16> = groups
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .flat_map(|(_, codes)| codes.iter().copied())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }
}

/// The error half of an operation: a [`Problem`] with one of the statuses that `STATUSES` documents.
#[derive(Debug)]
pub struct Fail<const STATUSES: u32>(pub Problem);

impl<const STATUSES: u32> From<Problem> for Fail<STATUSES> {
    fn from(problem: Problem) -> Self {
        debug_assert!(
            status::codes(STATUSES).contains(&problem.status.as_u16()),
            "the contract does not say that this operation can answer {problem}"
        );
        Self(problem)
    }
}

impl<const STATUSES: u32> From<Fail<STATUSES>> for poem::Error {
    fn from(fail: Fail<STATUSES>) -> Self {
        into_poem(fail.0)
    }
}

/// Wraps a problem for poem, from which `app` takes it out again.
pub(crate) fn into_poem(problem: Problem) -> poem::Error {
    let status = problem.status;
    poem::Error::new(problem, status)
}

/// What a status means in this contract.
fn description(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be read: malformed JSON, or parameters with faults",
        401 => "No token, or one that is not accepted; `code` names the mistake",
        403 => "The token does not allow this",
        404 => "No such task among yours",
        408 => "The body did not arrive in time",
        409 => "In conflict with what is there",
        412 => "The task has changed since; `current` is how it is now",
        413 => "The body is larger than 1 MiB",
        415 => "The body is not JSON",
        422 => "The body has faults; `errors` lists all of them",
        429 => "Too many requests; `Retry-After` says when to go on",
        500 => "The server failed",
        503 => "Not available now; `Retry-After` says when to try again",
        _ => "Error",
    }
}

fn documented_header(name: &str, description: &str) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
    }
}

impl<const STATUSES: u32> ApiResponse for Fail<STATUSES> {
    fn meta() -> MetaResponses {
        let responses = status::codes(STATUSES)
            .into_iter()
            .map(|status| MetaResponse {
                description: description(status),
                status: Some(status),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: "application/problem+json",
                    schema: ProblemDetail::schema_ref(),
                }],
                headers: match status {
                    401 => vec![documented_header("WWW-Authenticate", "RFC 6750 §3")],
                    429 | 503 => vec![documented_header("Retry-After", "In seconds")],
                    _ => Vec::new(),
                },
            })
            .collect();
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        ProblemDetail::register(registry);
    }
}

/// The example that the document shows.
impl ProblemDetail {
    pub(crate) fn example() -> Option<serde_json::Value> {
        Problem::new(
            StatusCode::NOT_FOUND,
            "task_not_found",
            "You have no task 7.",
        )
        .into_detail("9f0c1a52b7d84e36")
        .to_json()
    }
}
