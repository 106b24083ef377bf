//! The catalogue of models: built in, local, and on the Hugging Face hub.

mod fetch;

pub use fetch::{FetchError, Fetched, fetch, fetch_into};

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::models::{FileEntry, MANIFEST, Manifest, ModelKind, Quantization, models_folder};
use super::onnx::files::ModelFiles;
use super::onnx::known::KnownModel;
use super::static_table::{StaticModel, is_model_folder};

/// A model that a job can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogEntry {
    /// The value of `model` that selects it.
    pub name: String,
    /// The operator that runs it.
    pub operator: &'static str,
    /// A description in one line.
    pub description: String,
    /// Number of components of a vector, where it is known without loading the model.
    pub dimension: Option<usize>,
    /// Whether it embeds one text at a time because its vectors depend on the batch.
    pub one_at_a_time: bool,
    /// Licence of its weights, if known.
    pub licence: Option<String>,
    /// Where its files are.
    pub place: ModelPlace,
}

/// Where the files of a model are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "where", rename_all = "snake_case")]
pub enum ModelPlace {
    /// In the executable.
    BuiltIn,
    /// In a folder of [`models_folder`].
    Local {
        /// The folder.
        folder: PathBuf,
        /// Whether the folder is complete.
        state: ModelState,
    },
    /// In the cache of the hub's own tools.
    HubCache {
        /// The folder.
        folder: PathBuf,
    },
    /// On the hub; [`fetch()`] downloads it.
    Hub {
        /// Its repository.
        repository: String,
    },
}

/// Whether the folder of a model is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum ModelState {
    /// Every file matches its entry in `model.json`. [`list`] compares sizes, [`verify`]
    /// SHA-256 hashes.
    Verified,
    /// All required files exist, but there is no `model.json`.
    Undescribed,
    /// Files differ from their entries in `model.json`.
    Changed {
        /// Their names.
        files: Vec<String>,
    },
    /// Files are missing, or `model.json` is invalid.
    Incomplete {
        /// What is missing or invalid.
        reason: String,
    },
}

/// Returns all models: the built-in table, the local models, and those that fastembed knows.
#[must_use]
pub fn list() -> Vec<CatalogEntry> {
    list_in(&models_folder())
}

fn list_in(folder: &Path) -> Vec<CatalogEntry> {
    let mut entries: Vec<CatalogEntry> = StaticModel::built_in()
        .map(|table| CatalogEntry {
            name: "static-code".into(),
            operator: "embed",
            description: "static token table tuned for code; the default of `embed`, which then needs no `model`"
                .into(),
            dimension: Some(table.dimension()),
            one_at_a_time: false,
            licence: Some("Apache-2.0".into()),
            place: ModelPlace::BuiltIn,
        })
        .into_iter()
        .collect();
    let local = local(folder);
    let known = KnownModel::all().into_iter().filter(|known| local.iter().all(|entry| entry.name != known.name));
    let known: Vec<CatalogEntry> = known.map(|known| of_known(&known)).collect();
    entries.extend(local);
    entries.extend(known);
    entries
}

/// Returns the models in the subfolders of `folder`, sorted by name.
fn local(folder: &Path) -> Vec<CatalogEntry> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir() && !file_name(path).starts_with('.'));
    folders.sort();
    folders.iter().map(|folder| of_folder(folder)).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn manifest_of(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&std::fs::read(folder.join(MANIFEST)).ok()?).ok()
}

fn of_folder(folder: &Path) -> CatalogEntry {
    let manifest = manifest_of(folder);
    let is_static = match &manifest {
        Some(manifest) => manifest.kind == ModelKind::Static,
        None => is_model_folder(folder),
    };
    CatalogEntry {
        name: file_name(folder),
        operator: if is_static { "embed" } else { "fastembed" },
        description: manifest.as_ref().map_or_else(String::new, |manifest| manifest.description.clone()),
        dimension: manifest.as_ref().map(|manifest| manifest.dimension),
        one_at_a_time: manifest.as_ref().is_some_and(|manifest| manifest.quantization == Quantization::Dynamic),
        licence: manifest.map(|manifest| manifest.licence).filter(|licence| !licence.is_empty()),
        place: ModelPlace::Local { folder: folder.to_owned(), state: state(folder, size_differs) },
    }
}

fn of_known(known: &KnownModel) -> CatalogEntry {
    let place = match known.in_hub_cache() {
        Some(folder) => ModelPlace::HubCache { folder },
        None => ModelPlace::Hub { repository: known.repository.clone() },
    };
    CatalogEntry {
        name: known.name.clone(),
        operator: "fastembed",
        description: known.description.clone(),
        dimension: Some(known.dimension),
        one_at_a_time: known.quantization == Quantization::Dynamic,
        licence: None,
        place,
    }
}

