//! Embedders that hang while a query waits.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use serde_json::{Value, json};

use super::client::Server;
use crate::servers::{EmbedServer, job};
use crate::world::{World, code, text};

/// Listens for requests for embeddings, and never answers one with a text that says `hang`.
/// Gives the URL.
fn embedder() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || stream.map(|stream| while answer_one(&stream).is_some() {}));
        }
    });
    url
}

/// Reads a request and answers it; none if there are no more.
fn answer_one(mut stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let texts = body["input"].as_array()?;
    if texts.iter().any(|text| text.as_str().is_some_and(|text| text.contains("hang"))) {
        // For as long as the client has patience.
        let _ = stream.read(&mut [0; 1]);
        return None;
    }
    let vector =
        |(index, text): (usize, &Value)| json!({ "index": index, "embedding": [1, text.as_str().map_or(0, str::len)] });
    let data: Vec<Value> = texts.iter().enumerate().map(vector).collect();
    let answer = json!({ "data": data }).to_string();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).ok()
}

/// A tree that was indexed by an embedder behind HTTP, and commands that know where it is.
struct Embedded {
    world: World,
    url: String,
}

impl Embedded {
    fn new() -> Self {
        let embedded = Self { world: World::sample(), url: embedder() };
        let stages = include_str!("../../../../../configs/http.toml").split_once("\n\n[[stage]]").unwrap().1;
        let (before, after) = stages.split_once("dimension = 768").unwrap();
        let job = format!("[source]\npath = \"src\"\n[index]\npath = \"index\"\n[[stage]]{before}dimension = 2{after}");
        std::fs::write(embedded.world.folder.path().join("job.toml"), job).unwrap();
        let output = embedded.command(&["run", "job.toml", "--quiet"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        embedded
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.world.command(args);
        command.env("EMBED_URL", &self.url);
        command
    }
}

#[test]
fn search_falls_back_to_lexical_when_the_embedder_hangs() {
    let embedded = Embedded::new();
    let server = Server::of(embedded.command(&["serve", "job.toml"]));
    server.wait_for_epoch(1);
    let ask = |query: &str| {
        let answer = server.post("/v1/tools/search?deadline_ms=4000", &json!({ "query": query }));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["answers"][0].take()
    };
    let answered = ask("settings file");
    assert_eq!(answered["notes"], Value::Null, "{answered}");
    let answered = ask("settings file, hang");
    assert_eq!(answered["notes"][0]["code"], "lexical_only", "{answered}");
    assert!(answered["notes"][0]["message"].as_str().unwrap().contains("timeout after"), "{answered}");
    assert_eq!(answered["answer"]["hits"][0]["symbol"], "parse_config", "{answered}");
    // Other queries are not delayed.
    assert_eq!(ask("settings file")["notes"], Value::Null);
}

#[test]
fn vectors_of_another_dimension_are_rejected() {
    let embedded = Embedded::new();
    let before = embedded.world.digest();
    // The default job embeds with the static model.
    for name in ["run", "plan"] {
        let output = embedded.world.job_command(name, &[]).output().unwrap();
        let said = text(&output.stderr);
        assert!(code(&output) == 2 && said.contains("2 components") && said.contains("--full"), "{name}: {said}");
    }
    assert_eq!(embedded.world.digest(), before);
    // Garbage collection needs no embedder.
    let output = embedded.world.job_command("gc", &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(embedded.world.run(&["--full"]).0["work"]["passages_embedded"], 5);
    assert_eq!(embedded.world.digest(), embedded.world.digest_from_scratch());
}

/// Requests to an embedding server are part of the trace that the query or the run is part of.
#[test]
fn traces_go_on_to_the_embedding_server() {
    let (of_run, of_query) = ("0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736");
    let embedder = EmbedServer::start();
    let world = World::sample();
    let path = world.folder.path().join("job.toml");
    std::fs::write(&path, job(&embedder, "pipeline")).unwrap();
    let path = path.to_str().unwrap();
    let mut run = world.run_command(&["--quiet", path]);
    let output = run.env("TRACEPARENT", format!("00-{of_run}-b7ad6b7169203331-01")).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let sent = || embedder.counts()["traceparent"].as_str().map(ToOwned::to_owned);
    assert!(sent().is_some_and(|sent| sent.starts_with(&format!("00-{of_run}-")) && !sent.contains("b7ad6b71")));

    let server = Server::start(&world, &[path]);
    server.wait_for_epoch(1);
    let body = json!({ "query": "where is the cache", "mode": "vector" }).to_string();
    let trace = format!("00-{of_query}-00f067aa0ba902b7-01");
    let answer = server.request("POST", "/v1/tools/search", &[("traceparent", &trace)], &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(sent().is_some_and(|sent| sent.starts_with(&format!("00-{of_query}-")) && sent != trace));
    let answer = server.post("/v1/tools/search", &json!({ "query": "another question", "mode": "vector" }));
    assert_eq!((answer.status, sent()), (200, None), "{}", answer.text);
}
