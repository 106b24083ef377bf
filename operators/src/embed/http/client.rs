//! Sending a request for embeddings and reading its response.

use std::fmt;
use std::time::Duration;

use gristmill_pipeline::trace_context::traceparent;
use serde::{Deserialize, Serialize};
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::error::HttpError;

/// Sends requests for embeddings to a server, without retries.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    url: String,
    model: String,
    key: Option<ApiKey>,
    timeout: Duration,
}

/// An API key. Its `Debug` form hides it.
pub(super) struct ApiKey(pub(super) String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
}

#[derive(Deserialize)]
struct Response {
    data: Vec<Embedding>,
}

#[derive(Deserialize)]
struct Embedding {
    index: Option<usize>,
    /// JSON has no NaN; servers write null for it.
    embedding: Vec<Option<f32>>,
}

/// Maximum number of bytes that a component takes in a response.
const NUMBER_BYTES: usize = 40;

/// Maximum dimension where it is not known.
const MAX_DIMENSION: usize = 16_384;

/// Maximum number of bytes of a response beside its components.
const MAX_OTHER_BYTES: usize = 1 << 20;

/// Maximum number of characters of a server's message that an error repeats.
const MAX_DETAIL_CHARS: usize = 200;

impl Client {
    pub(super) fn new(url: &str, model: &str, key: Option<ApiKey>, timeout: Duration, connections: usize) -> Self {
        let base = url.trim_end_matches('/');
        let url = if base.ends_with("/embeddings") { base.to_owned() } else { format!("{base}/embeddings") };
        let agent = agent(&url, timeout, connections);
        Self { agent, url, model: model.into(), key, timeout }
    }

    /// Returns the vectors of texts, in their order. Rejects vectors with another number of
    /// components than `dimension`, if that is known.
    pub(super) fn embed(&self, texts: &[&str], dimension: Option<usize>) -> Result<Vec<Vec<f32>>, HttpError> {
        let request = Request { model: &self.model, input: texts, encoding_format: "float" };
        let body = serde_json::to_vec(&request).map_err(|error| HttpError::Malformed { reason: error.to_string() })?;
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/json");
        if let Some(ApiKey(key)) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        if let Some(trace) = traceparent() {
            request = request.header("traceparent", trace);
        }
        let mut response = request.send(body.as_slice()).map_err(|error| self.transport_error(&error))?;
        let max_bytes = dimension.unwrap_or(MAX_DIMENSION) * NUMBER_BYTES * texts.len() + MAX_OTHER_BYTES;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let body = response.body_mut().with_config().limit(max_bytes as u64).read_to_vec();
        if !status.is_success() {
            return Err(self.status_error(status, retry_after, &body.unwrap_or_default()));
        }
        let body = body.map_err(|error| match self.transport_error(&error) {
            HttpError::NoResponse { reason } => HttpError::Malformed { reason },
            timeout => timeout,
        })?;
        let response: Response =
            serde_json::from_slice(&body).map_err(|error| HttpError::Malformed { reason: json_error(&error) })?;
        in_order(response, texts.len(), dimension)
    }

    fn transport_error(&self, error: &ureq::Error) -> HttpError {
        match error {
            ureq::Error::Timeout(_) => HttpError::Timeout { after: self.timeout },
            ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                HttpError::Timeout { after: self.timeout }
            }
            error => HttpError::NoResponse { reason: self.without_key(&error.to_string()) },
        }
    }

    fn status_error(&self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> HttpError {
        let detail = self.detail(body);
        let status = status.as_u16();
        match status {
            // The server's message may contain a part of the key.
            401 | 403 => HttpError::Unauthorized { status },
            404 => HttpError::NotFound { detail },
            400 | 413 | 422 => HttpError::Rejected { status, detail },
            429 => HttpError::RateLimited { detail, retry_after },
            408 | 500.. => HttpError::Server { status, detail, retry_after },
            _ => HttpError::Status { status, detail },
        }
    }

    /// Returns the message in the body of an error response, truncated and with a colon before
    /// it; empty if there is none.
    fn detail(&self, body: &[u8]) -> String {
        let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let message = json.as_ref().and_then(|json| {
            let error = json.get("error").unwrap_or(json);
            error.as_str().or_else(|| error.get("message")?.as_str()).or_else(|| error.get("detail")?.as_str())
        });
        let text = message.map_or_else(|| String::from_utf8_lossy(body), Into::into);
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let plain = self.without_key(plain.trim());
        let short: String = plain.chars().take(MAX_DETAIL_CHARS).collect();
        if short.is_empty() { short } else { format!(": {short}") }
    }

    fn without_key(&self, text: &str) -> String {
        match &self.key {
            Some(ApiKey(key)) if !key.is_empty() => text.replace(key.as_str(), "…"),
            _ => text.to_owned(),
        }
    }
}

