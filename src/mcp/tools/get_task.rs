//! `get_task`.

use crate::{
    contract::{Maybe, TaskId, TimeZone},
    mcp::{
        arguments::arguments,
        date::Dates,
        row::Whole,
        tool::{Call, Effect, Outcome, Tool},
        tool_error::ToolError,
    },
    store::Read,
};

/// Shows a task with all its members.
pub(in crate::mcp) struct GetTask;

arguments! {
    /// Which task.
    struct Which {
        id: TaskId,
        time_zone: Maybe<TimeZone>,
    }
}

impl Outcome for Whole {}

impl Tool for GetTask {
    const NAME: &'static str = "get_task";
    const TITLE: &'static str = "Get a task";
    const DESCRIPTION: &'static str = "One task with all its members, the description included.";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Which;
    type Output = Whole;

    async fn call(call: Call<Read>, which: Which) -> Result<Whole, ToolError> {
        let Which { id, time_zone } = which;
        let task = call.caller.scope().tasks().get(id).await?;
        Ok(Whole::of(&task, &Dates::new(call.now, time_zone.0)))
    }
}
