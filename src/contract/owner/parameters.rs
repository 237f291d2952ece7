//! Parameters by the names and values that front ends use for them.

use serde::Serialize;
use serde_json::Value;

use crate::contract::{
    Sort,
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{FLAG_WORDS, Scalar, any_case, mismatch},
};

/// Makes a parameter type whose words have meanings, in any case of letters.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident($meaning:ty), $wire:literal, $expected:literal, $example:literal, $words:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub struct $name(pub $meaning);

        impl Scalar for $name {
            const EXPECTED: &'static str = $expected;

            fn schema_ref() -> MetaSchemaRef {
                let words: &[(&str, $meaning)] = $words;
                inline(MetaSchema {
                    pattern: Some(any_case(words.iter().map(|(word, _)| *word), "")),
                    example: Some($example.into()),
                    ..MetaSchema::new("string")
                })
            }

            fn from_json(value: &Value) -> Result<Self, String> {
                let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
                let words: &[(&str, $meaning)] = $words;
                let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
                found.map(|(_, meaning)| Self(*meaning)).ok_or_else(|| format!("must be {}", $expected))
            }
        }
        openapi_scalar!($name, $wire);
    };
}

words!(
    /// Which tasks by their state; `None` inside: all.
    Status(Option<bool>), "string(status)", "all, pending or completed", "completed",
    &[
        ("all", None),
        ("pending", Some(false)), ("active", Some(false)), ("incomplete", Some(false)), ("todo", Some(false)),
        ("completed", Some(true)), ("complete", Some(true)), ("done", Some(true)),
    ]
);

words!(
    /// Done or not, as FastAPI reads a boolean.
    OwnerFlag(bool), "string(owner-flag)", "true or false", "true",
    &FLAG_WORDS
);

words!(
    /// Which way round; true: the largest first.
    Direction(bool), "string(direction)", "asc or desc", "desc",
    &[("asc", false), ("ascending", false), ("desc", true), ("descending", true)]
);

/// What to sort by; a leading `-` turns it round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OwnerSort {
    column: Column,
    /// Whether the text began with `-`.
    turned: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Column {
    Created,
    Updated,
    Due,
    Priority,
    Title,
}

impl OwnerSort {
    /// Whether it begins with a `-`.
    pub fn is_turned(self) -> bool {
        self.turned
    }

    /// By creation.
    pub const CREATED: Self = Self {
        column: Column::Created,
        turned: false,
    };

    /// The order that this and a direction make. Without any, the newest and the most urgent come
    /// first, and the rest ascends.
    pub fn with(self, direction: Option<Direction>) -> Sort {
        let usual = matches!(
            self.column,
            Column::Created | Column::Updated | Column::Priority
        );
        let descending = match direction {
            Some(Direction(descending)) => descending,
            None => self.turned || usual,
        };
        match (self.column, descending) {
            (Column::Created, false) => Sort::Created,
            (Column::Created, true) => Sort::CreatedDesc,
            (Column::Updated, false) => Sort::Updated,
            (Column::Updated, true) => Sort::UpdatedDesc,
            (Column::Due, false) => Sort::Due,
            (Column::Due, true) => Sort::DueDesc,
            (Column::Priority, false) => Sort::Priority,
            (Column::Priority, true) => Sort::PriorityDesc,
            (Column::Title, false) => Sort::Title,
            (Column::Title, true) => Sort::TitleDesc,
        }
    }
}

impl Scalar for OwnerSort {
    const EXPECTED: &'static str = "created_at, updated_at, title, due_date or priority";

    fn schema_ref() -> MetaSchemaRef {
        let names = [
            "created",
            "created_at",
            "createdat",
            "updated",
            "updated_at",
            "updatedat",
            "due",
            "due_date",
            "duedate",
            "priority",
            "title",
            "name",
        ];
        inline(MetaSchema {
            pattern: Some(any_case(names.into_iter(), "-?")),
            example: Some("created_at".into()),
            ..MetaSchema::new("string")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value
            .as_str()
            .ok_or_else(|| mismatch::<Self>(value))?
            .trim();
        let name = text.trim_start_matches('-');
        // `dueDate`, `due_date` and `due-date` are one.
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let column = match plain.to_ascii_lowercase().as_str() {
            "created" | "createdat" | "date" | "newest" => Column::Created,
            "updated" | "updatedat" => Column::Updated,
            "due" | "duedate" => Column::Due,
            "priority" => Column::Priority,
            "title" | "name" | "alphabetical" => Column::Title,
            _ => return Err(format!("must be {}", Self::EXPECTED)),
        };
        Ok(Self {
            column,
            turned: name.len() < text.len(),
        })
    }
}
openapi_scalar!(OwnerSort, "string(owner-sort)");

/// Makes a parameter type of whole numbers within bounds.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $wire:literal, $min:literal, $max:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub struct $name(pub u32);

        impl Scalar for $name {
            const EXPECTED: &'static str = $expected;

            fn schema_ref() -> MetaSchemaRef {
                inline(MetaSchema {
                    minimum: Some(f64::from($min as u32)),
                    maximum: Some(f64::from($max as u32)),
                    ..MetaSchema::new_with_format("integer", "int32")
                })
            }

            fn from_json(value: &Value) -> Result<Self, String> {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                let number = number.filter(|number| ($min..=$max).contains(number));
                number.map(Self).ok_or_else(|| mismatch::<Self>(value))
            }

            fn from_text(text: &str) -> Result<Self, String> {
                let number = text.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
                let number = number.filter(|number| ($min..=$max).contains(number));
                number.map(Self).ok_or_else(|| format!("must be {}", Self::EXPECTED))
            }
        }
        openapi_scalar!($name, $wire);
    };
}

number!(
    /// How many tasks: 1–1000.
    PageSize, "integer(page-size)", 1, 1000, "an integer from 1 to 1000"
);
number!(
    /// How many tasks to pass over.
    Offset, "integer(offset)", 0, 1_000_000, "an integer from 0 to 1000000"
);
number!(
    /// Which page, the first being 1.
    PageNumber, "integer(page)", 1, 1_000_000, "an integer from 1 to 1000000"
);
