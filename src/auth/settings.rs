//! Which issuers to trust: read by `config`, used to build the verifier.

use std::{fmt, time::Duration};

use url::Url;

/// The settings of the verifier.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// Trusted issuers. Empty means development mode: the server trusts its own key only.
    pub issuers: Vec<TrustedIssuer>,
    /// How long a fetched key set counts as fresh.
    pub jwks_ttl: Duration,
    /// The least time between two successful fetches of one key set that unknown keys cause.
    pub jwks_cooldown: Duration,
    /// How long keys are used after they were last fetched, while the issuer is away.
    pub jwks_max_stale: Duration,
    /// How far clocks may differ when `exp` and `nbf` are judged.
    pub leeway: Duration,
    /// Whether a token must have a claim `scope` or `scp`.
    pub require_scope: bool,
    /// How long after its `iat` a token is accepted; `None`: until its `exp`.
    pub max_token_age: Option<Duration>,
}

/// One issuer, what its tokens must say, and the keys that prove it.
#[derive(Debug, Clone)]
pub struct TrustedIssuer {
    /// The name of the setting that made this rule; `getMe` and the log show it.
    pub rule: String,
    /// The value `iss` must have. `None`: unchecked (hand-signed HS256 tokens only).
    pub issuer: Option<String>,
    /// The values of which `aud` must contain one. Empty: unchecked (HS256 only).
    pub audiences: Vec<String>,
    /// Where the keys come from.
    pub keys: KeySource,
    /// What stands before the `sub`, with a colon, in the ids of its users; `None`: the `sub` alone is the id.
    pub namespace: Option<String>,
}

/// Where the keys of an issuer come from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A JSON Web Key Set (RFC 7517) at a URL.
    Jwks(Url),
    /// One shared secret of at least 32 bytes, for HS256.
    Hs256(Secret),
}

/// The address of a key set for the log: without a user, a password and a query, which may be an API key.
pub(super) fn without_secrets(url: &Url) -> Url {
    let mut shown = url.clone();
    // Only a URL without a host has no place for them.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown
}

/// Text that never shows in a log or an error.
#[derive(Clone)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}
