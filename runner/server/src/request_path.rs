//! Paths of requests, as clients write them.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Rewrites the path of a request as the routes are written: without a slash at its end, without
/// doubled slashes, and without percent-encoding where none is needed. By RFC 3986 the paths are
/// equal, but for the slashes.
pub(super) async fn normalise_path(mut request: Request) -> Request {
    let uri = request.uri();
    let path = normal(uri.path());
    if path != uri.path()
        && let Some(normal) = with_path(uri, &path)
    {
        *request.uri_mut() = normal;
    }
    request
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

fn normal(path: &str) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(sign) = rest.chars().next() {
        let (next, length) = match unreserved(rest) {
            Some(decoded) => (decoded, 3),
            None => (sign, sign.len_utf8()),
        };
        if next != '/' || !normal.ends_with('/') {
            normal.push(next);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    if normal.len() > 1 && normal.ends_with('/') {
        normal.pop();
    }
    normal
}

/// Returns the character of the percent-encoding that a text starts with, if it needs none.
fn unreserved(text: &str) -> Option<char> {
    let digits = text.strip_prefix('%')?.get(..2)?;
    let byte = u8::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let decoded = char::from(byte);
    (decoded.is_ascii_alphanumeric() || matches!(decoded, '-' | '.' | '_' | '~')).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (path, expected) in [
            ("/", "/"),
            ("/mcp/", "/mcp"),
            ("/mcp//", "/mcp"),
            ("//v1/tools//search", "/v1/tools/search"),
            ("/v1/tools/%73earch", "/v1/tools/search"),
            ("/%6Dcp", "/mcp"),
            ("/v1/tools/a%2Fb%20c", "/v1/tools/a%2Fb%20c"),
            ("/%", "/%"),
            ("/%+1", "/%+1"),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }

    #[test]
    fn the_query_is_kept() {
        let uri: Uri = "/v1/status/?job=a%20b".parse().unwrap();
        assert_eq!(with_path(&uri, "/v1/status").unwrap().to_string(), "/v1/status?job=a%20b");
    }
}
