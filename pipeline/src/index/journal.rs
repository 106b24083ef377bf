//! The journal: vectors of the epoch that is being built, kept until it is committed.
//!
//! It serves two ends. A passage that several contents of one epoch share is embedded
//! once and read back for the others; and a run that was killed finds what it had
//! embedded, so that nothing is embedded twice.
//!
//! ```text
//! journal/<embed fingerprint>   =   record*
//! record = key:16  values:dimension × f32  check:4     (little endian)
//! ```
//!
//! `check` is the head of BLAKE3 of the rest of the record. What follows the first
//! record that does not check is cut off: that is where the process died.
//!
//! For embedders that ask a server there is a second file, `<embed fingerprint>.asked`, with the keys of the passages
//! that they asked for, 16 bytes each. Those without a record were in flight when the process died, and are asked for
//! again.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_ids::{Fingerprint, PassageKey};
use parking_lot::Mutex;

use crate::operator::{AnswerLog, KeepAnswers};

/// The vectors of one embed lane. Clones share it.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Records>>);

struct Records {
    path: PathBuf,
    file: BufWriter<File>,
    dimension: usize,
    /// For each key the position of its record, counted in records.
    positions: HashMap<PassageKey, u64>,
    /// Records that an interrupted run had left.
    recovered: u64,
    written: u64,
    /// When what was appended was last handed over.
    flushed: Option<Instant>,
    asked: Asked,
}

/// What was asked of a server.
struct Asked {
    path: PathBuf,
    /// Opened when something is first asked for.
    file: Option<File>,
    /// What an interrupted run had in flight.
    in_flight: HashSet<PassageKey>,
    /// How much of that was asked for again.
    again: u64,
}

/// What the death of the process may cost of embedding: a fast embedder has a batch every millisecond, and each
/// would be a write that the epoch waits for.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// Bytes that wait for the next write.
const BUFFERED_BYTES: usize = 1 << 19;

impl Journal {
    /// Opens the journal of the embedder with that fingerprint, with all that an
    /// interrupted run left in it.
    pub(crate) fn open(folder: &Path, embedder: &Fingerprint, dimension: usize) -> Result<Self> {
        let path = folder.join(embedder.short(32));
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        let mut positions = HashMap::new();
        let mut record = vec![0; record_bytes(dimension)];
        let mut records = 0;
        let mut reader = std::io::BufReader::with_capacity(1 << 16, &mut file);
        loop {
            match reader.read_exact(&mut record) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
            let Some(key) = checked_key(&record) else { break };
            positions.insert(key, records);
            records += 1;
        }
        file.set_len(records * record.len() as u64)?;
        file.seek(SeekFrom::End(0))?;
        let file = BufWriter::with_capacity(BUFFERED_BYTES, file);
        let asked = Asked::open(path.with_extension("asked"), &positions)?;
        let (recovered, written) = (records, records);
        let records = Records { path, file, dimension, positions, recovered, written, flushed: None, asked };
        Ok(Self(Arc::new(Mutex::new(records))))
    }

    /// Whether the vector of that key is in the journal.
    pub(crate) fn contains(&self, key: PassageKey) -> bool {
        self.0.lock().positions.contains_key(&key)
    }

    /// All keys, in any order.
    pub(crate) fn keys(&self) -> Vec<PassageKey> {
        self.0.lock().positions.keys().copied().collect()
    }

    /// Whether an interrupted run had left the vector of that key.
    pub(crate) fn is_recovered(&self, key: PassageKey) -> bool {
        let records = self.0.lock();
        records.positions.get(&key).is_some_and(|position| *position < records.recovered)
    }

    /// Appends a vector, unless it is there.
    pub(crate) fn append(&self, key: PassageKey, values: &[f32]) -> Result<()> {
        self.0.lock().append(key, values)
    }

