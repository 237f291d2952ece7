//! `get_task`.

use std::fmt;

use rmcp::schemars::JsonSchema;
use serde::Serialize;

use crate::{
    api::Read,
    contract::TaskId,
    mcp::{
        arguments::arguments,
        row::Row,
        toolbox::{Call, Effect, Outcome, Refusal, Tooling},
    },
};

/// All of one task.
pub(in crate::mcp) struct GetTask;

arguments! {
    /// Which one.
    struct Which {
        id: TaskId,
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub(in crate::mcp) struct Found {
    task: Row,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}

impl Outcome for Found {}

impl Tooling for GetTask {
    const NAME: &'static str = "get_task";
    const TITLE: &'static str = "Get a task";
    const DESCRIPTION: &'static str = "All of one task, its description included.";
    type Access = Read;
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Which;
    type Output = Found;

    async fn call(call: Call<Read>, Which { id }: Which) -> Result<Found, Refusal> {
        let task = call.caller.tasks().get(id).await?;
        Ok(Found {
            task: Row::of(&task),
        })
    }
}
