//! The columns that hold what a client writes of a task, those that are derived from it included.
//!
//! Creating, changing and importing all take their values from here, so that no column can be left out or be
//! computed in two ways. The columns called `…_fold` hold search keys of titles and descriptions, and case-folded
//! tags.

use sea_orm::prelude::DateTimeUtc;

use crate::store::{
    commit::{Assignment, Set},
    entity::task::Column as Task,
    row::{StoredTags, rank},
};
use crate::{
    contract::{Description, DueDate, Flag, Maybe, NewTask, Tags, TaskPatch, Title},
    unicode::{fold, search_key},
};

/// The columns of a task that is created now.
pub(super) fn of_new_task_now(new: NewTask) -> Vec<Assignment> {
    let completed_at = match new.completed {
        Maybe(Some(Flag(true))) => Set::Moment,
        _ => Set::to(None::<DateTimeUtc>),
    };
    of_new_task(new, completed_at)
}

/// The columns of a new task, with its defaults. `completed_at` is null for a task that is not done.
pub(super) fn of_new_task(new: NewTask, completed_at: Set) -> Vec<Assignment> {
    let NewTask {
        // It marks the creation, as an Idempotency-Key does (`Once`).
        uid: _,
        title: new_title,
        description: new_description,
        completed: _,
        priority,
        due_date: new_due_date,
        tags: new_tags,
    } = new;
    let mut values = vec![
        (Task::CompletedAt, completed_at),
        (
            Task::Priority,
            Set::to(rank(priority.0.unwrap_or_default())),
        ),
    ];
    values.extend(title(new_title));
    values.extend(description(new_description.value()));
    values.extend(due_date(new_due_date.value()));
    values.extend(tags(new_tags.0.unwrap_or_default()));
    values
}

/// The columns that a patch sets. Taken apart member by member, so that a new one cannot be forgotten.
pub(super) fn of_patch(patch: TaskPatch) -> Vec<Assignment> {
    let TaskPatch {
        title: new_title,
        description: new_description,
        completed,
        priority,
        due_date: new_due_date,
        tags: new_tags,
    } = patch;
    let mut values = Vec::new();
    if let Some(new) = new_title.0 {
        values.extend(title(new));
    }
    if let Some(new) = new_description.into_option() {
        values.extend(description(new));
    }
    if let Some(Flag(completed)) = completed.0 {
        values.push((Task::CompletedAt, completion(completed)));
    }
    if let Some(priority) = priority.0 {
        values.push((Task::Priority, Set::to(rank(priority))));
    }
    if let Some(new) = new_due_date.into_option() {
        values.extend(due_date(new));
    }
    if let Some(new) = new_tags.0 {
        values.extend(tags(new));
    }
    values
}

/// When a task was completed, by the clock of the write. The first completion counts: completing what is complete keeps
/// its time.
pub(super) fn completion(completed: bool) -> Set {
    match completed {
        true => Set::MomentIfNull,
        false => Set::to(None::<DateTimeUtc>),
    }
}

/// The title: as it was sent, and as it is searched and sorted.
fn title(title: Title) -> [Assignment; 2] {
    [
        (Task::TitleFold, Set::to(search_key(title.as_str()))),
        (Task::Title, Set::to(title.into_string())),
    ]
}

/// The description: as it was sent, and as it is searched.
fn description(description: Option<Description>) -> [Assignment; 2] {
    let text = description.map(Description::into_string);
    [
        (
            Task::DescriptionFold,
            Set::to(text.as_deref().map(search_key)),
        ),
        (Task::Description, Set::to(text)),
    ]
}

/// The tags: as they were sent, and as they are compared.
fn tags(tags: Tags) -> [Assignment; 2] {
    [
        (Task::TagsFold, Set::to(tags_key(&tags))),
        (Task::Tags, Set::to(StoredTags::from(tags))),
    ]
}

/// The due date: the instant, and whether it is a date without a time.
fn due_date(due: Option<DueDate>) -> [Assignment; 2] {
    [
        (Task::DueAt, Set::to(due.map(DueDate::instant))),
        (Task::DueIsDate, Set::to(due.is_some_and(DueDate::is_date))),
    ]
}

/// Each tag, case-folded, between line feeds, which no tag contains.
pub(in crate::store) fn tags_key(tags: &Tags) -> String {
    let mut text = String::from("\n");
    for tag in &tags.0 {
        text.push_str(&fold(tag.as_str()));
        text.push('\n');
    }
    text
}
