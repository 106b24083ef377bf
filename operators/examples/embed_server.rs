//! An OpenAI-compatible embedding server for tests: `/v1/embeddings` with the static table, and
//! fault injection.
//!
//! ```text
//! cargo run -p gristmill-operators --example embed_server -- --port 8080
//! ```
//!
//! | flag | effect |
//! |---|---|
//! | `--port N` | listens on this port; by default on a free one, which the first line prints |
//! | `--fail N` | fails the first N requests |
//! | `--status S`, `--retry-after N` | the status (500) and `Retry-After` header of these failures |
//! | `--half N`, `--few N`, `--silent N` | truncates the first N responses, drops a vector of them, or never sends them |
//! | `--slow MS` | delays each response |
//! | `--components N` | returns vectors with N components |
//! | `--most N` | status 413 for a request with more than N texts |
//! | `--refuse WORD` | status 400 for a request with a text that contains it |
//! | `--null WORD` | returns a vector of nulls for a text that contains it |
//! | `--model M`, `--key K` | status 404 for another model, 401 for another API key |
//! | `--files FOLDER` | serves the files in the folder, with range requests |
//!
//! `GET /counts` returns the numbers of requests and texts, the maximum number of concurrent
//! requests, and the `traceparent` of the last one, as JSON.
#![allow(clippy::print_stdout, reason = "its first line is its address")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill_operators::embed::{StaticConfig, StaticEmbed};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[allow(dead_code, reason = "tests take the server as a module")]
fn main() -> Outcome<()> {
    serve(&std::env::args().skip(1).collect::<Vec<_>>())
}

/// Serves until the process ends.
pub fn serve(args: &[String]) -> Outcome<()> {
    let mut flags = HashMap::new();
    for pair in args.chunks(2) {
        let [flag, value] = pair else { return Err(format!("{} needs a value", pair[0]).into()) };
        flags.insert(flag.trim_start_matches('-').to_owned(), value.clone());
    }
    let server = Arc::new(Server {
        flags,
        table: StaticEmbed::new(&StaticConfig::default())?,
        requests: AtomicU64::new(0),
        texts: AtomicU64::new(0),
        running: AtomicU64::new(0),
        max_running: AtomicU64::new(0),
        trace: Mutex::default(),
    });
    let port = server.number("port").unwrap_or_default();
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port)?))?;
    println!("listening on http://{}/v1", listener.local_addr()?);
    for stream in listener.incoming() {
        let server = Arc::clone(&server);
        // Errors of a connection, such as a client that hangs up, are ignored.
        std::thread::spawn(move || stream.map(|stream| server.connection(&stream)));
    }
    Ok(())
}

struct Server {
    flags: HashMap<String, String>,
    table: StaticEmbed,
    requests: AtomicU64,
    texts: AtomicU64,
    running: AtomicU64,
    max_running: AtomicU64,
    /// The `traceparent` of the last request for embeddings.
    trace: Mutex<Option<String>>,
}

struct Request {
    line: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The number of bytes of the body after which the connection is closed.
    cut: Option<usize>,
}

impl Response {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes(), cut: None }
    }

    fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "error": { "message": message } }))
    }
}

impl Server {
    fn number(&self, flag: &str) -> Option<u64> {
        self.flags.get(flag)?.parse().ok()
    }

    /// Whether request number `index` is among the first ones that the flag affects.
    fn among_first(&self, flag: &str, index: u64) -> bool {
        self.number(flag).is_some_and(|first| index < first)
    }

