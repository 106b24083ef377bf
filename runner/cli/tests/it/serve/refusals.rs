//! Invalid and malicious requests.

use serde_json::{Value, json};

use super::client::Server;
use crate::world::World;

fn served() -> (World, Server) {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    (world, server)
}

fn search(input: Value) -> Value {
    json!({ "calls": [{ "tool": "search", "input": input }] })
}

#[test]
fn malformed_requests_are_rejected() {
    let (_world, server) = served();
    let bad = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"calls\": 3}",
        "{\"calls\": []}",
        "{\"calls\": [{}]}",
        "{\"cals\": []}",
    ];
    for body in bad.into_iter().map(ToOwned::to_owned).chain(["[".repeat(100_000)]) {
        let answer = server.request("POST", "/v1/ask", &[], &body);
        let shown = &body[..body.len().min(40)];
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_input"), "{shown}: {}", answer.text);
    }
    let many: Vec<Value> = (0..33).map(|_| json!({ "tool": "search", "input": { "query": "x" } })).collect();
    assert_eq!(server.post("/v1/ask", &json!({ "calls": many })).status, 400);
}

#[test]
fn invalid_inputs_are_rejected() {
    let (_world, server) = served();
    let cases = [
        (json!({ "query": "x", "limit": -1 }), "bad_input"),
        (json!({ "query": "x", "limit": 0 }), "bad_input"),
        (json!({ "query": "x", "limit": 1_000_000_000_u64 }), "bad_input"),
        (json!({ "query": "x", "limit": 1e300 }), "bad_input"),
        (json!({ "query": 7 }), "bad_input"),
        (json!(["x"]), "bad_input"),
        (json!("x"), "bad_input"),
        (json!({ "query": "" }), "bad_input"),
        (json!({ "quary": "x" }), "bad_input"),
        (json!({ "query": "x", "mode": "psychic" }), "bad_input"),
        (json!({ "query": "x", "paths": ["[" ] }), "bad_input"),
        (json!({ "query": "(a{1000}){1000}", "mode": "regex" }), "bad_input"),
        (json!({ "query": "(", "mode": "regex" }), "bad_input"),
        (json!({ "query": "x".repeat(70_000) }), "too_large"),
    ];
    for (input, code) in cases {
        let shown = input.to_string().chars().take(60).collect::<String>();
        let answer = server.post("/v1/ask", &search(input.clone()));
        assert_eq!((answer.status, answer.code().as_str()), (200, code), "{shown}: {}", answer.text);
        let alone = server.post("/v1/tools/search", &input);
        let status = if code == "too_large" { 413 } else { 400 };
        assert_eq!((alone.status, alone.code().as_str()), (status, code), "{shown}: {}", alone.text);
    }
}

#[test]
fn unknown_names_are_not_found() {
    let (_world, server) = served();
    let query = search(json!({ "query": "x" }));
    let with = |key: &str, value: Value| {
        let mut request = query.clone();
        request[key] = value;
        request
    };
    let cases = [
        (with("job", json!("nobody's")), 404, "unknown_job"),
        (with("epoch", json!(99)), 404, "no_epoch"),
        (with("deadline_ms", json!(0)), 400, "bad_input"),
        (with("deadline_ms", json!(600_001)), 400, "bad_input"),
        (with("deadline_ms", json!(-1)), 400, "bad_input"),
        (with("epoch", json!("last")), 400, "bad_input"),
        (with("refs", json!("main")), 400, "bad_input"),
    ];
    for (request, status, code) in cases {
        let answer = server.post("/v1/ask", &request);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{request}: {}", answer.text);
    }
    let answer = server.post("/v1/ask", &with("ref", json!("main")));
    assert_eq!(answer.code(), "not_found", "{}", answer.text);
    let answer = server.post("/v1/tools/serach", &json!({ "query": "x" }));
    assert_eq!((answer.status, answer.code().as_str()), (404, "unknown_tool"));
    assert!(answer.text.contains("did you mean `search`?"), "{}", answer.text);
    assert_eq!(server.get("/v1/status?job=nobody%27s").code(), "unknown_job");
    assert_eq!(server.get("/v1/status?jobs=x").code(), "bad_input");
}

