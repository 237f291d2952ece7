//! Cursors: where a page ended, for a list that is continued after it.
//!
//! A cursor is opaque to clients: the base64url of a small JSON array. It holds a fingerprint of the
//! list it belongs to (whose, which filters, which order), so that it cannot continue another one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{order::Ordering, query::Filter};
use crate::contract::Sort;
use crate::store::StoreError;

/// What the list was sorted by, at the last task of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum SortKey {
    /// A time in microseconds since 1970, a rank, an id or a revision.
    Number(i64),
    /// A folded title.
    Text(String),
    /// No due date.
    Null(()),
}

/// The place after one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) key: SortKey,
    pub(super) id: i64,
}

/// Which list a cursor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    pub(super) fn of(user_id: &str, filter: &Filter, order: &Ordering, sort: Sort) -> Self {
        let Filter {
            completed,
            priority,
            tag,
            due,
            due_before,
            due_after,
            q,
            changed_since,
        } = filter;
        let mut list = serde_json::json!([
            user_id,
            sort.name(),
            completed,
            priority,
            tag,
            due_before,
            due_after,
            q,
        ]);
        // Only where they are given, so that cursors from before they existed remain valid.
        let later = [
            ("due", serde_json::json!(due)),
            ("time_zone", serde_json::json!(order.time_zone())),
            ("changed_since", serde_json::json!(changed_since)),
        ];
        if let Some(list) = list.as_array_mut() {
            let given = later.into_iter().filter(|(_, value)| !value.is_null());
            list.extend(given.map(|(name, value)| serde_json::json!([name, value])));
        }
        let hash = Sha256::digest(list.to_string());
        Self(u64::from_be_bytes(hash[..8].try_into().unwrap_or_default()))
    }
}

/// `revision`: the user's, when the page was read. What was erased since is not continued.
pub(super) fn encode(fingerprint: Fingerprint, position: &Position, revision: i64) -> String {
    let array = serde_json::json!([fingerprint.0, position.key, position.id, revision]);
    URL_SAFE_NO_PAD.encode(array.to_string())
}

/// The place after the page, and the user's revision when that was read.
///
/// # Errors
/// [`StoreError::BadCursor`] if it is not of this list.
pub(super) fn decode(
    fingerprint: Fingerprint,
    cursor: &str,
) -> Result<(Position, i64), StoreError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| StoreError::BadCursor)?;
    let array: Result<(u64, SortKey, i64, i64), _> = serde_json::from_slice(&bytes);
    // An older version gave it, without a revision.
    let array = array.or_else(|_| {
        let (of, key, id) = serde_json::from_slice(&bytes)?;
        Ok::<_, serde_json::Error>((of, key, id, 0))
    });
    let (of, key, id, revision) = array.map_err(|_| StoreError::BadCursor)?;
    // A key of PostgreSQL's text cannot hold U+0000.
    let storable = !matches!(&key, SortKey::Text(text) if text.contains('\0'));
    (of == fingerprint.0 && storable)
        .then_some((Position { key, id }, revision))
        .ok_or(StoreError::BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzz_cursors() {
        let good = [
            "[7,1770000000000000,12,40]",
            "[7,1770000000000000,12]",
            r#"[7,"buy milk",12,40]"#,
            "[7,null,1]",
        ];
        crate::fuzz::fuzz("cursor", &good, |json| {
            let cursor = URL_SAFE_NO_PAD.encode(json);
            let raw = String::from_utf8_lossy(json);
            assert!(
                decode(Fingerprint(7), &raw).is_err(),
                "{raw} is no base64url"
            );
            let other = decode(Fingerprint(8), &cursor);
            match decode(Fingerprint(7), &cursor) {
                Ok((position, revision)) => {
                    assert!(other.is_err(), "it is of one list");
                    let again = encode(Fingerprint(7), &position, revision);
                    assert_eq!(
                        decode(Fingerprint(7), &again).unwrap(),
                        (position, revision)
                    );
                }
                Err(error) => assert!(matches!(error, StoreError::BadCursor)),
            }
        });
    }
}
