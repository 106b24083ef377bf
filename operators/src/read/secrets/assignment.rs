//! Random values assigned to a name such as `api_key`.

use super::token::find_any;
use super::value::{entropy, is_placeholder, looks_random};
use super::{Found, run_of};

/// The length in bytes of a value that can be a credential.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=256;

/// Finds a random value that is assigned to the name with the keyword at `start`:
/// `"apiKey": "…"`, `api_key = '…'`, `const TOKEN: &str = "…"`, `SECRET_KEY=…`.
pub(super) fn find(bytes: &[u8], start: usize) -> Found {
    let name = run_of(bytes, start, 48, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let mut at = start + name.len();
    // The name may be a quoted key, as in JSON.
    let is_quoted_key = matches!(bytes.get(at)?, b'"' | b'\'');
    if is_quoted_key {
        at += 1;
    }
    at = skip_blanks(bytes, at);
    let rest = bytes.get(at..)?;
    let is_bare_assignment =
        at == start + name.len() && rest.starts_with(b"=") && !name.iter().any(u8::is_ascii_lowercase);
    at += match rest {
        [b':', b'=', ..] | [b'=', b'>', ..] => 2,
        [b'=', b'=' | b'~', ..] | [b':', b':', ..] => return None,
        [b'=', ..] => 1,
        [b':', ..] => 1 + skip_type(rest.get(1..)?),
        _ => return None,
    };
    at = skip_blanks(bytes, at);
    let value_start = match bytes.get(at)? {
        b'"' | b'\'' | b'`' => at + 1,
        _ if is_bare_assignment || is_aws_secret(name) => at,
        _ => return None,
    };
    let is_quoted = value_start > at;
    let value = run_of(bytes, value_start, LENGTHS.end() + 1, |byte| {
        byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\')
    });
    let end = value_start + value.len();
    let is_closed = match bytes.get(end) {
        Some(byte) if is_quoted => byte == bytes.get(at)?,
        Some(byte) => byte.is_ascii_whitespace(),
        None => !is_quoted,
    };
    if !is_closed || !LENGTHS.contains(&value.len()) {
        return None;
    }
    if let Some(token) = find_any(bytes, value_start) {
        return Some(token);
    }
    if is_aws_secret(name) && value.len() == 40 && value.iter().all(|byte| is_base64(*byte)) {
        let is_real = entropy(value) >= 3.5 && !is_placeholder(value);
        return is_real.then_some(("AWS secret access key", value_start..end));
    }
    let is_key_like = value.iter().all(|byte| is_base64(*byte) || (is_quoted && is_password_sign(*byte)));
    (is_key_like && looks_random(value)).then_some(("credential assigned to a name", value_start..end))
}

fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    at + run_of(bytes, at, 32, |byte| matches!(byte, b' ' | b'\t')).len()
}

/// Returns the length of a type annotation including the `=` after it; 0 if there is none.
fn skip_type(rest: &[u8]) -> usize {
    let annotation = run_of(rest, 0, 48, |byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'&' | b'_' | b':' | b'?' | b'[' | b']')
    });
    match rest.get(annotation.len()..) {
        Some([b'=', next, ..]) if *next != b'=' => annotation.len() + 1,
        _ => 0,
    }
}

/// Whether the name, from its keyword on, spells `secret access key`.
fn is_aws_secret(name: &[u8]) -> bool {
    let mut letters = name.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase);
    b"secretaccesskey".iter().all(|wanted| letters.next() == Some(*wanted))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'.' | b'~')
}

fn is_password_sign(byte: u8) -> bool {
    matches!(byte, b'!' | b'@' | b'#' | b'^' | b'&' | b'*' | b'?')
}
