//! One request for embeddings, and its answer.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::error::HttpError;

/// Asks a server for embeddings, once a call.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
    model: String,
    key: Option<Key>,
    timeout: Duration,
}

/// A secret, which is never shown.
pub(super) struct Key(pub(super) String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: Option<usize>,
    /// JSON has no NaN; servers write null for it.
    embedding: Vec<Option<f32>>,
}

/// Bytes that a number takes in an answer, at most.
const NUMBER_BYTES: usize = 40;

/// The most components that a vector may have where it is not known.
const MOST_COMPONENTS: usize = 16_384;

/// Bytes of an answer beside its numbers, and of an answer that is an error.
const OTHER_BYTES: usize = 1 << 20;

/// Letters of what the server said that a message repeats.
const SAID_LETTERS: usize = 200;

impl Client {
    pub(super) fn new(url: &str, model: &str, key: Option<Key>, timeout: Duration, connections: usize) -> Self {
        let base = url.trim_end_matches('/');
        let url = if base.ends_with("/embeddings") { base.to_owned() } else { format!("{base}/embeddings") };
        let agent = agent(&url, timeout, connections);
        Self { agent, url, model: model.into(), key, timeout }
    }

    /// Vectors for texts, in their order; of `dimension` components, if that is known.
    pub(super) fn embed(&self, texts: &[&str], dimension: Option<usize>) -> Result<Vec<Vec<f32>>, HttpError> {
        let request = Request { model: &self.model, input: texts, encoding_format: "float" };
        let body = serde_json::to_vec(&request).map_err(|error| HttpError::Malformed { reason: error.to_string() })?;
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/json");
        if let Some(Key(key)) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut response = request.send(body.as_slice()).map_err(|error| self.failed(&error))?;
        let most = dimension.unwrap_or(MOST_COMPONENTS) * NUMBER_BYTES * texts.len() + OTHER_BYTES;
        let (status, wait) = (response.status(), retry_after(response.headers()));
        let body = response.body_mut().with_config().limit(most as u64).read_to_vec();
        if !status.is_success() {
            return Err(self.refused(status, wait, &body.unwrap_or_default()));
        }
        let body = body.map_err(|error| match self.failed(&error) {
            HttpError::NoAnswer { reason } => HttpError::Malformed { reason },
            timeout => timeout,
        })?;
        let answer: Answer =
            serde_json::from_slice(&body).map_err(|error| HttpError::Malformed { reason: shape(&error) })?;
        in_order(answer, texts.len(), dimension)
    }

    fn failed(&self, error: &ureq::Error) -> HttpError {
        match error {
            ureq::Error::Timeout(_) => HttpError::Timeout { after: self.timeout },
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                HttpError::Timeout { after: self.timeout }
            }
            error => HttpError::NoAnswer { reason: self.without_key(&error.to_string()) },
        }
    }

    fn refused(&self, status: StatusCode, wait: Option<Duration>, body: &[u8]) -> HttpError {
        let said = self.said(body);
        let status = status.as_u16();
        match status {
            // What the server says here may repeat a part of the key.
            401 | 403 => HttpError::Key { status },
            404 => HttpError::NotFound { said },
            400 | 413 | 422 => HttpError::Refused { status, said },
            429 => HttpError::TooOften { said, wait },
            408 | 500.. => HttpError::Server { status, said, wait },
            _ => HttpError::Status { status, said },
        }
    }

    /// The message in an error's body, cut short, as the end of a clause.
    fn said(&self, body: &[u8]) -> String {
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = json.as_ref().and_then(|json| {
            let error = json.get("error").unwrap_or(json);
            error.as_str().or_else(|| error.get("message")?.as_str()).or_else(|| error.get("detail")?.as_str())
        });
        let text = message.map_or_else(|| String::from_utf8_lossy(body), Into::into);
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let plain = self.without_key(plain.trim());
        let short: String = plain.chars().take(SAID_LETTERS).collect();
        if short.is_empty() { short } else { format!(": {short}") }
    }

    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(Key(key)) if !key.is_empty() => text.replace(key.as_str(), "…"),
            _ => text.to_owned(),
        }
    }
}

