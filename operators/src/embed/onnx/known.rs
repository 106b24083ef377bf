//! The models that fastembed knows by name, and the cache of the hub's tools.

use std::path::{Path, PathBuf};

use fastembed::{EmbeddingModel, ModelInfo, OutputKey, Pooling, QuantizationMode, TextEmbedding};

use super::super::models::{PoolingRule, Quantization, path_variable};

/// A model that fastembed knows.
#[derive(Clone, Debug)]
pub(crate) struct KnownModel {
    /// Its name in fastembed, such as `BGESmallENV15`.
    pub(crate) name: String,
    /// Its repository on the hub.
    pub(crate) repository: String,
    /// Its description in fastembed.
    pub(crate) description: String,
    /// The number of components of its vectors.
    pub(crate) dimension: usize,
    /// The ONNX file, and the external data files that it refers to.
    pub(crate) weights: Vec<String>,
    /// How token vectors are pooled into one vector.
    pub(crate) pooling: PoolingRule,
    /// How its weights are quantized.
    pub(crate) quantization: Quantization,
    /// Its output, if it is not one of the usual ones.
    pub(crate) output: Option<OutputKey>,
}

/// The tokenizer files beside the weights. The last two are optional.
pub(crate) const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", "tokenizer_config.json", "config.json", "special_tokens_map.json"];

/// The number of leading [`TOKENIZER_FILES`] that are required.
pub(crate) const REQUIRED_TOKENIZER_FILES: usize = 2;

impl KnownModel {
    fn of(info: &ModelInfo<EmbeddingModel>) -> Self {
        let pooling = match TextEmbedding::get_default_pooling_method(&info.model) {
            Some(Pooling::Cls) | None => PoolingRule::Cls,
            Some(Pooling::Mean) => PoolingRule::Mean,
        };
        let quantization = match TextEmbedding::get_quantization_mode(&info.model) {
            QuantizationMode::None => Quantization::None,
            QuantizationMode::Static => Quantization::Static,
            QuantizationMode::Dynamic => Quantization::Dynamic,
        };
        Self {
            name: format!("{:?}", info.model),
            repository: info.model_code.clone(),
            description: info.description.clone(),
            dimension: info.dim,
            weights: std::iter::once(&info.model_file).chain(&info.additional_files).cloned().collect(),
            pooling,
            quantization,
            output: info.output_key.clone(),
        }
    }

    /// Returns all of them, sorted by name.
    pub(crate) fn all() -> Vec<Self> {
        let mut all: Vec<Self> = TextEmbedding::list_supported_models().iter().map(Self::of).collect();
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    }

    /// Finds a model by its name or repository, ignoring case. Of several in one repository,
    /// returns the first that is not quantized.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let all = Self::all();
        let by_name = all.iter().find(|model| model.name.eq_ignore_ascii_case(name));
        let in_repository = || all.iter().filter(|model| model.repository.eq_ignore_ascii_case(name));
        let exact = || in_repository().find(|model| model.quantization == Quantization::None);
        by_name.or_else(exact).or_else(|| in_repository().next()).cloned()
    }

    /// Returns its files: the weights and the tokenizer files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.weights.iter().map(String::as_str).chain(TOKENIZER_FILES)
    }

    /// Returns the prefixes of queries and of passages that it was trained with.
    pub(crate) fn prefixes(&self) -> (&'static str, &'static str) {
        const FAMILIES: [(&str, &str, &str); 6] = [
            ("MultilingualE5", "query: ", "passage: "),
            ("NomicEmbedText", "search_query: ", "search_document: "),
            ("ModernBertEmbed", "search_query: ", "search_document: "),
            ("EmbeddingGemma", "task: search result | query: ", "title: none | text: "),
            ("MxbaiEmbed", "Represent this sentence for searching relevant passages: ", ""),
            ("SnowflakeArctic", "Represent this sentence for searching relevant passages: ", ""),
        ];
        if self.name.starts_with("BGE") && self.name.contains("EN") {
            return ("Represent this sentence for searching relevant passages: ", "");
        }
        let family = FAMILIES.iter().find(|(family, ..)| self.name.starts_with(family));
        family.map_or(("", ""), |&(_, query, passage)| (query, passage))
    }

    /// Returns the folder in the hub's cache that contains all its required files, if one does.
    pub(crate) fn in_hub_cache(&self) -> Option<PathBuf> {
        hub_caches().iter().find_map(|cache| self.in_cache(cache))
    }

    fn in_cache(&self, cache: &Path) -> Option<PathBuf> {
        let folder = cache.join(format!("models--{}", self.repository.replace('/', "--")));
        let commit = std::fs::read_to_string(folder.join("refs").join("main")).ok()?;
        let snapshot = folder.join("snapshots").join(commit.trim());
        let required =
            self.weights.iter().map(String::as_str).chain(TOKENIZER_FILES.into_iter().take(REQUIRED_TOKENIZER_FILES));
        let is_complete = required.into_iter().all(|file| snapshot.join(file).is_file());
        is_complete.then_some(snapshot)
    }
}

/// Returns the folders in which the hub's own tools and fastembed cache models.
fn hub_caches() -> Vec<PathBuf> {
    let home = std::env::home_dir().map(|home| home.join(".cache").join("huggingface"));
    let huggingface = path_variable("HF_HOME").or(home);
    let candidates = [
        path_variable("HF_HUB_CACHE"),
        huggingface.as_ref().map(|folder| folder.join("hub")),
        huggingface,
        Some(PathBuf::from(fastembed::get_cache_dir())),
    ];
    candidates.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_found_by_name_and_repository_ignoring_case() {
        let named = |name: &str| KnownModel::find(name).map(|model| model.name);
        assert_eq!(named("bgesmallenv15").as_deref(), Some("BGESmallENV15"));
        assert_eq!(named("xenova/all-minilm-l12-v2").as_deref(), Some("AllMiniLML12V2"));
        assert_eq!(named("Xenova/all-MiniLM-L6-v2").as_deref(), Some("AllMiniLML6V2Q"), "only this one is there");
        assert_eq!(named("bgesmall"), None);
    }

    #[test]
    fn prefixes_by_family() {
        let prefixes = |name: &str| KnownModel::find(name).expect("known").prefixes();
        assert_eq!(prefixes("MultilingualE5Small"), ("query: ", "passage: "));
        assert!(prefixes("BGESmallENV15").0.starts_with("Represent"));
        assert_eq!(prefixes("BGESmallZHV15"), ("", ""));
        assert_eq!(prefixes("AllMiniLML6V2"), ("", ""));
    }

    #[test]
    fn only_a_complete_snapshot_is_found() {
        let cache = tempfile::tempdir().expect("creates");
        let model = KnownModel::find("AllMiniLML6V2").expect("known");
        let folder = cache.path().join("models--Qdrant--all-MiniLM-L6-v2-onnx");
        let snapshot = folder.join("snapshots").join("abc");
        for (path, text) in [(folder.join("refs/main"), "abc\n"), (snapshot.join("model.onnx"), "")] {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
            std::fs::write(path, text).expect("writes");
        }
        std::fs::write(snapshot.join("tokenizer.json"), "{}").expect("writes");
        assert_eq!(model.in_cache(cache.path()), None);
        std::fs::write(snapshot.join("tokenizer_config.json"), "{}").expect("writes");
        assert_eq!(model.in_cache(cache.path()), Some(snapshot));
    }
}
