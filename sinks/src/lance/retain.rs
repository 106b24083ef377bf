//! Giving back the space of epochs that are no longer retained.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::{SinkError, Token};
use lance::dataset::cleanup::CleanupPolicy;
use lance::session::Session;

use super::blocking::Blocking;
use super::error::TableError;
use super::location::Location;
use super::sink::named;
use super::token::version_of;
use super::{load, session};
use crate::failure::While as _;
use crate::tables::Table;

/// Keeps the versions that these tokens name and the newest of each table, and deletes
/// what only others hold, such as files of epochs that were never published. No epoch
/// may be under way; readers of kept tokens are not disturbed.
///
/// # Errors
/// If a table cannot be read or written.
pub fn retain(folder: &Path, tokens: &[Token]) -> Result<(), SinkError> {
    let blocking = Blocking::new(true).during("lance", "cannot start its runtime")?;
    let session = Arc::new(session());
    for table in &Table::OF_RECORDS {
        let location = Location::new(folder, table);
        let kept = tokens.iter().filter_map(|token| version_of(token, table)).collect();
        if location.exists() {
            blocking
                .wait(collect(&location, &session, kept))
                .during("lance", "cannot delete old versions")?
                .map_err(named("lance", "cannot delete old versions of", table))?;
        }
    }
    Ok(())
}

async fn collect(location: &Location, session: &Arc<Session>, kept: HashSet<u64>) -> Result<(), TableError> {
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
