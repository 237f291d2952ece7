//! The actors: an issuer with an HTTP server, signing keys, and a server's settings.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use crate::auth::{AuthSettings, Identity, KeySource, Secret, TokenFault, TrustedIssuer, Verifier};
use crate::clock::Clock;

/// `iss` and `aud` of the issuer's tokens.
pub const ISSUER: &str = "http://issuer.test";
pub const SECRET: &str = "a secret that is long enough: 0123456789";
/// 2026-02-06T09:00:00Z, the time at which all stories begin.
pub const NOW: i64 = 1_770_368_400;

/// A key that signs.
#[derive(Clone)]
pub struct Signer {
    pub alg: &'static str,
    pub kid: Option<String>,
    key: EncodingKey,
    algorithm: Algorithm,
    /// As the issuer publishes it.
    pub jwk: Value,
}

impl Signer {
    /// The Ed25519 key of a seed, so `1` and `2` are different keys.
    pub fn ed(kid: &str, seed: u8) -> Signer {
        crate::auth::key::install_crypto();
        let key = SigningKey::from_bytes(&[seed; 32]);
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        Signer {
            alg: "EdDSA",
            kid: Some(kid.to_owned()),
            key: EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes()),
            algorithm: Algorithm::EdDSA,
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid, "x": x}),
        }
    }

    pub fn ec(kid: &str) -> Signer {
        crate::auth::key::install_crypto();
        Signer {
            alg: "ES256",
            kid: Some(kid.to_owned()),
            key: EncodingKey::from_ec_pem(include_bytes!("keys/ec.pem")).unwrap(),
            algorithm: Algorithm::ES256,
            jwk: published(include_str!("keys/ec.jwk.json"), kid),
        }
    }

    pub fn rsa(kid: &str, alg: &'static str) -> Signer {
        crate::auth::key::install_crypto();
        Signer {
            alg,
            kid: Some(kid.to_owned()),
            key: EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")).unwrap(),
            algorithm: alg.parse().unwrap(),
            jwk: published(include_str!("keys/rsa.jwk.json"), kid),
        }
    }

    pub fn shared(secret: &[u8]) -> Signer {
        crate::auth::key::install_crypto();
        Signer {
            alg: "HS256",
            kid: None,
            key: EncodingKey::from_secret(secret),
            algorithm: Algorithm::HS256,
            jwk: Value::Null,
        }
    }

    /// The same key without a name, on both sides.
    pub fn nameless(mut self) -> Signer {
        self.kid = None;
        self.jwk.as_object_mut().unwrap().remove("kid");
        self
    }

    /// The same key, whose published entry has another member.
    pub fn publishing(mut self, member: &str, value: Value) -> Signer {
        self.jwk[member] = value;
        self
    }

    pub fn sign(&self, claims: Value) -> String {
        let mut header = json!({"alg": self.alg});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        self.sign_as(header, claims)
    }

    /// Signs whatever it is told, under any header.
    pub fn sign_as(&self, header: Value, claims: Value) -> String {
        self.sign_text(&header.to_string(), claims.to_string().as_bytes())
    }

    pub fn sign_text(&self, header: &str, payload: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = crypto::sign(signed.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

fn published(jwk: &str, kid: &str) -> Value {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    jwk["kid"] = json!(kid);
    jwk
}

/// What Better Auth says of a user, valid for 15 minutes from [`NOW`].
pub fn claims(user: &str) -> Value {
    json!({"iss": ISSUER, "aud": ISSUER, "sub": user, "iat": NOW, "exp": NOW + 900, "name": "Alice"})
}

/// [`claims`] of alice with one of them replaced; `null` removes it.
pub fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims("alice");
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// An issuer that publishes its key set at an address that stays the same while it is down.
pub struct Issuer {
    pub address: SocketAddr,
    body: Arc<Mutex<String>>,
    fetches: Arc<AtomicUsize>,
    server: Option<JoinHandle<()>>,
}

impl Issuer {
    pub async fn start(keys: &[&Signer]) -> Issuer {
        let mut issuer = Issuer::down().await;
        issuer.publish(keys);
        issuer.up().await;
        issuer
    }

    /// An issuer that has an address but does not answer yet.
    pub async fn down() -> Issuer {
        let address = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let (body, fetches) = (
            Arc::new(Mutex::new(r#"{"keys":[]}"#.to_owned())),
            Arc::default(),
        );
        Issuer {
            address,
            body,
            fetches,
            server: None,
        }
    }

    pub fn publish(&self, keys: &[&Signer]) {
        let keys: Vec<_> = keys.iter().map(|key| &key.jwk).collect();
        self.answer(json!({ "keys": keys }).to_string());
    }

    /// Answers with any body.
    pub fn answer(&self, body: String) {
        let length = body.len();
        self.answer_raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
    }

    pub fn answer_raw(&self, answer: String) {
        *self.body.lock().unwrap() = answer;
    }

    pub async fn up(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let (body, fetches) = (self.body.clone(), self.fetches.clone());
        self.server = Some(tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let (body, fetches) = (body.clone(), fetches.clone());
                tokio::spawn(async move {
                    let _ = client.read(&mut [0; 4096]).await;
                    fetches.fetch_add(1, SeqCst);
                    let answer = body.lock().unwrap().clone();
                    let _ = client.write_all(answer.as_bytes()).await;
                    let _ = client.shutdown().await;
                });
            }
        }));
    }

    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    pub fn fetches(&self) -> usize {
        self.fetches.load(SeqCst)
    }

    /// The rule that trusts it.
    pub fn trusted(&self) -> TrustedIssuer {
        let url = format!("http://{}/api/auth/jwks", self.address)
            .parse()
            .unwrap();
        TrustedIssuer {
            rule: "BETTER_AUTH_URL".to_owned(),
            issuer: Some(ISSUER.to_owned()),
            audiences: vec![ISSUER.to_owned()],
            keys: KeySource::Jwks(url),
            namespace: None,
        }
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

/// The rule for tokens signed by hand.
pub fn by_secret() -> TrustedIssuer {
    TrustedIssuer {
        rule: "AUTH_HS256_SECRET".to_owned(),
        issuer: None,
        audiences: Vec::new(),
        keys: KeySource::Hs256(Secret(SECRET.to_owned())),
        namespace: None,
    }
}

/// A server, and its clock, which stands still unless a story moves it.
pub struct Server {
    pub verifier: Verifier,
    clock: Arc<AtomicI64>,
}

impl Server {
    pub fn trusting(issuers: Vec<TrustedIssuer>) -> Server {
        Server::with(settings(issuers))
    }

    pub fn with(settings: AuthSettings) -> Server {
        let clock = Arc::new(AtomicI64::new(NOW * 1_000_000));
        let verifier = Verifier::new(&settings, None, &Clock::Set(clock.clone())).unwrap();
        Server { verifier, clock }
    }

    pub async fn verify(&self, token: &str) -> Result<Arc<Identity>, TokenFault> {
        self.verifier.verify(token).await
    }

    /// The id of the user, or the code of the fault.
    pub async fn says(&self, token: &str) -> String {
        match self.verify(token).await {
            Ok(identity) => identity.user_id.as_str().to_owned(),
            Err(fault) => code(&fault).to_owned(),
        }
    }

    /// The code of the fault, and its words.
    pub async fn complaint(&self, token: &str) -> String {
        told(&self.verify(token).await.expect_err("a fault"))
    }

    pub fn wait_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, SeqCst);
    }
}

/// A fault as a client sees it.
pub fn told(fault: &TokenFault) -> String {
    format!("{}: {fault}", code(fault))
}

/// Names a fault by the code that a client gets for it.
pub fn code(fault: &TokenFault) -> &'static str {
    match fault {
        TokenFault::Missing => "token_missing",
        TokenFault::AuthorizationMalformed(_) => "authorization_malformed",
        TokenFault::TooLarge(_) => "token_too_large",
        TokenFault::Malformed(_) => "token_malformed",
        TokenFault::SessionToken => "session_token_not_jwt",
        TokenFault::SessionCache => "session_cache_not_jwt",
        TokenFault::HeaderNotAllowed(_) => "header_not_allowed",
        TokenFault::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
        TokenFault::UnknownIssuer => "unknown_issuer",
        TokenFault::WrongIssuer(_) => "wrong_issuer",
        TokenFault::WrongAudience(_) => "wrong_audience",
        TokenFault::UnknownKey | TokenFault::OtherDevelopmentKey | TokenFault::AmbiguousKey => {
            "unknown_key"
        }
        TokenFault::KeysUnavailable => "keys_unavailable",
        TokenFault::BadSignature => "bad_signature",
        TokenFault::ClaimsInvalid(_) => "claims_invalid",
        TokenFault::Expired(_) | TokenFault::TooOld(_) => "token_expired",
        TokenFault::Revoked(_) | TokenFault::RevokedWithoutTime => "token_revoked",
        TokenFault::NotYetValid(_) => "token_not_yet_valid",
    }
}

/// The defaults, but for a cool-down of 300 ms of real time.
pub fn settings(issuers: Vec<TrustedIssuer>) -> AuthSettings {
    AuthSettings {
        issuers,
        jwks_ttl: Duration::from_secs(300),
        jwks_cooldown: Duration::from_millis(300),
        jwks_max_stale: Duration::from_secs(86_400),
        leeway: Duration::from_secs(30),
        require_scope: false,
        max_token_age: None,
    }
}
