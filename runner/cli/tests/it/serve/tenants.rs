//! Tenants: a token grants its jobs and no others.

use serde_json::json;

use super::client::Server;
use crate::world::{World, code, text};

pub(super) const TOKEN_A: &str = "token-of-a-0123456789";
pub(super) const TOKEN_B: &str = "token-of-b-0123456789";

/// Two jobs, `alpha` and `beta`, of a tenant each.
pub(super) fn settings(world: &World) -> String {
    world.write("lib.rs", "pub fn of_alpha() {}\n");
    world.write("beta/lib.rs", "pub fn of_beta() {}\n");
    for (name, source) in [("alpha", "src"), ("beta", "src/beta")] {
        let job = format!("[source]\npath = \"{source}\"\n\n[index]\npath = \"index-{name}\"\n");
        std::fs::write(world.folder.path().join(format!("{name}.toml")), job).unwrap();
        let output = world.command(&["run", "--quiet", &format!("{name}.toml")]).output().unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    }
    // printf token-of-b-0123456789 | sha256sum
    let digest = "7185228a8c6c664ae0a9ace2eaa55ebc252b51b747f615f83113ee11963a75a7";
    format!(
        "[[tenant]]\nname = \"a\"\ntoken_env = \"GRISTMILL_TEST_TOKEN_A\"\njobs = [\"alpha.toml\"]\n\n\
         [[tenant]]\nname = \"b\"\ntoken_sha256 = \"{digest}\"\njobs = [\"beta.toml\"]\n"
    )
}

pub(super) fn command(world: &World, settings: &str) -> std::process::Command {
    let file = world.folder.path().join("server.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = world.command(&["serve", "--config"]);
    command.arg(file).env("GRISTMILL_TEST_TOKEN_A", TOKEN_A);
    command
}

fn served() -> (World, Server) {
    let world = World::new();
    let settings = settings(&world);
    let server = Server::of(command(&world, &settings));
    (world, server)
}

/// A tenant beyond its rate is told to wait, and the log says who sent what, and what came of it.
#[test]
fn requests_are_limited_and_logged() {
    let world = World::new();
    let settings =
        settings(&world).replacen("jobs = [\"alpha.toml\"]\n", "jobs = [\"alpha.toml\"]\nrequests_per_second = 3\n", 1);
    let mut command = command(&world, &format!("[limits]\nslow_call_ms = 1\n\n{settings}"));
    command.env("GRISTMILL_LOG", "info").env("GRISTMILL_LOG_FORMAT", "json");
    let mut server = Server::of(command);
    server.use_token(Some(TOKEN_A));
    let answers: Vec<_> = (0..40).map(|_| server.get("/v1/jobs")).collect();
    assert!(answers[..3].iter().all(|answer| answer.status == 200));
    let refused = answers.iter().find(|answer| answer.status == 429).expect("some are beyond the rate");
    assert_eq!((&*refused.code(), refused.header("retry-after")), ("busy", "1"));
    server.use_token(Some(TOKEN_B));
    let body = json!({ "calls": [{ "tool": "search", "input": { "query": "of_beta" } }] }).to_string();
    let answer = server.request("POST", "/v1/ask", &[("x-request-id", "of-b")], &body);
    assert_eq!(answer.status, 200, "the other tenant is not limited: {}", answer.text);
    assert_eq!(server.end("-TERM"), Some(0));
    let log = server.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let finished = |tenant: &str, outcome: &str| {
        lines
            .iter()
            .any(|line| line["message"] == "request finished" && line["tenant"] == tenant && line["outcome"] == outcome)
    };
    assert!(finished("a", "ok") && finished("a", "busy") && finished("b", "ok"), "{log}");
    let slow = lines.iter().find(|line| line["message"] == "slow call").expect("the first search opens tables");
    assert!(
        slow["request"] == "of-b" && slow["tenant"] == "b" && slow["input"].as_str().unwrap().contains("of_beta"),
        "{slow}"
    );
}

#[test]
fn without_a_token_nothing_is_revealed() {
    let (_world, mut server) = served();
    for token in [None, Some("wrong"), Some(""), Some(&TOKEN_A[..20])] {
        server.use_token(token);
        let id = [("x-request-id", "same")];
        let first = server.request("GET", "/v1/jobs", &id, "");
        assert_eq!((first.status, first.code().as_str()), (401, "unauthorised"), "{token:?}");
        assert_eq!(first.header("www-authenticate"), "Bearer");
        assert!(first.text.contains(" bearer token"), "{}", first.text);
        for (method, path) in [
            ("POST", "/v1/ask"),
            ("POST", "/v1/tools/search"),
            ("GET", "/v1/tools"),
            ("GET", "/v1/status?job=alpha"),
            ("GET", "/v1/events?job=alpha"),
            ("GET", "/v1/nothing"),
            ("DELETE", "/v1/ask"),
            ("POST", "/mcp"),
            ("GET", "/mcp/nothing"),
        ] {
            let answer = server.request(method, path, &id, "");
            assert_eq!((answer.status, &answer.text), (401, &first.text), "{method} {path}");
        }
        for path in ["/", "/health", "/ready", "/metrics", "/openapi.json", "/assets/app.js"] {
            assert_ne!(server.get(path).status, 401, "{path}");
        }
    }
}

#[test]
fn jobs_of_other_tenants_do_not_exist() {
    let (_world, mut server) = served();
    for (token, own, foreign) in [(TOKEN_A, "alpha", "beta"), (TOKEN_B, "beta", "alpha")] {
        server.use_token(Some(token));
        let jobs = server.get("/v1/jobs").json();
        assert_eq!(jobs.as_array().unwrap().len(), 1);
        assert_eq!(jobs[0]["name"], own);
        let symbols = |job: &str| {
            let calls = json!([{ "tool": "get_symbols", "input": {} }]);
            let body = json!({ "calls": calls, "job": job });
            server.request("POST", "/v1/ask", &[("x-request-id", "same")], &body.to_string())
        };
        let answer = symbols(own);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains(&format!("of_{own}")), "{}", answer.text);
        let refused = symbols(foreign);
        assert_eq!((refused.status, refused.code().as_str()), (404, "unknown_job"));
        assert_eq!(refused.text, symbols("nobody's").text);
        assert!(!refused.text.contains(foreign), "{}", refused.text);
        for path in ["/v1/status", "/v1/events"] {
            let refused = server.get(&format!("{path}?job={foreign}"));
            assert_eq!((refused.status, &refused.text), (404, &server.get(&format!("{path}?job=nobody")).text));
        }
        // A single job need not be named.
        assert_eq!(server.status()["job"], own);
    }
}

