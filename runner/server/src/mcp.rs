//! The Model Context Protocol server: the tools of one tenant's desk, for agents. It knows no
//! transport.

mod arguments;
mod index;
mod many;
mod messages;
mod text;

pub(crate) use messages::{Message, Messages};

use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

use arguments::Arguments;
use index::INDEX;
use many::{ASK_MANY, AskMany};

use super::desk::Desk;
use super::request_ids::RequestIds;
use super::schemas::ToolDescription;
use gristmill_query::{AnswerOrError, Outcome, Request, Response, ToolCall, ToolError, quote};

/// Larger answers have no structured content besides the text: an agent would pay for both.
const MAX_STRUCTURED_BYTES: usize = 40_000;

/// An MCP server over one tenant's desk.
#[derive(Clone)]
pub struct McpServer {
    desk: Desk,
}

impl McpServer {
    /// A server over a desk.
    #[must_use]
    pub fn new(desk: Desk) -> Self {
        Self { desk }
    }

    /// Makes all calls of [`ASK_MANY`].
    async fn call_many(&self, arguments: JsonObject, ids: &RequestIds) -> CallToolResult {
        let asked = Arguments::of(Some(&many::input(self.desk.tools())), arguments)
            .and_then(|Arguments { input, options, max_chars }| Ok((AskMany::of(input)?, options, max_chars)));
        let (calls, options, max_chars) = match asked {
            Ok(asked) => asked,
            Err(error) => return failed(&error),
        };
        match self.desk.ask(Request { calls, options }, ids).await {
            Ok(response) => {
                let text = many::render(&self.desk, &response, max_chars);
                let answers = json!({ "answers": response.answers });
                let bytes = answers.to_string().len();
                succeeded(text, answers, bytes)
            }
            Err(error) => failed(&error),
        }
    }

    async fn call(&self, tool: &str, arguments: JsonObject, ids: &RequestIds) -> CallToolResult {
        if self.is_many(tool) {
            return self.call_many(arguments, ids).await;
        }
        let schema = self.desk.tools().find(tool).map(|tool| &tool.input);
        let arguments = match Arguments::of(schema, arguments) {
            Ok(arguments) => arguments,
            Err(error) => return failed(&error),
        };
        let calls = vec![ToolCall { tool: tool.to_owned(), input: Value::Object(arguments.input) }];
        match self.desk.ask(Request { calls, options: arguments.options }, ids).await {
            Ok(mut response) => match response.answers.pop() {
                Some(outcome) => self.answered(&response, outcome, arguments.max_chars),
                None => CallToolResult::success(Vec::new()),
            },
            Err(error) => failed(&error),
        }
    }

    /// The result of a call: the answer as text, and as structured content if it is small.
    fn answered(&self, response: &Response, outcome: Outcome, max_chars: usize) -> CallToolResult {
        let answer = match outcome.result {
            AnswerOrError::Answer(answer) => answer,
            AnswerOrError::Error(error) => return failed(&error),
        };
        let tool = self.desk.runner().tools().find(&outcome.tool);
        let rendered = tool.and_then(|tool| (tool.render)(&answer));
        let json = answer.to_string();
        let text = text::answer(response, &outcome.notes, rendered.as_deref().unwrap_or(&json), max_chars);
        succeeded(text, answer, json.len())
    }

    /// The tools that are not the runner's. One of the runner with the same name takes precedence.
    fn own_tools(&self) -> impl Iterator<Item = Tool> {
        let many = self.is_many(ASK_MANY).then(|| many::tool(self.desk.tools()));
        many.into_iter().chain(self.is_index(INDEX).then(index::tool))
    }

    /// Whether a tool is the one that indexes, and the tenant may use it.
    fn is_index(&self, tool: &str) -> bool {
        tool == INDEX && self.desk.may_index() && self.desk.tools().find(tool).is_none()
    }

    /// Whether a tool is the one that makes several calls. A tool of the runner with its name takes precedence.
    fn is_many(&self, tool: &str) -> bool {
        tool == ASK_MANY && self.desk.tools().find(tool).is_none()
    }
}

