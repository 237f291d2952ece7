//! Times and dates, read strictly.

mod spelling;
mod written;

use chrono::{DateTime, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

pub(crate) use self::spelling::TimeSpelling;
use self::spelling::has_shape;
pub(super) use self::written::{write_date, write_time};
use super::{
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
};

/// An instant: RFC 3339 with `Z`, at most microseconds, years 1–9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The instant, cut to whole microseconds (what both databases keep).
    pub fn new(time: DateTime<Utc>) -> Self {
        let micros = time.nanosecond() / 1_000 * 1_000;
        Self(time.with_nanosecond(micros).unwrap_or(time))
    }

    /// The instant.
    pub fn get(self) -> DateTime<Utc> {
        self.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Always six digits, so that times of the same offset sort as texts do.
        write_time(self.0, SecondsFormat::Micros, serializer)
    }
}

/// Reads RFC 3339 §5.6 and nothing looser. Of another spelling the error says how RFC 3339 writes that time.
pub(super) fn read_time(text: &str) -> Result<DateTime<Utc>, String> {
    let spelling = TimeSpelling::read(text)
        .ok_or_else(|| format!("must be {} (RFC 3339)", Timestamp::EXPECTED))?;
    let exact = spelling.rfc3339_or_utc();
    let time = read_exact(&exact)?;
    if spelling.rfc3339().is_none() {
        return Err(format!(
            "must end with its offset from UTC: {exact} if it is in UTC, else one like +01:00"
        ));
    }
    if !text.eq_ignore_ascii_case(&exact) {
        return Err(format!("must be written as in RFC 3339: {exact}"));
    }
    Ok(time)
}

/// Reads a time that has RFC 3339's form.
fn read_exact(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| "must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)".to_owned())?
        .with_timezone(&Utc);
    if time.nanosecond() >= 1_000_000_000 {
        return Err("must not be a leap second".to_owned());
    }
    // On the text: chrono drops what comes after nine digits.
    let fraction = text.get(20..).filter(|_| text.as_bytes()[19] == b'.');
    let mut digits = fraction
        .unwrap_or_default()
        .bytes()
        .take_while(u8::is_ascii_digit);
    if digits.by_ref().skip(6).any(|digit| digit != b'0') {
        return Err("must have at most microseconds (six digits)".to_owned());
    }
    in_range(time.date_naive())?;
    Ok(time)
}

/// Whether a text has the shape of a date, `2026-02-06`.
pub(super) fn is_date(text: &str) -> bool {
    has_shape(text, "dddd-dd-dd")
}

pub(super) fn read_date(text: &str) -> Result<NaiveDate, String> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| "must be a date that exists, like 2026-02-06".to_owned())?;
    in_range(date)?;
    Ok(date)
}

fn in_range(date: NaiveDate) -> Result<(), String> {
    let first = NaiveDate::from_ymd_opt(1, 1, 1);
    let last = NaiveDate::from_ymd_opt(9999, 12, 31);
    if Some(date) < first || Some(date) > last {
        return Err("must be in the years 0001 to 9999 (in UTC)".to_owned());
    }
    Ok(())
}

impl Scalar for Timestamp {
    const EXPECTED: &'static str = "a time like 2026-02-06T09:00:00Z";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            example: Some("2026-02-06T09:00:00Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        read_time(value.as_str().ok_or_else(|| mismatch::<Self>(value))?).map(Self)
    }
}
openapi_scalar!(Timestamp, "string(date-time)");
