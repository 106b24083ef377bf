//! The tools for an agent that started this process, over standard input and output.

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream, duplex};
use tokio::sync::mpsc;

use super::connections::Stop;
use super::desk::Desk;
use super::mcp::{McpServer, Message, Messages};

/// Bytes on their way between the checks of messages and the server.
const PIPE_BYTES: usize = 64 * 1024;

/// Answers on their way out: a client that does not read holds the server up.
const WAITING_ANSWERS: usize = 64;

/// Speaks the Model Context Protocol with whoever started the process, until they go away or
/// a signal ends it.
///
/// # Errors
/// If standard input cannot be read, or standard output not written.
pub async fn serve_stdio(desk: Desk, mut stop: Stop) -> Result<(), String> {
    let (input, output) = (BufReader::new(tokio::io::stdin()), tokio::io::stdout());
    tokio::select! {
        ended = speak(desk, input, output) => ended,
        () = stop.requested() => Ok(()),
    }
}

/// Serves one client, a message on each line.
async fn speak(
    desk: Desk,
    input: impl AsyncBufRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), String> {
    let (to_server, of_client) = duplex(PIPE_BYTES);
    let (to_client, of_server) = duplex(PIPE_BYTES);
    let (answers, waiting) = mpsc::channel(WAITING_ANSWERS);
    let serving = async {
        match McpServer::new(desk).serve((of_client, to_client)).await {
            Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| error.to_string()),
            // Whoever started it went away before saying anything.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    // Answers leave one by one, whoever gives them.
    let forwarding = forward(of_server, answers.clone());
    let reading = read(input, to_server, answers);
    let (served, forwarded, was_read, written) = tokio::join!(serving, forwarding, reading, write(waiting, output));
    served.and(was_read).and(forwarded).and(written)
}

/// Hands valid messages on to the server, and answers the others.
async fn read(
    mut input: impl AsyncBufRead + Unpin,
    mut server: DuplexStream,
    answers: mpsc::Sender<Vec<u8>>,
) -> Result<(), String> {
    let (mut messages, mut line) = (Messages::default(), Vec::new());
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).await;
        if read.map_err(|error| format!("cannot read standard input: {error}"))? == 0 {
            return Ok(());
        }
        match messages.check(&line) {
            Message::Valid => {
                if !line.ends_with(b"\n") {
                    line.push(b'\n');
                }
                // The server is gone only when it cannot go on, which it reports itself.
                if server.write_all(&line).await.is_err() {
                    return Ok(());
                }
            }
            Message::Ignored => {}
            Message::Refused(answer) => {
                if answers.send(format!("{answer}\n").into_bytes()).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// Takes the answers of the server, line by line.
async fn forward(server: DuplexStream, answers: mpsc::Sender<Vec<u8>>) -> Result<(), String> {
    let mut server = BufReader::new(server);
    loop {
        let mut line = Vec::new();
        let read = server.read_until(b'\n', &mut line).await.map_err(|error| error.to_string())?;
        if read == 0 || answers.send(line).await.is_err() {
            return Ok(());
        }
    }
}

async fn write(mut answers: mpsc::Receiver<Vec<u8>>, mut output: impl AsyncWrite + Unpin) -> Result<(), String> {
    while let Some(answer) = answers.recv().await {
        let written = async {
            output.write_all(&answer).await?;
            output.flush().await
        };
        written.await.map_err(|error: std::io::Error| format!("cannot write to standard output: {error}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use gristmill_query::{Runner, ToolSet};
    use parking_lot::Mutex;
    use serde_json::Value;

    use super::super::Deadlines;
    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl AsyncWrite for Written {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
            self.0.lock().extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn every_line_has_its_answer() {
        let lines = [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "garbage",
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"a","version":"1"}}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "{}",
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#,
        ];
        let desk = Desk::new(Runner::new([], ToolSet::new(), 1), "a", Deadlines { default_ms: 1, max_ms: 1 });
        let written = Written::default();
        let input = Cursor::new(lines.join("\n").into_bytes());
        speak(desk, BufReader::new(input), written.clone()).await.unwrap();
        let text = String::from_utf8(written.0.lock().clone()).unwrap();
        let mut answers: Vec<(String, i64)> = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|answer| (answer["id"].to_string(), answer["error"]["code"].as_i64().unwrap_or_default()))
            .collect();
        answers.sort();
        let expected = [("1", 0), ("2", -32_602), ("3", 0), ("null", -32_700), ("null", -32_600)];
        assert_eq!(answers, expected.map(|(id, code)| (id.to_owned(), code)), "{text}");
    }
}
