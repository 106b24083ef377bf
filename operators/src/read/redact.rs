//! Redacting secrets.

use super::secrets::Finding;

/// Returns the text with each byte of each finding replaced by `*`.
///
/// Line breaks and the length in bytes are kept, so that offsets and line numbers stay valid.
/// Findings must be sorted, must not overlap, and must start and end on character boundaries.
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
