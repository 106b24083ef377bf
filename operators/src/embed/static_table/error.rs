//! Errors of static models.

use std::path::PathBuf;

/// A static model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StaticModelError {
    /// A file of the model cannot be read.
    #[error(
        "cannot read `{}`: {source}; a Model2Vec folder contains model.safetensors, tokenizer.json and config.json",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// `config.json` is invalid.
    #[error("`{model}`: config.json: {source}; correct the file or install the model again")]
    Config {
        /// The model.
        model: Box<str>,
        /// The cause.
        source: serde_json::Error,
    },
    /// `tokenizer.json` is invalid.
    #[error("`{model}`: tokenizer.json: {reason}; install the model again")]
    Tokenizer {
        /// The model.
        model: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// `model.safetensors` is damaged or has an unsupported format.
    #[error("`{model}`: model.safetensors: {reason}; install the model again")]
    Table {
        /// The model.
        model: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// Table and tokenizer do not match.
    #[error(
        "`{model}`: tokenizer.json has {tokens} tokens with ids up to {highest}, but `{tensor}` in \
         model.safetensors has {rows} rows; install both files from the same model"
    )]
    Mismatch {
        /// The model.
        model: Box<str>,
        /// Number of tokens of the tokenizer.
        tokens: usize,
        /// The highest token id.
        highest: u32,
        /// The tensor that token ids index.
        tensor: &'static str,
        /// Its number of rows.
        rows: usize,
    },
    /// `dimensions` is out of range.
    #[error("`dimensions` must be between 1 and {available} for the model `{model}`, got {value}")]
    Dimensions {
        /// The model.
        model: Box<str>,
        /// The value of `dimensions`.
        value: usize,
        /// Number of components of the table.
        available: usize,
    },
    /// `max_tokens` is 0.
    #[error("`max_tokens` must be at least 1, got 0; remove it to use the model's own limit")]
    MaxTokens,
}

impl StaticModelError {
    /// Returns the parameter that caused the error.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::Dimensions { .. } => "dimensions",
            Self::MaxTokens => "max_tokens",
            _ => "model",
        }
    }
}