/// Compares the SHA-256 hash of every file of a local model with `model.json`.
///
/// # Errors
/// If there is no local model of that name.
pub fn verify(name: &str) -> Result<ModelState, String> {
    let folder = models_folder().join(name);
    if name.is_empty() || !folder.is_dir() {
        let models = models_folder();
        return Err(format!(
            "unknown model `{name}`: `{}` has no such folder; `gristmill model list` lists the models",
            models.display()
        ));
    }
    Ok(verify_folder(&folder))
}

/// Compares the SHA-256 hash of every file of the model in `folder` with `model.json`.
#[must_use]
pub fn verify_folder(folder: &Path) -> ModelState {
    state(folder, |path, entry| FileEntry::of_file(path).map_or(true, |found| found != *entry))
}

fn size_differs(path: &Path, entry: &FileEntry) -> bool {
    std::fs::metadata(path).map_or(true, |found| found.len() != entry.bytes)
}

fn state(folder: &Path, differs: impl Fn(&Path, &FileEntry) -> bool) -> ModelState {
    let incomplete = |reason: String| ModelState::Incomplete { reason };
    if !folder.join(MANIFEST).exists() {
        let found = if is_model_folder(folder) { Ok(()) } else { ModelFiles::check_folder(folder) };
        return found.map_or_else(|error| incomplete(error.to_string()), |()| ModelState::Undescribed);
    }
    let Some(manifest) = manifest_of(folder) else {
        return incomplete(format!("`{}` is not a valid model description", folder.join(MANIFEST).display()));
    };
    let missing: Vec<&str> =
        manifest.files.keys().map(String::as_str).filter(|file| !folder.join(file).is_file()).collect();
    if !missing.is_empty() {
        return incomplete(format!("missing: {}", missing.join(", ")));
    }
    let changed = manifest.files.iter().filter(|(file, entry)| differs(&folder.join(file), entry));
    let files: Vec<String> = changed.map(|(file, _)| file.clone()).collect();
    if files.is_empty() { ModelState::Verified } else { ModelState::Changed { files } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, manifest: bool) {
        std::fs::create_dir_all(folder).expect("creates");
        let mut files = std::collections::BTreeMap::new();
        for file in ["model.onnx", "tokenizer.json", "tokenizer_config.json"] {
            std::fs::write(folder.join(file), file).expect("writes");
            files.insert(file.to_owned(), FileEntry::of(file.as_bytes()));
        }
        let json = serde_json::json!({
            "format": 1, "name": "m", "kind": "onnx", "dimension": 8, "max_tokens": 16,
            "quantization": "dynamic", "files": files,
        });
        if manifest {
            std::fs::write(folder.join(MANIFEST), json.to_string()).expect("writes");
        }
    }

    #[test]
    fn models_are_listed_with_their_place_and_state() {
        let models = tempfile::tempdir().expect("creates");
        write(&models.path().join("described"), true);
        write(&models.path().join("plain"), false);
        write(&models.path().join("BGESmallENV15"), true);
        std::fs::create_dir(models.path().join("empty")).expect("creates");
        let entries = list_in(models.path());
        let entry = |name: &str| entries.iter().find(|entry| entry.name == name).expect("listed");
        let state = |name: &str| match &entry(name).place {
            ModelPlace::Local { state, .. } => state.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(entry("static-code").place, ModelPlace::BuiltIn);
        assert_eq!((state("described"), entry("described").dimension), (ModelState::Verified, Some(8)));
        assert!(entry("described").one_at_a_time);
        assert_eq!(state("plain"), ModelState::Undescribed);
        assert!(matches!(state("empty"), ModelState::Incomplete { reason } if reason.contains("model.onnx")));
        assert_eq!(entries.iter().filter(|entry| entry.name == "BGESmallENV15").count(), 1);
        assert_eq!(entry("BGEM3").dimension, Some(1024));
        let json = serde_json::to_value(entry("described")).expect("serializes");
        assert_eq!((&json["place"]["where"], &json["place"]["state"]["is"]), (&"local".into(), &"verified".into()));
    }

    #[test]
    fn verification_compares_every_byte() {
        let folder = tempfile::tempdir().expect("creates");
        write(folder.path(), true);
        assert_eq!(verify_folder(folder.path()), ModelState::Verified);
        std::fs::write(folder.path().join("model.onnx"), "model.onnX").expect("writes");
        assert_eq!(state(folder.path(), size_differs), ModelState::Verified, "a list compares sizes");
        assert_eq!(verify_folder(folder.path()), ModelState::Changed { files: vec!["model.onnx".into()] });
        std::fs::remove_file(folder.path().join("tokenizer.json")).expect("removes");
        assert!(
            matches!(verify_folder(folder.path()), ModelState::Incomplete { reason } if reason.contains("tokenizer.json"))
        );
        assert!(verify("no-such-model").is_err());
    }
}
