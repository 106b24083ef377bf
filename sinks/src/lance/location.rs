//! The paths of a table's files.

use std::path::{Path, PathBuf};

use lance::Dataset;
use lance_table::format::{DeletionFile, Fragment, IndexMetadata};
use lance_table::io::deletion::relative_deletion_file_path;

use crate::tables::Table;

/// The folders of one table.
#[derive(Clone, Debug)]
pub(super) struct Location {
    folder: PathBuf,
    keys: PathBuf,
}

impl Location {
    pub fn new(folder: &Path, table: &Table) -> Self {
        Self { folder: folder.join(format!("{table}.lance")), keys: folder.join(format!("{table}.keys")) }
    }

    /// The URI by which Lance opens the table.
    pub fn uri(&self) -> String {
        self.folder.to_string_lossy().into_owned()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Files as paths relative to the folder of the store.
    pub fn relative(&self, files: Vec<PathBuf>) -> Vec<PathBuf> {
        let store = self.folder.parent().unwrap_or(&self.folder);
        files.into_iter().filter_map(|file| file.strip_prefix(store).map(Path::to_path_buf).ok()).collect()
    }

    /// The folder of the key runs.
    pub fn keys(&self) -> &Path {
        &self.keys
    }

    /// Whether the table has any version.
    pub fn exists(&self) -> bool {
        self.manifests().exists()
    }

    pub fn manifests(&self) -> PathBuf {
        self.folder.join("_versions")
    }

    /// The manifest of a version: its name counts down from the largest number, so that the newest is listed first.
    pub fn manifest(&self, version: u64) -> PathBuf {
        self.manifests().join(format!("{:020}.manifest", u64::MAX - version))
    }

    /// The manifest of this version of the table.
    pub fn manifest_of(&self, dataset: &Dataset) -> Option<PathBuf> {
        Some(self.manifests().join(dataset.manifest_location().path.filename()?))
    }

    /// Whether the manifest of this version of the table still exists.
    pub fn has_manifest_of(&self, dataset: &Dataset) -> bool {
        self.manifest_of(dataset).is_some_and(|manifest| manifest.exists())
    }

    /// The data files of new fragments.
    pub fn data_files<'a>(&self, fragments: impl IntoIterator<Item = &'a Fragment>) -> Vec<PathBuf> {
        let data = self.folder.join("data");
        fragments.into_iter().flat_map(|fragment| &fragment.files).map(|file| data.join(&file.path)).collect()
    }

    /// The folder of a part of an index.
    pub fn index(&self, index: &IndexMetadata) -> PathBuf {
        self.folder.join("_indices").join(index.uuid.to_string())
    }

    pub fn deletion_file(&self, fragment: u64, file: &DeletionFile) -> PathBuf {
        self.folder.join(relative_deletion_file_path(fragment, file))
    }
}
