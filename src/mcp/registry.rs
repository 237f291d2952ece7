//! The tools, and how each is called.

use std::panic::AssertUnwindSafe;

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::BoxFuture};
use rmcp::model::{self, CallToolResult, ContentBlock, JsonObject};

use super::{
    McpSettings,
    arguments::{Arguments, in_words},
    schema::of_output,
    tool::{Call, Outcome, Tool},
    tool_error::ToolError,
    tools,
};
use crate::{access::Authenticated, contract::Problem};

/// A tool as it is offered and called.
pub(super) struct RegisteredTool {
    pub(super) tool: model::Tool,
    /// Whether a token's scopes allow it.
    pub(super) permit: fn(&Authenticated) -> Result<(), Problem>,
    call: fn(Authenticated, DateTime<Utc>, JsonObject) -> BoxFuture<'static, CallToolResult>,
}

impl RegisteredTool {
    fn of<T: Tool>() -> Self {
        let tool = model::Tool::new(T::NAME, T::DESCRIPTION, T::Arguments::schema())
            .with_title(T::TITLE)
            .with_raw_output_schema(of_output::<T::Output>().into())
            .with_annotations(T::EFFECT.annotations());
        Self {
            tool,
            permit: |authenticated| authenticated.caller::<T::Access>().map(|_| ()),
            call: |authenticated, now, arguments| run::<T>(authenticated, now, arguments).boxed(),
        }
    }
}

async fn run<T: Tool>(
    authenticated: Authenticated,
    now: DateTime<Utc>,
    arguments: JsonObject,
) -> CallToolResult {
    let outcome = async {
        let caller = authenticated
            .caller()
            .map_err(|problem| ToolError(problem.detail))?;
        let arguments =
            T::Arguments::read(arguments).map_err(|faults| ToolError(in_words(&faults)))?;
        T::call(Call { caller, now }, arguments).await
    };
    match outcome.await {
        Ok(output) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(output.to_string())]);
            result.structured_content = serde_json::to_value(&output).ok();
            result.is_error = Some(output.failed());
            result
        }
        Err(ToolError(words)) => failure(&format!("{}: {words}", T::NAME)),
    }
}

fn failure(words: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(words)])
}

/// All tools of a server.
pub(super) struct ToolRegistry {
    entries: Vec<RegisteredTool>,
    now: fn() -> DateTime<Utc>,
}

impl ToolRegistry {
    pub(super) fn new(settings: &McpSettings) -> Self {
        let mut entries = vec![
            RegisteredTool::of::<tools::FindTasks>(),
            RegisteredTool::of::<tools::GetTask>(),
            RegisteredTool::of::<tools::GetOverview>(),
            RegisteredTool::of::<tools::AddTasks>(),
            RegisteredTool::of::<tools::UpdateTasks>(),
            RegisteredTool::of::<tools::CompleteTasks>(),
            RegisteredTool::of::<tools::DeleteTasks>(),
            RegisteredTool::of::<tools::RestoreTasks>(),
        ];
        if settings.chat_app_tools {
            entries.extend([
                RegisteredTool::of::<tools::AddTask>(),
                RegisteredTool::of::<tools::ListTasks>(),
                RegisteredTool::of::<tools::CompleteTask>(),
                RegisteredTool::of::<tools::DeleteTask>(),
                RegisteredTool::of::<tools::UpdateTask>(),
            ]);
        }
        Self {
            entries,
            now: settings.now,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&RegisteredTool> {
        self.entries.iter().find(|entry| entry.tool.name == name)
    }

    pub(super) fn all(&self) -> Vec<model::Tool> {
        self.entries
            .iter()
            .map(|entry| entry.tool.clone())
            .collect()
    }

    pub(super) fn names(&self) -> String {
        let names = self.entries.iter().map(|entry| &*entry.tool.name);
        names.collect::<Vec<_>>().join(", ")
    }

    /// Calls a tool. It ends in an answer even if it panics: rmcp would never answer.
    pub(super) async fn call(
        &self,
        entry: &RegisteredTool,
        authenticated: Authenticated,
        arguments: JsonObject,
    ) -> CallToolResult {
        let call = (entry.call)(authenticated, (self.now)(), arguments);
        let result = AssertUnwindSafe(call).catch_unwind().await;
        result.unwrap_or_else(|_| failure("the server failed; its log has the cause"))
    }
}
