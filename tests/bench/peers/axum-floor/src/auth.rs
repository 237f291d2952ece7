//! Judges tokens. One whose signature was good is not checked again before it expires, as in Taskward.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

use crate::Error;

const REFUSED: Error = Error::Refused(StatusCode::UNAUTHORIZED, "invalid token");
const CACHED_TOKENS: usize = 100_000;

pub struct Auth {
    keys: HashMap<String, VerifyingKey>,
    issuer: String,
    audience: String,
    verified: RwLock<HashMap<Box<str>, Token>>,
}

#[derive(Clone)]
struct Token {
    user: Arc<str>,
    expires: u64,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    x: String,
}

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    iss: String,
    aud: String,
}

impl Auth {
    pub fn new(key_set: &[u8], issuer: String, audience: String) -> anyhow::Result<Self> {
        let set: KeySet = serde_json::from_slice(key_set)?;
        let keys = set.keys.into_iter().map(|key| {
            let bytes = URL_SAFE_NO_PAD.decode(key.x)?;
            let bytes = bytes
                .as_slice()
                .try_into()
                .context("a key must have 32 bytes")?;
            Ok((key.kid, VerifyingKey::from_bytes(bytes)?))
        });
        Ok(Self {
            keys: keys.collect::<anyhow::Result<_>>()?,
            issuer,
            audience,
            verified: RwLock::default(),
        })
    }

    /// The user whose token the request carries.
    pub fn user(&self, headers: &HeaderMap) -> Result<Arc<str>, Error> {
        let value = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(REFUSED)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| REFUSED)?
            .as_secs();
        let known = self
            .verified
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .cloned();
        let judged = match known {
            Some(judged) => judged,
            None => self.remember(token, self.verify(token).ok_or(REFUSED)?),
        };
        if judged.expires <= now {
            Err(REFUSED)
        } else {
            Ok(judged.user)
        }
    }

    fn remember(&self, token: &str, judged: Token) -> Token {
        let mut verified = self
            .verified
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= CACHED_TOKENS {
            verified.clear();
        }
        verified.insert(token.into(), judged.clone());
        judged
    }

    fn verify(&self, token: &str) -> Option<Token> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header = URL_SAFE_NO_PAD.decode(header).ok()?;
        let header: Header = serde_json::from_slice(&header).ok()?;
        let key = self
            .keys
            .get(header.kid)
            .filter(|_| header.alg == "EdDSA")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = signature.as_slice().try_into().ok()?;
        key.verify_strict(signed.as_bytes(), &signature).ok()?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let meant_for_us = claims.iss == self.issuer && claims.aud == self.audience;
        meant_for_us.then(|| Token {
            user: claims.sub.into(),
            expires: claims.exp,
        })
    }
}
