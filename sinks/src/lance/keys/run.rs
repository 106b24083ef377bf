//! Runs: immutable files of sorted entries, from which a lookup reads a few blocks.
//!
//! All numbers are little endian. A run is
//!
//! ```text
//! header   magic `GM-KEYS\0`, format version u32, bytes of an entry u32, entries u64
//! blocks   entries, 128 to a block; the last may have fewer
//! footer   for each block its first key, and half of the BLAKE3 hash of its bytes
//! seal     BLAKE3 hash of the file's name, header and footer
//! ```
//!
//! and an entry is `key u128, address u64, last_version u32, rows u32` (see [`Entry`]). Entries
//! ascend, and no two have the same key and address. The length of the file follows from
//! the header, so that a truncated file is detected.

use std::fs::File;
use std::io;
use std::path::Path;

use gristmill_pipeline::Key;

use super::{Entry, RunName};

pub(super) const MAGIC: [u8; 8] = *b"GM-KEYS\0";
pub(super) const FORMAT: u32 = 2;
pub(super) const HEADER_BYTES: usize = 24;
pub(super) const ENTRY_BYTES: usize = 32;
/// Entries of a block, which makes 4 KiB.
pub(super) const BLOCK_ENTRIES: usize = 128;
pub(super) const BLOCK_BYTES: usize = BLOCK_ENTRIES * ENTRY_BYTES;
pub(super) const FENCE_BYTES: usize = 32;
pub(super) const SEAL_BYTES: usize = 32;

/// Why a run cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::lance) enum RunError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Damaged(&'static str),
    #[error("the commit names no key runs")]
    Unnamed,
}

/// Compares all of a run with its checksums.
pub(in crate::lance) fn verify(path: &Path) -> Result<(), RunError> {
    let name = path.file_name().and_then(|name| RunName::parse(name.to_str()?));
    let name = name.ok_or(RunError::Damaged("it is not named as a key run"))?;
    Run::open(open_file(path)?, &name)?.entries().try_for_each(|entry| entry.map(drop))
}

/// Opens a run. Whoever opens a pipe in its place waits for ever.
pub(super) fn open_file(path: &Path) -> Result<File, RunError> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(RunError::Damaged("it is no file"));
    }
    Ok(File::open(path)?)
}

/// Compares the length of a run with its header.
pub(in crate::lance) fn check_length(path: &Path) -> Result<(), RunError> {
    let file = open_file(path)?;
    let mut header = [0; HEADER_BYTES];
    file.read_at(&mut header, 0)?;
    extent(&file, &header).map(drop)
}

/// A source of bytes that is read at offsets.
pub(super) trait ReadAt {
    fn length(&self) -> io::Result<u64>;

    /// Fills `buffer` from the bytes at `offset`.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    #[cfg(not(unix))]
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read as _, Seek as _};
        let mut file = self;
        file.seek(io::SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

/// What the footer says of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// The first key in it.
    pub key: Key,
    pub checksum: [u8; 16],
}

/// A run, with its footer in memory.
#[derive(Debug)]
pub(in crate::lance) struct Run<S = File> {
    pub(super) source: S,
    pub(super) entries: u64,
    pub(super) fences: Vec<Fence>,
}

impl<S: ReadAt> Run<S> {
    /// Reads header and footer of the run with that name.
    pub fn open(source: S, name: &RunName) -> Result<Self, RunError> {
        let mut header = [0; HEADER_BYTES];
        source.read_at(&mut header, 0)?;
        let Extent { entries, footer_at, rest } = extent(&source, &header)?;
        let mut footer = vec![0; rest];
        source.read_at(&mut footer, footer_at)?;
        let (footer, stored_seal) = footer.split_at(footer.len() - SEAL_BYTES);
        if seal(name, &header, footer).as_bytes() != stored_seal {
            return Err(RunError::Damaged("the checksum of its name and footer does not match"));
        }
        let (fences, _) = footer.as_chunks::<FENCE_BYTES>();
        let fences = fences.iter().map(Fence::decode).collect();
        Ok(Self { source, entries, fences })
    }

    /// Calls `each` with the entries of these keys, and with the index of the entry's key
    /// among them. The keys must ascend; each block that may contain one is read once.
    pub fn find(&self, keys: &[Key], mut each: impl FnMut(usize, Entry)) -> Result<(), RunError> {
        let mut bytes = Vec::new();
        // The block in `bytes`.
        let mut loaded = None;
        for (nth, key) in keys.iter().enumerate() {
            // Entries of the key may begin in the block before the first that begins with it.
            let first = self.fences.partition_point(|fence| fence.key < *key).saturating_sub(1);
            for (block, fence) in self.fences.iter().enumerate().skip(first) {
                if fence.key > *key {
                    break;
                }
                if loaded != Some(block) {
                    self.read_block(block, &mut bytes)?;
                    loaded = Some(block);
                }
                let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
                let start = entries.partition_point(|entry| key_of(entry) < *key);
                let found = entries.iter().skip(start).map(decode).take_while(|entry| entry.key == *key);
                found.for_each(|entry| each(nth, entry));
            }
        }
        Ok(())
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, RunError>> + '_ {
        let mut bytes = Vec::new();
        (0..self.fences.len()).flat_map(move |block| {
            let read = self.read_block(block, &mut bytes);
            let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
            let entries: Vec<_> = match read {
                Ok(()) => entries.iter().map(|entry| Ok(decode(entry))).collect(),
                Err(error) => vec![Err(error)],
            };
            entries
        })
    }

