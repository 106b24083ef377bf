//! Slow, numerous and disconnected clients, and shutdown.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use serde_json::json;

use super::client::Server;
use crate::world::{World, code, text};

const QUICK: &str = "[limits]\nheader_timeout_ms = 300\nbody_timeout_ms = 300\nmax_connections = 3\n";

#[test]
fn slow_heads_time_out() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::with_settings(&world, QUICK, &[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").unwrap();
    // Sending all of it would take 500 s.
    let sent = (0..10_000).take_while(|_| {
        std::thread::sleep(Duration::from_millis(50));
        stream.write_all(b"x").is_ok()
    });
    assert!(sent.count() < 10_000, "the connection was never closed");
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn slow_bodies_time_out() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::with_settings(&world, QUICK, &[]);
    let mut stream = server.connect();
    let head = format!("POST /v1/ask HTTP/1.1\r\nhost: {}\r\ncontent-length: 100\r\n\r\n{{", server.address);
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 504") && answer.contains("\"deadline\""), "{answer}");
}

#[test]
fn idle_connections_are_closed() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::with_settings(&world, QUICK, &[]);
    let idle: Vec<_> = (0..9).map(|_| server.connect()).collect();
    assert_eq!(server.get("/health").status, 200);
    drop(idle);
}

#[test]
fn disconnected_clients_release_everything() {
    let world = World::sample();
    for n in 0..200 {
        world.write(&format!("many/{n}.rs"), format!("pub fn f{n}() {{ {} }}\n", "call(1); ".repeat(50)));
    }
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let call = json!({ "tool": "search", "input": { "query": "(c|a|l)+\\(1", "mode": "regex", "limit": 1000 } });
    let body = json!({ "calls": vec![call; 32] }).to_string();
    for _ in 0..40 {
        let mut stream = server.connect();
        let head =
            format!("POST /v1/ask HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n", server.address, body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
    }
    let status = server.wait_until("idle", |status| status["calls"]["running"] == 0 && status["calls"]["waiting"] == 0);
    assert_eq!(status["epoch"], 1);
    let listening: Vec<_> = (0..5).map(|_| server.events()).collect();
    let connections = || {
        let metrics = server.get("/metrics").text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("gristmill_open_connections ")).unwrap();
        line.parse::<usize>().unwrap()
    };
    server.wait_until("subscribed to", |_| connections() >= listening.len());
    drop(listening);
    server.wait_until("without subscribers", |_| connections() <= 2);
    assert!(!server.ask("search", json!({ "query": "cache" }))["hits"].as_array().unwrap().is_empty());
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn signals_shut_the_server_down() {
    for signal in ["-TERM", "-INT"] {
        let world = World::sample();
        world.run(&[]);
        let mut server = Server::start(&world, &["--watch"]);
        server.wait_for_epoch(1);
        let mut events = server.events();
        events.next("status");
        let idle = server.connect();
        assert_eq!(server.end(signal), Some(0), "{}", server.log());
        // The stream ends with its last chunk, not with a closed connection.
        assert!(events.rest().ends_with("0\r\n\r\n"), "the events were cut off");
        drop(idle);
        assert_eq!(world.run(&[]).0["ending"], "unchanged", "the index can be written again");
    }
}

#[test]
fn without_tokens_only_loopback_is_allowed() {
    let world = World::sample();
    let output = world.job_command("serve", &["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("there are no tokens"), "{}", text(&output.stderr));
}

#[test]
fn a_port_in_use_is_reported() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    let output = world.job_command("serve", &["--listen", &server.address]).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("--listen"), "{}", text(&output.stderr));
}

/// Whoever looks after a server is answered while clients hold all of its connections.
#[test]
fn a_few_connections_are_reserved_for_operators() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::with_settings(&world, "[limits]\nmax_connections = 2\n", &[]);
    // On a connection of its own.
    let ask = |path: &str| {
        let mut stream = server.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    // They wait for their first request.
    let held = [server.connect(), server.connect()];
    for path in ["/health", "/metrics"] {
        let answer = ask(path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let refused = ask("/v1/status");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 1"), "{refused}");
    drop(held);
    server.wait_until("free", |status| status["epoch"] == 1);
}

/// The streams of one tenant do not take the connections of the others.
#[test]
fn event_streams_are_limited() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::with_settings(&world, "[limits]\nmax_event_streams = 2\n", &[]);
    server.wait_for_epoch(1);
    let mut held = vec![server.events(), server.events()];
    held.iter_mut().for_each(|events| drop(events.next("status")));
    let refused = server.get("/v1/events");
    assert_eq!((refused.status, &*refused.code()), (503, "busy"), "{}", refused.text);
    assert!(refused.text.contains("limits.max_event_streams"), "{}", refused.text);
    // One that ends makes room.
    drop(held.pop());
    server.wait_until("free", |_| {
        let mut stream = server.events();
        stream.first_line().contains("200")
    });
}

/// A name of another site may resolve to this machine.
#[test]
fn the_host_is_checked_on_every_route() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    for path in
        ["/", "/health", "/ready", "/metrics", "/openapi.json", "/v1/status", "/mcp", "/assets/page.js", "/none"]
    {
        let refused = server.request("GET", path, &[("host", "evil.example")], "");
        assert_eq!((refused.status, &*refused.code()), (403, "forbidden"), "{path}: {}", refused.text);
    }
}
