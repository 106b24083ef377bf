//! ONNX Runtime's library, which is loaded when the first model is.

use std::path::{Path, PathBuf};

use super::super::models::{cache_folder, set};
use super::error::OnnxError;

/// Where the library is: `$ORT_DYLIB_PATH`, or `onnxruntime` in gristmill's cache folder.
#[must_use]
pub fn runtime_library() -> PathBuf {
    let name = format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    set("ORT_DYLIB_PATH").unwrap_or_else(|| cache_folder().join("onnxruntime").join(name))
}

/// Loads the library, if that was not done before.
///
/// Done before anything else: what uses the library takes it for granted and panics.
pub(super) fn load_runtime(library: &Path) -> Result<(), OnnxError> {
    let bad = |reason: String| OnnxError::BadRuntime { path: library.to_owned(), reason };
    if !library.is_file() {
        return Err(OnnxError::NoRuntime { looked: library.to_owned() });
    }
    let library = std::path::absolute(library).map_err(|error| bad(error.to_string()))?;
    ort::init_from(library).map(|_| ()).map_err(|error| bad(error.to_string()))?;
    // Texts are tokenized on the thread that embeds them. A thread of a pool that waited
    // here for others would take up another batch, and wait for the session that it holds.
    tokenizers::utils::parallelism::set_parallelism(false);
    Ok(())
}
