//! Tasks as models see them, without the user's id, and without members that are null or at their default.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use super::date::Dates;
use crate::contract::{Nullable, Priority, Task};

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) title: String,
    #[serde(skip_serializing_if = "is_false")]
    has_description: bool,
    #[serde(skip_serializing_if = "is_false")]
    completed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    version: i64,
}

/// A task with all its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Whole {
    #[serde(flatten)]
    row: Row,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    created_at: String,
    updated_at: String,
}

/// For serde, which passes references.
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Row {
    /// The task, with times in the time zone of the caller, if that is known.
    pub(super) fn of(task: &Task, dates: &Dates) -> Self {
        let Task {
            id,
            uid,
            user_id: _,
            title,
            description,
            completed,
            completed_at: _,
            priority,
            due_date,
            tags,
            created_at: _,
            updated_at: _,
            version,
        } = task;
        Self {
            id: id.get(),
            title: title.as_str().to_owned(),
            has_description: matches!(description, Nullable(Some(text)) if !text.as_str().is_empty()),
            completed: completed.0,
            priority: (*priority != Priority::default()).then(|| priority.name()),
            due_date: due_date.0.map(|due| dates.show(due)),
            tags: tags.0.iter().map(|tag| tag.as_str().to_owned()).collect(),
            uid: uid.0.as_ref().map(|uid| uid.as_str().to_owned()),
            version: version.get(),
        }
    }
}

impl Whole {
    /// The task, with times in the time zone of the caller, if that is known.
    pub(super) fn of(task: &Task, dates: &Dates) -> Self {
        let mut row = Row::of(task, dates);
        row.has_description = false;
        let description = task.description.0.as_ref();
        Self {
            row,
            description: description.map(|text| text.as_str().to_owned()),
            completed_at: task.completed_at.0.map(|time| dates.show_moment(time)),
            created_at: dates.show_moment(task.created_at),
            updated_at: dates.show_moment(task.updated_at),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            title,
            has_description,
            completed,
            priority,
            due_date,
            tags,
            uid,
            version,
        } = self;
        write!(f, "#{id} {}", quoted(title))?;
        if *completed {
            f.write_str(", done")?;
        }
        if let Some(priority) = priority {
            write!(f, ", {priority}")?;
        }
        if let Some(due_date) = due_date {
            write!(f, ", due {due_date}")?;
        }
        if !tags.is_empty() {
            let tags: Vec<String> = tags.iter().map(|tag| quoted(tag)).collect();
            write!(f, ", tags {}", tags.join(" "))?;
        }
        if *has_description {
            f.write_str(", has a description")?;
        }
        if let Some(uid) = uid {
            write!(f, ", uid {uid}")?;
        }
        write!(f, ", v{version}")
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            row,
            description,
            completed_at,
            created_at,
            updated_at,
        } = self;
        write!(f, "{row}, created {created_at}, changed {updated_at}")?;
        if let Some(completed_at) = completed_at {
            write!(f, ", done {completed_at}")?;
        }
        match description {
            Some(text) => write!(f, ", description {}", quoted(text)),
            None => Ok(()),
        }
    }
}

/// A text of a user in JSON quotes, so that nothing in it can look like the text around it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
