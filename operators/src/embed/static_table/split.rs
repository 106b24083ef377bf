//! Splitting identifiers into words.

/// Whether an identifier is split before the upper-case letter at `at`: after a lower-case
/// letter or digit (`aB`), or before the last capital of a run that a lower-case letter follows
/// (`HTTPServer`).
///
/// Both rules inspect only ASCII and one byte on either side, so they are valid at any byte of a
/// UTF-8 text.
#[inline]
pub(super) fn splits_before_upper(bytes: &[u8], at: usize) -> bool {
    let Some(&before) = at.checked_sub(1).and_then(|previous| bytes.get(previous)) else {
        return false;
    };
    if before.is_ascii_uppercase() {
        return bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
    }
    before.is_ascii_lowercase() || before.is_ascii_digit()
}

/// Appends `text` with its identifiers split: `aB` → `a B`, `HTTPServer` → `HTTP Server`,
/// `_` → space.
///
/// Equivalent to replacing `([a-z0-9])([A-Z])` by `\1 \2`, then
/// `([A-Z]+)([A-Z][a-z])` by `\1 \2`, then `_` by a space.
pub fn split_identifiers(text: &str, out: &mut String) {
    out.reserve(text.len() + text.len() / 8);
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let is_underscore = *byte == b'_';
        if is_underscore || (byte.is_ascii_uppercase() && splits_before_upper(bytes, at)) {
            // `at` is the offset of an ASCII byte, hence a character boundary.
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push(' ');
            copied = at + usize::from(is_underscore);
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &str) -> String {
        let mut out = String::new();
        split_identifiers(text, &mut out);
        out
    }

    #[test]
    fn splits_at_case_and_underscore() {
        for (text, expected) in [
            ("readFile", "read File"),
            ("HTTPServer2Go", "HTTP Server2 Go"),
            ("__init__", "  init  "),
            ("aBCd", "a B Cd"),
            ("ABC", "ABC"),
            ("éA Éa", "éA Éa"),
        ] {
            assert_eq!(split(text), expected);
        }
    }

    proptest! {
        #[test]
        fn equals_the_regexes_in_sequence(text in "([A-Ca-c01_é ]|[A-Z]{2,4}[a-z]?){0,24}") {
            let lower_upper = regex::Regex::new("([a-z0-9])([A-Z])").expect("valid");
            let run = regex::Regex::new("([A-Z]+)([A-Z][a-z])").expect("valid");
            let once = lower_upper.replace_all(&text, "$1 $2");
            let twice = run.replace_all(&once, "$1 $2");
            prop_assert_eq!(split(&text), twice.replace('_', " "));
        }
    }
}
