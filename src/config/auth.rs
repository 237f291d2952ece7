//! Whom to trust.

mod namespace;
mod published;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, time::Duration};

use url::Url;

use super::{
    Source,
    setting::{Setting, settings},
    value::{base_url, flag, list, must_be, optional, seconds, web_url},
};
use crate::{
    auth::{AuthSettings, KeySource, Resource, Secret, TrustedIssuer},
    tls::is_loopback,
};

settings! { "Tokens";
    /// trust this Better Auth app: its issuer, audience and keys
    BETTER_AUTH_URL: Option<String> = "", |text| optional(text, better_auth_url);

    /// trusted issuers (iss), by comma
    AUTH_ISSUER: Vec<String> = "", entries;

    /// audience (aud) of each issuer, by comma; several of one issuer by space
    AUTH_AUDIENCE: Vec<String> = "", entries;

    /// key set of each issuer, by comma
    AUTH_JWKS_URL: Vec<Url> = "", |text| list(text).enumerate().map(key_set_url).collect();

    /// shared secret of at least 32 bytes, for HS256 tokens
    AUTH_HS256_SECRET: Option<Secret> = "", |text| optional(text, secret);

    /// the same, by the name that front ends use
    BETTER_AUTH_SECRET: Option<Secret> = "", |text| optional(text, secret);

    /// namespace of each issuer after the first, by comma: its users are `namespace:sub`
    AUTH_NAMESPACE: Vec<String> = "", namespace::entries;

    /// the trusted issuers share their users: the same `sub` is the same user
    AUTH_SHARED_SUBJECTS: bool = "off", flag;

    /// refuse tokens that have neither scope nor scp
    AUTH_REQUIRE_SCOPE: bool = "off", flag;

    /// seconds after its iat for which a token is accepted, if not until its exp
    AUTH_MAX_TOKEN_AGE_SECONDS: Option<Duration> = "", |text| optional(text, |text| seconds(text, 1..=31_536_000));

    /// seconds for which fetched keys count as fresh
    AUTH_JWKS_TTL_SECONDS: Duration = "300", |text| seconds(text, 1..=86_400);

    /// seconds for which keys are used while the issuer is away; then its tokens get 503
    AUTH_JWKS_MAX_STALE_SECONDS: Duration = "86400", |text| seconds(text, 1..=2_592_000);

    /// least seconds between two fetches that unknown keys cause
    AUTH_JWKS_COOLDOWN_SECONDS: Duration = "10", |text| seconds(text, 0..=3_600);

    /// seconds by which clocks may differ
    AUTH_LEEWAY_SECONDS: Duration = "30", |text| seconds(text, 0..=300);
}

/// Each of these ends development mode.
pub(super) const ISSUERS: [&str; 4] = [
    BETTER_AUTH_URL.name,
    AUTH_JWKS_URL.name,
    AUTH_HS256_SECRET.name,
    BETTER_AUTH_SECRET.name,
];

/// The settings that say whom to trust.
const OF_ISSUERS: [&str; 6] = [
    BETTER_AUTH_URL.name,
    AUTH_ISSUER.name,
    AUTH_AUDIENCE.name,
    AUTH_JWKS_URL.name,
    AUTH_HS256_SECRET.name,
    BETTER_AUTH_SECRET.name,
];

/// Whether it is one of the settings that say whom to trust.
pub(super) fn is_of_issuer(name: &str) -> bool {
    OF_ISSUERS.contains(&name)
}

/// HMAC keys should be as long as the hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;

pub(super) fn read(source: &mut Source, public_url: Option<&Url>) -> AuthSettings {
    let mut issuers = better_auth(source, public_url);
    let listed = listed(source);
    let has_keys =
        !issuers.is_empty() || matches!(&listed, Listed::Issuers(more) if !more.is_empty());
    let secrets = secrets(source, has_keys);
    // Without a key set, issuer and audience are meant for the tokens of the secret.
    match (listed, secrets.is_empty()) {
        (Listed::Issuers(more), _) => issuers.extend(more.into_iter().chain(secrets)),
        (Listed::Claims { issuer, audiences }, false) => {
            issuers.extend(secrets.into_iter().map(|rule| TrustedIssuer {
                issuer: issuer.clone(),
                audiences: audiences.clone(),
                ..rule
            }));
        }
        (Listed::Claims { .. }, true) => {
            source.fault(
                AUTH_JWKS_URL.name,
                "is missing: AUTH_ISSUER and AUTH_AUDIENCE need the keys of the issuer",
            );
        }
    }
    namespace::give(source, &mut issuers);
    AuthSettings {
        issuers,
        jwks_ttl: source.get(&AUTH_JWKS_TTL_SECONDS),
        jwks_cooldown: source.get(&AUTH_JWKS_COOLDOWN_SECONDS),
        jwks_max_stale: source.get(&AUTH_JWKS_MAX_STALE_SECONDS),
        leeway: source.get(&AUTH_LEEWAY_SECONDS),
        require_scope: source.get(&AUTH_REQUIRE_SCOPE),
        max_token_age: source.get(&AUTH_MAX_TOKEN_AGE_SECONDS),
    }
}

/// Refuses issuers that stand in `.env`, if the server is more than one of a developer: whoever can write into the working
/// directory would choose whom it trusts.
pub(super) fn check_file(source: &mut Source, host: IpAddr, public_url: Option<&Url>) {
    if host.is_loopback() && public_url.is_none_or(is_loopback) {
        return;
    }
    for name in OF_ISSUERS {
        if source.is_of_file(name) {
            source.fault(
                name,
                "is of .env, which only counts for a server that this machine alone can reach: set it in the environment, or \
                 set HOST to 127.0.0.1 and no PUBLIC_URL",
            );
        }
    }
}

