//! The HTTP embedder against a server in its own process, which injects faults.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use gristmill_operators::embed::{HttpConfig, HttpEmbed, HttpError, StaticConfig, StaticEmbed};
use gristmill_pipeline::port::{Header, Passage, Text};
use gristmill_pipeline::{Batch, Embedder as _, Emitter, Operator, OperatorError, PassageKey};

#[path = "../../examples/embed_server.rs"]
mod embed_server;

/// A server that stops with its test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

/// Runs the server; started by the tests below in its own process.
#[test]
#[ignore = "the server of the other tests"]
fn serve() {
    let args = std::env::var("EMBED_SERVER").unwrap_or_default();
    let args: Vec<String> = args.split('\t').filter(|arg| !arg.is_empty()).map(str::to_owned).collect();
    embed_server::serve(&args).unwrap();
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["http::serve", "--exact", "--ignored", "--nocapture"])
            .env("EMBED_SERVER", args.join("\t"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| Some(line.ok()?.split_once("listening on ")?.1.to_owned()));
        let url = address.expect("the server prints its address");
        // Drains its output, so that it never blocks.
        std::thread::spawn(move || lines.count());
        Self { child, url }
    }

    /// Returns the numbers of requests, of texts, and of concurrent requests.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let address = self.url.trim_start_matches("http://").trim_end_matches("/v1");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /counts HTTP/1.1\r\n\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let json: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
        let count = |name: &str| json[name].as_u64().unwrap();
        (count("requests"), count("texts"), count("at_once"))
    }

    fn config(&self) -> HttpConfig {
        HttpConfig {
            url: Some(self.url.clone()),
            model: Some("static-code".into()),
            dimension: 256.try_into().ok(),
            backoff_ms: 1,
            timeout_ms: 20_000,
            batch_texts: 4.try_into().unwrap(),
            ..HttpConfig::default()
        }
    }

    fn connect(&self) -> HttpEmbed {
        HttpEmbed::connect(&self.config()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const TEXTS: [&str; 6] =
    ["open a file", "close it", "parse JSON into a tree", "hash bytes", "a b c", "send a request again"];

type Found = (Vec<(u128, Vec<f32>)>, Vec<(String, String)>);

/// Returns the vectors by key, and the paths and messages of the diagnostics.
fn run(embed: &HttpEmbed, texts: &[&str]) -> Result<Found, OperatorError> {
    let passage = |(index, text): (usize, &&str)| {
        Arc::new(Passage {
            key: PassageKey::from_bits(index as u128),
            header: Header::None,
            path: format!("src/{index}.rs").as_str().into(),
            scope: "".into(),
            symbol: "".into(),
            context: "".into(),
            text: Text::new(*text),
            tokens: 0,
        })
    };
    let mut out = Emitter::new("embed".into());
    embed.process(Batch(texts.iter().enumerate().map(passage).collect()), &mut out)?;
    let (vectors, reports) = out.into_parts();
    let mut vectors: Vec<_> =
        vectors.into_iter().map(|vector| (vector.key.to_bits(), vector.values.into_vec())).collect();
    vectors.sort_by_key(|(key, _)| *key);
    Ok((vectors, reports.into_iter().map(|(path, found)| (path.to_string(), found.message.into())).collect()))
}

/// Checks that all texts have the vectors of the static table.
fn check(embed: &HttpEmbed) {
    let (vectors, reports) = run(embed, &TEXTS).unwrap();
    assert_eq!(reports, []);
    let table = StaticEmbed::new(&StaticConfig::default()).unwrap();
    assert_eq!(vectors.len(), TEXTS.len());
    for ((_, vector), text) in vectors.iter().zip(TEXTS) {
        let mut wanted = vec![0.0; 256];
        table.embed_text(text, &mut wanted);
        assert!(vector.iter().zip(&wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-6), "{text}");
    }
}

fn failure(embed: &HttpEmbed) -> String {
    run(embed, &TEXTS).unwrap_err().message.into()
}

#[test]
fn texts_go_in_batches_and_vectors_come_back_in_order() {
    let server = Server::start(&[]);
    let embed = server.connect();
    assert_eq!(server.counts(), (0, 0, 0), "a known dimension is not queried");
    check(&embed);
    let (requests, texts, _) = server.counts();
    assert_eq!((requests, texts), (2, 6));
    let query = embed.embed_query("open a file").unwrap().unwrap();
    assert_eq!(query.len(), 256);
    // The URL may include the path of the endpoint.
    let whole = HttpConfig { url: Some(format!("{}/embeddings", server.url)), ..server.config() };
    check(&HttpEmbed::connect(&whole).unwrap());
}

#[test]
fn the_dimension_is_queried_once() {
    let server = Server::start(&["--components", "40"]);
    let config = HttpConfig { dimension: None, ..server.config() };
    let embed = HttpEmbed::connect(&config).unwrap();
    assert_eq!(embed.dimension(), 40);
    assert_eq!(server.counts().0, 1);
    run(&embed, &TEXTS).unwrap();
    assert_eq!(server.counts().0, 3);
    let error = HttpEmbed::connect(&HttpConfig { dimension: 41.try_into().ok(), ..config }).unwrap();
    let message = failure(&error);
    assert!(message.contains("expected vectors with 41 components, found 40"), "{message}");
}

#[test]
fn concurrency_is_bounded() {
    let server = Server::start(&["--slow", "20"]);
    let texts: Vec<String> = (0..24).map(|index| format!("text {index}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let one = HttpConfig { batch_texts: 1.try_into().unwrap(), ..server.config() };
    let embed = HttpEmbed::connect(&HttpConfig { concurrency: 3.try_into().unwrap(), ..one }).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(run(&embed, &texts).unwrap().0.len(), 24));
        }
    });
    let (requests, _, at_once) = server.counts();
    assert_eq!(requests, 72);
    assert!((2..=3).contains(&at_once), "{at_once}");
}

