//! Dates as people say them, in the time zone where they say them.
//!
//! A model does not know what day it is and counts days badly, so it may pass on some words as the user said them.
//! The words are fixed ([`VOCABULARY`]), and the result says which date each one stands for. Nothing is guessed: a word
//! without a time zone is refused, and so is a local time that does not exist or exists twice on that day.

#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, Offset as _, SecondsFormat,
    TimeDelta, TimeZone as _, Utc,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::words::{Word, read_date, split_clock};
use super::{arguments::Argument, schema::object};
use crate::{
    contract::{DueDate, Fault, Member, Pointer, Scalar, TimeSpelling, TimeZone, Timestamp},
    store::DueBound,
};

/// All words, for the error message.
const VOCABULARY: &str = "today, tomorrow, yesterday; monday to sunday (the first after today); next monday \
    to next sunday (in the week after this one; weeks begin on monday); in N days, in N weeks, in N months; \
    end of week (sunday), end of month; each may be followed by a time, as in \"tomorrow 09:00\"";

/// The same for models, in the schema of each such argument.
const DESCRIPTION: &str = "2026-02-06 (all day), 2026-02-06T09:00:00+01:00, 2026-02-06 09:00, or: today, \
    tomorrow, yesterday, friday (first after today), next friday (of next week), in 3 days/weeks/months, end of \
    week, end of month; \"tomorrow 09:00\" for a time";

/// The longest text that can be a date.
const MAX_LENGTH: usize = 40;

/// A date in words or digits. Its meaning depends on the time zone, which is another argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DateText(String);

impl Member for DateText {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        match value.as_str().map(str::trim) {
            Some(text) if text.len() <= MAX_LENGTH => Some(Self(text.to_owned())),
            _ => {
                faults.push(at.fault(format!("must be a date like 2026-02-06, or: {VOCABULARY}")));
                None
            }
        }
    }
}

impl Argument for DateText {
    fn schema() -> Map<String, Value> {
        object(json!({ "type": "string", "description": DESCRIPTION }))
    }
}

/// The dates of one call: its time and time zone, and what its date words stand for.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    now: DateTime<Utc>,
    zone: Option<TimeZone>,
    resolved: BTreeMap<String, String>,
}

impl Dates {
    pub(super) fn new(now: DateTime<Utc>, zone: Option<TimeZone>) -> Self {
        Self {
            now,
            zone,
            resolved: BTreeMap::new(),
        }
    }

    /// What the words stand for, for the result; `None` if none were used.
    pub(super) fn into_resolved(self) -> Option<BTreeMap<String, String>> {
        (!self.resolved.is_empty()).then_some(self.resolved)
    }

    /// The date or time that is meant.
    ///
    /// # Errors
    /// What completes the sentence "this argument …".
    pub(super) fn resolve(&mut self, said: &DateText) -> Result<DueDate, String> {
        if let Some(spelling) = TimeSpelling::read(&said.0) {
            // A time with an offset, however it is spelt, needs no time zone.
            let read = DueDate::from_json(&spelling.rfc3339_or_utc().into())?;
            if spelling.rfc3339().is_some() {
                return Ok(read);
            }
            let due = DueDate::Time(self.local(read.instant().naive_utc())?);
            let shown = self.show(due);
            self.resolved.insert(said.0.clone(), shown);
            return Ok(due);
        }
        let exact = DueDate::from_json(&Value::from(said.0.as_str()));
        let Err(fault) = exact else {
            return exact;
        };
        let text = said.0.to_ascii_lowercase();
        let (day, clock) = split_clock(&text);
        let due = match (read_date(day), clock) {
            (Some(day), Some(clock)) => DueDate::Time(self.local(day.and_time(clock))?),
            // A date that does not exist, or a time with a fault.
            _ if day.starts_with(|c: char| c.is_ascii_digit()) => return Err(fault),
            (_, clock) => {
                let day = self.day(day, &said.0)?;
                match clock {
                    Some(clock) => DueDate::Time(self.local(day.and_time(clock))?),
                    None => DueDate::Date(day),
                }
            }
        };
        let shown = self.show(due);
        self.resolved.insert(said.0.clone(), shown);
        Ok(due)
    }

    /// A date or time as it is shown: a time at the clock of the time zone, if that is known.
    pub(super) fn show(&self, due: DueDate) -> String {
        match due {
            DueDate::Date(date) => date.format("%Y-%m-%d").to_string(),
            DueDate::Time(time) => self.at_the_clock(time, SecondsFormat::AutoSi),
        }
    }

