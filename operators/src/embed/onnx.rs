//! ONNX models, run through fastembed and ONNX Runtime.
//!
//! A model is loaded when the first text is embedded; until then its `model.json` describes it.
//! A model without `model.json` is loaded when the job is built, to find its dimension.

mod error;
pub(super) mod files;
pub(super) mod known;
mod runtime;
mod session_pool;

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
use self::session_pool::SessionPool;
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};
use super::models::{PoolingRule, Quantization};
use super::operator::{Embed, EmbedSettings};
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Configuration of [`FastEmbed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnnxConfig {
    /// The model: the name of a local model, such as `minilm`; a name that fastembed knows, such
    /// as `BGESmallENV15`; or the path of a model folder.
    pub model: String,
    /// Maximum number of tokens per text; longer texts are truncated. Defaults to the model's own
    /// limit.
    pub max_tokens: Option<usize>,
    /// Number of threads per session. Defaults to 1.
    pub threads: Option<NonZeroUsize>,
    /// Number of sessions, each of which computes one batch at a time and holds a copy of the
    /// model in memory. Defaults to the number of cores divided by `threads`, at most 4; on
    /// `cuda` to 1.
    pub sessions: Option<NonZeroUsize>,
    /// Maximum number of tokens per batch, padding included. Defaults to 256 on `cpu` and 16,384
    /// on `cuda`.
    pub batch_tokens: Option<NonZeroUsize>,
    /// The device that runs the model.
    pub device: Device,
    /// Text that is prepended to each query. Defaults to what the model was trained with.
    pub query_prefix: Option<String>,
    /// Text that is prepended to each passage. Defaults to what the model was trained with.
    pub passage_prefix: Option<String>,
    /// How token vectors are pooled into one vector. Defaults to the model's own pooling.
    pub pooling: Option<PoolingRule>,
    /// Whether to normalise vectors to unit length.
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

impl OperatorConfig for OnnxConfig {
    type Operator = FastEmbed;

    const NAME: &'static str = "fastembed";

    fn build(&self, folder: &Path) -> Result<FastEmbed, OperatorConfigError> {
        FastEmbed::open(self, folder).map_err(|error| OperatorConfigError::of(error.parameter(), error))
    }
}

/// The device that runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// An NVIDIA GPU. Requires a build of ONNX Runtime with CUDA.
    Cuda,
}

/// Maximum default number of sessions: each holds a copy of the weights.
const MAX_DEFAULT_SESSIONS: usize = 4;

/// Default tokens per batch on a CPU: larger batches exceed its caches and gain nothing.
const CPU_BATCH_TOKENS: usize = 256;

/// Default tokens per batch on a GPU, which only large batches keep busy.
const CUDA_BATCH_TOKENS: usize = 16_384;

/// Maximum texts per batch on a CPU. A batch of the operator has four times as many and is one
/// session's work: small batches spread few chunks over all sessions, and shorten the wait for
/// the last session of a run.
const CPU_BATCH_TEXTS: usize = 16;

/// Maximum texts per batch on a GPU.
const CUDA_BATCH_TEXTS: usize = 256;

/// The minimum of `max_tokens`: the model adds a special token at each end of a text.
const MIN_MAX_TOKENS: usize = 3;

/// Maximum difference between components of two vectors of the same text, over all batches and
/// devices.
const TOLERANCE: f32 = 1e-4;

/// The output of the model: its only one, or else the first of these names that it has.
const OUTPUTS: &[OutputKey] = &[
    OutputKey::OnlyOne,
    OutputKey::ByName("text_embeds"),
    OutputKey::ByName("sentence_embedding"),
    OutputKey::ByName("last_hidden_state"),
    OutputKey::ByName("token_embeddings"),
];

/// Embeds passages with an ONNX model.
pub type FastEmbed = Embed<OnnxModel>;

impl FastEmbed {
    /// Returns an operator for the model in `config`; a relative path is resolved against `base`.
    ///
    /// # Errors
    /// If the model is unknown, not installed or inconsistent, or a parameter is out of range.
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

/// An ONNX model, loaded on first use.
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
    sessions: SessionPool<TextEmbedding>,
    /// The session for queries, which therefore never wait for passages.
    query_sessions: SessionPool<TextEmbedding>,
}

impl OnnxModel {
    fn new(files: ModelFiles, config: &OnnxConfig) -> Result<Self, OnnxError> {
        let (limit, default) = files.token_limits();
        let max_tokens = config.max_tokens.unwrap_or(default);
        if max_tokens < MIN_MAX_TOKENS || limit.is_some_and(|limit| max_tokens > limit) {
            let range = match limit {
                Some(limit) => format!("between {MIN_MAX_TOKENS} and {limit}"),
                None => format!("at least {MIN_MAX_TOKENS}"),
            };
            return Err(OnnxError::MaxTokens { model: files.name, value: max_tokens, range });
        }
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = config.threads.map_or(1, NonZeroUsize::get);
        let sessions = match (config.sessions, config.device) {
            (Some(sessions), _) => sessions.get(),
            (None, Device::Cpu) => (cores / threads).clamp(1, MAX_DEFAULT_SESSIONS),
            (None, Device::Cuda) => 1,
        };
        let default_batch_tokens = match config.device {
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
            batch_tokens: config.batch_tokens.map_or(default_batch_tokens, NonZeroUsize::get),
            device: config.device,
            identity,
            tokenizer: OnceLock::new(),
            sessions: SessionPool::new(sessions),
            query_sessions: SessionPool::new(1),
        };
        if declared.is_none() {
            model.dimension = model.measure_dimension()?;
        }
        Ok(model)
    }

    /// Loads the model and returns the dimension of its vectors.
    fn measure_dimension(&self) -> Result<usize, OnnxError> {
        self.sessions.with(|| self.session(self.threads), |session| self.dimension_of(session))
    }

    fn dimension_of(&self, session: &mut TextEmbedding) -> Result<usize, OnnxError> {
        Ok(self.run(session, &["a"])?.first().map_or(0, Vec::len))
    }

    /// Creates a session, and checks that its vectors have the declared dimension.
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
            // TF32 would round floats, and vectors would differ from those of a CPU.
            let cuda = ort::ep::CUDA::default().with_tf32(false).build().error_on_failure();
            options = options.with_execution_providers(vec![cuda]);
        }
        let mut session = TextEmbedding::try_new_from_user_defined(model, options).map_err(failed)?;
        let found = self.dimension_of(&mut session)?;
        match self.files.dimension {
            Some(declared) if declared != found => {
                Err(OnnxError::Dimension { model: self.files.name.clone(), declared, found })
            }
            _ => Ok(session),
        }
    }

    /// Rejects a tokenizer with ids for which the model has no embedding.
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

    /// Returns the tokenizer that counts tokens, without padding and truncation.
    fn tokenizer(&self) -> Result<&tokenizers::Tokenizer, OnnxError> {
        match self.tokenizer.get() {
            Some(tokenizer) => Ok(tokenizer),
            None => self.tokenizer_of(&self.files.read("tokenizer.json")?),
        }
    }

    /// Returns the tokenizer; parses `json` if that was not done before.
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

    /// Computes one batch.
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

fn failed(error: OnnxError) -> EmbeddingModelError {
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
            Quantization::Dynamic => Exactness::BatchDependent,
        }
    }

    fn batch_limits(&self) -> BatchLimits {
        let max_texts = match self.device {
            Device::Cpu => CPU_BATCH_TEXTS,
            Device::Cuda => CUDA_BATCH_TEXTS,
        };
        BatchLimits { max_texts, max_tokens: self.batch_tokens, pads: true, concurrency: 1 }
    }

    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError> {
        let tokenizer = self.tokenizer().map_err(failed)?;
        let encoding = tokenizer.encode_fast(text, false);
        encoding.map(|encoding| encoding.len()).map_err(|error| EmbeddingModelError::Failed(error.to_string()))
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError> {
        self.sessions.with(|| self.session(self.threads), |session| self.run(session, texts)).map_err(failed)
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError> {
        // A single text may use every core.
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let vectors =
            self.query_sessions.with(|| self.session(cores), |session| self.run(session, &[text])).map_err(failed)?;
        vectors.into_iter().next().ok_or_else(|| EmbeddingModelError::Failed("the model returned no vector".into()))
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