#[test]
fn files_outside_the_index_are_not_read() {
    let (world, server) = served();
    std::fs::write(world.folder.path().join("outside.txt"), "kept to itself").unwrap();
    let absolute = world.source().join("lib.rs").display().to_string();
    let paths = ["../../etc/passwd", "/etc/passwd", "../outside.txt", "app/../../outside.txt", "app", "", "a\0b"];
    let answer = server.ask("get_files", json!({ "paths": paths }));
    assert_eq!(answer["files"], json!([]));
    assert_eq!(answer["not_found"].as_array().unwrap().len(), paths.len());
    let indexed = server.ask("get_files", json!({ "paths": [&absolute] }));
    assert_eq!(indexed["files"][0]["path"], "lib.rs", "an absolute path of the index");
    assert!(!answer.to_string().contains("root:") && !answer.to_string().contains("kept to itself"));
}

#[test]
fn unknown_routes_and_methods_are_json_errors() {
    let (_world, server) = served();
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/../etc/passwd", 404, "not_found"),
        ("GET", "/assets/../Cargo.toml", 404, "not_found"),
        ("GET", "/assets/..%2Findex.html", 404, "not_found"),
        ("GET", "/assets/index.html", 404, "not_found"),
        ("GET", "/assets/%ff", 404, "not_found"),
        ("GET", "/assets/", 404, "not_found"),
        ("POST", "/assets/app.js", 405, "bad_input"),
        ("DELETE", "/v1/ask", 405, "bad_input"),
        ("GET", "/v1/ask", 405, "bad_input"),
        ("POST", "/metrics", 405, "bad_input"),
        ("GET", "/mcp", 405, "bad_input"),
    ] {
        let answer = server.request(method, path, &[], "");
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
        assert_eq!(answer.header("allow").is_empty(), status != 405, "{method} {path}");
    }
}

#[test]
fn paths_of_requests_are_normalised() {
    let (_world, server) = served();
    let query = json!({ "query": "cache", "mode": "text" }).to_string();
    for path in ["/v1/tools/search/", "//v1/tools//search", "/v1/tools/%73earch", "/%76%31/tools/search/"] {
        assert_eq!(server.request("POST", path, &[], &query).status, 200, "{path}");
    }
    for path in ["/health/", "/openapi.json/", "//", "/v1/status/?", "/v1/jobs//"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    let start = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } } });
    for (path, accept) in
        [("/mcp/", "*/*"), ("/mcp", "application/json"), ("/mcp", "text/event-stream, application/json")]
    {
        let answer = server.request("POST", path, &[("accept", accept)], &start.to_string());
        assert_eq!(answer.status, 200, "{path} {accept}: {}", answer.text);
    }
    assert_eq!(server.request("POST", "/mcp", &[("accept", "text/html")], &start.to_string()).status, 406);
}

#[test]
fn large_bodies_are_rejected() {
    let (_world, server) = served();
    let answer = server.post("/v1/ask", &search(json!({ "query": "x".repeat(10 << 20) })));
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"), "{}", answer.text);
    assert!(!server.ask("search", json!({ "query": "cache" }))["hits"].as_array().unwrap().is_empty());
}

#[test]
fn cross_origin_requests_are_rejected() {
    let (_world, server) = served();
    let own = format!("http://{}", server.address);
    for (header, value, status) in [
        ("origin", own.as_str(), 200),
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("host", "evil.example", 403),
        ("host", "localhost:1", 200),
    ] {
        let answer = server.request("GET", "/v1/jobs", &[(header, value)], "");
        assert_eq!(answer.status, status, "{header}: {value}: {}", answer.text);
        if status == 403 {
            assert_eq!(answer.code(), "forbidden");
            assert!(answer.text.contains(&format!("header `{value}` not allowed")), "{}", answer.text);
        }
    }
    let answer = server.request("POST", "/mcp", &[("origin", "http://evil.example")], "{}");
    assert_eq!(answer.status, 403, "{}", answer.text);
}

#[test]
fn unsafe_request_ids_are_replaced() {
    let (_world, server) = served();
    for bad in ["a b", "x;y", &"x".repeat(65)] {
        let answer = server.request("GET", "/health", &[("x-request-id", bad)], "");
        assert_ne!(answer.header("x-request-id"), bad);
        assert!(!answer.header("x-request-id").is_empty());
    }
}
