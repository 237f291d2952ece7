//! The claims of a token whose signature is good (RFC 7519 §4.1).
//!
//! jsonwebtoken's own checks are not used: its defaults pass absent and wrong-typed claims.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{
    fault::TokenFault,
    identity::{Scopes, UserId},
};

/// The last moment of the year 9999 in seconds. A later `exp` was meant in milliseconds, or as "never".
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The claims as sent. `Some(Null)` is a `null`, which is not the same as absent.
///
/// A claim that occurs twice makes the payload malformed (RFC 7519 §4 leaves that to us).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawClaims {
    #[serde(deserialize_with = "as_sent")]
    iss: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    sub: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    aud: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    exp: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    nbf: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    iat: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    scope: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    scp: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    session: Option<Value>,
    #[serde(deserialize_with = "as_sent")]
    user: Option<Value>,
}

fn as_sent<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

impl RawClaims {
    /// The issuer that the token claims to come from.
    pub(super) fn issuer(&self) -> Option<&str> {
        self.iss.as_ref().and_then(Value::as_str)
    }

    /// Whether this is the content of Better Auth's session cookie cache (strategy "jwt"): a row of
    /// the session table beside the user. It is signed with the secret that a front end may share
    /// with us for HS256, or with the keys of its key set, but was never meant to leave the cookie.
    fn is_session_cache(&self) -> bool {
        let Some(Value::Object(session)) = &self.session else {
            return false;
        };
        matches!(self.user, Some(Value::Object(_)))
            || session.contains_key("token")
            || session.contains_key("userId")
    }
}

/// Claims that have the right types. The rule checks their values.
pub(super) struct Claims {
    pub(super) subject: UserId,
    pub(super) issuer: Option<String>,
    pub(super) audiences: Vec<String>,
    /// Milliseconds since 1970.
    pub(super) expires: i64,
    /// Milliseconds since 1970.
    pub(super) not_before: Option<i64>,
    /// Milliseconds since 1970, or what is wrong with it, which only counts if the age of tokens is limited.
    pub(super) issued: Result<Option<i64>, TokenFault>,
    /// `None` without a claim that says so.
    pub(super) scopes: Option<Scopes>,
}

impl Claims {
    /// Checks the types, and that the required claims are there.
    pub(super) fn read(raw: &RawClaims) -> Result<Claims, TokenFault> {
        if raw.is_session_cache() {
            return Err(TokenFault::SessionCache);
        }
        let RawClaims {
            iss,
            sub,
            aud,
            exp,
            nbf,
            iat,
            scope,
            scp,
            session: _,
            user: _,
        } = raw;
        let subject =
            text("sub", sub.as_ref())?.ok_or_else(|| TokenFault::claim("`sub` is missing"))?;
        let subject = UserId::from_subject(subject)
            .map_err(|why| TokenFault::claim(format_args!("`sub` {why}")))?;
        Ok(Claims {
            subject,
            issuer: text("iss", iss.as_ref())?.map(str::to_owned),
            audiences: audiences(aud.as_ref())?,
            expires: time("exp", exp.as_ref())?
                .ok_or_else(|| TokenFault::claim("`exp` is missing"))?,
            not_before: time("nbf", nbf.as_ref())?,
            issued: time("iat", iat.as_ref()),
            scopes: all_scopes(scope.as_ref(), scp.as_ref())?,
        })
    }

    /// When the token stops to count, as a time.
    pub(super) fn expires_at(&self) -> DateTime<Utc> {
        // `time` keeps it within the years that chrono knows.
        DateTime::from_timestamp_millis(self.expires).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Lets the token expire so many milliseconds after its `iat`, if not before.
    pub(super) fn limit_age(&mut self, now: i64, leeway: i64, most: i64) -> Result<(), TokenFault> {
        let issued = self.issued.clone()?.ok_or_else(|| {
            TokenFault::claim("`iat` is missing, and this server limits the age of tokens")
        })?;
        if issued > now.saturating_add(leeway) {
            return Err(TokenFault::claim(
                "`iat` is in the future; compare the clocks of this server and the issuer",
            ));
        }
        let oldest = issued.saturating_add(most);
        if oldest < self.expires && now >= oldest.saturating_add(leeway) {
            return Err(TokenFault::TooOld(now - issued));
        }
        self.expires = self.expires.min(oldest);
        Ok(())
    }

    /// Checks `exp` and `nbf`; all three parameters in milliseconds. RFC 7519 §4.1.4: *on* or after
    /// the expiry the token must not be accepted.
    pub(super) fn check_time(&self, now: i64, leeway: i64) -> Result<(), TokenFault> {
        if now >= self.expires.saturating_add(leeway) {
            return Err(TokenFault::Expired(now - self.expires));
        }
        match self.not_before {
            Some(begin) if now < begin.saturating_sub(leeway) => {
                Err(TokenFault::NotYetValid(begin - now))
            }
            _ => Ok(()),
        }
    }
}

fn text<'a>(name: &str, claim: Option<&'a Value>) -> Result<Option<&'a str>, TokenFault> {
    match claim {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFault::claim(format_args!("`{name}` must be a string"))),
    }
}

/// What `scope` (RFC 8693 §4.2) and `scp` (the name that Okta and Entra ID give it) allow: `None` without either. If both
/// are there, a scope counts that both name.
fn all_scopes(scope: Option<&Value>, scp: Option<&Value>) -> Result<Option<Scopes>, TokenFault> {
    let named = [scopes("scope", scope)?, scopes("scp", scp)?];
    Ok(named.into_iter().flatten().reduce(Scopes::and))
}

/// Words separated by spaces, or an array of them.
fn scopes(name: &str, claim: Option<&Value>) -> Result<Option<Scopes>, TokenFault> {
    let wrong = || {
        TokenFault::claim(format_args!(
            "`{name}` must be a string or an array of strings"
        ))
    };
    match claim {
        None => Ok(None),
        Some(Value::String(words)) => Ok(Some(Scopes::of_words(words.split(' ')))),
        Some(Value::Array(entries)) => {
            let entries: Option<Vec<&str>> = entries.iter().map(Value::as_str).collect();
            let entries = entries.ok_or_else(wrong)?;
            let words = entries.iter().flat_map(|entry| entry.split(' '));
            Ok(Some(Scopes::of_words(words)))
        }
        Some(_) => Err(wrong()),
    }
}

/// RFC 7519 §4.1.3: a string or an array of strings.
fn audiences(claim: Option<&Value>) -> Result<Vec<String>, TokenFault> {
    let wrong = || TokenFault::claim("`aud` must be a string or an array of strings");
    match claim {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect(),
        Some(_) => Err(wrong()),
    }
}

/// A NumericDate (RFC 7519 §2: seconds, a fraction is allowed) in milliseconds.
fn time(name: &str, claim: Option<&Value>) -> Result<Option<i64>, TokenFault> {
    let fault = |why| Err(TokenFault::claim(format_args!("`{name}` {why}")));
    let Some(claim) = claim else { return Ok(None) };
    let Some(seconds) = claim.as_f64() else {
        return fault("must be a number of seconds since 1970");
    };
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return fault("is no sensible time: it counts seconds since 1970, not milliseconds");
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the range just checked"
    )]
    Ok(Some((seconds * 1000.0) as i64))
}
