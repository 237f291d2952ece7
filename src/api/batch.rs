//! Many operations on tasks in one request: `/api/v1/tasks/batch`.

use poem::web::Data;
use poem_openapi::{ApiResponse, OpenApi};

use super::{OperationGroup, conditions::NotForBatches, parameters::NoQuery};
use crate::{
    access::{Caller, Price, problem},
    contract::{
        BatchOperation, BatchRequest, BatchResults, Fail, Json, OperationResult, Problem,
        RequestId, Revision, Total, Version,
        codes::{BODY, CALLER, PARAMETERS, WRITE},
    },
    store::{Batch, Changes, Created, Expected, Operation, OperationOutcome, StoreError, Write},
};

/// The operation for many.
pub struct Batches;

/// The results.
#[derive(ApiResponse)]
enum BatchResponse {
    /// The result of each operation. Each was done or refused by itself; with `atomic`, all were done or none.
    #[oai(status = 200)]
    Results(Json<BatchResults>),
}

#[OpenApi(tag = "OperationGroup::Tasks")]
impl Batches {
    /// Carry out up to 100 operations at once
    ///
    /// They are carried out in their order and in one commit, with consecutive revisions. Each sees what those before it
    /// did: a task can be created and then changed by its `uid`. An operation that is refused changes nothing and does not
    /// affect the others; with `atomic` one that is refused undoes all, and the others have the problem `batch_not_done`.
    ///
    /// A batch counts as that many requests. Its body must not be larger than 1 MiB: send very long texts in several
    /// batches. To repeat a batch safely, give each new task a `uid` and each other operation its `if_version`.
    #[oai(
        path = "/api/v1/tasks/batch",
        method = "post",
        operation_id = "batchTasks"
    )]
    async fn batch_tasks(
        &self,
        caller: Caller<Write>,
        request_id: Data<&RequestId>,
        _query: NoQuery,
        _headers: NotForBatches,
        batch: Json<BatchRequest>,
    ) -> Result<BatchResponse, Fail<{ CALLER | PARAMETERS | BODY | WRITE }>> {
        let BatchRequest { operations, atomic } = batch.0;
        let price = Price::of_items(operations.len());
        let mut refused: Vec<Option<Problem>> = Vec::with_capacity(operations.len());
        let mut valid = Vec::with_capacity(operations.len());
        for operation in operations {
            match operation {
                Ok(operation) => {
                    valid.push(into_store(operation));
                    refused.push(None);
                }
                Err(faults) => refused.push(Some(Problem::validation(faults))),
            }
        }
        // None of them can be done, and none must be tried.
        if let (true, Some(place)) = (atomic, refused.iter().position(Option::is_some)) {
            let not_done = || problem(StoreError::NotDone(place));
            refused.iter_mut().for_each(|problem| {
                problem.get_or_insert_with(not_done);
            });
            valid.clear();
        }
        let batch = Batch {
            operations: valid,
            atomic,
        };
        let tasks = caller.scope().tasks();
        let done = caller.in_turn(price, async move { tasks.batch(batch).await });
        let done = done.await?.map_err(problem)?;
        let mut results = done.results.into_iter();
        let results: Vec<OperationResult> = refused
            .into_iter()
            .filter_map(|refused| match refused {
                Some(problem) => Some(Err(problem)),
                None => results.next().map(|result| into_result(&caller, result)),
            })
            .map(|result| {
                result.unwrap_or_else(|problem| {
                    OperationResult::refused(problem.into_detail(&request_id.0.0))
                })
            })
            .collect();
        let failed = results.iter().filter(|result| result.problem.0.is_some());
        Ok(BatchResponse::Results(Json(BatchResults {
            failed: Total::of(i64::try_from(failed.count()).unwrap_or(i64::MAX)),
            revision: Revision::of(done.revision),
            results,
        })))
    }
}

fn into_store(operation: BatchOperation) -> Operation {
    let expected = |version: Option<Version>| match version {
        Some(version) => Expected::OneOf(vec![version.get()]),
        None => Expected::Any,
    };
    match operation {
        BatchOperation::Create(new) => Operation::Create(new, None),
        BatchOperation::Update(target, version, patch) => Operation::Update {
            target,
            changes: Changes::of(patch),
            expected: expected(version.0),
            if_different: false,
        },
        BatchOperation::Delete(target, version) => Operation::Delete(target, expected(version.0)),
        BatchOperation::Restore(target, version) => Operation::Restore(target, expected(version.0)),
    }
}

/// The result of an operation. A task that it did not write is shown to a token that may read.
fn into_result(
    caller: &Caller<Write>,
    result: Result<OperationOutcome, StoreError>,
) -> Result<OperationResult, Problem> {
    let done = result.map_err(|error| caller.problem_in_batch(error))?;
    Ok(match done {
        OperationOutcome::Created(Created { task, replayed }) => {
            OperationResult::done(201, Some(task), replayed)
        }
        OperationOutcome::Updated { task, .. } | OperationOutcome::Restored(task) => {
            OperationResult::done(200, Some(task), false)
        }
        OperationOutcome::Deleted(_) => OperationResult::done(204, None, false),
        OperationOutcome::Nothing(task) => {
            let reader = caller.reading().ok();
            let task = reader.map(|reader| reader.scope().tasks().show(&task));
            OperationResult::done(200, task, false)
        }
    })
}
