//! Times and dates, read strictly.

use chrono::{DateTime, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::{Serialize, Serializer};
use serde_json::Value;

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

    /// This instant.
    pub fn now() -> Self {
        Self::new(Utc::now())
    }

    /// The instant.
    pub fn get(self) -> DateTime<Utc> {
        self.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Always six digits, so that times of the same offset sort as texts do.
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// chrono's reader is lenient (a space for the `T`, years of six digits); RFC 3339 §5.6 is not.
pub(super) fn read_time(text: &str) -> Result<DateTime<Utc>, String> {
    let shape = text.as_bytes();
    let date_and_clock = shape.get(..19).is_some_and(|head| {
        head.iter()
            .zip(b"dddd-dd-ddTdd:dd:dd")
            .all(|(byte, pattern)| match pattern {
                b'd' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't'),
                other => byte == other,
            })
    });
    if !date_and_clock {
        return Err("must be a time like 2026-02-06T09:00:00Z (RFC 3339)".to_owned());
    }
    if shape.len() == 19 || (shape[19] == b'.' && shape[20..].iter().all(u8::is_ascii_digit)) {
        return Err("must name its offset from UTC: end it with Z or one like +01:00".to_owned());
    }
    let time = DateTime::parse_from_rfc3339(&text.to_ascii_uppercase())
        .map_err(|_| "must be a time that exists, like 2026-02-06T09:00:00Z (RFC 3339)".to_owned())?
        .with_timezone(&Utc);
    if time.nanosecond() >= 1_000_000_000 {
        return Err("must not be a leap second".to_owned());
    }
    // On the text: chrono drops what comes after nine digits.
    let digits = shape[20..].iter().take_while(|byte| byte.is_ascii_digit());
    if shape[19] == b'.' && digits.skip(6).any(|digit| *digit != b'0') {
        return Err("must have at most microseconds (six digits)".to_owned());
    }
    in_range(time.date_naive())?;
    Ok(time)
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
