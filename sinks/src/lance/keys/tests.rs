use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use gristmill_pipeline::{Epoch, Hash, Key};
use proptest::prelude::*;

use super::run::{BLOCK_BYTES, FENCE_BYTES, HEADER_BYTES, ReadAt, Run, RunError, SEAL_BYTES};
use super::write::RunWriter;
use super::{Entry, KeyIndex, KeyKind, RunName, WrittenKeys, prune};

const fn bits(bits: u128) -> Key {
    Key::from_bits(bits)
}

const NAME: RunName = RunName { kind: KeyKind::Rows, series: Epoch::new(1), epoch: Epoch::new(7) };

fn write(path: &Path, entries: impl IntoIterator<Item = Entry>) {
    let mut writer = RunWriter::create(path, NAME).expect("creates");
    entries.into_iter().for_each(|entry| writer.push(entry).expect("writes"));
    writer.finish().expect("finishes");
}

fn open(path: &Path) -> Result<Run, RunError> {
    Run::open(File::open(path)?, &NAME)
}

fn found<S: ReadAt>(run: &Run<S>, keys: &[Key]) -> Result<Vec<Entry>, RunError> {
    let mut found = Vec::new();
    run.find(keys, |nth, entry| {
        assert_eq!(entry.key, keys[nth]);
        found.push(entry);
    })?;
    Ok(found)
}

/// Entries of which some keys have more than a block holds.
fn entries() -> Vec<Entry> {
    let of_key = |key: u64| (0..if key % 7 == 3 { 300 } else { key % 3 }).map(move |nth| (key, nth));
    let entry = |(key, nth): (u64, u64)| Entry::live(bits(u128::from(key) << 70), nth).gone(nth % 2);
    (0..40).flat_map(of_key).map(entry).collect()
}

#[test]
fn keys_are_found_across_blocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.run");
    let all = entries();
    write(&path, all.iter().copied());
    let run = open(&path).expect("opens");
    assert_eq!(run.entries().collect::<Result<Vec<_>, _>>().expect("reads"), all);
    let keys: Vec<Key> = (0..50).map(|key| bits(key << 70)).chain([bits(u128::MAX)]).collect();
    assert_eq!(found(&run, &keys).expect("reads"), all);
    for key in keys {
        let expected: Vec<_> = all.iter().filter(|entry| entry.key == key).copied().collect();
        assert_eq!(found(&run, &[key]).expect("reads"), expected);
        assert_eq!(found(&run, &[bits(key.to_bits() ^ 1)]).expect("reads"), []);
    }

    write(&folder.path().join("none.run"), []);
    let none = open(&folder.path().join("none.run")).expect("opens");
    assert_eq!(found(&none, &[Key::NONE, bits(1)]).expect("reads"), []);
}

#[test]
fn of_a_row_and_its_deletion_the_deletion_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.run");
    let gone = Entry::live(bits(3), 1).gone(9);
    write(&path, [Entry::live(bits(3), 1), gone, Entry::live(bits(3), 2)]);
    assert_eq!(found(&open(&path).expect("opens"), &[bits(3)]).expect("reads"), [gone, Entry::live(bits(3), 2)]);
}

#[test]
fn any_damage_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.run");
    let all: Vec<_> = (0..200).map(|nth| Entry::live(bits(nth * 3), nth as u64)).collect();
    write(&path, all.iter().copied());
    let bytes = std::fs::read(&path).expect("reads");
    let keys: Vec<Key> = all.iter().map(|entry| entry.key).collect();
    let is_damaged = |bytes: &[u8]| Run::open(bytes.to_vec(), &NAME).and_then(|run| found(&run, &keys)).is_err();
    assert!(!is_damaged(&bytes));
    let other = RunName { epoch: Epoch::new(8), ..NAME };
    assert!(Run::open(bytes.clone(), &other).is_err(), "the run of another epoch");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(is_damaged(&changed), "byte {at}");
    }
    for length in [0, 7, HEADER_BYTES, bytes.len() / 2, bytes.len() - 1] {
        assert!(is_damaged(&bytes[..length]), "cut to {length}");
    }
    assert!(is_damaged(&[&bytes[..], &[0]].concat()));
}

