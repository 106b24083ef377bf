//! A model's files, and what is known about the model before it is loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fastembed::OutputKey;
use gristmill_pipeline::Hash;
use serde_json::Value;

use super::super::models::{FileEntry, MANIFEST, Manifest, ModelKind, PoolingRule, Quantization, models_folder};
use super::error::OnnxError;
use super::named::{Named, TOKENIZER_FILES, TOKENIZER_FILES_NEEDED};

/// What fastembed cuts texts to where nothing else is said.
const USUAL_MAX_TOKENS: usize = 512;

/// A model's files and what describes them.
#[derive(Clone, Debug)]
pub(crate) struct ModelFiles {
    /// How messages name the model.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// The weights' file and those that it refers to, by their path in the folder.
    pub(crate) weights: Vec<String>,
    /// What each file was when it was described.
    pub(crate) entries: BTreeMap<String, FileEntry>,
    /// Nothing if only the model itself can tell.
    pub(crate) dimension: Option<usize>,
    /// The model's own limit, if it names one.
    pub(crate) max_tokens: Option<usize>,
    pub(crate) pooling: PoolingRule,
    pub(crate) quantization: Quantization,
    pub(crate) query_prefix: String,
    pub(crate) passage_prefix: String,
    pub(crate) output: Option<OutputKey>,
}

impl ModelFiles {
    /// Finds the model that `name` means: a folder in [`models_folder`], a name that
    /// fastembed knows, or a folder, relative to `base`.
    pub(crate) fn find(name: &str, base: &Path) -> Result<Self, OnnxError> {
        let is_name = Path::new(name).components().count() == 1 && !name.starts_with('.');
        let local = models_folder().join(name);
        if is_name && local.is_dir() {
            return Self::in_folder(&local);
        }
        let folder = base.join(name);
        if let Some(named) = Named::find(name) {
            let fetched = models_folder().join(&named.name);
            return match (fetched.is_dir(), named.in_hub_cache()) {
                (true, _) => Self::in_folder(&fetched),
                (false, Some(snapshot)) => Self::of_named(&named, snapshot),
                (false, None) if folder.is_dir() => Self::in_folder(&folder),
                (false, None) => Err(absent(&named)),
            };
        }
        if folder.is_dir() {
            return Self::in_folder(&folder);
        }
        Err(unknown(name))
    }

    /// Describes the model in a folder, by its `model.json` or by what lies in it.
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
            let reason = format!("its format is {}, and only 1 is known", manifest.format);
            return Err(OnnxError::Manifest { path, reason });
        }
        let mut weights: Vec<String> = manifest.files.keys().filter(|file| is_weights(file)).cloned().collect();
        // The file itself before those that it refers to.
        weights.sort_by_key(|file| !file.ends_with(".onnx"));
        let needed = TOKENIZER_FILES.iter().take(TOKENIZER_FILES_NEEDED).map(|file| (*file).to_owned());
        if weights.is_empty() {
            return Err(OnnxError::Missing { folder: folder.to_owned(), file: "model.onnx".into() });
        }
        for file in weights.iter().cloned().chain(needed) {
            if !manifest.files.contains_key(&file) {
                return Err(OnnxError::Manifest { path, reason: format!("it does not list `{file}`") });
            }
        }
        for (file, entry) in &manifest.files {
            let path = folder.join(file);
            let found = match std::fs::metadata(&path) {
                Ok(found) => found.len(),
                Err(_) => return Err(OnnxError::Missing { folder: folder.to_owned(), file: file.clone() }),
            };
            if found != entry.bytes {
                return Err(OnnxError::Changed { path, found: format!("{found} bytes, not {}", entry.bytes) });
            }
        }
        let named = manifest.fastembed.as_deref().and_then(Named::find);
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
            output: named.and_then(|named| named.output),
        })
    }

    /// A model that fastembed knows, in a folder without `model.json`.
    pub(crate) fn of_named(named: &Named, folder: PathBuf) -> Result<Self, OnnxError> {
        let (query_prefix, passage_prefix) = named.prefixes();
        Ok(Self {
            name: named.name.clone(),
            entries: describe(&folder, &named.weights)?,
            weights: named.weights.clone(),
            dimension: Some(named.dimension),
            max_tokens: sentence_limit(&folder),
            pooling: named.pooling,
            quantization: named.quantization,
            query_prefix: query_prefix.into(),
            passage_prefix: passage_prefix.into(),
            output: named.output.clone(),
            folder,
        })
    }

    /// A folder without `model.json`, as sentence-transformers exports it.
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
            quantization: if rounds_by_batch(&bytes) { Quantization::Dynamic } else { Quantization::None },
            query_prefix: String::new(),
            passage_prefix: String::new(),
            output: None,
        })
    }

    /// Sees whether a folder without `model.json` has what a model needs, without reading
    /// it.
    pub(crate) fn look(folder: &Path) -> Result<(), OnnxError> {
        exported(folder)?;
        let mut needed = TOKENIZER_FILES.into_iter().take(TOKENIZER_FILES_NEEDED);
        match needed.find(|file| !folder.join(file).is_file()) {
            Some(file) => Err(OnnxError::Missing { folder: folder.to_owned(), file: file.into() }),
            None => Ok(()),
        }
    }

    /// Hash of all files and of what says how they are used.
    pub(crate) fn identity(&self, pooling: PoolingRule) -> Hash {
        let files = self.entries.iter().flat_map(|(file, entry)| [file.as_bytes(), entry.sha256.as_bytes()]);
        let how = format!("{pooling:?} {:?}", self.output);
        Hash::of_parts(files.chain([how.as_bytes()]))
    }

    /// Reads a file, which must be as it was described; one that the model can do
    /// without is an empty object.
    pub(crate) fn read(&self, file: &str) -> Result<Vec<u8>, OnnxError> {
        let Some(entry) = self.entries.get(file) else { return Ok(b"{}".to_vec()) };
        let path = self.folder.join(file);
        let bytes = read(&path)?;
        let found = FileEntry::of(&bytes);
        if found == *entry {
            return Ok(bytes);
        }
        let found = if found.bytes == entry.bytes {
            "its SHA-256 differs".into()
        } else {
            format!("{} bytes, not {}", found.bytes, entry.bytes)
        };
        Err(OnnxError::Changed { path, found })
    }

    /// How many tokens the model can look at, and how many it looks at if nothing is
    /// said.
    pub(crate) fn token_limits(&self) -> (usize, usize) {
        let config = json_in(&self.folder, "tokenizer_config.json");
        let longest = config.and_then(|config| config.get("model_max_length")?.as_f64());
        // Models without a limit of their own name one beyond all numbers.
        let longest = longest.filter(|longest| *longest < 1e6).map_or(usize::MAX, |longest| longest as usize);
        (longest, self.max_tokens.unwrap_or(USUAL_MAX_TOKENS).min(longest))
    }
}