    fn read_block(&self, block: usize, bytes: &mut Vec<u8>) -> Result<(), RunError> {
        let before = (block * BLOCK_ENTRIES) as u64;
        let entries = self.entries.saturating_sub(before).min(BLOCK_ENTRIES as u64);
        bytes.clear();
        bytes.resize(entries as usize * ENTRY_BYTES, 0);
        self.source.read_at(bytes, HEADER_BYTES as u64 + before * ENTRY_BYTES as u64)?;
        if self.fences.get(block).map(|fence| fence.checksum) != Some(checksum(bytes)) {
            return Err(RunError::Damaged("the checksum of a block does not match"));
        }
        Ok(())
    }
}

/// What the header says of the file.
struct Extent {
    entries: u64,
    /// Where the footer begins.
    footer_at: u64,
    /// Bytes of footer and seal.
    rest: usize,
}

/// Reads a header, and compares it with the length of the file.
fn extent(source: &impl ReadAt, header: &[u8; HEADER_BYTES]) -> Result<Extent, RunError> {
    let entries = entries_of(header)?;
    let blocks = entries.div_ceil(BLOCK_ENTRIES as u64);
    let too_long = RunError::Damaged("its header claims more entries than a file can have");
    let footer_at = entries.checked_mul(ENTRY_BYTES as u64).and_then(|bytes| bytes.checked_add(HEADER_BYTES as u64));
    let rest = (blocks * FENCE_BYTES as u64).checked_add(SEAL_BYTES as u64);
    let (Some(footer_at), Some(rest)) = (footer_at, rest) else { return Err(too_long) };
    if footer_at.checked_add(rest) != Some(source.length()?) {
        return Err(RunError::Damaged("its length does not match its header"));
    }
    Ok(Extent { entries, footer_at, rest: usize::try_from(rest).map_err(|_| too_long)? })
}

fn entries_of(header: &[u8; HEADER_BYTES]) -> Result<u64, RunError> {
    let (words, _) = header.as_chunks::<8>();
    let expected = self::header(0);
    let (known, _) = expected.as_chunks::<8>();
    match words {
        [magic, form, entries] if known.starts_with(&[*magic, *form]) => Ok(u64::from_le_bytes(*entries)),
        [magic, ..] if *magic == MAGIC => Err(RunError::Damaged("another version of this program wrote it")),
        _ => Err(RunError::Damaged("it is not a key run")),
    }
}

/// The header of a run of that many entries.
pub(super) fn header(entries: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let form = (u64::from(FORMAT) | (ENTRY_BYTES as u64) << 32).to_le_bytes();
    for (place, word) in header.chunks_exact_mut(8).zip([MAGIC, form, entries.to_le_bytes()]) {
        place.copy_from_slice(&word);
    }
    header
}

/// The name is part of it, so that no run is taken for another.
pub(super) fn seal(name: &RunName, header: &[u8; HEADER_BYTES], footer: &[u8]) -> blake3::Hash {
    blake3::Hasher::new().update(name.to_string().as_bytes()).update(header).update(footer).finalize()
}

pub(super) fn checksum(block: &[u8]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(block).as_bytes()[..16]);
    half
}

fn key_of(bytes: &[u8; ENTRY_BYTES]) -> Key {
    let (halves, _) = bytes.as_chunks::<16>();
    Key::from_le_bytes(halves[0])
}

pub(super) fn encode(entry: &Entry) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    bytes[..16].copy_from_slice(&entry.key.to_le_bytes());
    bytes[16..24].copy_from_slice(&entry.address.to_le_bytes());
    bytes[24..28].copy_from_slice(&entry.last_version.to_le_bytes());
    bytes[28..].copy_from_slice(&entry.rows.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let (words, _) = bytes.as_chunks::<8>();
    let (halves, _) = bytes.as_chunks::<4>();
    Entry {
        key: key_of(bytes),
        address: u64::from_le_bytes(words[2]),
        last_version: u32::from_le_bytes(halves[6]),
        rows: u32::from_le_bytes(halves[7]),
    }
}

impl Fence {
    pub fn encode(&self) -> [u8; FENCE_BYTES] {
        let mut bytes = [0; FENCE_BYTES];
        bytes[..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..].copy_from_slice(&self.checksum);
        bytes
    }

    fn decode(bytes: &[u8; FENCE_BYTES]) -> Self {
        let (halves, _) = bytes.as_chunks::<16>();
        Self { key: Key::from_le_bytes(halves[0]), checksum: halves[1] }
    }
}
