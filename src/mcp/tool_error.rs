//! Why a tool call, or one item of a batch, was not done.

use crate::{access::problem, store::StoreError};

/// Why a tool call, or one item of a batch, was not done: words that a model can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToolError(pub(super) String);

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        Self(match error {
            StoreError::NotFound(id) => {
                format!("no task {}; find_tasks lists your tasks", id.get())
            }
            // `problem` writes the cause to the log.
            StoreError::Uncertain(_) => {
                problem(error);
                "the connection to the database broke, and it is unknown whether this was done; check with \
                 find_tasks before you try again"
                    .to_owned()
            }
            other => problem(other).detail,
        })
    }
}
