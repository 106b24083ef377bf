//! The tools for agents, by the Model Context Protocol.

mod arguments;
mod text;

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State as Shared};
use axum::response::Response as HttpResponse;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

use arguments::Arguments;

use super::access::Caller;
use super::body;
use super::desk::{Desk, RequestName};
use super::problem::Problem;
use super::schemas::tools;
use super::state::State;
use gristmill_query::{AnswerOrError, Outcome, Request, Response, ToolCall, ToolError};
use gristmill_tools::TOOLS;

/// Answers larger than this are given as text alone, in bytes: an agent would pay for both.
const MOST_STRUCTURED: usize = 40_000;

/// The server that agents speak with, for one tenant.
#[derive(Clone)]
pub struct McpServer {
    desk: Desk,
}

/// The same over HTTP. It keeps nothing between two requests.
pub(super) type McpService = StreamableHttpService<McpServer, NeverSessionManager>;

/// The server over HTTP; its requests have at most so many bytes.
pub(super) fn over_http(desk: &Desk, max_body: usize) -> McpService {
    let server = McpServer::new(desk.clone());
    // Whether the host and the site may ask was looked at before; see `access`.
    let settings = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(max_body)
        .disable_allowed_hosts();
    StreamableHttpService::new(move || Ok(server.clone()), Arc::default(), settings)
}

/// `/mcp`: a message of the protocol.
pub(super) async fn over_http_route(
    Shared(state): Shared<Arc<State>>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (parts, message) = request.into_parts();
    let message = body::read(message, &state.limits).await?;
    let request = HttpRequest::from_parts(parts, Body::from(message));
    Ok(caller.tenant().mcp.handle(request).await.map(Body::new))
}

impl McpServer {
    /// A server for what a desk answers.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        Self { desk }
    }

    async fn call(&self, tool: &str, arguments: JsonObject, name: &RequestName) -> CallToolResult {
        let arguments = match Arguments::of(tool, arguments) {
            Ok(arguments) => arguments,
            Err(error) => return failed(&error),
        };
        let calls = vec![ToolCall { tool: tool.to_owned(), input: Value::Object(arguments.input) }];
        match self.desk.ask(Request { calls, place: arguments.place }, name).await {
            Ok(mut response) => match response.answers.pop() {
                Some(outcome) => answered(&response, outcome, arguments.max_chars),
                None => CallToolResult::success(Vec::new()),
            },
            Err(error) => failed(&error),
        }
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let this = Implementation::new("gristmill", env!("CARGO_PKG_VERSION")).with_title("gristmill");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(this).with_instructions(
            "Answers questions about indexed source code: search for what you do not know the name of, look symbols up by \
             name, read files by lines, follow definitions, references and edges. Every answer begins with the epoch that it \
             is about; give `epoch` to ask the same one again.",
        )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(described().to_vec()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        described().iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if !TOOLS.iter().any(|tool| tool.name == request.name) {
            let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
            let message = format!("there is no tool of that name; the tools are {}", names.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        }
        let name = context.extensions.get::<axum::http::request::Parts>().and_then(|parts| parts.extensions.get());
        let name: RequestName = name.cloned().unwrap_or_default();
        let asked = self.call(&request.name, request.arguments.unwrap_or_default(), &name);
        tokio::select! {
            answer = asked => Ok(answer.into()),
            // Dropping the question cancels its work; nobody waits for what is answered.
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
        }
    }
}

/// The tools, as agents are told of them.
fn described() -> &'static [Tool] {
    static DESCRIBED: LazyLock<Vec<Tool>> = LazyLock::new(|| {
        let describe = |tool: &super::schemas::ToolDescription| {
            let annotations = ToolAnnotations::new().read_only(true).idempotent(true).open_world(false);
            Tool::new(tool.name, tool.about, Arc::new(arguments::schema(&tool.input))).with_annotations(annotations)
        };
        tools().iter().map(describe).collect()
    });
    &DESCRIBED
}

/// An answer, as agents read it.
fn answered(response: &Response, outcome: Outcome, max_chars: usize) -> CallToolResult {
    let answer = match outcome.result {
        AnswerOrError::Answer(answer) => answer,
        AnswerOrError::Error(error) => return failed(&error),
    };
    let render = TOOLS.iter().find(|tool| tool.name == outcome.tool).and_then(|tool| (tool.render)(&answer));
    let json = answer.to_string();
    let told = text::answer(response, &outcome.notes, render.as_deref().unwrap_or(&json), max_chars);
    let mut result = CallToolResult::success(vec![ContentBlock::text(told)]);
    // Older versions of the protocol take objects only.
    if json.len() < MOST_STRUCTURED && answer.is_object() {
        result.structured_content = Some(answer);
    }
    result
}

/// Why there is no answer, as agents read it.
fn failed(error: &ToolError) -> CallToolResult {
    let help = error.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
    let mut result =
        CallToolResult::error(vec![ContentBlock::text(format!("{}: {}{help}", error.code.as_str(), error.message))]);
    result.structured_content = Some(json!({ "error": error }));
    result
}
