//! Errors of ONNX models.

use std::path::PathBuf;

/// An ONNX model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// There is no model of that name.
    #[error("unknown model `{name}`{}; {known}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The known name nearest to it.
        near: Option<String>,
        /// Where to find the names of the known models.
        known: String,
    },
    /// The model is known, but its files are not on this machine.
    #[error("the model `{name}` is not installed; {how}")]
    NotInstalled {
        /// The name.
        name: String,
        /// How to install it.
        how: String,
    },
    /// A file of the model is missing.
    #[error(
        "`{}` is missing; a model folder contains model.onnx (or onnx/model.onnx), tokenizer.json and \
         tokenizer_config.json from one export",
        folder.join(file).display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file.
        file: String,
    },
    /// A file of the model cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// `model.json` is invalid.
    #[error("`{}`: {reason}; install the model again, or delete the file: it is optional", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file differs from its entry in `model.json`.
    #[error(
        "`{}` does not match its entry in model.json: {mismatch}; install the model again, or delete model.json if \
         the change is intended",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What differs.
        mismatch: String,
    },
    /// The ONNX Runtime library is missing.
    #[error(
        "ONNX Runtime is not installed: `{}` is missing; install it with `./dev models`, or set ORT_DYLIB_PATH to \
         the path of the library (version 1.24 or newer)",
        path.display()
    )]
    NoRuntime {
        /// The expected path.
        path: PathBuf,
    },
    /// The ONNX Runtime library cannot be loaded.
    #[error(
        "cannot load ONNX Runtime from `{}`: {reason}; set ORT_DYLIB_PATH to the path of the library (version 1.24 \
         or newer)",
        path.display()
    )]
    BadRuntime {
        /// The library.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The model cannot be loaded.
    #[error("cannot load the model `{model}`: {reason}; install its files again, all from one export")]
    Load {
        /// The model.
        model: String,
        /// The cause.
        reason: String,
    },
    /// Tokenizer and weights do not match.
    #[error(
        "the model `{model}` has {rows} token embeddings, but its tokenizer.json has {tokens} tokens; install both \
         files from one export"
    )]
    Mismatch {
        /// The model.
        model: String,
        /// Size of the model's vocabulary.
        rows: u64,
        /// Size of the tokenizer's vocabulary.
        tokens: usize,
    },
    /// The dimension in `model.json` is wrong.
    #[error("the model `{model}` returns vectors of {found} components, but model.json declares {declared}")]
    Dimension {
        /// The model.
        model: String,
        /// The dimension in `model.json`.
        declared: usize,
        /// The dimension of its vectors.
        found: usize,
    },
    /// The model failed on a batch.
    #[error(
        "the model `{model}` failed: {reason}; check that tokenizer.json belongs to the model and that memory suffices"
    )]
    Run {
        /// The model.
        model: String,
        /// The cause.
        reason: String,
    },
    /// `max_tokens` is out of range.
    #[error("`max_tokens` must be {range} for the model `{model}`, got {value}")]
    MaxTokens {
        /// The model.
        model: String,
        /// The value of `max_tokens`.
        value: usize,
        /// The range that is allowed, such as `between 3 and 512`.
        range: String,
    },
    /// The model is a static token table, which another operator runs.
    #[error(
        "the model `{model}` is a static token table; set `operator = \"embed\"` and `model = \"{}\"`",
        folder.display()
    )]
    Static {
        /// The model.
        model: String,
        /// Its folder.
        folder: PathBuf,
    },
}

impl OnnxError {
    /// Returns the parameter that caused the error.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::MaxTokens { .. } => "max_tokens",
            _ => "model",
        }
    }
}
