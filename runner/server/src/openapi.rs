//! The OpenAPI 3.1 description of the routes. Schemas come from the types that are read and
//! written.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response as HttpResponse};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::page;
use super::problem::Problem;
use super::progress::IndexingProgress;
use super::schemas::{ToolDescription, standard_formats};
use super::served::{NewEpoch, Status};
use super::status::JobSummary;
use super::writers::{IndexAnswer, IndexInput};
use gristmill_query::{Request, Response, ToolSet};

/// The OpenAPI document of a server. Clones share it.
#[derive(Clone)]
pub(super) struct OpenApi(Arc<Value>);

impl OpenApi {
    pub(super) fn new(tools: &ToolSet) -> Self {
        Self(Arc::new(document(tools)))
    }
}

/// `GET /openapi.json`: the document.
pub(super) async fn get_document(State(OpenApi(document)): State<OpenApi>) -> HttpResponse {
    Json(&*document).into_response()
}

/// Generates the OpenAPI document of a server with these tools.
#[must_use]
pub fn document(tools: &ToolSet) -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut schemas = Schemas(settings.into_generator());
    let mut paths = Map::new();
    common(&mut paths, &mut schemas);
    for tool in tools {
        let name = pascal(tool.name);
        let input = schemas.add(&format!("{name}Input"), tool.input);
        let answer = schemas.add(&format!("{name}Answer"), tool.answer);
        let answered = json!({ "allOf": [schemas.of::<Response>(), {
            "properties": { "answers": { "items": { "properties": { "answer": answer } } } }
        }] });
        let operation = json!({
            "operationId": tool.name,
            "summary": tool.summary(),
            "description": tool.about,
            "tags": ["tools"],
            "parameters": place_parameters(),
            "requestBody": { "required": true, "content": json_content(input) },
            "responses": with_problems(answered, "ToolProblem"),
        });
        paths.insert(format!("/v1/tools/{}", tool.name), json!({ "post": operation }));
    }
    let problem = schemas.of::<Problem>();
    let response = schemas.of::<Response>();
    let mut document = json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "gristmill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Queries indexes of source code. Each response comes from one epoch, and has its number.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "tools", "description": "Queries" },
            { "name": "indexes", "description": "Jobs, status and events" },
            { "name": "server", "description": "Health, metrics and the web page" },
        ],
        // Optional: a server without tenants has no tokens.
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": schemas.0.take_definitions(true),
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of a tenant, if the server has tenants.",
            } },
            "responses": {
                "Problem": { "description": "An error", "headers": headers(), "content": json_content(problem.clone()) },
                "ToolProblem": {
                    "description": "An error, or a response whose call failed",
                    "headers": headers(),
                    "content": json_content(json!({ "anyOf": [problem, response] })),
                },
            },
        },
    });
    standard_formats(&mut document);
    document
}

/// The routes that do not belong to one tool.
fn common(paths: &mut Map<String, Value>, schemas: &mut Schemas) {
    let mut add = |path: &str, method: &str, operation: Value| paths.insert(path.into(), json!({ method: operation }));
    let about = |id: &str, tag: &str, summary: &str, responses: Value| json!({ "operationId": id, "tags": [tag], "summary": summary, "responses": responses });
    let with = |mut operation: Value, more: Value| {
        if let (Some(operation), Value::Object(more)) = (operation.as_object_mut(), more) {
            operation.extend(more);
        }
        operation
    };
    let text = |kind: &str, what: &str| json!({ "200": { "description": what, "content": { kind: { "schema": { "type": "string" } } } } });
    let open = json!({ "security": [] });
    let job = json!({ "parameters": [parameter("job", "The job; required if the caller has several.", &json!({ "type": "string" }))] });

    let asked = with_problems(schemas.of::<Response>(), "Problem");
    let body = json!({ "requestBody": { "required": true, "content": json_content(schemas.of::<Request>()) } });
    add("/v1/ask", "post", with(about("ask", "tools", "Calls up to 32 tools on one epoch", asked), body));
    let tools = with_problems(schemas.of::<Vec<ToolDescription>>(), "Problem");
    add("/v1/tools", "get", about("list_tools", "tools", "Lists the tools with their schemas", tools));
    let jobs = with_problems(schemas.of::<Vec<JobSummary>>(), "Problem");
    add("/v1/jobs", "get", about("list_jobs", "indexes", "Lists the jobs that the caller may query", jobs));
    let status = with_problems(schemas.of::<Status>(), "Problem");
    add("/v1/status", "get", with(about("status", "indexes", "Returns the status of an index", status), job.clone()));

    let run = with_problems(schemas.of::<IndexAnswer>(), "Problem");
    let mut run = about("run", "indexes", "Asks to update, rebuild or clear an index", run);
    run["responses"]["202"] = json!({ "description": "Not done yet; it goes on", "headers": headers(), "content": json_content(schemas.of::<IndexAnswer>()) });
    let of_job = json!({ "name": "job", "in": "path", "required": true, "description": "The job.", "schema": { "type": "string" } });
    let body = json!({ "required": false, "content": json_content(schemas.of::<IndexInput>()) });
    add("/v1/jobs/{job}/run", "post", with(run, json!({ "parameters": [of_job], "requestBody": body })));

    let mut events = with_problems(Value::Bool(true), "Problem");
    events["200"] = json!({
        "description": "Server-sent events: `status` first, `epoch` with every new epoch, `progress` twice a second while an epoch is built",
        "content": { "text/event-stream": { "schema": { "type": "string" } } },
        "x-events": {
            "status": schemas.of::<Status>(),
            "epoch": schemas.of::<NewEpoch>(),
            "progress": schemas.of::<IndexingProgress>(),
        },
    });
    add("/v1/events", "get", with(about("events", "indexes", "Streams the events of an index", events), job));

    let rpc = with_problems(json!({ "type": "object" }), "Problem");
    let message = json!({ "requestBody": { "required": true, "content": json_content(json!({ "type": "object" })) } });
    let mcp = about("mcp", "tools", "Model Context Protocol (streamable HTTP, stateless)", rpc);
    add("/mcp", "post", with(mcp, message));

    let alive =
        json!({ "200": { "description": "The server is up", "content": json_content(json!({ "type": "object" })) } });
    add("/health", "get", with(about("health", "server", "Liveness", alive.clone()), open.clone()));
    let ready = with(alive, json!({ "503": { "$ref": "#/components/responses/Problem" } }));
    add("/ready", "get", with(about("ready", "server", "Readiness: every index can be queried", ready), open.clone()));
    let measures = text("text/plain", "The metrics");
    add(
        "/metrics",
        "get",
        with(about("metrics", "server", "Metrics in Prometheus' text format", measures), open.clone()),
    );
    let described =
        json!({ "200": { "description": "The document", "content": json_content(json!({ "type": "object" })) } });
    add("/openapi.json", "get", with(about("openapi", "server", "This document", described), open.clone()));

    let summary = "The web page";
    let had = json!({ "304": { "description": "Not modified: the client has this file" } });
    let html = with(text("text/html", "The page"), had.clone());
    add("/", "get", with(about("page", "server", summary, html), open.clone()));
    let mut file = with(text("text/javascript", "The file"), had);
    file["200"]["content"]["text/css"] = file["200"]["content"]["text/javascript"].clone();
    file["404"] = json!({ "$ref": "#/components/responses/Problem" });
    let names = json!({ "type": "string", "enum": page::assets().collect::<Vec<_>>() });
    let name = json!({ "name": "name", "in": "path", "required": true, "description": "The name of the file.", "schema": names });
    let asset = with(about("asset", "server", "A file of the web page", file), open);
    add("/assets/{name}", "get", with(asset, json!({ "parameters": [name] })));
}

