//! The files of a model, and its description before it is loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastembed::OutputKey;
use gristmill_pipeline::Hash;
use serde_json::Value;

use super::super::models::{FileEntry, MANIFEST, Manifest, ModelKind, PoolingRule, Quantization, models_folder};
use super::error::OnnxError;
use super::known::{KnownModel, REQUIRED_TOKENIZER_FILES, TOKENIZER_FILES};

/// fastembed's default limit of tokens per text.
const DEFAULT_MAX_TOKENS: usize = 512;

/// The files of a model and its description.
#[derive(Clone, Debug)]
pub(crate) struct ModelFiles {
    /// The model's name in messages.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The ONNX file and the external data files that it refers to, by their path in the folder.
    pub(crate) weights: Vec<String>,
    /// Size and hash of each file, by its path in the folder.
    pub(crate) entries: BTreeMap<String, FileEntry>,
    /// `None` if it is unknown until the model is loaded.
    pub(crate) dimension: Option<usize>,
    /// The limit of tokens per text that the model declares, if it does.
    pub(crate) max_tokens: Option<usize>,
    pub(crate) pooling: PoolingRule,
    pub(crate) quantization: Quantization,
    pub(crate) query_prefix: String,
    pub(crate) passage_prefix: String,
    pub(crate) output: Option<OutputKey>,
}

impl ModelFiles {
    /// Finds a model by name: a folder in [`models_folder`], a model that fastembed knows, or the
    /// path of a folder, relative to `base`.
    pub(crate) fn find(name: &str, base: &Path) -> Result<Self, OnnxError> {
        let is_name = Path::new(name).components().count() == 1 && !name.starts_with('.');
        let local = models_folder().join(name);
        if is_name && local.is_dir() {
            return Self::in_folder(&local);
        }
        let folder = base.join(name);
        if let Some(known) = KnownModel::find(name) {
            let fetched = models_folder().join(&known.name);
            return match (fetched.is_dir(), known.in_hub_cache()) {
                (true, _) => Self::in_folder(&fetched),
                (false, Some(snapshot)) => Self::of_known(&known, snapshot),
                (false, None) if folder.is_dir() => Self::in_folder(&folder),
                (false, None) => Err(not_installed(&known)),
            };
        }
        if folder.is_dir() {
            return Self::in_folder(&folder);
        }
        Err(unknown(name))
    }

    /// Describes the model in a folder, from its `model.json` or else from its files.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, OnnxError> {
        let path = folder.join(MANIFEST);
        match std::fs::read(&path) {
            Ok(json) => {
                let manifest = serde_json::from_slice(&json)
                    .map_err(|error| OnnxError::Manifest { path: path.clone(), reason: error.to_string() })?;
                Self::of_manifest(manifest, folder, path)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::of_export(folder),
            Err(source) => Err(OnnxError::Read { path, source }),
        }
    }

    fn of_manifest(manifest: Manifest, folder: &Path, path: PathBuf) -> Result<Self, OnnxError> {
        if manifest.kind == ModelKind::Static {
            return Err(OnnxError::Static { model: manifest.name, folder: folder.to_owned() });
        }
        if manifest.format != 1 {
            let reason = format!("`format` must be 1, got {}", manifest.format);
            return Err(OnnxError::Manifest { path, reason });
        }
        let mut weights: Vec<String> = manifest.files.keys().filter(|file| is_weights(file)).cloned().collect();
        // The ONNX file before its external data files.
        weights.sort_by_key(|file| !file.ends_with(".onnx"));
        let required = TOKENIZER_FILES.iter().take(REQUIRED_TOKENIZER_FILES).map(|file| (*file).to_owned());
        if weights.is_empty() {
            return Err(OnnxError::Missing { folder: folder.to_owned(), file: "model.onnx".into() });
        }
        for file in weights.iter().cloned().chain(required) {
            if !manifest.files.contains_key(&file) {
                return Err(OnnxError::Manifest { path, reason: format!("`files` has no entry for `{file}`") });
            }
        }
        for (file, entry) in &manifest.files {
            let path = folder.join(file);
            let found = match std::fs::metadata(&path) {
                Ok(found) => found.len(),
                Err(_) => return Err(OnnxError::Missing { folder: folder.to_owned(), file: file.clone() }),
            };
            if found != entry.bytes {
                return Err(OnnxError::Changed { path, mismatch: size_mismatch(entry.bytes, found) });
            }
        }
        let known = manifest.fastembed.as_deref().and_then(KnownModel::find);
        Ok(Self {
            name: manifest.name,
            folder: folder.to_owned(),
            weights,
            entries: manifest.files,
            dimension: Some(manifest.dimension),
            max_tokens: Some(manifest.max_tokens),
            pooling: manifest.pooling,
            quantization: manifest.quantization,
            query_prefix: manifest.query_prefix,
            passage_prefix: manifest.passage_prefix,
            output: known.and_then(|known| known.output),
        })
    }

