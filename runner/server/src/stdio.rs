//! The tools for an agent that started this process, over standard input and output.

use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::io::stdio;

use super::connections::Stop;
use super::desk::Desk;
use super::mcp::McpServer;

/// Speaks the Model Context Protocol with whoever started the process, until they go away or
/// a signal ends it.
///
/// # Errors
/// If what they say cannot be understood.
pub async fn serve_stdio(desk: Desk, mut stop: Stop) -> Result<(), String> {
    let speaking = async {
        match McpServer::new(desk).serve(stdio()).await {
            Ok(running) => running.waiting().await.map(|_| ()).map_err(|error| error.to_string()),
            // Whoever started it went away before saying anything.
            Err(ServerInitializeError::ConnectionClosed(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    };
    tokio::select! {
        ended = speaking => ended,
        () = stop.requested() => Ok(()),
    }
}
