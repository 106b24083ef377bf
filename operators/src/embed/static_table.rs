//! Static token tables in Model2Vec format.
//!
//! The vector of a text is a weighted sum of one table row per token. It costs about as much as
//! tokenising the text: no matrix product, no padding, no dependence on the batch.
//!
//! The table is the one built into the crate (`models/static-code`), or any folder in
//! [Model2Vec](https://github.com/MinishLab/model2vec) layout: `model.safetensors`,
//! `tokenizer.json`, `config.json`.

mod error;
mod model;
mod piece_table;
mod pooling;
mod scratch;
mod split;
mod table;
mod tokenizer;
mod tokenizer_file;
mod word_piece;

pub use error::StaticModelError;
pub use model::StaticModel;
pub use scratch::Scratch;
pub use split::split_identifiers;
pub use tokenizer::Tokenizer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::port::{Passage, Vector};
use gristmill_pipeline::{Batch, BatchSize, Embedder, Emitter, Fingerprint, Hash, Operator, OperatorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Configuration of [`StaticEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaticConfig {
    /// Path of a folder in Model2Vec layout. Defaults to the built-in table `static-code`.
    pub model: Option<PathBuf>,
    /// Number of components to keep: vectors are truncated, then normalised. Defaults to all.
    pub dimensions: Option<usize>,
    /// Maximum number of tokens per text; longer texts are truncated. Defaults to the model's own
    /// limit.
    pub max_tokens: Option<usize>,
    /// Maximum number of tokens per batch. Vectors do not depend on it.
    pub batch_tokens: u64,
}

impl Default for StaticConfig {
    fn default() -> Self {
        Self { model: None, dimensions: None, max_tokens: None, batch_tokens: 16_384 }
    }
}

impl OperatorConfig for StaticConfig {
    type Operator = StaticEmbed;

    const NAME: &'static str = "embed";

    fn build(&self, folder: &Path) -> Result<StaticEmbed, OperatorConfigError> {
        let model = self.model.as_ref().map(|model| folder.join(model));
        let config = Self { model, ..self.clone() };
        StaticEmbed::new(&config).map_err(|error| OperatorConfigError::of(error.parameter(), error))
    }
}

/// Whether a folder has the files of a model in Model2Vec layout.
pub(super) fn is_model_folder(folder: &Path) -> bool {
    ["model.safetensors", "tokenizer.json", "config.json"].iter().all(|file| folder.join(file).is_file())
}

/// Maximum number of passages per batch: enough to amortise the overhead of a batch.
const BATCH_ITEMS: usize = 64;

/// Embeds passages with a static token table.
///
/// Vectors are bit-identical for every batch, thread and mode.
#[derive(Debug)]
pub struct StaticEmbed {
    model: Arc<StaticModel>,
    dimension: usize,
    max_tokens: usize,
    batch_tokens: u64,
    fingerprint: Fingerprint,
}

impl StaticEmbed {
    /// Loads the model in `config`, or shares the built-in one.
    ///
    /// # Errors
    /// If the folder does not contain a valid model, or `dimensions` or `max_tokens` is out of
    /// range.
    pub fn new(config: &StaticConfig) -> Result<Self, StaticModelError> {
        let model = match &config.model {
            Some(folder) => Arc::new(StaticModel::load(folder)?),
            None => StaticModel::built_in()?,
        };
        let available = model.dimension();
        let dimension = config.dimensions.unwrap_or(available);
        if !(1..=available).contains(&dimension) {
            return Err(StaticModelError::Dimensions { model: model.name().into(), value: dimension, available });
        }
        let max_tokens = config.max_tokens.unwrap_or_else(|| model.max_tokens());
        if max_tokens == 0 {
            return Err(StaticModelError::MaxTokens);
        }
        let fingerprint = Hash::of_parts([
            b"embed".as_slice(),
            b"static 1",
            model.identity().as_bytes(),
            &(dimension as u64).to_le_bytes(),
            &(max_tokens as u64).to_le_bytes(),
        ]);
        Ok(Self { model, dimension, max_tokens, batch_tokens: config.batch_tokens.max(1), fingerprint })
    }

    /// Writes the vector of one text, such as a query, to `out`. No header is added.
    ///
    /// `out` should have [`Embedder::dimension`] components. A shorter `out` gets the truncated
    /// vector, normalised; in a longer one the remaining components are zero.
    pub fn embed_text(&self, text: &str, out: &mut [f32]) {
        self.embed_with(text, &mut Scratch::default(), out);
    }

    fn embed_with(&self, text: &str, scratch: &mut Scratch, out: &mut [f32]) {
        out.fill(0.0);
        let wanted = self.dimension.min(out.len());
        let (head, _) = out.split_at_mut(wanted);
        self.model.embed(text, self.max_tokens, scratch, head);
    }
}

impl Operator for StaticEmbed {
    type In = Arc<Passage>;
    type Out = Vector;

    fn name(&self) -> &str {
        "embed"
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize { items: BATCH_ITEMS, bytes: u64::MAX, tokens: self.batch_tokens }
    }

    fn process(&self, batch: Batch<Arc<Passage>>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        let mut scratch = Scratch::default();
        let mut text = String::new();
        for passage in batch {
            text.clear();
            passage.write_to(&mut text);
            let mut values = vec![0.0; self.dimension].into_boxed_slice();
            self.embed_with(&text, &mut scratch, &mut values);
            out.emit(Vector { key: passage.key, values });
        }
        Ok(())
    }
}

impl Embedder for StaticEmbed {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        let mut values = vec![0.0; self.dimension];
        self.embed_text(text, &mut values);
        Some(Ok(values))
    }
}
