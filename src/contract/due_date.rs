//! When a task is due.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use poem_openapi::{Enum, types::Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    TimeZone, Timestamp,
    registry::{MetaSchema, MetaSchemaRef, Registry, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
    time::{TimeSpelling, is_date, read_date, read_time, write_date, write_time},
};

/// When a task is due: a day, or an instant. The two stay distinct: a date has no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueDate {
    /// A day, wherever one is.
    Date(NaiveDate),
    /// An instant.
    Time(Timestamp),
}

impl DueDate {
    /// The name of its schema.
    const COMPONENT: &str = "DueDate";

    /// The instant by which it is sorted and compared: a date counts as its midnight in UTC.
    pub fn instant(self) -> DateTime<Utc> {
        match self {
            Self::Date(date) => date.and_time(NaiveTime::MIN).and_utc(),
            Self::Time(time) => time.get(),
        }
    }

    /// The same in a time zone, if there is one: a date counts as its first instant there.
    pub fn instant_in(self, zone: Option<TimeZone>) -> DateTime<Utc> {
        match (self, zone) {
            (Self::Date(day), Some(zone)) => zone.first_instant(day),
            (due, _) => due.instant(),
        }
    }

    /// Whether it is a date.
    pub fn is_date(self) -> bool {
        matches!(self, Self::Date(_))
    }

    /// What [`instant`](Self::instant) and [`is_date`](Self::is_date) were made from.
    pub(crate) fn stored(at: DateTime<Utc>, is_date: bool) -> Self {
        if is_date {
            Self::Date(at.date_naive())
        } else {
            Self::Time(Timestamp::new(at))
        }
    }
}

impl Serialize for DueDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Date(date) => write_date(*date, serializer),
            // As short as it may have been sent.
            Self::Time(time) => write_time(time.get(), SecondsFormat::AutoSi, serializer),
        }
    }
}

impl Scalar for DueDate {
    const EXPECTED: &'static str = "a date like 2026-02-06 or a time like 2026-02-06T09:00:00Z";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::COMPONENT.to_owned())
    }

    fn register(registry: &mut Registry) {
        let one = |format, example: &str| {
            inline(MetaSchema {
                example: Some(example.into()),
                ..MetaSchema::new_with_format("string", format)
            })
        };
        registry.create_schema::<Self, _>(Self::COMPONENT.to_owned(), |_| MetaSchema {
            description: Some(
                "A date (`2026-02-06`), which has no time zone, or a time (`2026-02-06T09:00:00Z`, RFC 3339). \
                 In requests a time may have any offset from UTC, in answers it ends in `Z`.",
            ),
            any_of: vec![
                one("date", "2026-02-06"),
                one("date-time", "2026-02-06T09:00:00Z"),
            ],
            ..MetaSchema::ANY
        });
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        if is_date(text) {
            return read_date(text).map(Self::Date);
        }
        if TimeSpelling::read(text).is_none() {
            return Err(format!("must be {}", Self::EXPECTED));
        }
        read_time(text).map(|time| Self::Time(Timestamp::new(time)))
    }

    /// All spellings of a time that [`TimeSpelling`] knows. Without an offset it counts as UTC, as Python's
    /// `datetime.utcnow()` writes it; an input of the type `datetime-local` writes no seconds either.
    fn lenient_schema() -> MetaSchemaRef {
        // A pattern cannot tell leap years: the 29th of February is never valid by it. No year beyond 9899, so that
        // no offset leads out of the years that there are.
        let days = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])";
        let year = "([1-8][0-9]{3}|9[0-8][0-9]{2})";
        let time = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?";
        let offset = "(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?";
        let loose = MetaSchema {
            pattern: Some(format!("^({year}-({days})[T ]{time}{offset})?$")),
            example: Some("2026-02-06T09:00".into()),
            ..MetaSchema::new("string")
        };
        inline(MetaSchema {
            any_of: vec![<Self as Scalar>::schema_ref(), inline(loose)],
            example: Some("2026-02-06".into()),
            ..MetaSchema::ANY
        })
    }

    fn normalize(value: Value) -> Value {
        let Some(text) = value.as_str().map(str::trim) else {
            return value;
        };
        if text.is_empty() {
            return Value::Null;
        }
        match TimeSpelling::read(text) {
            Some(spelling) => spelling.rfc3339_or_utc().into(),
            None => text.into(),
        }
    }
}
openapi_scalar!(DueDate, "string(due-date)");

/// Whether a task has a due date at all. `none`: only tasks without one. `any`: only tasks with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum DueFilter {
    /// Without a due date.
    None,
    /// With a due date.
    Any,
}

impl Scalar for DueFilter {
    const EXPECTED: &'static str = "none (no due date) or any (some due date)";

    fn schema_ref() -> MetaSchemaRef {
        <Self as Type>::schema_ref()
    }

    fn register(registry: &mut Registry) {
        <Self as Type>::register(registry);
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        match value.as_str().ok_or_else(|| mismatch::<Self>(value))? {
            "none" => Ok(Self::None),
            "any" => Ok(Self::Any),
            _ => Err(format!("must be {}", Self::EXPECTED)),
        }
    }
}
