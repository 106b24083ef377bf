//! Deleting what only epochs hold that are no longer retained.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::{SinkError, Token};
use lance::dataset::cleanup::CleanupPolicy;
use lance::session::Session;

use super::blocking::Blocking;
use super::error::{TableError, named};
use super::keys::prune;
use super::location::Location;
use super::token::{keys_of, tables_of, version_of};
use super::written::version_of_manifest;
use super::{load, session};
use crate::durable;
use crate::sink_error::WrapErr as _;
use crate::tables::Table;

/// Keeps the versions that these tokens name and the newest version of each table, and deletes
/// everything else: files of epochs that were never published, key runs that no token names,
/// and entries of key runs about rows that no retained version has. A table that no token
/// names is deleted. No epoch may be in progress; readers of retained tokens are not affected.
///
/// The token of the newest epoch should be among them: without it the next epoch rebuilds its
/// key runs.
///
/// # Errors
/// If a table cannot be read or written.
pub(super) fn retain(folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
    let blocking = Blocking::new(true).wrap_err("lance", "cannot start its runtime")?;
    let session = Arc::new(session());
    let named_tables: BTreeSet<Table> = tokens.iter().flat_map(tables_of).collect();
    for table in tables_in(folder).wrap_err("lance", "cannot list its tables")? {
        let location = Location::new(folder, &table);
        if !named_tables.contains(&table) && !tokens.is_empty() {
            durable::remove(location.folder()).wrap_err("lance", "cannot delete a table")?;
            durable::remove(location.keys()).wrap_err("lance", "cannot delete key runs")?;
            continue;
        }
        let kept: HashSet<u64> = tokens.iter().filter_map(|token| version_of(token, &table)).collect();
        let oldest = kept.iter().min().copied();
        blocking
            .wait(async {
                match collect(&location, &session, &kept).await {
                    Err(TableError::Lance(_)) if remove_unreadable(&location, &session, &kept).await? => {
                        collect(&location, &session, &kept).await
                    }
                    collected => collected,
                }
            })
            .wrap_err("lance", "cannot delete old versions")?
            .map_err(named("lance", "cannot delete old versions of", &table))?;
        let keys = tokens.iter().flat_map(|token| keys_of(token, &table)).map(str::to_owned).collect();
        collect_keys(&location, &keys).wrap_err("lance", "cannot delete key runs")?;
        if let Some(oldest) = oldest
            && let Err(error) = prune(location.keys(), &keys, oldest)
        {
            // They are rebuilt when a row is looked up.
            tracing::warn!(%table, %error, "cannot read the key runs, and leaves them as they are");
        }
    }
    Ok(())
}

/// The tables that a folder has.
fn tables_in(folder: &Path) -> std::io::Result<Vec<Table>> {
    let mut tables = Vec::new();
    for entry in durable::entries(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| path.extension().is_some_and(|extension| extension == "lance")) {
            tables.push(Table::named(name));
        }
    }
    tables.sort_unstable();
    Ok(tables)
}

async fn collect(location: &Location, session: &Arc<Session>, kept: &HashSet<u64>) -> Result<(), TableError> {
    if !location.exists() {
        return Ok(());
    }
    let dataset = load::open(location, session, None).await?;
    let versions = dataset.version_refs().await?;
    let old = versions.iter().map(|found| found.version);
    let old = old.filter(|version| *version != dataset.version_id() && !kept.contains(version)).collect();
    let policy = CleanupPolicy {
        versions: Some(old),
        // Unpublished files are young, but no epoch is under way that could need them.
        delete_unverified: true,
        ..CleanupPolicy::default()
    };
    dataset.cleanup(policy).execute().await?;
    Ok(())
}

/// Deletes the manifests of versions that are not `kept` and that nobody can open: collection reads them all. Returns
/// whether there were any.
async fn remove_unreadable(
    location: &Location,
    session: &Arc<Session>,
    kept: &HashSet<u64>,
) -> Result<bool, TableError> {
    let mut any = false;
    for entry in durable::entries(&location.manifests())? {
        let path = entry?.path();
        let Some(version) = version_of_manifest(&path).filter(|version| !kept.contains(version)) else { continue };
        if let Err(error) = load::open(location, session, Some(version)).await {
            tracing::warn!(manifest = %path.display(), %error, "deletes a version that cannot be read");
            durable::remove(&path)?;
            any = true;
        }
    }
    Ok(any)
}

/// Deletes the key runs that are not `kept`.
fn collect_keys(location: &Location, kept: &BTreeSet<String>) -> std::io::Result<()> {
    for entry in durable::entries(location.keys())? {
        let path = entry?.path();
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| kept.contains(name)) {
            durable::remove(&path)?;
        }
    }
    Ok(())
}