/// Returns an agent for requests to `url`.
///
/// It trusts the system's certificates, among which a company's own authority may be; where the
/// system has none, Mozilla's root certificates.
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
        // A proxy cannot reach this machine's loopback interface.
        config = config.proxy(None);
    }
    config.build().into()
}

fn is_local(url: &str) -> bool {
    let host = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// Describes a JSON error without quoting the response.
fn json_error(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected end of JSON".into();
    }
    format!("invalid JSON at line {}, column {}", error.line(), error.column())
}

/// Returns the `Retry-After` header if it is in seconds; a date is ignored, which leaves the
/// usual backoff.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Returns the vectors of a response in the order of the `expected` texts of the request.
fn in_order(response: Response, expected: usize, dimension: Option<usize>) -> Result<Vec<Vec<f32>>, HttpError> {
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; expected];
    for (position, item) in response.data.into_iter().enumerate() {
        let vector: Vec<f32> = item.embedding.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        if let Some(expected) = dimension.filter(|expected| *expected != vector.len()) {
            return Err(HttpError::Dimension { expected, found: vector.len() });
        }
        if let Some(place) = vectors.get_mut(item.index.unwrap_or(position)) {
            *place = Some(vector);
        }
    }
    let found = vectors.iter().flatten().count();
    let all: Option<Vec<Vec<f32>>> = vectors.into_iter().collect();
    all.ok_or(HttpError::MissingVectors { expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new("http://127.0.0.1:1/v1/", "m", Some(ApiKey("secret-key".into())), Duration::from_secs(1), 1)
    }

    #[test]
    fn the_key_is_never_shown() {
        let client = client();
        assert_eq!(client.url, "http://127.0.0.1:1/v1/embeddings");
        assert!(!format!("{client:?}").contains("secret-key"));
        let body = br#"{"error": {"message": "bad input for secret-key\n"}}"#;
        assert_eq!(client.detail(body), ": bad input for …");
        let error = |status| client.status_error(status, None, body);
        assert_eq!(error(StatusCode::UNAUTHORIZED), HttpError::Unauthorized { status: 401 });
        assert!(!error(StatusCode::BAD_GATEWAY).to_string().contains("secret-key"));
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts() {
        let response = |json: &str| serde_json::from_str::<Response>(json).expect("a response");
        let json = r#"{"data": [{"index": 1, "embedding": [2, null]}, {"index": 0, "embedding": [1, 0.5]}], "x": 1}"#;
        let vectors = in_order(response(json), 2, Some(2)).expect("complete");
        assert_eq!(vectors[0], [1.0, 0.5]);
        assert!(vectors[1][1].is_nan());
        let plain = r#"{"data": [{"embedding": [1]}, {"embedding": [2]}]}"#;
        assert_eq!(in_order(response(plain), 2, None), Ok(vec![vec![1.0], vec![2.0]]));
        assert_eq!(in_order(response(plain), 3, None), Err(HttpError::MissingVectors { expected: 3, found: 2 }));
        assert_eq!(in_order(response(plain), 2, Some(2)), Err(HttpError::Dimension { expected: 2, found: 1 }));
    }

    #[test]
    fn only_this_machine_is_local() {
        assert!(is_local("http://localhost:8080/v1") && is_local("http://127.0.0.1/v1") && is_local("http://[::1]:1/"));
        assert!(!is_local("https://api.example.com/localhost"));
    }
}
