//! `update_tasks`.

use super::{change::TaskChange, items::carry_out};
use crate::{
    access::Price,
    contract::{Fault, Maybe, TaskId, TaskPatch, TimeZone, Version},
    mcp::{
        arguments::{Items, arguments, in_words},
        date::Dates,
        outcome::Results,
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
        worded::{self, Worded},
    },
    store::ReadWrite,
};

/// Changes tasks.
pub(in crate::mcp) struct UpdateTasks;

arguments! {
    /// The changes.
    struct Updates {
        /// Members not given stay; null clears; tags replace all tags
        tasks: Items<Update>,
        /// IANA; needed for date words and local times
        time_zone: Maybe<TimeZone>,
    }
}

arguments! {
    /// The changes of one task.
    struct Update {
        id: TaskId,
        /// Refuse if the task has another
        version: Maybe<Version>,
        ..changes: Worded<TaskPatch>
    }
}

impl Tool for UpdateTasks {
    const NAME: &'static str = "update_tasks";
    const TITLE: &'static str = "Change tasks";
    const DESCRIPTION: &'static str = "Change titles, descriptions, dates, priorities or tags. \
        `before` in the result has the old values: setting them again undoes the change.";
    type Access = ReadWrite;
    const EFFECT: Effect = Effect::Overwrites;
    type Arguments = Updates;
    type Output = Results;

    fn price(updates: &Updates) -> Price {
        Price::of_items(updates.tasks.0.len())
    }

    async fn call(
        call: Call<ReadWrite>,
        Updates { tasks, time_zone }: Updates,
    ) -> Result<Results, ToolError> {
        let mut dates = Dates::new(call.now, time_zone.0);
        let updates: Vec<_> = tasks
            .0
            .into_iter()
            .map(|item| read(item, &mut dates))
            .collect();
        let operations = updates.iter().map(|update| {
            let update = update.as_ref();
            update
                .map(TaskChange::operation)
                .map_err(|error| Box::new(error.clone().into()))
        });
        let tasks = call.caller.scope().tasks();
        let results = carry_out(&tasks, operations.collect(), |place, result| {
            let update = updates[place].as_ref().map_err(Clone::clone)?;
            let outcome = update.outcome(&tasks, result, &dates)?;
            Ok(outcome.into_item(&dates))
        });
        let results = results.await;
        Ok(Results::new(results, dates))
    }
}

fn read(item: Result<Update, Vec<Fault>>, dates: &mut Dates) -> Result<TaskChange, ToolError> {
    let Update {
        id,
        version,
        changes: Worded { body, due_date },
    } = item.map_err(|faults| ToolError(in_words(&faults)))?;
    let due_date = worded::due_date(&due_date, dates)?;
    Ok(TaskChange {
        id,
        patch: TaskPatch { due_date, ..body },
        expected: version.0,
    })
}
