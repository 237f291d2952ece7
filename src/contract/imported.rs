//! A task of another backend, as a line of a file: what `taskward import` reads.

use serde_json::Value;

use super::{
    Change, Description, DueDate, Fault, Flag, Members, Priority, Scalar as _, Tags, Timestamp,
    Title,
    owner::{AnyCasePriority, LooseDueDate, LooseTags},
    pointer::Pointer,
    read::Member,
    scalar::kind,
};

/// The longest user id, in code points: as of a token's `sub`.
const MAX_USER_ID: usize = 255;

/// A task that was kept elsewhere, with the times that it had there.
#[derive(Debug, Clone)]
pub struct ImportedTask {
    /// Whose it is: what the `sub` of that user's tokens says.
    pub user_id: String,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Option<Description>,
    /// When it was completed; `None` while it is not.
    pub completed_at: Option<Timestamp>,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is due.
    pub due_date: Option<DueDate>,
    /// Labels.
    pub tags: Tags,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed; never before it was made.
    pub updated_at: Timestamp,
}

impl ImportedTask {
    /// Reads one JSON object. Times without an offset are in UTC; `id` is passed over, as the task gets
    /// another one; members that a task does not have are faults, since what they hold would be lost.
    ///
    /// # Errors
    /// All faults, each with a sentence that names its place.
    pub fn read(line: &[u8], now: Timestamp) -> Result<Self, Vec<String>> {
        let mut members = Members::parse(line).map_err(|fault| vec![fault])?;
        let task = Self::take(&mut members, now);
        let unknown = |_: &str| Some("is not a member of a task".to_owned());
        members.finish(task, unknown).map_err(|faults| {
            let sentence = |Fault {
                                pointer, detail, ..
                            }| match pointer.0 {
                Some(pointer) if !pointer.is_empty() => format!("{pointer} {detail}"),
                _ => detail,
            };
            faults.into_iter().map(sentence).collect()
        })
    }

    fn take(members: &mut Members, now: Timestamp) -> Option<Self> {
        let _: Option<Change<Anything>> = members.take("id");
        let user_id: Option<Owner> = members.take("user_id");
        let title = members.take("title");
        let description: Option<Change<Description>> = members.take("description");
        let completed: Option<Change<Flag>> = members.take("completed");
        let completed_at: Option<Change<PastTime>> = members.take("completed_at");
        let priority: Option<Change<AnyCasePriority>> = members.take("priority");
        let due_date: Option<Change<LooseDueDate>> = members.take("due_date");
        let tags: Option<Change<LooseTags>> = members.take("tags");
        let created_at: Option<Change<PastTime>> = members.take("created_at");
        let updated_at: Option<Change<PastTime>> = members.take("updated_at");

        let time = |time: Change<PastTime>| time.value().map(|PastTime(time)| time);
        let (completed, completed_at) = (completed?.value(), time(completed_at?));
        if let (Some(Flag(false)), Some(_)) = (completed, completed_at) {
            let fault = "must be absent or null where `completed` is false";
            members.fault("completed_at", fault);
        }
        let (created_at, updated_at) = (time(created_at?), time(updated_at?));
        for (name, time) in [
            ("completed_at", completed_at),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ] {
            if time.is_some_and(|time| time > now) {
                let fault = "is in the future (a time without an offset counts as UTC)";
                members.fault(name, fault);
            }
        }
        let created_at = created_at.or(updated_at).unwrap_or(now);
        // Completing is a change as well.
        let updated_at = updated_at.unwrap_or(created_at).max(created_at);
        let updated_at = completed_at.map_or(updated_at, |at| updated_at.max(at));
        Some(Self {
            user_id: user_id?.0,
            title: title?,
            description: description?.value(),
            completed_at: match completed {
                // Since when is not known, but not for longer than this.
                Some(Flag(true)) => Some(completed_at.unwrap_or(updated_at)),
                Some(Flag(false)) => None,
                None => completed_at,
            },
            priority: priority?
                .value()
                .map_or(Priority::Medium, |priority| priority.0),
            due_date: due_date?.value().and_then(|due| due.0),
            tags: tags?.value().map(|tags| tags.0).unwrap_or_default(),
            created_at,
            updated_at,
        })
    }
}

/// A value that does not matter.
struct Anything;

impl Member for Anything {
    fn read(_: &Value, _: &Pointer, _: &mut Vec<Fault>) -> Option<Self> {
        Some(Self)
    }
}

/// A user id: a text that a token's `sub` can be, or a number that is written as one there.
struct Owner(String);

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
        let fits = !text.trim().is_empty()
            && text.chars().count() <= MAX_USER_ID
            && !text.chars().any(char::is_control);
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

/// A time; without an offset it is in UTC, as Python's `datetime.utcnow()` and PostgreSQL's `timestamp`
/// write it.
#[derive(Clone, Copy)]
struct PastTime(Timestamp);

impl Member for PastTime {
    fn read(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) -> Option<Self> {
        let in_utc = value.as_str().map(|text| Value::from(format!("{text}Z")));
        Timestamp::from_json(value)
            .or_else(|fault| {
                Timestamp::from_json(&in_utc.ok_or_else(|| fault.clone())?).map_err(|_| fault)
            })
            .map_err(|fault| faults.push(at.fault(fault)))
            .ok()
            .map(Self)
    }
}
