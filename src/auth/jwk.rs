//! Public keys as issuers publish them (RFC 7517, RFC 7518 §6, RFC 8037 §2).
//!
//! jsonwebtoken's own `from_jwk` is not used: it makes an HMAC key of `kty: oct`, ignores `crv`, `use`,
//! `key_ops` and `alg`, and panics on a short Ed25519 key.

use anyhow::{Context, anyhow, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::key::{Alg, Key};

/// The most entries of a key set that are looked at.
const MAX_KEYS: usize = 64;

/// Why an entry with a private part is left out.
pub(super) const PRIVATE: &str = "it publishes its private key, so anybody can sign with it";

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// The private part. Its value is never kept.
    d: Option<IgnoredAny>,
}

/// The good keys of a key set. An entry that is not good is left out with a line in the log.
///
/// # Errors
/// If it is no key set at all: not JSON, or without an array `keys`.
pub(super) fn read_set(body: &[u8]) -> anyhow::Result<Vec<Key>> {
    let entries = read_entries(body)?;
    if entries.len() > MAX_KEYS {
        tracing::warn!(
            entries = entries.len(),
            "key set is too long: only its first {MAX_KEYS} entries are used"
        );
    }
    let mut good = Vec::new();
    for (position, entry) in entries.into_iter().take(MAX_KEYS).enumerate() {
        match read(entry) {
            Ok(key) => good.push(key),
            Err(why) => tracing::warn!(position, "entry of the key set left out: {why:#}"),
        }
    }
    Ok(good)
}

/// Each entry of a key set that is looked at: the key, or why it is left out.
///
/// # Errors
/// If it is no key set at all: not JSON, or without an array `keys`.
pub(super) fn judge_set(body: &[u8]) -> anyhow::Result<Vec<anyhow::Result<Key>>> {
    let entries = read_entries(body)?;
    Ok(entries.into_iter().take(MAX_KEYS).map(read).collect())
}

fn read_entries(body: &[u8]) -> anyhow::Result<Vec<Value>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let Set { keys } = serde_json::from_slice(body).map_err(|error| match error.is_data() {
        true => anyhow!("it is not a JSON Web Key Set (RFC 7517 §5): it has no array `keys`"),
        false => anyhow!(
            "it is not JSON (line {}, column {}); is this the URL of the key set?",
            error.line(),
            error.column()
        ),
    })?;
    Ok(keys)
}

fn read(entry: Value) -> anyhow::Result<Key> {
    let Jwk {
        kty,
        kid,
        alg,
        usage,
        key_ops,
        crv,
        x,
        y,
        n,
        e,
        d,
    } = Jwk::deserialize(entry).map_err(|_| anyhow!("a member is missing or has a wrong type"))?;
    ensure!(d.is_none(), PRIVATE);
    ensure!(
        usage.as_deref().is_none_or(|usage| usage == "sig"),
        "`use` is not `sig`"
    );
    ensure!(
        key_ops.is_none_or(|ops| ops.iter().any(|op| op == "verify")),
        "`key_ops` has no `verify`"
    );
    let (algs, decoding, material): (&'static [Alg], _, _) = match (kty.as_str(), crv.as_deref()) {
        ("OKP", Some("Ed25519")) => {
            let x = ed25519(x)?;
            (
                &[Alg::EdDsa],
                DecodingKey::from_ed_der(&x),
                [b"ed", &x[..]].concat(),
            )
        }
        ("EC", Some("P-256")) => {
            // The uncompressed point of SEC 1 §2.3.3.
            let point = [&[4][..], &bytes32("x", x)?, &bytes32("y", y)?].concat();
            (
                &[Alg::Es256],
                DecodingKey::from_ec_der(&point),
                [b"ec", &point[..]].concat(),
            )
        }
        ("RSA", _) => {
            let (n, e) = rsa(n, e)?;
            let decoding = DecodingKey::from_rsa_raw_components(&n, &e);
            (
                rsa_algs(alg.as_deref())?,
                decoding,
                [b"rs", &e[..], b"|", &n[..]].concat(),
            )
        }
        ("oct", _) => bail!("a shared secret must not be published"),
        ("OKP" | "EC", _) => bail!("its curve is neither Ed25519 nor P-256"),
        _ => bail!("its `kty` is none of OKP, EC and RSA"),
    };
    if let Some(alg) = alg {
        let fits = Alg::parse(&alg).is_some_and(|alg| algs.contains(&alg));
        ensure!(fits, "its `alg` does not fit the key");
    }
    let key = Key::new(kid, algs, decoding, material);
    ensure!(key.is_usable(), "its point is not on the curve");
    Ok(key)
}

fn decode(name: &str, value: Option<String>) -> anyhow::Result<Vec<u8>> {
    let value = value.with_context(|| format!("`{name}` is missing"))?;
    URL_SAFE_NO_PAD
        .decode(value)
        .with_context(|| format!("`{name}` is not base64url"))
}

fn bytes32(name: &str, value: Option<String>) -> anyhow::Result<[u8; 32]> {
    let bytes = decode(name, value)?;
    bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| anyhow!("`{name}` has {} bytes, not 32", bytes.len()))
}

/// A small-order key would verify one constant signature of every message.
fn ed25519(x: Option<String>) -> anyhow::Result<[u8; 32]> {
    let x = bytes32("x", x)?;
    let key =
        VerifyingKey::from_bytes(&x).map_err(|_| anyhow!("`x` is not a point of the curve"))?;
    ensure!(!key.is_weak(), "`x` is a point of small order");
    Ok(x)
}

/// RFC 7518 §3.3 and §3.5 want 2048 bits at least; more than 4096 our cryptography refuses.
fn rsa(n: Option<String>, e: Option<String>) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    // Some issuers write the zero byte of a signed integer before it.
    let unsigned = |bytes: Vec<u8>| {
        bytes
            .into_iter()
            .skip_while(|byte| *byte == 0)
            .collect::<Vec<_>>()
    };
    let (n, e) = (unsigned(decode("n", n)?), unsigned(decode("e", e)?));
    let bits = n
        .first()
        .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    ensure!(
        (2048..=4096).contains(&bits),
        "its modulus has {bits} bits, not 2048 to 4096"
    );
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    ensure!(
        odd(&n) && odd(&e) && e != [1] && e.len() <= 4,
        "its modulus or exponent is no RSA key's"
    );
    Ok((n, e))
}

fn rsa_algs(alg: Option<&str>) -> anyhow::Result<&'static [Alg]> {
    Ok(match alg {
        None => &[Alg::Rs256, Alg::Ps256],
        Some("RS256") => &[Alg::Rs256],
        Some("PS256") => &[Alg::Ps256],
        Some(_) => bail!("its `alg` is neither RS256 nor PS256"),
    })
}
