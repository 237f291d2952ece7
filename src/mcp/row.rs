//! Tasks as models see them: what is null or usual is left out.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Nullable, Priority, Task};

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) title: String,
    /// There is one; get_task shows it
    #[serde(skip_serializing_if = "is_false")]
    has_description: bool,
    /// Absent: false
    #[serde(skip_serializing_if = "is_false")]
    completed: bool,
    /// Absent: medium
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    version: i64,
}

/// For serde, which passes references.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Row {
    pub(super) fn of(task: &Task) -> Self {
        let Task {
            id,
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
            priority: match priority {
                Priority::Low => Some("low"),
                Priority::Medium => None,
                Priority::High => Some("high"),
            },
            due_date: due_date
                .0
                .and_then(|due| serde_json::to_value(due).ok()?.as_str().map(str::to_owned)),
            tags: tags.0.iter().map(|tag| tag.as_str().to_owned()).collect(),
            version: version.get(),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.id, quoted(&self.title))
    }
}

/// What a user wrote, in the quotes of JSON: nothing in it can look like the words around it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
