//! Checks the trusted issuers for `taskward doctor`: their key sets (`key_set.rs`) and shared secrets (`secret.rs`), and a
//! token of theirs.

mod key_set;
mod secret;

use futures_util::future::join_all;
use url::Url;

use super::{AuthSettings, DevIssuer, KeySource, Verifier, key};
use crate::{
    check::{Check, in_time},
    clock::Clock,
};
use key_set::key_set;
use secret::judge_secret;

const MODE: &str = "issuers.mode";
const TOKEN: &str = "issuers.token";

/// Checks each key set, which is fetched once, and each shared secret.
pub async fn examine(settings: &AuthSettings) -> Vec<Check> {
    if settings.issuers.is_empty() {
        return vec![Check::warning(
            MODE,
            "no issuer is set, so the server runs in development mode and signs tokens itself: set BETTER_AUTH_URL, \
             AUTH_JWKS_URL or AUTH_HS256_SECRET",
        )];
    }
    key::install_crypto();
    let mut checks = Vec::new();
    let mut urls: Vec<&Url> = Vec::new();
    for trusted in &settings.issuers {
        match &trusted.keys {
            KeySource::Hs256(secret) => {
                checks.push(judge_secret(&secret.0).of(trusted.rule.as_str()));
            }
            // Several rules may have one key set.
            KeySource::Jwks(url) if urls.contains(&url) => {}
            KeySource::Jwks(url) => urls.push(url),
        }
    }
    let fetched = join_all(urls.into_iter().map(|url| key_set(url, settings.leeway))).await;
    checks.extend(fetched.into_iter().flatten());
    checks
}

/// Whether the server would accept a token, and as whose. The token is not repeated.
pub async fn examine_token(
    settings: &AuthSettings,
    development: Option<DevIssuer>,
    token: &str,
) -> Check {
    let verifier = match Verifier::new(settings, development, &Clock::System) {
        Ok(verifier) => verifier,
        Err(error) => return Check::problem(TOKEN, format!("no token can be verified: {error:#}")),
    };
    match in_time(TOKEN, verifier.verify(token)).await {
        Ok(Ok(identity)) => Check::ok(
            TOKEN,
            format!(
                "is accepted by {}: the user is {}, the scopes are {}",
                identity.rule,
                identity.user_id.as_str(),
                identity.scopes.names().join(" ")
            ),
        ),
        Ok(Err(fault)) => Check::problem(TOKEN, format!("is not accepted: {fault}")),
        Err(hung) => hung,
    }
}
