//! The phrases for days, and the times that may follow them.

use chrono::{Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Weekday};
use serde_json::Value;

use crate::contract::{DueDate, Scalar};

/// A phrase for a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// This many days from today.
    Days(i64),
    Months(u32),
    /// The first such weekday after today.
    Coming(Weekday),
    /// That weekday of the next week.
    OfNextWeek(Weekday),
    EndOfWeek,
    EndOfMonth,
}

impl Word {
    pub(super) fn read(words: &str) -> Option<Self> {
        let words: Vec<&str> = words.split_ascii_whitespace().collect();
        Some(match words.as_slice() {
            ["today"] => Self::Days(0),
            ["tomorrow"] => Self::Days(1),
            ["yesterday"] => Self::Days(-1),
            ["end", "of", "week"] => Self::EndOfWeek,
            ["end", "of", "month"] => Self::EndOfMonth,
            ["next", day] => Self::OfNextWeek(weekday(day)?),
            [day] => Self::Coming(weekday(day)?),
            ["in", number, unit] => {
                let digits =
                    (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
                let number: u32 = number.parse().ok().filter(|n| digits && *n > 0)?;
                match *unit {
                    "day" | "days" => Self::Days(number.into()),
                    "week" | "weeks" => Self::Days(i64::from(number) * 7),
                    "month" | "months" => Self::Months(number),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// The day, counted from today; `None` if it is beyond chrono's calendar.
    pub(super) fn after(self, today: NaiveDate) -> Option<NaiveDate> {
        let in_days = |days| today.checked_add_signed(TimeDelta::days(days));
        let past_monday = i64::from(today.weekday().num_days_from_monday());
        match self {
            Self::Days(days) => in_days(days),
            // The 31st of a short month is its last day.
            Self::Months(months) => today.checked_add_months(Months::new(months)),
            Self::Coming(day) => {
                let ahead = i64::from(day.num_days_from_monday()) - past_monday;
                in_days(if ahead > 0 { ahead } else { ahead + 7 })
            }
            Self::OfNextWeek(day) => {
                in_days(7 - past_monday + i64::from(day.num_days_from_monday()))
            }
            Self::EndOfWeek => in_days(6 - past_monday),
            Self::EndOfMonth => today
                .with_day(1)?
                .checked_add_months(Months::new(1))?
                .pred_opt(),
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    // chrono reads abbreviations as well.
    let day = name.parse::<Weekday>().ok()?;
    name.ends_with("day").then_some(day)
}

/// Splits off the time at the end: `… 09:00`, `… at 09:00`, or after the `T` of an ISO date.
pub(super) fn split_clock(text: &str) -> (&str, Option<NaiveTime>) {
    let after_t = || (text.get(10..11) == Some("t")).then(|| (&text[..10], &text[11..]));
    let Some((day, clock)) = text.rsplit_once(' ').or_else(after_t) else {
        return (text, None);
    };
    match read_clock(clock) {
        Some(clock) => {
            let day = day.trim_end();
            (
                day.strip_suffix(" at").unwrap_or(day).trim_end(),
                Some(clock),
            )
        }
        None => (text, None),
    }
}

/// `09:00` or `09:00:00`, no other form.
fn read_clock(text: &str) -> Option<NaiveTime> {
    let format = match text.len() {
        5 => "%H:%M",
        8 => "%H:%M:%S",
        _ => return None,
    };
    let shape = text.bytes().enumerate().all(|(i, b)| {
        if i % 3 == 2 {
            b == b':'
        } else {
            b.is_ascii_digit()
        }
    });
    // Not a leap second, which the database does not keep.
    (shape && !text.ends_with(":60")).then(|| NaiveTime::parse_from_str(text, format).ok())?
}

/// A date as it is written.
pub(super) fn read_date(text: &str) -> Option<NaiveDate> {
    match DueDate::from_json(&Value::from(text)) {
        Ok(DueDate::Date(date)) => Some(date),
        _ => None,
    }
}
