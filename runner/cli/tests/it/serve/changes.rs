//! Indexes that change, disappear or break while they are served.

use serde_json::{Value, json};

use super::client::Server;
use crate::watch::watching;
use crate::world::World;

fn finds(server: &Server, name: &str) -> bool {
    !server.ask("get_symbols", json!({ "names": [name] }))["symbols"].as_array().unwrap().is_empty()
}

#[test]
fn epochs_of_another_process_are_served() {
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
fn a_missing_index_is_served_once_it_exists() {
    let world = World::sample();
    let server = Server::start(&world, &[]);
    let answer = server.post("/v1/tools/search", &json!({ "query": "x" }));
    assert_eq!((answer.status, answer.code().as_str()), (404, "no_epoch"));
    let ready = server.get("/ready");
    assert_eq!((ready.status, ready.code().as_str()), (503, "no_epoch"));
    assert!(ready.text.contains("`gristmill`"), "{}", ready.text);
    let status = server.status();
    assert_eq!((&status["epoch"], &status["last_error"]), (&Value::Null, &Value::Null));
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
fn progress_is_published_while_an_epoch_is_built() {
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
fn a_locked_index_is_served_and_retried() {
    let world = World::sample();
    let other = watching(world.job_command("watch", &[]));
    let server = Server::start(&world, &["--watch"]);
    let status = server.wait_until("in error", |status| !status["last_error"].is_null());
    assert!(status["last_error"].as_str().unwrap().contains("locked by another process"), "{status}");
    assert_eq!(status["indexing"]["state"], "failed");
    server.wait_for_epoch(1);
    assert!(finds(&server, "find_entry"));
    world.write("lib.rs", "pub fn by_the_other() {}\n");
    server.wait_for_epoch(2);
    assert!(finds(&server, "by_the_other"));
    drop(other);
    server.wait_until("writing", |status| status["indexing"]["state"] == "idle" && status["last_error"].is_null());
    world.write("lib.rs", "pub fn by_the_server() {}\n");
    server.wait_for_epoch(3);
    assert!(finds(&server, "by_the_server"));
}

#[test]
fn a_deleted_index_is_served_again_once_rebuilt() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    assert!(finds(&server, "find_entry"));
    std::fs::remove_dir_all(world.index()).unwrap();
    server.wait_until("in error", |status| !status["last_error"].is_null());
    for body in [json!({ "query": "cache" }), json!({ "query": "cache", "mode": "regex" })] {
        let answer = server.post("/v1/tools/search", &body);
        assert!(answer.status == 200 || answer.code() == "unreadable", "{}", answer.text);
        assert!(!answer.text.contains(&*world.folder.path().to_string_lossy()), "{}", answer.text);
    }
    assert!(!server.status().to_string().contains(&*world.folder.path().to_string_lossy()));
    world.write("lib.rs", "pub fn after_the_loss() {}\n");
    world.run(&[]);
    server.wait_until("without error", |status| status["last_error"].is_null());
    assert!(finds(&server, "after_the_loss"));
}

#[test]
fn the_last_epoch_is_served_while_the_index_is_broken() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let head = std::fs::read(world.index().join("HEAD")).unwrap();
    for broken in ["", "not a number", "99"] {
        std::fs::write(world.index().join("HEAD"), broken).unwrap();
        let status = server.wait_until("in error", |status| !status["last_error"].is_null());
        assert_eq!(status["epoch"], 1, "{broken}");
        assert!(finds(&server, "find_entry"), "{broken}");
        assert!(!status.to_string().contains(&*world.folder.path().to_string_lossy()), "{status}");
        std::fs::write(world.index().join("HEAD"), &head).unwrap();
        server.wait_until("without error", |status| status["last_error"].is_null());
    }
}

#[test]
fn errors_of_broken_tables_name_no_path() {
    let world = World::sample();
    world.run(&[]);
    // Broken before the server starts: it keeps in memory what it has read.
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
