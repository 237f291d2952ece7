//! What the owner paths have of their own: the completion, the parameters, and the task with two names for
//! whether it is done.
//!
//! They read as leniently as the front ends that call them need it: unknown members are ignored, null and an
//! empty text are as good as absent. What is written is as strict as everywhere.

mod parameters;
mod task;

use poem_openapi::{Object, types::Example};

pub use parameters::{Direction, Offset, OwnerFlag, OwnerSort, PageNumber, PageSize, Status};
pub use task::OwnerTask;

use super::{
    Change, Flag, Lenient, Members, OwnerNewTask, OwnerTaskChanges, RequestBody, read::take_members,
};

/// Whether a task is done, as existing front ends send it. Without it the task changes sides.
#[derive(Debug, Clone, Copy, Object)]
#[oai(example)]
pub struct OwnerCompletion {
    /// Done or not.
    pub completed: Change<Lenient<Flag>>,
    /// The same as `completed`. If both are there and differ, the task changes sides.
    pub is_completed: Change<Lenient<Flag>>,
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
        let (one, other) = (done(&self.completed), done(&self.is_completed));
        one.or(other)
            .filter(|_| one.is_none() || other.is_none() || one == other)
    }
}

impl OwnerNewTask {
    /// Whether its two members for the completion say different things.
    pub fn contradicts_itself(&self) -> bool {
        differ(&self.completed, &self.is_completed)
    }
}

impl OwnerTaskChanges {
    /// Whether its two members for the completion say different things, of which one is that of the task.
    pub fn contradicts_itself(&self) -> bool {
        differ(&self.completed, &self.is_completed)
    }
}

fn done(flag: &Change<Lenient<Flag>>) -> Option<bool> {
    match flag {
        Change::Set(Lenient(Some(Flag(done)))) => Some(*done),
        _ => None,
    }
}

fn differ(one: &Change<Lenient<Flag>>, other: &Change<Lenient<Flag>>) -> bool {
    done(one)
        .zip(done(other))
        .is_some_and(|(one, other)| one != other)
}

impl Example for OwnerCompletion {
    fn example() -> Self {
        Self {
            completed: Change::Set(Lenient(Some(Flag(true)))),
            is_completed: Change::Keep,
        }
    }
}
