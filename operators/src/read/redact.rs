//! Taking secrets out of a text.

use super::secrets::Finding;

/// The text with a `*` for each byte of each finding. Line breaks stay, and the length in
/// bytes is the same, so offsets and line numbers hold.
///
/// Findings lie in order, do not overlap, and begin and end between characters.
#[must_use]
pub fn redact(text: &str, findings: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for finding in findings {
        out.push_str(text.get(copied..finding.range.start).unwrap_or_default());
        let secret = text.as_bytes().get(finding.range.clone()).unwrap_or_default();
        out.extend(secret.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(*byte) } else { '*' }));
        copied = finding.range.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}
