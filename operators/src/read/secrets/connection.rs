//! Passwords in connection strings and URLs.

use std::ops::Range;

use memchr::memmem;

use super::value::{decode_base64, entropy, is_placeholder};
use super::{Found, run_of};

/// Passwords of examples and local set-ups, which are not reported.
const COMMON_PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "postgres",
    "1234",
    "admin",
    "guest",
    "mysql",
    "changeme",
    "test",
    "foobar",
    "opensesame",
    "open sesame",
];

/// Hosts of examples and local set-ups.
const LOCAL_HOSTS: &[&str] = &["localhost", "127.", "0.0.0.0", "[", "example", "host", "(local", "(localdb"];

/// Keys that stand beside a password in connection strings, in lower case.
const COMPANIONS: &[&str] = &[
    "server=",
    "data source=",
    "datasource=",
    "host=",
    "endpoint=",
    "user=",
    "user id=",
    "userid=",
    "uid=",
    "username=",
    "user name=",
];

/// Finds the password in `scheme://user:password@host`.
pub(super) fn url_password(bytes: &[u8], separator: usize) -> Found {
    let has_scheme = separator.checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    if !has_scheme {
        return None;
    }
    let start = separator + 3;
    let part = |at| run_of(bytes, at, 256, |byte| byte.is_ascii_graphic() && !b"/:@?#\"'`<>\\(),".contains(&byte));
    let user = part(start);
    if bytes.get(start + user.len()) != Some(&b':') {
        return None;
    }
    let password_start = start + user.len() + 1;
    let password = part(password_start);
    let end = password_start + password.len();
    if bytes.get(end) != Some(&b'@') {
        return None;
    }
    let host =
        run_of(bytes, end + 1, 64, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'[' | b':'));
    let is_real = !host.is_empty() && !is_local(host) && password != user && is_chosen(password);
    is_real.then_some(("password in a URL", password_start..end))
}

/// Whether the value is the password of a connection string, whatever it looks like:
/// `Server=…;User Id=…;Password=…;`, `host=… user=… password=…`.
pub(super) fn is_password(bytes: &[u8], name: &Range<usize>, value: &Range<usize>) -> bool {
    let is_adjacent = bytes.get(name.end) == Some(&b'=') && value.start == name.end + 1;
    // `connect(user=user, password=password)` is code.
    let is_argument = bytes.get(..name.start).unwrap_or_default().trim_ascii_end().ends_with(b",");
    let is_identifier = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    let is_real = |text: &[u8]| is_chosen(text) && !is_identifier(text);
    if !is_adjacent || is_argument || !bytes.get(value.clone()).is_some_and(is_real) {
        return false;
    }
    let not_line_end = |byte: &&u8| **byte != b'\n';
    let before = bytes.get(..name.start).unwrap_or_default().iter().rev().take(300).take_while(not_line_end).count();
    let after = bytes.get(value.end..).unwrap_or_default().iter().take(300).take_while(not_line_end).count();
    let line = bytes.get(name.start - before..value.end + after).unwrap_or_default().to_ascii_lowercase();
    let has = |key: &&str| memmem::find(&line, key.as_bytes()).is_some();
    let host_of = |key: &str| {
        let at = memmem::find(&line, key.as_bytes())? + key.len();
        line.get(at..)
    };
    let is_of_local = ["server=", "data source=", "host="].iter().filter_map(|key| host_of(key)).any(is_local);
    COMPANIONS.iter().any(has) && !is_of_local
}

/// Whether a value is a user and a password in base64, as `Basic` headers hold them, and no
/// example of one. The user may be empty.
pub(super) fn is_basic_auth(value: &[u8]) -> bool {
    user_and_password(value).is_some_and(|text| {
        let colon = text.iter().position(|byte| *byte == b':');
        colon.and_then(|colon| text.get(colon + 1..)).is_some_and(is_uncommon)
    })
}

/// Whether a value is a user and a password in base64, be they an example or not.
pub(super) fn is_user_and_password(value: &[u8]) -> bool {
    user_and_password(value).is_some()
}

fn user_and_password(value: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    let text = if is_base64 { decode_base64(value) } else { Vec::new() };
    (text.contains(&b':') && text.iter().all(|byte| matches!(byte, b' '..=b'~'))).then_some(text)
}

fn is_local(host: &[u8]) -> bool {
    LOCAL_HOSTS.iter().any(|local| host.starts_with(local.as_bytes()))
        || memmem::find(host.split(|byte| b";, ".contains(byte)).next().unwrap_or_default(), b"example").is_some()
}

/// Whether a password was chosen, rather than a variable, a placeholder or a common word.
fn is_chosen(password: &[u8]) -> bool {
    is_uncommon(password) && !password.iter().any(|byte| b"{}*[]<>()".contains(byte)) && !has_variable(password)
}

fn is_uncommon(password: &[u8]) -> bool {
    let holds = |common: &&str| password.windows(common.len()).any(|part| part.eq_ignore_ascii_case(common.as_bytes()));
    password.len() >= 6 && !COMMON_PASSWORDS.iter().any(holds) && entropy(password) >= 2.0 && !is_placeholder(password)
}

/// Whether the text refers to a variable: `$PASSWORD`, `%PASSWORD%`.
fn has_variable(text: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    text.windows(4).any(|part| matches!(part[0], b'$' | b'%') && part[1..].iter().all(is_of_name))
}
