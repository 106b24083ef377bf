//! What can be wrong with a model for ONNX Runtime.

use std::path::PathBuf;

/// A model that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// No model has that name.
    #[error("there is no model `{name}`{}; {known}", near.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The name that was probably meant.
        near: Option<String>,
        /// What there is.
        known: String,
    },
    /// The model is known but its files are not here.
    #[error("the model `{name}` is not on this machine; {how}")]
    Absent {
        /// The name.
        name: String,
        /// How to get it.
        how: String,
    },
    /// A file of the model is missing.
    #[error(
        "the model folder `{}` has no `{file}`; it needs model.onnx (or onnx/model.onnx), tokenizer.json and \
         tokenizer_config.json from one export",
        folder.display()
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
        /// What the system says.
        source: std::io::Error,
    },
    /// `model.json` describes no model.
    #[error("`{}`: {reason}; make the model again or delete the file, which is not needed", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file is not the one that `model.json` describes.
    #[error(
        "`{}` is not the file that model.json describes ({found}); get the model again, or, if the change is meant, \
         delete model.json",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What differs.
        found: String,
    },
    /// ONNX Runtime's library is nowhere.
    #[error(
        "ONNX Runtime is not on this machine: there is no `{}`; `./dev models` installs it, or set ORT_DYLIB_PATH to \
         the library (1.24 or newer)",
        looked.display()
    )]
    NoRuntime {
        /// Where it should be.
        looked: PathBuf,
    },
    /// ONNX Runtime's library cannot be loaded.
    #[error(
        "`{}` cannot be used as ONNX Runtime: {reason}; set ORT_DYLIB_PATH to the library, in version 1.24 or newer",
        path.display()
    )]
    BadRuntime {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The model cannot be loaded.
    #[error("the model `{model}` cannot be loaded: {reason}; take its files again, all from one export")]
    Load {
        /// The model.
        model: String,
        /// What the library says.
        reason: String,
    },
    /// Tokenizer and weights do not belong together.
    #[error(
        "the model `{model}` takes token ids below {rows}, but its tokenizer.json has {tokens} tokens; take both from \
         one export"
    )]
    Mismatch {
        /// The model.
        model: String,
        /// The model's vocabulary.
        rows: u64,
        /// The tokenizer's.
        tokens: usize,
    },
    /// The model gives other vectors than `model.json` says.
    #[error("the model `{model}` gives vectors of {found} components, but is described with {declared}")]
    Dimension {
        /// The model.
        model: String,
        /// The number described.
        declared: usize,
        /// The number found.
        found: usize,
    },
    /// The model failed on a text.
    #[error("the model `{model}` failed: {reason}; its tokenizer may belong to another model, or memory ran out")]
    Run {
        /// The model.
        model: String,
        /// What the library says.
        reason: String,
    },
    /// A limit that the model cannot keep.
    #[error("`max_tokens = {asked}` is out of range: `{model}` looks at 3 to {most} tokens")]
    MaxTokens {
        /// The model.
        model: String,
        /// The number asked for.
        asked: usize,
        /// The most it can look at.
        most: usize,
    },
    /// Static tables are run by another operator.
    #[error("`{model}` is a static table; use it with `operator = \"embed\"` and `model = \"{}\"`", folder.display())]
    Static {
        /// The model.
        model: String,
        /// Its folder.
        folder: PathBuf,
    },
}

impl OnnxError {
    /// The parameter that is to blame.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::MaxTokens { .. } => "max_tokens",
            _ => "model",
        }
    }
}
