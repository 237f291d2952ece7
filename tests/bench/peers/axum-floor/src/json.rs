//! Rows to JSON, without a copy in between.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Error, db::Timestamp};

pub fn task(row: &Row) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(512);
    write_task(&mut out, row)?;
    Ok(out)
}

/// `rows` has one row more than `limit` if there is a next page.
pub fn page(rows: &[Row], limit: usize) -> Result<Vec<u8>, Error> {
    let shown = &rows[..rows.len().min(limit)];
    let mut out = Vec::with_capacity(384 * shown.len() + 128);
    out.extend_from_slice(br#"{"items":["#);
    for (number, row) in shown.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_task(&mut out, row)?;
    }
    out.extend_from_slice(br#"],"next_cursor":"#);
    match shown.last().filter(|_| rows.len() > limit) {
        None => out.extend_from_slice(b"null}"),
        Some(last) => {
            let at: Timestamp = last.try_get(4)?;
            let id: Uuid = last.try_get(0)?;
            let raw = [at.0.to_be_bytes().as_slice(), id.as_bytes()].concat();
            out.push(b'"');
            out.extend_from_slice(URL_SAFE_NO_PAD.encode(raw).as_bytes());
            out.extend_from_slice(br#""}"#);
        }
    }
    Ok(out)
}

pub fn read_cursor(cursor: &str) -> Option<(Timestamp, Uuid)> {
    let raw: [u8; 24] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
    let (at, id) = raw.split_first_chunk::<8>()?;
    Some((
        Timestamp(i64::from_be_bytes(*at)),
        Uuid::from_slice(id).ok()?,
    ))
}

fn write_task(out: &mut Vec<u8>, row: &Row) -> Result<(), Error> {
    out.extend_from_slice(br#"{"id":""#);
    let mut id = Uuid::encode_buffer();
    let id = row
        .try_get::<_, Uuid>(0)?
        .hyphenated()
        .encode_lower(&mut id)
        .as_bytes();
    out.extend_from_slice(id);
    out.extend_from_slice(br#"","title":"#);
    write_text(out, row.try_get(1)?);
    out.extend_from_slice(br#","description":"#);
    write_text(out, row.try_get(2)?);
    out.extend_from_slice(br#","completed":"#);
    out.extend_from_slice(if row.try_get(3)? { b"true" } else { b"false" });
    out.extend_from_slice(br#","created_at":""#);
    write_time(out, row.try_get(4)?);
    out.extend_from_slice(br#"","updated_at":""#);
    write_time(out, row.try_get(5)?);
    out.extend_from_slice(br#""}"#);
    Ok(())
}

fn write_text(out: &mut Vec<u8>, text: Option<&str>) {
    serde_json::to_writer(out, &text).expect("a text has a JSON form, and a Vec takes it");
}

/// RFC 3339 in UTC with microseconds; the date by Hinnant's `civil_from_days`.
fn write_time(out: &mut Vec<u8>, at: Timestamp) {
    let (days, microseconds) = (
        at.0.div_euclid(86_400_000_000),
        at.0.rem_euclid(86_400_000_000),
    );
    // Days since 0000-03-01.
    let days = days + 730_425;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let seconds = microseconds / 1_000_000;

    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut write = |from: usize, digits: usize, mut value: i64| {
        for place in (from..from + digits).rev() {
            text[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    write(0, 4, year);
    write(5, 2, month);
    write(8, 2, day);
    write(11, 2, seconds / 3600);
    write(14, 2, seconds / 60 % 60);
    write(17, 2, seconds % 60);
    write(20, 6, microseconds % 1_000_000);
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, write_time};

    #[test]
    fn times_are_written_in_rfc_3339() {
        let written = |microseconds| {
            let mut out = Vec::new();
            write_time(&mut out, Timestamp(microseconds));
            String::from_utf8(out).expect("digits")
        };
        assert_eq!(written(0), "2000-01-01T00:00:00.000000Z");
        assert_eq!(written(-1), "1999-12-31T23:59:59.999999Z");
        assert_eq!(written(5_097_600_123_456), "2000-02-29T00:00:00.123456Z");
        assert_eq!(written(848_966_400_000_000), "2026-11-26T00:00:00.000000Z");
    }
}
