//! Values that are one JSON scalar, and how strictly they are read.

use serde::Serialize;
use serde_json::Value;

use super::{
    pointer::Pointer,
    problem::Fault,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline, openapi_scalar},
};

/// The largest integer that a JSON number carries exactly everywhere (RFC 8259 §6).
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// A value of one member, argument or parameter. Whatever has this trait can be a member of a body
/// ([`Member`](super::Member)) and an argument of a tool; `openapi_scalar!` also makes it a type of the
/// OpenAPI document. Reading never coerces: a number is not a text.
pub trait Scalar: Sized + Send + Sync + 'static {
    /// What it is called in a sentence: "must be …".
    const EXPECTED: &'static str;

    /// Its schema.
    fn schema_ref() -> MetaSchemaRef;

    /// Registers what its schema refers to.
    fn register(_: &mut Registry) {}

    /// Reads it from JSON.
    ///
    /// # Errors
    /// What completes the sentence "this member …".
    fn from_json(value: &Value) -> Result<Self, String>;

    /// Reads it from a parameter.
    ///
    /// # Errors
    /// What completes the sentence "this parameter …".
    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_json(&Value::String(text.to_owned()))
    }

    /// The schema of all spellings that [`normalize`](Self::normalize) knows.
    fn lenient_schema() -> MetaSchemaRef {
        Self::schema_ref()
    }

    /// Turns the other spellings of a value, for [`Lenient`](super::Lenient), into the one that is read; a
    /// blank text that stands for no value, into null.
    fn normalize(value: Value) -> Value {
        value
    }

    /// What null sets a member to that cannot be null, for [`Lenient`](super::Lenient); `None`: nothing.
    fn of_null() -> Option<Self> {
        None
    }

    /// Reads it, or adds what is wrong with it to `faults` and returns `None`. A type with parts replaces
    /// this, to report a fault of each part with its place.
    fn read_at(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        Self::from_json(value)
            .map_err(|detail| faults.push(at.fault(detail)))
            .ok()
    }
}

/// What kind of JSON a value is, for error messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// 2^53, up to which a floating-point number is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The integer that a JSON number is. `2.0` is one, as in JSON Schema.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole and within the range that is exact"
)]
pub(crate) fn integer(value: &Value) -> Option<i64> {
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() < EXACT;
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(whole).map(|number| number as i64))
}

pub(crate) fn mismatch<T: Scalar>(value: &Value) -> String {
    // A number that is out of range, or no integer, is a number all the same.
    if value.is_number() && T::EXPECTED.starts_with("an integer") {
        return format!("must be {}", T::EXPECTED);
    }
    format!("must be {}, not {}", T::EXPECTED, kind(value))
}

/// A pattern for these words in any case of letters, and for none at all.
pub(super) fn any_case<'a>(words: impl Iterator<Item = &'a str>, before: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_lowercase() => format!("[{}{c}]", c.to_ascii_uppercase()),
        c => c.to_string(),
    };
    let words: Vec<String> = words
        .map(|word| word.chars().map(letter).collect())
        .collect();
    format!("^({before}({}))?$", words.join("|"))
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Flag(pub bool);

impl Scalar for Flag {
    const EXPECTED: &'static str = "true or false";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema::new("boolean"))
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        value
            .as_bool()
            .map(Self)
            .ok_or_else(|| mismatch::<Self>(value))
    }

    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|_| format!("must be {}", Self::EXPECTED))
    }

    /// As FastAPI reads a boolean in a body, and SQLite stores one.
    fn lenient_schema() -> MetaSchemaRef {
        let words = FLAG_WORDS.iter().map(|(word, _)| *word);
        let text = MetaSchema {
            pattern: Some(any_case(words, "")),
            example: Some("true".into()),
            ..MetaSchema::new("string")
        };
        let number = MetaSchema {
            minimum: Some(0.0),
            maximum: Some(1.0),
            ..MetaSchema::new_with_format("integer", "int32")
        };
        inline(MetaSchema {
            any_of: vec![<Self as Scalar>::schema_ref(), inline(number), inline(text)],
            example: Some(true.into()),
            ..MetaSchema::ANY
        })
    }

    fn normalize(value: Value) -> Value {
        match &value {
            Value::Number(_) => match integer(&value) {
                Some(number @ 0..=1) => (number == 1).into(),
                _ => value,
            },
            Value::String(text) if text.trim().is_empty() => Value::Null,
            Value::String(text) => {
                let mut words = FLAG_WORDS.iter();
                let found = words.find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
                found.map_or(value, |(_, flag)| (*flag).into())
            }
            _ => value,
        }
    }
}
openapi_scalar!(Flag, "boolean");

