//! What a name is assigned, in the syntax of programs, configuration files and command lines.

use std::ops::Range;

use super::run_of;

/// The most bytes of a value that can be a credential.
const MAX_BYTES: usize = 512;

/// A value that is assigned to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) range: Range<usize>,
    /// Whether it is the text of a string, an element or an expansion, so that its end is known.
    pub(super) is_closed: bool,
    /// Whether nothing but a blank separates it from the name, as in `--token …`.
    pub(super) is_loose: bool,
}

/// Where a value begins, and how it is written.
#[derive(Clone, Copy)]
struct Place {
    at: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A string, or unquoted text.
    Any,
    /// A string only: `getenv("NAME", "…")`, `process.env.NAME || "…"`.
    Quoted,
    /// Text up to `<`.
    Element,
    /// Text up to `}`: `${NAME:-…}`.
    Expansion,
    /// Text after a blank: `--token …`.
    Loose,
}

/// Returns the value that is assigned to the name: `"apiKey": "…"`, `api_key = '…'`, `SECRET_KEY=…`,
/// `password: …`, `const TOKEN: &str = "…"`, `define("TOKEN", "…")`, `environ["TOKEN"] = "…"`,
/// `<password>…</password>`, `<add key="ApiKey" value="…"/>`, `${TOKEN:-…}`, `--token …`,
/// `setPassword("…")`; also on the next line.
pub(super) fn value_of(bytes: &[u8], name: &Range<usize>) -> Option<Value> {
    let place = place(bytes, name)?;
    let (at, is_next_line) = skip_to_value(bytes, place);
    let start = match place.kind {
        Kind::Element | Kind::Expansion => at,
        Kind::Any | Kind::Quoted => skip_string_prefix(bytes, at),
        Kind::Loose => at,
    };
    let quote = quote_at(bytes, start);
    match (place.kind, quote) {
        (Kind::Element, _) => closed(bytes, start, |byte| byte == b'<'),
        (Kind::Expansion, _) => closed(bytes, start, |byte| byte == b'}'),
        (_, Some((quote, length))) => closed(bytes, start + length, |byte| byte == quote || byte == b'\\'),
        (Kind::Any, None) if start == at => unquoted(bytes, name, at, is_next_line),
        (Kind::Loose, None) => unquoted(bytes, name, at, false).map(|value| Value { is_loose: true, ..value }),
        _ => None,
    }
}

/// Returns where the value of the name begins.
fn place(bytes: &[u8], name: &Range<usize>) -> Option<Place> {
    let before = name.start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let mut at = name.end;
    let is_quoted = quote_at(bytes, at).is_some();
    if let Some((_, length)) = quote_at(bytes, at) {
        at += length;
    }
    if is_quoted && matches!(bytes.get(at), Some(b']' | b')')) {
        at += 1;
    }
    let after_name = at;
    at = skip_blanks(bytes, at);
    let place = |length, kind| Some(Place { at: at + length, kind });
    match bytes.get(at..)? {
        [b'>', ..] if before == Some(b'<') || is_quoted => place(1, Kind::Element),
        [b'=', b'=' | b'~', ..] | [b':', b':', ..] => None,
        [b'=', b'>', ..] | [b':' | b'?', b'=', ..] => place(2, Kind::Any),
        [b':', b'-', ..] if before == Some(b'{') => place(2, Kind::Expansion),
        [b'|', b'|', ..] | [b'?', b'?', ..] => place(2, Kind::Quoted),
        [b'=', ..] => place(1, Kind::Any),
        [b':', rest @ ..] => place(1 + skip_type(rest), Kind::Any),
        rest => pair(bytes, after_name).or_else(|| match rest {
            [b',', ..] if is_quoted => place(1, Kind::Quoted),
            [b'(', ..] => place(1, Kind::Quoted),
            [b'o', b'r', b' ', ..] => place(3, Kind::Quoted),
            _ if at > after_name && !is_quoted => place(0, Kind::Loose),
            _ => None,
        }),
    }
}

/// Returns where the value of a pair of name and value begins: `"name": "API_KEY", "value": "…"`,
/// `- name: API_KEY` with `value: …` on the next line, `key="ApiKey" value="…"`.
fn pair(bytes: &[u8], at: usize) -> Option<Place> {
    let blanks = run_of(bytes, at, 80, |byte| byte.is_ascii_whitespace() || byte == b',');
    let mut at = at + blanks.len();
    if blanks.is_empty() {
        return None;
    }
    at += quote_at(bytes, at).map_or(0, |(_, length)| length);
    if !bytes.get(at..at + 5)?.eq_ignore_ascii_case(b"value") {
        return None;
    }
    at += 5;
    at += quote_at(bytes, at).map_or(0, |(_, length)| length);
    at = skip_blanks(bytes, at);
    matches!(bytes.get(at), Some(b':' | b'=')).then_some(Place { at: at + 1, kind: Kind::Any })
}

/// Skips blanks, and one line break where the line ends without a value. Returns whether it did.
fn skip_to_value(bytes: &[u8], place: Place) -> (usize, bool) {
    let mut at = skip_blanks(bytes, place.at);
    if matches!(place.kind, Kind::Loose | Kind::Expansion) {
        return (at, false);
    }
    // A block scalar of YAML, a continued line, an opened call.
    let mark = run_of(bytes, at, 3, |byte| matches!(byte, b'|' | b'>' | b'-' | b'+' | b'\\' | b'('));
    let line_end = skip_blanks(bytes, at + mark.len());
    let line_break = match bytes.get(line_end..) {
        Some([b'\r', b'\n', ..]) => 2,
        Some([b'\n', ..]) => 1,
        _ => return (at, false),
    };
    at = line_end + line_break;
    (at + run_of(bytes, at, 120, |byte| matches!(byte, b' ' | b'\t')).len(), true)
}