#[test]
fn transient_errors_are_retried() {
    for (fault, count) in [
        (vec!["--fail", "2", "--status", "429", "--retry-after", "0"], 2),
        (vec!["--fail", "3", "--status", "503"], 3),
        (vec!["--half", "1"], 1),
        (vec!["--few", "1"], 1),
    ] {
        let server = Server::start(&fault);
        let config = HttpConfig { concurrency: 1.try_into().unwrap(), ..server.config() };
        check(&HttpEmbed::connect(&config).unwrap());
        assert_eq!(server.counts().0, 2 + count, "{fault:?}");
    }
}

#[test]
fn retry_after_is_honoured() {
    let server = Server::start(&["--fail", "1", "--status", "429", "--retry-after", "1"]);
    let started = std::time::Instant::now();
    check(&server.connect());
    assert!(started.elapsed().as_millis() >= 1_000);
}

#[test]
fn exhausted_retries_say_what_to_do() {
    let many = ["--fail", "1000", "--status"];
    for (fault, retries, words) in [
        ([many.as_slice(), &["500"]].concat(), 2, "gave up after 3 attempts: server error (status 500: not now)"),
        ([many.as_slice(), &["429"]].concat(), 1, "set `requests_per_minute`"),
        (vec!["--half", "1000"], 1, "malformed response"),
        (vec!["--few", "1000"], 0, "5 vectors for 6 texts"),
    ] {
        let server = Server::start(&fault);
        let config = HttpConfig { batch_texts: 8.try_into().unwrap(), retries, ..server.config() };
        let message = failure(&HttpEmbed::connect(&config).unwrap());
        assert!(message.contains(words), "{message}");
        assert!(message.contains("run again when the server is available"), "{message}");
        assert_eq!(server.counts().0, u64::from(retries) + 1, "{fault:?}");
    }
}

#[test]
fn requests_time_out() {
    let server = Server::start(&["--silent", "1"]);
    let config = HttpConfig { timeout_ms: 300, concurrency: 1.try_into().unwrap(), ..server.config() };
    check(&HttpEmbed::connect(&config).unwrap());
    let server = Server::start(&["--silent", "1000"]);
    let config = HttpConfig { url: Some(server.url.clone()), retries: 0, ..config };
    let message = failure(&HttpEmbed::connect(&config).unwrap());
    assert!(message.contains("no response within 300 ms"), "{message}");
    let nobody = HttpConfig { url: Some("http://127.0.0.1:9/v1".into()), ..config };
    let message = failure(&HttpEmbed::connect(&nobody).unwrap());
    assert!(message.contains("check that it is running"), "{message}");
    let error = HttpEmbed::connect(&HttpConfig { dimension: None, ..nobody }).unwrap_err();
    assert_eq!(error.parameter(), "url");
    assert!(error.to_string().ends_with("or set `dimension`"), "{error}");
}

