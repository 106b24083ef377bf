//! A server process, and an HTTP client for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{DEADLINE, Process};
use crate::world::World;

/// A server process that is stopped with the test.
pub(super) struct Server {
    process: Process,
    /// The address that it listens on, as `127.0.0.1:PORT`.
    pub(super) address: String,
    agent: ureq::Agent,
    token: Option<String>,
}

/// A response.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: ureq::http::HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The error code of the response, or of its first call.
    pub(super) fn code(&self) -> String {
        let json = self.json();
        let error = if json["error"].is_object() { &json["error"] } else { &json["answers"][0]["error"] };
        error["code"].as_str().unwrap_or("no error").to_owned()
    }
}

impl Server {
    /// Starts a server on the tree and index of a world.
    pub(super) fn start(world: &World, more: &[&str]) -> Self {
        Self::of(world.job_command("serve", more))
    }

    /// Starts a server with settings, on the tree and index of a world.
    pub(super) fn with_settings(world: &World, settings: &str, more: &[&str]) -> Self {
        let file = world.folder.path().join("server.toml");
        std::fs::write(&file, settings).unwrap();
        let mut command = world.job_command("serve", more);
        command.arg("--config").arg(file);
        Self::of(command)
    }

    /// Starts the server of a command, on a free port.
    pub(super) fn of(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]);
        let process = Process::start(command);
        let first = process.next_line().unwrap_or_default();
        let Some(address) = first.strip_prefix("listening on http://").map(ToOwned::to_owned) else {
            panic!("it does not listen: {first}{}", process.errors());
        };
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE));
        Self { process, address, agent: config.build().into(), token: None }
    }

    /// Sends a token with every request from now on.
    pub(super) fn use_token(&mut self, token: Option<&str>) {
        self.token = token.map(ToOwned::to_owned);
    }

    pub(super) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let uri = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answered = if body.is_empty() && method != "POST" {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.header("content-type", "application/json").body(body.to_owned()).unwrap())
        };
        let mut response = answered.unwrap_or_else(|error| panic!("{method} {path}: {error}; {}", self.log()));
        let text = response.body_mut().read_to_string().unwrap();
        Answer { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, &[], &body.to_string())
    }

    /// Calls a tool, which must succeed.
    pub(super) fn ask(&self, tool: &str, input: Value) -> Value {
        let answer = self.post("/v1/ask", &json!({ "calls": [{ "tool": tool, "input": input }] }));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let mut json = answer.json();
        assert!(json["answers"][0]["answer"].is_object(), "{json}");
        json["answers"][0]["answer"].take()
    }

    pub(super) fn status(&self) -> Value {
        self.get("/v1/status").json()
    }

    /// Waits until the status meets a condition.
    pub(super) fn wait_until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.status();
            if is_so(&status) {
                return status;
            }
            assert!(started.elapsed() < DEADLINE, "never {what}: {status}; {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until an epoch is served.
    pub(super) fn wait_for_epoch(&self, epoch: u64) -> Value {
        self.wait_until("the epoch", |status| status["epoch"] == epoch)
    }

    /// Opens a connection and sends nothing.
    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Subscribes to the events.
    pub(super) fn events(&self) -> Events {
        let mut stream = self.connect();
        write!(stream, "GET /v1/events HTTP/1.1\r\nhost: {}\r\n\r\n", self.address).unwrap();
        Events(BufReader::new(stream))
    }

    pub(super) fn log(&self) -> String {
        self.process.errors()
    }

    /// Sends a signal, and returns the exit code.
    pub(super) fn end(&mut self, signal: &str) -> Option<i32> {
        self.process.end(signal)
    }
}

/// The events of a server.
pub(super) struct Events(BufReader<TcpStream>);

impl Events {
    /// The data of the next event with this name.
    pub(super) fn next(&mut self, name: &str) -> Value {
        let wanted = format!("event: {name}");
        let mut line = String::new();
        let mut is_wanted = false;
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the events ended before `{name}`");
            let text = line.trim_end();
            if let Some(data) = text.strip_prefix("data: ")
                && is_wanted
            {
                return serde_json::from_str(data).unwrap();
            }
            if text.starts_with("event: ") {
                is_wanted = text == wanted;
            }
        }
    }

    /// The line with the status.
    pub(super) fn first_line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    /// Everything until the end of the stream.
    pub(super) fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest
    }
}
