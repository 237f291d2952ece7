//! What phrases resolve to, and what is refused.

use chrono::Weekday;
use proptest::prelude::*;

use super::*;

fn dates(now: &str, zone: &str) -> Dates {
    let zone = (!zone.is_empty()).then(|| zone_of(zone));
    Dates::new(now.parse().unwrap(), zone)
}

fn said(text: &str) -> DateText {
    let mut faults = Vec::new();
    DateText::read(&Value::from(text), &Pointer::root(), &mut faults).unwrap()
}

/// The date that a text resolves to, as answers show it, or the fault.
fn resolve(now: &str, zone: &str, text: &str) -> String {
    let mut dates = dates(now, zone);
    match dates.resolve(&said(text)) {
        Ok(due) => dates.show(due),
        Err(fault) => fault,
    }
}

/// A Monday.
const NOW: &str = "2026-11-23T12:00:00Z";

#[test]
fn phrases_on_a_monday() {
    for (text, date) in [
        ("today", "2026-11-23"),
        ("Tomorrow", "2026-11-24"),
        (" yesterday ", "2026-11-22"),
        ("monday", "2026-11-30"),
        ("tuesday", "2026-11-24"),
        ("sunday", "2026-11-29"),
        ("next monday", "2026-11-30"),
        ("next tuesday", "2026-12-01"),
        ("next sunday", "2026-12-06"),
        ("in 1 day", "2026-11-24"),
        ("in 3 days", "2026-11-26"),
        ("in 2  weeks", "2026-12-07"),
        ("in 1 month", "2026-12-23"),
        ("in 999 months", "2110-02-23"),
        ("end of week", "2026-11-29"),
        ("end of month", "2026-11-30"),
        ("tomorrow 09:00", "2026-11-24T09:00:00+01:00"),
        ("tomorrow at 09:00", "2026-11-24T09:00:00+01:00"),
        ("NEXT FRIDAY at 23:59:59", "2026-12-04T23:59:59+01:00"),
        ("2026-02-06 09:00", "2026-02-06T09:00:00+01:00"),
        ("2026-07-06T09:00", "2026-07-06T09:00:00+02:00"),
        ("2026-07-06T09:00:00", "2026-07-06T09:00:00+02:00"),
        // A time with an offset is that instant, however it is spelt.
        ("2026-07-06T09:00Z", "2026-07-06T11:00:00+02:00"),
        ("2026-07-06 09:00:00+0100", "2026-07-06T10:00:00+02:00"),
        ("2026-07-06T09:00-05", "2026-07-06T16:00:00+02:00"),
    ] {
        assert_eq!(resolve(NOW, "Europe/Berlin", text), date, "{text}");
    }
}

#[test]
fn phrases_on_a_sunday() {
    for (text, date) in [
        ("monday", "2026-11-30"),
        ("next monday", "2026-11-30"),
        ("sunday", "2026-12-06"),
        ("next sunday", "2026-12-06"),
        ("end of week", "2026-11-29"),
    ] {
        assert_eq!(resolve("2026-11-29T12:00:00Z", "UTC", text), date, "{text}");
    }
}

#[test]
fn months_of_different_length_and_the_end_of_the_year() {
    for (now, text, date) in [
        ("2026-01-31T12:00:00Z", "in 1 month", "2026-02-28"),
        ("2028-01-31T12:00:00Z", "in 1 month", "2028-02-29"),
        ("2026-02-01T12:00:00Z", "end of month", "2026-02-28"),
        ("2026-12-31T12:00:00Z", "end of month", "2026-12-31"),
        ("2026-12-31T12:00:00Z", "tomorrow", "2027-01-01"),
    ] {
        assert_eq!(resolve(now, "UTC", text), date, "{text} on {now}");
    }
}

#[test]
fn the_day_is_that_of_the_zone() {
    let almost_midnight = "2026-11-23T23:30:00Z";
    for (zone, date) in [
        ("UTC", "2026-11-23"),
        ("Europe/Berlin", "2026-11-24"),
        ("America/New_York", "2026-11-23"),
        ("Pacific/Kiritimati", "2026-11-24"),
        ("Pacific/Pago_Pago", "2026-11-23"),
        ("Asia/Kathmandu", "2026-11-24"),
    ] {
        assert_eq!(resolve(almost_midnight, zone, "today"), date, "{zone}");
    }
    // The first place begins a day 25 hours before the last one.
    let noon = "2026-11-23T10:30:00Z";
    assert_eq!(resolve(noon, "Pacific/Kiritimati", "today"), "2026-11-24");
    assert_eq!(resolve(noon, "Pacific/Pago_Pago", "today"), "2026-11-22");
}