impl ReadAt for Vec<u8> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.get(offset as usize..).and_then(|bytes| bytes.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// A file that counts the bytes read from it.
struct Counted {
    file: File,
    read: Cell<usize>,
}

impl ReadAt for Counted {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read.set(self.read.get() + buffer.len());
        self.file.read_at(buffer, offset)
    }
}

#[test]
fn a_lookup_reads_blocks_and_not_rows() {
    const ENTRIES: u64 = 200_000;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.run");
    let key = |nth: u64| Hash::of(&nth.to_le_bytes()).key();
    let mut all: Vec<_> = (0..ENTRIES).map(|nth| Entry::live(key(nth), nth)).collect();
    all.sort_unstable();
    write(&path, all);

    let file = Counted { file: File::open(&path).expect("opens"), read: Cell::new(0) };
    let run = Run::open(file, &NAME).expect("a run");
    let blocks = ENTRIES.div_ceil(128) as usize;
    assert_eq!(run.source.read.take(), HEADER_BYTES + blocks * FENCE_BYTES + SEAL_BYTES);
    assert_eq!(found(&run, &[key(77)]).expect("reads"), [Entry::live(key(77), 77)]);
    assert!(run.source.read.take() <= 2 * BLOCK_BYTES);
    assert_eq!(found(&run, &[bits(1)]).expect("reads"), []);
    assert!(run.source.read.take() <= 2 * BLOCK_BYTES);

    // However many keys are asked for, no block is read twice.
    let mut keys: Vec<Key> = (0..ENTRIES).step_by(5).map(key).collect();
    keys.sort_unstable();
    assert_eq!(found(&run, &keys).expect("reads").len(), keys.len());
    assert!(run.source.read.take() <= blocks * BLOCK_BYTES);
}

/// What an epoch does: rows added under keys, and rows deleted by their place among those
/// that are there.
type Step = (Vec<u8>, Vec<usize>, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        proptest::collection::vec(0..12_u8, 0..40),
        proptest::collection::vec(any::<usize>(), 0..20),
        proptest::bool::weighted(0.3),
    );
    proptest::collection::vec(step, 1..25)
}

fn key(nth: u8) -> Key {
    Hash::of(&[nth]).key()
}

type Model = BTreeMap<(Key, u64), Entry>;

