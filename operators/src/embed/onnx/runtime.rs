//! The ONNX Runtime library, which is loaded with the first model.

use std::path::{Path, PathBuf};

use super::super::models::{cache_folder, path_variable};
use super::error::OnnxError;

/// Returns the path of the ONNX Runtime library: `$ORT_DYLIB_PATH`, or else a file in
/// `onnxruntime` in gristmill's cache folder.
#[must_use]
pub fn runtime_library() -> PathBuf {
    let name = format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    path_variable("ORT_DYLIB_PATH").unwrap_or_else(|| cache_folder().join("onnxruntime").join(name))
}

/// Loads the library if that was not done before.
///
/// Must be called before any other use of ONNX Runtime, which panics without the library.
pub(super) fn load_runtime(library: &Path) -> Result<(), OnnxError> {
    let bad = |reason: String| OnnxError::BadRuntime { path: library.to_owned(), reason };
    if !library.is_file() {
        return Err(OnnxError::NoRuntime { path: library.to_owned() });
    }
    let library = std::path::absolute(library).map_err(|error| bad(error.to_string()))?;
    ort::init_from(library).map(|_| ()).map_err(|error| bad(error.to_string()))?;
    // Tokenizes on the calling thread. A thread of a rayon pool that waited for others would take
    // up another batch meanwhile, and deadlock on the session that it already holds.
    tokenizers::utils::parallelism::set_parallelism(false);
    Ok(())
}
