//! Whose users are whose, where several issuers are trusted: a `sub` says who somebody is at one issuer only.

use super::{AUTH_NAMESPACE, AUTH_SHARED_SUBJECTS, BETTER_AUTH_URL, Source};
use crate::auth::{KeySource, Secret, TrustedIssuer};

/// The longest namespace, in characters.
const MAX_LENGTH: usize = 32;

/// Reads the list. Empty entries count: the first issuer may have no namespace.
pub(super) fn entries(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Vec<String> = text
        .split(',')
        .map(|entry| entry.trim().to_owned())
        .collect();
    for entry in &entries {
        check(entry)?;
    }
    let twice = |entry: &&String| entries.iter().filter(|other| other == entry).count() > 1;
    match entries.iter().find(twice) {
        None => Ok(entries),
        Some(twice) if twice.is_empty() => {
            Err("may leave out the namespace of one issuer only".to_owned())
        }
        Some(twice) => Err(format!("has `{twice}` twice")),
    }
}

fn check(entry: &str) -> Result<(), String> {
    let is_known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    match entry.len() <= MAX_LENGTH && entry.chars().all(is_known) {
        true => Ok(()),
        false => Err(format!(
            "must be names of at most {MAX_LENGTH} small letters, digits, `-`, `_` and `.`, by comma"
        )),
    }
}

/// Gives each issuer its namespace, or notes why the server must not start.
pub(super) fn give(source: &mut Source, rules: &mut [TrustedIssuer]) {
    let mut names = source.get(&AUTH_NAMESPACE);
    let is_shared = source.get(&AUTH_SHARED_SUBJECTS);
    let issuers = issuers(rules);
    let count = issuers.len();
    if is_shared && !names.is_empty() {
        let fault = "is set beside AUTH_SHARED_SUBJECTS, which says that all issuers have the same users: unset one";
        return source.fault(AUTH_NAMESPACE.name, fault);
    }
    if source.has_fault(AUTH_NAMESPACE.name) || is_shared || names.is_empty() && count < 2 {
        if is_shared && count > 1 {
            source.warn(format!(
                "tokens of {count} issuers are accepted, and each can speak for every user: the same `sub` is the same user, \
                 whoever signed it (AUTH_SHARED_SUBJECTS)"
            ));
        }
        return;
    }
    if names.len() + 1 == count {
        names.insert(0, String::new());
    }
    if names.len() != count {
        let mut named: Vec<String> = rules.iter().map(name).collect();
        named.dedup();
        let has = match names.len() {
            0 => "is missing".to_owned(),
            entries => format!("has {entries} entries"),
        };
        return source.fault(
            AUTH_NAMESPACE.name,
            format!(
                "{has}, and {count} issuers are trusted ({}): the same `sub` may be another person at each. Name a namespace \
                 for each issuer after the first, in this order; or set AUTH_SHARED_SUBJECTS=on if they share their users",
                named.join(", ")
            ),
        );
    }
    for (rule, issuer) in rules.iter_mut().zip(&issuers.of_rules) {
        rule.namespace = names.get(*issuer).filter(|name| !name.is_empty()).cloned();
    }
}

/// The issuers behind some rules, numbered in their order.
struct Issuers {
    of_rules: Vec<usize>,
    keys: Vec<String>,
}

impl Issuers {
    fn len(&self) -> usize {
        self.keys.len()
    }
}

fn issuers(rules: &[TrustedIssuer]) -> Issuers {
    let mut keys: Vec<String> = Vec::new();
    let of_rules = rules.iter().map(|rule| {
        let key = key(rule);
        keys.iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            })
    });
    let of_rules = of_rules.collect();
    Issuers { of_rules, keys }
}

/// What tells issuers apart. Better Auth signs for its two issuers with the same users.
fn key(rule: &TrustedIssuer) -> String {
    match (&rule.issuer, &rule.keys) {
        (Some(_), _) if rule.rule == BETTER_AUTH_URL.name => BETTER_AUTH_URL.name.to_owned(),
        (Some(issuer), _) => issuer.clone(),
        (None, KeySource::Hs256(Secret(secret))) => secret.clone(),
        (None, KeySource::Jwks(url)) => url.to_string(),
    }
}

/// How a message names the issuer of a rule; never by its secret.
fn name(rule: &TrustedIssuer) -> String {
    match &rule.issuer {
        Some(_) if rule.rule == BETTER_AUTH_URL.name => BETTER_AUTH_URL.name.to_owned(),
        Some(issuer) => issuer.clone(),
        None => format!("whoever has {}", rule.rule),
    }
}
