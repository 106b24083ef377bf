//! Models in ONNX form, by way of fastembed and ONNX Runtime.
//!
//! A model is loaded when the first text is embedded. Until then its folder says what it
//! is; a folder without `model.json` is read and tried once, when the job is built.

mod error;
pub(super) mod files;
pub(super) mod named;
mod runtime;
mod sessions;

pub use error::OnnxError;
pub use runtime::runtime_library;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;

use fastembed::{
    InitOptionsUserDefined, OutputKey, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};
use gristmill_pipeline::{Fingerprint, Hash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::files::ModelFiles;
use self::runtime::load_runtime;
use self::sessions::Sessions;
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};
use super::models::{PoolingRule, Quantization};
use super::operator::{Embed, EmbedSettings};

/// Configures [`FastEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnnxConfig {
    /// A folder among the local models, such as `minilm`; a name that fastembed knows,
    /// such as `BGESmallENV15`; or the path of a folder.
    pub model: String,
    /// Look at no more than this many tokens of a text; the model's own limit if absent.
    pub max_tokens: Option<usize>,
    /// Threads that compute one batch; 1 if absent.
    pub threads: Option<NonZeroUsize>,
    /// Batches computed at once, each with a copy of the model in memory; as many as the
    /// cores allow, but no more than 4, if absent.
    pub sessions: Option<NonZeroUsize>,
    /// Tokens computed at once, padding included; what suits the device if absent.
    pub batch_tokens: Option<NonZeroUsize>,
    /// What computes.
    pub device: Device,
    /// Stands before each query; what the model's makers say if absent.
    pub query_prefix: Option<String>,
    /// Stands before each passage; what the model's makers say if absent.
    pub passage_prefix: Option<String>,
    /// How the vectors of tokens become one; what the model says if absent.
    pub pooling: Option<PoolingRule>,
    /// Divide each vector by its norm.
    pub normalize: bool,
}

impl Default for OnnxConfig {
    fn default() -> Self {
        Self {
            model: "minilm".into(),
            max_tokens: None,
            threads: None,
            sessions: None,
            batch_tokens: None,
            device: Device::Cpu,
            query_prefix: None,
            passage_prefix: None,
            pooling: None,
            normalize: true,
        }
    }
}

/// What computes a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card; needs ONNX Runtime's library for it.
    Cuda,
}

/// Sessions made where nothing is said: each holds the weights.
const MOST_SESSIONS: usize = 4;

/// Tokens computed at once on a processor: more fill its caches and gain nothing.
const CPU_BATCH_TOKENS: usize = 256;

/// Tokens computed at once on a card, which needs many to be busy.
const CUDA_BATCH_TOKENS: usize = 16_384;

/// Texts computed at once at most. A task of the operator has four times as many, and is one
/// session's: the fewer they are, the shorter the others wait at the end of a run, and the
/// fewer chunks it takes to give each session some.
const CPU_BATCH_TEXTS: usize = 16;
const CUDA_BATCH_TEXTS: usize = 256;

/// How far vectors of the same text may lie apart, whatever the batch and the device.
const TOLERANCE: f32 = 1e-4;

/// Which output to take: the only one, or the first of these that there is.
const OUTPUTS: &[OutputKey] = &[
    OutputKey::OnlyOne,
    OutputKey::ByName("text_embeds"),
    OutputKey::ByName("sentence_embedding"),
    OutputKey::ByName("last_hidden_state"),
    OutputKey::ByName("token_embeddings"),
];

/// Embeds passages with a model in ONNX form.
pub type FastEmbed = Embed<OnnxModel>;

impl FastEmbed {
    /// Finds the model that `config` names; a path is relative to `base`.
    ///
    /// # Errors
    /// If there is no such model, its files do not fit together, or a parameter is out of
    /// range.
    pub fn open(config: &OnnxConfig, base: &Path) -> Result<Self, OnnxError> {
        let files = ModelFiles::find(&config.model, base)?;
        let settings = EmbedSettings {
            passage_prefix: config.passage_prefix.clone().unwrap_or_else(|| files.passage_prefix.clone()),
            query_prefix: config.query_prefix.clone().unwrap_or_else(|| files.query_prefix.clone()),
            normalize: config.normalize,
        };
        Ok(Self::new(OnnxModel::new(files, config)?, settings))
    }
}

