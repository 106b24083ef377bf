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
    /// Offset of the first byte that is not valid UTF-8, where the bytes are not UTF-16.
    pub first_invalid: Option<usize>,
    /// Whether there were damaged characters: unpaired surrogates or an odd byte in UTF-16, or
    /// bytes in UTF-8 that belong to no character. Each became U+FFFD.
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
/// Bytes that are not valid UTF-8 as a whole are UTF-8 all the same if at least as many characters
/// beyond ASCII are valid in it as are damaged: a text in another encoding hardly ever holds valid
/// ones. Each damaged character becomes U+FFFD, so that one bad byte costs one character.
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
            let first_invalid = Some(invalid);
            if is_damaged_utf8(bytes) {
                let text = String::from_utf8_lossy(bytes);
                return Ok(Decoded { text, encoding: "UTF-8", first_invalid, had_errors: true, first_nul: None });
            }
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            Ok(Decoded { text, encoding: WINDOWS_1252.name(), first_invalid, had_errors: false, first_nul: None })
        }
    }
}

/// Whether at least as many characters beyond ASCII are valid UTF-8 as are not.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut damaged) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        // Every character beyond ASCII has one first byte, and those have their two highest bits set.
        valid += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    valid > 0 && valid >= damaged
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
        let invalid = self.first_invalid.map(|invalid| {
            let (at, message) = if self.had_errors {
                let count = self.text.matches(char::REPLACEMENT_CHARACTER).count();
                let message = format!(
                    "byte {invalid} is not UTF-8, as the text is otherwise; {count} damaged characters became U+FFFD, \
                     and offsets count bytes of the text with these"
                );
                // Up to there, the text is the file.
                (invalid, message)
            } else {
                let message =
                    format!("byte {invalid} is not UTF-8; decoded as Windows-1252, save it as UTF-8 if that is wrong");
                // Every byte of Windows-1252 is one character.
                (self.text.char_indices().nth(invalid).map_or(0, |(at, _)| at), message)
            };
            (Severity::Warning, "encoding", line_of(&self.text, at), message)
        });
        let nul = self.first_nul.map(|nul| {
            (Severity::Note, "nul", line_of(&self.text, nul), format!("NUL at byte {nul}; indexed as the text it is"))
        });
        utf16.into_iter().chain(invalid).chain(nul)
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
    fn one_bad_byte_costs_one_character() {
        for (bytes, text, encoding) in [
            (b"\xe9 \xe6\xa4\x9c".as_slice(), "\u{fffd} 検", "UTF-8"),
            ("façade \u{e9}t".as_bytes(), "façade ét", "UTF-8"),
            (b"fa\xc3\xa7ade cut \xe6\xa4", "façade cut \u{fffd}", "UTF-8"),
            // Valid sequences are rare in other encodings.
            (b"caf\xe9 \xc3\xa9 \xe8 \xe0", "cafÃ© \u{c3}\u{a9}", "windows-1252"),
            (b"\x93\xfa\x96{\x8c\xea", "“ú–{Œê", "windows-1252"),
        ] {
            let decoded = decode(bytes).expect("text");
            assert_eq!(decoded.encoding, encoding);
            if encoding == "UTF-8" {
                assert_eq!(decoded.text, text);
            }
        }
        let mixed = [b"# Ren\xe9\n".as_slice(), "# façade\n".as_bytes(), "ü".as_bytes(), b"\n\xff\n"].concat();
        let decoded = decode(&mixed).expect("text");
        assert_eq!((decoded.text.lines().count(), decoded.first_invalid, decoded.had_errors), (4, Some(5), true));
        let remarks: Vec<_> = decoded.remarks().map(|(severity, code, line, _)| (severity, code, line)).collect();
        assert_eq!(remarks, [(Severity::Warning, "encoding", 1)]);
    }

    #[test]
    fn remarks_name_the_line() {
        let lines = |bytes: &[u8]| -> Vec<(&'static str, u32)> {
            decode(bytes).expect("text").remarks().map(|(_, code, line, _)| (code, line)).collect()
        };
        assert_eq!(lines("é\né\n".as_bytes()), []);
        assert_eq!(lines(b"\xc3\xa9\n\xc3\xa9\n\xe9\n"), [("encoding", 3)]);
        assert_eq!(lines(b"a\nb\n\xe9\n"), [("encoding", 3)]);
        assert_eq!(lines(&[vec![b'\n'; NUL_SCAN_BYTES], vec![0]].concat()), [("nul", NUL_SCAN_BYTES as u32 + 1)]);
    }
}
