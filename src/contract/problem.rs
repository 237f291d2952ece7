//! Errors on the wire: RFC 9457 problem details, the same for every fault of every path.

use std::fmt;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem_openapi::{ApiResponse, Object, types::Type};
use serde::Serialize;

use super::{
    Maybe, Task,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry},
};

mod examples;

pub(crate) use examples::problem_examples;

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
    /// The HTTP status, again.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What went wrong this time and what to do about it.
    pub detail: String,
    /// The kind of problem, for programs. Codes are stable.
    pub code: String,
    /// Names this request in the server's log; also in the header `X-Request-Id`.
    pub request_id: String,
    /// With 400 and 422: what is wrong with the input, all of it.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub errors: Maybe<Vec<Fault>>,
    /// With 412: the task as it is now.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub current: Maybe<Task>,
}

/// One thing that is wrong with the input, and where: it has either `pointer` or `parameter`.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
pub struct Fault {
    /// Where in the body: a JSON Pointer (RFC 6901); empty for the body itself.
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
        400 => {
            "The request cannot be understood: `errors` lists parameters and headers with faults, or the body is not JSON."
        }
        401 => {
            "There is no token, or one that is not accepted; `code` names the mistake and `detail` what to do."
        }
        403 => "The token is good, but does not allow this.",
        404 => "You have no such task.",
        408 => "The body did not arrive in time.",
        409 => "This is in conflict with what is there.",
        412 => "The task has changed since; `current` shows it as it is now.",
        413 => "The body is larger than 1 MiB.",
        415 => "The body is of another media type than those that this operation takes.",
        422 => "The body is JSON, but not acceptable; `errors` lists all of its faults.",
        429 => "You have sent too many requests; `Retry-After` says when to go on.",
        500 => "The server failed; its log has the cause under the `request_id`.",
        503 => "This does not work now; `Retry-After` says when to try again.",
        _ => "Error.",
    }
}

/// The headers that come with a status.
fn headers(status: u16) -> Vec<MetaHeader> {
    let (name, description) = match status {
        401 => (
            "WWW-Authenticate",
            "The challenge (RFC 6750), with the mistake in words.",
        ),
        403 => (
            "WWW-Authenticate",
            "The challenge (RFC 6750) with the `scope` that is needed, if that is what is missing.",
        ),
        415 => (
            "Accept",
            "The media types that this operation takes, the best first.",
        ),
        429 | 503 => ("Retry-After", "After how many seconds to try again."),
        _ => return Vec::new(),
    };
    vec![MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        // A 403 is not always about scopes.
        required: status != 403,
        deprecated: false,
        schema: String::schema_ref(),
    }]
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
                headers: headers(status),
            })
            .collect();
        MetaResponses { responses }
    }

    fn register(registry: &mut Registry) {
        ProblemDetail::register(registry);
    }
}
