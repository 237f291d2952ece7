//! Dates as people say them, in the user's time zone.
//!
//! A model is bad at counting days, and does not know what day it is. So it may pass on a few fixed phrases
//! ([`VOCABULARY`]) as the user said them, and the answer shows the date that each stands for. Nothing is guessed: a
//! phrase without a time zone is refused, and so is a time that a change of clocks skips or repeats.

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

/// All phrases that are understood, for the error about any other text.
const VOCABULARY: &str = "today, tomorrow, yesterday; monday to sunday (the first after today); next monday \
    to next sunday (in the week after this one; weeks begin on monday); in N days, in N weeks, in N months; \
    end of week (sunday), end of month; each may be followed by a time, as in \"tomorrow 09:00\"";

/// The same for models, in the schema of each argument that is a date.
const DESCRIPTION: &str = "2026-02-06 (all day), 2026-02-06T09:00:00+01:00, 2026-02-06 09:00, or: today, \
    tomorrow, yesterday, friday (first after today), next friday (of next week), in 3 days/weeks/months, end of \
    week, end of month; \"tomorrow 09:00\" for a time";

/// The longest text that can be a date.
const MAX_LENGTH: usize = 40;

/// A date as the client sent it. What it means depends on the time zone, which is another argument.
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

/// Resolves the dates of one call: the time of the call, the user's time zone, and the phrases resolved so far.
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

    /// The phrases and the dates that they stand for, for the answer; `None` if none were used.
    pub(super) fn into_resolved(self) -> Option<BTreeMap<String, String>> {
        (!self.resolved.is_empty()).then_some(self.resolved)
    }

    /// The date or time that is meant.
    ///
    /// # Errors
    /// A text that completes the sentence "this argument …".
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

    /// A date or time as answers show it: a time is in local time, if the time zone is known.
    pub(super) fn show(&self, due: DueDate) -> String {
        match due {
            DueDate::Date(date) => date.format("%Y-%m-%d").to_string(),
            DueDate::Time(time) => self.local_text(time, SecondsFormat::AutoSi),
        }
    }

    /// When something happened, to the second.
    pub(super) fn show_moment(&self, time: Timestamp) -> String {
        self.local_text(time, SecondsFormat::Secs)
    }

    fn local_text(&self, time: Timestamp, precision: SecondsFormat) -> String {
        let local = self.zone.map(|zone| time.get().with_timezone(&zone.get()));
        // What is shown must be readable as an argument. RFC 3339 has no offsets with seconds, which some zones had
        // long ago, and no years beyond these.
        let local = local.filter(|local| {
            let offset = local.offset().fix().local_minus_utc();
            offset % 60 == 0 && (1..=9999).contains(&local.year())
        });
        match local {
            Some(local) => local.to_rfc3339_opts(precision, true),
            None => time.get().to_rfc3339_opts(precision, true),
        }
    }

    /// Today in the time zone.
    ///
    /// # Errors
    /// If the time zone is not known.
    pub(super) fn today(&self) -> Result<NaiveDate, String> {
        Ok(self.zone("to know what day it is")?.day_of(self.now))
    }

    /// The bound before which a task is overdue: today for a date, this instant for a time.
    pub(super) fn present(&self) -> Result<DueBound, String> {
        Ok(DueBound::Present {
            today: self.today()?,
            now: Timestamp::new(self.now),
        })
    }

    /// The beginning of the day that is `after` days after `day`.
    pub(super) fn day_begins(&self, day: NaiveDate, after: u64) -> Result<DueBound, String> {
        let zone = self.zone("to know when a day begins")?;
        let day = day.checked_add_days(Days::new(after)).ok_or(OUT_OF_RANGE)?;
        Ok(DueBound::Local {
            day,
            at: Timestamp::new(zone.first_instant(day)),
        })
    }

    /// The inclusive beginning of a period that begins with this day or instant.
    pub(super) fn from(&mut self, said: &DateText) -> Result<DueBound, String> {
        match self.resolve(said)? {
            DueDate::Date(day) => self.day_begins(day, 0),
            DueDate::Time(at) => Ok(DueBound::Local {
                day: self.day_of(at)?,
                at,
            }),
        }
    }

    /// The exclusive end of a period whose last day or instant this is.
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
                "needs `time_zone` {why}: the user's IANA time zone, such as Europe/Berlin; ask the user if you do \
                 not know it"
            )
        })
    }

    /// The day that a phrase stands for.
    fn day(&self, words: &str, said: &str) -> Result<NaiveDate, String> {
        let unknown = || {
            format!(
                "must be a date like 2026-02-06, or one of these phrases, not {}: {VOCABULARY}",
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

    /// The instant of a local time in the time zone.
    fn local(&self, time: NaiveDateTime) -> Result<Timestamp, String> {
        let zone = self.zone("to know when that is")?.get();
        let shown = time.format("%Y-%m-%d %H:%M");
        match zone.from_local_datetime(&time) {
            LocalResult::Single(time) if (1..=9999).contains(&time.to_utc().year()) => {
                Ok(Timestamp::new(time.to_utc()))
            }
            LocalResult::Single(_) => Err(OUT_OF_RANGE.to_owned()),
            LocalResult::None => Err(format!(
                "is {shown} in {zone}, a time that the clocks skip that day; choose another time"
            )),
            LocalResult::Ambiguous(first, second) => Err(format!(
                "is {shown} in {zone}, a time that comes twice that day; write {} or {}",
                first.to_rfc3339(),
                second.to_rfc3339(),
            )),
        }
    }
}

const OUT_OF_RANGE: &str = "must be in the years 0001 to 9999";
