//! Rows that epochs deleted, and where they can still be read.

use std::collections::HashMap;
use std::sync::Arc;

use gristmill_pipeline::PastFiles;
use lance::Dataset;

use super::keys::Entry;
use super::location::Location;
use super::salvage::state_files;

/// Rows of one key that lie in one version of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The version, or `None` for the newest.
    pub version: Option<u64>,
    /// Their addresses, ascending.
    pub addresses: Vec<u64>,
}

impl Group {
    /// The rows that are there.
    pub fn live(entries: &[Entry]) -> Option<Self> {
        let addresses: Vec<u64> = entries.iter().filter(|entry| entry.is_live()).flat_map(Entry::addresses).collect();
        (!addresses.is_empty()).then_some(Self { version: None, addresses })
    }

    /// The rows that were deleted after version `since`, latest first, in one group per epoch
    /// that deleted some.
    pub fn deleted(entries: &[Entry], since: Option<u64>) -> Vec<Self> {
        let Some(since) = since else { return Vec::new() };
        let mut deleted: Vec<&Entry> =
            entries.iter().filter(|entry| !entry.is_live() && u64::from(entry.last_version) >= since).collect();
        deleted.sort_by_key(|entry| (std::cmp::Reverse(entry.last_version), entry.address));
        let same_version = deleted.chunk_by(|a, b| a.last_version == b.last_version);
        same_version
            .map(|rows| Self {
                version: rows.first().map(|entry| entry.last_version.into()),
                addresses: rows.iter().flat_map(|entry| entry.addresses()).collect(),
            })
            .collect()
    }
}

/// Old versions of a table, opened on first use.
pub(super) struct Past {
    files: PastFiles,
    /// `None` for versions that are gone.
    versions: HashMap<u64, Option<Arc<Dataset>>>,
}

impl Past {
    pub fn new(files: PastFiles) -> Self {
        Self { files, versions: HashMap::new() }
    }

    /// A version of a table, if it is still there and whole: rows of one that is not are made again.
    pub async fn open(
        &mut self,
        location: &Location,
        newest: &Dataset,
        version: u64,
    ) -> lance::Result<Option<Arc<Dataset>>> {
        if let Some(opened) = self.versions.get(&version) {
            return Ok(opened.clone());
        }
        if !self.files.are_whole(&location.relative(vec![location.manifest(version)])) {
            self.versions.insert(version, None);
            return Ok(None);
        }
        let opened = match newest.checkout_version(version).await {
            // Lance may have cached a version whose files were deleted.
            Ok(dataset) => {
                let is_whole = location.has_manifest_of(&dataset) && {
                    let files = location.relative(state_files(location, &dataset, version));
                    self.files.are_whole(&files)
                };
                is_whole.then(|| Arc::new(dataset))
            }
            Err(error) => {
                if !is_gone(&error) {
                    tracing::warn!(table = newest.uri(), version, %error, "cannot open an old version");
                }
                None
            }
        };
        self.versions.insert(version, opened.clone());
        Ok(opened)
    }

    pub fn clear(&mut self) {
        self.versions.clear();
    }
}

fn is_gone(error: &lance::Error) -> bool {
    use lance::Error;
    matches!(
        error,
        Error::NotFound { .. }
            | Error::DatasetNotFound { .. }
            | Error::VersionNotFound { .. }
            | Error::RefNotFound { .. }
    )
}
