//! With which codes an operation can fail: declared in its type, and so in the document.

use poem_openapi::{ApiResponse, types::Type};
use serde_json::Value;

use super::{Problem, ProblemCode, ProblemDetail, into_poem};
use crate::contract::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
    inline,
};

/// Groups of codes, as bits for [`Fail`].
pub mod codes {
    use super::ProblemCode::{self, *};

    /// What any operation for a caller can answer: 401, 403, 429, 500, 503.
    pub const CALLER: u32 = 1;
    /// The path names the owner of the tasks.
    pub const OWNER: u32 = 1 << 1;
    /// The operation has parameters or headers that can have faults.
    pub const PARAMETERS: u32 = 1 << 2;
    /// One of them is a cursor.
    pub const CURSOR: u32 = 1 << 3;
    /// The path has a parameter.
    pub const PATH: u32 = 1 << 4;
    /// The operation has a body.
    pub const BODY: u32 = 1 << 5;
    /// It is about one task, which may not be there.
    pub const TASK: u32 = 1 << 6;
    /// It honours `If-Match`.
    pub const VERSION: u32 = 1 << 7;
    /// It writes.
    pub const WRITE: u32 = 1 << 8;
    /// It adds a task.
    pub const LIMIT: u32 = 1 << 9;
    /// It honours an Idempotency-Key.
    pub const KEY: u32 = 1 << 10;
    /// It tells whether the server is ready.
    pub const READINESS: u32 = 1 << 11;
    /// It writes texts.
    pub const STORAGE: u32 = 1 << 12;
    /// It takes a uid.
    pub const UID: u32 = 1 << 13;
    /// It tells what has changed since.
    pub const FEED: u32 = 1 << 14;
    /// It streams.
    pub const STREAM: u32 = 1 << 15;

    /// A group: its bit, its name where the document needs one, and its codes.
    pub(in super::super) struct Group {
        pub(in super::super) bit: u32,
        pub(in super::super) name: &'static str,
        pub(in super::super) codes: &'static [ProblemCode],
    }

    const fn group(bit: u32, name: &'static str, codes: &'static [ProblemCode]) -> Group {
        Group { bit, name, codes }
    }

    /// All groups. The first one with a status is the usual one for it.
    pub(in super::super) const GROUPS: &[Group] = &[
        group(
            CALLER,
            "Caller",
            &[
                TokenMissing,
                AuthorizationMalformed,
                TokenTooLarge,
                TokenMalformed,
                SessionTokenNotJwt,
                SessionCacheNotJwt,
                HeaderNotAllowed,
                AlgorithmNotAllowed,
                UnknownIssuer,
                WrongIssuer,
                WrongAudience,
                UnknownKey,
                BadSignature,
                ClaimsInvalid,
                TokenExpired,
                TokenRevoked,
                TokenNotYetValid,
                InsufficientScope,
                RateLimited,
                TooMuchInFlight,
                InternalError,
                DatabaseUnavailable,
                ReadTooSlow,
                KeysUnavailable,
            ],
        ),
        group(OWNER, "Owner", &[NotYourPath]),
        group(PARAMETERS, "Parameters", &[InvalidParameters]),
        group(CURSOR, "Cursor", &[InvalidCursor]),
        group(PATH, "Path", &[BadRequest]),
        group(
            BODY,
            "Body",
            &[
                MalformedJson,
                BodyIncomplete,
                BodyTooSlow,
                BodyTooLarge,
                UnsupportedMediaType,
                UnsupportedContentEncoding,
                ValidationFailed,
            ],
        ),
        group(TASK, "Task", &[TaskNotFound]),
        group(VERSION, "Version", &[VersionMismatch]),
        group(WRITE, "Write", &[OutcomeUnknown]),
        group(LIMIT, "Limit", &[TaskLimitReached]),
        group(STORAGE, "Storage", &[StorageLimitReached]),
        group(
            KEY,
            "Key",
            &[IdempotencyKeyOfDeletedTask, IdempotencyKeyReused],
        ),
        group(UID, "Uid", &[UidTaken, UidOfDeletedTask]),
        group(FEED, "Feed", &[ResyncRequired]),
        group(STREAM, "Stream", &[TooManyStreams]),
        group(READINESS, "Readiness", &[NotReady]),
    ];

    /// The codes that the bits stand for, in the order of their declaration.
    pub(super) fn of(bits: u32) -> Vec<ProblemCode> {
        let groups = GROUPS.iter().filter(|group| bits & group.bit != 0);
        let mut codes: Vec<_> = groups
            .flat_map(|group| group.codes.iter().copied())
            .collect();
        codes.sort_unstable();
        codes
    }
}

