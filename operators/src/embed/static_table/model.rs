//! A static model: tokenizer, table and pooling.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use gristmill_pipeline::Hash;
use serde::Deserialize;

use super::error::StaticModelError;
use super::pooling::{Pooling, pool};
use super::scratch::Scratch;
use super::table::{Loaded, Table};
use super::tokenizer::Tokenizer;

/// Tensors that tokens index, with their lengths.
type Indexed = Vec<(&'static str, usize)>;

/// Model2Vec's own limit of tokens per text.
const MODEL2VEC_MAX_TOKENS: usize = 512;

const BUILT_IN_NAME: &str = "static-code (built in)";
const BUILT_IN_CONFIG: &[u8] = include_bytes!("../../../models/static-code/config.json");
const BUILT_IN_TOKENIZER: &[u8] = include_bytes!("../../../models/static-code/tokenizer.json");
const BUILT_IN_TABLE: &[u8] = include_bytes!("../../../models/static-code/model.safetensors");
/// The hash of the three files, in hexadecimal digits; a test computes it. To hash them at every start would
/// take longer than a run that has nothing to do.
const BUILT_IN_IDENTITY: &str = "dcdb912e06754cf166a6d3ef41bcf219ac3bb917cd4c624d3b70f7a69d844e96";

/// A model in Model2Vec layout.
///
/// `config.json` decides how it embeds. With a `gristmill` key: splits identifiers if
/// `split_identifiers` is true, takes the first `max_tokens` tokens, drops unknown ones, weights
/// the others by `term_frequency`, and normalises. Without it: drops unknown tokens, takes the
/// first 512, averages them, and normalises if `normalize` is true.
#[derive(Debug)]
pub struct StaticModel {
    name: Box<str>,
    /// That of the built-in model is made on first use: most commands only need the identity.
    tokenizer: OnceLock<Tokenizer>,
    splits_identifiers: bool,
    table: Table,
    pooling: Pooling,
    max_tokens: usize,
    /// Whether unknown tokens count towards the limit.
    limit_counts_unknown: bool,
    identity: Hash,
}

#[derive(Deserialize)]
struct ModelConfig {
    #[serde(default)]
    normalize: Option<bool>,
    #[serde(default)]
    gristmill: Option<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    split_identifiers: bool,
    #[serde(default)]
    term_frequency: TermFrequency,
    max_tokens: Option<usize>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TermFrequency {
    #[default]
    Count,
    Log,
}

impl StaticModel {
    /// Returns the built-in model, which is loaded by the first call and then shared.
    ///
    /// # Errors
    /// Only if the crate was built with damaged model files.
    pub fn built_in() -> Result<Arc<Self>, StaticModelError> {
        static MODEL: OnceLock<Arc<StaticModel>> = OnceLock::new();
        if let Some(model) = MODEL.get() {
            return Ok(Arc::clone(model));
        }
        let identity = BUILT_IN_IDENTITY.parse();
        let identity = identity.unwrap_or_else(|_| identity_of(BUILT_IN_CONFIG, BUILT_IN_TOKENIZER, BUILT_IN_TABLE));
        let (model, _) =
            Self::without_tokenizer(BUILT_IN_NAME, BUILT_IN_CONFIG, Cow::Borrowed(BUILT_IN_TABLE), identity)?;
        Ok(Arc::clone(MODEL.get_or_init(|| Arc::new(model))))
    }

    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` from `folder`.
    ///
    /// # Errors
    /// If a file is missing or invalid, or tokenizer and table do not match.
    pub fn load(folder: &Path) -> Result<Self, StaticModelError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| StaticModelError::Read { path, source })
        };
        let (config, tokenizer) = (read("config.json")?, read("tokenizer.json")?);
        let table = read("model.safetensors")?;
        Self::from_files(&folder.to_string_lossy(), &config, &tokenizer, Cow::Owned(table))
    }

    fn from_files(
        name: &str,
        config_json: &[u8],
        tokenizer_json: &[u8],
        table_file: Cow<'static, [u8]>,
    ) -> Result<Self, StaticModelError> {
        let identity = identity_of(config_json, tokenizer_json, &table_file);
        let (model, indexed) = Self::without_tokenizer(name, config_json, table_file, identity)?;
        let name = || Box::<str>::from(name);
        let tokenizer = Tokenizer::from_json(tokenizer_json, model.splits_identifiers)
            .map_err(|reason| StaticModelError::Tokenizer { model: name(), reason })?;
        for (tensor, rows) in indexed {
            let (tokens, highest) = (tokenizer.tokens(), tokenizer.highest());
            if tokens != rows || highest as usize >= rows {
                return Err(StaticModelError::Mismatch { model: name(), tokens, highest, tensor, rows });
            }
        }
        Ok(Self { tokenizer: tokenizer.into(), ..model })
    }

    /// A model whose tokenizer is still to be made, with the lengths of the tensors that tokens index.
    fn without_tokenizer(
        name: &str,
        config_json: &[u8],
        table_file: Cow<'static, [u8]>,
        identity: Hash,
    ) -> Result<(Self, Indexed), StaticModelError> {
        let model = || Box::<str>::from(name);
        let config: ModelConfig = serde_json::from_slice(config_json)
            .map_err(|source| StaticModelError::Config { model: model(), source })?;
        let splits_identifiers = config.gristmill.as_ref().is_some_and(|rule| rule.split_identifiers);
        let Loaded { table, indexed } =
            Table::read(table_file).map_err(|reason| StaticModelError::Table { model: model(), reason })?;
        let (pooling, max_tokens) = match &config.gristmill {
            Some(rule) => {
                let log_counts = rule.term_frequency == TermFrequency::Log;
                (Pooling { log_counts, normalise: true }, rule.max_tokens.unwrap_or(usize::MAX))
            }
            None => {
                let normalise = config.normalize.unwrap_or_default();
                (Pooling { log_counts: false, normalise }, MODEL2VEC_MAX_TOKENS)
            }
        };
        let limit_counts_unknown = config.gristmill.is_some();
        let (name, tokenizer) = (model(), OnceLock::new());
        let model =
            Self { name, tokenizer, splits_identifiers, table, pooling, max_tokens, limit_counts_unknown, identity };
        Ok((model, indexed))
    }

    /// Returns the model's name in error messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of components of a table row.
    #[must_use]
    pub const fn dimension(&self) -> usize {
        self.table.dimension()
    }

    /// Returns the model's own limit of tokens per text.
    #[must_use]
    pub const fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Returns the hash of the three files.
    #[must_use]
    pub const fn identity(&self) -> &Hash {
        &self.identity
    }

    /// Returns the tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        self.tokenizer.get_or_init(|| {
            // Only the built-in model has none yet, and a test makes its tokenizer.
            let built_in = Tokenizer::from_json(BUILT_IN_TOKENIZER, self.splits_identifiers);
            built_in.unwrap_or_else(|reason| unreachable!("the built-in tokenizer is valid: {reason}"))
        })
    }

    /// Writes the vector of `text` to `out`, which must be zero and no longer than a row.
    pub(super) fn embed(&self, text: &str, max_tokens: usize, scratch: &mut Scratch, out: &mut [f32]) {
        let limit = if self.limit_counts_unknown { max_tokens } else { usize::MAX };
        let tokenizer = self.tokenizer();
        tokenizer.encode(text, limit, scratch);
        if let Some(unknown) = tokenizer.unknown() {
            scratch.ids.retain(|&id| id != unknown);
        }
        scratch.ids.truncate(max_tokens);
        pool(&self.table, self.pooling, &mut scratch.ids, out);
    }
}

fn identity_of(config_json: &[u8], tokenizer_json: &[u8], table_file: &[u8]) -> Hash {
    let hashes = [config_json, tokenizer_json, table_file].map(Hash::of);
    Hash::of_parts(hashes.iter().map(|hash| hash.as_bytes().as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_model_is_what_its_constants_say() {
        let identity = identity_of(BUILT_IN_CONFIG, BUILT_IN_TOKENIZER, BUILT_IN_TABLE);
        assert_eq!(identity.to_string(), BUILT_IN_IDENTITY);
        // As a folder of a user would be: with every check.
        let checked =
            StaticModel::from_files("test", BUILT_IN_CONFIG, BUILT_IN_TOKENIZER, Cow::Borrowed(BUILT_IN_TABLE));
        let (checked, built_in) = (checked.expect("valid"), StaticModel::built_in().expect("valid"));
        assert_eq!(checked.identity(), built_in.identity());
        assert_eq!(checked.tokenizer().tokens(), built_in.tokenizer().tokens());
    }
}
