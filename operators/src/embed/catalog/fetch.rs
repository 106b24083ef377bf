//! Models from the hub.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

use super::super::http::agent;
use super::super::models::{FileEntry, MANIFEST, Manifest, ModelKind, models_folder};
use super::super::onnx::files::{ModelFiles, by_hand};
use super::super::onnx::named::{Named, TOKENIZER_FILES, TOKENIZER_FILES_NEEDED};

/// How long one file may take.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The hub's address, unless `HF_ENDPOINT` names another.
const HUB: &str = "https://huggingface.co";

/// A model was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// fastembed knows no such model.
    #[error("the hub has no model that is known as `{name}`; `gristmill model list --all` shows those that are")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The hub did not give a file.
    #[error("cannot fetch {url}: {reason}; try again, or {by_hand}")]
    Hub {
        /// The file.
        url: String,
        /// What happened.
        reason: String,
        /// How to bring the files by hand.
        by_hand: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// What came is no model.
    #[error("what the hub gave is no model: {reason}")]
    NoModel {
        /// What is wrong.
        reason: String,
    },
}

/// A model that is now among the local ones.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fetched {
    /// What `model` is set to.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its files' size, in bytes.
    pub bytes: u64,
    /// Whether it was there before.
    pub was_here: bool,
}

/// Brings a model that fastembed knows from the hub to the local models, and describes it
/// there. `progress` is told each file and how many of its bytes have come.
///
/// What was fetched before an interruption is not fetched again. `HF_ENDPOINT` and
/// `HF_TOKEN` are honoured.
///
/// # Errors
/// If the name is not known, or the hub cannot be reached; the error then says which files
/// to put where.
pub fn fetch(name: &str, progress: &mut dyn FnMut(&str, u64)) -> Result<Fetched, FetchError> {
    let hub = std::env::var("HF_ENDPOINT").ok().filter(|hub| !hub.is_empty());
    let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.trim().is_empty());
    fetch_into(name, &models_folder(), hub.as_deref().unwrap_or(HUB), token.as_deref(), progress)
}

/// [`fetch`] into a folder of models, from a hub.
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
    let named = Named::find(name).ok_or_else(|| FetchError::Unknown { name: name.into() })?;
    let folder = models.join(&named.name);
    if folder.is_dir() {
        let files =
            ModelFiles::in_folder(&folder).map_err(|error| FetchError::NoModel { reason: error.to_string() })?;
        let bytes = files.entries.values().map(|entry| entry.bytes).sum();
        return Ok(Fetched { name: named.name, folder, bytes, was_here: true });
    }
    // Beside its place, and renamed when it is whole: no half model is ever taken for one.
    let partial = models.join(format!(".{}.partial", named.name));
    let hub = hub.trim_end_matches('/');
    let base = format!("{hub}/{}/resolve/main", named.repository);
    let from = Hub { agent: agent(hub, LONGEST, 1), base, token, by_hand: by_hand(&named, models) };
    let may_lack = TOKENIZER_FILES.get(TOKENIZER_FILES_NEEDED..).unwrap_or_default();
    for file in named.files().chain(["sentence_bert_config.json"]) {
        let path = partial.join(file);
        let parent = path.parent().unwrap_or(&partial);
        std::fs::create_dir_all(parent).map_err(|source| FetchError::Write { path: parent.to_owned(), source })?;
        match from.file(file, &path, progress) {
            Ok(()) => {}
            Err(Failure::Missing) if may_lack.contains(&file) || file == "sentence_bert_config.json" => {}
            Err(Failure::Missing) => return Err(from.error(file, "it is not there")),
            Err(Failure::Hub(reason)) => return Err(from.error(file, &reason)),
            Err(Failure::Write(source)) => return Err(FetchError::Write { path, source }),
        }
    }
    let bytes = describe(&named, &partial, &from.base)?;
    std::fs::rename(&partial, &folder).map_err(|source| FetchError::Write { path: folder.clone(), source })?;
    Ok(Fetched { name: named.name, folder, bytes, was_here: false })
}

struct Hub<'t> {
    agent: Agent,
    base: String,
    token: Option<&'t str>,
    /// What to do without it.
    by_hand: String,
}

enum Failure {
    Missing,
    Hub(String),
    Write(std::io::Error),
}

impl Hub<'_> {
    fn error(&self, file: &str, reason: &str) -> FetchError {
        let url = format!("{}/{file}", self.base);
        FetchError::Hub { url, reason: reason.into(), by_hand: self.by_hand.clone() }
    }

    /// Fetches a file, or what is missing of it. It has its name only when it is whole.
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
                // The server sends all of it, whatever was asked.
                out = File::create(&part).map_err(Failure::Write)?;
            }
            200 | 206 => {}
            // All of it came before, and only its name is missing.
            416 => return std::fs::rename(&part, path).map_err(Failure::Write),
            404 => {
                // Nothing came, so nothing is kept.
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

/// Writes `model.json`; gives the size of all files.
fn describe(named: &Named, folder: &Path, source: &str) -> Result<u64, FetchError> {
    let no_model = |reason: String| FetchError::NoModel { reason };
    let files = ModelFiles::of_named(named, folder.to_owned()).map_err(|error| no_model(error.to_string()))?;
    let (_, max_tokens) = files.token_limits();
    let entries: BTreeMap<String, FileEntry> = files.entries;
    let bytes = entries.values().map(|entry| entry.bytes).sum();
    let manifest = Manifest {
        format: 1,
        name: named.name.clone(),
        kind: ModelKind::Onnx,
        description: named.description.clone(),
        licence: String::new(),
        source: source.into(),
        dimension: named.dimension,
        max_tokens,
        pooling: named.pooling,
        quantization: named.quantization,
        query_prefix: files.query_prefix,
        passage_prefix: files.passage_prefix,
        fastembed: Some(named.name.clone()),
        files: entries,
    };
    let path = folder.join(MANIFEST);
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| no_model(error.to_string()))?;
    std::fs::write(&path, json).map_err(|source| FetchError::Write { path, source })?;
    Ok(bytes)
}
