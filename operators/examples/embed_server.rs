//! A server of embeddings for tests and trials: `/v1/embeddings` over the static table,
//! with faults on demand.
//!
//! ```text
//! cargo run -p gristmill-operators --example embed_server -- --port 8080
//! ```
//!
//! | switch | what it does |
//! |---|---|
//! | `--port N` | listens there; at a free port by default, which the first line names |
//! | `--status S`, `--retry-after N` | what `--fail` answers with (500), and how long to wait |
//! | `--fail N` | the first N requests fail |
//! | `--half N`, `--few N`, `--silent N` | the first N answers are cut off, lack a vector, or never come |
//! | `--slow MS` | waits before each answer |
//! | `--components N` | vectors of so many components |
//! | `--most N` | status 413 for more texts |
//! | `--refuse WORD` | status 400 for a text that holds it |
//! | `--null WORD` | a vector of nulls for a text that holds it |
//! | `--model M`, `--key K` | status 404 and 401 for others |
//! | `--files FOLDER` | serves its files, from any byte on |
//!
//! `GET /counts` tells as JSON how many requests and texts came, and how many requests
//! were under way at once.
#![allow(clippy::print_stdout, reason = "its first line says where it listens")]

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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
    let mut switches = HashMap::new();
    for pair in args.chunks(2) {
        let [switch, value] = pair else { return Err(format!("{} needs a value", pair[0]).into()) };
        switches.insert(switch.trim_start_matches('-').to_owned(), value.clone());
    }
    let server = Arc::new(Server {
        switches,
        table: StaticEmbed::new(&StaticConfig::default())?,
        requests: AtomicU64::new(0),
        texts: AtomicU64::new(0),
        at_once: AtomicU64::new(0),
        most_at_once: AtomicU64::new(0),
    });
    let port = server.number("port").unwrap_or_default();
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port)?))?;
    println!("listening on http://{}/v1", listener.local_addr()?);
    for stream in listener.incoming() {
        let server = Arc::clone(&server);
        // Whoever hangs up is not missed.
        std::thread::spawn(move || stream.map(|stream| server.connection(&stream)));
    }
    Ok(())
}

struct Server {
    switches: HashMap<String, String>,
    table: StaticEmbed,
    requests: AtomicU64,
    texts: AtomicU64,
    at_once: AtomicU64,
    most_at_once: AtomicU64,
}

struct Request {
    line: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Only this much of the body is sent, and the connection closed.
    cut: Option<usize>,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes(), cut: None }
    }

    fn error(status: u16, message: &str) -> Self {
        Self::json(status, &json!({ "error": { "message": message } }))
    }
}

impl Server {
    fn number(&self, switch: &str) -> Option<u64> {
        self.switches.get(switch)?.parse().ok()
    }

    /// Whether this request is among the first that the switch is about.
    fn among_first(&self, switch: &str, nth: u64) -> bool {
        self.number(switch).is_some_and(|first| nth < first)
    }

    fn connection(&self, stream: &TcpStream) -> Outcome<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        while let Some(request) = read_request(&mut reader)? {
            let answer = self.answer(&request);
            let whole = answer.body.len();
            let mut head = format!("HTTP/1.1 {} -\r\nContent-Length: {whole}\r\n", answer.status);
            for (name, value) in &answer.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let mut stream = stream;
            stream.write_all(format!("{head}\r\n").as_bytes())?;
            stream.write_all(&answer.body[..answer.cut.unwrap_or(whole)])?;
            if answer.cut.is_some() {
                stream.shutdown(std::net::Shutdown::Both)?;
                break;
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut words = request.line.split(' ');
        match (words.next(), words.next()) {
            (Some("GET"), Some("/counts")) => {
                let load = |count: &AtomicU64| count.load(Ordering::SeqCst);
                let (requests, texts) = (load(&self.requests), load(&self.texts));
                Answer::json(200, &json!({ "requests": requests, "texts": texts, "at_once": load(&self.most_at_once) }))
            }
            (Some("GET"), Some(path)) => self.file(path, request),
            (Some("POST"), Some("/v1/embeddings")) => {
                let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
                self.most_at_once.fetch_max(now, Ordering::SeqCst);
                let answer = self.embeddings(request);
                self.at_once.fetch_sub(1, Ordering::SeqCst);
                answer
            }
            _ => Answer::error(404, "there is nothing here"),
        }
    }

    fn embeddings(&self, request: &Request) -> Answer {
        let nth = self.requests.fetch_add(1, Ordering::SeqCst);
        if let Some(slow) = self.number("slow") {
            std::thread::sleep(Duration::from_millis(slow));
        }
        if self.among_first("silent", nth) {
            std::thread::sleep(Duration::from_secs(3_600));
        }
        if self.among_first("fail", nth) {
            let status = self.number("status").and_then(|status| status.try_into().ok()).unwrap_or(500);
            let mut answer = Answer::error(status, "not now");
            answer.headers.extend(self.switches.get("retry-after").map(|wait| ("Retry-After", wait.clone())));
            return answer;
        }
        let wanted = self.switches.get("key").map(|key| format!("Bearer {key}"));
        if wanted.is_some_and(|wanted| request.headers.get("authorization") != Some(&wanted)) {
            return Answer::error(401, &format!("wrong key: {:?}", request.headers.get("authorization")));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return Answer::error(400, "this is no JSON");
        };
        if self.switches.get("model").is_some_and(|model| body["model"] != **model) {
            return Answer::error(404, "no such model");
        }
        let texts: Vec<&str> = body["input"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if self.number("most").is_some_and(|most| texts.len() as u64 > most) {
            return Answer::error(413, "too many texts");
        }
        let holds = |switch: &str, text: &str| self.switches.get(switch).is_some_and(|word| text.contains(&**word));
        if texts.iter().any(|text| holds("refuse", text)) {
            return Answer::error(400, "I do not like this text");
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
        // Servers promise no order.
        data.reverse();
        if self.among_first("few", nth) {
            data.pop();
        }
        let mut answer = Answer::json(200, &json!({ "object": "list", "data": data }));
        answer.cut = self.among_first("half", nth).then_some(answer.body.len() / 2);
        answer
    }

    fn file(&self, path: &str, request: &Request) -> Answer {
        let Some(folder) = self.switches.get("files") else { return Answer::error(404, "no files are served") };
        let Ok(bytes) = std::fs::read(std::path::Path::new(folder).join(path.trim_start_matches('/'))) else {
            return Answer::error(404, "there is no such file");
        };
        let nth = self.requests.fetch_add(1, Ordering::SeqCst);
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let from = range.and_then(|from| from.parse().ok()).unwrap_or(0_usize).min(bytes.len());
        let status = if range.is_some() { 206 } else { 200 };
        let body = bytes[from..].to_vec();
        let cut = self.among_first("half", nth).then_some(body.len() / 2);
        Answer { status, headers: Vec::new(), body, cut }
    }
}

/// The next request of a connection; nothing at its end.
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
