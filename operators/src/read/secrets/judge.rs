//! Decides whether what a name is assigned is a credential.

use std::ops::Range;

use super::assignment::{Value, value_of};
use super::block::web_token;
use super::name::{Credential, credential, name_around};
use super::rules::{DataRule, Target};
use super::token::find_any;
use super::value::{decode_base64, entropy, is_hex_number, is_placeholder, is_strong_password, looks_random};
use super::{Found, connection};

/// The fewest bytes of a random key, and of a random password.
const MIN_KEY_BYTES: usize = 16;
const MIN_PASSWORD_BYTES: usize = 12;

/// Finds a credential that is assigned to the name with that keyword.
pub(super) fn find(bytes: &[u8], keyword: Range<usize>) -> Found {
    let name = name_around(bytes, keyword)?;
    let credential = credential(bytes.get(name.clone())?)?;
    let value = value_of(bytes, &name)?;
    if let Some(token) = find_any(bytes, value.range.start) {
        return Some(token);
    }
    let text = bytes.get(value.range.clone())?;
    let name_text = bytes.get(name.clone())?;
    let rule = match credential {
        Credential::Password if is_password(text, &value) => "password assigned to a name",
        Credential::Password if connection::is_password(bytes, &name, &value.range) => {
            "password in a connection string"
        }
        Credential::BasicAuth if connection::is_basic_auth(text) => "user and password in base64",
        _ if is_aws_secret(name_text, text) => "AWS secret access key",
        Credential::Password => return None,
        Credential::BasicAuth if connection::is_user_and_password(text) => return None,
        _ if is_key(text, &value, credential) => "credential assigned to a name",
        _ => return None,
    };
    Some((rule, value.range))
}

/// Finds a value of that rule, assigned to the name with that keyword.
pub(super) fn find_of_rule(bytes: &[u8], keyword: Range<usize>, rule: &DataRule) -> Found {
    let name = name_around(bytes, keyword)?;
    let text = bytes.get(name.clone())?;
    if rule.target == Target::NamedValue && credential(text).is_none() {
        return None;
    }
    let value = value_of(bytes, &name)?;
    rule.is_value(bytes.get(value.range.clone())?).then_some((rule.id, value.range))
}

fn is_password(text: &[u8], value: &Value) -> bool {
    let is_random = text.len() >= MIN_PASSWORD_BYTES && looks_random(text) && has_key_bytes(text, value);
    is_random || (!value.is_loose && is_strong_password(text))
}

fn is_key(text: &[u8], value: &Value, credential: Credential) -> bool {
    // After a blank, a hash is more likely than a key: `token d72941d7…`.
    let is_certain = !value.is_loose || text.iter().any(|byte| !byte.is_ascii_hexdigit());
    let is_of_chain = credential == Credential::Token && is_hex_number(text);
    text.len() >= MIN_KEY_BYTES && is_certain && !is_of_chain && has_key_bytes(text, value) && looks_random(text)
}

/// Whether all bytes are of base64, tokens, and, where the end is known, of passwords.
fn has_key_bytes(text: &[u8], value: &Value) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=-_.~:".contains(byte);
    text.iter().all(|byte| is_base64(byte) || (value.is_closed && b"!@#^&*?%$".contains(byte)))
}

/// Whether a name spells `secret access key`, and its value is one.
fn is_aws_secret(name: &[u8], value: &[u8]) -> bool {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase);
    let letters: Vec<u8> = letters.collect();
    value.len() == 40
        && memchr::memmem::find(&letters, b"secretaccesskey").is_some()
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        && entropy(value) >= 3.5
        && !is_placeholder(value)
}

/// Finds the credential after the scheme of an `Authorization` header: `Bearer …`, `Basic …`.
pub(super) fn header(bytes: &[u8], scheme: Range<usize>) -> Found {
    let is_word = scheme.start.checked_sub(1).is_none_or(|at| !bytes[at].is_ascii_alphanumeric());
    let value =
        super::run_of(bytes, scheme.end, 4096, |byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    let range = scheme.end..scheme.end + value.len();
    if let Some(token) = find_any(bytes, range.start).or_else(|| web_token(bytes, range.start)) {
        return Some(token);
    }
    let is_basic = bytes.get(scheme.start).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'b'))
        && bytes.get(scheme.start + 1).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'a'));
    let is_credential =
        if is_basic { connection::is_basic_auth(value) } else { value.len() >= MIN_KEY_BYTES && looks_random(value) };
    let rule = if is_basic { "user and password in base64" } else { "bearer token" };
    (is_word && is_credential).then_some((rule, range))
}

/// Finds a private key of PEM in base64, as kubeconfig holds it.
pub(super) fn encoded_private_key(bytes: &[u8], start: usize) -> Found {
    let encoded = super::run_of(bytes, start, 32 << 10, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    let label = decode_base64(encoded.get(..64)?);
    let is_key = encoded.len() >= 120 && memchr::memmem::find(&label, b"PRIVATE KEY").is_some();
    is_key.then_some(("private key", start..start + encoded.len()))
}
