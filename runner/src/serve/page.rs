//! The page that people search with.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::IntoResponse;

/// What the page may load: its own files, and nothing from elsewhere.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; object-src 'none'";

fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        // It changes with the program, which may be another one tomorrow.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// `GET /`
pub(super) async fn index() -> impl IntoResponse {
    file("text/html; charset=utf-8", include_str!("../../web/index.html"))
}

/// `GET /assets/app.js`
pub(super) async fn script() -> impl IntoResponse {
    file("text/javascript; charset=utf-8", include_str!("../../web/app.js"))
}

/// `GET /assets/app.css`
pub(super) async fn style() -> impl IntoResponse {
    file("text/css; charset=utf-8", include_str!("../../web/app.css"))
}
