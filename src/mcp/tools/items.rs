//! The items of a call, carried out in one commit.

use crate::{
    mcp::{outcome::ItemResult, tool_error::ToolError},
    store::{Batch, CanWrite, Operation, OperationOutcome, StoreError, Tasks},
};

/// Carries out the items that are operations, each by itself, and tells what became of each. An item that has its result
/// already takes no part.
pub(super) async fn carry_out<A: CanWrite>(
    tasks: &Tasks<A>,
    items: Vec<Result<Operation, Box<ItemResult>>>,
    mut tell: impl FnMut(usize, Result<OperationOutcome, StoreError>) -> Result<ItemResult, ToolError>,
) -> Vec<ItemResult> {
    let mut operations = Vec::with_capacity(items.len());
    let known: Vec<Option<Box<ItemResult>>> = items
        .into_iter()
        .map(|item| item.map(|operation| operations.push(operation)).err())
        .collect();
    let mut outcomes = match operations.is_empty() {
        true => Ok(Vec::new().into_iter()),
        false => {
            let batch = Batch {
                operations,
                atomic: false,
            };
            let done = tasks.batch(batch).await;
            done.map(|done| done.results.into_iter())
                .map_err(ToolError::from)
        }
    };
    let mut outcome_of = |place| match &mut outcomes {
        Err(error) => Err(error.clone()),
        Ok(outcomes) => tell(place, outcomes.next().unwrap_or_else(none)),
    };
    let places = known.into_iter().enumerate();
    places
        .map(|(place, known)| match known {
            Some(known) => *known,
            None => outcome_of(place).unwrap_or_else(ItemResult::from),
        })
        .collect()
}

/// A batch has a result for each operation.
pub(super) fn none<T>() -> Result<T, StoreError> {
    Err(StoreError::Internal(
        "an operation has no result".to_owned(),
    ))
}