#[test]
fn rejected_batches_are_halved() {
    let server = Server::start(&["--most", "1"]);
    check(&server.connect());
    assert_eq!(server.counts().1, 6);

    let server = Server::start(&["--refuse", "JSON", "--null", "hash"]);
    let (vectors, reports) = run(&server.connect(), &TEXTS).unwrap();
    assert_eq!(vectors.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [0, 1, 4, 5]);
    let mut reports = reports;
    reports.sort();
    assert_eq!(reports.len(), 2);
    assert!(reports[0].0 == "src/2.rs" && reports[0].1.contains("status 400"), "{reports:?}");
    assert!(reports[1].0 == "src/3.rs" && reports[1].1.contains("NaN"), "{reports:?}");
    assert!(reports.iter().all(|(_, message)| !message.contains("JSON")), "{reports:?}");
}

#[test]
fn a_server_that_rejects_every_text_fails_the_stage() {
    let server = Server::start(&["--fail", "1000", "--status", "400"]);
    let message = failure(&server.connect());
    assert!(message.contains("status 400: not now"), "{message}");
}

#[test]
fn wrong_keys_and_models_fail_without_retries() {
    let server = Server::start(&["--key", "right-key", "--model", "static-code"]);
    // Cargo always sets this variable, so it serves as the key.
    let path = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    for key_env in [None, Some("CARGO_MANIFEST_DIR".to_owned())] {
        let config = HttpConfig { key_env, ..server.config() };
        let before = server.counts().0;
        let one = HttpConfig { batch_texts: 8.try_into().unwrap(), ..config };
        let message = failure(&HttpEmbed::connect(&one).unwrap());
        assert!(message.contains("status 401") && message.contains("`key_env`"), "{message}");
        assert!(!message.contains(&path), "{message}");
        assert_eq!(server.counts().0, before + 1, "a wrong key is not retried");
    }
    let unset = HttpConfig { key_env: Some("GRISTMILL_NO_SUCH_VARIABLE".into()), ..server.config() };
    let error = HttpEmbed::connect(&unset).unwrap_err();
    assert_eq!(error.parameter(), "key_env");
    assert!(error.to_string().contains("is not set"), "{error}");

    let server = Server::start(&["--key", &path, "--model", "static-code"]);
    let right = HttpConfig { key_env: Some("CARGO_MANIFEST_DIR".into()), ..server.config() };
    check(&HttpEmbed::connect(&right).unwrap());
    let one = HttpConfig { model: Some("other".into()), batch_texts: 8.try_into().unwrap(), ..right };
    let message = failure(&HttpEmbed::connect(&one).unwrap());
    assert!(message.contains("model or address not found (status 404: no such model)"), "{message}");
}

#[test]
fn invalid_parameters_are_rejected() {
    let fault = |config: HttpConfig| match HttpEmbed::connect(&config).unwrap_err() {
        HttpError::Parameter { name, .. } => name,
        other => panic!("{other}"),
    };
    let url = |url: &str| HttpConfig { url: Some(url.into()), model: Some("m".into()), ..HttpConfig::default() };
    assert_eq!(fault(HttpConfig::default()), "url");
    assert_eq!(fault(HttpConfig { model: None, ..url("http://localhost/v1") }), "model");
    assert_eq!(fault(url("localhost/v1")), "url");
    assert_eq!(fault(url("http://me:secret@localhost/v1")), "url");
}

#[test]
fn the_fingerprint_depends_on_model_and_revision_but_not_on_the_url() {
    let config = HttpConfig {
        url: Some("http://localhost:1/v1".into()),
        model: Some("m".into()),
        dimension: 8.try_into().ok(),
        ..HttpConfig::default()
    };
    let print = |config: HttpConfig| HttpEmbed::connect(&config).unwrap().fingerprint();
    let first = print(config.clone());
    let key_env = Some("CARGO_MANIFEST_DIR".into());
    let moved = HttpConfig { url: Some("http://localhost:2/v1".into()), retries: 1, key_env, ..config.clone() };
    assert_eq!(print(moved), first);
    assert_ne!(print(HttpConfig { model: Some("n".into()), ..config.clone() }), first);
    assert_ne!(print(HttpConfig { revision: "2".into(), ..config.clone() }), first);
    assert_ne!(print(HttpConfig { dimension: 9.try_into().ok(), ..config }), first);
}
