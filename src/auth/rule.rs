//! One trusted issuer: its keys, and what its tokens must say.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, bail, ensure};
use tokio::time::Instant;
use url::Url;

use super::{
    claims::Claims,
    dev::DevIssuer,
    fault::TokenFault,
    identity::UserId,
    key::{self, Alg, Choice, Key},
    key_set::{KeySet, Looked, Pace},
    settings::{KeySource, TrustedIssuer, without_secrets},
    summary::RuleSummary,
    token::Token,
};

/// The least length of a shared secret, in bytes (RFC 7518 §3.2).
const MIN_SECRET: usize = 32;

pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) issuer: Option<String>,
    audiences: Vec<String>,
    pub(super) keys: Keys,
    namespace: Option<String>,
    /// The namespaces of all issuers.
    namespaces: Arc<[String]>,
    /// For people.
    source: String,
}

pub(super) enum Keys {
    Fixed([Arc<Key>; 1]),
    /// Shared by all rules with the same URL.
    Published(Arc<KeySet>),
}

/// Why a rule rejects a token, by how far the token got.
pub(super) enum Rejection {
    NoKey(TokenFault),
    Signature(TokenFault),
    /// The signature is good, so this fault says the most.
    Claims(TokenFault),
}

impl Rejection {
    pub(super) fn rank(&self) -> u8 {
        match self {
            Rejection::NoKey(_) => 0,
            Rejection::Signature(_) => 1,
            Rejection::Claims(_) => 2,
        }
    }

    pub(super) fn into_fault(self) -> TokenFault {
        let (Rejection::NoKey(fault) | Rejection::Signature(fault) | Rejection::Claims(fault)) =
            self;
        fault
    }
}

impl Rule {
    /// # Errors
    /// If the issuer or an audience is empty, the secret is too short, or a key set has no issuer or audience.
    pub(super) fn new(
        trusted: &TrustedIssuer,
        sets: &mut HashMap<Url, Arc<KeySet>>,
        pace: Pace,
        namespaces: &Arc<[String]>,
    ) -> anyhow::Result<Rule> {
        let TrustedIssuer {
            rule,
            issuer,
            audiences,
            keys,
            namespace,
        } = trusted;
        // Better Auth without a base URL signs empty ones.
        ensure!(issuer.as_deref() != Some(""), "the issuer is empty");
        ensure!(
            !audiences.iter().any(String::is_empty),
            "an audience is empty"
        );
        let (keys, source) = match keys {
            KeySource::Hs256(secret) => {
                ensure!(
                    secret.0.len() >= MIN_SECRET,
                    "the secret has less than {MIN_SECRET} bytes"
                );
                (
                    Keys::Fixed([Key::shared(secret.0.as_bytes()).into()]),
                    "a shared secret".to_owned(),
                )
            }
            KeySource::Jwks(url) => {
                if issuer.is_none() || audiences.is_empty() {
                    bail!(
                        "a key set needs an issuer and an audience: it may sign for other servers too"
                    );
                }
                let set = match sets.get(url) {
                    Some(set) => set.clone(),
                    None => Arc::new(KeySet::start(url.clone(), pace).context("bad key set URL")?),
                };
                sets.insert(url.clone(), set.clone());
                (Keys::Published(set), without_secrets(url).to_string())
            }
        };
        let (issuer, audiences) = (issuer.clone(), audiences.clone());
        Ok(Rule {
            name: rule.as_str().into(),
            issuer,
            audiences,
            keys,
            namespace: namespace.clone(),
            namespaces: namespaces.clone(),
            source,
        })
    }

    /// The rule for development mode's own key.
    pub(super) fn development(issuer: &DevIssuer) -> Rule {
        Rule {
            name: "development".into(),
            issuer: Some(DevIssuer::ISSUER.to_owned()),
            audiences: vec![DevIssuer::ISSUER.to_owned()],
            keys: Keys::Fixed([issuer.key().into()]),
            namespace: None,
            namespaces: Arc::new([]),
            source: "its own key".to_owned(),
        }
    }

    /// Whether keys of this rule can sign with `alg`.
    pub(super) fn may_use(&self, alg: Alg) -> bool {
        match &self.keys {
            Keys::Fixed([key]) => key.algs.contains(&alg),
            Keys::Published(_) => alg != Alg::Hs256,
        }
    }