    /// Describes a model that fastembed knows, in a folder without `model.json`.
    pub(crate) fn of_known(known: &KnownModel, folder: PathBuf) -> Result<Self, OnnxError> {
        let (query_prefix, passage_prefix) = known.prefixes();
        Ok(Self {
            name: known.name.clone(),
            entries: describe(&folder, &known.weights)?,
            weights: known.weights.clone(),
            dimension: Some(known.dimension),
            max_tokens: sentence_limit(&folder),
            pooling: known.pooling,
            quantization: known.quantization,
            query_prefix: query_prefix.into(),
            passage_prefix: passage_prefix.into(),
            output: known.output.clone(),
            folder,
        })
    }

    /// Describes a folder without `model.json`, as sentence-transformers exports it.
    fn of_export(folder: &Path) -> Result<Self, OnnxError> {
        let onnx = exported(folder)?;
        let mut weights = vec![onnx.to_owned()];
        let beside = format!("{onnx}_data");
        weights.extend(folder.join(&beside).is_file().then_some(beside));
        let takes_first = json_in(folder, "1_Pooling/config.json")
            .is_some_and(|config| config.get("pooling_mode_cls_token") == Some(&Value::Bool(true)));
        let bytes = read(&folder.join(onnx))?;
        let entries = describe(folder, &weights)?;
        Ok(Self {
            name: folder.display().to_string(),
            folder: folder.to_owned(),
            weights,
            entries,
            dimension: None,
            max_tokens: sentence_limit(folder),
            pooling: if takes_first { PoolingRule::Cls } else { PoolingRule::Mean },
            quantization: if is_dynamically_quantized(&bytes) { Quantization::Dynamic } else { Quantization::None },
            query_prefix: String::new(),
            passage_prefix: String::new(),
            output: None,
        })
    }

    /// Checks that a folder without `model.json` has the files of a model, without reading them.
    pub(crate) fn check_folder(folder: &Path) -> Result<(), OnnxError> {
        exported(folder)?;
        let mut required = TOKENIZER_FILES.into_iter().take(REQUIRED_TOKENIZER_FILES);
        match required.find(|file| !folder.join(file).is_file()) {
            Some(file) => Err(OnnxError::Missing { folder: folder.to_owned(), file: file.into() }),
            None => Ok(()),
        }
    }

    /// Returns the hash of all files, the pooling and the output.
    pub(crate) fn identity(&self, pooling: PoolingRule) -> Hash {
        let files = self.entries.iter().flat_map(|(file, entry)| [file.as_bytes(), entry.sha256.as_bytes()]);
        let how = format!("{pooling:?} {:?}", self.output);
        Hash::of_parts(files.chain([how.as_bytes()]))
    }

    /// Reads a file and checks it against its entry; an optional file without an entry is an empty
    /// JSON object.
    pub(crate) fn read(&self, file: &str) -> Result<Vec<u8>, OnnxError> {
        let Some(entry) = self.entries.get(file) else { return Ok(b"{}".to_vec()) };
        let path = self.folder.join(file);
        let bytes = read(&path)?;
        let found = FileEntry::of(&bytes);
        if found == *entry {
            return Ok(bytes);
        }
        let mismatch = if found.bytes == entry.bytes {
            "its SHA-256 differs".into()
        } else {
            size_mismatch(entry.bytes, found.bytes)
        };
        Err(OnnxError::Changed { path, mismatch })
    }