#[test]
fn public_routes_name_no_job() {
    let (world, mut server) = served();
    server.use_token(Some(TOKEN_A));
    server.wait_for_epoch(1);
    server.ask("search", json!({ "query": "of_alpha" }));
    server.use_token(None);
    std::fs::remove_dir_all(world.folder.path().join("index-beta")).unwrap();
    for path in ["/metrics", "/ready", "/health", "/openapi.json"] {
        let text = server.get(path).text;
        assert!(!text.contains("alpha") && !text.contains("beta"), "{path}: {text}");
    }
}

#[test]
fn invalid_settings_are_rejected() {
    let world = World::new();
    let good = settings(&world);
    let cases = [
        (good.replace("GRISTMILL_TEST_TOKEN_A", "GRISTMILL_TEST_UNSET"), "GRISTMILL_TEST_UNSET"),
        (good.replace("[[tenant]]\nname = \"b\"", "[[tenant]]\nnames = \"b\""), "unknown field `names`"),
        (good.replace("beta.toml", "gamma.toml"), "gamma.toml"),
        (format!("listen = 7\n{good}"), "listen"),
    ];
    for (settings, part) in cases {
        let output = command(&world, &settings).output().unwrap();
        assert_eq!(code(&output), 2, "{part}");
        assert!(text(&output.stderr).contains(part), "{part}: {}", text(&output.stderr));
    }
    let output = command(&world, &good).arg("alpha.toml").output().unwrap();
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
}

#[test]
fn tenants_may_share_a_job() {
    let world = World::new();
    let settings = settings(&world).replace("[\"beta.toml\"]", "[\"beta.toml\", \"alpha.toml\"]");
    let mut server = Server::of(command(&world, &settings));
    server.use_token(Some(TOKEN_B));
    assert_eq!(server.get("/v1/jobs").json().as_array().unwrap().len(), 2);
    let answer = server.get("/v1/status");
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_input"), "`job` is required: {}", answer.text);
    server.use_token(Some(TOKEN_A));
    assert_eq!(server.get("/v1/jobs").json().as_array().unwrap().len(), 1);
}
