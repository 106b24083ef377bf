//! Tool calls over HTTP, status, metrics and the web page.

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

#[test]
fn several_tools_are_called_at_once() {
    let (_world, server) = served();
    let calls = json!([
        { "tool": "search", "input": { "query": "find_entry", "mode": "text" } },
        { "tool": "get_symbols", "input": { "names": ["parse_config"] } },
        { "tool": "get_files", "input": { "paths": ["notes.txt"] } },
        { "tool": "no_such_tool" },
    ]);
    let answer = server.request("POST", "/v1/ask", &[("x-request-id", "my-1")], &json!({ "calls": calls }).to_string());
    assert_eq!((answer.status, answer.header("x-request-id")), (200, "my-1"), "{}", answer.text);
    let json = answer.json();
    assert_eq!((&json["request"], &json["epoch"]), (&json!("my-1"), &json!(1)));
    assert_eq!(json["coverage"]["files"], 5);
    let answers = &json["answers"];
    assert_eq!(answers[0]["answer"]["hits"][0]["path"], "lib.rs");
    assert_eq!(answers[1]["answer"]["symbols"].as_array().unwrap().len(), 2);
    assert_eq!(answers[2]["answer"]["files"][0]["text"], "Plain words about nothing in particular.\n");
    assert_eq!(answers[3]["error"]["code"], "unknown_tool");
}

