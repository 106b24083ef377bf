//! Removing entries of rows that no retained version of a table has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gristmill_pipeline::Epoch;

use super::merge::{Entries, Merge};
use super::run::{Run, RunError, open_file};
use super::write::RunWriter;
use super::{Entry, KeyKind, RunName};
use crate::durable;

/// Removes, from these runs of a table, entries of rows that were gone before version
/// `oldest`. The runs must be all those of the retained tokens, the oldest of which names
/// that version: then no retained state needs the entries.
///
/// A run that loses entries is replaced by a file of the same name.
pub(in crate::lance) fn prune(folder: &Path, names: &BTreeSet<String>, oldest: u64) -> Result<(), RunError> {
    let mut series: BTreeMap<(KeyKind, Epoch), Vec<RunName>> = BTreeMap::new();
    for name in names.iter().filter_map(|name| RunName::parse(name)) {
        series.entry((name.kind, name.series)).or_default().push(name);
    }
    for mut names in series.into_values() {
        // A row's deletion is in no older run than the row. Should this end halfway, a
        // deletion without its row says nothing, where a row without it would be wrong.
        names.sort_unstable();
        let mut runs = Vec::with_capacity(names.len());
        for name in names {
            let path = folder.join(name.to_string());
            runs.push((Run::open(open_file(&path)?, &name)?, (name, path)));
        }
        let (runs, places): (Vec<Run>, Vec<_>) = runs.into_iter().unzip();
        if is_worthwhile(&runs, oldest)? {
            rewrite(&runs, &places, oldest)?;
        }
    }
    Ok(())
}

/// The entries of some runs, each with the index of its run, row by row.
struct ByRow<'a> {
    merge: std::iter::Peekable<Merge<'a>>,
    row: Vec<(Entry, usize)>,
}

impl<'a> ByRow<'a> {
    fn new(runs: &'a [Run]) -> Self {
        let streams = runs.iter().map(|run| Box::new(run.entries()) as Entries<'a>).collect();
        Self { merge: Merge::new(streams).peekable(), row: Vec::new() }
    }

    /// The entries of the next row; empty at the end.
    fn next(&mut self) -> Result<&[(Entry, usize)], RunError> {
        self.row.clear();
        self.row.extend(self.merge.next().transpose()?);
        if let Some((first, _)) = self.row.first().copied() {
            let same = |(entry, _): &(Entry, usize)| (entry.key, entry.address) == (first.key, first.address);
            while let Some(next) = self.merge.next_if(|next| next.as_ref().map_or(true, same)) {
                self.row.push(next?);
            }
        }
        Ok(&self.row)
    }
}

fn is_gone(row: &[(Entry, usize)], oldest: u64) -> bool {
    row.iter().any(|(entry, _)| !entry.is_live() && u64::from(entry.last_version) < oldest)
}

/// Whether at least a quarter of all entries would be removed.
fn is_worthwhile(runs: &[Run], oldest: u64) -> Result<bool, RunError> {
    let mut rows = ByRow::new(runs);
    let (mut all, mut gone) = (0, 0);
    loop {
        let row = rows.next()?;
        if row.is_empty() {
            return Ok(gone > 0 && gone >= all / 4);
        }
        all += row.len();
        gone += if is_gone(row, oldest) { row.len() } else { 0 };
    }
}

fn rewrite(runs: &[Run], places: &[(RunName, PathBuf)], oldest: u64) -> Result<(), RunError> {
    let drafts: Vec<PathBuf> = places.iter().map(|(_, path)| path.with_extension("draft")).collect();
    let mut writers = Vec::with_capacity(drafts.len());
    for (draft, (name, _)) in drafts.iter().zip(places) {
        durable::remove(draft)?;
        writers.push(RunWriter::create(draft, name.clone())?);
    }
    let mut rows = ByRow::new(runs);
    loop {
        let row = rows.next()?;
        if row.is_empty() {
            break;
        }
        if is_gone(row, oldest) {
            continue;
        }
        for (entry, nth) in row {
            if let Some(writer) = writers.get_mut(*nth) {
                writer.push(*entry)?;
            }
        }
    }
    for writer in writers {
        writer.finish()?;
    }
    durable::sync_all(&drafts, false)?;
    for (draft, (_, path)) in drafts.iter().zip(places) {
        durable::rename(draft, path)?;
    }
    Ok(())
}
