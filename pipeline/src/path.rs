//! Paths as the index knows them.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use gristmill_ids::PathKey;

/// A path relative to the source's root: UTF-8, parts separated by `/`, no leading `/`.
///
/// A name that is not UTF-8 is escaped: each undecodable byte becomes `\xNN` and each
/// backslash of that name `\\`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelPath(Arc<str>);

impl RelPath {
    /// Takes a path that already has the index's form.
    #[must_use]
    pub fn new(path: impl Into<Arc<str>>) -> Self {
        Self(path.into())
    }

    /// Converts a file system path that is relative to the source's root.
    #[must_use]
    pub fn from_relative(path: &Path) -> Self {
        let mut out = String::with_capacity(path.as_os_str().len());
        for part in path.components() {
            if !out.is_empty() {
                out.push('/');
            }
            push_name(&mut out, part.as_os_str().as_encoded_bytes());
        }
        Self(out.into())
    }

    /// Converts a path of bytes whose parts are separated by `/`, as version control
    /// systems store them.
    pub(crate) fn from_bytes(path: &[u8]) -> Self {
        if let Ok(path) = std::str::from_utf8(path) {
            return Self(path.into());
        }
        let mut out = String::with_capacity(path.len());
        for name in path.split(|byte| *byte == b'/') {
            if !out.is_empty() {
                out.push('/');
            }
            push_name(&mut out, name);
        }
        Self(out.into())
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// What follows the last dot of the file name, if its name does not begin there.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        match self.file_name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => Some(extension),
            _ => None,
        }
    }

    /// The key by which the fact plane knows this path.
    #[must_use]
    pub fn key(&self) -> PathKey {
        PathKey::of(&self.0)
    }
}

/// Appends one name, escaped if it is not UTF-8.
pub(crate) fn push_name(out: &mut String, name: &[u8]) {
    use fmt::Write as _;
    if let Ok(name) = std::str::from_utf8(name) {
        return out.push_str(name);
    }
    for chunk in name.utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

/// Undoes the escapes in a [`RelPath`]; nothing if no name is escaped.
pub(crate) fn unescape_path(path: &str) -> Option<Vec<u8>> {
    if !path.contains("\\x") {
        return None;
    }
    let names = path.split('/').map(|name| unescape_name(name).unwrap_or_else(|| name.into()));
    Some(names.collect::<Vec<_>>().join(&b'/'))
}

/// Undoes the escapes of one name of a [`RelPath`]; nothing if it has none.
pub(crate) fn unescape_name(name: &str) -> Option<Vec<u8>> {
    if !name.contains("\\x") {
        return None;
    }
    let mut raw = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [byte, after @ ..] = rest {
        let escaped = rest.strip_prefix(b"\\x").and_then(|hex| hex.split_at_checked(2));
        let decoded = escaped.and_then(|(hex, after)| Some((hex_byte(hex)?, after)));
        let (byte, after) = match (decoded, rest) {
            (Some(decoded), _) => decoded,
            (None, [b'\\', b'\\', after @ ..]) => (b'\\', after),
            (None, _) => (*byte, after),
        };
        raw.push(byte);
        rest = after;
    }
    Some(raw)
}

fn hex_byte(hex: &[u8]) -> Option<u8> {
    // A sign would pass as part of a number.
    let digits = std::str::from_utf8(hex).ok().filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
    u8::from_str_radix(digits?, 16).ok()
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Borrow<str> for RelPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RelPath {
    fn from(path: &str) -> Self {
        Self(path.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions() {
        let path = RelPath::from("src/lib.rs");
        assert_eq!((path.file_name(), path.extension()), ("lib.rs", Some("rs")));
        assert_eq!(RelPath::from("a/.env").extension(), None);
        assert_eq!(RelPath::from("Makefile").extension(), None);
    }

    #[cfg(unix)]
    #[test]
    fn undecodable_names_are_escaped() {
        use std::os::unix::ffi::OsStrExt as _;
        let raw = std::ffi::OsStr::from_bytes(b"dir/a\xff\\b.rs");
        assert_eq!(RelPath::from_relative(Path::new(raw)).as_str(), r"dir/a\xff\\b.rs");
        assert_eq!(RelPath::from_bytes(b"dir/a\xff\\b.rs"), RelPath::from_relative(Path::new(raw)));
    }

    #[test]
    fn escapes_are_undone() {
        for name in [&b"a\xff\\b.rs"[..], b"\\\xfe\\x41", "é\\".as_bytes()] {
            let escaped = RelPath::from_bytes(name);
            let raw = unescape_name(escaped.as_str()).unwrap_or_else(|| escaped.as_str().into());
            assert_eq!(raw, name, "{escaped}");
        }
        assert_eq!(unescape_name(r"plain\\é.rs"), None);
        assert_eq!(unescape_name(r"a\x+1\xff"), Some(b"a\\x+1\xff".to_vec()));
    }
}
