//! Values of Kubernetes secrets.

use std::ops::Range;

use memchr::memmem;

use super::value::is_placeholder;

/// How far from `data:` the kind of its manifest is looked for, and values are.
const MAX_BYTES: usize = 16 << 10;

/// Returns the values below the `data:` or `stringData:` at `start..end`, if its manifest is of kind
/// `Secret`.
pub(super) fn secret_values(bytes: &[u8], start: usize, end: usize) -> Vec<Range<usize>> {
    let before = bytes.get(start.saturating_sub(MAX_BYTES)..start).unwrap_or_default();
    let after = bytes.get(end..bytes.len().min(end + MAX_BYTES)).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let indent = before.get(line_start..).unwrap_or_default();
    let is_key = indent.strip_suffix(b"string").unwrap_or(indent).iter().all(|byte| *byte == b' ');
    if !is_key || !matches!(after, [b'\n', ..] | [b'\r', b'\n', ..]) {
        return Vec::new();
    }
    let head = memmem::rfind(before, b"\n---").map_or(before, |at| &before[at..]);
    let tail = memmem::find(after, b"\n---").map_or(after, |at| &after[..at]);
    let says_secret = |text: &[u8]| {
        let mut kinds = memmem::find_iter(text, b"kind:");
        kinds.any(|at| unquote(text[at + 5..].trim_ascii_start()).starts_with(b"Secret"))
    };
    if !says_secret(head) && !says_secret(tail) {
        return Vec::new();
    }
    let depth = indent.iter().take_while(|byte| **byte == b' ').count();
    let mut values = Vec::new();
    let mut at = end;
    for line in after.split_inclusive(|byte| *byte == b'\n') {
        let line_start = at;
        at += line.len();
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let line_depth = line.iter().take_while(|byte| **byte == b' ').count();
        if line_depth <= depth {
            break;
        }
        // A key and its value, or a line of a block scalar.
        let value_at = memmem::find(line, b": ").map_or(line_depth, |colon| colon + 2);
        let value = line.get(value_at..).unwrap_or_default();
        let blanks = value.iter().take_while(|byte| b" \"'".contains(byte)).count();
        let value = unquote(value.trim_ascii());
        let value = value.strip_suffix(b"\"").or_else(|| value.strip_suffix(b"'")).unwrap_or(value);
        let is_block = matches!(value, [b'|' | b'>', ..]) || value.ends_with(b":");
        let is_template = value.starts_with(b"{") || value.starts_with(b"$") || value.starts_with(b"ENC[");
        if value.len() >= 6 && !is_block && !is_template && !is_placeholder(value) {
            let value_start = line_start + value_at + blanks;
            values.push(value_start..value_start + value.len());
        }
    }
    values
}

/// Strips an opening quote.
fn unquote(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").or_else(|| text.strip_prefix(b"'")).unwrap_or(text)
}
