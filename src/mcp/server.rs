//! The server that rmcp calls: what it is, its tools, and their calls.

use std::{borrow::Cow, future::pending, sync::Arc};

use poem::http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
        PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};

use super::{
    registry::{PreparedCall, ToolRegistry},
    revision::VERSIONS,
};
use crate::unicode::escaped;

/// What clients tell the model before it calls anything.
const INSTRUCTIONS: &str = include_str!("instructions.md");

/// The server for rmcp. It is cloned for each message, and has no state.
#[derive(Clone)]
pub(super) struct McpServer {
    tools: Arc<ToolRegistry>,
}

impl McpServer {
    pub(super) fn new(tools: Arc<ToolRegistry>) -> Self {
        Self { tools }
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let mut info = Implementation::new("taskward", env!("CARGO_PKG_VERSION"));
        info.title = Some("Taskward".to_owned());
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(info)
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&VERSIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.get(name).map(|tool| tool.listing.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.listings()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.tools.get(&call.name).is_none() {
            let message = format!(
                "Unknown tool: {}; the tools are: {}",
                escaped(&call.name),
                self.tools.names()
            );
            return Err(ErrorData::invalid_params(message, None));
        }
        let parts = context.extensions.get::<Parts>();
        let prepared = parts.and_then(|parts| parts.extensions.get::<PreparedCall>());
        let Some((call, reads)) = prepared.and_then(|it| Some((it.take()?, it.reads))) else {
            return Err(ErrorData::internal_error("the call was not prepared", None));
        };
        // rmcp runs this in a task of its own. When the client hangs up, the task goes on, but rmcp cancels
        // `context.ct`. A write is finished nevertheless. A read is dropped, because nobody waits for its result.
        let hung_up = async {
            if reads {
                context.ct.cancelled().await;
            } else {
                pending::<()>().await;
            }
        };
        tokio::select! {
            result = call => Ok(CallToolResponse::Complete(result)),
            () = hung_up => Err(ErrorData::internal_error("the client has hung up", None)),
        }
    }
}
