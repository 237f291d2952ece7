//! Where days begin, in every zone of the database.

use chrono::{Datelike as _, Offset as _};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::from_json(&name.into()).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn days_begin_at_midnight_or_after_the_gap() {
    for (name, date, instant) in [
        ("UTC", "2026-02-06", "2026-02-06T00:00:00Z"),
        ("Europe/Berlin", "2026-02-06", "2026-02-05T23:00:00Z"),
        ("America/New_York", "2026-02-06", "2026-02-06T05:00:00Z"),
        // Clocks are moved later in the day.
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z"),
        ("America/New_York", "2026-03-09", "2026-03-09T04:00:00Z"),
        // They skip midnight.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"),
        // By no multiple of a quarter of an hour.
        ("Africa/Monrovia", "1972-01-07", "1972-01-07T00:44:30Z"),
        // They show midnight twice.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z"),
        // The day was left out.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ("Pacific/Kiritimati", "1994-12-31", "1994-12-31T10:00:00Z"),
    ] {
        let expected: DateTime<Utc> = instant.parse().unwrap();
        assert_eq!(
            zone(name).first_instant(day(date)),
            expected,
            "{name} {date}"
        );
    }
}

#[test]
fn the_list_of_skipped_days_is_that_of_the_database() {
    let mut found = Vec::new();
    for zone in TZ_VARIANTS {
        let offset_on = |at: DateTime<Utc>| {
            let offset = at.with_timezone(&zone).offset().fix();
            offset.local_minus_utc()
        };
        let mut at: DateTime<Utc> = "1800-01-01T00:00:00Z".parse().unwrap();
        while at.year() < 2100 {
            let next = at + Days::new(10);
            // To leave a day out, the clocks go forward by one.
            if offset_on(next) - offset_on(at) > 20 * 3600 {
                let days = at.date_naive().iter_days().take(12);
                let begins = |day: NaiveDate| TimeZone(zone).first_instant(day);
                let skipped = days.filter(|day| begins(*day) == begins(*day + Days::new(1)));
                found.extend(skipped.map(|day| (zone, (day.year(), day.month(), day.day()))));
            }
            at = next;
        }
    }
    assert_eq!(found, SKIPPED_DAYS);
}

proptest! {
    #[test]
    fn the_first_day_from_an_instant_is_the_first(
        zone in proptest::sample::select(&TZ_VARIANTS[..]), seconds in -5_000_000_000_i64..5_000_000_000,
    ) {
        let zone = TimeZone(zone);
        for at in [seconds, seconds / 900 * 900, seconds / 86_400 * 86_400] {
            let at = DateTime::from_timestamp(at, 0).unwrap();
            let first = zone.first_day_from(at);
            prop_assert!(zone.first_instant(first) >= at);
            prop_assert!(zone.first_instant(first.pred_opt().unwrap()) < at);
        }
    }

    #[test]
    fn days_begin_one_after_the_other(
        zone in proptest::sample::select(&TZ_VARIANTS[..]), from in 660_000_i32..770_000,
    ) {
        let zone = TimeZone(zone);
        let days: Vec<_> = NaiveDate::from_num_days_from_ce_opt(from).unwrap().iter_days().take(40).collect();
        for pair in days.windows(2) {
            let (this, next) = (zone.first_instant(pair[0]), zone.first_instant(pair[1]));
            let skipped = zone.skipped_day() == Some(pair[0]);
            prop_assert!(if skipped { this == next } else { this < next }, "{} {}", zone.name(), pair[0]);
        }
    }
}
