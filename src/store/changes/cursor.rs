//! Where a page of changes ended.
//!
//! Opaque to clients: the base64url of a small JSON array, with a fingerprint of the user, so that it cannot continue the
//! feed of another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::prelude::DateTimeUtc;
use sha2::{Digest as _, Sha256};

use crate::{auth::UserId, store::StoreError};

/// The place after a page, in a sync that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The sync began with nothing.
    pub(super) full: bool,
    /// The user's revision at the first page, up to which the sync goes.
    pub(super) until: i64,
    /// The revision of the last change of the page.
    pub(super) place: i64,
    /// When the first page was read, in seconds since 1970-01-01T00:00:00Z.
    pub(super) since: i64,
}

impl Position {
    pub(super) fn encode(self, user: &UserId) -> String {
        let Self {
            full,
            until,
            place,
            since,
        } = self;
        let array = serde_json::json!([fingerprint(user), full, until, place, since]);
        URL_SAFE_NO_PAD.encode(array.to_string())
    }

    /// # Errors
    /// [`StoreError::BadFeedCursor`] if it is not of this user's feed.
    pub(super) fn decode(user: &UserId, cursor: &str) -> Result<Self, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let array = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let (of, full, until, place, since): (u64, bool, i64, i64, i64) =
            array.ok_or(StoreError::BadFeedCursor)?;
        let position = Self {
            full,
            until,
            place,
            since,
        };
        (of == fingerprint(user))
            .then_some(position)
            .ok_or(StoreError::BadFeedCursor)
    }

    /// Whether the first page was read before this.
    pub(super) fn is_older_than(self, time: DateTimeUtc) -> bool {
        self.since < time.timestamp()
    }
}

fn fingerprint(user: &UserId) -> u64 {
    let hash = Sha256::digest(serde_json::json!([user.as_str(), "changes"]).to_string());
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_feed_cursors() {
        let (alice, bob) = (UserId::for_tests("alice"), UserId::for_tests("bob"));
        let of = fingerprint(&alice);
        let good = [
            format!("[{of},true,12,7,1795000000]"),
            format!("[{of},false,1,0,0]"),
        ];
        crate::fuzz::fuzz(
            "feed-cursor",
            &good.each_ref().map(String::as_str),
            |json| {
                let cursor = URL_SAFE_NO_PAD.encode(json);
                match Position::decode(&alice, &cursor) {
                    Ok(position) => {
                        assert!(Position::decode(&bob, &cursor).is_err());
                        let again = Position::decode(&alice, &position.encode(&alice));
                        assert_eq!(again.unwrap(), position);
                    }
                    Err(error) => assert!(matches!(error, StoreError::BadFeedCursor)),
                }
            },
        );
    }

    #[test]
    fn a_cursor_is_of_one_user() {
        let (alice, bob) = (UserId::for_tests("alice"), UserId::for_tests("bob"));
        let position = Position {
            full: true,
            until: 12,
            place: 7,
            since: 1_795_000_000,
        };
        let cursor = position.encode(&alice);
        assert_eq!(Position::decode(&alice, &cursor).unwrap(), position);
        for (user, text) in [
            (&bob, &*cursor),
            (&alice, "AAAA"),
            (&alice, "W10"),
            (&alice, "?"),
        ] {
            let refused = Position::decode(user, text);
            assert!(matches!(refused, Err(StoreError::BadFeedCursor)), "{text}");
        }
    }
}
