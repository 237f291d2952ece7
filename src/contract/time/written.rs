//! How times and dates are written, without the detour through chrono's formats: a page of 50 tasks has up to 200 of them.

use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, Timelike as _, Utc};
use serde::Serializer;

/// `2026-02-06`.
const DATE: usize = 10;
/// `2026-02-06T09:00:00`.
const SECONDS: usize = 19;
/// `2026-02-06T09:00:00.000000Z`.
const LONGEST: usize = 27;

/// Writes a date: four digits of the year, as years are 1 to 9999.
pub(in crate::contract) fn write_date<S: Serializer>(
    date: NaiveDate,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut text = *b"0000-00-00";
    match put_date(&mut text, date).and_then(|()| std::str::from_utf8(&text).ok()) {
        Some(text) => serializer.serialize_str(text),
        None => serializer.collect_str(&date.format("%Y-%m-%d")),
    }
}

/// Writes an instant as RFC 3339 with `Z`, with as many digits of the second as `precision` says.
pub(in crate::contract) fn write_time<S: Serializer>(
    time: DateTime<Utc>,
    precision: SecondsFormat,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let length = put_time(&mut text, time, precision);
    match length.and_then(|length| std::str::from_utf8(&text[..length]).ok()) {
        Some(text) => serializer.serialize_str(text),
        None => serializer.serialize_str(&time.to_rfc3339_opts(precision, true)),
    }
}

/// `None` for a year that does not have four digits.
fn put_date(text: &mut [u8], date: NaiveDate) -> Option<()> {
    let year = u32::try_from(date.year())
        .ok()
        .filter(|year| *year <= 9999)?;
    put(&mut text[..4], year);
    put(&mut text[5..7], date.month());
    put(&mut text[8..DATE], date.day());
    Some(())
}

/// Returns the length of the text. `None` for what is not stored: other years, leap seconds, nanoseconds.
fn put_time(
    text: &mut [u8; LONGEST],
    time: DateTime<Utc>,
    precision: SecondsFormat,
) -> Option<usize> {
    put_date(text, time.date_naive())?;
    put(&mut text[11..13], time.hour());
    put(&mut text[14..16], time.minute());
    put(&mut text[17..SECONDS], time.second());
    let nanos = time.nanosecond();
    let micros = nanos / 1_000;
    if nanos >= 1_000_000_000 || !nanos.is_multiple_of(1_000) {
        return None;
    }
    let digits = match precision {
        SecondsFormat::Micros => 6,
        SecondsFormat::AutoSi if micros == 0 => 0,
        SecondsFormat::AutoSi if micros.is_multiple_of(1_000) => 3,
        SecondsFormat::AutoSi => 6,
        _ => return None,
    };
    let end = match digits {
        0 => SECONDS,
        _ => SECONDS + 1 + digits,
    };
    put(&mut text[SECONDS + 1..LONGEST - 1], micros);
    text[end] = b'Z';
    Some(end + 1)
}

/// Writes a number in decimal, with zeros in front of it.
fn put(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(
        write: impl FnOnce(&mut serde_json::Serializer<&mut Vec<u8>>) -> serde_json::Result<()>,
    ) -> String {
        let mut text = Vec::new();
        write(&mut serde_json::Serializer::new(&mut text)).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn each_kind_is_written_as_chrono_does() {
        for (text, expected) in [
            ("2026-02-06T09:00:00Z", "2026-02-06T09:00:00Z"),
            ("0001-01-01T00:00:00.120Z", "0001-01-01T00:00:00.120Z"),
            ("9999-12-31T23:59:59.000001Z", "9999-12-31T23:59:59.000001Z"),
            // Never stored.
            ("2026-02-06T09:00:60Z", "2026-02-06T09:00:60Z"),
            (
                "2026-02-06T09:00:00.123456789Z",
                "2026-02-06T09:00:00.123456789Z",
            ),
        ] {
            let time: DateTime<Utc> = text.parse().unwrap();
            let written = json(|out| write_time(time, SecondsFormat::AutoSi, out));
            assert_eq!(written, format!("\"{expected}\""));
        }
        let written = json(|out| write_date(NaiveDate::MAX, out));
        assert_eq!(written, "\"+262142-12-31\"");
    }

    proptest! {
        #[test]
        fn all_are_written_as_chrono_does(
            seconds in -62_135_596_800_i64..253_402_300_800,
            micros in prop_oneof![Just(0), (0..1_000_u32).prop_map(|ms| ms * 1_000), 0..1_000_000_u32],
        ) {
            let time = DateTime::from_timestamp(seconds, micros * 1_000).unwrap();
            for precision in [SecondsFormat::Micros, SecondsFormat::AutoSi] {
                let expected = format!("\"{}\"", time.to_rfc3339_opts(precision, true));
                prop_assert_eq!(json(|out| write_time(time, precision, out)), expected);
            }
            let expected = format!("\"{}\"", time.format("%Y-%m-%d"));
            prop_assert_eq!(json(|out| write_date(time.date_naive(), out)), expected);
        }
    }
}