fn better_auth_url(text: &str) -> Result<String, String> {
    match base_url(text) {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(must_be(
            text,
            "the base URL of the Better Auth app, like https://app.example.com",
        )),
    }
}

/// What Better Auth's `jwt` plugin signs: issuer and audience are its base URL. Its OAuth provider
/// signs tokens for the MCP endpoint with another issuer.
fn better_auth(source: &mut Source, public_url: Option<&Url>) -> Vec<TrustedIssuer> {
    let Some(base) = source.get(&BETTER_AUTH_URL) else {
        return Vec::new();
    };
    let Some(jwks) = web_url(&format!("{base}/api/auth/jwks")) else {
        return Vec::new();
    };
    let rule = |issuer: String, audience: String| TrustedIssuer {
        rule: BETTER_AUTH_URL.name.to_owned(),
        issuer: Some(issuer),
        audiences: vec![audience],
        keys: KeySource::Jwks(jwks.clone()),
        namespace: None,
    };
    let mut rules = vec![rule(base.clone(), base.clone())];
    if let Some(public_url) = public_url {
        rules.push(rule(
            format!("{base}/api/auth"),
            Resource::id_at(public_url),
        ));
    }
    rules
}

fn entries(text: &str) -> Result<Vec<String>, String> {
    Ok(list(text).map(str::to_owned).collect())
}

fn key_set_url((index, text): (usize, &str)) -> Result<Url, String> {
    web_url(text).ok_or_else(|| format!("entry {} must be an http or https URL", index + 1))
}

/// What `AUTH_ISSUER`, `AUTH_AUDIENCE` and `AUTH_JWKS_URL` stand for.
enum Listed {
    Issuers(Vec<TrustedIssuer>),
    Claims {
        issuer: Option<String>,
        audiences: Vec<String>,
    },
}

fn listed(source: &mut Source) -> Listed {
    let issuers = source.get(&AUTH_ISSUER);
    let audiences = source.get(&AUTH_AUDIENCE);
    let urls = source.get(&AUTH_JWKS_URL);
    let words = |list: &String| {
        list.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let has_no_keys = urls.is_empty() && !source.has_fault(AUTH_JWKS_URL.name);
    if has_no_keys && issuers.len() <= 1 && audiences.len() <= 1 {
        return if issuers.is_empty() && audiences.is_empty() {
            Listed::Issuers(Vec::new())
        } else {
            let audiences = audiences.iter().flat_map(words).collect();
            Listed::Claims {
                issuer: issuers.into_iter().next(),
                audiences,
            }
        };
    }
    if issuers.len() != urls.len() || audiences.len() != urls.len() {
        let (i, a, u) = (issuers.len(), audiences.len(), urls.len());
        if !source.has_fault(AUTH_JWKS_URL.name) {
            source.fault(
                AUTH_JWKS_URL.name,
                format!(
                    "has {u} entries, AUTH_ISSUER {i} and AUTH_AUDIENCE {a}: they belong together by position, \
                     so each needs the same number"
                ),
            );
        }
        return Listed::Issuers(Vec::new());
    }
    let rules = issuers.into_iter().zip(&audiences).zip(urls);
    Listed::Issuers(
        rules
            .map(|((issuer, audiences), url)| TrustedIssuer {
                rule: AUTH_JWKS_URL.name.to_owned(),
                issuer: Some(issuer),
                audiences: words(audiences),
                keys: KeySource::Jwks(url),
                namespace: None,
            })
            .collect(),
    )
}

fn secret(text: &str) -> Result<Secret, String> {
    if published::is_published(text) {
        return Err(
            "is a value that everybody knows, from documentation or an example: make one with `openssl rand -base64 32`"
                .to_owned(),
        );
    }
    match text.len() {
        MIN_SECRET_BYTES.. => Ok(Secret(text.to_owned())),
        bytes => Err(format!(
            "has {bytes} bytes, but must have at least {MIN_SECRET_BYTES}"
        )),
    }
}

/// The secrets of HS256 tokens. That of a front end counts only where no issuer has published keys: it lies in many
/// environments, and whoever knows it could speak for every user.
fn secrets(source: &mut Source, has_keys: bool) -> Vec<TrustedIssuer> {
    let of_front_end = match has_keys {
        true => {
            if source.is_set(&BETTER_AUTH_SECRET) {
                source.warn(
                    "BETTER_AUTH_SECRET is ignored: tokens are verified with the published keys of the issuer. Unset it, or \
                     set AUTH_HS256_SECRET if tokens that are signed with a secret are meant",
                );
            }
            None
        }
        false => secret_rule(source, &BETTER_AUTH_SECRET),
    };
    let own = secret_rule(source, &AUTH_HS256_SECRET);
    own.into_iter().chain(of_front_end).collect()
}

fn secret_rule(source: &mut Source, setting: &Setting<Option<Secret>>) -> Option<TrustedIssuer> {
    let secret = source.get_exact(setting)?;
    if secret.0.trim() != secret.0 {
        let name = setting.name;
        source.warn(format!(
            "{name} begins or ends with white space, which is a part of the secret"
        ));
    }
    Some(TrustedIssuer {
        rule: setting.name.to_owned(),
        issuer: None,
        audiences: Vec::new(),
        keys: KeySource::Hs256(secret),
        namespace: None,
    })
}
