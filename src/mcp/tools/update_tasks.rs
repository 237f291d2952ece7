//! `update_tasks`.

use super::change::change;
use crate::{
    access::Price,
    contract::{Fault, Maybe, TaskId, TaskPatch, TimeZone, Version},
    mcp::{
        arguments::{Items, arguments, in_words},
        date::Dates,
        outcome::{ItemResult, Results},
        tool::{Call, Effect, Tool},
        tool_error::ToolError,
        worded::{self, Worded},
    },
    store::{ReadWrite, Tasks},
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
        let mut results = Vec::with_capacity(tasks.0.len());
        for item in tasks.0 {
            results.push(
                update(&call.caller.scope().tasks(), item, &mut dates)
                    .await
                    .into(),
            );
        }
        Ok(Results::new(results, dates))
    }
}

async fn update(
    tasks: &Tasks<ReadWrite>,
    item: Result<Update, Vec<Fault>>,
    dates: &mut Dates,
) -> Result<ItemResult, ToolError> {
    let Update {
        id,
        version,
        changes: Worded { body, due_date },
    } = item.map_err(|faults| ToolError(in_words(&faults)))?;
    let due_date = worded::due_date(&due_date, dates)?;
    let patch = TaskPatch { due_date, ..body };
    let changed = change(tasks, id, &patch, version.0, dates).await?;
    Ok(changed.into_item(dates))
}
