//! Model folders and their descriptions.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name of the file that describes a model folder.
pub const MANIFEST: &str = "model.json";

/// The description of a model folder: the content of `model.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the file format: 1.
    pub format: u32,
    /// Name of the model.
    pub name: String,
    /// The kind of model.
    pub kind: ModelKind,
    /// A description in one line.
    #[serde(default)]
    pub description: String,
    /// Licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// Origin of the weights.
    #[serde(default)]
    pub source: String,
    /// Number of components of a vector.
    pub dimension: usize,
    /// Maximum number of tokens per text; longer texts are truncated.
    pub max_tokens: usize,
    /// How token vectors are pooled into one vector.
    #[serde(default)]
    pub pooling: PoolingRule,
    /// How the weights are quantized.
    #[serde(default)]
    pub quantization: Quantization,
    /// Text that is prepended to each query.
    #[serde(default)]
    pub query_prefix: String,
    /// Text that is prepended to each passage.
    #[serde(default)]
    pub passage_prefix: String,
    /// Its name in fastembed, if it was fetched from the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fastembed: Option<String>,
    /// The files of the model, by their path in the folder.
    pub files: BTreeMap<String, FileEntry>,
}

/// The kind of a model: what runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// An ONNX model, run by ONNX Runtime.
    Onnx,
    /// A static token table.
    Static,
}

/// How token vectors are pooled into one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolingRule {
    /// The mean of all token vectors.
    #[default]
    Mean,
    /// The vector of the first token, `[CLS]`.
    Cls,
}

/// How a model's weights are quantized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// They are not quantized.
    #[default]
    None,
    /// With scales that the file contains.
    Static,
    /// With scales that are computed from each batch, so that vectors depend on the batch.
    Dynamic,
}

/// The entry of a file in a [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex digits.
    pub sha256: String,
}

impl FileEntry {
    /// Returns the entry for a file with that content.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: hex(&Sha256::digest(bytes)) }
    }

    /// Returns the entry for a file on disk, in constant memory.
    ///
    /// # Errors
    /// If the file cannot be read.
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

/// Returns gristmill's cache folder: `gristmill` in `$XDG_CACHE_HOME` or `~/.cache`.
#[must_use]
pub fn cache_folder() -> PathBuf {
    let cache = path_variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("gristmill")
}

/// Returns the folder that contains the local models: `$GRISTMILL_MODELS`, or else `models` in
/// [`cache_folder`].
#[must_use]
pub fn models_folder() -> PathBuf {
    path_variable("GRISTMILL_MODELS").unwrap_or_else(|| cache_folder().join("models"))
}

/// Returns the path in an environment variable, if it is set and not empty.
pub(super) fn path_variable(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_entry_of_its_bytes() {
        let folder = tempfile::tempdir().expect("creates");
        let path = folder.path().join("file");
        let bytes = vec![7; 200_000];
        std::fs::write(&path, &bytes).expect("writes");
        assert_eq!(FileEntry::of_file(&path).expect("reads"), FileEntry::of(&bytes));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(FileEntry::of(b""), FileEntry { bytes: 0, sha256: empty.into() });
    }
}
