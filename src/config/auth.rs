//! Whom to trust.

use std::time::Duration;

use url::Url;

use super::Source;
use crate::auth::{AuthSettings, KeySource, Resource, Secret, TrustedIssuer};

/// HMAC keys should be as long as the hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;

pub(super) fn read(source: &mut Source, public_url: Option<&Url>) -> AuthSettings {
    let mut issuers = better_auth(source, public_url);
    let listed = listed(source);
    let secrets = secrets(source);
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
                "AUTH_JWKS_URL",
                "is missing: AUTH_ISSUER and AUTH_AUDIENCE need keys",
            );
        }
    }
    let mut time = |name, default, least, most| {
        let expected = format!("a number of seconds from {least} to {most}");
        let read = |text: &str| {
            let seconds = text.parse().ok()?;
            (least..=most)
                .contains(&seconds)
                .then(|| Duration::from_secs(seconds))
        };
        source
            .parse(name, &expected, read)
            .unwrap_or(Duration::from_secs(default))
    };
    AuthSettings {
        issuers,
        jwks_ttl: time("AUTH_JWKS_TTL_SECONDS", 300, 1, 86_400),
        jwks_cooldown: time("AUTH_JWKS_COOLDOWN_SECONDS", 10, 0, 3_600),
        leeway: time("AUTH_LEEWAY_SECONDS", 30, 0, 300),
    }
}

/// What those should know who trust several: a user is the `sub` of a token, whoever signed it.
pub(super) fn warning(settings: &AuthSettings) -> Option<String> {
    let mut sources: Vec<_> = settings
        .issuers
        .iter()
        .map(|issuer| match &issuer.keys {
            KeySource::Jwks(url) => url.origin().ascii_serialization(),
            KeySource::Hs256(Secret(secret)) => secret.clone(),
        })
        .collect();
    sources.sort_unstable();
    sources.dedup();
    (sources.len() > 1).then(|| {
        format!(
            "tokens of {} issuers are accepted, and each can speak for every user: the same `sub` is the same \
             user, whoever signed it",
            sources.len()
        )
    })
}

/// An absolute URL of the web.
pub(super) fn web_url(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// The address of a server: what is appended to it must be below it.
pub(super) fn base_url(text: &str) -> Option<Url> {
    web_url(text).filter(|url| {
        url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && !url.path().trim_end_matches('/').ends_with("/mcp")
    })
}

/// What Better Auth's `jwt` plugin signs: issuer and audience are its base URL. Its OAuth provider
/// signs tokens for the MCP endpoint with another issuer.
fn better_auth(source: &mut Source, public_url: Option<&Url>) -> Vec<TrustedIssuer> {
    let name = "BETTER_AUTH_URL";
    let expected = "the base URL of the Better Auth app, like https://app.example.com";
    let read = |text: &str| web_url(text).map(|_| text.trim_end_matches('/').to_owned());
    let Some(base) = source.parse(name, expected, read) else {
        return Vec::new();
    };
    let Some(jwks) = web_url(&format!("{base}/api/auth/jwks")) else {
        return Vec::new();
    };
    let rule = |issuer: String, audience: String| TrustedIssuer {
        rule: name.to_owned(),
        issuer: Some(issuer),
        audiences: vec![audience],
        keys: KeySource::Jwks(jwks.clone()),
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

/// What `AUTH_ISSUER`, `AUTH_AUDIENCE` and `AUTH_JWKS_URL` stand for.
enum Listed {
    Issuers(Vec<TrustedIssuer>),
    Claims {
        issuer: Option<String>,
        audiences: Vec<String>,
    },
}

fn listed(source: &mut Source) -> Listed {
    let mut list = |name| {
        let text = source.take(name).unwrap_or_default();
        let items = text.split(',').map(|item| item.trim().to_owned());
        items.filter(|item| !item.is_empty()).collect::<Vec<_>>()
    };
    let issuers = list("AUTH_ISSUER");
    let audiences = list("AUTH_AUDIENCE");
    let urls = list("AUTH_JWKS_URL");
    let words = |list: &String| {
        list.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    if urls.is_empty() && issuers.len() <= 1 && audiences.len() <= 1 {
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
        source.fault(
            "AUTH_JWKS_URL",
            format!(
                "has {u} entries, AUTH_ISSUER {i} and AUTH_AUDIENCE {a}: they belong together by position, \
                 so there must be as many of each"
            ),
        );
        return Listed::Issuers(Vec::new());
    }
    let mut rules = Vec::new();
    for ((issuer, audiences), url) in issuers.into_iter().zip(&audiences).zip(&urls) {
        match web_url(url) {
            Some(url) => rules.push(TrustedIssuer {
                rule: "AUTH_JWKS_URL".to_owned(),
                issuer: Some(issuer),
                audiences: words(audiences),
                keys: KeySource::Jwks(url),
            }),
            None => source.fault(
                "AUTH_JWKS_URL",
                format!("has `{url}`, which is no http or https URL"),
            ),
        }
    }
    Listed::Issuers(rules)
}

fn secrets(source: &mut Source) -> Vec<TrustedIssuer> {
    let mut rules = Vec::new();
    for name in ["AUTH_HS256_SECRET", "BETTER_AUTH_SECRET"] {
        let Some(secret) = source.take(name) else {
            continue;
        };
        if secret.len() < MIN_SECRET_BYTES {
            source.fault(
                name,
                format!(
                    "has {} bytes, but must have at least {MIN_SECRET_BYTES}",
                    secret.len()
                ),
            );
            continue;
        }
        rules.push(TrustedIssuer {
            rule: name.to_owned(),
            issuer: None,
            audiences: Vec::new(),
            keys: KeySource::Hs256(Secret(secret)),
        });
    }
    rules
}