/// The agent that makes requests to `url`. It trusts whom the system trusts, so that a
/// company's own authority is known; where the system names none, Mozilla's list holds.
pub(in super::super) fn agent(url: &str, timeout: Duration, connections: usize) -> Agent {
    let mut config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .user_agent(concat!("gristmill/", env!("CARGO_PKG_VERSION")))
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections);
    if url.starts_with("https:") {
        let system = rustls_native_certs::load_native_certs().certs;
        let trusted: Vec<Certificate<'static>> =
            system.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        if !trusted.is_empty() {
            config = config.tls_config(TlsConfig::builder().root_certs(RootCerts::from(trusted)).build());
        }
    }
    if is_local(url) {
        // A proxy is for what lies beyond this machine.
        config = config.proxy(None);
    }
    config.build().into()
}

fn is_local(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// What is wrong with an answer, without any of it.
fn shape(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it ends too early".into();
    }
    format!("line {}, column {}", error.line(), error.column())
}

/// `Retry-After` in seconds; a date is left to the usual waits.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn in_order(answer: Answer, asked: usize, dimension: Option<usize>) -> Result<Vec<Vec<f32>>, HttpError> {
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; asked];
    for (position, item) in answer.data.into_iter().enumerate() {
        let vector: Vec<f32> = item.embedding.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        if let Some(wanted) = dimension.filter(|wanted| *wanted != vector.len()) {
            return Err(HttpError::Dimension { wanted, found: vector.len() });
        }
        if let Some(place) = vectors.get_mut(item.index.unwrap_or(position)) {
            *place = Some(vector);
        }
    }
    let found = vectors.iter().flatten().count();
    let whole: Option<Vec<Vec<f32>>> = vectors.into_iter().collect();
    whole.ok_or(HttpError::TooFew { asked, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new("http://127.0.0.1:1/v1/", "m", Some(Key("secret-key".into())), Duration::from_secs(1), 1)
    }

    #[test]
    fn the_key_is_never_shown() {
        let client = client();
        assert_eq!(client.url, "http://127.0.0.1:1/v1/embeddings");
        assert!(!format!("{client:?}").contains("secret-key"));
        let body = br#"{"error": {"message": "bad input for secret-key\n"}}"#;
        assert_eq!(client.said(body), ": bad input for …");
        let refused = |status| client.refused(status, None, body);
        assert_eq!(refused(StatusCode::UNAUTHORIZED), HttpError::Key { status: 401 });
        assert!(!refused(StatusCode::BAD_GATEWAY).to_string().contains("secret-key"));
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts() {
        let answer = |json: &str| serde_json::from_str::<Answer>(json).expect("an answer");
        let json = r#"{"data": [{"index": 1, "embedding": [2, null]}, {"index": 0, "embedding": [1, 0.5]}], "x": 1}"#;
        let vectors = in_order(answer(json), 2, Some(2)).expect("whole");
        assert_eq!(vectors[0], [1.0, 0.5]);
        assert!(vectors[1][1].is_nan());
        let plain = r#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#;
        assert_eq!(in_order(answer(plain), 2, None), Ok(vec![vec![1.0], vec![2.0]]));
        assert_eq!(in_order(answer(plain), 3, None), Err(HttpError::TooFew { asked: 3, found: 2 }));
        assert_eq!(in_order(answer(plain), 2, Some(2)), Err(HttpError::Dimension { wanted: 2, found: 1 }));
    }

    #[test]
    fn only_this_machine_is_local() {
        assert!(is_local("http://localhost:8080/v1") && is_local("http://127.0.0.1/v1") && is_local("http://[::1]:1/"));
        assert!(!is_local("https://api.example.com/localhost"));
    }
}