    /// When something happened, to the second.
    pub(super) fn show_moment(&self, time: Timestamp) -> String {
        self.at_the_clock(time, SecondsFormat::Secs)
    }

    fn at_the_clock(&self, time: Timestamp, precision: SecondsFormat) -> String {
        let local = self.zone.map(|zone| time.get().with_timezone(&zone.get()));
        // What is shown can be said again: RFC 3339 has no offsets with seconds, as some zones had long ago, and
        // no years beyond these.
        let local = local.filter(|local| {
            let offset = local.offset().fix().local_minus_utc();
            offset % 60 == 0 && (1..=9999).contains(&local.year())
        });
        match local {
            Some(local) => local.to_rfc3339_opts(precision, true),
            None => time.get().to_rfc3339_opts(precision, true),
        }
    }

    /// The day that it is in the time zone.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn today(&self) -> Result<NaiveDate, String> {
        Ok(self.zone("to know what day it is")?.day_of(self.now))
    }

    /// Now, as a bound: what is due before it is overdue.
    pub(super) fn present(&self) -> Result<DueBound, String> {
        Ok(DueBound::Present {
            today: self.today()?,
            now: Timestamp::new(self.now),
        })
    }

    /// The beginning of a day, so many days after the one given.
    pub(super) fn day_begins(&self, day: NaiveDate, after: u64) -> Result<DueBound, String> {
        let zone = self.zone("to know when a day begins")?;
        let day = day.checked_add_days(Days::new(after)).ok_or(OUT_OF_RANGE)?;
        Ok(DueBound::Local {
            day,
            at: Timestamp::new(zone.first_instant(day)),
        })
    }

    /// The bound at the beginning of a date or time.
    pub(super) fn from(&mut self, said: &DateText) -> Result<DueBound, String> {
        match self.resolve(said)? {
            DueDate::Date(day) => self.day_begins(day, 0),
            DueDate::Time(at) => Ok(DueBound::Local {
                day: self.day_of(at)?,
                at,
            }),
        }
    }

    /// The bound after a date or time, which is still included.
    pub(super) fn to(&mut self, said: &DateText) -> Result<DueBound, String> {
        match self.resolve(said)? {
            DueDate::Date(day) => self.day_begins(day, 1),
            DueDate::Time(at) => Ok(DueBound::Local {
                day: self.day_of(at)?.succ_opt().ok_or(OUT_OF_RANGE)?,
                at: Timestamp::new(at.get() + TimeDelta::microseconds(1)),
            }),
        }
    }

    fn day_of(&self, time: Timestamp) -> Result<NaiveDate, String> {
        let zone = self.zone("to know what day that is")?;
        Ok(zone.day_of(time.get()))
    }

    fn zone(&self, why: &str) -> Result<TimeZone, String> {
        self.zone.ok_or_else(|| {
            format!(
                "needs `time_zone` {why}: the IANA name of the user's, like Europe/Berlin; \
                 ask for it if you do not know it"
            )
        })
    }

    /// The day that words stand for.
    fn day(&self, words: &str, said: &str) -> Result<NaiveDate, String> {
        let unknown = || {
            format!(
                "must be a date like 2026-02-06, or one of these words, not {}: {VOCABULARY}",
                Value::from(said)
            )
        };
        let word = Word::read(words).ok_or_else(unknown)?;
        let zone = self.zone(&format!("to know when {} is", Value::from(said)))?;
        let today = zone.day_of(self.now);
        word.after(today)
            .filter(|day| (1..=9999).contains(&day.year()))
            .ok_or_else(|| OUT_OF_RANGE.to_owned())
    }

    /// The instant of a time on the clocks of the time zone.
    fn local(&self, time: NaiveDateTime) -> Result<Timestamp, String> {
        let zone = self.zone("to know when that is")?.get();
        let shown = time.format("%Y-%m-%d %H:%M");
        match zone.from_local_datetime(&time) {
            LocalResult::Single(time) if (1..=9999).contains(&time.to_utc().year()) => {
                Ok(Timestamp::new(time.to_utc()))
            }
            LocalResult::Single(_) => Err(OUT_OF_RANGE.to_owned()),
            LocalResult::None => Err(format!(
                "is {shown} in {zone}, which the clocks leave out that day; choose another time"
            )),
            LocalResult::Ambiguous(first, second) => Err(format!(
                "is {shown} in {zone}, which the clocks show twice that day; say {} or {}",
                first.to_rfc3339(),
                second.to_rfc3339(),
            )),
        }
    }
}

const OUT_OF_RANGE: &str = "must be in the years 0001 to 9999";
