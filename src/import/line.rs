//! A line of the file that `taskward import` reads: a task of another backend as a JSON object.

use super::values::{AnyId, Owner, PastTime};
use crate::{
    contract::{
        Change, Fault, Flag, Lenient, Members, NewTask, OwnerNewTask, RequestBody as _, Timestamp,
        Uid, Version,
    },
    store::ImportedTask,
};

/// A task and its user.
#[derive(Debug)]
pub(super) struct Line {
    /// The `sub` of the user's tokens.
    pub(super) user_id: String,
    pub(super) task: ImportedTask,
}

impl Line {
    /// Reads a task. Times without an offset are in UTC. `id` counts in an export of Taskward only: other tasks get a new
    /// one. Other members that a task does not have are faults: what they hold would be lost.
    ///
    /// # Errors
    /// All faults, each as a sentence that begins with its place.
    pub(super) fn read(mut members: Members, now: Timestamp) -> Result<Self, Vec<String>> {
        let task = Self::take(&mut members, now);
        let unknown = |_: &str| Some("is not a member of a task".to_owned());
        members.finish(task, unknown).map_err(sentences)
    }

    fn take(members: &mut Members, now: Timestamp) -> Option<Self> {
        let id: Option<AnyId> = members.take("id");
        let version: Option<Change<Version>> = members.take("version");
        let deleted_at: Option<Change<PastTime>> = members.take("deleted_at");
        let uid: Option<Change<Uid>> = members.take("uid");
        let user_id: Option<Owner> = members.take("user_id");
        let completed: Option<Change<Lenient<Flag>>> = members.take("completed");
        let is_completed: Option<Change<Lenient<Flag>>> = members.take("is_completed");
        let completed_at: Option<Change<PastTime>> = members.take("completed_at");
        let created_at: Option<Change<PastTime>> = members.take("created_at");
        let updated_at: Option<Change<PastTime>> = members.take("updated_at");
        // The other members are read as on the owner paths, where the same backends' front ends write them.
        let task = OwnerNewTask::read(members);

        let time = |time: Change<PastTime>| time.value().map(|PastTime(time)| time);
        let done = |flag: Change<Lenient<Flag>>| flag.value().and_then(|flag| flag.0);
        let (completed, is_completed) = (done(completed?), done(is_completed?));
        if completed.is_some() && is_completed.is_some() && completed != is_completed {
            members.fault("is_completed", "must not contradict `completed`");
        }
        let (completed, completed_at) = (completed.or(is_completed), time(completed_at?));
        if let (Some(Flag(false)), Some(_)) = (completed, completed_at) {
            let fault = "must be absent or null where `completed` is false";
            members.fault("completed_at", fault);
        }
        let (created_at, updated_at) = (time(created_at?), time(updated_at?));
        let deleted_at = time(deleted_at?);
        for (name, time) in [
            ("deleted_at", deleted_at),
            ("completed_at", completed_at),
            ("created_at", created_at),
            ("updated_at", updated_at),
        ] {
            if time.is_some_and(|time| time > now) {
                let fault = "is in the future (a time without an offset counts as UTC)";
                members.fault(name, fault);
            }
        }
        if updated_at.is_some() && updated_at < created_at {
            members.fault("updated_at", "must not be before `created_at`");
        }
        let created_at = created_at.or(updated_at).unwrap_or(now);
        // Completing and deleting are changes as well.
        let updated_at = updated_at.unwrap_or(created_at).max(created_at);
        let others = completed_at.into_iter().chain(deleted_at);
        let updated_at = others.fold(updated_at, Ord::max);
        let task = ImportedTask {
            task: NewTask {
                uid: uid?,
                ..task?.into()
            },
            completed_at: match completed {
                // Since when is not known, but not for longer than this.
                Some(Flag(true)) => Some(completed_at.unwrap_or(updated_at)),
                Some(Flag(false)) => None,
                None => completed_at,
            },
            created_at,
            updated_at,
            deleted_at,
            id: id?.0,
            version: version?.value().map(Version::get),
        };
        Some(Self {
            user_id: user_id?.0,
            task,
        })
    }
}

/// Faults as sentences that begin with their places.
pub(super) fn sentences(faults: Vec<Fault>) -> Vec<String> {
    let sentence = |Fault {
                        pointer, detail, ..
                    }| match pointer.0 {
        Some(pointer) if !pointer.is_empty() => format!("{pointer} {detail}"),
        _ => detail,
    };
    faults.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    #[test]
    fn fuzz_lines() {
        let good = [
            r#"{"id":7,"user_id":"alice","title":"Buy milk","completed":1,"created_at":"2026-02-01 08:30:00.123456","tags":"a,b"}"#,
            r#"{"user_id":"b","title":"x","completed_at":"2026-02-01T08:30:00Z","is_completed":true,"priority":"Low","uid":null}"#,
        ];
        let now = Timestamp::new(Utc::now());
        let read = |line: &[u8]| match Members::parse(line) {
            Ok(members) => Line::read(members, now),
            Err(fault) => Err(vec![fault.in_one_line()]),
        };
        crate::fuzz::fuzz("import-line", &good, |line| match read(line) {
            Ok(Line { user_id, .. }) => {
                let text = std::str::from_utf8(line).unwrap();
                let json: serde_json::Value =
                    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
                assert_eq!(json["user_id"], user_id.as_str());
            }
            Err(faults) => {
                assert!(!faults.is_empty());
                faults
                    .iter()
                    .for_each(|fault| assert!(!fault.trim().is_empty()));
            }
        });
    }
}
