//! Development mode's own issuer: a key in a file, and tokens signed with it.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::Utc;
use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rand::RngCore;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    identity::UserId,
    key::{self, Alg, Key},
};

/// Signs tokens for development, with a key that a file holds: so that `taskward token alice` in
/// another process mints tokens that the running server accepts.
#[derive(Clone)]
pub struct DevIssuer {
    key: Arc<SigningKey>,
    kid: String,
}

#[derive(Serialize)]
struct MintedClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}

impl DevIssuer {
    /// `iss` and `aud` of its tokens.
    pub const ISSUER: &str = "taskward-development";

    /// Loads the Ed25519 key (PKCS#8 in PEM, RFC 8410), or makes it with mode 0600, and the folders
    /// above it too. Two processes that start at once get the same key.
    ///
    /// # Errors
    /// If the file cannot be read or made, or holds something else.
    pub fn open(path: &Path) -> anyhow::Result<DevIssuer> {
        let pem = match fs::read_to_string(path) {
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                make(path).with_context(|| format!("cannot make {}", path.display()))?;
                fs::read_to_string(path)
            }
            read => read,
        }
        .with_context(|| format!("cannot read {}", path.display()))?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|_| {
            anyhow!(
                "{} holds no Ed25519 key; delete it for a new one",
                path.display()
            )
        })?;
        // The name tells two keys apart: a token of another file's key is `unknown_key`.
        let hash = Sha256::digest(key.verifying_key().as_bytes());
        key::install_crypto();
        Ok(DevIssuer {
            key: key.into(),
            kid: URL_SAFE_NO_PAD.encode(&hash[..9]),
        })
    }

    /// A token for `user`, with the `scope` claim if there is one, that is valid from now on.
    ///
    /// # Errors
    /// If `user` is no subject (1 to 255 code points, no control characters), or `valid` reaches
    /// beyond the year 9999.
    pub fn mint(&self, user: &str, scope: Option<&str>, valid: Duration) -> anyhow::Result<String> {
        UserId::from_subject(user).map_err(|why| anyhow!("the user {why}"))?;
        let iat = Utc::now().timestamp();
        let exp = i64::try_from(valid.as_secs())
            .ok()
            .and_then(|valid| iat.checked_add(valid));
        let exp = exp
            .filter(|exp| *exp < 253_402_300_800)
            .context("the token would never expire")?;
        let claims = MintedClaims {
            iss: Self::ISSUER,
            aud: Self::ISSUER,
            sub: user,
            iat,
            exp,
            scope,
        };
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        let key = EncodingKey::from_ed_der(self.key.to_pkcs8_der()?.as_bytes());
        Ok(jsonwebtoken::encode(&header, &claims, &key)?)
    }

    /// The public key.
    pub(super) fn key(&self) -> Key {
        let public = self.key.verifying_key().to_bytes();
        let decoding = DecodingKey::from_ed_der(&public);
        Key::new(
            Some(self.kid.clone()),
            &[Alg::EdDsa],
            decoding,
            public.to_vec(),
        )
    }
}

/// Writes a new key beside `path` and links it there, which fails if another process was first: so
/// nobody reads half a key, and all read the same.
fn make(path: &Path) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF)?;
    let draft = folder.join(format!(
        ".taskward-key-{}-{:016x}",
        std::process::id(),
        rand::random::<u64>()
    ));
    let written = write_private(&draft, pem.as_bytes()).and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    match written {
        Err(fault) if fault.kind() != ErrorKind::AlreadyExists => Err(fault.into()),
        _ => Ok(()),
    }
}

fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

impl std::fmt::Debug for DevIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevIssuer")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
