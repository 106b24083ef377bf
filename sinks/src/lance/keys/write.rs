//! Writing a run from sorted entries.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::run::{BLOCK_BYTES, Fence, Run, RunError, checksum, encode, header, seal};
use super::{Entry, RunName};

/// Bytes that wait for the next write: on a slow disk each write costs, whatever its size.
const BUFFERED_BYTES: usize = 1 << 18;

/// A run being written into a new file, which gets the name of the run in the end.
pub(super) struct RunWriter {
    name: RunName,
    file: BufWriter<File>,
    block: Vec<u8>,
    fences: Vec<Fence>,
    /// The newest entry, until it is known that none with its key and address follows.
    last: Option<Entry>,
    entries: u64,
}

impl RunWriter {
    pub fn create(path: &Path, name: RunName) -> Result<Self, RunError> {
        let file = File::options().read(true).write(true).create_new(true).open(path)?;
        let mut file = BufWriter::with_capacity(BUFFERED_BYTES, file);
        // The number of entries is not known yet.
        file.write_all(&header(0))?;
        Ok(Self { name, file, block: Vec::with_capacity(BLOCK_BYTES), fences: Vec::new(), last: None, entries: 0 })
    }

    /// Appends an entry; entries must ascend. Of those with the same key and address the last
    /// is kept: if the row is gone, it says so.
    pub fn push(&mut self, entry: Entry) -> Result<(), RunError> {
        match self.last.replace(entry) {
            Some(last) if (last.key, last.address) != (entry.key, entry.address) => self.append(&last),
            _ => Ok(()),
        }
    }

    fn append(&mut self, entry: &Entry) -> Result<(), RunError> {
        if self.block.is_empty() {
            self.fences.push(Fence { key: entry.key, checksum: [0; 16] });
        }
        self.block.extend_from_slice(&encode(entry));
        self.entries += 1;
        if self.block.len() == BLOCK_BYTES { self.write_block() } else { Ok(()) }
    }

    fn write_block(&mut self) -> Result<(), RunError> {
        self.file.write_all(&self.block)?;
        if let Some(fence) = self.fences.last_mut() {
            fence.checksum = checksum(&self.block);
        }
        self.block.clear();
        Ok(())
    }

    /// Writes footer and header, which make the file a run.
    pub fn finish(mut self) -> Result<Run, RunError> {
        if let Some(last) = self.last.take() {
            self.append(&last)?;
        }
        if !self.block.is_empty() {
            self.write_block()?;
        }
        let Self { name, mut file, fences, entries, .. } = self;
        let header = header(entries);
        let mut footer: Vec<u8> = fences.iter().flat_map(Fence::encode).collect();
        let seal = seal(&name, &header, &footer);
        footer.extend_from_slice(seal.as_bytes());
        file.write_all(&footer)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header)?;
        let source = file.into_inner().map_err(IntoInnerError::into_error)?;
        Ok(Run { source, entries, fences })
    }
}