    /// Hands what was appended to the operating system if that was not done for a while, and tells whether it did:
    /// it survives the death of this process then.
    pub(crate) fn flush_if_due(&self) -> Result<bool> {
        let mut records = self.0.lock();
        let is_due = records.flushed.is_none_or(|flushed| flushed.elapsed() >= FLUSH_INTERVAL);
        if is_due {
            records.flush()?;
        }
        Ok(is_due)
    }

    /// Reads vectors back, appending them to `out` in the order of `keys`.
    pub(crate) fn read(&self, keys: &[PassageKey], out: &mut Vec<f32>) -> Result<()> {
        self.0.lock().read(keys, out)
    }

    /// A log of what a server is asked for, and what it answers.
    pub(crate) fn answers(&self) -> AnswerLog {
        AnswerLog::new(Arc::new(self.clone()))
    }

    /// How many passages were asked for again that an interrupted run had asked for.
    pub(crate) fn asked_again(&self) -> u64 {
        self.0.lock().asked.again
    }

    /// Removes the journal: its epoch is committed, or was replaced.
    pub(crate) fn remove(self) -> Result<()> {
        let records = self.0.lock();
        for path in [&records.asked.path, &records.path] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl KeepAnswers for Journal {
    fn asked(&self, keys: &[PassageKey]) {
        // What cannot be written down is asked for again, and not counted.
        let _ = self.0.lock().asked.note(keys);
    }

    /// Each answer took a request: what a write takes is nothing beside it.
    fn answered(&self, answers: &[(PassageKey, &[f32])]) {
        let mut records = self.0.lock();
        let kept = answers.iter().try_for_each(|(key, values)| records.append(*key, values));
        // The epoch appends what is not here, and reports why it cannot.
        let _ = kept.and_then(|()| records.flush());
    }
}

impl Asked {
    fn open(path: PathBuf, answered: &HashMap<PassageKey, u64>) -> Result<Self> {
        let keys = match std::fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            keys => keys?,
        };
        // A torn key at the end was never asked for.
        let keys = keys.as_chunks::<KEY_BYTES>().0.iter().map(|key| PassageKey::from_le_bytes(*key));
        let in_flight = keys.filter(|key| !answered.contains_key(key)).collect();
        Ok(Self { path, file: None, in_flight, again: 0 })
    }

    fn note(&mut self, keys: &[PassageKey]) -> Result<()> {
        self.again += keys.iter().filter(|key| self.in_flight.remove(key)).count() as u64;
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        }
        let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&bytes))
    }
}

impl Records {
    fn append(&mut self, key: PassageKey, values: &[f32]) -> Result<()> {
        if self.positions.contains_key(&key) {
            return Ok(());
        }
        let mut record = Vec::with_capacity(record_bytes(self.dimension));
        record.extend_from_slice(&key.to_le_bytes());
        for value in values {
            record.extend_from_slice(&value.to_le_bytes());
        }
        let check = blake3::hash(&record);
        record.extend_from_slice(check.as_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
        self.file.write_all(&record)?;
        self.positions.insert(key, self.written);
        self.written += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.flushed = Some(Instant::now());
        self.file.flush()
    }

    fn read(&mut self, keys: &[PassageKey], out: &mut Vec<f32>) -> Result<()> {
        self.flush()?;
        let size = record_bytes(self.dimension);
        let mut record = vec![0; size];
        let file = self.file.get_mut();
        for key in keys {
            let position = self.positions.get(key).ok_or(ErrorKind::NotFound)?;
            file.seek(SeekFrom::Start(position * size as u64))?;
            file.read_exact(&mut record)?;
            if checked_key(&record) != Some(*key) {
                return Err(ErrorKind::InvalidData.into());
            }
            let values = record.get(KEY_BYTES..size - CHECK_BYTES).unwrap_or_default();
            out.extend(
                values.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
            );
        }
        file.seek(SeekFrom::End(0))?;
        Ok(())
    }
}

const KEY_BYTES: usize = size_of::<PassageKey>();
const CHECK_BYTES: usize = 4;

const fn record_bytes(dimension: usize) -> usize {
    KEY_BYTES + dimension * size_of::<f32>() + CHECK_BYTES
}

/// The key of a record, if its check fits.
fn checked_key(record: &[u8]) -> Option<PassageKey> {
    let (body, check) = record.split_last_chunk::<CHECK_BYTES>()?;
    let fits = blake3::hash(body).as_bytes().starts_with(check);
    fits.then(|| body.first_chunk().map(|key| PassageKey::from_le_bytes(*key)))?
}

#[cfg(test)]
mod tests {
    use gristmill_ids::Hash;

