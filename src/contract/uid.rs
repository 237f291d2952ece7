//! The id that a client chooses for a task.

use serde::Serialize;
use serde_json::Value;

use super::{
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
};

/// A UUID of any version, in the text form of RFC 9562 §4: five groups of hexadecimal digits. It is read in any case of
/// letters, and kept and written in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Uid(String);

/// The lengths of the groups.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl Uid {
    /// One that the database gave.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, for storing.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Scalar for Uid {
    const EXPECTED: &'static str = "a UUID like 5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a (RFC 9562)";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            example: Some("5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a".into()),
            ..MetaSchema::new_with_format("string", "uuid")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        let is_group = |(group, length): (&str, usize)| {
            group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let groups = text.split('-');
        match groups.clone().count() == GROUPS.len() && groups.zip(GROUPS).all(is_group) {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(format!("must be {}", Self::EXPECTED)),
        }
    }
}
openapi_scalar!(Uid, "string(uuid)");

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_version_in_any_case_is_kept_in_lower_case() {
        for (said, kept) in [
            (
                "5F0C3B8E-8e0e-4D5B-9d5e-0a6f3c1f2b7a",
                "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a",
            ),
            (
                "019300f1-7c2e-7000-8000-000000000001",
                "019300f1-7c2e-7000-8000-000000000001",
            ),
            (
                "00000000-0000-0000-0000-000000000000",
                "00000000-0000-0000-0000-000000000000",
            ),
        ] {
            assert_eq!(Uid::from_json(&json!(said)).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for said in [
            "",
            "5f0c3b8e8e0e4d5b9d5e0a6f3c1f2b7a",
            "{5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a}",
            "urn:uuid:5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a",
            "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a ",
            "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7",
            "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7g",
            "5f0c3b8-e8e0e-4d5b-9d5e-0a6f3c1f2b7a",
            "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b7a-",
            "5f0c3b8e-8e0e-4d5b-9d5e-0a6f3c1f2b\u{fc}",
        ] {
            let refused = Uid::from_json(&json!(said)).unwrap_err();
            assert!(refused.starts_with("must be a UUID like "), "{said}");
        }
        let refused = Uid::from_json(&json!(7)).unwrap_err();
        assert!(refused.ends_with("not a number"), "{refused}");
    }
}
