//! An issuer that the tests run themselves: a signing key, and its key set on a loopback port.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use ed25519_dalek::SigningKey;
use poem::{Response, Route, endpoint::make_sync};
use serde_json::{Value, json};
use taskward::server::{self, Limits};
use tokio::{net::TcpListener, sync::oneshot};

use super::token::signed;

/// An issuer at `base` whose keys are at `base/api/auth/jwks`, as Better Auth's are.
pub struct Issuer {
    pub base: String,
    key: SigningKey,
    _stop: oneshot::Sender<()>,
}

impl Issuer {
    pub async fn start() -> Self {
        let key = SigningKey::from_bytes(&[3; 32]);
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x });
        let key_set = json!({ "keys": [jwk] }).to_string();
        let answer = make_sync(move |_| {
            let answer = Response::builder().content_type("application/json");
            answer.body(key_set.clone())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = Route::new().at("/api/auth/jwks", answer);
        tokio::spawn(server::serve(
            listener,
            routes,
            Limits::default(),
            async move {
                let _ = stopped.await;
            },
        ));
        Self {
            base,
            key,
            _stop: stop,
        }
    }

    /// A token of its own for ten minutes, with these claims beside `sub` and the times.
    pub fn token(&self, user: &str, claims: &Value) -> String {
        let now = Utc::now().timestamp();
        let mut all = json!({ "sub": user, "iat": now, "exp": now + 600 });
        let more = claims.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        let header = json!({ "alg": "EdDSA", "kid": "k", "typ": "at+jwt" });
        signed(&header, &all, &self.key)
    }
}
