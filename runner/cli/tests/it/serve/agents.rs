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

/// An agent that has changed files asks for an epoch that holds them, and is told how far it is.
#[test]
fn an_agent_indexes_what_it_changed() {
    let world = World::sample();
    let mut agent = Agent::start(&world, &[]);
    let missing = agent.call("search", json!({ "query": "find_entry" }));
    assert_eq!(missing["structuredContent"]["error"]["code"], "no_epoch", "{missing}");
    let params = json!({ "name": "index", "arguments": { "wait_ms": 100_000 }, "_meta": { "progressToken": "mine" } });
    agent.send(&json!({ "jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": params }));
    let mut told = 0;
    let answer = loop {
        let message: Value = serde_json::from_str(&agent.process.next_line().expect("it answers")).unwrap();
        if message["id"] == 77 {
            break message;
        }
        assert_eq!(message["method"], "notifications/progress", "{message}");
        assert!(message["params"]["progressToken"] == "mine" && message["params"]["progress"].is_number(), "{message}");
        told += 1;
    };
    assert!(told > 0, "{answer}");
    let result = &answer["result"];
    assert!(text(result).starts_with("gristmill: epoch 1 in ") && text(result).contains("5 added"), "{}", text(result));
    assert_eq!(result["structuredContent"]["done"]["ending"], "committed");
    world.write("lib.rs", "pub fn edited() {}\n");
    agent.call("index", json!({}));
    assert!(text(&agent.call("get_symbols", json!({ "names": ["edited"] }))).contains("lib.rs"));
    assert!(text(&agent.call("index", json!({}))).contains("unchanged, epoch 2 holds it"));
    assert!(text(&agent.call("index", json!({ "task": "clear" }))).contains("cleared"));
    for wrong in [json!({ "task": "x" }), json!({ "wait": 1 }), json!({ "job": "other" }), json!({ "wait_ms": -1 })] {
        let refused = agent.call("index", wrong.clone());
        assert_eq!(refused["isError"], true, "{wrong}: {refused}");
    }
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

#[test]
fn every_message_over_http_has_an_answer() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    for (body, code) in [
        ("{", -32_700),
        ("[]", -32_600),
        (r#"{"id":1}"#, -32_600),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, -32_602),
    ] {
        let answer = server.request("POST", "/mcp", &[], body);
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!(code)), "{body}: {}", answer.text);
    }
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    assert_eq!(server.request("POST", "/mcp/", &[], &ping).status, 200, "a slash at the end changes nothing");
}

#[test]
fn several_calls_are_made_at_once() {
    let world = World::sample();
    world.run(&[]);
    let mut agent = Agent::start(&world, &[]);
    let calls = json!([
        { "tool": "search", "arguments": { "query": "find_entry" } },
        { "tool": "get_symbols", "arguments": { "names": ["no_such_name"] } },
        { "tool": "search", "arguments": {} },
    ]);
    let answered = agent.call("ask_many", json!({ "calls": calls, "epoch": 1 }));
    let text = text(&answered).to_owned();
    assert!(answered["isError"] == false && text.starts_with("epoch 1, 5 files\n"), "{answered}");
    let places = ["## 1. search\n", "lib.rs:", "## 2. get_symbols\n", "## 3. search\nbad_input: "];
    let found: Vec<_> = places.iter().map(|place| text.find(place)).collect();
    assert!(found.iter().all(Option::is_some) && found.is_sorted(), "{found:?}: {text}");
    let answers = answered["structuredContent"]["answers"].as_array().unwrap();
    assert_eq!((answers.len(), &answers[2]["error"]["code"]), (3, &json!("bad_input")), "{answered}");
    for wrong in [json!({}), json!({ "calls": [] }), json!({ "calls": [{ "name": "search" }] })] {
        let refused = agent.call("ask_many", wrong.clone());
        assert_eq!(refused["structuredContent"]["error"]["code"], "bad_input", "{wrong}: {refused}");
    }
}

