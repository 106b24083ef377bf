//! The web page and its assets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::problem::{Problem, unknown_route};

/// The content security policy: the page loads its own files and nothing else.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; object-src 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file of the folder `web`: name, content type and text.
macro_rules! file {
    ($name:literal, $kind:expr) => {
        ($name, $kind, include_str!(concat!("../web/", $name)))
    };
}

/// The files under `/assets/`.
static ASSETS: [(&str, &str, &str); 28] = [
    file!("api.js", SCRIPT),
    file!("app.css", STYLE),
    file!("app.js", SCRIPT),
    file!("code.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("epochs.js", SCRIPT),
    file!("events.js", SCRIPT),
    file!("facets.js", SCRIPT),
    file!("figures.js", SCRIPT),
    file!("file.js", SCRIPT),
    file!("folders.js", SCRIPT),
    file!("graph.js", SCRIPT),
    file!("graph_layout.js", SCRIPT),
    file!("graph_picture.js", SCRIPT),
    file!("highlight.js", SCRIPT),
    file!("hit.js", SCRIPT),
    file!("index_view.js", SCRIPT),
    file!("keys.js", SCRIPT),
    file!("live.js", SCRIPT),
    file!("pannable.js", SCRIPT),
    file!("parts.js", SCRIPT),
    file!("places.js", SCRIPT),
    file!("plot.js", SCRIPT),
    file!("search.js", SCRIPT),
    file!("symbol.js", SCRIPT),
    file!("theme.js", SCRIPT),
    file!("uses.js", SCRIPT),
    file!("where.js", SCRIPT),
];

/// The page itself.
static INDEX: LazyLock<File> = LazyLock::new(|| File::new(file!("index.html", HTML)));

/// The assets by name.
static FILES: LazyLock<BTreeMap<&str, File>> =
    LazyLock::new(|| ASSETS.iter().map(|asset| (asset.0, File::new(*asset))).collect());

/// The names of the assets.
pub(super) fn assets() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|(name, ..)| *name)
}

struct File {
    kind: &'static str,
    text: &'static str,
    /// The entity tag, quoted.
    tag: String,
}

impl File {
    fn new((_, kind, text): (&str, &'static str, &'static str)) -> Self {
        Self { kind, text, tag: format!("\"{}\"", blake3::hash(text.as_bytes()).to_hex()) }
    }

    /// The file, or 304 if the client has it.
    fn respond(&'static self, request: &HeaderMap) -> Response {
        let headers = [
            (ETAG, self.tag.as_str()),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            // Revalidated each time: the file changes when the server is updated.
            (CACHE_CONTROL, "no-cache"),
        ];
        if matches_etag(request, &self.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(CONTENT_TYPE, self.kind)], self.text).into_response()
    }
}

/// Whether the header If-None-Match has a tag.
fn matches_etag(request: &HeaderMap, tag: &str) -> bool {
    let lists = request.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|each| {
        // A proxy that compresses the file weakens its tag.
        each == "*" || each.strip_prefix("W/").unwrap_or(each) == tag
    })
}

/// `GET /`
pub(super) async fn index(request: HeaderMap) -> Response {
    INDEX.respond(&request)
}

/// `GET /assets/{name}`
pub(super) async fn asset(name: Result<Path<String>, PathRejection>, request: HeaderMap) -> Result<Response, Problem> {
    let file = name.ok().and_then(|Path(name)| FILES.get(name.as_str()));
    file.map(|file| file.respond(&request)).ok_or_else(|| Problem::new(unknown_route()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What follows each `before` in a text, up to the next quote.
    fn named<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).unwrap();
        let names = folder.map(Result::unwrap).filter(|entry| entry.path().is_file());
        let mut names: BTreeSet<String> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(names.remove("index.html"));
        assert_eq!(names, assets().map(ToOwned::to_owned).collect());
    }

    #[test]
    fn the_page_loads_all_assets_and_nothing_else() {
        let html: BTreeSet<&str> = named(INDEX.text, "=\"assets/").collect();
        assert_eq!(html, assets().collect());
        let mut imported = BTreeSet::from(["app.js", "app.css"]);
        for (_, _, text) in ASSETS {
            imported.extend(named(text, "from \"./").chain(named(text, "import \"./")));
        }
        assert_eq!(imported, html);
    }

    #[test]
    fn tags_differ_by_content() {
        let tags: BTreeSet<&str> = FILES.values().map(|file| file.tag.as_str()).chain([INDEX.tag.as_str()]).collect();
        assert_eq!(tags.len(), ASSETS.len() + 1);
    }

    #[test]
    fn if_none_match_is_parsed() {
        let matches = |values: &[&str]| {
            let pairs = values.iter().map(|value| (IF_NONE_MATCH, value.parse().unwrap()));
            matches_etag(&pairs.collect(), "\"a\"")
        };
        for known in [&["\"a\""][..], &["W/\"a\""], &["\"b\", \"a\""], &["\"b\"", "\"a\""], &["*"]] {
            assert!(matches(known), "{known:?}");
        }
        for other in [&[][..], &[""], &["a"], &["\"b\""], &["\"aa\""]] {
            assert!(!matches(other), "{other:?}");
        }
    }
}
