//! The tools of a server, and how a call is prepared and run.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, Utc};
use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use rmcp::model::{self, CallToolResult, ContentBlock, JsonObject};
use tracing::{Instrument as _, Span};

use super::{
    McpSettings,
    arguments::{Arguments, in_words},
    host::{normalized, published},
    schema::of_output,
    tool::{Call, Effect, Outcome, Tool},
    tool_error::ToolError,
    tools,
};
use crate::{
    access::{Authenticated, Price},
    contract::Problem,
    telemetry::{Named, ToolFault, ToolInstruments, TraceContext, trace},
};

/// A tool as it is offered and called.
pub(super) struct RegisteredTool {
    /// What `tools/list` says about it.
    pub(super) listing: model::Tool,
    /// The schema of its arguments, with keywords that clients do not see.
    arguments: JsonObject,
    effect: Effect,
    prepare: fn(&Authenticated, DateTime<Utc>, JsonObject) -> Result<PaidCall, Problem>,
}

type PaidCall = BoxFuture<'static, CallToolResult>;

impl RegisteredTool {
    fn of<T: Tool>() -> Self {
        let arguments = T::Arguments::schema();
        let listing = model::Tool::new(T::NAME, T::DESCRIPTION, published(arguments.clone()))
            .with_title(T::TITLE)
            .with_raw_output_schema(of_output::<T::Output>().into())
            .with_annotations(T::EFFECT.annotations());
        Self {
            listing,
            arguments,
            effect: T::EFFECT,
            prepare: prepare::<T>,
        }
    }
}

/// Checks the scopes of the token and reads the arguments, in this order. Returns the call, ready to run.
fn prepare<T: Tool>(
    authenticated: &Authenticated,
    now: DateTime<Utc>,
    arguments: JsonObject,
) -> Result<PaidCall, Problem> {
    let caller = authenticated.caller()?;
    let arguments = match T::Arguments::read(arguments) {
        Ok(arguments) => arguments,
        Err(faults) => return Ok(ready(failed::<T>(&in_words(&faults))).boxed()),
    };
    let price = T::price(&arguments);
    let call = T::call(Call { caller, now }, arguments);
    Ok(run::<T>(authenticated.clone(), price, call).boxed())
}

async fn run<T: Tool>(
    authenticated: Authenticated,
    price: Price,
    call: impl Future<Output = Result<T::Output, ToolError>> + Send + 'static,
) -> CallToolResult {
    let done = match authenticated.in_turn(price, call).await {
        Ok(done) => done,
        Err(refused) => return failed::<T>(&refused.to_string()),
    };
    match done {
        Ok(output) => {
            let mut result =
                CallToolResult::success(vec![ContentBlock::text(on_lines(&output.to_string()))]);
            result.structured_content = serde_json::to_value(&output).ok();
            result.is_error = Some(output.failed());
            result
        }
        Err(ToolError(words)) => failed::<T>(&words),
    }
}

fn failed<T: Tool>(words: &str) -> CallToolResult {
    failure(&format!("{}: {words}", T::NAME))
}

fn failure(words: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(on_lines(words))])
}

/// All tools of a server.
pub(super) struct ToolRegistry {
    tools: Vec<RegisteredTool>,
    now: fn() -> DateTime<Utc>,
    instruments: Arc<ToolInstruments>,
}

impl ToolRegistry {
    pub(super) fn new(settings: &McpSettings) -> Self {
        let mut tools = vec![
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
            tools.extend([
                RegisteredTool::of::<tools::AddTask>(),
                RegisteredTool::of::<tools::ListTasks>(),
                RegisteredTool::of::<tools::CompleteTask>(),
                RegisteredTool::of::<tools::DeleteTask>(),
                RegisteredTool::of::<tools::UpdateTask>(),
            ]);
        }
        let names = tools.iter().map(|tool| tool.listing.name.clone());
        let instruments = ToolInstruments {
            duration: Named::new("gen_ai.tool.name", names),
        };
        Self {
            instruments: Arc::new(instruments),
            tools,
            now: settings.now,
        }
    }

    /// What is counted of the calls.
    pub(super) fn instruments(&self) -> &Arc<ToolInstruments> {
        &self.instruments
    }

    pub(super) fn get(&self, name: &str) -> Option<&RegisteredTool> {
        self.tools.iter().find(|tool| tool.listing.name == name)
    }

    pub(super) fn listings(&self) -> Vec<model::Tool> {
        self.tools.iter().map(|tool| tool.listing.clone()).collect()
    }

    pub(super) fn names(&self) -> String {
        let names = self.tools.iter().map(|tool| &*tool.listing.name);
        names.collect::<Vec<_>>().join(", ")
    }

    /// Prepares a call of a tool.
    ///
    /// # Errors
    /// 403 if the token does not allow it.
    pub(super) fn prepare(
        &self,
        tool: &RegisteredTool,
        authenticated: &Authenticated,
        arguments: JsonObject,
        trace: Option<TraceContext>,
    ) -> Result<PreparedCall, Problem> {
        let arguments = normalized(arguments, &tool.arguments);
        let call = (tool.prepare)(authenticated, (self.now)(), arguments)?;
        let span = trace::tool(&tool.listing.name, trace);
        let call = self.counted(tool, call, span.clone()).instrument(span);
        // rmcp runs the call in a task of its own. What is logged there still carries the id of this request.
        let call = call.instrument(Span::current()).boxed();
        Ok(PreparedCall {
            reads: matches!(tool.effect, Effect::Reads),
            call: Arc::new(Mutex::new(Some(call))),
        })
    }
}

impl ToolRegistry {
    /// Runs a call, and counts it.
    fn counted(
        &self,
        tool: &RegisteredTool,
        call: PaidCall,
        span: Span,
    ) -> impl Future<Output = CallToolResult> + Send + use<> {
        let place = self
            .tools
            .iter()
            .position(|other| std::ptr::eq(other, tool));
        let instruments = self.instruments.clone();
        async move {
            let began = Instant::now();
            // A panic becomes an answer here; rmcp would never answer.
            let result = AssertUnwindSafe(call).catch_unwind().await;
            let result =
                result.unwrap_or_else(|_| failure("the server failed; its log has the cause"));
            let fault = match result.is_error {
                Some(true) => ToolFault::ToolError,
                _ => ToolFault::None,
            };
            if fault == ToolFault::ToolError {
                trace::tool_failed(&span);
            }
            if let Some(by_fault) = place.and_then(|place| instruments.duration.at(place)) {
                by_fault.of(fault).record_time(began.elapsed());
            }
            result
        }
    }
}

/// A call that was checked, on its way through rmcp.
#[derive(Clone)]
pub(super) struct PreparedCall {
    /// Whether the call only reads, so that it can be dropped when its client hangs up.
    pub(super) reads: bool,
    call: Arc<Mutex<Option<PaidCall>>>,
}

impl PreparedCall {
    /// Takes the call; `None` if it was taken before.
    pub(super) fn take(&self) -> Option<PaidCall> {
        let mut call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
        call.take()
    }
}

/// The text with escapes for the characters other than line feeds that break lines, so that no text of a user looks like
/// two rows. They can only come from such texts, which are quoted.
fn on_lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{85}' | '\u{2028}' | '\u{2029}' => {
                lines.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => lines.push(c),
        }
    }
    lines
}