    /// Returns the maximum number of tokens per text, if there is one, and the default number.
    pub(crate) fn token_limits(&self) -> (Option<usize>, usize) {
        let config = json_in(&self.folder, "tokenizer_config.json");
        let limit = config.and_then(|config| config.get("model_max_length")?.as_f64());
        // Tokenizers without a limit declare a huge one, such as 1e30.
        let limit = limit.filter(|limit| *limit < 1e6).map(|limit| limit as usize);
        let default = self.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS);
        (limit, limit.map_or(default, |limit| default.min(limit)))
    }
}

/// Returns the ONNX file of a folder without `model.json`.
fn exported(folder: &Path) -> Result<&'static str, OnnxError> {
    let found = ["model.onnx", "onnx/model.onnx"].into_iter().find(|file| folder.join(file).is_file());
    found.ok_or_else(|| OnnxError::Missing { folder: folder.to_owned(), file: "model.onnx".into() })
}

/// Whether a file is an ONNX file or its external data.
fn is_weights(file: &str) -> bool {
    file.ends_with(".onnx") || file.ends_with(".onnx_data") || file.ends_with(".onnx.data")
}

fn read(path: &Path) -> Result<Vec<u8>, OnnxError> {
    std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })
}

fn size_mismatch(expected: u64, found: u64) -> String {
    format!("expected {expected} bytes, found {found}")
}

fn json_in(folder: &Path, file: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(folder.join(file)).ok()?).ok()
}

/// Returns the limit of tokens per text that sentence-transformers stores beside a model.
fn sentence_limit(folder: &Path) -> Option<usize> {
    let limit = json_in(folder, "sentence_bert_config.json")?.get("max_seq_length")?.as_u64()?;
    usize::try_from(limit).ok()
}

/// Returns size and hash of the weights and the tokenizer files.
fn describe(folder: &Path, weights: &[String]) -> Result<BTreeMap<String, FileEntry>, OnnxError> {
    let mut entries = BTreeMap::new();
    let beside = TOKENIZER_FILES.iter().enumerate().map(|(index, file)| (*file, index < REQUIRED_TOKENIZER_FILES));
    for (file, is_required) in weights.iter().map(|file| (file.as_str(), true)).chain(beside) {
        let path = folder.join(file);
        match FileEntry::of_file(&path) {
            Ok(entry) => {
                entries.insert(file.to_owned(), entry);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if is_required {
                    return Err(OnnxError::Missing { folder: folder.to_owned(), file: file.to_owned() });
                }
            }
            Err(source) => return Err(OnnxError::Read { path, source }),
        }
    }
    Ok(entries)
}

/// Whether a model has operators that derive their quantization scales from the batch.
fn is_dynamically_quantized(onnx: &[u8]) -> bool {
    ["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"]
        .iter()
        .any(|operator| memchr::memmem::find(onnx, operator.as_bytes()).is_some())
}

/// Returns the error for a model of the hub that is not on this machine.
fn not_installed(known: &KnownModel) -> OnnxError {
    let manual_install = manual_install(known, &models_folder());
    let how = format!("fetch it with `gristmill model fetch {}`, or {manual_install}", known.name);
    OnnxError::NotInstalled { name: known.name.clone(), how }
}

/// Returns the instruction for installing a model of the hub manually.
pub(crate) fn manual_install(known: &KnownModel, models: &Path) -> String {
    let files: Vec<&str> = known.files().collect();
    let (files, folder) = (files.join(", "), models.join(&known.name));
    format!("put {files} from https://huggingface.co/{} into `{}`", known.repository, folder.display())
}

/// Returns the error for a name that no model has.
fn unknown(name: &str) -> OnnxError {
    if ["minilm", "minilm-int8"].contains(&name) {
        let how = format!(
            "build it into `{}` with `./dev models`, or set `model = \"AllMiniLML6V2\"` after `gristmill model fetch AllMiniLML6V2`",
            models_folder().display()
        );
        return OnnxError::NotInstalled { name: name.into(), how };
    }
    let local: Vec<String> = std::fs::read_dir(models_folder())
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let lower = name.to_lowercase();
    let known = KnownModel::all().into_iter().flat_map(|known| [known.name, known.repository]);
    let near = local
        .into_iter()
        .chain(["minilm".into(), "minilm-int8".into()])
        .chain(known)
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, candidate)| candidate);
    let known = format!(
        "`gristmill model list` lists the known models, or set `model` to the path of a folder (local models are in `{}`)",
        models_folder().display()
    );
    OnnxError::Unknown { name: name.into(), near, known }
}
