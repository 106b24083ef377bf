//! Where models lie, and what says what a model is.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The file that describes a model folder.
pub const MANIFEST: &str = "model.json";

/// What a model folder holds, as its `model.json` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the file: 1.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// How the model is run.
    pub kind: ModelKind,
    /// What it is, in a line.
    #[serde(default)]
    pub description: String,
    /// The licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// Where the weights come from.
    #[serde(default)]
    pub source: String,
    /// The number of components of its vectors.
    pub dimension: usize,
    /// How much of a text it looks at, in tokens.
    pub max_tokens: usize,
    /// How the vectors of tokens become one.
    #[serde(default)]
    pub pooling: PoolingRule,
    /// Whether and how its numbers are rounded.
    #[serde(default)]
    pub quantization: Quantization,
    /// Stands before each query.
    #[serde(default)]
    pub query_prefix: String,
    /// Stands before each passage.
    #[serde(default)]
    pub passage_prefix: String,
    /// Its name in fastembed, where it comes from the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fastembed: Option<String>,
    /// The files, by their path in the folder.
    pub files: BTreeMap<String, FileEntry>,
}

/// How a model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// By ONNX Runtime.
    Onnx,
    /// As a table of token rows.
    Static,
}

/// How the vectors of tokens become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolingRule {
    /// Their mean.
    #[default]
    Mean,
    /// The first one's.
    Cls,
}

/// Whether and how a model's numbers are rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// Not at all.
    #[default]
    None,
    /// By scales that the file holds.
    Static,
    /// By scales that depend on what else is in the batch.
    Dynamic,
}

/// A file as a manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex digits.
    pub sha256: String,
}

impl FileEntry {
    /// Describes bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }

    /// Describes a file, read piece by piece.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(path: &Path) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(Self { bytes, sha256: hex(&hasher.finalize()) }),
                read => {
                    hasher.update(piece.get(..read).unwrap_or_default());
                    bytes += read as u64;
                }
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// gristmill's folder among the caches: `$XDG_CACHE_HOME` or `~/.cache`, and `gristmill`.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let cache = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("gristmill")
}

/// The folder with a folder for each model: `$GRISTMILL_MODELS`, or `models` in
/// [`cache_folder`].
#[must_use]
pub fn models_folder() -> PathBuf {
    set("GRISTMILL_MODELS").unwrap_or_else(|| cache_folder().join("models"))
}

/// A path that an environment variable holds.
pub(super) fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_bytes_are_described_alike() {
        let folder = tempfile::tempdir().expect("creates");
        let path = folder.path().join("file");
        let bytes = vec![7; 200_000];
        std::fs::write(&path, &bytes).expect("writes");
        assert_eq!(FileEntry::of_file(&path).expect("reads"), FileEntry::of(&bytes));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(FileEntry::of(b""), FileEntry { bytes: 0, sha256: empty.into() });
    }
}
