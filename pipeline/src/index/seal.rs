//! Seals: the length and checksum of every immutable file that an epoch reaches, kept in its commit record.
//!
//! A sink names the files of a state when it publishes it ([`Published::files`](crate::Published::files)). What the
//! epoch before names too keeps its seal; the others are read once, before the record is written.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a file held when its epoch was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Its length in bytes.
    pub bytes: u64,
    /// CRC-32 (IEEE 802.3) of its content.
    pub crc32: u32,
}

/// How closely files are compared with what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Whether they exist and have their lengths: about a microsecond a file.
    Lengths,
    /// Their checksums too: each is read whole.
    Contents,
}

/// Seals by path, relative to the index folder, with `/` between names.
pub type Seals = BTreeMap<Box<str>, Seal>;

/// A file of an index that is not what its epoch was committed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The file, relative to the index folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It does not exist.
    Missing,
    /// It has another length.
    Length {
        /// Its bytes.
        found: u64,
        /// The bytes that it was committed with.
        expected: u64,
    },
    /// Its checksum does not match.
    Checksum,
    /// It cannot be read, or not understood, for this reason.
    Unreadable(String),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Length { found, expected } => write!(f, "has {found} bytes, expected {expected}"),
            Self::Checksum => f.write_str("checksum mismatch"),
            Self::Unreadable(reason) => f.write_str(reason),
        }
    }
}

impl Seal {
    /// Reads a file whole.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut hasher = crc32fast::Hasher::new();
        let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(Self { bytes, crc32: hasher.finalize() }),
                Ok(read) => {
                    hasher.update(buffer.get(..read).unwrap_or_default());
                    bytes += read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a file is what it was.
    pub(crate) fn is_of(self, path: &Path) -> bool {
        self.fault(path, Depth::Contents).is_none()
    }

    /// Compares a file.
    fn fault(self, path: &Path, depth: Depth) -> Option<Fault> {
        let found = std::fs::metadata(path).map(|metadata| (metadata.is_file(), metadata.len()));
        match found {
            Ok((true, bytes)) if bytes == self.bytes => {}
            Ok((true, found)) => return Some(Fault::Length { found, expected: self.bytes }),
            Ok((false, _)) => return Some(Fault::Unreadable("is no file".into())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Some(Fault::Missing);
            }
            Err(error) => return Some(Fault::Unreadable(error.to_string())),
        }
        if depth == Depth::Lengths {
            return None;
        }
        match Self::of(path) {
            Ok(found) if found == self => None,
            Ok(_) => Some(Fault::Checksum),
            Err(error) => Some(Fault::Unreadable(error.to_string())),
        }
    }
}

/// Seals the files of a sink's state: `files` are relative to its folder, which lies at `folder` and will be called
/// `name`. Those that `before` has with the same length are not read again.
///
/// # Errors
/// If a file cannot be read; the error comes with its path.
pub(crate) fn seal(
    name: &str,
    folder: &Path,
    files: &[PathBuf],
    before: &Seals,
) -> Result<Seals, (PathBuf, io::Error)> {
    let mut seals = Seals::new();
    for file in files {
        let path = folder.join(file);
        let key = key(name, file);
        let known = before.get(&key).filter(|known| known.fault(&path, Depth::Lengths).is_none());
        let seal = match known {
            Some(known) => *known,
            None => Seal::of(&path).map_err(|error| (path, error))?,
        };
        seals.insert(key, seal);
    }
    Ok(seals)
}

fn key(name: &str, file: &Path) -> Box<str> {
    let mut key = name.to_owned();
    for part in file {
        key.push('/');
        key.push_str(&part.to_string_lossy());
    }
    key.into()
}

/// Compares the files of an index with their seals.
pub(super) fn damages(index: &Path, seals: &Seals, depth: Depth) -> Vec<Damage> {
    let damage = |(file, seal): (_, &Seal)| {
        let path = PathBuf::from(Box::as_ref(file));
        let fault = seal.fault(&index.join(&path), depth)?;
        Some(Damage { path, fault })
    };
    seals.iter().filter_map(damage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_found_and_what_is_known_is_not_read_again() {
        let folder = tempfile::tempdir().expect("creates");
        let path = folder.path().join("sink/part/a");
        std::fs::create_dir_all(folder.path().join("sink/part")).expect("creates");
        std::fs::write(&path, "123456789").expect("writes");
        let files = [PathBuf::from("part/a")];
        let seals = seal("sink", &folder.path().join("sink"), &files, &Seals::new()).expect("seals");
        // The check value of the CRC catalogue.
        assert_eq!(seals["sink/part/a"], Seal { bytes: 9, crc32: 0xcbf4_3926 });
        let faults = |depth| {
            let found = damages(folder.path(), &seals, depth);
            found.into_iter().map(|damage| damage.fault).collect::<Vec<_>>()
        };
        assert_eq!((faults(Depth::Lengths), faults(Depth::Contents)), (vec![], vec![]));
        std::fs::write(&path, "123456780").expect("writes");
        assert_eq!((faults(Depth::Lengths), faults(Depth::Contents)), (vec![], vec![Fault::Checksum]));
        let again = seal("sink", &folder.path().join("sink"), &files, &seals).expect("seals");
        assert_eq!(again, seals, "its length is what it was");
        std::fs::write(&path, "1").expect("writes");
        assert_eq!(faults(Depth::Lengths), [Fault::Length { found: 1, expected: 9 }]);
        std::fs::remove_file(&path).expect("removes");
        assert_eq!(faults(Depth::Lengths), [Fault::Missing]);
        assert!(seal("sink", &folder.path().join("sink"), &files, &seals).is_err());
    }
}
