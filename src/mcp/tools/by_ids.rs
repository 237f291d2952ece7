//! `complete_tasks`, `delete_tasks` and `restore_tasks`, which need no more than ids.

use super::change::{change, completion};
use crate::{
    access::Price,
    contract::{Flag, Maybe, TaskId},
    mcp::{
        arguments::{Items, arguments, in_words},
        date::Dates,
        outcome::{ItemResult, Results},
        row::Row,
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
    },
    store::{Expected, ReadWrite, Restored, StoreError, Write},
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

/// Runs `act` for each task, one after the other.
async fn each<F>(ids: Items<TaskId>, dates: Dates, act: impl Fn(TaskId) -> F) -> Results
where
    F: Future<Output = Result<ItemResult, ToolError>>,
{
    let mut results = Vec::with_capacity(ids.0.len());
    for id in ids.0 {
        let result = match id {
            Ok(id) => act(id).await,
            Err(faults) => Err(ToolError(in_words(&faults))),
        };
        results.push(result.into());
    }
    Results::new(results, dates)
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
        let act = async |id| {
            Ok(change(&tasks, id, &patch, None, &dates)
                .await?
                .into_item(&dates))
        };
        Ok(each(ids, dates.clone(), act).await)
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
        let act = async |id| {
            let task = tasks.delete(id, &Expected::Any).await?;
            Ok(ItemResult::task(Row::of(&task, &dates)))
        };
        let results = each(ids, dates.clone(), act).await;
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
        let act = async |id| match tasks.restore(id, &Expected::Any).await {
            Ok(Restored::Now(task)) => Ok(ItemResult::task(Row::of(&task, &dates))),
            Ok(Restored::Already(task)) => {
                let task = tasks.show(&task);
                Ok(ItemResult::task(Row::of(&task, &dates)))
            }
            Err(StoreError::NotFound(id)) => Err(ToolError(format!(
                "no deleted task {} that can still be restored",
                id.get()
            ))),
            Err(error) => Err(error.into()),
        };
        Ok(each(ids, dates.clone(), act).await)
    }
}