/// The error half of an operation: a [`Problem`] with one of the codes that `CODES` documents.
#[derive(Debug)]
pub struct Fail<const CODES: u32>(pub Problem);

impl<const CODES: u32> From<Problem> for Fail<CODES> {
    fn from(problem: Problem) -> Self {
        debug_assert!(
            codes::of(CODES).contains(&problem.code),
            "the contract does not say that this operation can answer {problem}"
        );
        Self(problem)
    }
}

impl<const CODES: u32> From<Fail<CODES>> for poem::Error {
    fn from(fail: Fail<CODES>) -> Self {
        into_poem(fail.0)
    }
}

impl<const CODES: u32> ApiResponse for Fail<CODES> {
    fn meta() -> MetaResponses {
        let codes = codes::of(CODES);
        let mut statuses: Vec<u16> = codes.iter().map(|code| code.status().as_u16()).collect();
        statuses.dedup();
        let responses = statuses.into_iter().map(|status| {
            let codes = codes.iter().filter(|code| code.status().as_u16() == status);
            MetaResponse {
                description: description(status),
                status: Some(status),
                status_range: None,
                content: vec![MetaMediaType {
                    content_type: "application/problem+json",
                    schema: problem_with(codes.map(|code| code.name().into()).collect()),
                }],
                headers: headers(status),
            }
        });
        MetaResponses {
            responses: responses.collect(),
        }
    }

    fn register(registry: &mut Registry) {
        ProblemDetail::register(registry);
    }
}

/// A problem with one of these codes. poem-openapi has no place for them but the schema, from which `spec`
/// takes them.
fn problem_with(codes: Vec<Value>) -> MetaSchemaRef {
    inline(MetaSchema {
        all_of: vec![ProblemDetail::schema_ref()],
        enum_items: codes,
        ..MetaSchema::ANY
    })
}

/// What a status means in this contract.
fn description(status: u16) -> &'static str {
    match status {
        400 => "The request cannot be understood.",
        401 => "There is no token, or it is not accepted.",
        403 => "The token is accepted, but does not allow this.",
        404 => "You have no such task.",
        408 => "The body did not arrive in time.",
        409 => "The request conflicts with the state of your tasks.",
        410 => "What you have cannot be brought up to date by changes.",
        412 => "The task has changed since; `current` shows it as it is now.",
        413 => "The body is larger than 1 MiB, or has more than 10,000 values.",
        415 => "The body is not in a form that this operation takes.",
        422 => "The body is JSON, but cannot be accepted.",
        429 => "You are over your quota; `Retry-After` says when to retry.",
        500 => "The server failed.",
        503 => "The server cannot do this now; `Retry-After` says when to retry.",
        _ => "Error.",
    }
}

/// The headers that come with a status.
fn headers(status: u16) -> Vec<MetaHeader> {
    let header = |name: &str, required, description: &str| MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required,
        deprecated: false,
        schema: String::schema_ref(),
    };
    let retry_after = || header("Retry-After", true, "After how many seconds to retry.");
    match status {
        401 => vec![header(
            "WWW-Authenticate",
            true,
            "The challenge (RFC 6750), with the mistake in words.",
        )],
        // A 403 is not always about scopes.
        403 => vec![header(
            "WWW-Authenticate",
            false,
            "The challenge (RFC 6750) with the `scope` that is needed, if that is what is missing.",
        )],
        415 => vec![
            header(
                "Accept",
                false,
                "The media types that this operation takes, the best first; with `unsupported_media_type`.",
            ),
            header(
                "Accept-Encoding",
                false,
                "The content codings that this operation takes; with `unsupported_content_encoding` (RFC 7694).",
            ),
        ],
        429 => vec![
            retry_after(),
            header(
                "RateLimit",
                false,
                "What is left of the limit, and in how many seconds more is (draft-ietf-httpapi-ratelimit-headers).",
            ),
            header(
                "RateLimit-Policy",
                false,
                "The limit: `q` requests in `w` seconds (draft-ietf-httpapi-ratelimit-headers).",
            ),
        ],
        503 => vec![retry_after()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::codes::GROUPS;

    /// With a bit in common, an operation of one group would document the codes of the other.
    #[test]
    fn each_group_has_a_bit_of_its_own() {
        let together = GROUPS.iter().fold(0, |bits, group| {
            assert_eq!(
                (group.bit.count_ones(), bits & group.bit),
                (1, 0),
                "{}",
                group.name
            );
            bits | group.bit
        });
        assert_eq!(together.count_ones() as usize, GROUPS.len());
    }
}
