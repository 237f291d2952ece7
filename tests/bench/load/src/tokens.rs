//! Tokens as Better Auth's JWT plugin makes them: EdDSA, with the key's id in the header and the user's
//! id, name and email address among the claims.

use std::{
    fs,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, anyhow};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;

const KEY_ID: &str = "bench";
const LIFETIME_SECONDS: u64 = 86_400;

#[derive(clap::Args)]
pub struct Arguments {
    /// File with the user ids, one a line
    #[arg(long)]
    users: PathBuf,
    /// Folder that gets `jwks.json`, and `tokens` in the order of the users
    #[arg(long)]
    out: PathBuf,
    /// Issuer and audience of the tokens
    #[arg(long)]
    issuer: String,
}

pub fn make(arguments: &Arguments) -> anyhow::Result<()> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow!("no random numbers: {error}"))?;
    let key = SigningKey::from_bytes(&secret);
    let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    let key_set = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": public }
    ] });
    fs::write(arguments.out.join("jwks.json"), key_set.to_string())?;

    let users = fs::read_to_string(&arguments.users)
        .with_context(|| format!("cannot read {}", arguments.users.display()))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = json!({ "alg": "EdDSA", "kid": KEY_ID, "typ": "JWT" });
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let mut tokens = String::new();
    for (number, user) in users.lines().enumerate() {
        let claims = json!({
            "sub": user, "iss": arguments.issuer, "aud": arguments.issuer,
            "iat": now - 5, "exp": now + LIFETIME_SECONDS,
            "id": user, "name": format!("User {number}"), "email": format!("user{number}@example.com"),
        });
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()).to_bytes());
        tokens.push_str(&format!("{signed}.{signature}\n"));
    }
    fs::write(arguments.out.join("tokens"), tokens)?;
    Ok(())
}
