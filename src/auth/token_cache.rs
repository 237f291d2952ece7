//! A cache of verified tokens, so that each signature (40 µs and more) is checked once.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::{identity::Identity, key::Key};

/// The hash of a token: the memory holds no tokens, and each lookup costs the same.
pub(super) type Digest = [u8; 32];

/// In bytes, for the whole cache.
const MAX_MEMORY: u64 = 16 * 1024 * 1024;
/// What an entry costs besides its texts: digest, identity, counters, bookkeeping.
const CACHED_TOKEN: usize = 320;

/// One token.
#[derive(Clone)]
pub(super) struct CachedToken {
    pub(super) identity: Arc<Identity>,
    /// `exp` in milliseconds since 1970.
    pub(super) expires: i64,
    /// The key that verified it; a token of a withdrawn key is no longer accepted.
    pub(super) key: Arc<Key>,
}

/// At most 16 MiB and so at most 52,000 tokens; the least used are dropped first.
pub(super) struct TokenCache(Cache<Digest, CachedToken, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<Digest, CachedToken> for Weight {
    fn weight(&self, _: &Digest, entry: &CachedToken) -> u64 {
        let Identity {
            user_id,
            subject: _,
            issuer,
            issued_at: _,
            expires_at: _,
            scopes: _,
            rule: _,
        } = &*entry.identity;
        // The subject is the end of the id, or the same text.
        (CACHED_TOKEN + 2 * user_id.as_str().len() + issuer.as_ref().map_or(0, String::len)) as u64
    }
}

impl TokenCache {
    pub(super) fn new() -> TokenCache {
        let entries = usize::try_from(MAX_MEMORY).unwrap_or(usize::MAX) / CACHED_TOKEN;
        TokenCache(Cache::with_weighter(entries, MAX_MEMORY, Weight))
    }

    /// The cached token, unless the key that verified it was withdrawn.
    pub(super) fn get(&self, token: &Digest) -> Option<CachedToken> {
        self.0.get(token).filter(|entry| !entry.key.is_withdrawn())
    }

    pub(super) fn put(&self, token: Digest, entry: CachedToken) {
        self.0.insert(token, entry);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
