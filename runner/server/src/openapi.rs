//! The description of the routes, as OpenAPI 3.1. Its schemas are those of the types that are
//! read and written.

use std::sync::LazyLock;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::page;
use super::problem::Problem;
use super::progress::Indexing;
use super::schemas::ToolDescription;
use super::served::{NewEpoch, Status};
use super::status::JobSummary;
use gristmill_query::{Request, Response};
use gristmill_tools::TOOLS;

/// The description.
#[must_use]
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
    &DOCUMENT
}

fn make() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut schemas = Schemas(settings.into_generator());
    let mut paths = Map::new();
    common(&mut paths, &mut schemas);
    for tool in TOOLS {
        let name = pascal(tool.name);
        let input = schemas.add(&format!("{name}Input"), tool.input);
        let answer = schemas.add(&format!("{name}Answer"), tool.answer);
        let answered = json!({ "allOf": [schemas.of::<Response>(), {
            "properties": { "answers": { "items": { "properties": { "answer": answer } } } }
        }] });
        let operation = json!({
            "operationId": tool.name,
            "summary": format!("Asks `{}`", tool.name),
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
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "gristmill",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Asks indexes of source code. Every answer is of one epoch, which it names.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "tools", "description": "Questions" },
            { "name": "indexes", "description": "What there is, and what it is like" },
            { "name": "server", "description": "The server itself" },
        ],
        // Nothing at all where a server has no tokens.
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": schemas.0.take_definitions(true),
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of a tenant, where the server has tenants.",
            } },
            "responses": {
                "Problem": { "description": "An error", "headers": headers(), "content": json_content(problem.clone()) },
                "ToolProblem": {
                    "description": "An error, or a response whose one call failed",
                    "headers": headers(),
                    "content": json_content(json!({ "anyOf": [problem, response] })),
                },
            },
        },
    })
}

/// The routes but those of tools.
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
    let job = json!({ "parameters": [parameter("job", "The job; needed where the caller has several.", &json!({ "type": "string" }))] });

    let asked = with_problems(schemas.of::<Response>(), "Problem");
    let body = json!({ "requestBody": { "required": true, "content": json_content(schemas.of::<Request>()) } });
    add("/v1/ask", "post", with(about("ask", "tools", "Asks any number of tools at once, of one epoch", asked), body));
    let tools = with_problems(schemas.of::<Vec<ToolDescription>>(), "Problem");
    add("/v1/tools", "get", about("list_tools", "tools", "Lists the tools with their schemas", tools));
    let jobs = with_problems(schemas.of::<Vec<JobSummary>>(), "Problem");
    add("/v1/jobs", "get", about("list_jobs", "indexes", "Lists the jobs that the caller may ask", jobs));
    let status = with_problems(schemas.of::<Status>(), "Problem");
    add("/v1/status", "get", with(about("status", "indexes", "Says what an index is like now", status), job.clone()));

    let mut events = with_problems(Value::Bool(true), "Problem");
    events["200"] = json!({
        "description": "Server-sent events: `status` at once, `epoch` with every epoch, `progress` twice a second while one is made",
        "content": { "text/event-stream": { "schema": { "type": "string" } } },
        "x-events": {
            "status": schemas.of::<Status>(),
            "epoch": schemas.of::<NewEpoch>(),
            "progress": schemas.of::<Indexing>(),
        },
    });
    add("/v1/events", "get", with(about("events", "indexes", "Tells what happens to an index", events), job));

    let rpc = with_problems(json!({ "type": "object" }), "Problem");
    let message = json!({ "requestBody": { "required": true, "content": json_content(json!({ "type": "object" })) } });
    let mcp = about("mcp", "tools", "Speaks the Model Context Protocol (streamable HTTP, without sessions)", rpc);
    add("/mcp", "post", with(mcp, message));

    let alive = json!({ "200": { "description": "It lives", "content": json_content(json!({ "type": "object" })) } });
    add("/health", "get", with(about("health", "server", "Whether the process lives", alive.clone()), open.clone()));
    let ready = with(alive, json!({ "503": { "$ref": "#/components/responses/Problem" } }));
    add("/ready", "get", with(about("ready", "server", "Whether every index can answer", ready), open.clone()));
    let measures = text("text/plain", "The measures");
    add(
        "/metrics",
        "get",
        with(about("metrics", "server", "Measures, as Prometheus reads them", measures), open.clone()),
    );
    let described = json!({ "200": { "description": "This", "content": json_content(json!({ "type": "object" })) } });
    add("/openapi.json", "get", with(about("openapi", "server", "This description", described), open.clone()));

    let summary = "The page that people search with";
    let had = json!({ "304": { "description": "It is what the entity tag of the request is of" } });
    let html = with(text("text/html", "The page"), had.clone());
    add("/", "get", with(about("page", "server", summary, html), open.clone()));
    let mut file = with(text("text/javascript", "The file"), had);
    file["200"]["content"]["text/css"] = file["200"]["content"]["text/javascript"].clone();
    file["404"] = json!({ "$ref": "#/components/responses/Problem" });
    let names = json!({ "type": "string", "enum": page::assets().collect::<Vec<_>>() });
    let name = json!({ "name": "name", "in": "path", "required": true, "description": "A file of the page.", "schema": names });
    let asset = with(about("asset", "server", "What the page is made of", file), open);
    add("/assets/{name}", "get", with(asset, json!({ "parameters": [name] })));
}

