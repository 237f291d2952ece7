//! The bodies and parameters of the owner paths, read as leniently as the front ends that call them
//! need it: unknown members are ignored, null and an empty text are as good as absent.
//!
//! What is written is as strict as everywhere: these turn into the types of the contract.

mod parameters;
mod task;
mod values;

use poem_openapi::Object;

pub use parameters::{Direction, Offset, OwnerSort, PageNumber, PageSize, Status};
pub use task::OwnerTask;
pub use values::{AnyCasePriority, LooseDueDate, LooseTags};

use super::read::take_members;
use super::{Change, Description, Flag, Maybe, Members, NewTask, RequestBody, TaskPatch, Title};

/// A task to be created, as existing front ends send it.
#[derive(Debug, Clone, Object)]
#[oai(example)]
pub struct OwnerNewTask {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Change<Description>,
    /// Whether it is done already.
    pub completed: Change<Flag>,
    /// The same as `completed`, which counts if both are there.
    pub is_completed: Change<Flag>,
    /// How urgent it is, in any case of letters; `medium` when absent.
    pub priority: Change<AnyCasePriority>,
    /// When it is due. A time without an offset counts as UTC, an empty text as none.
    pub due_date: Change<LooseDueDate>,
    /// Labels: an array, or one text with commas.
    pub tags: Change<LooseTags>,
}

/// Changes to a task, as existing front ends send them: what is absent stays.
#[derive(Debug, Clone, Object)]
#[oai(example)]
pub struct OwnerTaskChanges {
    /// A new title.
    pub title: Change<Title>,
    /// A new description, or null for none.
    pub description: Change<Description>,
    /// Done or not.
    pub completed: Change<Flag>,
    /// The same as `completed`, which counts if both are there.
    pub is_completed: Change<Flag>,
    /// A new priority, in any case of letters.
    pub priority: Change<AnyCasePriority>,
    /// A new due date; null or an empty text for none.
    pub due_date: Change<LooseDueDate>,
    /// New labels, instead of all that were there.
    pub tags: Change<LooseTags>,
}

/// Whether a task is done, as existing front ends send it. Without it the task changes sides.
#[derive(Debug, Clone, Copy, Object)]
#[oai(example)]
pub struct OwnerCompletion {
    /// Done or not.
    pub completed: Change<Flag>,
    /// The same as `completed`, which counts if both are there.
    pub is_completed: Change<Flag>,
}

impl RequestBody for OwnerNewTask {
    const NAME: &'static str = "a new task";
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];
    const IGNORES_UNKNOWN: bool = true;

    fn read(members: &mut Members) -> Option<Self> {
        take_members!(members: title, description, completed, is_completed, priority, due_date, tags)
    }
}

impl RequestBody for OwnerTaskChanges {
    const NAME: &'static str = "a task";
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];
    const IGNORES_UNKNOWN: bool = true;

    fn read(members: &mut Members) -> Option<Self> {
        take_members!(members: title, description, completed, is_completed, priority, due_date, tags)
    }
}

impl RequestBody for OwnerCompletion {
    const NAME: &'static str = "a completion";
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];
    const IGNORES_UNKNOWN: bool = true;
    /// No body at all changes sides.
    const EMPTY: Option<Self> = Some(Self {
        completed: Change::Keep,
        is_completed: Change::Keep,
    });

    fn read(members: &mut Members) -> Option<Self> {
        take_members!(members: completed, is_completed)
    }
}

impl OwnerCompletion {
    /// Which side it asks for, if it does.
    pub fn side(self) -> Option<bool> {
        let flag = self.completed.value().or(self.is_completed.value());
        flag.map(|Flag(completed)| completed)
    }
}

impl From<OwnerNewTask> for NewTask {
    fn from(new: OwnerNewTask) -> Self {
        let OwnerNewTask {
            title,
            description,
            completed,
            is_completed,
            priority,
            due_date,
            tags,
        } = new;
        Self {
            title,
            description,
            completed: Maybe(completed.value().or(is_completed.value())),
            priority: Maybe(priority.value().map(|priority| priority.0)),
            due_date: due_date.flat_map(|due| due.0),
            tags: Maybe(tags.value().map(|tags| tags.0)),
        }
    }
}

impl From<OwnerTaskChanges> for TaskPatch {
    fn from(changes: OwnerTaskChanges) -> Self {
        let OwnerTaskChanges {
            title,
            description,
            completed,
            is_completed,
            priority,
            due_date,
            tags,
        } = changes;
        Self {
            title: Maybe(title.value()),
            description,
            completed: Maybe(completed.value().or(is_completed.value())),
            priority: Maybe(priority.value().map(|priority| priority.0)),
            due_date: due_date.flat_map(|due| due.0),
            tags: Maybe(match tags {
                Change::Keep => None,
                Change::Clear => Some(super::Tags::default()),
                Change::Set(tags) => Some(tags.0),
            }),
        }
    }
}

impl poem_openapi::types::Example for OwnerNewTask {
    fn example() -> Self {
        let NewTask {
            title, description, ..
        } = NewTask::example();
        Self {
            title,
            description,
            completed: Change::Keep,
            is_completed: Change::Keep,
            priority: Change::Keep,
            due_date: Change::Keep,
            tags: Change::Keep,
        }
    }
}

impl poem_openapi::types::Example for OwnerTaskChanges {
    fn example() -> Self {
        Self {
            title: Change::Set(NewTask::example().title),
            description: Change::Keep,
            completed: Change::Set(Flag(true)),
            is_completed: Change::Keep,
            priority: Change::Keep,
            due_date: Change::Keep,
            tags: Change::Keep,
        }
    }
}

impl poem_openapi::types::Example for OwnerCompletion {
    fn example() -> Self {
        Self {
            completed: Change::Set(Flag(true)),
            is_completed: Change::Keep,
        }
    }
}
