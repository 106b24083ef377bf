//! Paths as the index knows them.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, Key};

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
            push_name(&mut out, part.as_os_str());
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
    pub fn key(&self) -> Key {
        Hash::of(self.0.as_bytes()).key()
    }
}

/// Appends one name, escaped if it is not UTF-8.
pub(crate) fn push_name(out: &mut String, name: &std::ffi::OsStr) {
    use fmt::Write as _;
    if let Some(name) = name.to_str() {
        return out.push_str(name);
    }
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        out.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
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
    }
}
