//! What can be wrong with a token, in words that a person can act on.
//!
//! The words name the mistake, never a key, a secret, or a claim that no good signature vouches for.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use super::token::MAX_TOKEN;

/// Why a request has no identity; `Display` says what to do about it.
///
/// Each is a 401 (RFC 6750 §3.1, `invalid_token`) but for [`Self::KeysUnavailable`].
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TokenFault {
    /// The request has no token.
    #[error("Send the header `Authorization: Bearer <token>`.")]
    Missing,
    /// The header is not `Bearer` and one token.
    #[error("The Authorization header must be `Bearer <token>`: {0}.")]
    AuthorizationMalformed(&'static str),
    /// The token is longer than any that is accepted; it has so many bytes.
    #[error(
        "The token has {0} bytes, and at most {MAX_TOKEN} are accepted. Usually a picture is in it: with \
         Better Auth, leave the user's `image` out by `jwt({{ jwt: {{ definePayload }} }})`, then sign in again."
    )]
    TooLarge(usize),
    /// It is not a JWT.
    #[error("This is not a JWT (RFC 7519): {0}.")]
    Malformed(Cow<'static, str>),
    /// It is a Better Auth session token.
    #[error("This is a Better Auth session token; {USE_JWT}.")]
    SessionToken,
    /// It is Better Auth's session cookie cache.
    #[error("This is Better Auth's session cookie cache, which is not an access token; {USE_JWT}.")]
    SessionCache,
    /// Its header asks for something that is not supported.
    #[error("The token's header is not accepted: {0}.")]
    HeaderNotAllowed(&'static str),
    /// Its algorithm is not allowed, at all or with its key.
    #[error("The token's algorithm is not allowed: {0}.")]
    AlgorithmNotAllowed(&'static str),
    /// No rule is for its issuer.
    #[error(
        "This server does not trust the token's `iss`; compare it with BETTER_AUTH_URL or AUTH_ISSUER."
    )]
    UnknownIssuer,
    /// The issuer is not the configured one.
    #[error("The signature is good, but {0}.")]
    WrongIssuer(String),
    /// It is for another audience.
    #[error("The token is for another service: {0}.")]
    WrongAudience(String),
    /// The issuer has no key with its `kid`.
    #[error(
        "The issuer publishes no key with the token's `kid`; sign in again to get a new token."
    )]
    UnknownKey,
    /// It was signed with the key of another server in development mode.
    #[error(
        "The token was signed with another development key than that of this server. Make one with `taskward token NAME`, \
         as the user who runs the server and with the same DEVELOPMENT_KEY_FILE."
    )]
    OtherDevelopmentKey,
    /// It has no `kid`, and more than one key, or none, fits it.
    #[error(
        "The token has no `kid`, and the issuer does not have exactly one key that fits it; have the issuer name its key."
    )]
    AmbiguousKey,
    /// The issuer's keys cannot be fetched now. The answer is a 503: the token may be good, and a client must
    /// not throw it away because the issuer is down.
    #[error(
        "The issuer's keys cannot be fetched now, so the token cannot be judged; it may be good. Retry in 1 s."
    )]
    KeysUnavailable,
    /// The signature is not one of its key.
    #[error("The token was not signed with the issuer's key, or it was changed.")]
    BadSignature,
    /// A claim is missing or wrong.
    #[error("A claim of the token is not accepted: {0}.")]
    ClaimsInvalid(String),
    /// It expired so many milliseconds ago, without the leeway.
    #[error("The token expired {} ago.", Span(*.0))]
    Expired(i64),
    /// It was issued so many milliseconds ago, which is longer than this server accepts.
    #[error(
        "The token was issued {} ago, and this server accepts tokens for a shorter time (AUTH_MAX_TOKEN_AGE_SECONDS); \
         get a new one.",
        Span(*.0)
    )]
    TooOld(i64),
    /// The tokens of its user that were issued until then are revoked.
    #[error(
        "The tokens of this user that were issued until {} were revoked; sign in again to get a new one.",
        .0.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    Revoked(DateTime<Utc>),
    /// Tokens of its user are revoked, and it does not say when it was issued.
    #[error(
        "Tokens of this user were revoked, and this one may be one of them, since it has no `iat`; have the issuer set \
         `iat`, then sign in again."
    )]
    RevokedWithoutTime,
    /// It becomes valid in so many milliseconds, without the leeway.
    #[error(
        "The token becomes valid in {} (`nbf`); compare the clocks of this server and the issuer.",
        Span(*.0)
    )]
    NotYetValid(i64),
}

/// What to send instead of the wrong kind of Better Auth token.
const USE_JWT: &str = "call authClient.token() (or GET /api/auth/token) and send that JWT";

impl TokenFault {
    pub(super) fn claim(why: impl fmt::Display) -> Self {
        Self::ClaimsInvalid(why.to_string())
    }
}

/// Milliseconds, for people: the two largest units are enough to see a wrong clock or time zone.
struct Span(i64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0) / 1000;
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match seconds {
            ..120 => write!(f, "{seconds} s"),
            120..3600 => write!(f, "{minutes} min {} s", seconds % 60),
            3600..86_400 => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{days} d {hours} h"),
        }
    }
}
