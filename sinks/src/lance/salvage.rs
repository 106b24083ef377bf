//! The files of a state, and what is left of one when some are damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::{Depth, Salvaged, SinkError, Token};
use lance::Dataset;
use lance::index::DatasetIndexExt as _;

use super::blocking::Blocking;
use super::error::{TableError, named};
use super::location::Location;
use super::table::{StoredTable, restored};
use super::token::{keys_of, tables_of, version_of};
use super::vector_state::indexes;
use super::written::check_manifest;
use super::{keys, load, session};
use crate::durable;
use crate::sink_error::WrapErr as _;
use crate::tables::Table;

const INDICES: &str = "_indices";

impl StoredTable {
    /// The files of the state that a token names, relative to the folder of the store. Key runs are not
    /// among them: garbage collection rewrites some, and every block of them has a checksum.
    pub(super) async fn files(&self) -> Result<Vec<PathBuf>, TableError> {
        let (Some(dataset), Some(version)) = (&self.dataset, self.version) else { return Ok(Vec::new()) };
        let location = &self.location;
        let mut files = state_files(location, dataset, version);
        if self.schema.dimension.is_some() {
            for index in indexes(dataset).await? {
                for file in durable::entries(&location.index(&index))? {
                    files.push(file?.path());
                }
            }
        }
        Ok(location.relative(files))
    }
}

/// The manifest, data and deletion files of a version of a table.
pub(super) fn state_files(location: &Location, dataset: &Dataset, version: u64) -> Vec<PathBuf> {
    let mut files = vec![location.manifest(version)];
    files.extend(location.data_files(dataset.fragments().iter()));
    let deletions = dataset.fragments().iter().filter_map(|it| Some((it.id, it.deletion_file.as_ref()?)));
    files.extend(deletions.map(|(fragment, file)| location.deletion_file(fragment, file)));
    files
}

/// Compares the key runs of the tables that a token names, in the `folder` of a store, with their checksums, or only
/// their lengths. Returns the damaged ones, relative to the folder, each with what is wrong: `gristmill run --verify`
/// rebuilds them.
#[must_use]
pub fn damaged_key_runs(folder: &Path, base: &Token, depth: Depth) -> Vec<(PathBuf, String)> {
    let check = match depth {
        Depth::Lengths => keys::check_length,
        Depth::Contents => keys::verify,
    };
    let mut damaged = Vec::new();
    for table in tables_of(base) {
        let location = Location::new(folder, &table);
        for run in keys_of(base, &table) {
            let path = location.keys().join(run);
            if let Err(error) = check(&path) {
                let path = path.strip_prefix(folder).map(Path::to_path_buf).unwrap_or(path);
                damaged.push((path, error.to_string()));
            }
        }
    }
    damaged
}

/// Deletes the damaged tables of a state, and indexes over vectors and keys that are damaged.
pub(super) fn salvage(folder: &Path, base: &Token, damaged: &[PathBuf]) -> Result<Option<Salvaged>, SinkError> {
    let mut token = base.clone();
    let Some(states) = token.as_object_mut() else { return Ok(None) };
    let mut salvaged = Salvaged { token: Token::Null, has_rows: true, has_vectors: true, lost_views: Vec::new() };
    for (table, (files, runs)) in by_table(damaged) {
        let location = Location::new(folder, &table);
        if let Some(state) = states.get_mut(table.as_str()).and_then(Token::as_object_mut) {
            // They are made again from the rows.
            state.insert("keys".into(), keys::without(&keys_of(base, &table), &runs).into());
        }
        if !location.keys().is_dir() {
            durable::remove(location.keys()).wrap_err("lance", "cannot delete what is in the place of key runs")?;
        }
        if files.is_empty() {
            continue;
        }
        if files.iter().all(|file| file.iter().nth(1).is_some_and(|part| part == INDICES))
            && let Some(version) = version_of(base, &table)
            && let Ok(version) = drop_indexes(&location, &table, version)
        {
            if let Some(state) = states.get_mut(table.as_str()).and_then(Token::as_object_mut) {
                state.insert("version".into(), version.into());
            }
            continue;
        }
        durable::remove(location.folder()).wrap_err("lance", "cannot delete a damaged table")?;
        durable::remove(location.keys()).wrap_err("lance", "cannot delete key runs of a damaged table")?;
        match &table {
            Table::View(name) => {
                states.remove(table.as_str());
                salvaged.lost_views.push((**name).into());
            }
            _ => {
                // Named, and of no version: the next epoch fills it.
                states.insert(table.as_str().into(), Token::Null);
                salvaged.has_rows = false;
                salvaged.has_vectors &= table != Table::Chunks;
            }
        }
    }
    salvaged.token = token;
    Ok(Some(salvaged))
}

/// The damaged files and key runs of each table.
fn by_table(damaged: &[PathBuf]) -> BTreeMap<Table, (Vec<&Path>, Vec<&str>)> {
    let mut tables: BTreeMap<Table, (Vec<&Path>, Vec<&str>)> = BTreeMap::new();
    for file in damaged {
        let mut parts = file.iter().map_while(|part| part.to_str());
        let (Some(folder), Some(name)) = (parts.next(), parts.next()) else { continue };
        if let Some(table) = folder.strip_suffix(".lance") {
            tables.entry(Table::named(table)).or_default().0.push(file);
        } else if let Some(table) = folder.strip_suffix(".keys") {
            tables.entry(Table::named(table)).or_default().1.push(name);
        }
    }
    tables
}

/// Makes a version of the table without indexes over its vectors: the next epoch builds them.
fn drop_indexes(location: &Location, table: &Table, version: u64) -> Result<u64, SinkError> {
    let blocking = Blocking::new(true).wrap_err("lance", "cannot start its runtime")?;
    let drop = async {
        let session = Arc::new(session());
        let newest = load::open(location, &session, None).await?;
        let mut dataset = restored(location, newest, version).await?;
        let names: BTreeSet<String> = indexes(&dataset).await?.into_iter().map(|index| index.name).collect();
        for name in names {
            dataset.drop_index(&name).await?;
        }
        check_manifest(location, &dataset)?;
        Ok::<_, TableError>(dataset.version_id())
    };
    blocking.wait(drop).wrap_err("lance", "cannot drop a damaged index")?.map_err(named(
        "lance",
        "cannot drop the damaged index of",
        table,
    ))
}
