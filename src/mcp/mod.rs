//! Tools for language models, over the Model Context Protocol at `/mcp`.
//!
//! The rules are those of REST. The same [`Authenticator`](crate::access::Authenticator) verifies the token and counts
//! the request before anything of the body is read, the same [`Scope`](crate::store::Scope) reaches the tasks, and the
//! same types check what is written. The token alone says whose tasks a call reaches.
//!
//! - `endpoint.rs`: one request, from its head to its answer; `message.rs`: reads and checks the message;
//!   `host_policy.rs`: under which names the server may be called, and by which pages.
//! - `registry.rs`: the tools, and how a call is prepared; `server.rs`: what rmcp calls; `tool.rs`: what a tool is;
//!   `tool_error.rs`: why a call was not done.
//! - `arguments.rs`: how arguments are declared and read; `host.rs`: undoes what hosts do to them; `schema.rs`: their
//!   schemas; `worded.rs`: the bodies of REST as arguments; `date.rs`: dates as people say them.
//! - `row.rs`, `outcome.rs`: the answers; `tools/`: one file per tool.

mod arguments;
mod date;
mod endpoint;
mod host;
mod host_policy;
mod message;
mod outcome;
mod registry;
mod revision;
mod row;
mod schema;
mod server;
mod tool;
mod tool_error;
mod tools;
mod worded;

use chrono::{DateTime, Utc};

pub use endpoint::Mcp;

/// The settings of `/mcp`.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Hosts under which the server may be called, beside its public address and loopback: names, or names with a
    /// port.
    pub allowed_hosts: Vec<String>,
    /// Whether the tools that todo chat apps call are offered, too (`add_task` and others).
    pub chat_app_tools: bool,
    /// The clock, for phrases such as `today`. Tests set it.
    pub now: fn() -> DateTime<Utc>,
}

impl Default for McpSettings {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            chat_app_tools: false,
            now: Utc::now,
        }
    }
}
