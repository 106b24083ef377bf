//! What can be wrong with a model.

use std::path::PathBuf;

/// A static model that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StaticModelError {
    /// A file of the model cannot be read.
    #[error(
        "cannot read `{}`: {source}; a Model2Vec folder holds model.safetensors, tokenizer.json and config.json",
        path.display()
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// `config.json` is no model configuration.
    #[error("`{model}`: config.json: {source}; correct it or take the file from the model's source again")]
    Config {
        /// The model.
        model: Box<str>,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// `tokenizer.json` describes no tokenizer.
    #[error("`{model}`: tokenizer.json: {reason}; take the file from the model's source again")]
    Tokenizer {
        /// The model.
        model: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// `model.safetensors` is damaged or has no table of a known form.
    #[error("`{model}`: model.safetensors: {reason}; take the file from the model's source again")]
    Table {
        /// The model.
        model: Box<str>,
        /// What is wrong.
        reason: Box<str>,
    },
    /// Table and tokenizer do not belong together.
    #[error(
        "`{model}`: tokenizer.json has {tokens} tokens with ids up to {highest}, but `{tensor}` in \
         model.safetensors has {rows} rows; take both files from the same model"
    )]
    Mismatch {
        /// The model.
        model: Box<str>,
        /// Tokens of the tokenizer.
        tokens: usize,
        /// The highest token id.
        highest: u32,
        /// The tensor that is indexed by token id.
        tensor: &'static str,
        /// Its rows.
        rows: usize,
    },
    /// More components were asked for than the table has.
    #[error("`dimensions = {asked}` is out of range: the vectors of `{model}` have 1 to {available} components")]
    Dimensions {
        /// The model.
        model: Box<str>,
        /// The number asked for.
        asked: usize,
        /// The number that the table has.
        available: usize,
    },
    /// A limit of no tokens.
    #[error("`max_tokens = 0` leaves nothing to embed; give at least 1, or leave it out for the model's own limit")]
    NoTokens,
}
