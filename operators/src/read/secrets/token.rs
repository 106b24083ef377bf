//! Tokens that start with a prefix of their issuer.

use std::ops::RangeInclusive;

use super::value::{entropy, is_placeholder};
use super::{Found, run_of};

/// The format of a token: a prefix, and the bytes and length of the body after it.
pub(super) struct TokenShape {
    pub(super) rule: &'static str,
    pub(super) prefix: &'static str,
    body: fn(u8) -> bool,
    length: RangeInclusive<usize>,
    /// An additional condition on the body.
    holds: fn(&[u8]) -> bool,
}

const fn shape(
    rule: &'static str,
    prefix: &'static str,
    body: fn(u8) -> bool,
    length: RangeInclusive<usize>,
) -> TokenShape {
    TokenShape { rule, prefix, body, length, holds: any }
}

/// Token formats, as documented by their issuers.
pub(super) static TOKENS: &[TokenShape] = &[
    shape("AWS access key id", "AKIA", base32, 16..=16),
    shape("AWS access key id", "ASIA", base32, 16..=16),
    shape("GitHub token", "ghp_", alphanumeric, 36..=255),
    shape("GitHub token", "gho_", alphanumeric, 36..=255),
    shape("GitHub token", "ghu_", alphanumeric, 36..=255),
    shape("GitHub token", "ghs_", alphanumeric, 36..=255),
    shape("GitHub token", "ghr_", alphanumeric, 36..=255),
    shape("GitHub token", "github_pat_", word, 40..=255),
    shape("GitLab token", "glpat-", url_safe, 20..=255),
    TokenShape { holds: has_digits, ..shape("Slack token", "xoxb-", url_safe, 24..=255) },
    TokenShape { holds: has_digits, ..shape("Slack token", "xoxp-", url_safe, 24..=255) },
    TokenShape { holds: has_digits, ..shape("Slack token", "xoxa-", url_safe, 24..=255) },
    TokenShape { holds: has_digits, ..shape("Slack token", "xoxr-", url_safe, 24..=255) },
    TokenShape { holds: has_digits, ..shape("Slack token", "xoxs-", url_safe, 24..=255) },
    TokenShape { holds: has_digits, ..shape("Slack token", "xapp-", url_safe, 24..=255) },
    shape("Google API key", "AIza", url_safe, 35..=35),
    shape("Stripe key", "sk_live_", alphanumeric, 16..=255),
    shape("Stripe key", "rk_live_", alphanumeric, 16..=255),
    TokenShape { holds: is_sendgrid, ..shape("SendGrid key", "SG.", dotted, 66..=66) },
    shape("npm token", "npm_", alphanumeric, 36..=36),
    shape("PyPI token", "pypi-AgEI", url_safe, 50..=1024),
    TokenShape { holds: is_mixed, ..shape("Anthropic key", "sk-ant-", url_safe, 40..=255) },
    TokenShape { holds: is_mixed, ..shape("OpenAI key", "sk-", url_safe, 32..=255) },
    shape("Hugging Face token", "hf_", alphanumeric, 34..=34),
];

/// The minimum entropy of a token's body, in bits per byte. Random bodies of 16 characters
/// have about 3.6; a body below the minimum repeats itself.
const MIN_ENTROPY: f64 = 2.8;

/// Finds the token of that format whose prefix is at `start`.
pub(super) fn find(bytes: &[u8], start: usize, shape: &TokenShape) -> Found {
    let is_prefixed = bytes.get(start..)?.starts_with(shape.prefix.as_bytes());
    if !is_prefixed || !begins_word(bytes, start) {
        return None;
    }
    let body_start = start + shape.prefix.len();
    let body = run_of(bytes, body_start, shape.length.end() + 1, shape.body);
    let is_token = shape.length.contains(&body.len())
        && (shape.holds)(body)
        && entropy(body) >= MIN_ENTROPY
        && !is_placeholder(body);
    is_token.then(|| (shape.rule, start..body_start + body.len()))
}

/// Finds a token of any format at `start`.
pub(super) fn find_any(bytes: &[u8], start: usize) -> Found {
    TOKENS.iter().find_map(|shape| find(bytes, start, shape))
}

/// Finds a Twilio key: `SK` and 32 hex digits. The prefix is too short to search for, so the
/// key must follow the word Twilio on the same line.
pub(super) fn find_twilio(bytes: &[u8], after: usize) -> Found {
    let line = run_of(bytes, after, 200, |byte| byte != b'\n');
    let mut offset = 0;
    while let Some(found) = memchr::memmem::find(line.get(offset..)?, b"SK") {
        let start = after + offset + found;
        let body = run_of(bytes, start + 2, 33, |byte| byte.is_ascii_hexdigit());
        if body.len() == 32 && begins_word(bytes, start) && entropy(body) >= MIN_ENTROPY && !is_placeholder(body) {
            return Some(("Twilio key", start..start + 34));
        }
        offset += found + 2;
    }
    None
}

/// Whether `start` is a word boundary. An escape such as `\n` before it is not part of a word.
pub(super) fn begins_word(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(..start).unwrap_or_default();
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => !(last.is_ascii_alphanumeric() || *last == b'_'),
        [] => true,
    }
}

fn any(_: &[u8]) -> bool {
    true
}

fn base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9')
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn url_safe(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn dotted(byte: u8) -> bool {
    url_safe(byte) || byte == b'.'
}

fn has_digits(body: &[u8]) -> bool {
    body.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

/// Whether a body has digits and both cases, as keys do and class names such as
/// `sk-wide-card` do not.
fn is_mixed(body: &[u8]) -> bool {
    let count = |wanted: fn(&u8) -> bool| body.iter().filter(|byte| wanted(byte)).count();
    count(u8::is_ascii_digit) >= 2 && count(u8::is_ascii_uppercase) >= 2 && count(u8::is_ascii_lowercase) >= 2
}

/// Whether a body is 22 characters, a dot and 43 characters.
fn is_sendgrid(body: &[u8]) -> bool {
    body.iter().enumerate().all(|(at, byte)| (*byte == b'.') == (at == 22))
}
