//! Structured credentials: PEM blocks, JSON web tokens.

use memchr::memmem;

use super::token::{begins_word, url_safe};
use super::value::entropy;
use super::{Found, run_of};

/// The maximum length of a key block; an RSA key of 16,384 bits has about 12,600 bytes.
const MAX_BLOCK_BYTES: usize = 16 << 10;

/// The minimum run of base64 in a block that contains a key. An Ed25519 key has 64 bytes of
/// base64 on one line.
const MIN_KEY_BYTES: usize = 40;

/// Finds a PEM or PGP private key, from `-----BEGIN` to the end of the `-----END` line, or to
/// the end of the base64 where that line is missing.
pub(super) fn private_key(bytes: &[u8], start: usize) -> Found {
    let rest = bytes.get(start..)?;
    let rest = rest.get(..MAX_BLOCK_BYTES).unwrap_or(rest);
    let label_start = "-----BEGIN ".len();
    let label = run_of(rest, label_start, 40, |byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'0'..=b'9'));
    memmem::find(label, b"PRIVATE KEY")?;
    let body_start = label_start + label.len() + 5;
    let body = rest.get(body_start..)?;
    if rest.get(body_start - 5..body_start)? != b"-----" {
        return None;
    }
    let (body_length, length) = match memmem::find(body, b"-----END ") {
        Some(end) => {
            let mark = body_start + end + "-----END ".len();
            let tail = run_of(rest, mark, 48, |byte| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'-'));
            (end, mark + tail.len())
        }
        None => {
            let is_body =
                |byte: u8| is_base64(byte) || byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'"' | b'\'' | b',');
            let length = run_of(body, 0, MAX_BLOCK_BYTES, is_body).len();
            (length, body_start + length)
        }
    };
    let key = longest_base64(body.get(..body_length)?);
    (key.len() >= MIN_KEY_BYTES && entropy(key) > 3.0).then(|| ("private key", start..start + length))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn longest_base64(body: &[u8]) -> &[u8] {
    // In a string literal a line ends in the two characters `\n`. The `n` is counted with the
    // next run, which is exact enough for a length.
    body.split(|byte| !is_base64(*byte)).max_by_key(|run| run.len()).unwrap_or_default()
}

/// Finds a signed JSON web token (RFC 7519): header, payload and signature in base64url, of
/// which the first two are JSON objects.
pub(super) fn web_token(bytes: &[u8], start: usize) -> Found {
    const MAX_PART_BYTES: usize = 8 << 10;
    if !begins_word(bytes, start) || !bytes.get(start..)?.starts_with(b"eyJ") {
        return None;
    }
    let part = |at| run_of(bytes, at, MAX_PART_BYTES, url_safe).len();
    let header = part(start);
    let payload_start = start + header + 1;
    if header < 16 || !bytes.get(payload_start - 1..)?.starts_with(b".eyJ") {
        return None;
    }
    let payload = part(payload_start);
    let signature_start = payload_start + payload + 1;
    let signature = part(signature_start);
    let is_signed = payload >= 10 && bytes.get(signature_start - 1) == Some(&b'.') && signature >= 16;
    is_signed.then(|| ("JSON web token", start..signature_start + signature))
}
