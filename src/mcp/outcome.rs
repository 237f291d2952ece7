//! The answer to a batch: one result per item, in the order of the items.

use std::{collections::BTreeMap, fmt};

use rmcp::schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{date::Dates, row::Row, tool::Outcome, tool_error::ToolError};

/// The results of a batch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Results {
    /// In the order of the arguments
    results: Vec<ItemResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    dates: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    undo: Option<String>,
}

/// The result of one item: a task or an error.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct ItemResult {
    /// As in find_tasks
    // Its schema is there, and is not repeated for each tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Map<String, Value>")]
    pub(super) task: Option<Row>,
    /// The old values of what changed
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) before: Map<String, Value>,
    /// Nothing had to change
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unchanged: Option<bool>,
    /// Added by an earlier call
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replayed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl ItemResult {
    /// A task, without further notes.
    pub(super) fn task(task: Row) -> Self {
        Self {
            task: Some(task),
            ..Self::default()
        }
    }
}

impl From<ToolError> for ItemResult {
    fn from(ToolError(words): ToolError) -> Self {
        Self {
            error: Some(words),
            ..Self::default()
        }
    }
}

impl Results {
    pub(super) fn new(results: Vec<ItemResult>, dates: Dates) -> Self {
        Self {
            results,
            dates: dates.into_resolved(),
            undo: None,
        }
    }

    /// Adds how to undo the batch, given the ids of the tasks that it reached.
    pub(super) fn with_undo(mut self, undo: impl FnOnce(&[i64]) -> String) -> Self {
        let ids: Vec<i64> = self
            .results
            .iter()
            .filter_map(|item| Some(item.task.as_ref()?.id))
            .collect();
        self.undo = (!ids.is_empty()).then(|| undo(&ids));
        self
    }
}

impl Outcome for Results {
    fn failed(&self) -> bool {
        self.results.iter().all(|item| item.error.is_some())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            results,
            dates,
            undo,
        } = self;
        let lines: Vec<String> = results.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))?;
        if let Some(dates) = dates {
            write!(f, "\n{}", resolved(dates))?;
        }
        match undo {
            Some(undo) => write!(f, "\n{undo}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ItemResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            task,
            before,
            unchanged,
            replayed,
            error,
        } = self;
        match task {
            Some(task) => task.fmt(f)?,
            None => write!(f, "error: {}", error.as_deref().unwrap_or_default())?,
        }
        if !before.is_empty() {
            write!(f, "; before {}", Value::Object(before.clone()))?;
        }
        if unchanged.is_some() {
            f.write_str("; unchanged")?;
        }
        if replayed.is_some() {
            f.write_str("; added by an earlier call with this request_id")?;
        }
        Ok(())
    }
}

/// The phrases for dates, and the dates that they stand for.
pub(super) fn resolved(dates: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = dates
        .iter()
        .map(|(said, date)| format!("{} is {date}", Value::from(said.as_str())))
        .collect();
    pairs.join(", ")
}