/// The schemas that were referred to.
struct Schemas(SchemaGenerator);

impl Schemas {
    /// Refers to a type's schema.
    fn of<T: JsonSchema>(&mut self) -> Value {
        self.0.subschema_for::<T>().into()
    }

    /// Adds a schema under a name, and refers to it.
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
    json!({ "x-request-id": { "description": "Names the request in the server's log", "schema": { "type": "string" } } })
}

/// What may be answered with this schema if all goes well.
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
        parameter("job", "The job whose index to ask; needed where the caller has several.", &text),
        parameter("epoch", "An older epoch that is still kept, instead of the newest.", &number),
        parameter("ref", "The branch or tag to ask, where the index holds several; its first if left out.", &text),
        parameter("deadline_ms", "How long the answer may take, in milliseconds.", &deadline),
    ])
}

/// `get_files` as `GetFiles`.
fn pascal(name: &str) -> String {
    let parts = name.split('_').filter_map(|part| part.split_at_checked(1));
    parts.flat_map(|(first, rest)| [first.to_uppercase(), rest.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_reference_leads_somewhere() {
        let document = document();
        let mut found = Vec::new();
        references(document, &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for to in found {
            let pointer = to.strip_prefix('#').expect("a reference within the document");
            assert!(document.pointer(pointer).is_some(), "{to} leads nowhere");
        }
    }

    #[test]
    fn every_operation_is_whole() {
        let mut ids = Vec::new();
        for (path, operations) in document()["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let name = format!("{method} {path}");
                ids.push(operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no id")));
                assert!(operation["summary"].is_string() && operation["responses"]["200"].is_object(), "{name}");
                let is_open = operation["security"].as_array().is_some_and(Vec::is_empty);
                let is_asked = path.starts_with("/v1") || path == "/mcp";
                assert_ne!(is_open, is_asked, "{name}");
                assert_eq!(operation["responses"]["401"].is_object(), is_asked, "{name}");
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "operations share an id");
    }

    #[test]
    fn the_routes_are_these() {
        let paths: Vec<&str> = document()["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let (tools, mut others): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.starts_with("/v1/tools/"));
        others.sort_unstable();
        assert_eq!(tools.len(), TOOLS.len());
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
        /v1/status
        /v1/tools
        ");
    }

    #[test]
    fn names_are_written_in_pascal_case() {
        assert_eq!(pascal("get_files"), "GetFiles");
        assert_eq!(pascal("search"), "Search");
    }
}
