//! The digest of a request, which is stored beside its Idempotency-Key and tells a retry from another
//! request with the same key.
//!
//! It is the SHA-256 of a canonical JSON object: the members sorted by name, without those that have their
//! default. A request therefore stays the same if its members come in another order, if it spells a default
//! out, or if a later version adds a member that the request does not have. The stored text names the rule
//! that it was made by (`v1:`), so that a later rule does not take old rows for other requests.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::contract::{Change, NewTask};

/// The rule in force. It never changes: another rule gets another name.
const RULE: &str = "v1:";

/// The members of a request that are not at their default, sorted by name.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Canonical(BTreeMap<&'static str, Value>);

impl From<BTreeMap<&'static str, Value>> for Canonical {
    fn from(said: BTreeMap<&'static str, Value>) -> Self {
        Self(said)
    }
}

impl Canonical {
    /// Adds a member, unless it has its default.
    pub(crate) fn member(mut self, name: &'static str, value: Value, default: Value) -> Self {
        if value != default {
            self.0.insert(name, value);
        }
        self
    }
}

/// The digest of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestDigest {
    stored: String,
    /// The same request by the rule before `v1`, whose digests have no prefix. `None` if that rule cannot be
    /// applied any more.
    unversioned: Option<String>,
}

impl RequestDigest {
    /// Of a request that had no digest that could be compared before `v1`.
    pub(crate) fn of(request: &Canonical) -> Self {
        Self {
            stored: format!("{RULE}{}", sha256(&json!(request))),
            unversioned: None,
        }
    }

    /// Of a body of `createTask`.
    pub(super) fn of_new_task(new: &NewTask) -> Self {
        // The members that a task had at the time of that rule, in its order.
        let mut before = json!([
            new.title,
            new.description.clone().value(),
            new.completed.0.unwrap_or_default(),
            new.priority.0.unwrap_or_default(),
            new.due_date.value(),
            new.tags.0.clone().unwrap_or_default(),
        ]);
        // No request of that time had one, so none is the same.
        if let (Some(members), Change::Set(uid)) = (before.as_array_mut(), &new.uid) {
            members.push(json!(uid));
        }
        let request = new.said().into();
        Self {
            unversioned: Some(sha256(&before)),
            ..Self::of(&request)
        }
    }

    /// What is stored beside the key.
    pub(crate) fn as_str(&self) -> &str {
        &self.stored
    }

    /// The same, for storing.
    pub(super) fn into_string(self) -> String {
        self.stored
    }

    /// Whether the request that was stored is this one.
    ///
    /// Before `v1`, groups of MCP were stored by a rule that depended on names in the program. Such a row
    /// cannot be compared, so its key decides: a retry must not create its tasks again.
    pub(super) fn is(&self, stored: &str) -> bool {
        match (stored.starts_with(RULE), &self.unversioned) {
            (true, _) => self.stored == stored,
            (false, Some(unversioned)) => unversioned == stored,
            (false, None) => true,
        }
    }
}

/// In hexadecimal, of JSON without white space.
fn sha256(value: &Value) -> String {
    let bytes = Sha256::digest(value.to_string());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{
        DueDate, Flag, Maybe, Priority, Scalar as _, Tags, Timestamp, Title, Uid,
    };

    fn new(title: &str) -> NewTask {
        NewTask::new(Title::from_json(&json!(title)).unwrap())
    }

    fn full() -> NewTask {
        let due = Timestamp::from_json(&json!("2026-02-06T10:00:00+01:00")).unwrap();
        NewTask {
            description: Change::Set(
                crate::contract::Description::from_json(&json!("\"2 l\"\n")).unwrap(),
            ),
            completed: Maybe(Some(Flag(true))),
            priority: Maybe(Some(Priority::High)),
            due_date: Change::Set(DueDate::Time(due)),
            tags: Maybe(Some(Tags::from_json(&json!(["shop", "Zuhause"])).unwrap())),
            ..new("Buy milk – now")
        }
    }

    /// What was stored must be found again for ever: these digests must not change. They can be computed
    /// elsewhere, as `printf '{"title":"Buy milk"}' | sha256sum`.
    #[test]
    fn the_digests_are_fixed() {
        let digest = RequestDigest::of_new_task(&new("Buy milk"));
        assert_eq!(
            digest.as_str(),
            "v1:6330399f2342cfc9311b85fb26dcac5b706b3080b49e3aadedde2f3a864efdc9"
        );
        assert_eq!(
            digest.unversioned.as_deref(),
            Some("03f9c12c948a8c7f6b38cb627fa31912199e728ae3bb68b033a38f86a8b58145")
        );
        let digest = RequestDigest::of_new_task(&full());
        assert_eq!(
            digest.as_str(),
            "v1:20f62a970eaf75e96b5208fc5061f1bb14c891b218bc51ac44af416df706ee86"
        );
        assert_eq!(
            digest.unversioned.as_deref(),
            Some("89b622558c6020d828e23670e600a009a03cb34b3eb53b0c94e49b60d0a98687")
        );
    }

    /// A task without a `uid` has the digest that it had before there were any.
    #[test]
    fn a_uid_is_part_of_the_request() {
        let uid = Uid::from_json(&json!("5F0C3B8E-8E0E-4D5B-9D5E-0A6F3C1F2B7A")).unwrap();
        let digest = RequestDigest::of_new_task(&NewTask {
            uid: Change::Set(uid),
            ..new("Buy milk")
        });
        assert_eq!(
            digest.as_str(),
            format!(
                "{RULE}{}",
                sha256(
                    &json!({ "title": "Buy milk", "uid": "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a" })
                )
            )
        );
        let without = RequestDigest::of_new_task(&new("Buy milk"));
        assert!(!digest.is(without.unversioned.as_deref().unwrap()));
    }

    #[test]
    fn a_default_says_nothing() {
        let spelled_out = NewTask {
            uid: Change::Clear,
            description: Change::Clear,
            completed: Maybe(Some(Flag(false))),
            priority: Maybe(Some(Priority::Medium)),
            due_date: Change::Clear,
            tags: Maybe(Some(Tags::default())),
            ..new("Buy milk")
        };
        assert_eq!(
            RequestDigest::of_new_task(&spelled_out),
            RequestDigest::of_new_task(&new("Buy milk"))
        );
    }

    #[test]
    fn old_rows_are_compared_by_the_rule_of_their_time() {
        let digest = RequestDigest::of_new_task(&new("Buy milk"));
        let other = RequestDigest::of_new_task(&new("Buy bread"));
        for stored in [digest.as_str(), digest.unversioned.as_deref().unwrap()] {
            assert!(digest.is(stored) && !other.is(stored), "{stored}");
        }
        let group = RequestDigest::of(&Canonical::default());
        assert!(group.is("0123abcd"), "a group of before v1");
        assert!(!group.is(digest.as_str()));
    }
}
