//! The orders of a list.

use poem_openapi::{Enum, types::Type};
use serde::Serialize;
use serde_json::Value;

use super::{
    registry::MetaSchemaRef,
    scalar::{Scalar, mismatch},
};

/// The order of a list; a `-` turns it round. `created_at`: oldest first. `updated_at`: longest unchanged
/// first. `due_date`: soonest first. `priority`: low first. `title`: in the order of the code points, after case,
/// accents and variants are unified as for `q`. Tasks without a due date come last either way; ties are ordered by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum, Serialize)]
pub enum Sort {
    /// Oldest first.
    #[oai(rename = "created_at")]
    #[serde(rename = "created_at")]
    Created,
    /// Newest first.
    #[oai(rename = "-created_at")]
    #[serde(rename = "-created_at")]
    CreatedDesc,
    /// Longest unchanged first.
    #[oai(rename = "updated_at")]
    #[serde(rename = "updated_at")]
    Updated,
    /// Last changed first.
    #[oai(rename = "-updated_at")]
    #[serde(rename = "-updated_at")]
    UpdatedDesc,
    /// Soonest due first.
    #[oai(rename = "due_date")]
    #[serde(rename = "due_date")]
    Due,
    /// Latest due first.
    #[oai(rename = "-due_date")]
    #[serde(rename = "-due_date")]
    DueDesc,
    /// Low first.
    #[oai(rename = "priority")]
    #[serde(rename = "priority")]
    Priority,
    /// High first.
    #[oai(rename = "-priority")]
    #[serde(rename = "-priority")]
    PriorityDesc,
    /// By title, in the order of the code points of what `q` searches.
    #[oai(rename = "title")]
    #[serde(rename = "title")]
    Title,
    /// By title, the other way round.
    #[oai(rename = "-title")]
    #[serde(rename = "-title")]
    TitleDesc,
}

impl Sort {
    /// All orders.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|(_, sort)| sort)
    }

    const ALL: [(&'static str, Self); 10] = [
        ("-created_at", Self::CreatedDesc),
        ("created_at", Self::Created),
        ("updated_at", Self::Updated),
        ("-updated_at", Self::UpdatedDesc),
        ("due_date", Self::Due),
        ("-due_date", Self::DueDesc),
        ("priority", Self::Priority),
        ("-priority", Self::PriorityDesc),
        ("title", Self::Title),
        ("-title", Self::TitleDesc),
    ];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, sort)| *sort == self)
            .map_or("", |(name, _)| name)
    }
}

impl Scalar for Sort {
    const EXPECTED: &'static str = "created_at, updated_at, due_date, priority or title, with a `-` before it to turn it round";

    fn schema_ref() -> MetaSchemaRef {
        <Self as Type>::schema_ref()
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, sort)| *sort)
            .ok_or_else(|| format!("must be {}", Self::EXPECTED))
    }
}