    use super::*;

    const fn key(bits: u128) -> PassageKey {
        PassageKey::from_bits(bits)
    }

    #[test]
    fn what_was_written_survives_and_a_torn_tail_is_cut_off() {
        let folder = tempfile::tempdir().expect("creates");
        let embedder = Hash::of(b"embedder");
        let journal = Journal::open(folder.path(), &embedder, 2).expect("opens");
        for nth in 0..3_u8 {
            journal.append(key(nth.into()), &[f32::from(nth), 0.5]).expect("appends");
        }
        let mut read = Vec::new();
        journal.read(&[key(2), key(0)], &mut read).expect("reads");
        assert_eq!(read, [2.0, 0.5, 0.0, 0.5]);
        journal.append(key(9), &[9.0, 9.0]).expect("appends after reading");
        journal.0.lock().flush().expect("flushes");
        let path = journal.0.lock().path.clone();
        drop(journal);

        let file = OpenOptions::new().write(true).open(&path).expect("opens");
        file.set_len(4 * record_bytes(2) as u64 - 1).expect("cuts");
        let journal = Journal::open(folder.path(), &embedder, 2).expect("opens");
        let recovered = journal.0.lock().recovered;
        assert_eq!((recovered, journal.contains(key(2)), journal.contains(key(9))), (3, true, false));
        journal.append(key(9), &[8.0, 8.0]).expect("appends");
        read.clear();
        journal.read(&[key(9), key(1)], &mut read).expect("reads");
        assert_eq!(read, [8.0, 8.0, 1.0, 0.5]);
        journal.remove().expect("removes");
        assert!(!path.exists());
    }

    #[test]
    fn a_damaged_record_ends_what_is_recovered() {
        let folder = tempfile::tempdir().expect("creates");
        let embedder = Hash::of(b"embedder");
        let journal = Journal::open(folder.path(), &embedder, 1).expect("opens");
        (0..3).for_each(|nth| journal.append(key(nth), &[1.0]).expect("appends"));
        assert!(journal.flush_if_due().expect("flushes"), "it never was");
        let path = journal.0.lock().path.clone();
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[record_bytes(1) + KEY_BYTES] ^= 1;
        std::fs::write(&path, bytes).expect("writes");
        let journal = Journal::open(folder.path(), &embedder, 1).expect("opens");
        let recovered = journal.0.lock().recovered;
        assert_eq!((recovered, journal.contains(key(0)), journal.contains(key(2))), (1, true, false));
    }

    /// What an interrupted run had asked for is asked for again unless its answer came.
    #[test]
    fn answers_are_kept_as_they_come() {
        let folder = tempfile::tempdir().expect("creates");
        let open = || Journal::open(folder.path(), &Hash::of(b"embedder"), 1).expect("opens");
        let journal = open();
        let answers = journal.answers();
        answers.asks([key(1), key(2), key(3)]);
        answers.answered([(key(2), [2.0].as_slice())]);
        journal.append(key(2), &[9.0]).expect("is there already");
        // The process dies: nothing is flushed, nothing dropped.
        std::mem::forget((journal, answers));

        let journal = open();
        assert_eq!((journal.contains(key(2)), journal.contains(key(1))), (true, false));
        let mut read = Vec::new();
        journal.read(&[key(2)], &mut read).expect("reads");
        assert_eq!(read, [2.0]);
        let answers = journal.answers();
        answers.asks([key(1), key(4)]);
        answers.asks([key(1)]);
        assert_eq!(journal.asked_again(), 1);
        journal.remove().expect("removes");
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
    }
}
