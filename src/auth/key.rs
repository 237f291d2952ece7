//! One key, and the algorithms it is good for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jsonwebtoken::{Algorithm, DecodingKey, crypto};

/// The most keys of one name that are tried on a token.
const MAX_TRIED: usize = 2;

/// The signature algorithms that are ever accepted (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Alg {
    EdDsa,
    Es256,
    Rs256,
    Ps256,
    Hs256,
}

impl Alg {
    /// Names are case-sensitive (RFC 7515 §4.1.1). `Ed25519` is what RFC 9864 calls EdDSA with the
    /// only curve that is accepted here.
    pub(super) fn parse(name: &str) -> Option<Alg> {
        Some(match name {
            "EdDSA" | "Ed25519" => Alg::EdDsa,
            "ES256" => Alg::Es256,
            "RS256" => Alg::Rs256,
            "PS256" => Alg::Ps256,
            "HS256" => Alg::Hs256,
            _ => return None,
        })
    }

    /// The name in the header of a token.
    pub(super) fn name(self) -> &'static str {
        match self {
            Alg::EdDsa => "EdDSA",
            Alg::Es256 => "ES256",
            Alg::Rs256 => "RS256",
            Alg::Ps256 => "PS256",
            Alg::Hs256 => "HS256",
        }
    }
}

impl From<Alg> for Algorithm {
    fn from(alg: Alg) -> Algorithm {
        match alg {
            Alg::EdDsa => Algorithm::EdDSA,
            Alg::Es256 => Algorithm::ES256,
            Alg::Rs256 => Algorithm::RS256,
            Alg::Ps256 => Algorithm::PS256,
            Alg::Hs256 => Algorithm::HS256,
        }
    }
}

/// Selects jsonwebtoken's cryptography, without which a build with two of its features panics at the first token.
/// An earlier choice stays.
pub(super) fn install_crypto() {
    let _ = crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
}

/// A key that was checked. The algorithm is a property of the key, never of the token (RFC 8725 §3.1).
pub(super) struct Key {
    /// Its name. A key without one may be the key of any token.
    pub(super) kid: Option<String>,
    /// What it verifies.
    pub(super) algs: &'static [Alg],
    decoding: DecodingKey,
    /// What makes two keys the same beside name and algorithms: the public values, type first.
    material: Vec<u8>,
    /// Set once its key set no longer has it; ends the cached tokens that it verified.
    withdrawn: AtomicBool,
}

impl Key {
    pub(super) fn new(
        kid: Option<String>,
        algs: &'static [Alg],
        decoding: DecodingKey,
        material: Vec<u8>,
    ) -> Key {
        Key {
            kid,
            algs,
            decoding,
            material,
            withdrawn: AtomicBool::new(false),
        }
    }

    /// The key for HS256 by a shared secret.
    pub(super) fn shared(secret: &[u8]) -> Key {
        Key::new(
            None,
            &[Alg::Hs256],
            DecodingKey::from_secret(secret),
            Vec::new(),
        )
    }

    /// Whether `signature` (base64url) is this key's for `signed`.
    pub(super) fn verifies(&self, alg: Alg, signed: &str, signature: &str) -> bool {
        self.algs.contains(&alg)
            && crypto::verify(signature, signed.as_bytes(), &self.decoding, alg.into())
                .unwrap_or(false)
    }

    /// Whether a signature can be checked at all: false for a point that is not on the curve.
    pub(super) fn is_usable(&self) -> bool {
        self.algs
            .iter()
            .all(|&alg| crypto::verify("", b"", &self.decoding, alg.into()).is_ok())
    }

    pub(super) fn is_withdrawn(&self) -> bool {
        self.withdrawn.load(Ordering::Acquire)
    }

    fn is_same(&self, other: &Key) -> bool {
        let Key {
            kid,
            algs,
            decoding: _,
            material,
            withdrawn: _,
        } = self;
        *kid == other.kid && *algs == other.algs && *material == other.material
    }
}

/// The keys of `fetched`, with those that were known before in place of their copies; the ones that
/// are gone are withdrawn.
pub(super) fn renew(known: &[Arc<Key>], fetched: Vec<Key>) -> Vec<Arc<Key>> {
    let renewed: Vec<Arc<Key>> = fetched
        .into_iter()
        .map(|key| {
            known
                .iter()
                .find(|old| old.is_same(&key))
                .cloned()
                .unwrap_or_else(|| key.into())
        })
        .collect();
    for old in known {
        if !renewed.iter().any(|key| Arc::ptr_eq(key, old)) {
            old.withdrawn.store(true, Ordering::Release);
        }
    }
    renewed
}

/// Which keys a token may be signed with.
pub(super) enum Choice {
    /// At least one, at most [`MAX_TRIED`].
    Fitting(Vec<Arc<Key>>),
    /// The named key is there, but for other algorithms.
    WrongAlgorithm,
    /// There is none, or so many that the token must name one.
    Unknown,
}

/// Chooses by name. If the token or the keys have no name (RFC 7515 §4.1.4: a hint), a lone key that fits is tried: a
/// forged token would cost a check by each of several.
pub(super) fn choose(keys: &[Arc<Key>], kid: Option<&str>, alg: Alg) -> Choice {
    let fits = |key: &&Arc<Key>| key.algs.contains(&alg);
    let may_be = |key: &&Arc<Key>| kid.is_none() || key.kid.is_none();
    let named = |key: &&Arc<Key>| kid.is_some() && key.kid.as_deref() == kid;
    let by_name: Vec<_> = keys.iter().filter(named).filter(fits).cloned().collect();
    if (1..=MAX_TRIED).contains(&by_name.len()) {
        return Choice::Fitting(by_name);
    }
    let mut others = keys.iter().filter(may_be).filter(fits);
    match (others.next(), others.next()) {
        (Some(lone), None) => Choice::Fitting(vec![lone.clone()]),
        (None, _) if keys.iter().any(|key| named(&key)) => Choice::WrongAlgorithm,
        _ => Choice::Unknown,
    }
}
