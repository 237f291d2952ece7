//! Tokens that no issuer would make.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use ed25519_dalek::{Signer as _, SigningKey, pkcs8::DecodePrivateKey as _};
use serde_json::{Value, json};
use taskward::auth::DevIssuer;

use super::TestApp;

/// Two parts of a token, to be signed.
fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A token with this header and these claims.
pub fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let text = unsigned(header, claims);
    let signature = key.sign(text.as_bytes()).to_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a good token for ten minutes.
pub fn claims(user: &str) -> Value {
    let now = Utc::now().timestamp();
    let issuer = DevIssuer::ISSUER;
    json!({ "iss": issuer, "aud": issuer, "sub": user, "iat": now, "exp": now + 600 })
}

impl TestApp {
    /// A token with these claims, signed by the issuer that the server trusts.
    pub fn signed(&self, claims: &Value) -> String {
        signed(&self.header(), claims, &self.key())
    }

    /// A token that differs from a good one by its signature only: it is of another key.
    pub fn forged(&self, user: &str) -> String {
        let other = SigningKey::from_bytes(&[7; 32]);
        signed(&self.header(), &claims(user), &other)
    }

    /// A token that says that it needs no signature (RFC 8725 §2.1).
    pub fn unsecured(&self, user: &str) -> String {
        let mut header = self.header();
        header["alg"] = "none".into();
        format!("{}.", unsigned(&header, &claims(user)))
    }

    /// A token that was good until an hour ago.
    pub fn expired(&self, user: &str) -> String {
        let mut claims = claims(user);
        for time in ["iat", "exp"] {
            claims[time] = (claims[time].as_i64().unwrap() - 4200).into();
        }
        self.signed(&claims)
    }

    fn key(&self) -> SigningKey {
        SigningKey::read_pkcs8_pem_file(self.key_file()).unwrap()
    }

    fn header(&self) -> Value {
        let token = self.token("anybody");
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
        serde_json::from_slice(&header.unwrap()).unwrap()
    }
}
