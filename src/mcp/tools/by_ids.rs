//! `complete_tasks`, `delete_tasks` and `restore_tasks`, which need no more than ids.

use super::{
    change::{TaskChange, completion},
    items::carry_out,
};
use crate::{
    access::Price,
    contract::{Flag, Maybe, Target, TaskId},
    mcp::{
        arguments::{Items, arguments, in_words},
        date::Dates,
        outcome::{ItemResult, Results},
        row::Row,
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
    },
    store::{Expected, Operation, OperationOutcome, ReadWrite, StoreError, Write},
};

/// Completes or reopens tasks.
pub(in crate::mcp) struct CompleteTasks;
/// Deletes tasks.
pub(in crate::mcp) struct DeleteTasks;
/// Restores deleted tasks.
pub(in crate::mcp) struct RestoreTasks;

arguments! {
    /// Which tasks, and whether they become done or open.
    struct Completion {
        ids: Items<TaskId>,
        /// Default true; false reopens
        completed: Maybe<Flag>,
    }
}

arguments! {
    /// Which tasks.
    struct Ids {
        ids: Items<TaskId>,
    }
}

/// The operations for the ids that have no faults.
fn operations(
    ids: &Items<TaskId>,
    operation: impl Fn(TaskId) -> Operation,
) -> Vec<Result<Operation, Box<ItemResult>>> {
    let ids = ids.0.iter().map(|id| match id {
        Ok(id) => Ok(operation(*id)),
        Err(faults) => Err(Box::new(ToolError(in_words(faults)).into())),
    });
    ids.collect()
}

impl Tool for CompleteTasks {
    const NAME: &'static str = "complete_tasks";
    const TITLE: &'static str = "Complete or reopen tasks";
    const DESCRIPTION: &'static str = "Mark tasks as done, or with completed false as open again.";
    type Access = ReadWrite;
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Completion;
    type Output = Results;

    fn price(completion: &Completion) -> Price {
        Price::of_items(completion.ids.0.len())
    }

    async fn call(
        call: Call<ReadWrite>,
        Completion { ids, completed }: Completion,
    ) -> Result<Results, ToolError> {
        let (tasks, dates) = (call.caller.scope().tasks(), Dates::new(call.now, None));
        let patch = completion(completed.0.is_none_or(|Flag(done)| done));
        let of = |id| TaskChange {
            id,
            patch: patch.clone(),
            expected: None,
        };
        let operations = operations(&ids, |id| of(id).operation());
        let results = carry_out(&tasks, operations, |place, result| {
            let id = ids.0[place].as_ref();
            let id = id.map_err(|faults| ToolError(in_words(faults)))?;
            let outcome = of(*id).outcome(&tasks, result, &dates)?;
            Ok(outcome.into_item(&dates))
        });
        let results = results.await;
        Ok(Results::new(results, dates))
    }
}

impl Tool for DeleteTasks {
    const NAME: &'static str = "delete_tasks";
    const TITLE: &'static str = "Delete tasks";
    const DESCRIPTION: &'static str = "Delete tasks. restore_tasks can restore them, \
        for 30 days unless the server is configured otherwise.";
    type Access = Write;
    const EFFECT: Effect = Effect::Overwrites;
    type Arguments = Ids;
    type Output = Results;

    fn price(ids: &Ids) -> Price {
        Price::of_items(ids.ids.0.len())
    }

    async fn call(call: Call<Write>, Ids { ids }: Ids) -> Result<Results, ToolError> {
        let (tasks, dates) = (call.caller.scope().tasks(), Dates::new(call.now, None));
        let operations = operations(&ids, |id| Operation::Delete(Target::Id(id), Expected::Any));
        let results = carry_out(&tasks, operations, |_, result| match result? {
            OperationOutcome::Deleted(task) => Ok(ItemResult::task(Row::of(&task, &dates))),
            _ => Err(ToolError("the server failed".to_owned())),
        });
        let results = Results::new(results.await, dates.clone());
        Ok(results.with_undo(|ids| format!("deleted; restore_tasks with ids {ids:?} undoes it")))
    }
}

impl Tool for RestoreTasks {
    const NAME: &'static str = "restore_tasks";
    const TITLE: &'static str = "Restore deleted tasks";
    const DESCRIPTION: &'static str = "Restore deleted tasks as they were, with their ids.";
    type Access = ReadWrite;
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Ids;
    type Output = Results;

    fn price(ids: &Ids) -> Price {
        Price::of_items(ids.ids.0.len())
    }

    async fn call(call: Call<ReadWrite>, Ids { ids }: Ids) -> Result<Results, ToolError> {
        let (tasks, dates) = (call.caller.scope().tasks(), Dates::new(call.now, None));
        let operations = operations(&ids, |id| Operation::Restore(Target::Id(id), Expected::Any));
        let results = carry_out(&tasks, operations, |_, result| {
            let task = match result {
                Ok(OperationOutcome::Restored(task)) => task,
                Ok(OperationOutcome::Nothing(task)) => tasks.show(&task),
                Ok(_) => return Err(ToolError("the server failed".to_owned())),
                Err(StoreError::NotFound(id)) => {
                    return Err(ToolError(format!(
                        "no deleted task {} that can still be restored",
                        id.get()
                    )));
                }
                Err(error) => return Err(error.into()),
            };
            Ok(ItemResult::task(Row::of(&task, &dates)))
        });
        let results = results.await;
        Ok(Results::new(results, dates))
    }
}
