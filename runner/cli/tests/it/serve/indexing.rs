//! Requests to index: over HTTP and MCP, merged, abandoned, refused.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Server;
use super::tenants::{TOKEN_A, TOKEN_B, command, settings};
use crate::servers::{EmbedServer, job};
use crate::world::World;

/// Asks to index, which must be done at once.
fn run(server: &Server, task: &str) -> Value {
    let answer = server.post("/v1/jobs/gristmill/run", &json!({ "task": task, "wait_ms": 100_000 }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut json = answer.json();
    assert_eq!((&json["job"], &json["task"], &json["state"]), (&json!("gristmill"), &json!(task), &json!("done")));
    json["done"].take()
}

fn finds(server: &Server, name: &str) -> bool {
    server.ask("get_symbols", json!({ "names": [name] }))["symbols"].as_array().is_some_and(|found| !found.is_empty())
}

#[test]
fn an_index_is_updated_rebuilt_and_cleared_on_request() {
    let world = World::sample();
    let server = Server::start(&world, &[]);
    // Without a body it is an update.
    let first = server.request("POST", "/v1/jobs/gristmill/run", &[], "").json();
    assert_eq!((&first["done"]["ending"], &first["done"]["epoch"]), (&json!("committed"), &json!(1)), "{first}");
    assert!(finds(&server, "find_entry"), "the epoch of the answer is served");
    assert_eq!(run(&server, "update")["ending"], "unchanged");
    world.write("lib.rs", "pub fn edited() {}\n");
    let done = run(&server, "update");
    assert_eq!((&done["epoch"], &done["changes"]["modified"]), (&json!(2), &json!(1)), "{done}");
    assert!(finds(&server, "edited"));
    let done = run(&server, "rebuild");
    assert_eq!((&done["ending"], &done["epoch"]), (&json!("committed"), &json!(3)), "{done}");
    assert_eq!(world.digest(), world.digest_from_scratch());

    let done = run(&server, "clear");
    assert_eq!((&done["ending"], &done["epoch"]), (&json!("cleared"), &json!(null)), "{done}");
    let refused = server.post("/v1/tools/search", &json!({ "query": "edited" }));
    assert_eq!((refused.status, &*refused.code()), (404, "no_epoch"), "{}", refused.text);
    assert_eq!(run(&server, "clear")["ending"], "cleared");
    let done = run(&server, "update");
    assert_eq!((&done["ending"], &done["epoch"]), (&json!("committed"), &json!(4)), "numbers go on: {done}");
    assert!(finds(&server, "edited"));
    assert_eq!(world.digest(), world.digest_from_scratch());
    // Nothing is held between requests.
    world.write("lib.rs", "pub fn by_another() {}\n");
    assert_eq!(world.run(&[]).0["epoch"], 5);

    for (path, body, status) in [
        ("/v1/jobs/other/run", json!({}), 404),
        ("/v1/jobs/gristmill/run", json!({ "task": "destroy" }), 400),
        ("/v1/jobs/gristmill/run", json!(null), 400),
        ("/v1/jobs/gristmill/run", json!(["clear"]), 400),
        ("/v1/jobs/gristmill/run", json!({ "tusk": "update" }), 400),
        ("/v1/jobs/gristmill/run", json!({ "wait_ms": 600_001 }), 400),
    ] {
        let answer = server.post(path, &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
}

#[test]
fn a_watched_index_takes_requests_too() {
    let world = World::sample();
    let server = Server::start(&world, &["--watch"]);
    server.wait_for_epoch(1);
    for edit in 0..5 {
        world.write("lib.rs", format!("pub fn edit_{edit}() {{}}\n"));
        // Whichever comes first, the watch or the request: the answer's epoch holds the edit.
        run(&server, "update");
        assert!(finds(&server, &format!("edit_{edit}")));
    }
    assert_eq!(run(&server, "rebuild")["ending"], "committed");
    assert_eq!(world.digest(), world.digest_from_scratch());
    assert_eq!(run(&server, "clear")["ending"], "cleared");
    world.write("lib.rs", "pub fn after() {}\n");
    assert!(run(&server, "update")["epoch"].as_u64() > Some(2));
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn many_requests_at_once_are_answered_with_an_epoch_that_holds_what_they_mean() {
    const CLIENTS: usize = 12;
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    server.wait_for_epoch(1);
    let answered = std::thread::scope(|scope| {
        let ask = |client: usize| {
            let (world, server) = (&world, &server);
            scope.spawn(move || {
                world.write(&format!("client_{client}.rs"), format!("pub fn of_client_{client}() {{}}\n"));
                let done = run(server, "update");
                assert!(finds(server, &format!("of_client_{client}")), "{done}");
                done["epoch"].as_u64().unwrap()
            })
        };
        let asking: Vec<_> = (0..CLIENTS).map(ask).collect();
        asking.into_iter().map(|client| client.join().unwrap()).max().unwrap()
    });
    assert!(answered <= 1 + CLIENTS as u64, "no more epochs than requests: {answered}");
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// A job whose embedder takes its time.
fn slow_world(embedder: &EmbedServer, files: usize) -> (World, Server) {
    let world = World::new();
    for file in 0..files {
        world.write(&format!("{file}.rs"), format!("pub fn f{file}() -> u32 {{\n    {file}\n}}\n"));
    }
    let path = world.folder.path().join("job.toml");
    std::fs::write(&path, job(embedder, "pipeline")).unwrap();
    let server = Server::start(&world, &[path.to_str().unwrap()]);
    (world, server)
}

#[test]
fn what_takes_longer_goes_on_and_is_shown() {
    let embedder = EmbedServer::start();
    let (world, server) = slow_world(&embedder, 400);
    let answer = server.post("/v1/jobs/job/run", &json!({ "wait_ms": 0 }));
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert!(["queued", "running"].contains(&answer.json()["state"].as_str().unwrap()), "{}", answer.text);
    let status = server.wait_until("indexing", |status| {
        status["indexing"]["state"] == "indexing" && status["writer"]["phase"] == "process"
    });
    assert!(status["writer"]["command"].as_str().unwrap().ends_with("gristmill serve"), "{status}");
    assert!(status["writer"]["memory_bytes"].as_u64() > Some(1 << 20), "{status}");
    // The command line sees it too, though there is no epoch.
    let seen = world.read(&["status"]);
    assert!(seen.starts_with("epoch   none yet\nwriter  process ") && seen.contains("gristmill serve"), "{seen}");
    let refused = world.run_command(&["--quiet"]).output().unwrap();
    let errors = crate::world::text(&refused.stderr);
    assert!(crate::world::code(&refused) == 4 && errors.contains("gristmill serve`)"), "{errors}");
    server.wait_for_epoch(1);
    assert_eq!(world.read(&["status"]).matches("writer").count(), 0);
}

#[test]
fn what_nobody_waits_for_any_more_is_abandoned() {
    let embedder = EmbedServer::start();
    let (world, server) = slow_world(&embedder, 4_000);
    let body = "{\"wait_ms\":600000}";
    let head = format!(
        "POST /v1/jobs/job/run HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut clients: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    for client in &mut clients {
        client.write_all(format!("{head}{body}").as_bytes()).unwrap();
    }
    server.wait_until("indexing", |status| status["indexing"]["state"] == "indexing");
    drop(clients);
    let status = server.wait_until("idle", |status| status["indexing"]["state"] == "idle" && status["queued"] == 0);
    assert_eq!((&status["newest_epoch"], &status["last_error"]), (&json!(null), &json!(null)), "{status}");
    assert!(world.try_digest_of(&world.index()).is_err(), "no epoch was committed");
}

#[test]
fn the_lock_of_another_process_is_waited_for() {
    let world = World::sample();
    world.run(&[]);
    let server = Server::start(&world, &[]);
    let lock = std::fs::File::open(world.index().join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    let refused = server.post("/v1/jobs/gristmill/run", &json!({ "wait_ms": 100 }));
    // Whichever ends first: its patience with the lock, or with the answer.
    assert!(refused.status == 202 || (refused.status == 503 && refused.code() == "busy"), "{}", refused.text);
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(run(&server, "update")["ending"], "unchanged");
            is_done.store(true, Ordering::Relaxed);
        });
        server.wait_until("waiting", |status| status["indexing"]["state"] == "indexing");
        std::thread::sleep(Duration::from_millis(50));
        assert!(!is_done.load(Ordering::Relaxed));
        drop(lock);
    });
}

/// Another index in the place of the served one: its lock counts, and its epochs are not taken for ours.
#[test]
fn an_index_that_was_replaced_is_another() {
    let world = World::sample();
    for edit in ["pub fn ours_1() {}\n", "pub fn ours_2() {}\n", "pub fn ours_3() {}\n"] {
        world.write("lib.rs", edit);
        world.run(&[]);
    }
    let other = World::sample();
    for edit in 1..=4 {
        other.write("lib.rs", format!("pub fn theirs_{edit}() {{}}\n"));
        other.run(&[]);
    }
    let server = Server::start(&world, &["--watch"]);
    server.wait_for_epoch(3);
    let symbols = |epoch: u64, name: &str| {
        let call = json!({ "tool": "get_symbols", "input": { "names": [name] } });
        let answer = server.post("/v1/ask", &json!({ "calls": [call], "epoch": epoch })).json();
        answer["answers"][0]["answer"]["symbols"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((symbols(2, "ours_2"), symbols(2, "theirs_2")), (1, 0));
    std::fs::rename(world.index(), world.folder.path().join("away")).unwrap();
    crate::damage::copy(&other.index(), &world.index());
    server.wait_for_epoch(4);
    assert_eq!((symbols(2, "ours_2"), symbols(2, "theirs_2")), (0, 1));
    let lock = std::fs::File::options().create(true).append(true).open(world.index().join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    let refused = server.post("/v1/jobs/gristmill/run", &json!({ "task": "clear", "wait_ms": 500 }));
    assert!(refused.status == 503 || refused.status == 202, "{}", refused.text);
    assert!(world.index().join("HEAD").exists(), "it has the lock of another");
}

/// What nobody waits for any more goes on waiting for the lock.
#[test]
fn a_request_that_is_left_is_done_once_the_lock_is_free() {
    let world = World::sample();
    world.run(&[]);
    for more in [&[][..], &["--watch"]] {
        let lock = std::fs::File::open(world.index().join("LOCK")).unwrap();
        lock.try_lock().unwrap();
        let server = Server::start(&world, more);
        world.write("lib.rs", format!("pub fn left_{}() {{}}\n", more.len()));
        let left = server.post("/v1/jobs/gristmill/run", &json!({ "task": "rebuild", "wait_ms": 0 }));
        assert_eq!(left.status, 202, "{}", left.text);
        // Longer than its patience.
        std::thread::sleep(Duration::from_millis(1500));
        drop(lock);
        server.wait_for_epoch(2 + more.len() as u64);
        assert!(finds(&server, &format!("left_{}", more.len())));
        drop(server);
    }
}

#[test]
fn a_token_indexes_only_where_it_may() {
    let world = World::new();
    let settings =
        settings(&world).replacen("jobs = [\"alpha.toml\"]\n", "jobs = [\"alpha.toml\"]\nmay_index = true\n", 1);
    let mut server = Server::of(command(&world, &settings));
    let ask = |server: &Server, job: &str| server.post(&format!("/v1/jobs/{job}/run"), &json!({}));
    assert_eq!(ask(&server, "alpha").status, 401);
    server.use_token(Some(TOKEN_A));
    assert_eq!(ask(&server, "alpha").status, 200);
    assert_eq!(ask(&server, "beta").status, 404, "the job of another tenant is not there");
    server.use_token(Some(TOKEN_B));
    let refused = ask(&server, "beta");
    assert_eq!((refused.status, &*refused.code()), (403, "forbidden"), "{}", refused.text);
    let list = |server: &Server| {
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let answer = server.post("/mcp", &list).json();
        answer["result"]["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "index")
    };
    assert!(!list(&server));
    server.use_token(Some(TOKEN_A));
    assert!(list(&server));
}
