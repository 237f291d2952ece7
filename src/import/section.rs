//! The lines of an export that are no task: its first and its last, by which a cut export is noticed.

use super::{
    line::{Line, sentences},
    values::{Mark, Owner},
};
use crate::{
    contract::{Change, EXPORT_FORMAT, ExportMark, Members, Revision, Total},
    import::values::Anything,
    store::Origin,
};

/// The largest revision and id that are taken over. The clock of the user counts on from there, with a gap, and must never come
/// to the largest number that JSON has (2^53 - 1).
const MOST: i64 = 1 << 52;

/// The first line of an export, or its last.
#[derive(Debug)]
pub(super) enum Bound {
    Begin {
        user_id: String,
        origin: Origin,
    },
    End {
        /// How many tasks it says that there are, and how many deleted ones.
        said: Counts,
    },
}

/// Tasks, and deleted ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    tasks: i64,
    deleted: i64,
}

/// An export that has begun and not ended.
#[derive(Debug)]
pub(super) struct Section {
    /// Where it began.
    pub(super) line: usize,
    pub(super) user_id: String,
    last_id: i64,
    found: Counts,
}

impl Bound {
    /// Reads a line that has a member `export`.
    ///
    /// # Errors
    /// All faults, each as a sentence that begins with its place.
    pub(super) fn read(mut members: Members) -> Result<Self, Vec<String>> {
        let bound = Self::take(&mut members);
        let unknown = |_: &str| Some("is not a member of such a line".to_owned());
        members.finish(bound, unknown).map_err(sentences)
    }

    fn take(members: &mut Members) -> Option<Self> {
        let Mark(mark) = members.take("export")?;
        if mark == ExportMark::End {
            let _: Option<Revision> = members.take("revision");
            let (tasks, deleted): (Option<Total>, _) =
                (members.take("tasks"), members.take("deleted_tasks"));
            let deleted: Option<Total> = deleted;
            let said = Counts {
                tasks: tasks?.get(),
                deleted: deleted?.get(),
            };
            return Some(Self::End { said });
        }
        let format: Option<Total> = members.take("format");
        let user_id: Option<Owner> = members.take("user_id");
        let revision: Option<Revision> = members.take("revision");
        let last_id: Option<Total> = members.take("last_id");
        let _: Option<Change<Anything>> = members.take("exported_at");
        if format?.get() != EXPORT_FORMAT {
            let fault = "is of a later version of Taskward; import it with that one";
            members.fault("format", fault);
        }
        let (revision, last_id) = (revision?.get(), last_id?.get());
        for (name, number) in [("revision", revision), ("last_id", last_id)] {
            if number > MOST {
                members.fault(name, &format!("must not be above {MOST}"));
            }
        }
        Some(Self::Begin {
            user_id: user_id?.0,
            origin: Origin { revision, last_id },
        })
    }
}

impl Section {
    pub(super) fn new(line: usize, user_id: String, last_id: i64) -> Self {
        Self {
            line,
            user_id,
            last_id,
            found: Counts::default(),
        }
    }

    /// Counts a task, or says why it is not one of this export.
    pub(super) fn count(&mut self, Line { user_id, task }: &Line) -> Result<(), String> {
        if *user_id != self.user_id {
            return Err(format!(
                "is a task of another user than the export that line {} begins",
                self.line
            ));
        }
        let (Some(id), Some(_)) = (task.id, task.version) else {
            return Err("/id and /version must be those of the export".to_owned());
        };
        if id > self.last_id {
            return Err(format!(
                "/id must not be above /last_id of line {}, which is {}",
                self.line, self.last_id
            ));
        }
        match task.deleted_at {
            None => self.found.tasks += 1,
            Some(_) => self.found.deleted += 1,
        }
        Ok(())
    }

    /// Checks that all lines are there that the last one counts.
    pub(super) fn end(&self, said: Counts) -> Result<(), String> {
        if said == self.found {
            return Ok(());
        }
        Err(format!(
            "counts {said}, but since line {} there are {}: lines are missing or were added. Export again; to import a part on \
             purpose, remove this line and line {0}",
            self.line, self.found
        ))
    }

    /// What is wrong with one that does not end.
    pub(super) fn unended(&self) -> String {
        format!(
            "begins the export of {}, and its last line is missing: it was cut. Export again",
            self.user_id
        )
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tasks, deleted } = self;
        write!(f, "{tasks} tasks and {deleted} deleted ones")
    }
}
