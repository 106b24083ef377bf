//! Decoding bytes into text.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use gristmill_pipeline::Severity;

/// The number of leading bytes in which a NUL marks a binary file, as in Git.
const NUL_SCAN_BYTES: usize = 8_000;

/// A decoded text, and how it was decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text; borrowed where the bytes are UTF-8. It keeps a UTF-8 byte order mark, so
    /// that its offsets are those of the file.
    pub text: Cow<'a, str>,
    /// The encoding: `UTF-8`, `UTF-16LE`, `UTF-16BE` or `windows-1252`.
    pub encoding: &'static str,
    /// Offset of the first byte that is not valid UTF-8, where the text was therefore
    /// decoded as Windows-1252.
    pub first_invalid: Option<usize>,
    /// Whether UTF-16 contained unpaired surrogates or an odd byte; each became U+FFFD.
    pub had_errors: bool,
    /// Offset of the first NUL, if there is one.
    pub first_nul: Option<usize>,
}

/// Why bytes were not decoded: they are binary.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A NUL among the first 8,000 bytes.
    #[error("NUL at byte {0}")]
    Nul(usize),
    /// A NUL after the first 8,000 bytes, in bytes that are not valid UTF-8.
    #[error("NUL at byte {nul}, and byte {invalid} is not UTF-8")]
    NulAndInvalid {
        /// Offset of the NUL.
        nul: usize,
        /// Offset of the first byte that is not valid UTF-8.
        invalid: usize,
    },
    /// A UTF-16 byte order mark, followed by NUL characters.
    #[error("a byte order mark of UTF-16, but NUL characters after it")]
    Utf16Nul,
}

/// Decodes bytes as UTF-16 if they start with its byte order mark, else as UTF-8, else as
/// Windows-1252.
///
/// Bytes with a NUL among the first 8,000 are binary, as in Git. A later NUL in valid UTF-8
/// is accepted: one stray NUL should not drop the file from the index.
///
/// # Errors
/// If the bytes are binary.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    for (mark, encoding) in [([0xff, 0xfe], UTF_16LE), ([0xfe, 0xff], UTF_16BE)] {
        if let Some(body) = bytes.strip_prefix(&mark) {
            let (text, had_errors) = encoding.decode_without_bom_handling(body);
            if memchr::memchr(0, text.as_bytes()).is_some() {
                return Err(DecodeError::Utf16Nul);
            }
            return Ok(Decoded { text, encoding: encoding.name(), first_invalid: None, had_errors, first_nul: None });
        }
    }
    let first_nul = memchr::memchr(0, bytes);
    if let Some(nul) = first_nul.filter(|nul| *nul < NUL_SCAN_BYTES) {
        return Err(DecodeError::Nul(nul));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text = Cow::Borrowed(text);
            Ok(Decoded { text, encoding: "UTF-8", first_invalid: None, had_errors: false, first_nul })
        }
        Err(error) => {
            let invalid = error.valid_up_to();
            if let Some(nul) = first_nul {
                return Err(DecodeError::NulAndInvalid { nul, invalid });
            }
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            let first_invalid = Some(invalid);
            Ok(Decoded { text, encoding: WINDOWS_1252.name(), first_invalid, had_errors: false, first_nul: None })
        }
    }
}

impl Decoded<'_> {
    /// Returns the diagnostics about the decoding: severity, code, line, message.
    pub(super) fn remarks(&self) -> impl Iterator<Item = (Severity, &'static str, u32, String)> {
        let utf16 = (self.encoding != "UTF-8" && self.first_invalid.is_none()).then(|| {
            let name = self.encoding;
            if self.had_errors {
                let message = format!("{name} with damaged characters, which became U+FFFD; save it as UTF-8");
                (Severity::Warning, "encoding", 0, message)
            } else {
                (Severity::Note, "encoding", 0, format!("decoded from {name}; offsets count bytes of its UTF-8 form"))
            }
        });
        let single_byte = self.first_invalid.map(|invalid| {
            let message =
                format!("byte {invalid} is not UTF-8; decoded as Windows-1252, save it as UTF-8 if that is wrong");
            // Every byte of Windows-1252 is one character.
            let at = self.text.char_indices().nth(invalid).map_or(0, |(at, _)| at);
            (Severity::Warning, "encoding", line_of(&self.text, at), message)
        });
        let nul = self.first_nul.map(|nul| {
            (Severity::Note, "nul", line_of(&self.text, nul), format!("NUL at byte {nul}; indexed as the text it is"))
        });
        utf16.into_iter().chain(single_byte).chain(nul)
    }
}

/// Returns the 1-based line of the byte at `at`.
fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        for (bytes, text, encoding) in [
            (b"".as_slice(), "", "UTF-8"),
            ("\u{feff}é".as_bytes(), "\u{feff}é", "UTF-8"),
            (b"\xff\xfea\0\xe9\0", "aé", "UTF-16LE"),
            (b"\xfe\xff\0a\0\xe9", "aé", "UTF-16BE"),
            (b"caf\xe9 \x80", "café €", "windows-1252"),
        ] {
            let decoded = decode(bytes).expect("text");
            assert_eq!((&*decoded.text, decoded.encoding), (text, encoding));
            assert!(!decoded.had_errors);
        }
        assert!(decode(b"\xff\xfea\0\x00\xd8").expect("text").had_errors);
    }

    #[test]
    fn nul_near_the_front_is_binary_and_later_only_if_not_utf8() {
        assert_eq!(decode(b"ab\0"), Err(DecodeError::Nul(2)));
        assert_eq!(decode(b"\xff\xfe\0\0a\0\0\0"), Err(DecodeError::Utf16Nul));
        let mut late = vec![b'a'; NUL_SCAN_BYTES];
        late.push(0);
        assert_eq!(decode(&late).expect("text").first_nul, Some(NUL_SCAN_BYTES));
        late.push(0xff);
        assert_eq!(decode(&late), Err(DecodeError::NulAndInvalid { nul: NUL_SCAN_BYTES, invalid: NUL_SCAN_BYTES + 1 }));
    }

    #[test]
    fn remarks_name_the_line() {
        let lines = |bytes: &[u8]| -> Vec<(&'static str, u32)> {
            decode(bytes).expect("text").remarks().map(|(_, code, line, _)| (code, line)).collect()
        };
        assert_eq!(lines("é\né\n".as_bytes()), []);
        assert_eq!(lines(b"\xc3\xa9\n\xc3\xa9\n\xe9\n"), [("encoding", 3)]);
        assert_eq!(lines(&[vec![b'\n'; NUL_SCAN_BYTES], vec![0]].concat()), [("nul", NUL_SCAN_BYTES as u32 + 1)]);
    }
}
