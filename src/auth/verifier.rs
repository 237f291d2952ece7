//! Finds out who sent a token.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use chrono::DateTime;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::{
    clock::Clock,
    telemetry::{Registry, Source},
};

use super::{
    bearer::bearer,
    claims::Claims,
    dev::DevIssuer,
    fault::TokenFault,
    identity::{Identity, Scopes},
    key::{self, Key},
    key_set::{KeySet, Pace},
    rule::{Keys, Rejection, Rule},
    settings::AuthSettings,
    summary::RuleSummary,
    token::{MAX_TOKEN, Token},
    token_cache::{CachedToken, Digest, TokenCache},
};

/// How long a token waits for its key, whatever fetches are under way. With the rest of the request it stays below the
/// 5 s after which every request has its answer.
const LONGEST_WAIT: Duration = Duration::from_millis(4500);

/// Verifies tokens by the rules of the settings. A clone shares keys and memory with its original.
#[derive(Clone)]
pub struct Verifier(Arc<VerifierState>);

struct VerifierState {
    rules: Vec<Rule>,
    token_cache: TokenCache,
    clock: Clock,
    /// In milliseconds.
    leeway: i64,
    require_scope: bool,
    /// In milliseconds.
    max_token_age: Option<i64>,
}

impl Verifier {
    /// Makes the rules and starts to fetch the key sets in the background, until the last clone is dropped.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If there are neither issuers nor development mode, or both; if a secret is shorter than 32 bytes, an issuer
    /// or audience is empty, or a key set has no issuer or audience.
    pub fn new(
        settings: &AuthSettings,
        development: Option<DevIssuer>,
        clock: &Clock,
    ) -> anyhow::Result<Verifier> {
        let AuthSettings {
            issuers,
            jwks_ttl,
            jwks_cooldown,
            jwks_max_stale,
            leeway,
            require_scope,
            max_token_age,
        } = settings;
        // With real issuers, a key in a file would be a back door.
        ensure!(
            issuers.is_empty() == development.is_some(),
            "either trusted issuers or development mode"
        );
        key::install_crypto();
        let pace = Pace {
            ttl: *jwks_ttl,
            cooldown: *jwks_cooldown,
            max_stale: *jwks_max_stale,
        };
        let namespaces = issuers.iter().filter_map(|issuer| issuer.namespace.clone());
        let namespaces: Arc<[String]> = namespaces.collect();
        let mut sets = HashMap::new();
        let mut rules: Vec<Rule> = development.iter().map(Rule::development).collect();
        for trusted in issuers {
            let rule = Rule::new(trusted, &mut sets, pace, &namespaces);
            rules.push(rule.with_context(|| format!("rule {}", trusted.rule))?);
        }
        // Rules that name an issuer come first: they can say more about a token.
        rules.sort_by_key(|rule| rule.issuer.is_none());
        let leeway = i64::try_from(leeway.as_millis()).context("the leeway is too long")?;
        let age = max_token_age.map(|age| i64::try_from(age.as_millis()));
        let max_token_age = age.transpose().context("the age of tokens is too long")?;
        Ok(Verifier(Arc::new(VerifierState {
            rules,
            token_cache: TokenCache::new(),
            clock: clock.clone(),
            leeway,
            require_scope: *require_scope,
            max_token_age,
        })))
    }

    /// What is known of this `Authorization` header: `None` if its token was not verified lately.
    pub fn known(&self, header: Option<&[u8]>) -> Option<Result<Arc<Identity>, TokenFault>> {
        // Only verified tokens are in the cache, so what is found there needs no look at its characters.
        let token = header?.strip_prefix(b"Bearer ")?;
        let digest = (token.len() <= MAX_TOKEN).then(|| digest(token))?;
        self.cached(&digest)
    }

    /// Says who sent a request with this `Authorization` header.
    ///
    /// # Errors
    /// As of [`bearer`] and of [`verify`](Self::verify).
    pub async fn verify_header(&self, header: Option<&[u8]>) -> Result<Arc<Identity>, TokenFault> {
        match self.known(header) {
            Some(verified) => verified,
            None => self.verify(bearer(header)?).await,
        }
    }

    /// Says who sent this token. A cached token costs a hash and a lookup; any other costs a signature check, and an
    /// unknown key waits for a fetch, at most 4.5 s.
    ///
    /// Claims are read only after the signature was verified, except `iss`, which selects the rule.
    ///
    /// # Errors
    /// What is wrong with the token; [`TokenFault::KeysUnavailable`] if its key is not known and the issuer's key
    /// set was never fetched or cannot be fetched now.
    pub async fn verify(&self, token: &str) -> Result<Arc<Identity>, TokenFault> {
        if token.len() > MAX_TOKEN {
            return Err(TokenFault::TooLarge(token.len()));
        }
        let digest = digest(token.as_bytes());
        match self.cached(&digest) {
            Some(verified) => verified,
            None => self.verify_unknown(token, digest).await,
        }
    }

    /// What the cache knows of a token.
    fn cached(&self, digest: &Digest) -> Option<Result<Arc<Identity>, TokenFault>> {
        let CachedToken {
            identity,
            expires,
            key: _,
        } = self.0.token_cache.get(digest)?;
        let now = self.0.clock.now().timestamp_millis();
        Some(match now < expires.saturating_add(self.0.leeway) {
            true => Ok(identity),
            false => Err(TokenFault::Expired(now - expires)),
        })
    }

