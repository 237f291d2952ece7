//! Errors on the wire: RFC 9457 problem details, the same for every fault of every path.

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem_openapi::Object;
use serde::Serialize;

use super::{Maybe, Task};
use crate::unicode::escaped;

mod challenge;
mod code;
mod document;
mod fail;
mod fault;

pub use challenge::Challenge;
pub use code::ProblemCode;
pub(crate) use document::{example, response_component};
pub use fail::{Fail, codes};
pub use fault::Fault;
pub(crate) use fault::repeated;

/// A problem (RFC 9457): what went wrong, for a person (`detail`) and for a program (`code`).
#[derive(Debug, Clone, Object, Serialize)]
#[oai(rename = "Problem")]
pub struct ProblemDetail {
    /// A URI that stands for the kind of problem: `urn:taskward:problem:` and the `code`.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub type_uri: String,
    /// A summary, the same for every problem of this kind.
    pub title: String,
    /// The HTTP status, again.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What went wrong this time and what to do about it. With `errors` it says the first of them in full.
    pub detail: String,
    /// The kind of problem, for programs. A code never changes its meaning, but later versions of the server
    /// may have more: treat a code that you do not know by its `status`.
    pub code: ProblemCode,
    /// Names this request in the server's log; also in the header `X-Request-Id`.
    pub request_id: String,
    /// With 400 and 422: everything that is wrong with the input.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub errors: Maybe<Vec<Fault>>,
    /// With 412, and with `uid_taken`: the task as it is now.
    #[serde(skip_serializing_if = "Maybe::is_absent")]
    #[oai(skip_serializing_if_is_none)]
    pub current: Maybe<Task>,
}

/// The id of a request, for the problems in its answer. `app` gives it to each request.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// An error on its way to the client; `app` gives it the request's id.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} {}: {detail}", code.status().as_u16(), code.name())]
pub struct Problem {
    /// The kind, which decides status and title.
    pub code: ProblemCode,
    /// For a person.
    pub detail: String,
    /// All faults of the input.
    pub errors: Vec<Fault>,
    /// The task as it is, with 412 and for a uid that is taken.
    pub current: Option<Box<Task>>,
    /// With 401, and with a 403 for want of a scope: `WWW-Authenticate`.
    pub challenge: Option<Box<Challenge>>,
    /// Other headers that belong to it (`Retry-After`, `Allow`).
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem without anything special. What `detail` quotes of a client is escaped.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: escaped(&detail.into()).into_owned(),
            errors: Vec::new(),
            current: None,
            challenge: None,
            headers: Vec::new(),
        }
    }

    /// Input that could be read but is not acceptable: 422 with all its faults.
    pub fn validation(errors: Vec<Fault>) -> Self {
        Self::faults(ProblemCode::ValidationFailed, errors)
    }

    /// Parameters or headers that cannot be used: 400 with all their faults.
    pub fn parameters(errors: Vec<Fault>) -> Self {
        let is_cursor = |fault: &Fault| fault.parameter.0.as_deref() == Some("cursor");
        // Alone, it is the fault that a client mends by starting again without it.
        let code = match errors.iter().all(is_cursor) {
            true => ProblemCode::InvalidCursor,
            false => ProblemCode::InvalidParameters,
        };
        Self::faults(code, errors)
    }

    fn faults(code: ProblemCode, errors: Vec<Fault>) -> Self {
        let problem = Self::new(code, fault::sentence(&errors));
        Self { errors, ..problem }
    }

    /// A failure of the server; the cause belongs in the log, not here.
    pub fn internal() -> Self {
        let detail = "The server failed. Its log has the cause under the `request_id`.";
        Self::new(ProblemCode::InternalError, detail)
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Says when to try again (RFC 9110 §10.2.3), in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a challenge.
    #[must_use]
    pub fn challenge(self, challenge: Challenge) -> Self {
        Self {
            challenge: Some(Box::new(challenge)),
            ..self
        }
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
            type_uri: format!("urn:taskward:problem:{}", self.code.name()),
            title: self.code.title().to_owned(),
            status: self.status().as_u16(),
            detail: self.detail,
            code: self.code,
            request_id: request_id.to_owned(),
            errors: Maybe((!self.errors.is_empty()).then_some(self.errors)),
            current: Maybe(self.current.map(|task| *task)),
        }
    }
}

/// Wraps a problem for poem, from which `app` takes it out again.
pub(crate) fn into_poem(problem: Problem) -> poem::Error {
    let status = problem.status();
    poem::Error::new(problem, status)
}
