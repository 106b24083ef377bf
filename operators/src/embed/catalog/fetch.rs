//! Downloading models from the Hugging Face hub.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

use super::super::http::agent;
use super::super::models::{FileEntry, MANIFEST, Manifest, ModelKind, models_folder};
use super::super::onnx::files::{ModelFiles, manual_install};
use super::super::onnx::known::{KnownModel, REQUIRED_TOKENIZER_FILES, TOKENIZER_FILES};

/// Timeout of the download of one file.
const TIMEOUT: Duration = Duration::from_secs(3_600);

/// The default address of the hub.
const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// A model could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name is unknown.
    #[error("unknown model `{name}`; `gristmill model list --all` lists the models of the hub")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A file could not be downloaded.
    #[error("cannot fetch {url}: {reason}; retry, or {manual_install}")]
    Hub {
        /// URL of the file.
        url: String,
        /// The cause.
        reason: String,
        /// How to install the files manually.
        manual_install: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The downloaded files are not a valid model.
    #[error("the files from the hub are not a valid model: {reason}")]
    InvalidModel {
        /// What is wrong.
        reason: String,
    },
}

/// A fetched model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fetched {
    /// The value of `model` that selects it.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Total size of its files in bytes.
    pub bytes: u64,
    /// Whether it was a local model before.
    pub was_here: bool,
}

/// Downloads a model that fastembed knows from the hub into [`models_folder`], and writes its
/// `model.json`. Calls `progress` with the name of each file and its bytes so far.
///
/// Resumes an interrupted download. Honours `HF_ENDPOINT` and `HF_TOKEN`.
///
/// # Errors
/// If the name is unknown or a file cannot be downloaded; the error then says how to install the
/// files manually.
pub fn fetch(name: &str, progress: &mut dyn FnMut(&str, u64)) -> Result<Fetched, FetchError> {
    let endpoint = std::env::var("HF_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.trim().is_empty());
    fetch_into(name, &models_folder(), endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT), token.as_deref(), progress)
}

/// As [`fetch`], from the hub at `hub` into the folder `models`.
///
/// # Errors
/// Those of [`fetch`].
pub fn fetch_into(
    name: &str,
    models: &Path,
    hub: &str,
    token: Option<&str>,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Fetched, FetchError> {
    let known = KnownModel::find(name).ok_or_else(|| FetchError::Unknown { name: name.into() })?;
    let folder = models.join(&known.name);
    if folder.is_dir() {
        let files =
            ModelFiles::in_folder(&folder).map_err(|error| FetchError::InvalidModel { reason: error.to_string() })?;
        let bytes = files.entries.values().map(|entry| entry.bytes).sum();
        return Ok(Fetched { name: known.name, folder, bytes, was_here: true });
    }
    // Downloads into a folder beside the final one and renames it when complete, so that a partial
    // model is never used.
    let partial = models.join(format!(".{}.partial", known.name));
    let hub = hub.trim_end_matches('/');
    let base = format!("{hub}/{}/resolve/main", known.repository);
    let from = Hub { agent: agent(hub, TIMEOUT, 1), base, token, manual_install: manual_install(&known, models) };
    let optional = TOKENIZER_FILES.get(REQUIRED_TOKENIZER_FILES..).unwrap_or_default();
    for file in known.files().chain(["sentence_bert_config.json"]) {
        let path = partial.join(file);
        let parent = path.parent().unwrap_or(&partial);
        std::fs::create_dir_all(parent).map_err(|source| FetchError::Write { path: parent.to_owned(), source })?;
        match from.file(file, &path, progress) {
            Ok(()) => {}
            Err(Failure::Missing) if optional.contains(&file) || file == "sentence_bert_config.json" => {}
            Err(Failure::Missing) => return Err(from.error(file, "not found (status 404)")),
            Err(Failure::Hub(reason)) => return Err(from.error(file, &reason)),
            Err(Failure::Write(source)) => return Err(FetchError::Write { path, source }),
        }
    }
    let bytes = describe(&known, &partial, &from.base)?;
    std::fs::rename(&partial, &folder).map_err(|source| FetchError::Write { path: folder.clone(), source })?;
    Ok(Fetched { name: known.name, folder, bytes, was_here: false })
}

struct Hub<'t> {
    agent: Agent,
    base: String,
    token: Option<&'t str>,
    /// How to install the files manually.
    manual_install: String,
}

enum Failure {
    Missing,
    Hub(String),
    Write(std::io::Error),
}

impl Hub<'_> {
    fn error(&self, file: &str, reason: &str) -> FetchError {
        let url = format!("{}/{file}", self.base);
        FetchError::Hub { url, reason: reason.into(), manual_install: self.manual_install.clone() }
    }

    /// Downloads a file, or the rest of a partial download. Renames it to `path` when complete.
    fn file(&self, file: &str, path: &Path, progress: &mut dyn FnMut(&str, u64)) -> Result<(), Failure> {
        if path.is_file() {
            return Ok(());
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut out = OpenOptions::new().append(true).create(true).open(&part).map_err(Failure::Write)?;
        let have = out.metadata().map_err(Failure::Write)?.len();
        let mut request = self.agent.get(format!("{}/{file}", self.base));
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        if let Some(token) = self.token {
            request = request.header("Authorization", format!("Bearer {}", token.trim()));
        }
        let mut response = request.call().map_err(|error| Failure::Hub(error.to_string()))?;
        match response.status().as_u16() {
            200 if have > 0 => {
                // The server ignores ranges and sends the whole file.
                out = File::create(&part).map_err(Failure::Write)?;
            }
            200 | 206 => {}
            // The partial file is complete already.
            416 => return std::fs::rename(&part, path).map_err(Failure::Write),
            404 => {
                // Removes the partial file, which is empty.
                std::fs::remove_file(&part).map_err(Failure::Write)?;
                return Err(Failure::Missing);
            }
            status => return Err(Failure::Hub(format!("status {status}"))),
        }
        let mut done = if response.status().as_u16() == 206 { have } else { 0 };
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = body.read(&mut piece).map_err(|error| Failure::Hub(error.to_string()))?;
            if read == 0 {
                break;
            }
            out.write_all(piece.get(..read).unwrap_or_default()).map_err(Failure::Write)?;
            done += read as u64;
            progress(file, done);
        }
        out.sync_all().and_then(|()| std::fs::rename(&part, path)).map_err(Failure::Write)
    }
}

/// Writes `model.json`; returns the total size of the files.
fn describe(known: &KnownModel, folder: &Path, source: &str) -> Result<u64, FetchError> {
    let invalid = |reason: String| FetchError::InvalidModel { reason };
    let files = ModelFiles::of_known(known, folder.to_owned()).map_err(|error| invalid(error.to_string()))?;
    let (_, max_tokens) = files.token_limits();
    let entries: BTreeMap<String, FileEntry> = files.entries;
    let bytes = entries.values().map(|entry| entry.bytes).sum();
    let manifest = Manifest {
        format: 1,
        name: known.name.clone(),
        kind: ModelKind::Onnx,
        description: known.description.clone(),
        licence: String::new(),
        source: source.into(),
        dimension: known.dimension,
        max_tokens,
        pooling: known.pooling,
        quantization: known.quantization,
        query_prefix: files.query_prefix,
        passage_prefix: files.passage_prefix,
        fastembed: Some(known.name.clone()),
        files: entries,
    };
    let path = folder.join(MANIFEST);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| invalid(error.to_string()))?;
    std::fs::write(&path, json).map_err(|source| FetchError::Write { path, source })?;
    Ok(bytes)
}
