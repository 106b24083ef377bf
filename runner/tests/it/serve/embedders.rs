//! Embedders that leave a query waiting.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use super::client::Server;
use crate::world::{World, text};

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

#[test]
fn a_query_whose_embedder_hangs_goes_by_words() {
    let world = World::sample();
    let stages = include_str!("../../../../configs/http.toml").split_once("\n\n[[stage]]").unwrap().1;
    let (before, after) = stages.split_once("dimension = 768").unwrap();
    let job = format!("[source]\npath = \"src\"\n[index]\npath = \"index\"\n[[stage]]{before}dimension = 2{after}");
    std::fs::write(world.folder.path().join("job.toml"), job).unwrap();
    let url = embedder();
    let command = |args: &[&str]| {
        let mut command = world.command(args);
        command.env("EMBED_URL", &url);
        command
    };
    let output = command(&["run", "job.toml", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let server = Server::of(command(&["serve", "job.toml"]));
    server.wait_for_epoch(1);
    let ask = |query: &str| {
        let answer = server.post("/v1/tools/search?deadline_ms=4000", &json!({ "query": query }));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["answers"][0].take()
    };
    let answered = ask("settings file");
    assert_eq!(answered["notes"], Value::Null, "{answered}");
    let answered = ask("settings file, hang");
    assert_eq!(answered["notes"][0]["code"], "words_only", "{answered}");
    assert!(answered["notes"][0]["message"].as_str().unwrap().contains("longer than"), "{answered}");
    assert_eq!(answered["answer"]["hits"][0]["symbol"], "parse_config", "{answered}");
    // What hangs holds nobody else up.
    assert_eq!(ask("settings file")["notes"], Value::Null);
}
