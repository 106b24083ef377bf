//! A static token table in Model2Vec form.
//!
//! A text's vector is a weighted sum of one row per token, so it costs no more than
//! tokenising: no matrix product, no padding, no dependence on the batch.
//!
//! The table comes with the crate (`models/static-code`), or is any folder in
//! [Model2Vec](https://github.com/MinishLab/model2vec) layout: `model.safetensors`,
//! `tokenizer.json`, `config.json`.

mod error;
mod model;
mod piece_table;
mod pooling;
mod split;
mod table;
mod tokenizer;
mod tokenizer_file;
mod word_piece;

pub use error::StaticModelError;
pub use model::StaticModel;
pub use split::split_identifiers;
pub use tokenizer::{Scratch, Tokenizer};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_pipeline::port::{Passage, Vector};
use gristmill_pipeline::{Batch, BatchSize, Embedder, Emitter, Fingerprint, Hash, Operator, OperatorError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configures [`StaticEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaticConfig {
    /// A folder in Model2Vec layout; the built-in `static-code` table if absent.
    pub model: Option<PathBuf>,
    /// Keep only the first this many components and normalise those; all if absent.
    pub dimensions: Option<usize>,
    /// Look at no more than this many tokens of a text; the model's own limit if absent.
    pub max_tokens: Option<usize>,
    /// The most tokens in a batch. Vectors do not depend on it.
    pub batch_tokens: u64,
}

impl Default for StaticConfig {
    fn default() -> Self {
        Self { model: None, dimensions: None, max_tokens: None, batch_tokens: 16_384 }
    }
}

/// Whether a folder has the files of a model in Model2Vec layout.
pub(super) fn is_model_folder(folder: &Path) -> bool {
    ["model.safetensors", "tokenizer.json", "config.json"].iter().all(|file| folder.join(file).is_file())
}

/// The most passages in a batch: enough to make the cost of a batch vanish.
const BATCH_ITEMS: usize = 64;

/// Embeds passages with a static token table.
///
/// Vectors are equal to the bit whatever the batch, the thread and the mode.
#[derive(Debug)]
pub struct StaticEmbed {
    model: Arc<StaticModel>,
    dimension: usize,
    max_tokens: usize,
    batch_tokens: u64,
    fingerprint: Fingerprint,
}

impl StaticEmbed {
    /// Loads the model that `config` names, or shares the built-in one.
    ///
    /// # Errors
    /// If the folder holds no model that can be read, or `dimensions` or `max_tokens` is
    /// out of range.
    pub fn new(config: &StaticConfig) -> Result<Self, StaticModelError> {
        let model = match &config.model {
            Some(folder) => Arc::new(StaticModel::load(folder)?),
            None => StaticModel::built_in()?,
        };
        let available = model.dimension();
        let dimension = config.dimensions.unwrap_or(available);
        if !(1..=available).contains(&dimension) {
            return Err(StaticModelError::Dimensions { model: model.name().into(), asked: dimension, available });
        }
        let max_tokens = config.max_tokens.unwrap_or_else(|| model.max_tokens());
        if max_tokens == 0 {
            return Err(StaticModelError::NoTokens);
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

    /// Embeds one text, such as a query, as it stands: no header is added.
    ///
    /// `out` is meant to have [`Embedder::dimension`] components. Of a shorter one only
    /// those are computed and normalised; what a longer one has more is zero.
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
