//! Reading request bodies, within limits of size and time.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use serde::de::DeserializeOwned;
use tokio_stream::StreamExt as _;

use gristmill_query::{ErrorCode, ToolError};

/// Limits of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The largest body, in bytes.
    pub max_bytes: usize,
    /// How long a body may take to arrive.
    pub timeout: Duration,
}

/// A body that is too large is read and discarded up to this multiple of the limit: a client that
/// reads only after writing would otherwise see a reset connection instead of the error.
const DISCARD_FACTOR: usize = 16;

/// Reads a body.
///
/// # Errors
/// If it is too large, too slow or incomplete.
pub(super) async fn read(body: Body, limits: BodyLimits) -> Result<Vec<u8>, ToolError> {
    let BodyLimits { max_bytes, timeout } = limits;
    tokio::time::timeout(timeout, read_all(body, max_bytes)).await.unwrap_or_else(|_| {
        let message = format!("the request body did not arrive within {} ms", timeout.as_millis());
        Err(ToolError::new(ErrorCode::Deadline, message).help("send the body without pauses, or a smaller one"))
    })
}

async fn read_all(body: Body, max_bytes: usize) -> Result<Vec<u8>, ToolError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut frames = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    let most = max_bytes.saturating_mul(DISCARD_FACTOR);
    if announced > most {
        return Err(too_large(max_bytes, announced));
    }
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| ToolError::bad_input("incomplete request body"))?;
        length = length.saturating_add(frame.len());
        if length > most {
            break;
        }
        if length <= max_bytes {
            bytes.extend_from_slice(&frame);
        }
    }
    if length > max_bytes {
        return Err(too_large(max_bytes, length));
    }
    Ok(bytes)
}

fn too_large(max_bytes: usize, length: usize) -> ToolError {
    let message = format!("the request body must have at most {max_bytes} bytes, got {length} or more");
    ToolError::new(ErrorCode::TooLarge, message).help("split the request into several")
}

/// Reads a body as JSON. An empty body is `null`.
///
/// # Errors
/// Those of [`read`], and if the body is not valid JSON or not `expected`, such as `a request`.
pub(super) async fn json<T: DeserializeOwned>(body: Body, limits: BodyLimits, expected: &str) -> Result<T, ToolError> {
    let bytes = read(body, limits).await?;
    parse(if bytes.is_empty() { b"null" } else { &bytes }, expected)
}

/// Reads a body as JSON. An empty body is the default.
///
/// # Errors
/// As for [`json`].
pub(super) async fn json_or_default<T: DeserializeOwned + Default>(
    body: Body,
    limits: BodyLimits,
    expected: &str,
) -> Result<T, ToolError> {
    let bytes = read(body, limits).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    // Serde would take a list as the values of the fields in order.
    let fields: serde_json::Map<String, serde_json::Value> = parse(&bytes, expected)?;
    parse(serde_json::Value::Object(fields).to_string().as_bytes(), expected)
}

fn parse<T: DeserializeOwned>(bytes: &[u8], expected: &str) -> Result<T, ToolError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let message = if error.is_data() {
            format!("invalid request body, expected {expected}: {error}")
        } else {
            format!("the request body is not valid JSON: {error}")
        };
        ToolError::bad_input(message).help("GET /openapi.json has the schema of each route")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_bytes: usize) -> BodyLimits {
        BodyLimits { max_bytes, timeout: Duration::from_secs(60) }
    }

    async fn read_of(length: usize, max_bytes: usize) -> Result<Vec<u8>, ToolError> {
        read(Body::from(vec![b' '; length]), limits(max_bytes)).await
    }

    #[tokio::test]
    async fn large_bodies_are_rejected() {
        assert_eq!(read_of(8, 8).await.unwrap().len(), 8);
        assert_eq!(read_of(9, 8).await.unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(read_of(9_000, 8).await.unwrap_err().code, ErrorCode::TooLarge);
    }

    #[tokio::test]
    async fn bodies_are_json() {
        let read = async |text: &'static str| json::<Option<Vec<u32>>>(Body::from(text), limits(100), "a list").await;
        assert_eq!(read("").await.unwrap(), None);
        assert_eq!(read("[1]").await.unwrap(), Some(vec![1]));
        assert!(read("[1").await.unwrap_err().message.contains("not valid JSON"));
        assert!(read("{}").await.unwrap_err().message.contains("expected a list"));
    }
}
