//! The Model Context Protocol, over standard input and over HTTP.

use serde_json::{Value, json};

use super::client::Server;
use crate::process::Process;
use crate::world::World;

/// An agent that speaks to `gristmill mcp` over its standard input.
struct Agent {
    process: Process,
    last_id: u64,
}

impl Agent {
    fn start(world: &World, more: &[&str]) -> Self {
        let mut agent = Self { process: Process::start(world.job_command("mcp", more)), last_id: 0 };
        let answer = agent.request("initialize", hello());
        assert_eq!(answer["result"]["serverInfo"]["name"], "gristmill", "{answer}");
        assert!(answer["result"]["capabilities"]["tools"].is_object(), "{answer}");
        agent.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        agent
    }

    fn send(&mut self, message: &Value) {
        self.process.send(&message.to_string());
    }

    /// Sends a request and returns the response. Every line that is read must be JSON-RPC.
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }));
        loop {
            let line = self.process.next_line().expect("it answers");
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(message["jsonrpc"], "2.0");
            if message["id"] == self.last_id {
                return message;
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let mut answer = self.request("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].take()
    }

    /// Closes the input and waits for the process to exit.
    fn end(mut self) -> Option<i32> {
        self.process.close_input();
        let code = self.process.code();
        assert!(self.process.next_line().is_none());
        code
    }
}

fn hello() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } })
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn tools_are_called_over_standard_input() {
    let world = World::sample();
    world.run(&[]);
    let mut agent = Agent::start(&world, &[]);
    let tools = agent.request("tools/list", json!({}));
    let tools = tools["result"]["tools"].as_array().unwrap();
    let search = tools.iter().find(|tool| tool["name"] == "search").unwrap();
    assert_eq!(search["annotations"]["readOnlyHint"], true);
    for name in ["query", "job", "epoch", "ref", "max_chars"] {
        assert!(search["inputSchema"]["properties"][name].is_object(), "{name}: {search}");
    }
    let found = agent.call("search", json!({ "query": "find_entry", "epoch": 1 }));
    assert_eq!(found["isError"], false);
    assert!(text(&found).starts_with("epoch 1, 5 files\n"), "{}", text(&found));
    assert!(text(&found).contains("lib.rs:"), "{}", text(&found));
    assert_eq!(found["structuredContent"]["hits"][0]["path"], "lib.rs");
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn invalid_calls_are_reported() {
    let world = World::sample();
    world.run(&[]);
    let mut agent = Agent::start(&world, &[]);
    for (tool, arguments, code) in [
        ("search", json!({ "quary": "x" }), "bad_input"),
        ("search", json!({ "query": "x", "epoch": 99 }), "no_epoch"),
        ("search", json!({ "query": "x", "job": "other" }), "unknown_job"),
        ("search", json!({ "query": "x", "max_chars": 3 }), "bad_input"),
        ("search", json!({ "query": "(", "mode": "regex" }), "bad_input"),
    ] {
        let result = agent.call(tool, arguments.clone());
        assert_eq!(result["isError"], true, "{arguments}");
        assert_eq!(result["structuredContent"]["error"]["code"], code, "{arguments}: {result}");
        assert!(text(&result).starts_with(&format!("{code}: ")), "{}", text(&result));
    }
    let unknown = agent.request("tools/call", json!({ "name": "serach", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let message = unknown["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("unknown tool `serach`") && message.contains("search"), "{unknown}");
    let unknown = agent.request("no/such/method", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    assert!(text(&agent.call("search", json!({ "query": "cache" }))).starts_with("epoch 1"));
}

#[test]
fn long_answers_are_truncated() {
    let world = World::sample();
    world.write("long.txt", "a line of words\n".repeat(5_000));
    world.run(&[]);
    let mut agent = Agent::start(&world, &[]);
    let whole = agent.call("get_files", json!({ "paths": ["long.txt"] }));
    assert!(text(&whole).chars().count() < 12_200 && text(&whole).contains("… truncated: "), "{}", text(&whole).len());
    assert_eq!(whole["structuredContent"], Value::Null);
    let short = agent.call("get_files", json!({ "paths": ["long.txt"], "max_chars": 500 }));
    assert!(text(&short).chars().count() < 700, "{}", text(&short));
    let all = agent.call("get_files", json!({ "paths": ["long.txt"], "max_chars": 400_000 }));
    assert!(!text(&all).contains("… truncated: "));
}

#[test]
fn changes_are_visible_to_agents() {
    let world = World::sample();
    let mut agent = Agent::start(&world, &["--watch"]);
    let mut tries = 0;
    let mut until = |agent: &mut Agent, name: &str| loop {
        let found = agent.call("get_symbols", json!({ "names": [name] }));
        if found["structuredContent"]["symbols"][0]["name"] == name {
            return;
        }
        tries += 1;
        assert!(tries < 2_000, "{found}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    until(&mut agent, "find_entry");
    world.write("lib.rs", "pub fn edited() {}\n");
    until(&mut agent, "edited");
    assert_eq!(agent.end(), Some(0));
}

#[test]
fn tools_are_called_over_http() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    let accept = [("accept", "application/json, text/event-stream")];
    let send = |message: Value| server.request("POST", "/mcp", &accept, &message.to_string());
    let answer = send(json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello() }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["result"]["serverInfo"]["name"], "gristmill");
    let answer = send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    assert_eq!(answer.status, 202, "{}", answer.text);
    let params = json!({ "name": "search", "arguments": { "query": "find_entry" } });
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params });
    let answer = server.request("POST", "/mcp", &[accept[0], ("x-request-id", "agent-1")], &call.to_string());
    assert_eq!((answer.status, answer.header("x-request-id")), (200, "agent-1"));
    let found = answer.json();
    assert!(text(&found["result"]).contains("lib.rs:"), "{found}");
    // Calls over MCP are counted like those over HTTP.
    assert!(server.get("/metrics").text.contains("gristmill_tool_call_duration_seconds_count{tool=\"search\"} 1"));
    let malformed = server.request("POST", "/mcp", &accept, "{");
    assert!((400..500).contains(&malformed.status), "{}", malformed.text);
}
