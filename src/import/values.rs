//! Values as other backends, their databases and the tools that export them write them.

use serde_json::Value;

use crate::{
    auth::{MAX_USER_ID, check_user_id},
    contract::{ExportMark, Fault, Member, Pointer, TimeSpelling, Timestamp, kind},
};

/// A value that is ignored.
pub(super) struct Anything;

impl Member for Anything {
    fn read(_: &Value, _: &Pointer, _: &mut Vec<Fault>) -> Option<Self> {
        Some(Self)
    }
}

/// An id of a task: that of an export of Taskward, which is a number; others are ignored.
pub(super) struct AnyId(pub(super) Option<i64>);

impl Member for AnyId {
    const ABSENT: Option<Self> = Some(Self(None));

    fn read(value: &Value, _: &Pointer, _: &mut Vec<Fault>) -> Option<Self> {
        Some(Self(value.as_i64().filter(|id| *id > 0)))
    }
}

/// Which line of an export it is.
pub(super) struct Mark(pub(super) ExportMark);

impl Member for Mark {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let mark = match value.as_str() {
            Some("begin") => Some(ExportMark::Begin),
            Some("end") => Some(ExportMark::End),
            _ => None,
        };
        if mark.is_none() {
            faults.push(at.fault(r#"must be "begin" or "end""#));
        }
        mark.map(Self)
    }
}

/// A user id: a text that a token's `sub` can be, or a number that is written as one there.
pub(super) struct Owner(pub(super) String);

impl Member for Owner {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_i64() => number.to_string(),
            other => {
                faults.push(at.fault(format!("must be a string, not {}", kind(other))));
                return None;
            }
        };
        let fits = check_user_id(&text).is_ok();
        if !fits {
            let fault = format!(
                "must be what the `sub` of a token can be: 1 to {MAX_USER_ID} characters, not only white space, \
                 no control characters"
            );
            faults.push(at.fault(fault));
        }
        fits.then_some(Self(text))
    }
}

/// A time. Without an offset it is in UTC, as Python's `datetime.utcnow()` and PostgreSQL's `timestamp` write it.
#[derive(Clone, Copy)]
pub(super) struct PastTime(pub(super) Timestamp);

impl Member for PastTime {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let spelling = value.as_str().and_then(TimeSpelling::read);
        let exact = spelling.map(|spelling| spelling.rfc3339_or_utc().into());
        Timestamp::read(exact.as_ref().unwrap_or(value), at, faults).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_others_write_them() {
        for (written, read) in [
            (
                "2026-02-01 08:30:00.123456",
                Some("2026-02-01T08:30:00.123456Z"),
            ),
            ("2026-02-01 08:30:00", Some("2026-02-01T08:30:00.000000Z")),
            ("2026-02-01T08:30:00.5", Some("2026-02-01T08:30:00.500000Z")),
            (
                "2026-02-01 08:30:00+00:00",
                Some("2026-02-01T08:30:00.000000Z"),
            ),
            (
                "2026-02-01 08:30:00.5+05",
                Some("2026-02-01T03:30:00.500000Z"),
            ),
            (
                "2026-02-01T08:30:00.123456000Z",
                Some("2026-02-01T08:30:00.123456Z"),
            ),
            ("2026-02-01T08:30", Some("2026-02-01T08:30:00.000000Z")),
            ("2026-02-01 08:30Z", Some("2026-02-01T08:30:00.000000Z")),
            (
                "2026-02-01T08:30:00-0330",
                Some("2026-02-01T12:00:00.000000Z"),
            ),
            ("2026-02-01 08:30:00.123456789", None),
            ("2026-02-01  08:30:00", None),
            ("2026-02-01 08:30:00.", None),
            ("2026-02-01 8:30:00", None),
            ("2026-02-31 08:30:00", None),
            ("01.02.2026 08:30:00", None),
            ("2026-02-01 08:30:00 UTC", None),
            ("ä", None),
            ("", None),
        ] {
            let mut faults = Vec::new();
            let time = PastTime::read(&written.into(), &Pointer::root(), &mut faults);
            let time = time.map(|PastTime(time)| serde_json::to_value(time).unwrap());
            assert_eq!(time, read.map(Value::from), "{written}");
            assert_eq!(faults.is_empty(), read.is_some(), "{written}");
        }
    }
}
