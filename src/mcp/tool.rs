//! What a tool is: its name, arguments, answer and effect, and what calling it needs.

use std::fmt;

use chrono::{DateTime, Utc};
use rmcp::{model::ToolAnnotations, schemars::JsonSchema};
use serde::Serialize;

use super::{arguments::Arguments, tool_error::ToolError};
use crate::access::{Access, Caller, Price};

/// One of the tools.
pub(super) trait Tool: 'static {
    /// Its name, for models.
    const NAME: &'static str;
    /// Its name, for people.
    const TITLE: &'static str;
    /// What it does, in the fewest words that a model understands.
    const DESCRIPTION: &'static str;
    /// Whether it reads or writes tasks. This decides which scopes a token must have.
    type Access: Access;
    /// What a call does, for clients that ask their user before some calls.
    const EFFECT: Effect;
    /// Its arguments.
    type Arguments: Arguments + Send;
    /// Its answer: as JSON, and as text for clients that show only text.
    type Output: Serialize + JsonSchema + fmt::Display + Outcome + Send;

    /// What a call costs. It is charged when it is the turn of the call, before anything is done.
    fn price(_arguments: &Self::Arguments) -> Price {
        Price::ONE
    }

    /// Runs the call.
    fn call(
        call: Call<Self::Access>,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Self::Output, ToolError>> + Send;
}

/// What a call of a tool does (MCP, `ToolAnnotations`). No tool reaches beyond the user's own tasks.
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
    pub(super) fn annotations(self) -> ToolAnnotations {
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

/// The outcome of a call.
pub(super) trait Outcome {
    /// Whether nothing of what was asked was done.
    fn failed(&self) -> bool {
        false
    }
}
