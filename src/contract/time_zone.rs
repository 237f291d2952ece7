//! Time zones, and where days begin in them.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{
    registry::{MetaSchema, MetaSchemaRef, inline, openapi_scalar},
    scalar::{Scalar, mismatch},
};

#[cfg(test)]
mod tests;

/// A time zone of the IANA database, by its name there. Names are case-sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeZone(Tz);

/// The days that zones left out when they changed the side of the date line. A test compares this list with the zone
/// database.
const SKIPPED_DAYS: [(Tz, (i32, u32, u32)); 12] = [
    (Tz::Asia__Manila, (1844, 12, 31)),
    (Tz::Kwajalein, (1993, 8, 21)),
    (Tz::Pacific__Apia, (2011, 12, 30)),
    (Tz::Pacific__Enderbury, (1994, 12, 31)),
    (Tz::Pacific__Fakaofo, (2011, 12, 30)),
    (Tz::Pacific__Guam, (1844, 12, 31)),
    (Tz::Pacific__Kanton, (1994, 12, 31)),
    (Tz::Pacific__Kiritimati, (1994, 12, 31)),
    (Tz::Pacific__Kosrae, (1844, 12, 31)),
    (Tz::Pacific__Kwajalein, (1993, 8, 21)),
    (Tz::Pacific__Palau, (1844, 12, 31)),
    (Tz::Pacific__Saipan, (1844, 12, 31)),
];

impl TimeZone {
    /// The zone.
    pub fn get(self) -> Tz {
        self.0
    }

    /// Its name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The day that it is in the zone at an instant.
    pub fn day_of(self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.0).date_naive()
    }

    /// The first instant of a day. Where the clocks skip midnight, it is the instant after the gap; where they
    /// show midnight twice, the first of the two. A day that the zone left out begins when the next one does.
    pub fn first_instant(self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        match self.0.from_local_datetime(&midnight).earliest() {
            Some(first) => first.to_utc(),
            None => self.end_of_gap(midnight),
        }
    }

    /// The instant at which clocks skip a local time.
    fn end_of_gap(self, local: NaiveDateTime) -> DateTime<Utc> {
        // No offset is as large as a day, and zones change theirs at whole seconds.
        let day = TimeDelta::days(1).num_seconds();
        let (mut before, mut after) = (-day, day);
        while after - before > 1 {
            let middle = i64::midpoint(before, after);
            let at = (local + TimeDelta::seconds(middle)).and_utc();
            match at.with_timezone(&self.0).naive_local() < local {
                true => before = middle,
                false => after = middle,
            }
        }
        (local + TimeDelta::seconds(after)).and_utc()
    }

    /// The first day that begins at an instant or later.
    pub fn first_day_from(self, instant: DateTime<Utc>) -> NaiveDate {
        let today = self.day_of(instant);
        // The day before counts if the zone left it out, or if the clocks went back over this midnight.
        let days = [today.pred_opt(), Some(today), today.succ_opt()];
        let begins_from = |day: &NaiveDate| self.first_instant(*day) >= instant;
        let found = days.into_iter().flatten().find(begins_from);
        found.unwrap_or(today + Days::new(2))
    }

    /// The day that the zone left out, if it ever did.
    pub fn skipped_day(self) -> Option<NaiveDate> {
        let (_, (year, month, day)) = SKIPPED_DAYS.into_iter().find(|(zone, _)| *zone == self.0)?;
        NaiveDate::from_ymd_opt(year, month, day)
    }
}

impl Serialize for TimeZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Scalar for TimeZone {
    const EXPECTED: &'static str =
        "the name of a time zone in the IANA database, like Europe/Berlin or UTC";

    fn schema_ref() -> MetaSchemaRef {
        inline(MetaSchema {
            example: Some("Europe/Berlin".into()),
            ..MetaSchema::new_with_format("string", "time-zone")
        })
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let name = value.as_str().ok_or_else(|| mismatch::<Self>(value))?;
        let zone = name.parse().map(Self);
        zone.map_err(|_| format!("must be {}", Self::EXPECTED))
    }
}
openapi_scalar!(TimeZone, "string(time-zone)");
