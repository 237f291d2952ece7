//! Texts: titles, descriptions, a tag, and what one searches for.
//!
//! Lengths count Unicode code points. A text is stored exactly as sent.

use serde::Serialize;
use serde_json::Value;

use super::{
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
};
use crate::unicode::{is_visible, search_key};

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

/// A single line with something to see in it.
fn check_line(text: &str, max: usize) -> Result<(), String> {
    check_length(text, 1, max)?;
    // What ends a line to some programs: in a list for an agent, a title would look like two.
    let ends_line = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if let Some(c) = text.chars().find(ends_line) {
        return Err(format!(
            "must not contain line breaks or control characters (it has U+{:04X})",
            c as u32
        ));
    }
    if !text.chars().any(is_visible) {
        return Err("must have at least one visible character".to_owned());
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
stored!(Title, Description, Tag, CursorText);

/// What [`check_line`] says, as far as a pattern can: no control character or line separator, and one character
/// that is visible. The invisible ones beyond U+FFFF are left out, since they cannot be written alike in all
/// dialects of patterns, and so are those that Unicode has not assigned, since there are too many.
const LINE: Option<&str> = Some(concat!(
    r"^[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*",
    r"[^\s\u0000-\u001F\u007F-\u009F\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F",
    r"\u2028-\u202E\u2060-\u206F\u2800\u2D7F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC]",
    r"[^\u0000-\u001F\u007F-\u009F\u2028\u2029]*$",
));
/// PostgreSQL cannot store U+0000 in a text.
const NO_NUL: Option<&str> = Some(r"^[^\u0000]*$");

fn check_no_nul(text: &str, max: usize) -> Result<(), String> {
    check_length(text, 0, max)?;
    if text.contains('\0') {
        return Err("must not contain U+0000".to_owned());
    }
    Ok(())
}

/// The longest key of a search, in bytes: that of 200 characters of four bytes. Some characters stand for many, and a
/// search for a long text through long texts takes a database long.
const MAX_KEY: usize = 800;

fn check_search(text: &str) -> Result<(), String> {
    check_no_nul(text, 200)?;
    match search_key(text).len() {
        0..=MAX_KEY => Ok(()),
        _ => Err("has characters that each stand for many; search for fewer of them".to_owned()),
    }
}

text!(
    /// What is to be done: one line of 1–500 code points, at least one of them visible.
    Title, "string(title)", "a string of 1 to 500 characters", 1, 500, LINE, "Buy milk",
    |text| check_line(text, 500)
);
text!(
    /// More about a task: up to 10,000 code points, lines allowed, no U+0000.
    Description, "string(description)", "a string of at most 10000 characters", 0, 10_000, NO_NUL, "Two litres, the organic one",
    |text| check_no_nul(text, 10_000)
);
text!(
    /// A label: one line of 1–50 code points.
    Tag, "string(tag)", "a string of 1 to 50 characters", 1, 50, LINE, "shopping",
    |text| check_line(text, 50)
);
text!(
    /// What to look for: up to 200 code points.
    SearchText, "string(search)", "a string of at most 200 characters", 0, 200, NO_NUL, "milk",
    check_search
);

text!(
    /// A cursor as it came, at most 4096 characters.
    CursorText, "string(cursor)", "a cursor as it came", 1, 4096, Some("^[A-Za-z0-9_-]+$"), "WzEsMTIsN10",
    |text| {
        check_length(text, 1, 4096)?;
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.bytes().all(url_safe) { Ok(()) } else { Err("must be a cursor as it came".to_owned()) }
    }
);
