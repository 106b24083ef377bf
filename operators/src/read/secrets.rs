//! Secret scanning.
//!
//! One Aho-Corasick pass searches for a few dozen literals: prefixes of known key formats, and
//! words that code uses to name a credential. A rule inspects the text around each hit. All
//! rules match ASCII only.

mod assignment;
mod block;
mod token;
mod value;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use token::{TOKENS, TokenShape};

/// A credential in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of credential, such as `GitHub token`.
    pub rule: &'static str,
    /// Its byte range.
    pub range: Range<usize>,
    /// The 1-based line of its first byte.
    pub line: u32,
}

/// The rule that a literal triggers.
#[derive(Clone, Copy)]
enum Rule {
    Token(&'static TokenShape),
    PrivateKey,
    WebToken,
    Url,
    Twilio,
    Assignment,
}

/// Literals other than the prefixes of [`TOKENS`]. Each has at least three bytes: shorter ones
/// would disable the vectorised search.
const LITERALS: &[(&str, Rule)] = &[
    ("-----BEGIN ", Rule::PrivateKey),
    ("eyJ", Rule::WebToken),
    ("://", Rule::Url),
    ("wilio", Rule::Twilio),
    ("WILIO", Rule::Twilio),
    ("passw", Rule::Assignment),
    ("Passw", Rule::Assignment),
    ("PASSW", Rule::Assignment),
    ("secret", Rule::Assignment),
    ("Secret", Rule::Assignment),
    ("SECRET", Rule::Assignment),
    ("token", Rule::Assignment),
    ("Token", Rule::Assignment),
    ("TOKEN", Rule::Assignment),
    ("api_key", Rule::Assignment),
    ("api-key", Rule::Assignment),
    ("apikey", Rule::Assignment),
    ("apiKey", Rule::Assignment),
    ("ApiKey", Rule::Assignment),
    ("API_KEY", Rule::Assignment),
    ("APIKEY", Rule::Assignment),
    ("access_key", Rule::Assignment),
    ("accessKey", Rule::Assignment),
    ("AccessKey", Rule::Assignment),
    ("ACCESS_KEY", Rule::Assignment),
];

struct Scanner {
    literals: Option<AhoCorasick>,
    rules: Vec<Rule>,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let tokens = TOKENS.iter().map(|shape| (shape.prefix, Rule::Token(shape)));
    let (literals, rules): (Vec<&str>, Vec<Rule>) = tokens.chain(LITERALS.iter().copied()).unzip();
    // Building cannot fail: some fifty literals are far below every limit of the builder.
    let literals = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(literals).ok();
    Scanner { literals, rules }
});

/// Returns the credentials in a text, sorted and without overlap.
#[must_use]
pub fn find_secrets(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let scanner = &*SCANNER;
    let Some(literals) = &scanner.literals else { return findings };
    let bytes = text.as_bytes();
    let (mut at, mut counted, mut line) = (0, 0, 1);
    while let Some(hit) = literals.find(Input::new(bytes).range(at..)) {
        at = hit.end();
        let Some(rule) = scanner.rules.get(hit.pattern().as_usize()) else { continue };
        let found = match rule {
            Rule::Token(shape) => token::find(bytes, hit.start(), shape),
            Rule::PrivateKey => block::private_key(bytes, hit.start()),
            Rule::WebToken => block::web_token(bytes, hit.start()),
            Rule::Url => block::url_password(bytes, hit.start()),
            Rule::Twilio => token::find_twilio(bytes, hit.end()),
            Rule::Assignment => assignment::find(bytes, hit.start()),
        };
        let Some((rule, range)) = found else { continue };
        let between = bytes.get(counted..range.start).unwrap_or_default();
        line += u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(u32::MAX);
        (counted, at) = (range.start, range.end);
        findings.push(Finding { rule, range, line });
    }
    findings
}

/// What a rule finds: the kind of credential and its byte range.
type Found = Option<(&'static str, Range<usize>)>;

/// Returns the longest run of bytes from `at` on that satisfy `wanted`, at most `limit` bytes.
fn run_of(bytes: &[u8], at: usize, limit: usize, wanted: impl Fn(u8) -> bool) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest.get(..limit).unwrap_or(rest);
    let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
    rest.get(..length).unwrap_or_default()
}