/// The words that FastAPI reads as a boolean, in any case of letters.
pub(super) const FLAG_WORDS: [(&str, bool); 12] = [
    ("true", true),
    ("1", true),
    ("yes", true),
    ("on", true),
    ("t", true),
    ("y", true),
    ("false", false),
    ("0", false),
    ("no", false),
    ("off", false),
    ("f", false),
    ("n", false),
];

/// Makes an integer type with bounds that its schema states.
macro_rules! integer {
    ($(#[$doc:meta])* $name:ident, $wire:literal, $min:expr, $max:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(i64);

        impl $name {
            /// The value, if it is within the bounds.
            pub fn new(value: i64) -> Option<Self> {
                ($min..=$max).contains(&value).then_some(Self(value))
            }

            /// The value.
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl Scalar for $name {
            const EXPECTED: &'static str = $expected;

            #[allow(clippy::cast_precision_loss, clippy::allow_attributes, reason = "exact up to 2^53; not all of these are lossy")]
            fn schema_ref() -> MetaSchemaRef {
                inline(MetaSchema {
                    minimum: Some($min as f64),
                    maximum: Some($max as f64),
                    ..MetaSchema::new_with_format("integer", "int64")
                })
            }

            fn from_json(value: &Value) -> Result<Self, String> {
                $crate::contract::integer(value).and_then(Self::new).ok_or_else(|| mismatch::<Self>(value))
            }

            // `parse` alone would take "+1".
            fn from_text(text: &str) -> Result<Self, String> {
                (text.bytes().all(|b| b.is_ascii_digit()))
                    .then(|| text.parse().ok().and_then(Self::new))
                    .flatten()
                    .ok_or_else(|| format!("must be {}", Self::EXPECTED))
            }
        }
        openapi_scalar!($name, $wire);
    };
}

integer!(
    /// A task's number among its user's tasks: 1, 2, 3 …, never used again.
    TaskId, "integer(task-id)", 1, MAX_SAFE_INTEGER, "an integer from 1 to 9007199254740991"
);
integer!(
    /// A revision of a user's tasks: each write takes the next one.
    Version, "integer(version)", 1, MAX_SAFE_INTEGER, "an integer from 1 to 9007199254740991"
);
integer!(
    /// A revision of a user's tasks, or 0: before the first write.
    Revision, "integer(revision)", 0, MAX_SAFE_INTEGER, "an integer from 0 to 9007199254740991"
);
integer!(
    /// How many items a page may have: 1–100.
    PageLimit, "integer(limit)", 1, 100, "an integer from 1 to 100"
);
integer!(
    /// How many there are of something.
    Total, "integer(total)", 0, MAX_SAFE_INTEGER, "an integer from 0 to 9007199254740991"
);

impl Total {
    /// What a database counted.
    pub(crate) fn of(count: i64) -> Self {
        Self(count.clamp(0, MAX_SAFE_INTEGER))
    }
}

impl Revision {
    /// What the database has.
    pub(crate) fn of(revision: i64) -> Self {
        Self(revision.clamp(0, MAX_SAFE_INTEGER))
    }
}

impl PageLimit {
    /// 50.
    pub const DEFAULT: Self = Self(50);
}

/// The `sub` of a token, as text: up to 255 code points, never parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserIdText(pub String);

impl Scalar for UserIdText {
    const EXPECTED: &'static str = "a string of 1 to 255 characters";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            min_length: Some(1),
            max_length: Some(255),
            example: Some("k3v9QmXb2ZtR7sLw4NcYp8HfJd6GaUe1".into()),
            ..MetaSchema::new("string")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        value
            .as_str()
            .map(|s| Self(s.to_owned()))
            .ok_or_else(|| mismatch::<Self>(value))
    }
}
openapi_scalar!(UserIdText, "string(user-id)");

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        for (value, expected) in [
            (json!(2), Some(2)),
            (json!(2.0), Some(2)),
            (json!(-0.0), Some(0)),
            (json!(2.5), None),
            (json!(1e300), None),
            (json!("2"), None),
            (json!(null), None),
        ] {
            assert_eq!(integer(&value), expected, "{value}");
        }
    }
}
