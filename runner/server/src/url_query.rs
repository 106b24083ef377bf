//! The query string of a URL.

use axum::extract::Query;
use axum::http::Uri;
use serde::de::DeserializeOwned;

use gristmill_query::ToolError;

/// Deserialises the query string of a URL.
///
/// # Errors
/// If a parameter is missing, unknown or has a value of the wrong type.
pub(super) fn parse<T: DeserializeOwned>(uri: &Uri) -> Result<T, ToolError> {
    let Query(query) = Query::try_from_uri(uri)
        .map_err(|error| ToolError::bad_input(format!("invalid query parameters: {}", error.body_text())))?;
    Ok(query)
}