fn check(index: &mut KeyIndex, model: &Model) {
    let keys: Vec<Key> = (0..13).rev().map(key).collect();
    for (key, entries) in keys.iter().zip(index.find(&keys).expect("finds")) {
        let of_key = model.range((*key, 0)..=(*key, u64::MAX));
        let expected: Vec<_> = of_key.map(|(_, entry)| *entry).collect();
        assert_eq!(entries, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_index_holds_what_a_map_holds(steps in steps(), oldest in 1..25_u64, joins in any::<bool>()) {
        let kind = if joins { KeyKind::Rows } else { KeyKind::Hashes };
        let folder = tempfile::tempdir().expect("a folder");
        let new = || KeyIndex::new(kind, folder.path().join("t.keys"));
        let mut index = new();
        let mut model = Model::new();
        let mut history: Vec<(u64, Vec<String>, Model)> = Vec::new();
        let mut rows = 0;
        for ((added, removed, reopen), epoch) in steps.into_iter().zip(1..) {
            let live: Vec<_> = model.values().filter(|entry| entry.is_live()).copied().collect();
            let mut changes = Vec::new();
            for nth in removed.iter().filter(|_| !live.is_empty()) {
                changes.push(live[nth % live.len()].gone(epoch - 1));
            }
            changes.sort();
            changes.dedup();
            let mut keys = WrittenKeys::new(kind);
            added.iter().for_each(|nth| keys.push(key(*nth), 1));
            changes.extend(keys.into_entries(&[(epoch, added.len() as u64)]).expect("as many rows as were written"));
            rows += changes.len();
            model.extend(changes.iter().map(|entry| ((entry.key, entry.address), *entry)));
            let written = index.write(Epoch::new(epoch), changes, epoch == 1).expect("writes");
            index.settle(written);
            let names: Vec<String> = index.names().collect();
            prop_assert!(names.len() <= rows.max(1).ilog2() as usize + 2, "{names:?}");
            if reopen {
                index = new();
                index.open(&names.iter().map(String::as_str).collect::<Vec<_>>());
            }
            check(&mut index, &model);
            history.push((epoch, names, model.clone()));
        }

        // Runs of older epochs are as they were, and those of kept ones forget together.
        let kept: Vec<_> = history.iter().filter(|(epoch, ..)| *epoch >= oldest).collect();
        let names: BTreeSet<String> = kept.iter().flat_map(|(_, names, _)| names.iter().cloned()).collect();
        for pruned in [false, true] {
            if pruned {
                prune(&folder.path().join("t.keys"), &names, oldest).expect("prunes");
            }
            for (_, names, model) in &kept {
                let mut index = new();
                index.open(&names.iter().map(String::as_str).collect::<Vec<_>>());
                let keys: Vec<Key> = (0..13).map(key).collect();
                let known: BTreeSet<_> = index.find(&keys).expect("finds").concat().into_iter().collect();
                let all: BTreeSet<_> = model.values().copied().collect();
                let is_needed = |entry: &&Entry| entry.is_live() || u64::from(entry.last_version) >= oldest;
                let needed: BTreeSet<_> = all.iter().filter(is_needed).copied().collect();
                prop_assert!(known.is_superset(&needed) && known.is_subset(&all));
                prop_assert!(pruned || known == all);
            }
        }
    }
}

#[test]
fn pruning_takes_what_no_kept_version_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut index = KeyIndex::new(KeyKind::Rows, folder.path().to_path_buf());
    let live = |nths: std::ops::Range<u8>| nths.map(|nth| Entry::live(key(nth), nth.into())).collect::<Vec<_>>();
    let written = index.write(Epoch::FIRST, live(0..100), true).expect("writes");
    index.settle(written);
    let gone = |nth: u8| Entry::live(key(nth), nth.into()).gone(1);
    let written = index.write(Epoch::new(2), (0..60).map(gone).collect(), false).expect("writes");
    index.settle(written);
    let names: BTreeSet<String> = index.names().collect();
    let size = |folder: &Path| -> u64 {
        let files = std::fs::read_dir(folder).expect("lists");
        files.map(|file| file.expect("an entry").metadata().expect("has").len()).sum()
    };
    let before = size(folder.path());
    prune(folder.path(), &names, 1).expect("prunes");
    assert_eq!(size(folder.path()), before, "version 1 is kept, and has these rows");
    std::fs::remove_file(folder.path().join("rows-1-1.run")).expect("no token names it");
    prune(folder.path(), &names, 2).expect("prunes");
    assert!(size(folder.path()) < before);

    let mut pruned = KeyIndex::new(KeyKind::Rows, folder.path().to_path_buf());
    pruned.open(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let found = pruned.find(&[key(3), key(70)]).expect("finds");
    assert_eq!(found, [vec![], vec![Entry::live(key(70), 70)]]);
}

#[test]
fn rows_that_come_together_are_one_entry() {
    let mut keys = WrittenKeys::new(KeyKind::Rows);
    for key in [7, 7, 8, 8, 8, 9] {
        keys.push(bits(key), 1);
    }
    keys.push(bits(9), 3);
    keys.push(bits(10), 0);
    let at = |key, fragment: u64, row: u64, rows| Entry { rows, ..Entry::live(bits(key), fragment << 32 | row) };
    let expected = [at(7, 4, 0, 2), at(8, 4, 2, 1), at(8, 6, 0, 2), at(9, 6, 2, 4)];
    assert_eq!(keys.clone().into_entries(&[(4, 3), (5, 0), (6, 6)]).as_deref(), Some(&expected[..]));
    assert_eq!(keys.clone().into_entries(&[(4, 3), (6, 5)]), None);
    assert_eq!(keys.into_entries(&[(4, 3), (6, 7)]), None);

    // Moved in two batches, they are gone as one entry too; what is found by a hash is not.
    let folder = tempfile::tempdir().expect("a folder");
    for (kind, gone) in [(KeyKind::Rows, 1), (KeyKind::Hashes, 3)] {
        let mut index = KeyIndex::new(kind, folder.path().to_path_buf());
        let mut changes = vec![Entry::live(bits(7), 2).gone(1)];
        kind.push(&mut changes, Entry::live(bits(7), 0).gone(1));
        kind.push(&mut changes, Entry::live(bits(7), 1).gone(1));
        kind.push(&mut changes, Entry::live(bits(7), 1 << 32));
        let written = index.write(Epoch::new(2), changes, true).expect("writes");
        index.settle(written);
        let found = index.find(&[bits(7)]).expect("finds").concat();
        assert_eq!(found.iter().filter(|entry| !entry.is_live()).count(), gone);
        assert_eq!(found.iter().flat_map(Entry::addresses).collect::<Vec<_>>(), [0, 1, 2, 1 << 32]);
    }
}

#[test]
fn an_address_names_a_row_of_its_own_series() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut index = KeyIndex::new(KeyKind::Rows, folder.path().to_path_buf());
    let mut names = BTreeSet::new();
    let mut write = |epoch, entries, replace| {
        let written = index.write(Epoch::new(epoch), entries, replace).expect("writes");
        index.settle(written);
        names.extend(index.names());
    };
    write(1, vec![Entry::live(bits(1), 0)], true);
    write(2, vec![Entry::live(bits(1), 0).gone(1)], false);
    // The table starts from no rows, and the row has the address that it had before.
    write(3, vec![Entry::live(bits(1), 0)], true);
    prune(folder.path(), &names, 2).expect("prunes");
    let mut pruned = KeyIndex::new(KeyKind::Rows, folder.path().to_path_buf());
    pruned.open(&["rows-3-3.run"]);
    assert_eq!(pruned.find(&[bits(1)]).expect("finds"), [vec![Entry::live(bits(1), 0)]]);
    pruned.open(&["rows-1-2.run"]);
    assert_eq!(pruned.find(&[bits(1)]).expect("finds"), [vec![]]);
}

#[test]
fn a_run_that_is_not_there_is_an_error_until_it_is_rebuilt() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut index = KeyIndex::new(KeyKind::Hashes, folder.path().to_path_buf());
    assert!(matches!(index.find(&[bits(1)]), Err(RunError::Unnamed)));
    index.open(&["hashes-2-3.run", "rows-2-3.run", "hashes-3.run"]);
    assert_eq!(index.names().collect::<Vec<_>>(), ["hashes-2-3.run"]);
    assert!(matches!(index.find(&[bits(1)]), Err(RunError::Io(_))));
    assert!(index.write(Epoch::new(4), Vec::new(), false).is_err());
    index.rebuild(vec![Entry::live(bits(2), 0), Entry::live(bits(1), 1)]);
    assert_eq!(index.find(&[bits(1)]).expect("finds"), [vec![Entry::live(bits(1), 1)]]);
    let written = index.write(Epoch::new(4), vec![Entry::live(bits(1), 1).gone(7)], false).expect("writes");
    index.settle(written);
    assert_eq!(index.names().collect::<Vec<_>>(), ["hashes-4-4.run"]);
    assert_eq!(index.find(&[bits(2)]).expect("finds"), [vec![Entry::live(bits(2), 0)]]);
    assert!(!index.find(&[bits(1)]).expect("finds")[0][0].is_live());
}
