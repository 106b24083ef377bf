//! Vectors that several indexes share: what one has embedded, no other embeds again.
//!
//! ```text
//! <folder>/<embed fingerprint>/<name>.vectors     segments, written once
//! <folder>/<embed fingerprint>/LOCK               held by who merges them
//! segment = "GMVECTOR" version:u32 dimension:u32 records:u64 check-of-keys:32
//!           key:16 × records (ascending)   (values:dimension × f32  check:4) × records
//! ```
//!
//! All numbers are little endian; a `check` of 4 bytes is the head of BLAKE3 of the values.
//! A committed epoch adds a segment, under a name that no other has, so writers need not
//! know of each other. A segment that cannot be read is as good as none: its vectors are
//! made again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, read_dir, remove_file, rename};
use std::io::{BufWriter, ErrorKind, Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use gristmill_ids::{Fingerprint, Hash, PassageKey};

use super::Journal;

const MAGIC: &[u8; 8] = b"GMVECTOR";
const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 8 + 4 + 4 + 8 + 32;
const CHECK_BYTES: usize = 4;

/// More segments than this are merged into one.
const MOST_SEGMENTS: usize = 8;

/// The shared vectors of one embedder.
pub(crate) struct SharedVectors {
    folder: PathBuf,
    dimension: usize,
    segments: Vec<Segment>,
}

/// Reads all vectors that indexes share in `folder`, and returns the segments in which a checksum does not match. It
/// costs the vectors that it hits: whoever needs them makes them again.
#[must_use]
pub fn damaged_vectors(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let segments = entries(folder).flat_map(|embedder| entries(&embedder).collect::<Vec<_>>());
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "vectors");
    let mut damaged: Vec<_> = segments.filter(is_segment).filter(|path| !Segment::is_whole(path)).collect();
    damaged.sort_unstable();
    damaged
}

struct Segment {
    path: PathBuf,
    file: File,
    records: u64,
    keys_check: Hash,
    /// Its keys, once something was looked for.
    keys: Option<Vec<PassageKey>>,
}

impl SharedVectors {
    /// Opens what there is of an embedder in `folder`, which need not exist.
    pub(crate) fn open(folder: &Path, embedder: &Fingerprint, dimension: usize) -> Result<Self> {
        let folder = folder.join(embedder.short(32));
        std::fs::create_dir_all(&folder)?;
        let mut shared = Self { folder, dimension, segments: Vec::new() };
        shared.segments = shared.list()?;
        Ok(shared)
    }

    fn list(&self) -> Result<Vec<Segment>> {
        let mut paths = Vec::new();
        for entry in read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "vectors") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths.into_iter().filter_map(|path| Segment::open(path, self.dimension)).collect())
    }

    /// The vectors of these keys, as far as they are there.
    pub(crate) fn find(&mut self, keys: &[PassageKey]) -> Vec<Option<Vec<f32>>> {
        let dimension = self.dimension;
        let mut one = |key: &PassageKey| self.segments.iter_mut().find_map(|segment| segment.find(*key, dimension));
        keys.iter().map(&mut one).collect()
    }

    /// Adds what a journal has and no segment, and merges segments when there are many.
    pub(crate) fn add(&mut self, journal: &Journal) -> Result<()> {
        let mut keys: Vec<PassageKey> = journal.keys().into_iter().filter(|key| !self.contains(*key)).collect();
        keys.sort_unstable();
        if !keys.is_empty() {
            let path = self.write(&keys, |key, values| journal.read(&[*key], values))?;
            self.segments.extend(Segment::open(path, self.dimension));
        }
        if self.segments.len() > MOST_SEGMENTS { self.merge() } else { Ok(()) }
    }

    fn contains(&mut self, key: PassageKey) -> bool {
        self.segments.iter_mut().any(|segment| segment.position(key).is_some())
    }

    /// Writes a segment of these ascending keys. It shows when it is whole.
    fn write(
        &self,
        keys: &[PassageKey],
        mut read: impl FnMut(&PassageKey, &mut Vec<f32>) -> Result<()>,
    ) -> Result<PathBuf> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("{now:032}-{}", std::process::id());
        let (temporary, path) = (self.folder.join(format!("{name}.tmp")), self.folder.join(format!("{name}.vectors")));
        let key_bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        file.write_all(MAGIC)?;
        file.write_all(&VERSION.to_le_bytes())?;
        file.write_all(&u32::try_from(self.dimension).unwrap_or(u32::MAX).to_le_bytes())?;
        file.write_all(&(keys.len() as u64).to_le_bytes())?;
        file.write_all(Hash::of(&key_bytes).as_bytes())?;
        file.write_all(&key_bytes)?;
        let (mut values, mut bytes) = (Vec::new(), Vec::new());
        for key in keys {
            values.clear();
            read(key, &mut values)?;
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            file.write_all(&bytes)?;
            file.write_all(&check(&bytes))?;
        }
        file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        rename(&temporary, &path)?;
        Ok(path)
    }

    /// Makes one segment of all. Who comes while another merges leaves it to that one.
    fn merge(&mut self) -> Result<()> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join("LOCK"))?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let mut segments = self.list()?;
        let mut places: BTreeMap<PassageKey, (usize, u64)> = BTreeMap::new();
        for (nth, segment) in segments.iter_mut().enumerate() {
            let keys = segment.keys();
            places.extend(keys.iter().zip(0..).map(|(key, position)| (*key, (nth, position))));
        }
        let dimension = self.dimension;
        // A damaged vector is left out: whoever needs it makes it again.
        let mut whole: BTreeMap<PassageKey, (usize, u64)> = BTreeMap::new();
        for (key, (nth, position)) in places {
            if segments.get_mut(nth).and_then(|segment| segment.read(position, dimension)).is_some() {
                whole.insert(key, (nth, position));
            }
        }
        let keys: Vec<PassageKey> = whole.keys().copied().collect();
        let merged = self.write(&keys, |key, values| {
            let found = whole.get(key).and_then(|(nth, position)| segments.get_mut(*nth)?.read(*position, dimension));
            values.extend(found.ok_or(ErrorKind::InvalidData)?);
            Ok(())
        })?;
        for segment in &segments {
            // Whoever has it open goes on reading it.
            remove_file(&segment.path)?;
        }
        self.segments = Segment::open(merged, dimension).into_iter().collect();
        Ok(())
    }
}

