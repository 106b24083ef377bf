//! Indexes that change, vanish or break while they are served.

use serde_json::{Value, json};

use super::client::Server;
use crate::watch::watching;
use crate::world::World;

fn finds(server: &Server, name: &str) -> bool {
    !server.ask("get_symbols", json!({ "names": [name] }))["symbols"].as_array().unwrap().is_empty()
}

#[test]
fn what_another_process_commits_is_served() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let mut events = server.events();
    assert_eq!(events.next("status")["epoch"], 1);
    assert!(finds(&server, "find_entry"));
    world.write("lib.rs", "pub fn edited() {}\n");
    world.run(&[]);
    server.wait_for_epoch(2);
    assert!(finds(&server, "edited") && !finds(&server, "find_entry"));
    let epoch = events.next("epoch");
    assert_eq!((&epoch["epoch"], &epoch["files"]), (&json!(2), &json!(5)));
    let old = json!({ "calls": [{ "tool": "get_symbols", "input": { "names": ["find_entry"] } }], "epoch": 1 });
    let old = server.post("/v1/ask", &old).json();
    assert_eq!((&old["epoch"], old["answers"][0]["answer"]["symbols"].as_array().unwrap().len()), (&json!(1), 1));
}

#[test]
fn an_index_that_is_not_there_yet_is_waited_for() {
    let world = World::sample();
    let server = Server::start(&world, &[]);
    let answer = server.post("/v1/tools/search", &json!({ "query": "x" }));
    assert_eq!((answer.status, answer.code().as_str()), (404, "no_epoch"));
    let ready = server.get("/ready");
    assert_eq!((ready.status, ready.code().as_str()), (503, "no_epoch"));
    assert!(ready.text.contains("`gristmill`"), "{}", ready.text);
    let status = server.status();
    assert_eq!((&status["epoch"], &status["trouble"]), (&Value::Null, &Value::Null));
    world.run(&[]);
    server.wait_for_epoch(1);
    assert_eq!(server.get("/ready").status, 200);
    assert!(finds(&server, "find_entry"));
}

#[test]
fn a_watched_job_is_indexed_and_followed() {
    let world = World::sample();
    let server = Server::start(&world, &["--watch"]);
    server.wait_for_epoch(1);
    let mut events = server.events();
    assert!(
        events.next("status")["indexing"]["stages"].as_array().unwrap().iter().any(|stage| stage["name"] == "parse")
    );
    world.write("lib.rs", "pub fn edited() {}\n");
    let epoch = events.next("epoch");
    assert_eq!((&epoch["epoch"], &epoch["files"]), (&json!(2), &json!(5)));
    assert!(finds(&server, "edited"));
    let status = server.wait_until("idle", |status| status["indexing"]["state"] == "idle");
    assert_eq!(status["epoch_lag"], 0);
    assert_eq!(server.get("/ready").status, 200);
}

#[test]
fn progress_is_told_while_an_epoch_is_made() {
    let world = World::sample();
    let server = Server::start(&world, &["--watch"]);
    server.wait_for_epoch(1);
    let mut events = server.events();
    events.next("status");
    world.write("lib.rs", "pub fn edited() {}\n");
    let progress = events.next("progress");
    assert!(progress["state"].is_string() && progress["stages"].is_array(), "{progress}");
}

#[test]
fn while_another_process_writes_it_serves_and_waits() {
    let world = World::sample();
    let other = watching(world.job_command("watch", &[]));
    let server = Server::start(&world, &["--watch"]);
    let status = server.wait_until("troubled", |status| !status["trouble"].is_null());
    assert!(status["trouble"].as_str().unwrap().contains("another process writes the index"), "{status}");
    assert_eq!(status["indexing"]["state"], "failed");
    server.wait_for_epoch(1);
    assert!(finds(&server, "find_entry"));
    world.write("lib.rs", "pub fn by_the_other() {}\n");
    server.wait_for_epoch(2);
    assert!(finds(&server, "by_the_other"));
    drop(other);
    server.wait_until("writing", |status| status["indexing"]["state"] == "idle" && status["trouble"].is_null());
    world.write("lib.rs", "pub fn by_the_server() {}\n");
    server.wait_for_epoch(3);
    assert!(finds(&server, "by_the_server"));
}

#[test]
fn an_index_that_vanishes_is_waited_for() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    assert!(finds(&server, "find_entry"));
    std::fs::remove_dir_all(world.index()).unwrap();
    server.wait_until("troubled", |status| !status["trouble"].is_null());
    for body in [json!({ "query": "cache" }), json!({ "query": "cache", "mode": "regex" })] {
        let answer = server.post("/v1/tools/search", &body);
        assert!(answer.status == 200 || answer.code() == "unreadable", "{}", answer.text);
        assert!(!answer.text.contains(&*world.folder.path().to_string_lossy()), "{}", answer.text);
    }
    assert!(!server.status().to_string().contains(&*world.folder.path().to_string_lossy()));
    world.write("lib.rs", "pub fn after_the_loss() {}\n");
    world.run(&[]);
    server.wait_until("well", |status| status["trouble"].is_null());
    assert!(finds(&server, "after_the_loss"));
}

#[test]
fn a_broken_index_leaves_the_last_epoch_answering() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let head = std::fs::read(world.index().join("HEAD")).unwrap();
    for broken in ["", "not a number", "99"] {
        std::fs::write(world.index().join("HEAD"), broken).unwrap();
        let status = server.wait_until("troubled", |status| !status["trouble"].is_null());
        assert_eq!(status["epoch"], 1, "{broken}");
        assert!(finds(&server, "find_entry"), "{broken}");
        assert!(!status.to_string().contains(&*world.folder.path().to_string_lossy()), "{status}");
        std::fs::write(world.index().join("HEAD"), &head).unwrap();
        server.wait_until("well", |status| status["trouble"].is_null());
    }
}

#[test]
fn broken_tables_are_an_error_that_names_no_place() {
    let world = World::sample();
    world.run(&[]);
    // What a server reads when it is first asked is broken before.
    let data = world.index().join("lance/symbols.lance/data");
    for entry in std::fs::read_dir(data).unwrap() {
        std::fs::write(entry.unwrap().path(), "broken").unwrap();
    }
    let server = Server::start(&world, &[]);
    let answer = server.post("/v1/tools/get_symbols", &json!({ "names": ["find_entry"] }));
    assert_eq!((answer.status, answer.code().as_str()), (500, "unreadable"), "{}", answer.text);
    assert!(!answer.text.contains(&*world.folder.path().to_string_lossy()), "{}", answer.text);
    assert!(answer.text.contains(answer.header("x-request-id")), "{}", answer.text);
    assert!(server.log().contains(answer.header("x-request-id")), "{}", server.log());
    assert_eq!(server.get("/health").status, 200);
}