/// Collects the schemas that are referred to.
struct Schemas(SchemaGenerator);

impl Schemas {
    /// A reference to the schema of a type.
    fn of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().into()
    }

    /// Adds a schema under a name. Returns a reference to it.
    fn add(&mut self, name: &str, schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
        let schema = schema(&mut self.0);
        self.0.definitions_mut().insert(name.to_owned(), schema.into());
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

fn json_content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn headers() -> Value {
    json!({ "x-request-id": { "description": "The request id, as in the server log", "schema": { "type": "string" } } })
}

/// The responses of an operation: 200 with this schema, or a problem.
fn with_problems(schema: Value, problem: &str) -> Value {
    let mut responses =
        json!({ "200": { "description": "The answer", "headers": headers(), "content": json_content(schema) } });
    for status in ["400", "401", "403", "404", "409", "413", "499", "500", "503", "504"] {
        responses[status] = json!({ "$ref": format!("#/components/responses/{problem}") });
    }
    responses
}

fn parameter(name: &str, about: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": about, "schema": schema })
}

fn place_parameters() -> Value {
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    let deadline = json!({ "type": "integer", "minimum": 1, "maximum": 600_000 });
    let text = json!({ "type": "string" });
    json!([
        parameter("job", "The job to query; required if the caller has several.", &text),
        parameter("epoch", "A retained older epoch; default: the newest.", &number),
        parameter("ref", "The branch or tag to query, if the job indexes several; default: the first.", &text),
        parameter("deadline_ms", "The deadline of the request, in milliseconds.", &deadline),
    ])
}

/// Converts `get_files` to `GetFiles`.
fn pascal(name: &str) -> String {
    let parts = name.split('_').filter_map(|part| part.split_at_checked(1));
    parts.flat_map(|(first, rest)| [first.to_uppercase(), rest.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard() -> Value {
        document(&gristmill_tools::standard())
    }

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(items) => {
                if let Some(Value::String(to)) = items.get("$ref") {
                    found.push(to);
                }
                items.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_resolves() {
        let document = standard();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for to in found {
            let pointer = to.strip_prefix('#').expect("a reference within the document");
            assert!(document.pointer(pointer).is_some(), "{to} does not resolve");
        }
    }

    #[test]
    fn every_operation_is_complete() {
        let (document, mut ids) = (standard(), Vec::new());
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = format!("{method} {path}");
                ids.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no id")));
                assert!(operation["summary"].is_string() && operation["responses"]["200"].is_object(), "{name}");
                let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
                let is_protected = path.starts_with("/v1") || path == "/mcp";
                assert_ne!(is_open, is_protected, "{name}");
                assert_eq!(operation["responses"]["401"].is_object(), is_protected, "{name}");
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "operations share an id");
    }

    #[test]
    fn the_document_has_these_routes() {
        let document = standard();
        let paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let (tools, mut others): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.starts_with("/v1/tools/"));
        others.sort_unstable();
        assert_eq!(tools.len(), gristmill_tools::standard().iter().len());
        insta::assert_snapshot!(others.join("\n"), @r"
        /
        /assets/{name}
        /health
        /mcp
        /metrics
        /openapi.json
        /ready
        /v1/ask
        /v1/events
        /v1/jobs
        /v1/jobs/{job}/run
        /v1/status
        /v1/tools
        ");
    }

    #[test]
    fn names_are_converted_to_pascal_case() {
        assert_eq!(pascal("get_files"), "GetFiles");
        assert_eq!(pascal("search"), "Search");
    }
}