impl Segment {
    fn open(path: PathBuf, dimension: usize) -> Option<Self> {
        let (segment, found) = Self::read_header(path)?;
        (found == dimension).then_some(segment)
    }

    /// Whether all of a segment has its checksums.
    fn is_whole(path: &Path) -> bool {
        let Some((mut segment, dimension)) = Self::read_header(path.to_owned()) else { return false };
        segment.load_keys().is_some() && (0..segment.records).all(|record| segment.read(record, dimension).is_some())
    }

    /// Opens a segment, and returns the components of its vectors.
    fn read_header(path: PathBuf) -> Option<(Self, usize)> {
        let mut file = File::open(&path).ok()?;
        let mut header = [0; HEADER_BYTES as usize];
        file.read_exact(&mut header).ok()?;
        let (magic, rest) = header.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (stored_dimension, rest) = rest.split_first_chunk::<4>()?;
        let (records, rest) = rest.split_first_chunk::<8>()?;
        let keys_check = Hash::from_bytes(*rest.first_chunk::<32>()?);
        let is_one = magic == MAGIC && u32::from_le_bytes(*version) == VERSION;
        let segment = Self { path, file, records: u64::from_le_bytes(*records), keys_check, keys: None };
        is_one.then_some((segment, u32::from_le_bytes(*stored_dimension) as usize))
    }

    /// Its keys, ascending; none if they cannot be read.
    fn keys(&mut self) -> &[PassageKey] {
        if self.keys.is_none() {
            self.keys = Some(self.load_keys().unwrap_or_default());
        }
        self.keys.as_deref().unwrap_or_default()
    }