impl ServerHandler for McpServer {
    fn get_info(&self) -> ServerConfig {
        let this = Implementation::new("gristmill", env!("CARGO_PKG_VERSION")).with_title("gristmill");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(this).with_instructions(
            "Searches indexed source code. Use `search` when you do not know the name, `get_symbols` to look up names, \
             `get_files` to read files by lines, and `goto_definition`, `references` and `graph_expand` to follow uses. Every \
             answer starts with its epoch; pass `epoch` to query the same epoch again. `ask_many` makes several calls at \
             once.",
        )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.desk.tools();
        Ok(ListToolsResult::with_all_items(tools.as_slice().iter().map(mcp_tool).chain(self.own_tools()).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let own = || self.own_tools().find(|tool| tool.name == name);
        self.desk.tools().find(name).map(mcp_tool).or_else(own)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tools = self.desk.tools();
        if self.get_tool(&request.name).is_none() {
            let own = self.own_tools().map(|tool| tool.name);
            let names: Vec<_> = tools.as_slice().iter().map(|tool| tool.name.into()).chain(own).collect();
            let message = format!("unknown tool {}; available tools: {}", quote(&request.name), names.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        }
        // Over HTTP, the transport hands on the extensions of the HTTP request.
        let ids = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<RequestIds>());
        let ids = ids.cloned().unwrap_or_default();
        let arguments = request.arguments.unwrap_or_default();
        let call = async {
            if !self.is_index(&request.name) {
                return self.call(&request.name, arguments, &ids).await;
            }
            let told = context.meta.get_progress_token().map(|token| (&context.peer, token));
            match index::ask(&self.desk, arguments, &ids, told).await {
                Ok(answer) => succeeded(index::render(&answer), json!(answer), 0),
                Err(error) => failed(&error),
            }
        };
        // A cancelled call is dropped, which cancels its work.
        match context.ct.run_until_cancelled(call).await {
            Some(result) => Ok(result.into()),
            None => Err(ErrorData::internal_error("the call was cancelled", None)),
        }
    }
}

/// The result of a call: a text, and the answer of so many bytes as structured content if it is small.
fn succeeded(text: String, answer: Value, bytes: usize) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    // Older versions of the protocol allow objects only.
    result.structured_content = (bytes < MAX_STRUCTURED_BYTES && answer.is_object()).then_some(answer);
    result
}

/// A tool, as MCP describes it.
fn mcp_tool(tool: &ToolDescription) -> Tool {
    let annotations = ToolAnnotations::new().read_only(true).idempotent(true).open_world(false);
    Tool::new(tool.name, tool.about, Arc::new(arguments::schema(&tool.input))).with_annotations(annotations)
}

/// The result of a failed call.
fn failed(error: &ToolError) -> CallToolResult {
    let mut result = CallToolResult::error(vec![ContentBlock::text(text::error(error))]);
    result.structured_content = Some(json!({ "error": error }));
    result
}

#[cfg(test)]
mod tests {
    use gristmill_query::{Runner, ToolContext, ToolSet};
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::super::desk::Deadlines;
    use super::*;

    #[derive(Deserialize, JsonSchema, clap::Args)]
    struct CountFiles {}

    impl gristmill_query::Tool for CountFiles {
        const NAME: &'static str = "count_files";
        const ABOUT: &'static str = "Count the files of the index.";
        type Answer = u64;

        fn answer(self, context: &ToolContext<'_>) -> Result<u64, ToolError> {
            Ok(context.epoch.coverage().files)
        }

        fn render(answer: &u64) -> String {
            format!("{answer} files\n")
        }
    }

    #[test]
    fn the_tools_are_those_of_the_runner() {
        let runner = Runner::new([], ToolSet::new().with::<CountFiles>(), 1);
        let server = McpServer::new(Desk::new(runner, "a", Deadlines { default_ms: 1, max_ms: 1 }));
        let tool = server.get_tool("count_files").unwrap();
        assert_eq!(tool.description.as_deref(), Some("Count the files of the index."));
        assert!(tool.input_schema["properties"].get("max_chars").is_some());
        assert!(server.get_tool("search").is_none());
    }
}
