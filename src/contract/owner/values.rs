//! Members that front ends write in several ways.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::{
    contract::{
        DueDate, Fault, Pointer, Priority, Tags,
        registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
        scalar::{Scalar, mismatch},
    },
    unicode::fold,
};

/// A priority in any case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AnyCasePriority(pub Priority);

impl Scalar for AnyCasePriority {
    const EXPECTED: &'static str = "low, medium or high";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            pattern: Some("^([Ll][Oo][Ww]|[Mm][Ee][Dd][Ii][Uu][Mm]|[Hh][Ii][Gg][Hh])$".to_owned()),
            example: Some("high".into()),
            ..MetaSchema::new("string")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        Priority::from_json(&text.to_ascii_lowercase().into()).map(Self)
    }
}
openapi_scalar!(AnyCasePriority, "string(any-case-priority)");

/// A due date; an empty text stands for none, and a time without an offset is in UTC, as Python's
/// `datetime.utcnow()` writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LooseDueDate(pub Option<DueDate>);

impl Scalar for LooseDueDate {
    const EXPECTED: &'static str = DueDate::EXPECTED;

    fn schema_ref() -> MetaSchemaRef {
        // A pattern cannot tell leap years; the 29th of February is taken in them.
        let days = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])";
        let time = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?";
        let local = MetaSchema {
            pattern: Some(format!("^([1-9][0-9]{{3}}-({days})T{time})?$")),
            example: Some("2026-02-06T09:00".into()),
            ..MetaSchema::new("string")
        };
        inline(MetaSchema {
            any_of: vec![DueDate::schema_ref(), inline(local)],
            example: Some("2026-02-06".into()),
            ..MetaSchema::ANY
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value
            .as_str()
            .ok_or_else(|| mismatch::<Self>(value))?
            .trim();
        if text.is_empty() {
            return Ok(Self(None));
        }
        let read = |text: String| DueDate::from_json(&text.into()).map(|due| Self(Some(due)));
        // `2026-02-06T09:00` is what an input of the type datetime-local gives.
        read(text.to_owned()).or_else(|fault| {
            read(format!("{text}Z"))
                .or_else(|_| read(format!("{text}:00Z")))
                .map_err(|_| fault)
        })
    }
}
openapi_scalar!(LooseDueDate, "string(loose-due-date)");

/// Tags as an array, or as one text with commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LooseTags(pub Tags);

impl Scalar for LooseTags {
    const EXPECTED: &'static str = "an array of strings, or one string with commas";

    fn schema_ref() -> MetaSchemaRef {
        let tag = r"[^,\u0000-\u001F\u007F-\u009F]{0,50}";
        let text = MetaSchema {
            pattern: Some(format!("^{tag}(,{tag}){{0,19}}$")),
            example: Some("shopping, home".into()),
            ..MetaSchema::new("string")
        };
        inline(MetaSchema {
            any_of: vec![Tags::schema_ref(), inline(text)],
            ..MetaSchema::ANY
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let mut faults = Vec::new();
        let tags = Self::read_at(value, &Pointer::root(), &mut faults);
        tags.ok_or_else(|| faults.remove(0).detail)
    }

    fn read_at(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let items = value.as_str().map(|text| {
            let parts = text.split(',').map(str::trim);
            // A text is typed by a person: a tag that is there twice is there.
            let mut seen = BTreeSet::new();
            let parts = parts.filter(|part| !part.is_empty() && seen.insert(fold(part)));
            Value::Array(parts.map(Value::from).collect())
        });
        Tags::read_at(items.as_ref().unwrap_or(value), at, faults).map(Self)
    }
}
openapi_scalar!(LooseTags, "loose-tags");