#[test]
fn a_time_is_local_time_across_a_change_of_clocks() {
    // In Berlin, the clocks go back on 2026-10-25.
    let before = "2026-10-24T12:00:00Z";
    assert_eq!(
        resolve(before, "Europe/Berlin", "today 15:00"),
        "2026-10-24T15:00:00+02:00"
    );
    assert_eq!(
        resolve(before, "Europe/Berlin", "tomorrow 15:00"),
        "2026-10-25T15:00:00+01:00"
    );
}

#[test]
fn a_time_that_the_clocks_skip_or_repeat_is_refused() {
    assert_eq!(
        resolve("2026-03-28T12:00:00Z", "Europe/Berlin", "tomorrow 02:30"),
        "is 2026-03-29 02:30 in Europe/Berlin, a time that the clocks skip that day; choose another time"
    );
    assert_eq!(
        resolve("2026-10-24T12:00:00Z", "Europe/Berlin", "tomorrow 02:30"),
        "is 2026-10-25 02:30 in Europe/Berlin, a time that comes twice that day; write \
         2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"
    );
    // The suggested text is understood.
    assert_eq!(
        resolve(NOW, "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
        "2026-10-25T02:30:00+02:00"
    );
}

#[test]
fn phrases_need_a_time_zone_and_exact_dates_do_not() {
    assert_eq!(resolve(NOW, "", "2026-02-06"), "2026-02-06");
    assert_eq!(
        resolve(NOW, "", "2026-02-06T09:00:00+01:00"),
        "2026-02-06T08:00:00Z"
    );
    for text in [
        "today",
        "next friday",
        "2026-02-06 09:00",
        "2026-02-06T09:00",
        "tomorrow 09:00",
    ] {
        let fault = resolve(NOW, "", text);
        assert!(fault.starts_with("needs `time_zone`"), "{text}: {fault}");
    }
}

#[test]
fn any_other_text_is_refused_with_the_list_of_phrases() {
    for text in [
        "",
        "someday",
        "next week",
        "in 0 days",
        "in 1000 days",
        "in -1 days",
        "in +3 days",
        "in three days",
        "in 3",
        "mon",
        "next mon",
        "tomorrow 9:00",
        "tomorrow 24:00",
        "tomorrow 23:59:60",
        "tomorrow at",
        "at 09:00",
        "now",
        "today tomorrow",
        "tomorrow 09:00 09:00",
        "завтра",
    ] {
        let fault = resolve(NOW, "UTC", text);
        assert!(
            fault.starts_with("must be a date like 2026-02-06, or one of these phrases"),
            "{text}: {fault}"
        );
        assert!(
            fault.contains("next monday to next sunday"),
            "{text}: {fault}"
        );
    }
    // A text that looks like a date gets the fault of a date.
    for text in [
        "2026-02-30",
        "2026-13-01",
        "2026-02-06 25:00",
        "06.02.2026",
        "2026-2-6",
        "10000-01-01",
    ] {
        let fault = resolve(NOW, "UTC", text);
        assert!(
            fault.starts_with("must be a ") && !fault.contains("phrases"),
            "{text}: {fault}"
        );
    }
}

#[test]
fn a_time_must_be_in_the_years_that_the_database_keeps() {
    assert_eq!(
        resolve(NOW, "America/New_York", "9999-12-31 23:00"),
        OUT_OF_RANGE
    );
    assert_eq!(resolve(NOW, "Asia/Tokyo", "0001-01-01 00:00"), OUT_OF_RANGE);
    assert_eq!(
        resolve("9999-12-31T12:00:00Z", "UTC", "tomorrow"),
        OUT_OF_RANGE
    );
}

#[test]
fn the_answer_shows_what_phrases_stand_for_and_not_exact_dates() {
    let mut dates = dates(NOW, "UTC");
    for text in ["tomorrow", "2026-02-06", "tomorrow", "end of week"] {
        dates.resolve(&said(text)).unwrap();
    }
    let resolved = dates.into_resolved().unwrap();
    assert_eq!(
        serde_json::json!(resolved),
        serde_json::json!({ "end of week": "2026-11-29", "tomorrow": "2026-11-24" })
    );
}

/// The bounds of a period: its first instant for dates and for times, and its end for both.
fn bounds(zone: &str, from: &str, to: &str) -> [String; 4] {
    let mut dates = dates(NOW, zone);
    let (from, to) = (
        dates.from(&said(from)).unwrap(),
        dates.to(&said(to)).unwrap(),
    );
    let ((from_day, from_time), (to_day, to_time)) = (from.instants(), to.instants());
    [from_day, from_time, to_day, to_time]
        .map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[test]
fn a_period_has_the_days_of_the_zone() {
    assert_eq!(
        bounds("America/New_York", "today", "today"),
        [
            "2026-11-23T00:00:00Z",
            "2026-11-23T05:00:00Z",
            "2026-11-24T00:00:00Z",
            "2026-11-24T05:00:00Z"
        ]
    );
    // A day of 25 hours.
    assert_eq!(
        bounds("Europe/Berlin", "2026-10-25", "2026-10-25"),
        [
            "2026-10-25T00:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-26T00:00:00Z",
            "2026-10-25T23:00:00Z"
        ]
    );
    // A day whose midnight is skipped begins an hour later.
    assert_eq!(
        bounds("Africa/Cairo", "2026-04-24", "2026-04-24")[1],
        "2026-04-23T22:00:00Z"
    );
    // A day that an island skipped altogether begins together with the next.
    assert_eq!(
        bounds("Pacific/Apia", "2011-12-30", "2011-12-30"),
        [
            "2011-12-30T00:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-31T00:00:00Z",
            "2011-12-30T10:00:00Z"
        ]
    );
    assert_eq!(
        bounds("UTC", "2026-02-06T09:00:00Z", "2026-02-06T09:00:00Z"),
        [
            "2026-02-06T00:00:00Z",
            "2026-02-06T09:00:00Z",
            "2026-02-07T00:00:00Z",
            "2026-02-06T09:00:00.000001Z"
        ]
    );
}

fn zones() -> impl Strategy<Value = TimeZone> {
    proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]).prop_map(|zone| zone_of(zone.name()))
}

