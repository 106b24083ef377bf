//! Finding credentials in text.
//!
//! One pass looks for a few dozen literals at once: prefixes of known key formats, and
//! the words by which code names a credential. Only around a hit does a rule look closer.
//! All rules match ASCII alone.

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
    /// What kind of credential it is.
    pub rule: &'static str,
    /// Its bytes.
    pub range: Range<usize>,
    /// The line of its first byte, counted from 1.
    pub line: u32,
}

/// What a literal is a sign of.
#[derive(Clone, Copy)]
enum Sign {
    Token(&'static TokenShape),
    PrivateKey,
    WebToken,
    Url,
    Twilio,
    Assignment,
}

/// Literals that are no prefix of a [`TokenShape`]. None is shorter than three bytes:
/// that is what keeps the search vectorised.
const LITERALS: &[(&str, Sign)] = &[
    ("-----BEGIN ", Sign::PrivateKey),
    ("eyJ", Sign::WebToken),
    ("://", Sign::Url),
    ("wilio", Sign::Twilio),
    ("WILIO", Sign::Twilio),
    ("passw", Sign::Assignment),
    ("Passw", Sign::Assignment),
    ("PASSW", Sign::Assignment),
    ("secret", Sign::Assignment),
    ("Secret", Sign::Assignment),
    ("SECRET", Sign::Assignment),
    ("token", Sign::Assignment),
    ("Token", Sign::Assignment),
    ("TOKEN", Sign::Assignment),
    ("api_key", Sign::Assignment),
    ("api-key", Sign::Assignment),
    ("apikey", Sign::Assignment),
    ("apiKey", Sign::Assignment),
    ("ApiKey", Sign::Assignment),
    ("API_KEY", Sign::Assignment),
    ("APIKEY", Sign::Assignment),
    ("access_key", Sign::Assignment),
    ("accessKey", Sign::Assignment),
    ("AccessKey", Sign::Assignment),
    ("ACCESS_KEY", Sign::Assignment),
];

struct Scanner {
    literals: Option<AhoCorasick>,
    signs: Vec<Sign>,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let tokens = TOKENS.iter().map(|shape| (shape.prefix, Sign::Token(shape)));
    let (literals, signs): (Vec<&str>, Vec<Sign>) = tokens.chain(LITERALS.iter().copied()).unzip();
    // Some fifty fixed literals are far below every limit of the builder.
    let literals = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(literals).ok();
    Scanner { literals, signs }
});

/// Finds the credentials in a text, in order and without overlap.
#[must_use]
pub fn find_secrets(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let scanner = &*SCANNER;
    let Some(literals) = &scanner.literals else { return findings };
    let bytes = text.as_bytes();
    let (mut at, mut counted, mut line) = (0, 0, 1);
    while let Some(hit) = literals.find(Input::new(bytes).range(at..)) {
        at = hit.end();
        let Some(sign) = scanner.signs.get(hit.pattern().as_usize()) else { continue };
        let found = match sign {
            Sign::Token(shape) => token::find(bytes, hit.start(), shape),
            Sign::PrivateKey => block::private_key(bytes, hit.start()),
            Sign::WebToken => block::web_token(bytes, hit.start()),
            Sign::Url => block::url_password(bytes, hit.start()),
            Sign::Twilio => token::find_twilio(bytes, hit.end()),
            Sign::Assignment => assignment::find(bytes, hit.start()),
        };
        let Some((rule, range)) = found else { continue };
        let between = bytes.get(counted..range.start).unwrap_or_default();
        line += u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(u32::MAX);
        (counted, at) = (range.start, range.end);
        findings.push(Finding { rule, range, line });
    }
    findings
}

/// What a rule finds: the name of the kind, and where it is.
type Found = Option<(&'static str, Range<usize>)>;

/// The first bytes of `bytes` from `at` on that satisfy `wanted`, at most `limit`.
fn run_of(bytes: &[u8], at: usize, limit: usize, wanted: impl Fn(u8) -> bool) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest.get(..limit).unwrap_or(rest);
    let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
    rest.get(..length).unwrap_or_default()
}
