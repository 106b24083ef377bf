//! Secret scanning.
//!
//! One Aho-Corasick pass searches for a few hundred literals: prefixes of known key formats, names
//! of their issuers, and words that code uses to name a credential. A rule inspects the text
//! around each hit. All rules match ASCII only.

mod assignment;
mod block;
mod connection;
mod judge;
mod manifest;
mod name;
mod rules;
mod token;
mod value;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use rules::{DataRule, RULES, Target};
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
    Data(&'static DataRule),
    PrivateKey,
    EncodedPrivateKey,
    WebToken,
    Url,
    Twilio,
    Header,
    Manifest,
    Assignment,
}

/// Literals of the rules in code, in lower case, other than the prefixes of [`TOKENS`].
const LITERALS: &[(&str, Rule)] = &[
    ("-----begin ", Rule::PrivateKey),
    ("ls0tls1crudjti", Rule::EncodedPrivateKey),
    ("eyj", Rule::WebToken),
    ("://", Rule::Url),
    ("twilio", Rule::Twilio),
    ("bearer ", Rule::Header),
    ("basic ", Rule::Header),
    ("data:", Rule::Manifest),
    ("pass", Rule::Assignment),
    ("pwd", Rule::Assignment),
    ("psk", Rule::Assignment),
    ("secret", Rule::Assignment),
    ("token", Rule::Assignment),
    ("key", Rule::Assignment),
    ("auth", Rule::Assignment),
    ("bearer", Rule::Assignment),
    ("cred", Rule::Assignment),
];

struct Scanner {
    literals: Option<AhoCorasick>,
    /// Of each literal, the rules that it triggers.
    rules: Vec<Vec<Rule>>,
}

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let tokens = TOKENS.iter().map(|shape| (shape.prefix.to_ascii_lowercase(), Rule::Token(shape)));
    let data = RULES.iter().flat_map(|rule| rule.keywords().map(move |word| (word.to_owned(), Rule::Data(rule))));
    let own = LITERALS.iter().map(|(literal, rule)| ((*literal).to_owned(), *rule));
    let all: Vec<(String, Rule)> = tokens.chain(own).chain(data).collect();
    let mut literals: Vec<&str> = all.iter().map(|(literal, _)| literal.as_str()).collect();
    literals.sort_unstable();
    literals.dedup();
    // A hit is of the longest literal at its place, which stands for those that begin it too.
    let rules_of = |literal: &&str| {
        let triggers = all.iter().filter(|(begin, _)| literal.starts_with(begin.as_str()));
        triggers.map(|(_, rule)| *rule).collect()
    };
    let rules = literals.iter().map(rules_of).collect();
    let builder = &mut AhoCorasick::builder();
    let builder = builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true);
    // Building cannot fail: some hundred literals are far below every limit of the builder.
    let literals = builder.kind(Some(AhoCorasickKind::DFA)).build(literals).ok();
    Scanner { literals, rules }
});

/// Returns the credentials in a text, sorted and without overlap.
#[must_use]
pub fn find_secrets(text: &str) -> Vec<Finding> {
    let scanner = &*SCANNER;
    let Some(literals) = &scanner.literals else { return Vec::new() };
    let bytes = text.as_bytes();
    let mut found: Vec<(&'static str, Range<usize>)> = Vec::new();
    let mut at = 0;
    while let Some(hit) = literals.find(Input::new(bytes).range(at..)) {
        // Other literals may begin within this one.
        at = hit.start() + 1;
        for rule in scanner.rules.get(hit.pattern().as_usize()).into_iter().flatten() {
            if matches!(rule, Rule::Manifest) {
                let values = manifest::secret_values(bytes, hit.start(), hit.end());
                found.extend(values.into_iter().map(|range| ("value of a Kubernetes secret", range)));
            } else if let Some((rule, range)) = rule.find(bytes, hit.range()) {
                // What lies between a keyword and its secret is searched too.
                at = if range.start <= hit.end() { range.end.max(at) } else { at };
                found.push((rule, range));
                break;
            }
        }
    }
    located(text, found)
}

impl Rule {
    fn find(self, bytes: &[u8], hit: Range<usize>) -> Found {
        match self {
            Self::Token(shape) => token::find(bytes, hit.start, shape),
            Self::Data(rule) => match rule.target {
                Target::Start | Target::Text => rule.find(bytes, hit),
                Target::Value | Target::NamedValue => judge::find_of_rule(bytes, hit, rule),
            },
            Self::PrivateKey => block::private_key(bytes, hit.start),
            Self::EncodedPrivateKey => judge::encoded_private_key(bytes, hit.start),
            Self::WebToken => block::web_token(bytes, hit.start),
            Self::Url => connection::url_password(bytes, hit.start),
            Self::Twilio => token::find_twilio(bytes, hit.end),
            Self::Header => judge::header(bytes, hit),
            Self::Manifest => None,
            Self::Assignment => judge::find(bytes, hit),
        }
    }
}

/// Sorts findings, unites those that overlap, and counts lines.
fn located(text: &str, mut found: Vec<(&'static str, Range<usize>)>) -> Vec<Finding> {
    found.sort_by_key(|(_, range)| (range.start, range.end));
    let mut findings: Vec<Finding> = Vec::with_capacity(found.len());
    let (mut counted, mut line) = (0, 1);
    for (rule, range) in found {
        // Rules match bytes; a finding is whole characters.
        let range = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
        match findings.last_mut() {
            Some(last) if range.start < last.range.end => last.range.end = last.range.end.max(range.end),
            _ => {
                let between = text.as_bytes().get(counted..range.start).unwrap_or_default();
                line += u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(u32::MAX);
                counted = range.start;
                findings.push(Finding { rule, range, line });
            }
        }
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