/// A model in ONNX form, loaded when it is first needed.
pub struct OnnxModel {
    files: ModelFiles,
    pooling: PoolingRule,
    dimension: usize,
    max_tokens: usize,
    threads: usize,
    batch_tokens: usize,
    device: Device,
    identity: Fingerprint,
    tokenizer: OnceLock<tokenizers::Tokenizer>,
    sessions: Sessions<TextEmbedding>,
    /// Queries have a session of their own, so that they never wait for passages.
    for_queries: Sessions<TextEmbedding>,
}

impl OnnxModel {
    fn new(files: ModelFiles, config: &OnnxConfig) -> Result<Self, OnnxError> {
        let (most, usual) = files.token_limits();
        let max_tokens = config.max_tokens.unwrap_or(usual);
        // Two tokens stand at the ends of every text.
        if !(3..=most).contains(&max_tokens) {
            return Err(OnnxError::MaxTokens { model: files.name, asked: max_tokens, most });
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = config.threads.map_or(1, NonZeroUsize::get);
        let sessions = match (config.sessions, config.device) {
            (Some(sessions), _) => sessions.get(),
            (None, Device::Cpu) => (cores / threads).clamp(1, MOST_SESSIONS),
            (None, Device::Cuda) => 1,
        };
        let usual_batch = match config.device {
            Device::Cpu => CPU_BATCH_TOKENS,
            Device::Cuda => CUDA_BATCH_TOKENS,
        };
        let pooling = config.pooling.unwrap_or(files.pooling);
        let identity =
            Hash::of_parts([files.identity(pooling).as_bytes().as_slice(), &(max_tokens as u64).to_le_bytes()]);
        let declared = files.dimension;
        let mut model = Self {
            files,
            pooling,
            dimension: declared.unwrap_or_default(),
            max_tokens,
            threads,
            batch_tokens: config.batch_tokens.map_or(usual_batch, NonZeroUsize::get),
            device: config.device,
            identity,
            tokenizer: OnceLock::new(),
            sessions: Sessions::new(sessions),
            for_queries: Sessions::new(1),
        };
        if declared.is_none() {
            model.dimension = model.try_out()?;
        }
        Ok(model)
    }

    /// Loads the model and looks at what it gives.
    fn try_out(&self) -> Result<usize, OnnxError> {
        self.sessions.with(|| self.session(self.threads), |session| self.trial(session))
    }

    fn trial(&self, session: &mut TextEmbedding) -> Result<usize, OnnxError> {
        Ok(self.run(session, &["a"])?.first().map_or(0, Vec::len))
    }

    /// Makes a session, and sees that it does what is known of it.
    fn session(&self, threads: usize) -> Result<TextEmbedding, OnnxError> {
        load_runtime(&runtime_library())?;
        let failed =
            |error: fastembed::Error| OnnxError::Load { model: self.files.name.clone(), reason: error.to_string() };
        let file = |name: &str| self.files.read(name);
        let tokenizer_files = TokenizerFiles {
            tokenizer_file: file("tokenizer.json")?,
            config_file: file("config.json")?,
            special_tokens_map_file: file("special_tokens_map.json")?,
            tokenizer_config_file: file("tokenizer_config.json")?,
        };
        self.check_vocabulary(&tokenizer_files)?;
        let quantization = match self.files.quantization {
            Quantization::None => QuantizationMode::None,
            Quantization::Static => QuantizationMode::Static,
            Quantization::Dynamic => QuantizationMode::Dynamic,
        };
        let mut weights = self.files.weights.iter();
        let onnx = weights.next().map_or_else(|| Ok(Vec::new()), |name| file(name))?;
        let mut model = UserDefinedEmbeddingModel::new(onnx, tokenizer_files).with_quantization(quantization);
        for name in weights {
            let file_name = name.rsplit('/').next().unwrap_or(name).to_owned();
            model = model.with_external_initializer(file_name, file(name)?);
        }
        let mut options = InitOptionsUserDefined::new().with_max_length(self.max_tokens).with_intra_threads(threads);
        if self.device == Device::Cuda {
            // Without the short form of floats, in which vectors differ from a processor's.
            let card = ort::ep::CUDA::default().with_tf32(false).build().error_on_failure();
            options = options.with_execution_providers(vec![card]);
        }
        let mut session = TextEmbedding::try_new_from_user_defined(model, options).map_err(failed)?;
        let found = self.trial(&mut session)?;
        match self.files.dimension {
            Some(declared) if declared != found => {
                Err(OnnxError::Dimension { model: self.files.name.clone(), declared, found })
            }
            _ => Ok(session),
        }
    }

    /// Refuses a tokenizer with ids that the weights have no row for.
    fn check_vocabulary(&self, files: &TokenizerFiles) -> Result<(), OnnxError> {
        let tokens = self.tokenizer_of(&files.tokenizer_file)?.get_vocab_size(true);
        let config: Option<Value> = serde_json::from_slice(&files.config_file).ok();
        match config.and_then(|config| config.get("vocab_size")?.as_u64()) {
            Some(rows) if tokens as u64 > rows => {
                Err(OnnxError::Mismatch { model: self.files.name.clone(), rows, tokens })
            }
            _ => Ok(()),
        }
    }

    /// The tokenizer that counts: without padding, and without a limit.
    fn tokenizer(&self) -> Result<&tokenizers::Tokenizer, OnnxError> {
        match self.tokenizer.get() {
            Some(tokenizer) => Ok(tokenizer),
            None => self.tokenizer_of(&self.files.read("tokenizer.json")?),
        }
    }

    fn tokenizer_of(&self, json: &[u8]) -> Result<&tokenizers::Tokenizer, OnnxError> {
        if let Some(tokenizer) = self.tokenizer.get() {
            return Ok(tokenizer);
        }
        let failed = |error: tokenizers::Error| {
            let reason = format!("tokenizer.json: {error}");
            OnnxError::Load { model: self.files.name.clone(), reason }
        };
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(failed)?;
        tokenizer.with_truncation(None).map_err(failed)?;
        tokenizer.with_padding(None);
        Ok(self.tokenizer.get_or_init(|| tokenizer))
    }

    fn run(&self, session: &mut TextEmbedding, texts: &[&str]) -> Result<Vec<Vec<f32>>, OnnxError> {
        let computed = session.transform(texts, Some(texts.len())).and_then(|output| {
            let mut vectors = Vec::with_capacity(texts.len());
            for batch in output.into_raw() {
                let pooling = pooling(self.pooling);
                let rows = match &self.files.output {
                    Some(output) => batch.select_and_pool_output(&output, Some(pooling))?,
                    None => batch.select_and_pool_output(&OUTPUTS, Some(pooling))?,
                };
                vectors.extend(rows.rows().into_iter().map(|row| row.to_vec()));
            }
            Ok(vectors)
        });
        computed.map_err(|error| OnnxError::Run { model: self.files.name.clone(), reason: error.to_string() })
    }
}

fn pooling(rule: PoolingRule) -> Pooling {
    match rule {
        PoolingRule::Mean => Pooling::Mean,
        PoolingRule::Cls => Pooling::Cls,
    }
}

fn broken(error: OnnxError) -> EmbeddingModelError {
    EmbeddingModelError::Failed(error.to_string())
}

impl EmbeddingModel for OnnxModel {
    fn kind(&self) -> &'static str {
        "fastembed"
    }

