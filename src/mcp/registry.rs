//! The tools, and how each is called.

use std::{fmt, panic::AssertUnwindSafe};

use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::BoxFuture};
use rmcp::{
    model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations},
    schemars::JsonSchema,
};
use serde::Serialize;

use super::{
    McpSettings,
    arguments::{Arguments, in_words},
    schema::of_output,
    tools,
};
use crate::{
    access::{Access, Authenticated, Caller, problem},
    contract::Problem,
    store::StoreError,
};

/// One of the tools.
pub(super) trait Tooling: 'static {
    /// Its name, for models.
    const NAME: &'static str;
    /// Its name, for people.
    const TITLE: &'static str;
    /// What it does, in the fewest words that a model understands.
    const DESCRIPTION: &'static str;
    /// What it does with the tasks, and so which scope a token must have for it.
    type Access: Access;
    /// What calling it does, for clients that ask their user first.
    const EFFECT: Effect;
    /// Its arguments.
    type Arguments: Arguments + Send;
    /// What it answers with: as JSON, and as text for clients that show nothing else.
    type Output: Serialize + JsonSchema + fmt::Display + Outcome + Send;

    /// Does it.
    fn call(
        call: Call<Self::Access>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Self::Output, ToolError>> + Send;
}

/// What calling a tool does (MCP, `ToolAnnotations`). No tool reaches beyond the user's own tasks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effect {
    /// It changes nothing.
    Reads,
    /// It adds; called twice, it adds twice.
    Adds,
    /// It changes what can be changed back; called twice, it does no more than once.
    Sets,
    /// It overwrites or removes what a person wrote; called twice, it does no more than once.
    Overwrites,
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        let (reads, destroys, repeats) = match self {
            Self::Reads => (true, false, true),
            Self::Adds => (false, false, false),
            Self::Sets => (false, false, true),
            Self::Overwrites => (false, true, true),
        };
        ToolAnnotations::new()
            .read_only(reads)
            .destructive(destroys)
            .idempotent(repeats)
            .open_world(false)
    }
}

/// Who calls, and when.
pub(super) struct Call<A: Access> {
    pub(super) caller: Caller<A>,
    pub(super) now: DateTime<Utc>,
}

/// Why a call, or one item of it, was not done: words that a model can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ToolError(pub(super) String);

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        Self(match error {
            StoreError::NotFound(id) => {
                format!("no task {}; find_tasks lists your tasks", id.get())
            }
            // `problem` tells the log, too.
            StoreError::Uncertain(_) => {
                problem(error);
                "the connection to the database broke, and whether this was done is not known; look with \
                 find_tasks before you do it again"
                    .to_owned()
            }
            other => problem(other).detail,
        })
    }
}

/// What came of a call.
pub(super) trait Outcome {
    /// Whether nothing at all was done of what was asked.
    fn failed(&self) -> bool {
        false
    }
}

/// A tool as it is offered and called.
pub(super) struct RegisteredTool {
    pub(super) tool: Tool,
    /// Whether a token's scopes allow it.
    pub(super) permit: fn(&Authenticated) -> Result<(), Problem>,
    call: fn(Authenticated, DateTime<Utc>, JsonObject) -> BoxFuture<'static, CallToolResult>,
}

impl RegisteredTool {
    fn of<T: Tooling>() -> Self {
        let tool = Tool::new(T::NAME, T::DESCRIPTION, T::Arguments::schema())
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

async fn run<T: Tooling>(
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

    pub(super) fn all(&self) -> Vec<Tool> {
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