    /// The key that signed the token, among the keys known now.
    pub(super) fn signer(&self, token: &Token<'_>) -> Result<Arc<Key>, Rejection> {
        let kid = token.kid.as_deref();
        let choice = match &self.keys {
            Keys::Fixed(keys) => key::choose(keys, kid, token.alg),
            Keys::Published(set) => set.choose(kid, token.alg),
        };
        match choice {
            Choice::Fitting(keys) => keys
                .into_iter()
                .find(|key| key.verifies(token.alg, token.signed, token.signature))
                .ok_or(Rejection::Signature(TokenFault::BadSignature)),
            Choice::WrongAlgorithm => Err(Rejection::NoKey(TokenFault::AlgorithmNotAllowed(
                "the key that it names is for another one",
            ))),
            Choice::Unknown => Err(Rejection::NoKey(match kid {
                Some(_) if self.issuer.as_deref() == Some(DevIssuer::ISSUER) => {
                    TokenFault::OtherDevelopmentKey
                }
                Some(_) => TokenFault::UnknownKey,
                None => TokenFault::AmbiguousKey,
            })),
        }
    }

    /// The key that signed the token; fetches the key set again if no known key did, and waits for that until `deadline`.
    pub(super) async fn signer_or_newer(
        &self,
        token: &Token<'_>,
        deadline: Instant,
    ) -> Result<Arc<Key>, Rejection> {
        // Twice: a fetch that is under way may have begun before the key was made.
        for _ in 0..2 {
            let found = self.signer(token);
            // A `kid` that is reused for another key looks like a bad signature.
            let (Err(Rejection::NoKey(_) | Rejection::Signature(_)), Keys::Published(set)) =
                (&found, &self.keys)
            else {
                return found;
            };
            match set.look_again(deadline).await {
                Looked::Done => {}
                Looked::Not => return self.unless_uncertain(found),
                Looked::StillWaiting => {
                    return Err(Rejection::NoKey(TokenFault::KeysUnavailable));
                }
            }
        }
        self.unless_uncertain(self.signer(token))
    }

    /// Says that the keys are unavailable where "unknown" would be a guess.
    fn unless_uncertain(&self, found: Result<Arc<Key>, Rejection>) -> Result<Arc<Key>, Rejection> {
        match (found, &self.keys) {
            (
                Err(Rejection::NoKey(TokenFault::UnknownKey | TokenFault::AmbiguousKey)),
                Keys::Published(set),
            ) if set.is_uncertain() => Err(Rejection::NoKey(TokenFault::KeysUnavailable)),
            (found, _) => found,
        }
    }

    /// Checks the claims of a token with a good signature; times in milliseconds.
    pub(super) fn check(&self, claims: &Claims, now: i64, leeway: i64) -> Result<(), TokenFault> {
        if let Some(expected) = &self.issuer
            && claims.issuer.as_ref() != Some(expected)
        {
            return Err(TokenFault::WrongIssuer(
                self.other_issuer(claims.issuer.as_deref()),
            ));
        }
        if !self.audiences.is_empty()
            && !claims
                .audiences
                .iter()
                .any(|audience| self.audiences.contains(audience))
        {
            let expected = self.audiences.join("` or `");
            return Err(TokenFault::WrongAudience(format!(
                "`aud` must contain `{expected}`"
            )));
        }
        claims.check_time(now, leeway)
    }

    /// The user that a subject of this issuer is.
    pub(super) fn user(&self, subject: &UserId) -> Result<UserId, TokenFault> {
        let user = match &self.namespace {
            Some(namespace) => subject.in_namespace(namespace),
            None if self.namespaces.iter().any(|other| subject.is_in(other)) => {
                Err("begins with the namespace of another issuer")
            }
            None => Ok(subject.clone()),
        };
        user.map_err(|why| TokenFault::claim(format_args!("`sub` {why}")))
    }

    fn other_issuer(&self, found: Option<&str>) -> String {
        let expected = self.issuer.as_deref().unwrap_or_default();
        match found {
            None | Some("") => format!("`iss` is missing and must be `{expected}`"),
            Some(found) => {
                let found: String = found.chars().take(200).collect();
                format!(
                    "`iss` is {found:?} and must be `{expected}` ({})",
                    self.name
                )
            }
        }
    }

    /// For the log at start-up.
    pub(super) fn summary(&self) -> RuleSummary {
        let Rule {
            name,
            issuer,
            audiences,
            keys: _,
            namespace,
            namespaces: _,
            source,
        } = self;
        RuleSummary {
            rule: name.clone(),
            issuer: issuer.clone(),
            audiences: audiences.clone(),
            keys: source.clone(),
            namespace: namespace.clone(),
        }
    }
}
