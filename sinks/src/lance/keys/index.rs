//! A key index of a table: the runs that describe one state of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::{Epoch, Key};

use super::merge::{Entries, Merge};
use super::run::{ENTRY_BYTES, Run, RunError, open_file};
use super::write::RunWriter;
use super::{Entry, KeyKind, RunName};
use crate::durable;

/// A key index. Each epoch adds a run, into which older runs of about its size are merged,
/// so that there are at most log2(entries) runs.
#[derive(Debug)]
pub(in crate::lance) struct KeyIndex {
    kind: KeyKind,
    folder: PathBuf,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// The runs that a token names, oldest first.
    Runs(Vec<Slot>),
    /// Entries rebuilt from the rows of the table because a run could not be read; the next
    /// epoch writes them.
    Rebuilt(Arc<Vec<Entry>>),
}

/// A run, opened when it is first needed.
#[derive(Clone, Debug)]
struct Slot {
    name: RunName,
    run: Option<Arc<Run>>,
}

/// The runs of an epoch that is not published yet.
#[derive(Debug)]
pub(in crate::lance) struct Written {
    state: State,
    /// The new file.
    pub file: PathBuf,
}

impl Slot {
    fn open(&mut self, folder: &Path) -> Result<&Arc<Run>, RunError> {
        if self.run.is_none() {
            self.run = Some(Arc::new(Run::open(open_file(&folder.join(self.name.to_string()))?, &self.name)?));
        }
        self.run.as_ref().ok_or(RunError::Unnamed)
    }

    /// Its approximate number of entries.
    fn size(&self, folder: &Path) -> Result<u64, RunError> {
        match &self.run {
            Some(run) => Ok(run.entries),
            None => Ok(fs::metadata(folder.join(self.name.to_string()))?.len() / ENTRY_BYTES as u64),
        }
    }
}

impl KeyIndex {
    pub fn new(kind: KeyKind, folder: PathBuf) -> Self {
        Self { kind, folder, state: State::Runs(Vec::new()) }
    }

    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Opens those of a token's runs that are of this index.
    pub fn open(&mut self, names: &[&str]) {
        let own = names.iter().filter_map(|name| RunName::parse(name)).filter(|name| name.kind == self.kind);
        self.state = State::Runs(own.map(|name| Slot { name, run: None }).collect());
    }

    /// The names of the runs, for a token.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.slots().iter().map(|slot| slot.name.to_string())
    }

    fn slots(&self) -> &[Slot] {
        match &self.state {
            State::Runs(slots) => slots,
            State::Rebuilt(_) => &[],
        }
    }

    /// Whether it was rebuilt, so that no run holds its entries.
    pub const fn is_rebuilt(&self) -> bool {
        matches!(self.state, State::Rebuilt(_))
    }

    /// Whether the token names no run of it.
    pub const fn is_unnamed(&self) -> bool {
        matches!(&self.state, State::Runs(slots) if slots.is_empty())
    }

    /// Replaces its entries by those of a scan of the table's rows.
    pub fn rebuild(&mut self, mut entries: Vec<Entry>) {
        self.kind.sort(&mut entries);
        self.state = State::Rebuilt(Arc::new(entries));
    }

    /// For each key its entries, by address. For a row that is gone, only the entry that
    /// says so is returned.
    pub fn find(&mut self, keys: &[Key]) -> Result<Vec<Vec<Entry>>, RunError> {
        let mut sorted: Vec<Key> = keys.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let mut found: Vec<BTreeMap<u64, Entry>> = vec![BTreeMap::new(); sorted.len()];
        let mut add = |nth: usize, entry: Entry| {
            if let Some(found) = found.get_mut(nth) {
                let known = found.entry(entry.address).or_insert(entry);
                *known = entry.max(*known);
            }
        };
        match &mut self.state {
            State::Runs(slots) if slots.is_empty() => return Err(RunError::Unnamed),
            State::Runs(slots) => {
                for slot in slots {
                    slot.open(&self.folder)?.find(&sorted, &mut add)?;
                }
            }
            State::Rebuilt(entries) => {
                for (nth, key) in sorted.iter().enumerate() {
                    let start = entries.partition_point(|entry| entry.key < *key);
                    let of_key = entries.iter().skip(start).take_while(|entry| entry.key == *key);
                    of_key.for_each(|entry| add(nth, *entry));
                }
            }
        }
        let entries = |key: &Key| {
            let found = sorted.binary_search(key).ok().and_then(|nth| found.get(nth));
            found.into_iter().flat_map(BTreeMap::values).copied().collect()
        };
        Ok(keys.iter().map(entries).collect())
    }

    /// Writes the run of an epoch from its changes. With `replace`, older runs are ignored.
    pub fn write(&self, epoch: Epoch, mut changes: Vec<Entry>, replace: bool) -> Result<Written, RunError> {
        self.kind.sort(&mut changes);
        let mut kept = Vec::new();
        let mut size = changes.len() as u64;
        let mut absorbed: Vec<Arc<Run>> = Vec::new();
        let mut streams: Vec<Entries<'_>> = vec![Box::new(changes.into_iter().map(Ok))];
        match &self.state {
            _ if replace => {}
            State::Runs(slots) if slots.is_empty() => return Err(RunError::Unnamed),
            State::Runs(slots) => {
                kept.clone_from(slots);
                while let Some(mut newest) = kept.pop() {
                    if newest.size(&self.folder)? >= 2 * size.max(1) {
                        kept.push(newest);
                        break;
                    }
                    let run = newest.open(&self.folder)?;
                    size += run.entries;
                    absorbed.push(Arc::clone(run));
                }
            }
            State::Rebuilt(entries) => streams.push(Box::new(entries.iter().copied().map(Ok))),
        }
        streams.extend(absorbed.iter().map(|run| Box::new(run.entries()) as Entries<'_>));

        let series = self.slots().first().filter(|_| !replace).map_or(epoch, |slot| slot.name.series);
        let name = RunName { kind: self.kind, series, epoch };
        let file = self.folder.join(name.to_string());
        fs::create_dir_all(&self.folder)?;
        if self.slots().iter().all(|slot| slot.name != name) {
            // Left over from an epoch of this number that was never committed.
            durable::remove(&file)?;
        }
        let mut writer = RunWriter::create(&file, name.clone())?;
        for entry in Merge::new(streams) {
            writer.push(entry?.0)?;
        }
        let run = writer.finish()?;
        kept.push(Slot { name, run: Some(Arc::new(run)) });
        Ok(Written { state: State::Runs(kept), file })
    }

    /// Takes what was written as the state of the index.
    pub fn settle(&mut self, written: Written) {
        self.state = written.state;
    }
}
