//! Tools for language models, over the Model Context Protocol at `/mcp`.
//!
//! The rules are those of REST: the same [`Authenticator`](crate::access::Authenticator) judges the token and counts the request
//! before anything of the body is read, the same [`Scope`](crate::store::Scope) reaches the tasks, the
//! same types check what is written. Who a call is for comes from the token alone.
//!
//! - `endpoint.rs`: one POST, from its head to its answer; `message.rs`: what must be known of a message before
//!   it is handled; `host_policy.rs`: by which names the server may be called, and from which pages.
//! - `server.rs`: what rmcp asks of a server; `registry.rs`: the tools, and how each is called; `tool.rs`: what a tool
//!   is; `tool_error.rs`: why a call was not done.
//! - `arguments.rs`: how arguments are declared and read; `schema.rs`: what they may be, for models; `worded.rs`:
//!   the bodies of REST as arguments; `date.rs`: dates as people say them.
//! - `row.rs`, `outcome.rs`: what comes back; `tools/`: one file a tool.

mod arguments;
mod date;
mod endpoint;
mod host;
mod host_policy;
mod message;
mod outcome;
mod registry;
mod row;
mod schema;
mod server;
mod tool;
mod tool_error;
mod tools;
mod worded;

use chrono::{DateTime, Utc};

pub use endpoint::Mcp;

/// What can be set about `/mcp`.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Hosts by which the server may be called beside those of its public address and of loopback: names,
    /// or names with a port.
    pub allowed_hosts: Vec<String>,
    /// Whether the tools that todo chat apps call are there as well (`add_task` and its like).
    pub chat_app_tools: bool,
    /// What time it is, for `today` and its like. Tests set it.
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
