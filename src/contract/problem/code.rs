//! Every kind of problem, declared once: its name on the wire, its status, its title, an example of what it
//! says, and what it means.

use poem::http::StatusCode;
use serde::{Serialize, Serializer};

/// Declares the codes: name, status and title of each, and an example of its `detail`. The comment on a
/// code is its documentation in the contract.
macro_rules! problem_codes {
    ($($(#[doc = $doc:literal])+ $code:ident: $name:literal, $status:ident, $title:literal, $example:literal;)+) => {
        /// The kind of a problem. Programs tell problems apart by it, so a code never changes its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $code,)+
        }

        impl ProblemCode {
            /// All codes, in the order of their statuses.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Its name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)+ }
            }

            /// The status of its answers.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$code => StatusCode::$status,)+ }
            }

            /// The `title`, the same for every problem of this kind (RFC 9457 §3.1.3).
            pub fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)+ }
            }

            /// A `detail` as a client could get it.
            pub fn example(self) -> &'static str {
                match self { $(Self::$code => $example,)+ }
            }

            /// What it means.
            pub fn documentation(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

problem_codes! {
    /// A parameter or a header has a fault; `errors` lists all of them.
    InvalidParameters: "invalid_parameters", BAD_REQUEST, "Invalid parameters",
        "limit must be an integer from 1 to 100; and 1 more fault (see `errors`).";
    /// The `cursor` does not belong to this list. Start again without it.
    InvalidCursor: "invalid_cursor", BAD_REQUEST, "Invalid cursor",
        "cursor is not the `next_cursor` of a page with these filters and this order; start without it.";
    /// The request is not valid HTTP/1.1, or its path cannot be decoded.
    BadRequest: "bad_request", BAD_REQUEST, "Bad request",
        "The path of the request must be percent-encoded UTF-8.";
    /// The request has no Host header, several, or one that is not a host.
    InvalidHost: "invalid_host", BAD_REQUEST, "Invalid host",
        "The Host header must be a host name or address, with a port if it is not the usual one.";
    /// The body is not a JSON object.
    MalformedJson: "malformed_json", BAD_REQUEST, "Malformed JSON",
        "The body is not valid JSON: it ends too early (line 1, column 11).";
    /// The connection ended before the whole body arrived.
    BodyIncomplete: "body_incomplete", BAD_REQUEST, "Body incomplete",
        "The body ended before all of it arrived; send the request again.";

    /// The request has no token.
    TokenMissing: "token_missing", UNAUTHORIZED, "Token missing",
        "Send the header `Authorization: Bearer <token>`.";
    /// The header `Authorization` is not `Bearer` and one token.
    AuthorizationMalformed: "authorization_malformed", UNAUTHORIZED, "Authorization header malformed",
        "The Authorization header must be `Bearer <token>`: its scheme is not `Bearer`.";
    /// The token is longer than 8192 bytes.
    TokenTooLarge: "token_too_large", UNAUTHORIZED, "Token too large",
        "The token has 61440 bytes, and at most 8192 are accepted. Usually a picture is in it: with Better Auth, \
         leave the user's `image` out by `jwt({ jwt: { definePayload } })`, then sign in again.";
    /// The token is not a JWT.
    TokenMalformed: "token_malformed", UNAUTHORIZED, "Token malformed",
        "This is not a JWT (RFC 7519): it must have three parts separated by dots.";
    /// The token is a Better Auth session token, not a JWT.
    SessionTokenNotJwt: "session_token_not_jwt", UNAUTHORIZED, "Session token instead of a JWT",
        "This is a Better Auth session token; call authClient.token() (or GET /api/auth/token) and send that JWT.";
    /// The token is Better Auth's session cookie cache, which is not an access token.
    SessionCacheNotJwt: "session_cache_not_jwt", UNAUTHORIZED, "Session cookie cache instead of a JWT",
        "This is Better Auth's session cookie cache, which is not an access token; call authClient.token() (or GET \
         /api/auth/token) and send that JWT.";
    /// The token's header asks for something that this server does not support.
    HeaderNotAllowed: "header_not_allowed", UNAUTHORIZED, "Token header not allowed",
        "The token's header is not accepted: `typ` must be JWT or at+jwt.";
    /// The token is signed with an algorithm that this server, or the key, does not allow.
    AlgorithmNotAllowed: "algorithm_not_allowed", UNAUTHORIZED, "Token algorithm not allowed",
        "The token's algorithm is not allowed: a token must be signed.";
    /// This server does not trust the token's issuer.
    UnknownIssuer: "unknown_issuer", UNAUTHORIZED, "Unknown issuer",
        "This server does not trust the token's `iss`; compare it with BETTER_AUTH_URL or AUTH_ISSUER.";
    /// The signature is good, but the token's `iss` is not the configured one.
    WrongIssuer: "wrong_issuer", UNAUTHORIZED, "Wrong issuer",
        "The signature is good, but `iss` is \"http://127.0.0.1:3000\" and must be `http://localhost:3000` \
         (BETTER_AUTH_URL).";
    /// The token was made for another audience.
    WrongAudience: "wrong_audience", UNAUTHORIZED, "Wrong audience",
        "The token is for another service: `aud` must contain `http://localhost:3000`.";
    /// The issuer has no key with the token's `kid`.
    UnknownKey: "unknown_key", UNAUTHORIZED, "Unknown key",
        "The issuer publishes no key with the token's `kid`; sign in again to get a new token.";
    /// The signature is not one of the issuer's key, or the token was changed.
    BadSignature: "bad_signature", UNAUTHORIZED, "Bad signature",
        "The token was not signed with the issuer's key, or it was changed.";
    /// A claim is missing or has a wrong type or value.
    ClaimsInvalid: "claims_invalid", UNAUTHORIZED, "Claims invalid",
        "A claim of the token is not accepted: `exp` is missing.";
    /// The token has expired.
    TokenExpired: "token_expired", UNAUTHORIZED, "Token expired",
        "The token expired 37 s ago.";
    /// The operator has revoked the tokens that you had until then. A new one is accepted.
    TokenRevoked: "token_revoked", UNAUTHORIZED, "Token revoked",
        "The tokens of this user that were issued until 2026-12-07T09:30:00Z were revoked; sign in again to get a new one.";
    /// The token's `nbf` is in the future.
    TokenNotYetValid: "token_not_yet_valid", UNAUTHORIZED, "Token not yet valid",
        "The token becomes valid in 61 min 40 s (`nbf`); compare the clocks of this server and the issuer.";

    /// The token's scopes do not allow the operation.
    InsufficientScope: "insufficient_scope", FORBIDDEN, "Insufficient scope",
        "The token's `scope` lacks `tasks:write`, which this operation needs.";
    /// The path names another user than the token.
    NotYourPath: "not_your_path", FORBIDDEN, "Path of another user",
        "The path names another user than your token; use your own id, or `me`.";
    /// `/mcp` was called by a host name that the server does not serve.
    HostNotAllowed: "host_not_allowed", FORBIDDEN, "Host not allowed",
        "/mcp is not served for the host `tasks.internal`, but for: localhost. Set PUBLIC_URL to the address by which \
         clients reach this server, or MCP_ALLOWED_HOSTS; a proxy must pass on the header Host.";
    /// A page of this origin may not call `/mcp`.
    OriginNotAllowed: "origin_not_allowed", FORBIDDEN, "Origin not allowed",
        "Pages of this origin may not call /mcp. Set CORS_ALLOWED_ORIGINS to allow it.";

    /// You have no such task.
    TaskNotFound: "task_not_found", NOT_FOUND, "Task not found",
        "You have no task 7.";
    /// The server has nothing at this path.
    RouteNotFound: "route_not_found", NOT_FOUND, "Route not found",
        "There is nothing at /api/v2/things; /openapi.json lists all operations.";
    /// No authorization server is configured for `/mcp`.
    NoAuthorizationServer: "no_authorization_server", NOT_FOUND, "No authorization server",
        "No authorization server is known for this server, so send a token that you already have in the header \
         Authorization.";
    /// The path does not support this method; the header `Allow` lists those that it supports.
    MethodNotAllowed: "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "/api/v1/tasks/7 does not support PUT; it supports GET, PATCH, DELETE, HEAD, OPTIONS.";
    /// The header `Accept` excludes JSON.
    NotAcceptable: "not_acceptable", NOT_ACCEPTABLE, "Not acceptable",
        "/mcp answers with application/json, which the header Accept does not allow.";
    /// The body did not arrive in time.
    BodyTooSlow: "body_too_slow", REQUEST_TIMEOUT, "Body too slow",
        "The body must arrive within 30 s.";

    /// You have as many tasks as a user may have.
    TaskLimitReached: "task_limit_reached", CONFLICT, "Task limit reached",
        "You have 10000 tasks, which is the limit; delete some first.";
    /// Your tasks take as many bytes as those of a user may. Deleted tasks have made room already.
    StorageLimitReached: "storage_limit_reached", CONFLICT, "Storage limit reached",
        "Your tasks take 67100000 of 67108864 bytes, and this needs 9000 more; delete tasks or shorten their texts.";
    /// The task that this Idempotency-Key created is deleted.
    IdempotencyKeyOfDeletedTask: "idempotency_key_of_deleted_task", CONFLICT, "Idempotency-Key of a deleted task",
        "This Idempotency-Key created task 7, which is deleted now; restore it, or use a new key.";
    /// Another task of yours has this `uid`; `current` shows it.
    UidTaken: "uid_taken", CONFLICT, "Uid taken",
        "This uid is that of task 7, which was created with another body. `current` shows it. Change that \
         task, or use a new uid for a new one.";
    /// The task of this `uid` is deleted.
    UidOfDeletedTask: "uid_of_deleted_task", CONFLICT, "Uid of a deleted task",
        "This uid is that of task 7, which is deleted now; restore it, or use a new uid.";
    /// What was deleted since is no longer known, so what you have cannot be brought up to date by changes. Forget it, and
    /// sync again from `since=0`.
    ResyncRequired: "resync_required", GONE, "Resync required",
        "What was deleted after revision 12 is no longer known. Sync again from `since=0`, and forget the tasks that you have.";
    /// The task has changed since; `current` shows it as it is now.
    VersionMismatch: "version_mismatch", PRECONDITION_FAILED, "Version mismatch",
        "The task has changed since and is now at version 12. `current` shows it; decide again and send If-Match with \
         that version.";
    /// The body is larger than 1 MiB, or has more than 10,000 values.
    BodyTooLarge: "body_too_large", PAYLOAD_TOO_LARGE, "Body too large",
        "The body must not be larger than 1048576 bytes.";
    /// The body has another media type than the operation takes; the header `Accept` lists those.
    UnsupportedMediaType: "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type",
        "The body must be JSON in UTF-8 with the header `Content-Type: application/json`; it was `text/plain`.";
    /// The body is compressed, or has another content coding.
    UnsupportedContentEncoding: "unsupported_content_encoding", UNSUPPORTED_MEDIA_TYPE, "Unsupported content encoding",
        "The body must not be compressed: send it as it is, without the header Content-Encoding (it was `gzip`).";
    /// The body is JSON, but its members have faults; `errors` lists all of them.
    ValidationFailed: "validation_failed", UNPROCESSABLE_ENTITY, "Validation failed",
        "title must have at most 500 characters, has 612; and 1 more fault (see `errors`).";
    /// This Idempotency-Key was used with another body.
    IdempotencyKeyReused: "idempotency_key_reused", UNPROCESSABLE_ENTITY, "Idempotency-Key reused",
        "This Idempotency-Key was used with another body; use a new key for a new task.";
    /// Nothing of the batch was done, because another of its operations was refused.
    BatchNotDone: "batch_not_done", FAILED_DEPENDENCY, "Batch not done",
        "Nothing of this batch was done, because operations[3] was refused. Correct that operation, then send all again.";
    /// You are over your quota; retry after the seconds in `Retry-After`.
    RateLimited: "rate_limited", TOO_MANY_REQUESTS, "Rate limit exceeded",
        "You have sent too many requests. Retry in 2 s.";
    /// Too many of your requests are under way, or you have not read their answers. Retry after the seconds in
    /// `Retry-After`.
    TooMuchInFlight: "too_much_in_flight", TOO_MANY_REQUESTS, "Too much in flight",
        "Too many of your requests are under way, or you have not read their answers. Read them, then retry in 1 s; send \
         searches one after the other.";
    /// You have as many event streams open as a user may have. Retry after the seconds in `Retry-After`.
    TooManyStreams: "too_many_streams", TOO_MANY_REQUESTS, "Too many streams",
        "You have 16 event streams open, which is the limit. Close one, then retry in 15 s.";
    /// The address and the headers of the request have too many bytes, or there are too many headers.
    HeadTooLarge: "head_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "Head too large",
        "The request's address and headers must not be larger than 32768 bytes or have more than 100 headers. Usually it is \
         the cookies that are too large; this server needs none.";

    /// The server failed. Its log has the cause under the `request_id`.
    InternalError: "internal_error", INTERNAL_SERVER_ERROR, "Internal error",
        "The server failed. Its log has the cause under the `request_id`.";
    /// The database cannot be reached, or cannot do this now. Nothing was changed.
    DatabaseUnavailable: "database_unavailable", SERVICE_UNAVAILABLE, "Database unavailable",
        "The database is not available now. Retry in 2 s.";
    /// It took too long to read what you asked for. It counts against your quota as if all your tasks had been looked
    /// through.
    ReadTooSlow: "read_too_slow", SERVICE_UNAVAILABLE, "Read too slow",
        "It took too long to read this, so the database was told to stop. Ask for less, by another filter or order, or \
         retry in 10 s.";
    /// The connection to the database broke during a write; it may have been done or not.
    OutcomeUnknown: "outcome_unknown", SERVICE_UNAVAILABLE, "Outcome unknown",
        "The connection to the database broke, so it is not known whether the change was made. Read the task before \
         you repeat the change; creations can be repeated safely with an Idempotency-Key or a uid.";
    /// The issuer's keys cannot be fetched now, so the token cannot be judged; it may be good.
    KeysUnavailable: "keys_unavailable", SERVICE_UNAVAILABLE, "Keys unavailable",
        "The issuer's keys cannot be fetched now, so the token cannot be judged; it may be good. Retry in 1 s.";
    /// The server is not ready to work; `detail` says what is missing.
    NotReady: "not_ready", SERVICE_UNAVAILABLE, "Not ready",
        "Not ready: the database does not answer.";
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