fn zone_of(name: &str) -> TimeZone {
    TimeZone::from_json(&name.into()).unwrap()
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}", zone in zones()) {
        if text.trim().len() <= MAX_LENGTH {
            let _ = Dates::new(NOW.parse().unwrap(), Some(zone)).resolve(&said(&text));
        }
    }

    #[test]
    fn sequences_of_known_words_do_not_panic(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "in", "next", "end", "of", "at", "today", "monday", "week", "days", "months", "3", "999", "09:00",
            "2026-02-06", "t", "00:00:00", "9999-12-31",
        ]), 0..5),
        second in -62_135_596_800_i64..253_402_300_799,
        zone in zones(),
    ) {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        let text = words.join(" ");
        if text.len() <= MAX_LENGTH {
            let mut dates = Dates::new(now, Some(zone));
            let _ = dates.resolve(&said(&text));
            let _ = (dates.from(&said(&text)), dates.to(&said(&text)), dates.present());
        }
    }

    /// `friday` is in the next seven days, and `next friday` in the week after this one, in every zone.
    #[test]
    fn weekdays_are_in_the_promised_week(second in 0_i64..4_000_000_000, day in 0_u8..7, zone in zones()) {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        let today = zone.day_of(now);
        let day = Weekday::try_from(day).unwrap();
        let coming = Word::Coming(day).after(today).unwrap();
        prop_assert_eq!(coming.weekday(), day);
        prop_assert!((1..=7).contains(&(coming - today).num_days()));
        let next = Word::OfNextWeek(day).after(today).unwrap();
        prop_assert_eq!(next.weekday(), day);
        let monday = |date: NaiveDate| date - TimeDelta::days(date.weekday().num_days_from_monday().into());
        prop_assert_eq!((monday(next) - monday(today)).num_days(), 7);
    }
}