    fn load_keys(&mut self) -> Option<Vec<PassageKey>> {
        let bytes_of_keys = self.records.checked_mul(size_of::<PassageKey>() as u64)?;
        // The number of records is only believed as far as the file goes.
        if self.file.metadata().ok()?.len() < HEADER_BYTES + bytes_of_keys {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(bytes_of_keys).ok()?];
        self.file.seek(SeekFrom::Start(HEADER_BYTES)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let keys = bytes.as_chunks::<{ size_of::<PassageKey>() }>().0;
        (Hash::of(&bytes) == self.keys_check).then(|| keys.iter().map(|key| PassageKey::from_le_bytes(*key)).collect())
    }

    fn position(&mut self, key: PassageKey) -> Option<u64> {
        self.keys().binary_search(&key).ok().map(|position| position as u64)
    }

    fn find(&mut self, key: PassageKey, dimension: usize) -> Option<Vec<f32>> {
        let position = self.position(key)?;
        self.read(position, dimension)
    }

    fn read(&mut self, position: u64, dimension: usize) -> Option<Vec<f32>> {
        let size = dimension * size_of::<f32>() + CHECK_BYTES;
        let start = HEADER_BYTES + self.records * size_of::<PassageKey>() as u64 + position * size as u64;
        let mut record = vec![0; size];
        self.file.seek(SeekFrom::Start(start)).ok()?;
        self.file.read_exact(&mut record).ok()?;
        let (values, found) = record.split_last_chunk::<CHECK_BYTES>()?;
        let values_of = |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        (*found == check(values)).then(|| values_of(values))
    }
}

fn check(values: &[u8]) -> [u8; CHECK_BYTES] {
    blake3::hash(values).as_bytes().first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIMENSION: usize = 3;

    fn open(folder: &Path) -> SharedVectors {
        SharedVectors::open(folder, &Hash::of(b"embedder"), DIMENSION).expect("opens")
    }

    fn vector(key: u128) -> Vec<f32> {
        vec![key as f32, 0.5, -1.0]
    }

    fn add(shared: &mut SharedVectors, keys: impl IntoIterator<Item = u128>) {
        let folder = tempfile::tempdir().expect("creates");
        let journal = Journal::open(folder.path(), &Hash::of(b"embedder"), DIMENSION).expect("opens");
        for key in keys {
            journal.append(PassageKey::from_bits(key), &vector(key)).expect("appends");
        }
        shared.add(&journal).expect("adds");
    }

    fn find(shared: &mut SharedVectors, keys: &[u128]) -> Vec<Option<Vec<f32>>> {
        let keys: Vec<PassageKey> = keys.iter().copied().map(PassageKey::from_bits).collect();
        shared.find(&keys)
    }

    fn files(shared: &SharedVectors) -> usize {
        shared.list().expect("lists").len()
    }

    #[test]
    fn what_one_adds_another_finds() {
        let folder = tempfile::tempdir().expect("creates");
        let mut one = open(folder.path());
        assert_eq!(find(&mut one, &[1]), [None]);
        add(&mut one, [7, 1, 4]);
        assert_eq!(find(&mut one, &[4, 2, 1]), [Some(vector(4)), None, Some(vector(1))]);
        let mut other = open(folder.path());
        assert_eq!(find(&mut other, &[7]), [Some(vector(7))]);
        add(&mut other, [7, 1]);
        assert_eq!(files(&other), 1, "what is there is not added again");
        let mut stranger = SharedVectors::open(folder.path(), &Hash::of(b"another"), DIMENSION).expect("opens");
        assert_eq!(find(&mut stranger, &[7]), [None]);
    }

    #[test]
    fn many_segments_become_one_and_nobody_loses_a_vector() {
        let folder = tempfile::tempdir().expect("creates");
        let mut early = open(folder.path());
        add(&mut early, [1000]);
        let mut reader = open(folder.path());
        let mut shared = open(folder.path());
        for key in 0..=MOST_SEGMENTS as u128 {
            add(&mut shared, [key]);
        }
        assert!(files(&shared) <= 2, "{} segments", files(&shared));
        let keys: Vec<u128> = (0..=MOST_SEGMENTS as u128).chain([1000]).collect();
        let expected: Vec<_> = keys.iter().map(|key| Some(vector(*key))).collect();
        assert_eq!(find(&mut shared, &keys), expected);
        assert_eq!(find(&mut open(folder.path()), &keys), expected);
        assert_eq!(find(&mut reader, &[1000]), [Some(vector(1000))], "what was open stays readable");
    }

    #[test]
    fn damage_costs_the_vectors_that_it_hits() {
        let folder = tempfile::tempdir().expect("creates");
        let mut shared = open(folder.path());
        add(&mut shared, [1, 2, 3]);
        let path = shared.segments[0].path.clone();
        let whole = std::fs::read(&path).expect("reads");
        let damaged = |at: usize| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, bytes).expect("writes");
            find(&mut open(folder.path()), &[1, 2, 3]).iter().map(Option::is_some).collect::<Vec<_>>()
        };
        let keys = HEADER_BYTES as usize;
        assert!(damaged_vectors(folder.path()).is_empty());
        assert_eq!(damaged(0), [false; 3], "no segment");
        assert_eq!(damaged_vectors(folder.path()), std::slice::from_ref(&path));
        assert_eq!(damaged(17), [false; 3], "the number of records");
        assert_eq!(damaged(keys + 5), [false; 3], "a key");
        assert_eq!(damaged(keys + 3 * 16 + 16 + 2), [true, false, true], "a value");
        assert_eq!(damaged_vectors(folder.path()), std::slice::from_ref(&path));
        std::fs::write(&path, &whole[..whole.len() - 1]).expect("writes");
        assert_eq!(find(&mut open(folder.path()), &[3, 1]), [None, Some(vector(1))], "a tail that is cut off");
    }
}