#[test]
fn a_tool_has_a_route() {
    let (_world, server) = served();
    let answer = server.post("/v1/tools/get_symbols?epoch=1&deadline_ms=60000", &json!({ "names": ["HttpServer"] }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["answers"][0]["answer"]["symbols"][0]["path"], "web/index.ts");
    let described = server.get("/v1/tools").json();
    let search = &described.as_array().unwrap().iter().find(|tool| tool["name"] == "search").unwrap();
    assert!(search["about"].as_str().unwrap().contains("regular expression"));
    assert!(search["input"]["properties"]["query"].is_object() && search["answer"]["properties"]["hits"].is_object());
}

#[test]
fn jobs_and_status_are_reported() {
    let (_world, server) = served();
    let jobs = server.get("/v1/jobs").json();
    assert_eq!(jobs.as_array().unwrap().len(), 1);
    assert_eq!((&jobs[0]["epoch"], &jobs[0]["coverage"]["files"]), (&json!(1), &json!(5)));
    let status = server.status();
    assert_eq!(status["job"], jobs[0]["name"]);
    assert_eq!((&status["newest_epoch"], &status["epoch_lag"]), (&json!(1), &json!(0)));
    assert_eq!((&status["watched"], &status["last_error"]), (&json!(false), &json!(null)));
    assert!(status["calls"]["max"].as_u64().unwrap() > 0);
}

#[test]
fn health_readiness_and_metrics() {
    let (_world, server) = served();
    assert_eq!(server.get("/health").json()["status"], "alive");
    assert_eq!((server.get("/ready").status, server.get("/ready").json()["status"].clone()), (200, json!("ready")));
    server.ask("search", json!({ "query": "cache" }));
    let metrics = server.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain"));
    for part in [
        "gristmill_tool_call_duration_seconds_count{tool=\"search\"} 1",
        "gristmill_http_requests_total{route=\"/v1/ask\",status=\"200\"} 1",
        "gristmill_epoch_lag 0",
        "gristmill_open_connections ",
        "gristmill_resident_memory_bytes ",
    ] {
        assert!(metrics.text.contains(part), "{part}: {}", metrics.text);
    }
}

#[test]
fn the_page_loads_nothing_from_other_hosts() {
    let (_world, server) = served();
    for (path, kind) in [("/", "text/html"), ("/assets/app.js", "text/javascript"), ("/assets/app.css", "text/css")] {
        let file = server.get(path);
        assert_eq!(file.status, 200);
        assert!(file.header("content-type").starts_with(kind), "{path}");
        assert!(file.header("content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(!file.header("x-request-id").is_empty());
        for name in file.text.split("=\"assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(server.get(&format!("/assets/{name}")).status, 200, "{name}");
        }
    }
}

#[test]
fn the_page_is_cached_by_etag() {
    let (_world, server) = served();
    for path in ["/", "/assets/app.js", "/assets/app.css"] {
        let first = server.get(path);
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        let again = |tag: &str| server.request("GET", path, &[("if-none-match", tag)], "");
        let cached = again(first.header("etag"));
        assert_eq!((cached.status, cached.text.as_str()), (304, ""), "{path}");
        assert_eq!(cached.header("etag"), first.header("etag"));
        assert_eq!(cached.header("cache-control"), "no-cache");
        let other = again("\"of another version\"");
        assert_eq!((other.status, &other.text), (200, &first.text), "{path}");
    }
}

/// A chunk that a search found is read by its id, in this epoch and in the next.
#[test]
fn chunks_are_read_by_their_ids() {
    let (world, server) = served();
    for mode in ["hybrid", "text", "literal"] {
        let found =
            server.ask("search", json!({ "query": "find_entry", "mode": mode, "ids": true, "full_text": true }));
        let hit = &found["hits"][0];
        let id = hit["chunk_id"].as_str().unwrap_or_else(|| panic!("{mode}: {found}"));
        let missing = "0".repeat(32);
        let read = server.ask("get_chunks", json!({ "ids": [id, missing] }));
        let chunk = &read["chunks"][0];
        assert_eq!((&chunk["path"], &chunk["chunk_id"]), (&json!("lib.rs"), &json!(id)), "{mode}: {read}");
        assert!(chunk["text"].as_str().unwrap().contains("find_entry"), "{mode}: {read}");
        assert_eq!(read["not_found"], json!([missing]));
    }
    let found = server.ask("search", json!({ "query": "find_entry" }));
    assert_eq!(found["hits"][0]["chunk_id"], json!(null), "ids are read when they are asked for");
    // The command line has no tables in memory.
    let printed = world.command(&["search", "find_entry", "--ids", "--json", "--mode", "text"]);
    let printed = { printed }.arg("--index").arg(world.index()).output().unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let id = printed["answer"]["hits"][0]["chunk_id"].as_str().unwrap_or_else(|| panic!("{printed}")).to_owned();
    assert!(world.read(&["get-chunks", &id]).contains("lib.rs:"));
    for wrong in ["", "x", "' OR 1 = 1 --", &"A".repeat(32)] {
        assert_eq!(server.post("/v1/tools/get_chunks", &json!({ "ids": [wrong] })).code(), "bad_input", "{wrong}");
    }
}

/// Answers say in which context they were given.
#[test]
fn answers_carry_their_context() {
    let (_world, server) = served();
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("x-request-id", "r-1"), ("x-user", "ann@example.com"), ("traceparent", trace)];
    let body = json!({ "calls": [{ "tool": "search", "input": { "query": "cache" } }], "deadline_ms": 9000 });
    let answer = server.request("POST", "/v1/ask", &headers, &body.to_string()).json();
    assert_eq!(answer["request"], "r-1");
    let context = json!({ "tenant": "local", "user": "ann@example.com", "trace": trace, "deadline_ms": 9000 });
    assert_eq!(answer["context"], context);
    let answer = server.request("POST", "/v1/ask", &[("x-user", "a\"b")], &body.to_string()).json();
    assert_eq!(answer["context"]["user"], json!(null), "what is not safe to log is left out");
}

/// What was asked before is not looked for again while the epoch is served, and after it is.
#[test]
fn answers_are_kept_for_their_epoch() {
    let world = World::sample();
    for file in 0..300 {
        world.write(&format!("many/{file}.rs"), format!("pub fn find_{file}() -> u32 {{\n    {file}\n}}\n"));
    }
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let query = json!({ "query": "where is an entry found", "limit": 100 });
    let first = server.ask("search", query.clone());
    assert_eq!(server.ask("search", query.clone()), first);
    let looked_up = |outcome: &str| {
        let line = format!("gristmill_kept_answers_total{{tool=\"search\",outcome=\"{outcome}\"}} ");
        let metrics = server.get("/metrics").text;
        metrics.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u64>().ok()).unwrap_or_default()
    };
    assert_eq!((looked_up("hit"), looked_up("miss")), (1, 1));
    world.write("lib.rs", "/// Where an entry is found.\npub fn an_entry_is_found_here() {}\n");
    world.run(&[]);
    server.wait_for_epoch(2);
    assert_ne!(server.ask("search", query.clone()), first);
    assert_eq!((looked_up("hit"), looked_up("miss")), (1, 2));
    // The older epoch has its own.
    let older = json!({ "calls": [{ "tool": "search", "input": query }], "epoch": 1 });
    assert_eq!(server.post("/v1/ask", &older).json()["answers"][0]["answer"], first);
    // What tells of runs and not of the epoch is not kept.
    server.ask("history_recent", json!({}));
    assert!(!server.get("/metrics").text.contains("gristmill_kept_answers_total{tool=\"history_recent\""));
}

#[test]
fn documented_routes_exist() {
    let (_world, server) = served();
    let description = server.get("/openapi.json").json();
    assert_eq!(description["openapi"], "3.1.0");
    for (path, operations) in description["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().filter(|_| path != "/v1/events") {
            let path = path.replace("{name}", "app.js").replace("{job}", "gristmill");
            let answer = server.request(&method.to_uppercase(), &path, &[], "");
            assert!(answer.status != 404 && answer.status != 405, "{method} {path}: {}", answer.text);
        }
    }
}