/// The weights' file of a folder without `model.json`.
fn exported(folder: &Path) -> Result<&'static str, OnnxError> {
    let found = ["model.onnx", "onnx/model.onnx"].into_iter().find(|file| folder.join(file).is_file());
    found.ok_or_else(|| OnnxError::Missing { folder: folder.to_owned(), file: "model.onnx".into() })
}

fn is_weights(file: &str) -> bool {
    file.ends_with(".onnx") || file.ends_with(".onnx_data") || file.ends_with(".onnx.data")
}

fn read(path: &Path) -> Result<Vec<u8>, OnnxError> {
    std::fs::read(path).map_err(|source| OnnxError::Read { path: path.to_owned(), source })
}

fn json_in(folder: &Path, file: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(folder.join(file)).ok()?).ok()
}

/// The limit that sentence-transformers keeps beside a model.
fn sentence_limit(folder: &Path) -> Option<usize> {
    let limit = json_in(folder, "sentence_bert_config.json")?.get("max_seq_length")?.as_u64()?;
    usize::try_from(limit).ok()
}

/// Describes the weights and what stands beside them.
fn describe(folder: &Path, weights: &[String]) -> Result<BTreeMap<String, FileEntry>, OnnxError> {
    let mut entries = BTreeMap::new();
    let beside = TOKENIZER_FILES.iter().enumerate().map(|(nth, file)| (*file, nth < TOKENIZER_FILES_NEEDED));
    for (file, is_needed) in weights.iter().map(|file| (file.as_str(), true)).chain(beside) {
        let path = folder.join(file);
        match FileEntry::of_file(&path) {
            Ok(entry) => {
                entries.insert(file.to_owned(), entry);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if is_needed {
                    return Err(OnnxError::Missing { folder: folder.to_owned(), file: file.to_owned() });
                }
            }
            Err(source) => return Err(OnnxError::Read { path, source }),
        }
    }
    Ok(entries)
}

/// Whether a model has operators that choose their scales by what is in the batch.
fn rounds_by_batch(onnx: &[u8]) -> bool {
    ["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"]
        .iter()
        .any(|operator| memchr::memmem::find(onnx, operator.as_bytes()).is_some())
}

/// A model of the hub that is not here.
fn absent(named: &Named) -> OnnxError {
    let by_hand = by_hand(named, &models_folder());
    let how = format!("fetch it with `gristmill model fetch {}`, or {by_hand}", named.name);
    OnnxError::Absent { name: named.name.clone(), how }
}

/// How to bring a model of the hub without a program.
pub(crate) fn by_hand(named: &Named, models: &Path) -> String {
    let files: Vec<&str> = named.files().collect();
    let (files, folder) = (files.join(", "), models.join(&named.name));
    format!("put {files} from https://huggingface.co/{} into `{}`", named.repository, folder.display())
}

fn unknown(name: &str) -> OnnxError {
    if ["minilm", "minilm-int8"].contains(&name) {
        let how = format!(
            "`./dev models` builds it into `{}`, or take `model = \"AllMiniLML6V2\"` after `gristmill model fetch AllMiniLML6V2`",
            models_folder().display()
        );
        return OnnxError::Absent { name: name.into(), how };
    }
    let local: Vec<String> = std::fs::read_dir(models_folder())
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let lower = name.to_lowercase();
    let named = Named::all().into_iter().flat_map(|named| [named.name, named.repository]);
    let near = local
        .into_iter()
        .chain(["minilm".into(), "minilm-int8".into()])
        .chain(named)
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, known)| known);
    let known = format!(
        "`gristmill model list` shows those that there are, or give the path of a folder (models lie in `{}`)",
        models_folder().display()
    );
    OnnxError::Unknown { name: name.into(), near, known }
}