/// A client need not wait for an answer before it sends the next request, and may close its input after the last.
#[test]
fn pipelined_calls_are_all_answered() {
    const CALLS: usize = 200;
    let world = World::sample();
    world.run(&[]);
    let mut agent = Agent::start(&world, &[]);
    for id in 0..CALLS {
        let params = json!({ "name": "search", "arguments": { "query": format!("find_entry {id}") } });
        agent.send(&json!({ "jsonrpc": "2.0", "id": 1000 + id, "method": "tools/call", "params": params }));
    }
    agent.process.close_input();
    let mut answered = Vec::new();
    while let Some(line) = agent.process.next_line() {
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        answered.push(answer["id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (1000..1000 + CALLS as u64).collect::<Vec<_>>());
    assert_eq!(agent.process.code(), Some(0));
}

/// Agents ask in batches. None of their calls is refused.
#[test]
fn many_agents_at_once_are_all_served() {
    const AGENTS: u64 = 16;
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let address = server.address.clone();
    let calls = json!([
        { "tool": "search", "input": { "query": "find an entry" } },
        { "tool": "search", "input": { "query": "entry", "mode": "regex" } },
        { "tool": "get_symbols", "input": { "names": ["find_entry"] } },
        { "tool": "references", "input": { "symbol": "find_entry" } },
        { "tool": "get_files", "input": { "paths": ["lib.rs"] } },
    ]);
    let many: Vec<Value> = calls.as_array().unwrap().clone();
    let many = many.into_iter().map(|mut call| json!({ "tool": call["tool"], "arguments": call["input"].take() }));
    let arguments = json!({ "calls": many.collect::<Vec<_>>() });
    let post = |path: &str, body: Value| {
        let request = ureq::post(format!("http://{address}{path}")).header("content-type", "application/json");
        // A refusal is an error.
        request.send(body.to_string()).unwrap().body_mut().read_to_string().unwrap()
    };
    let mut took: Vec<std::time::Duration> = std::thread::scope(|scope| {
        let agent = |nth: u64| {
            let (post, calls, arguments) = (&post, &calls, &arguments);
            scope.spawn(move || {
                let times = (0..4).map(|round| {
                    let started = std::time::Instant::now();
                    let text = if (nth + round).is_multiple_of(2) {
                        post("/v1/ask", json!({ "calls": calls }))
                    } else {
                        let params = json!({ "name": "ask_many", "arguments": arguments });
                        post("/mcp", json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
                    };
                    let wrong = text.find("\"error\"").map(|at| &text[at..]);
                    assert!(text.contains("find_entry") && wrong.is_none(), "{wrong:?}");
                    started.elapsed()
                });
                times.collect::<Vec<_>>()
            })
        };
        let agents: Vec<_> = (0..AGENTS).map(agent).collect();
        agents.into_iter().flat_map(|agent| agent.join().unwrap()).collect()
    });
    took.sort_unstable();
    println!("{} requests of 5 calls: p95 {:?}", took.len(), took[took.len() * 95 / 100]);
}

/// Many clients at once are all served, none much later than the others, within bounded memory. Set
/// `GRISTMILL_LOAD_SECONDS` for a longer test.
#[test]
fn no_client_among_many_is_starved() {
    const CLIENTS: usize = 256;
    const ROUNDS: usize = 3;
    let seconds: u64 = std::env::var("GRISTMILL_LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let ask = |client: usize, round: usize| {
        let input = json!({ "query": format!("find an entry {client} {round}") });
        let body = json!({ "calls": [{ "tool": "search", "input": input }] }).to_string();
        let request =
            ureq::post(format!("http://{}/v1/ask", server.address)).header("content-type", "application/json");
        // A refusal is an error.
        let text = request.send(body).unwrap().body_mut().read_to_string().unwrap();
        assert!(text.contains("\"answer\":"), "{text}");
    };
    ask(0, 0);
    let memory = || server.status()["memory_bytes"].as_u64();
    let before = memory();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let client = |client: usize| {
            let ask = &ask;
            scope.spawn(move || {
                let mut answered = 0;
                while answered < ROUNDS || std::time::Instant::now() < until {
                    ask(client, answered);
                    answered += 1;
                }
                answered
            })
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    println!("{CLIENTS} clients: {least} to {most} answers each; {before:?} to {:?} bytes", memory());
    assert!(*least >= ROUNDS, "{counts:?}");
    if let (Some(before), Some(after)) = (before, memory()) {
        assert!(after < before + (256 << 20), "{before} to {after} bytes");
    }
}