    /// Verifies a token of at most [`MAX_TOKEN`] bytes that is not in the cache, and puts it there.
    async fn verify_unknown(
        &self,
        token: &str,
        digest: Digest,
    ) -> Result<Arc<Identity>, TokenFault> {
        let token = Token::parse(token)?;
        let (identity, expires, key) = self.judge(&token).await?;
        let cached = CachedToken {
            identity: identity.clone(),
            expires,
            key,
        };
        self.0.token_cache.put(digest, cached);
        Ok(identity)
    }

    /// For how long a token that was verified is still good; zero once it has expired.
    pub fn time_left(&self, identity: &Identity) -> Duration {
        let left = identity.expires_at - self.0.clock.now();
        left.to_std().unwrap_or_default()
    }

    /// Whether a token that was verified is refused by now: its leeway is over, too.
    pub fn has_expired(&self, identity: &Identity) -> bool {
        let late = self.0.clock.now() - identity.expires_at;
        late.num_milliseconds() >= self.0.leeway
    }

    /// The names of the rules whose key set was never fetched or has no usable key, for readiness.
    pub fn missing_keys(&self) -> Vec<String> {
        let missing = |rule: &&Rule| matches!(&rule.keys, Keys::Published(set) if set.is_missing());
        self.0
            .rules
            .iter()
            .filter(missing)
            .map(|rule| rule.name.to_string())
            .collect()
    }

    /// Shows what is counted of the key sets, each by the name of the first rule that uses it.
    pub fn observe(&self, registry: &Registry) {
        let mut shown: Vec<&Arc<KeySet>> = Vec::new();
        for rule in &self.0.rules {
            let Keys::Published(set) = &rule.keys else {
                continue;
            };
            if shown.iter().all(|other| !Arc::ptr_eq(other, set)) {
                shown.push(set);
                let rule = rule.name.to_string().into();
                let instruments: Arc<dyn Source> = set.instruments().clone();
                registry.add_labelled(vec![("taskward.auth.rule", rule)], instruments);
            }
        }
    }

    /// The rules, for the log at start-up.
    pub fn rules(&self) -> Vec<RuleSummary> {
        self.0.rules.iter().map(Rule::summary).collect()
    }

    /// Tries each rule that may be for the token. If none accepts it, the fault comes from the rule with which it
    /// got furthest.
    async fn judge(&self, token: &Token<'_>) -> Result<Judged, TokenFault> {
        let rules = || self.0.rules.iter().filter(|rule| rule.may_use(token.alg));
        if rules().next().is_none() {
            return Err(TokenFault::AlgorithmNotAllowed(
                "no key of this server is for it",
            ));
        }
        let meant = |rule: &&Rule| {
            rule.issuer.is_none() || rule.issuer.as_deref() == token.unproven.issuer()
        };
        let deadline = Instant::now() + LONGEST_WAIT;
        let mut worst: Option<Rejection> = None;
        for rule in rules().filter(meant) {
            let refusal = match rule.signer_or_newer(token, deadline).await {
                Ok(key) => match self.accept(rule, token, key) {
                    Ok(judged) => return Ok(judged),
                    Err(fault) => Rejection::Claims(fault),
                },
                Err(refusal) => refusal,
            };
            if worst
                .as_ref()
                .is_none_or(|worst| refusal.rank() > worst.rank())
            {
                worst = Some(refusal);
            }
        }
        if let Some(refusal) = worst {
            return Err(refusal.into_fault());
        }
        // No rule has this issuer. If its key is known all the same, the base URL is written differently here and
        // there, which is the most common mistake: name it. Nothing is fetched for this.
        for rule in rules() {
            if let Ok(key) = rule.signer(token) {
                return self.accept(rule, token, key);
            }
        }
        Err(TokenFault::UnknownIssuer)
    }

    /// Reads and checks the claims, after the signature was verified.
    fn accept(&self, rule: &Rule, token: &Token<'_>, key: Arc<Key>) -> Result<Judged, TokenFault> {
        let mut claims = Claims::read(&token.unproven)?;
        let (now, leeway) = (self.0.clock.now().timestamp_millis(), self.0.leeway);
        rule.check(&claims, now, leeway)?;
        if let Some(most) = self.0.max_token_age {
            claims.limit_age(now, leeway, most)?;
        }
        if claims.scopes.is_none() && self.0.require_scope {
            return Err(TokenFault::claim(
                "`scope` is missing, and this server accepts only tokens that say what they allow",
            ));
        }
        let (expires_at, expires) = (claims.expires_at(), claims.expires);
        let Claims {
            subject,
            issuer,
            audiences: _,
            expires: _,
            not_before: _,
            issued,
            scopes,
        } = claims;
        let identity = Identity {
            user_id: rule.user(&subject)?,
            subject,
            issuer,
            // What is wrong with an `iat` counts only where the age of tokens is limited.
            issued_at: issued
                .ok()
                .flatten()
                .and_then(DateTime::from_timestamp_millis),
            expires_at,
            scopes: scopes.unwrap_or(Scopes::ALL),
            rule: rule.name.clone(),
        };
        Ok((identity.into(), expires, key))
    }

    #[cfg(test)]
    pub(super) fn token_cache(&self) -> usize {
        self.0.token_cache.len()
    }
}

fn digest(token: &[u8]) -> Digest {
    Sha256::digest(token).into()
}

/// The user, the expiry (milliseconds since 1970), and the key that verified the token.
type Judged = (Arc<Identity>, i64, Arc<Key>);
