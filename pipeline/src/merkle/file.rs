//! A tree as a file: `merkle/<epoch>` of an index.
//!
//! ```text
//! "GMMERKLE" version:u32 scanned_ns:i64 files:u64  file*  blake3:32
//! file = shared:u16 rest:u16 rest-bytes content:32 bytes:u64 modified:i64 changed:i64 inode:u64
//!        note:u32 note-json
//! ```
//!
//! All numbers are little endian. Files come in path order. A path is written as the number
//! of bytes that it shares with the one before and the rest. Directory hashes are computed
//! on reading: they must equal the root hash of the commit record, which checks the tree
//! itself.

use gristmill_ids::Hash;

use super::build::{Builder, common_prefix};
use super::{Leaf, Stat, Tree};

const MAGIC: &[u8; 8] = b"GMMERKLE";
const VERSION: u32 = 1;

/// A Merkle file cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MerkleFileError {
    /// It is not one, or of another version.
    #[error("it does not begin like a Merkle file of version {VERSION}")]
    NotMerkle,
    /// Its checksum does not fit.
    #[error("its checksum does not fit: it is damaged")]
    Damaged,
}

impl Tree {
    /// Writes the tree in the form that [`from_bytes`](Self::from_bytes) reads.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.len() * 128);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.scanned_ns.to_le_bytes());
        out.extend_from_slice(&(self.len() as u64).to_le_bytes());
        let mut previous = String::new();
        self.for_each(|path, leaf| {
            let same = common_prefix(previous.as_bytes(), path.as_bytes());
            let shared = path.floor_char_boundary(same.min(usize::from(u16::MAX)));
            let rest = path.get(shared..).unwrap_or_default().as_bytes();
            out.extend_from_slice(&(shared as u16).to_le_bytes());
            // Operating systems limit a path to far less than this.
            out.extend_from_slice(&(rest.len().min(usize::from(u16::MAX)) as u16).to_le_bytes());
            out.extend_from_slice(rest.get(..usize::from(u16::MAX)).unwrap_or(rest));
            out.extend_from_slice(leaf.content_hash.as_bytes());
            out.extend_from_slice(&leaf.stat.bytes.to_le_bytes());
            out.extend_from_slice(&leaf.stat.modified_ns.to_le_bytes());
            out.extend_from_slice(&leaf.stat.changed_ns.to_le_bytes());
            out.extend_from_slice(&leaf.stat.inode.to_le_bytes());
            let note = leaf.note.as_ref().and_then(|note| serde_json::to_vec(note).ok()).unwrap_or_default();
            out.extend_from_slice(&(note.len() as u32).to_le_bytes());
            out.extend_from_slice(&note);
            previous.truncate(shared);
            previous.push_str(path.get(shared..).unwrap_or_default());
        });
        let checksum = blake3::hash(&out);
        out.extend_from_slice(checksum.as_bytes());
        out
    }

    /// Reads a tree.
    ///
    /// # Errors
    /// If the bytes are not a Merkle file, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MerkleFileError> {
        if !bytes.starts_with(MAGIC) {
            return Err(MerkleFileError::NotMerkle);
        }
        let (body, checksum) = bytes.split_last_chunk::<32>().ok_or(MerkleFileError::Damaged)?;
        if blake3::hash(body).as_bytes() != checksum {
            return Err(MerkleFileError::Damaged);
        }
        let mut reader = Reader(body.get(MAGIC.len()..).unwrap_or_default());
        if reader.u32() != Some(VERSION) {
            return Err(MerkleFileError::NotMerkle);
        }
        reader.tree().ok_or(MerkleFileError::Damaged)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<usize> {
        self.array().map(|bytes| usize::from(u16::from_le_bytes(bytes)))
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn tree(&mut self) -> Option<Tree> {
        let scanned_ns = self.i64()?;
        let count = self.u64()?;
        let mut builder = Builder::default();
        let mut path = String::new();
        for _ in 0..count {
            let shared = self.u16()?;
            let rest = self.u16()?;
            if !path.is_char_boundary(shared) {
                return None;
            }
            path.truncate(shared);
            path.push_str(std::str::from_utf8(self.take(rest)?).ok()?);
            let content_hash = Hash::from_bytes(self.array()?);
            let stat =
                Stat { bytes: self.u64()?, modified_ns: self.i64()?, changed_ns: self.i64()?, inode: self.u64()? };
            let length = self.u32()? as usize;
            let note = self.take(length)?;
            let note = if length == 0 { None } else { Some(serde_json::from_slice(note).ok()?) };
            if !builder.push(&path, shared, Leaf { content_hash, stat, note }) {
                return None;
            }
        }
        self.0.is_empty().then(|| builder.finish(scanned_ns))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::diagnostic::Severity;

    fn sample() -> Tree {
        let stat = Stat { bytes: 3, modified_ns: -4, changed_ns: 5, inode: 6 };
        let plain = Leaf { content_hash: Hash::of(b"abc"), stat, note: None };
        let noted = Leaf::noted(stat, Severity::Note, "sensitive", "by name".into());
        Tree::build(vec![("src/é.rs".into(), plain.clone()), ("src/è.rs".into(), plain), (".env".into(), noted)], 42)
    }

    #[test]
    fn round_trips() {
        let tree = sample();
        assert_eq!(Tree::from_bytes(&tree.to_bytes()), Ok(tree));
        assert_eq!(Tree::from_bytes(&Tree::empty().to_bytes()), Ok(Tree::empty()));
    }

    #[test]
    fn files_that_are_out_of_order_are_damage() {
        let leaf = Leaf { content_hash: Hash::of(b"abc"), stat: Stat::default(), note: None };
        let tree = Tree::build(vec![("a".into(), leaf.clone()), ("b".into(), leaf)], 0);
        let mut bytes = tree.to_bytes();
        let names: Vec<usize> = (28..bytes.len() - 32).filter(|at| bytes[at - 4..*at] == [0, 0, 1, 0]).collect();
        assert_eq!(names.iter().map(|at| bytes[*at]).collect::<Vec<_>>(), b"ab", "no name shares a byte with another");
        bytes.swap(names[0], names[1]);
        bytes.truncate(bytes.len() - 32);
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        assert_eq!(Tree::from_bytes(&bytes), Err(MerkleFileError::Damaged));
    }

    proptest! {
        #[test]
        fn any_damage_is_found(at in 0_usize..400, bit in 0_u8..8, cut in 0_usize..400) {
            let bytes = sample().to_bytes();
            let mut flipped = bytes.clone();
            let at = at % flipped.len();
            flipped[at] ^= 1 << bit;
            prop_assert!(Tree::from_bytes(&flipped).is_err());
            prop_assert!(Tree::from_bytes(&bytes[..cut % bytes.len()]).is_err());
        }
    }
}