    fn identity(&self) -> Fingerprint {
        self.identity
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    fn exactness(&self) -> Exactness {
        match self.files.quantization {
            Quantization::None | Quantization::Static => Exactness::Within(TOLERANCE),
            Quantization::Dynamic => Exactness::Batch,
        }
    }

    fn batch_limits(&self) -> BatchLimits {
        let texts = match self.device {
            Device::Cpu => CPU_BATCH_TEXTS,
            Device::Cuda => CUDA_BATCH_TEXTS,
        };
        BatchLimits { texts, tokens: self.batch_tokens, pads: true, concurrency: 1 }
    }

    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError> {
        let tokenizer = self.tokenizer().map_err(broken)?;
        let encoding = tokenizer.encode_fast(text, false);
        encoding.map(|encoding| encoding.len()).map_err(|error| EmbeddingModelError::Failed(error.to_string()))
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError> {
        self.sessions.with(|| self.session(self.threads), |session| self.run(session, texts)).map_err(broken)
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError> {
        // One text is all there is to compute, so it may have every core.
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let vectors =
            self.for_queries.with(|| self.session(cores), |session| self.run(session, &[text])).map_err(broken)?;
        vectors.into_iter().next().ok_or_else(|| EmbeddingModelError::Failed("the model gave no vector".into()))
    }
}

impl std::fmt::Debug for OnnxModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxModel")
            .field("files", &self.files)
            .field("dimension", &self.dimension)
            .finish_non_exhaustive()
    }
}
