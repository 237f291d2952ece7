//! What can be wrong with a token, in words that a person can act on.
//!
//! A detail names the mistake, never a key, a secret or a claim that no good signature vouches for.

use std::fmt;

/// Why a request has no identity.
///
/// `code` is stable and snake_case; `detail` may change. Every code is a 401 (RFC 6750 §3.1,
/// `invalid_token`), but for `keys_unavailable`, which is a 503: the token may well be good, and a
/// client must not throw it away because the issuer is down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenFault {
    /// One of [`TokenFault::CODES`].
    pub code: &'static str,
    /// What to do about it, as one sentence.
    pub detail: String,
}

/// What to send instead of the wrong kind of Better Auth token.
const USE_JWT: &str = "call authClient.token() (or GET /api/auth/token) and send that JWT";

impl TokenFault {
    /// Every code there is.
    pub const CODES: &'static [&'static str] = &[
        "algorithm_not_allowed",
        "authorization_malformed",
        "bad_signature",
        "claims_invalid",
        "header_not_allowed",
        "keys_unavailable",
        "session_cache_not_jwt",
        "session_token_not_jwt",
        "token_expired",
        "token_malformed",
        "token_missing",
        "token_not_yet_valid",
        "token_too_large",
        "unknown_issuer",
        "unknown_key",
        "wrong_audience",
        "wrong_issuer",
    ];

    /// Whether the fault is this server's and passes by itself: a 503 with `Retry-After`, not a 401.
    pub fn is_unavailable(&self) -> bool {
        self.code == "keys_unavailable"
    }

    fn new(code: &'static str, detail: impl Into<String>) -> TokenFault {
        TokenFault {
            code,
            detail: detail.into(),
        }
    }

    pub(super) fn token_missing() -> TokenFault {
        Self::new(
            "token_missing",
            "Send the header `Authorization: Bearer <token>`.",
        )
    }

    pub(super) fn authorization_malformed(why: &str) -> TokenFault {
        Self::new(
            "authorization_malformed",
            format!("The Authorization header must be `Bearer <token>`: {why}."),
        )
    }

    pub(super) fn too_large() -> TokenFault {
        Self::new("token_too_large", "The token is longer than 8192 bytes.")
    }

    pub(super) fn malformed(why: &str) -> TokenFault {
        Self::new(
            "token_malformed",
            format!("This is not a JWT (RFC 7519): {why}."),
        )
    }

    pub(super) fn session_token() -> TokenFault {
        Self::new(
            "session_token_not_jwt",
            format!("This is a Better Auth session token; {USE_JWT}."),
        )
    }

    pub(super) fn session_cache() -> TokenFault {
        Self::new(
            "session_cache_not_jwt",
            format!("This is Better Auth's session cookie cache, which no API accepts; {USE_JWT}."),
        )
    }

    pub(super) fn header_not_allowed(why: &str) -> TokenFault {
        Self::new(
            "header_not_allowed",
            format!("The token's header is not acceptable: {why}."),
        )
    }

    pub(super) fn algorithm_not_allowed(why: &str) -> TokenFault {
        Self::new(
            "algorithm_not_allowed",
            format!("The token's algorithm is not allowed: {why}."),
        )
    }

    pub(super) fn unknown_issuer() -> TokenFault {
        Self::new(
            "unknown_issuer",
            "The token's `iss` is none that this server trusts: compare it with BETTER_AUTH_URL or AUTH_ISSUER.",
        )
    }

    pub(super) fn wrong_issuer(why: String) -> TokenFault {
        Self::new("wrong_issuer", format!("The signature is good, but {why}."))
    }

    pub(super) fn wrong_audience(why: String) -> TokenFault {
        Self::new(
            "wrong_audience",
            format!("The token is for somebody else: {why}."),
        )
    }

    pub(super) fn unknown_key(kid: bool) -> TokenFault {
        let why = match kid {
            true => {
                "The issuer publishes no key with the token's `kid`; sign in again for a new token."
            }
            false => "The token names no `kid`, and the issuer has no one key that fits it.",
        };
        Self::new("unknown_key", why)
    }

    pub(super) fn keys_unavailable() -> TokenFault {
        Self::new(
            "keys_unavailable",
            "The issuer's keys cannot be fetched at the moment; the token may be good. Try again in a second.",
        )
    }

    pub(super) fn bad_signature() -> TokenFault {
        Self::new(
            "bad_signature",
            "The token was not signed with the issuer's key, or was changed.",
        )
    }

    pub(super) fn claims_invalid(why: impl fmt::Display) -> TokenFault {
        Self::new(
            "claims_invalid",
            format!("A claim of the token is not acceptable: {why}."),
        )
    }

    /// `ago` in milliseconds, without the leeway.
    pub(super) fn expired(ago: i64) -> TokenFault {
        Self::new(
            "token_expired",
            format!("The token expired {} ago.", span(ago)),
        )
    }

    /// `ahead` in milliseconds, without the leeway.
    pub(super) fn not_yet_valid(ahead: i64) -> TokenFault {
        Self::new(
            "token_not_yet_valid",
            format!(
                "The token is valid in {} (`nbf`); compare the clocks.",
                span(ahead)
            ),
        )
    }
}

/// A span for people: the two largest units are enough to see a wrong clock or time zone.
fn span(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match seconds {
        ..120 => format!("{seconds} s"),
        120..3600 => format!("{minutes} min {} s", seconds % 60),
        3600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for TokenFault {}
