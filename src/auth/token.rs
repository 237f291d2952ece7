//! The shape of a token (RFC 7515 §3.1 and §4.1, RFC 7519 §5), checked before any key is used.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{claims::RawClaims, fault::TokenFault, key::Alg};

/// The longest token, in bytes. Better Auth's, with the whole user row inside, have about 600.
pub(super) const MAX_TOKEN: usize = 8 * 1024;

/// The `typ` of Better Auth's cookie cache when its jwt plugin signs that too: with the same keys.
const SESSION_CACHE_TYPE: &str = "better-auth.session-cache+jwt";

/// A well-formed token that asks for nothing unsupported. Nothing in it is verified yet.
pub(super) struct Token<'a> {
    /// What was signed: header and payload as sent.
    pub(super) signed: &'a str,
    /// The signature in base64url.
    pub(super) signature: &'a str,
    /// The algorithm that the header names; the key decides whether it is allowed.
    pub(super) alg: Alg,
    /// The key that the header names.
    pub(super) kid: Option<String>,
    /// Not verified: before the signature is checked, only `iss` may be read, to select a rule.
    pub(super) unproven: RawClaims,
}

/// The header's members that matter. Others are ignored as RFC 7515 §4 wants it: above all `jwk`,
/// `jku`, `x5c` and `x5u`, by which a token would bring its own key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
    #[serde(default, deserialize_with = "is_present")]
    b64: bool,
}

/// True for a member with any value, `null` too.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl<'a> Token<'a> {
    /// Reads a token of at most [`MAX_TOKEN`] bytes.
    pub(super) fn parse(text: &'a str) -> Result<Token<'a>, TokenFault> {
        let parts: Vec<&str> = text.splitn(6, '.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(no_jwt(text, &parts));
        };
        let Header {
            alg,
            kid,
            typ,
            crit,
            b64,
        } = json("header", header)?;
        check_type(typ.as_deref())?;
        // RFC 7515 §4.1.11: extensions that one does not understand must be refused, and we understand none.
        if crit {
            return Err(TokenFault::HeaderNotAllowed("`crit` asks for an extension"));
        }
        // RFC 7797 §7: means something only together with `crit`, and changes what was signed.
        if b64 {
            return Err(TokenFault::HeaderNotAllowed("`b64` is not for JWTs"));
        }
        let Some(alg) = Alg::parse(&alg) else {
            return Err(TokenFault::AlgorithmNotAllowed(
                match alg.to_ascii_lowercase().as_str() {
                    "none" => "a token must be signed",
                    _ => {
                        "accepted are EdDSA, ES256, RS256 and PS256 by key set, HS256 by shared secret"
                    }
                },
            ));
        };
        let unproven = json("payload", payload)?;
        if signature.is_empty() {
            return Err(malformed("the signature is missing"));
        }
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(malformed("the signature is not base64url"));
        }
        let signed = &text[..header.len() + 1 + payload.len()];
        Ok(Token {
            signed,
            signature,
            alg,
            kid,
            unproven,
        })
    }
}

/// RFC 8725 §3.11 and RFC 9068 §4: a token made for something else must not pass for an access token.
fn check_type(typ: Option<&str>) -> Result<(), TokenFault> {
    let Some(typ) = typ.map(str::to_ascii_lowercase) else {
        return Ok(());
    };
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" | "at+jwt" => Ok(()),
        SESSION_CACHE_TYPE => Err(TokenFault::SessionCache),
        _ => Err(TokenFault::HeaderNotAllowed("`typ` must be JWT or at+jwt")),
    }
}

fn malformed(why: impl Into<Cow<'static, str>>) -> TokenFault {
    TokenFault::Malformed(why.into())
}

/// The JSON object in one part of a token.
fn json<T: DeserializeOwned>(part: &str, text: &str) -> Result<T, TokenFault> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| malformed(format!("the {part} is not base64url without padding")))?;
    // RFC 7519 §7.2. serde does not look at members that are skipped.
    let text =
        std::str::from_utf8(&bytes).map_err(|_| malformed(format!("the {part} is not UTF-8")))?;
    // serde's structs can be read from arrays too.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(malformed(format!("the {part} is not a JSON object")));
    }
    serde_json::from_str(text).map_err(|_| {
        malformed(format!(
            "the {part} is not the JSON object that a JWT needs"
        ))
    })
}

/// Names what was sent instead of a JWT.
fn no_jwt(text: &str, parts: &[&str]) -> TokenFault {
    let opaque = parts[0].len() == 32 && parts[0].bytes().all(|b| b.is_ascii_alphanumeric());
    match parts.len() {
        // The cookie holds `<token>.<signature in base64>`, often percent-encoded.
        1 | 2 if opaque => TokenFault::SessionToken,
        // `{"session` in base64: the cookie cache of the strategy "compact".
        1 if text.starts_with("eyJzZXNzaW9u") => TokenFault::SessionCache,
        1 if matches!(text, "undefined" | "null" | "[object" | "NaN") => {
            malformed("it is a JavaScript value and no token, so the front end had none yet")
        }
        5 => malformed("it is encrypted (JWE), and only signed tokens are accepted"),
        _ => malformed("it must have three parts separated by dots"),
    }
}