/// Skips what may stand before the quote of a string: a prefix (`b"…"`), a call (`String::from("…")`).
/// Stays where no string follows.
fn skip_string_prefix(bytes: &[u8], at: usize) -> usize {
    let is_of_call = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.&!@$[] ".contains(&byte);
    let prefix = run_of(bytes, at, 32, is_of_call);
    let mut end = at + prefix.len();
    if prefix.len() > 2 || prefix.contains(&b' ') {
        match bytes.get(end) {
            Some(b'(') => end = skip_blanks(bytes, end + 1),
            _ => return at,
        }
    }
    if quote_at(bytes, end).is_some() { end } else { at }
}

/// A quote and the bytes that write it, in a string with escapes too: `\"`.
fn quote_at(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    match bytes.get(at..)? {
        [quote @ (b'"' | b'\''), second, third, ..] if quote == second && quote == third => Some((*quote, 3)),
        [quote @ (b'"' | b'\'' | b'`'), ..] => Some((*quote, 1)),
        [b'\\', quote @ (b'"' | b'\''), ..] => Some((*quote, 2)),
        _ => None,
    }
}

/// A value that ends before a byte. In a string no value has blanks.
fn closed(bytes: &[u8], start: usize, is_end: impl Fn(u8) -> bool) -> Option<Value> {
    let value = run_of(bytes, start, MAX_BYTES + 1, |byte| byte.is_ascii_graphic() && !is_end(byte));
    let end = start + value.len();
    let is_closed = bytes.get(end).is_some_and(|byte| is_end(*byte)) && value.len() <= MAX_BYTES;
    is_closed.then_some(Value { range: start..end, is_closed: true, is_loose: false })
}

/// An unquoted value: all of the line's rest in a configuration file, else up to a separator.
fn unquoted(bytes: &[u8], name: &Range<usize>, start: usize, is_next_line: bool) -> Option<Value> {
    let token =
        run_of(bytes, start, MAX_BYTES + 1, |byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`'));
    let token_end = start + token.len();
    let rest = run_of(bytes, token_end, 200, |byte| byte != b'\n').trim_ascii();
    let ends_line = rest.is_empty() || rest.starts_with(b"#") || rest.starts_with(b"//") || rest == b"\\";
    let trimmed = token.len() - token.iter().rev().take_while(|byte| matches!(byte, b',' | b';')).count();
    if is_next_line {
        let is_alone = rest.is_empty() && !token.iter().any(|byte| matches!(byte, b':' | b'(' | b')' | b'[' | b']'));
        return is_alone.then_some(Value { range: start..start + trimmed, is_closed: false, is_loose: false });
    }
    if ends_line && begins_line(bytes, name.start) && token.len() <= MAX_BYTES {
        return Some(Value { range: start..start + trimmed, is_closed: false, is_loose: false });
    }
    let value = run_of(bytes, start, MAX_BYTES + 1, |byte| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'"' | b'\''
                    | b'`'
                    | b'\\'
                    | b','
                    | b';'
                    | b'&'
                    | b'|'
                    | b'<'
                    | b'>'
                    | b'('
                    | b')'
                    | b'['
                    | b']'
                    | b'{'
                    | b'}'
            )
    });
    let end = start + value.len();
    // A call, or a path of names: `private_key: ed25519.PrivateKey`.
    let is_code = matches!(bytes.get(end), Some(b'(' | b'[' | b'{')) || value.contains(&b'.');
    (!is_code && value.len() <= MAX_BYTES).then_some(Value { range: start..end, is_closed: false, is_loose: false })
}

/// Whether only list marks, quotes, commands that set a variable and the markers of a diff stand
/// before the name in its line.
fn begins_line(bytes: &[u8], name: usize) -> bool {
    let before = bytes.get(..name).unwrap_or_default();
    let before = before.get(before.len().saturating_sub(40)..).unwrap_or_default();
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    line.split(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'+' | b'"' | b'\'' | b'/' | b':' | b'$' | b'#' | b'>')).all(
        |word| {
            let word = word.strip_suffix(b"\r").unwrap_or(word);
            word.is_empty()
                || [b"export".as_slice(), b"set", b"ENV", b"ARG", b"env"].contains(&word)
                || line.starts_with(b"//")
        },
    )
}

fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    at + run_of(bytes, at, 32, |byte| matches!(byte, b' ' | b'\t')).len()
}

/// Returns the length of a type annotation including the `=` after it; 0 if there is none.
fn skip_type(rest: &[u8]) -> usize {
    let annotation = run_of(rest, 0, 48, |byte| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b' ' | b'&' | b'_' | b':' | b'?' | b'[' | b']' | b'\'' | b'<' | b'>')
    });
    match rest.get(annotation.len()..) {
        Some([b'=', next, ..]) if matches!(next, b'"' | b'\'') || (annotation.ends_with(b" ") && *next != b'=') => {
            annotation.len() + 1
        }
        _ => 0,
    }
}
