//! Texts: titles, descriptions, a tag, and what one searches for.
//!
//! Lengths count Unicode code points. A text is stored exactly as sent.

use serde::Serialize;
use serde_json::Value;

use super::{
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
};

fn check_length(text: &str, min: usize, max: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length < min {
        return Err("must not be empty".to_owned());
    }
    if length > max {
        return Err(format!("must have at most {max} characters, has {length}"));
    }
    Ok(())
}

/// A single line: no control characters, and something to see.
fn check_line(text: &str, max: usize) -> Result<(), String> {
    check_length(text, 1, max)?;
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(format!(
            "must not contain control characters (it has U+{:04X})",
            c as u32
        ));
    }
    // U+FEFF is white space in JavaScript, and so to the pattern of the schema.
    if text.chars().all(|c| c.is_whitespace() || c == '\u{FEFF}') {
        return Err("must not be only white space".to_owned());
    }
    Ok(())
}

/// Makes a text type with its own rules, schema and name.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $wire:literal, $expected:literal, $min:expr, $max:expr, $pattern:expr, $example:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, for storing.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl Scalar for $name {
            const EXPECTED: &'static str = $expected;

            fn schema_ref() -> MetaSchemaRef {
                let pattern: Option<&str> = $pattern;
                inline(MetaSchema {
                    min_length: ($min > 0).then_some($min),
                    max_length: Some($max),
                    pattern: pattern.map(str::to_owned),
                    example: Some($example.into()),
                    ..MetaSchema::new("string")
                })
            }

            fn from_json(value: &Value) -> Result<Self, String> {
                let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
                let check: fn(&str) -> Result<(), String> = $check;
                check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
        openapi_scalar!($name, $wire);
    };
}

/// Makes texts again of what was checked when it was stored.
macro_rules! stored {
    ($($name:ident),*) => {$(
        impl $name {
            pub(crate) fn stored(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}
stored!(Title, Description, Tag);

/// No C0, DEL or C1 control character, and at least one that is not white space (White_Space of the
/// Unicode Character Database, which JavaScript's `\s` covers but for U+0085, itself a control).
const LINE: Option<&str> = Some(
    r"^[^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]*$",
);
/// PostgreSQL cannot store U+0000 in a text.
const NO_NUL: Option<&str> = Some(r"^[^\u0000]*$");

fn check_no_nul(text: &str, max: usize) -> Result<(), String> {
    check_length(text, 0, max)?;
    if text.contains('\0') {
        return Err("must not contain U+0000".to_owned());
    }
    Ok(())
}

text!(
    /// What is to be done: one line of 1–200 code points, not only white space.
    Title, "string(title)", "a string of 1 to 200 characters", 1, 200, LINE, "Buy milk",
    |text| check_line(text, 200)
);
text!(
    /// More about a task: up to 8192 code points, lines allowed, no U+0000.
    Description, "string(description)", "a string of at most 8192 characters", 0, 8192, NO_NUL, "Two litres, the organic one",
    |text| check_no_nul(text, 8192)
);
text!(
    /// A label: one line of 1–50 code points.
    Tag, "string(tag)", "a string of 1 to 50 characters", 1, 50, LINE, "shopping",
    |text| check_line(text, 50)
);
text!(
    /// What to look for: up to 200 code points.
    SearchText, "string(search)", "a string of at most 200 characters", 0, 200, NO_NUL, "milk",
    |text| check_no_nul(text, 200)
);

text!(
    /// A cursor as it came in `next_cursor`, at most 4096 characters.
    CursorText, "string(cursor)", "a `next_cursor` as it came", 1, 4096, Some("^[A-Za-z0-9_-]+$"), "WzEsMTIsN10",
    |text| {
        check_length(text, 1, 4096)?;
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.bytes().all(url_safe) { Ok(()) } else { Err("must be a `next_cursor` as it came".to_owned()) }
    }
);
