//! Reading what a request carries: so much, in so much time.

use axum::body::Body;
use serde::de::DeserializeOwned;
use tokio_stream::StreamExt as _;

use super::settings::Limits;
use gristmill_query::{ErrorCode, ToolError};

/// How many times the limit is read and thrown away, so that a client that writes before it
/// reads learns why its body was refused.
const DISCARDED: usize = 16;

/// Reads a body.
///
/// # Errors
/// If it is too large, too slow, or ends early.
pub(super) async fn read(body: Body, limits: &Limits) -> Result<Vec<u8>, ToolError> {
    match tokio::time::timeout(limits.body_timeout(), gather(body, limits.body_bytes())).await {
        Ok(read) => read,
        Err(_) => Err(ToolError::new(ErrorCode::Deadline, "the body took too long to arrive")),
    }
}

async fn gather(body: Body, most: usize) -> Result<Vec<u8>, ToolError> {
    let mut frames = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| ToolError::bad_input("the body ended early"))?;
        length = length.saturating_add(frame.len());
        if length > most.saturating_mul(DISCARDED) {
            break;
        }
        if length <= most {
            bytes.extend_from_slice(&frame);
        }
    }
    if length > most {
        let message = format!("the body is larger than {most} bytes");
        return Err(ToolError::new(ErrorCode::TooLarge, message).help("ask for less at once"));
    }
    Ok(bytes)
}

/// Reads a body as JSON. Nothing at all is `null`.
///
/// # Errors
/// Those of [`read`], and if it is not JSON or not what is wanted.
pub(super) async fn json<T: DeserializeOwned>(body: Body, limits: &Limits, what: &str) -> Result<T, ToolError> {
    let bytes = read(body, limits).await?;
    let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(bytes).map_err(|error| {
        let message = if error.is_data() {
            format!("the body is not {what}: {error}")
        } else {
            format!("the body is not JSON: {error}")
        };
        ToolError::bad_input(message).help("GET /openapi.json says what each route takes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_config::ByteSize;

    async fn read_of(length: usize, most: u64) -> Result<Vec<u8>, ToolError> {
        read(Body::from(vec![b' '; length]), &Limits { max_body: ByteSize(most), ..Limits::default() }).await
    }

    #[tokio::test]
    async fn so_much_is_read() {
        assert_eq!(read_of(8, 8).await.unwrap().len(), 8);
        assert_eq!(read_of(9, 8).await.unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(read_of(9_000, 8).await.unwrap_err().code, ErrorCode::TooLarge);
    }

    #[tokio::test]
    async fn a_body_is_json() {
        let limits = Limits::default();
        let read = async |text: &'static str| json::<Option<Vec<u32>>>(Body::from(text), &limits, "a list").await;
        assert_eq!(read("").await.unwrap(), None);
        assert_eq!(read("[1]").await.unwrap(), Some(vec![1]));
        assert!(read("[1").await.unwrap_err().message.contains("not JSON"));
        assert!(read("{}").await.unwrap_err().message.contains("not a list"));
    }
}
