//! The tags of a task.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::{
    Tag,
    pointer::Pointer,
    problem::Fault,
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, kind},
};
use crate::unicode::fold;

/// A task's tags: at most 20, unique ignoring case, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tags(pub Vec<Tag>);

/// The largest number of tags a task can have.
const MAX_TAGS: usize = 20;

impl Tags {
    /// Tags that were checked when they were stored.
    pub(crate) fn stored(tags: Vec<String>) -> Self {
        Self(tags.into_iter().map(Tag::stored).collect())
    }
}

impl Scalar for Tags {
    const EXPECTED: &'static str = "an array of at most 20 strings";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            items: Some(Box::new(Tag::schema_ref())),
            max_items: Some(MAX_TAGS),
            unique_items: Some(true),
            example: Some(serde_json::json!(["shopping", "home"])),
            ..MetaSchema::new("array")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let mut faults = Vec::new();
        let tags = Self::read_at(value, &Pointer::root(), &mut faults);
        tags.ok_or_else(|| faults.remove(0).detail)
    }

    /// An array, or one text with commas.
    fn lenient_schema() -> MetaSchemaRef {
        let tag = r"[^,\u0000-\u001F\u007F-\u009F\u2028\u2029]{0,50}";
        let text = MetaSchema {
            pattern: Some(format!(r"^(?!\s*[\[{{]){tag}(,{tag}){{0,19}}$")),
            example: Some("shopping, home".into()),
            ..MetaSchema::new("string")
        };
        inline(MetaSchema {
            any_of: vec![Self::schema_ref(), inline(text)],
            ..MetaSchema::ANY
        })
    }

    fn normalize(value: Value) -> Value {
        let Some(text) = value.as_str() else {
            return value;
        };
        // Some clients put the text of an array where the array belongs. What begins like one and is none is not
        // taken apart at its commas: nobody means a tag `["work"`.
        if text.trim_start().starts_with('[') {
            let array = serde_json::from_str(text).ok().filter(Value::is_array);
            return array.unwrap_or(value);
        }
        if text.trim().eq_ignore_ascii_case("null") {
            return Value::Null;
        }
        // The text of an array in PostgreSQL.
        let inner = text.trim().strip_prefix('{');
        if let Some(inner) = inner.and_then(|text| text.strip_suffix('}')) {
            return postgres_array(inner).map_or(value.clone(), Value::from);
        }
        let parts = text.split(',').map(str::trim);
        // A text is typed by a person: a tag that is there twice is there.
        let mut seen = BTreeSet::new();
        let parts = parts.filter(|part| !part.is_empty() && seen.insert(fold(part)));
        Value::Array(parts.map(Value::from).collect())
    }

    fn of_null() -> Option<Self> {
        Some(Self::default())
    }

    fn read_at(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            let detail = match is_broken_array(value) {
                true => "must be a JSON array of strings, like [\"shopping\", \"home\"]; the text that was sent begins \
                         like an array, but is none"
                    .to_owned(),
                false => format!("must be {}, not {}", Self::EXPECTED, kind(value)),
            };
            faults.push(at.fault(detail));
            return None;
        };
        let before = faults.len();
        if items.len() > MAX_TAGS {
            faults.push(at.fault(format!(
                "must have at most {MAX_TAGS} tags, has {}",
                items.len()
            )));
            return None;
        }
        let mut tags: Vec<Tag> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match Tag::from_json(item) {
                Ok(tag) => {
                    let folded = fold(tag.as_str());
                    if let Some(first) = tags.iter().find(|tag| fold(tag.as_str()) == folded) {
                        let first = Value::from(first.as_str());
                        let detail = format!("is the same tag as {first}, ignoring case");
                        faults.push(at.item(index).fault(detail));
                    }
                    tags.push(tag);
                }
                Err(detail) => faults.push(at.item(index).fault(detail)),
            }
        }
        (faults.len() == before).then_some(Self(tags))
    }
}
openapi_scalar!(Tags, "array(tags)");

/// Whether it is a text that looks like an array, such as Python's `['a']`, and that not even
/// [`normalize`](Scalar::normalize) reads as one.
fn is_broken_array(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default().trim_start();
    text.starts_with(['[', '{']) && Tags::normalize(value.clone()).is_string()
}

/// The elements of an array as PostgreSQL writes it (its manual, 8.15.6), without the braces: separated by commas, in
/// double quotes where they are not plain. `None` if it is not one of texts.
fn postgres_array(text: &str) -> Option<Vec<String>> {
    let mut elements = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut element = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut characters = quoted.chars();
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => element.push(characters.next()?),
                    c => element.push(c),
                }
            }
            rest = characters.as_str().trim_start();
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            element.push_str(rest[..end].trim());
            rest = &rest[end..];
            if element.contains(['{', '}', '"']) {
                return None;
            }
        }
        elements.push(element);
        match rest.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(elements)
}
