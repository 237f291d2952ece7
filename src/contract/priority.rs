//! How urgent a task is.

use poem_openapi::{Enum, types::Type};
use serde::Serialize;
use serde_json::Value;

use super::{
    registry::{MetaSchema, MetaSchemaRef, inline},
    scalar::{Scalar, any_case, mismatch},
};

/// How urgent a task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Can wait.
    Low,
    /// As usual.
    #[default]
    Medium,
    /// First.
    High,
}

impl Priority {
    /// From the least urgent to the most.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Scalar for Priority {
    const EXPECTED: &'static str = "\"low\", \"medium\" or \"high\"";

    fn schema_ref() -> MetaSchemaRef {
        <Self as Type>::schema_ref()
    }

    fn register(registry: &mut super::registry::Registry) {
        <Self as Type>::register(registry);
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        let found = Self::ALL
            .into_iter()
            .find(|priority| priority.name() == text);
        found.ok_or_else(|| format!("must be {}", Self::EXPECTED))
    }

    /// In any case of letters.
    fn lenient_schema() -> MetaSchemaRef {
        inline(MetaSchema {
            pattern: Some(any_case(
                Self::ALL.iter().map(|priority| priority.name()),
                "",
            )),
            example: Some("high".into()),
            ..MetaSchema::new("string")
        })
    }

    fn normalize(value: Value) -> Value {
        match value.as_str() {
            Some("") => Value::Null,
            Some(text) => text.to_ascii_lowercase().into(),
            None => value,
        }
    }
}