    fn connection(&self, stream: &TcpStream) -> Outcome<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = read_request(&mut reader)? {
            let response = self.response(&request);
            let whole = response.body.len();
            let mut head = format!("HTTP/1.1 {} -\r\nContent-Length: {whole}\r\n", response.status);
            for (name, value) in &response.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let mut stream = stream;
            stream.write_all(format!("{head}\r\n").as_bytes())?;
            stream.write_all(&response.body[..response.cut.unwrap_or(whole)])?;
            if response.cut.is_some() {
                stream.shutdown(std::net::Shutdown::Both)?;
                break;
            }
        }
        Ok(())
    }

    fn response(&self, request: &Request) -> Response {
        let mut words = request.line.split(' ');
        match (words.next(), words.next()) {
            (Some("GET"), Some("/counts")) => {
                let load = |count: &AtomicU64| count.load(Ordering::SeqCst);
                let (requests, texts) = (load(&self.requests), load(&self.texts));
                Response::json(
                    200,
                    &json!({
                        "requests": requests,
                        "texts": texts,
                        "at_once": load(&self.max_running),
                        "traceparent": *self.trace.lock().unwrap_or_else(PoisonError::into_inner),
                    }),
                )
            }
            (Some("GET"), Some(path)) => self.file(path, request),
            (Some("POST"), Some("/v1/embeddings")) => {
                *self.trace.lock().unwrap_or_else(PoisonError::into_inner) =
                    request.headers.get("traceparent").cloned();
                let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
                self.max_running.fetch_max(now, Ordering::SeqCst);
                let response = self.embeddings(request);
                self.running.fetch_sub(1, Ordering::SeqCst);
                response
            }
            _ => Response::error(404, "there is nothing here"),
        }
    }

    fn embeddings(&self, request: &Request) -> Response {
        let index = self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some(slow) = self.number("slow") {
            std::thread::sleep(Duration::from_millis(slow));
        }
        if self.among_first("silent", index) {
            std::thread::sleep(Duration::from_secs(3_600));
        }
        if self.among_first("fail", index) {
            let status = self.number("status").and_then(|status| status.try_into().ok()).unwrap_or(500);
            let mut response = Response::error(status, "not now");
            response.headers.extend(self.flags.get("retry-after").map(|wait| ("Retry-After", wait.clone())));
            return response;
        }
        let wanted = self.flags.get("key").map(|key| format!("Bearer {key}"));
        if wanted.is_some_and(|wanted| request.headers.get("authorization") != Some(&wanted)) {
            return Response::error(401, &format!("wrong key: {:?}", request.headers.get("authorization")));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return Response::error(400, "this is no JSON");
        };
        if self.flags.get("model").is_some_and(|model| body["model"] != **model) {
            return Response::error(404, "no such model");
        }
        let texts: Vec<&str> = body["input"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if self.number("most").is_some_and(|most| texts.len() as u64 > most) {
            return Response::error(413, "too many texts");
        }
        let holds = |flag: &str, text: &str| self.flags.get(flag).is_some_and(|word| text.contains(&**word));
        if texts.iter().any(|text| holds("refuse", text)) {
            return Response::error(400, "I do not like this text");
        }
        self.texts.fetch_add(texts.len() as u64, Ordering::SeqCst);
        let components = self.number("components").map_or(256, |components| components as usize);
        let mut data = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let mut vector = vec![0.0; components];
            self.table.embed_text(text, &mut vector);
            let values: Vec<Value> =
                vector.iter().map(|value| if holds("null", text) { Value::Null } else { json!(value) }).collect();
            data.push(json!({ "index": index, "embedding": values }));
        }
        // The protocol does not guarantee an order.
        data.reverse();
        if self.among_first("few", index) {
            data.pop();
        }
        let mut response = Response::json(200, &json!({ "object": "list", "data": data }));
        response.cut = self.among_first("half", index).then_some(response.body.len() / 2);
        response
    }

    fn file(&self, path: &str, request: &Request) -> Response {
        let Some(folder) = self.flags.get("files") else { return Response::error(404, "no files are served") };
        let Ok(bytes) = std::fs::read(std::path::Path::new(folder).join(path.trim_start_matches('/'))) else {
            return Response::error(404, "there is no such file");
        };
        let index = self.requests.fetch_add(1, Ordering::SeqCst);
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from = range.and_then(|from| from.parse().ok()).unwrap_or(0_usize).min(bytes.len());
        let status = if range.is_some() { 206 } else { 200 };
        let body = bytes[from..].to_vec();
        let cut = self.among_first("half", index).then_some(body.len() / 2);
        Response { status, headers: Vec::new(), body, cut }
    }
}

/// Reads the next request of a connection; `None` at its end.
fn read_request(reader: &mut BufReader<TcpStream>) -> Outcome<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { line: line.trim().to_owned(), headers, body }))
}
