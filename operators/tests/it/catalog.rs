//! Downloading models from a server that mimics the hub.

use std::fs;
use std::path::Path;

use gristmill_operators::embed::catalog::{FetchError, Fetched, ModelState, fetch_into, verify_folder};
use gristmill_operators::embed::models::{MANIFEST, Manifest};

use crate::http::Server;

const NAME: &str = "MultilingualE5Large";

/// A hub with the required files of a model.
fn hub(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let files = [
        ("model.onnx", vec![1; 300_000]),
        ("model.onnx_data", vec![2; 5_000]),
        ("tokenizer.json", b"{}".to_vec()),
        ("tokenizer_config.json", br#"{"model_max_length": 512}"#.to_vec()),
        ("sentence_bert_config.json", br#"{"max_seq_length": 300}"#.to_vec()),
    ];
    let repository = folder.join("Qdrant/multilingual-e5-large-onnx/resolve/main");
    fs::create_dir_all(&repository).unwrap();
    for (file, bytes) in &files {
        fs::write(repository.join(file), bytes).unwrap();
    }
    files.into()
}

fn fetch(models: &Path, server: &Server) -> Result<Fetched, FetchError> {
    fetch_into("multilinguale5large", models, server.url.trim_end_matches("/v1"), None, &mut |_, _| {})
}

#[test]
fn a_fetched_model_is_described_and_found() {
    let (files, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = hub(files.path());
    let server = Server::start(&["--files", files.path().to_str().unwrap()]);
    let fetched = fetch(models.path(), &server).unwrap();
    assert_eq!((fetched.name.as_str(), fetched.was_here), (NAME, false));
    for (file, bytes) in &expected {
        assert_eq!(&fs::read(fetched.folder.join(file)).unwrap(), bytes, "{file}");
    }
    let manifest: Manifest = serde_json::from_slice(&fs::read(fetched.folder.join(MANIFEST)).unwrap()).unwrap();
    assert_eq!((manifest.dimension, manifest.max_tokens), (1024, 300));
    assert_eq!((manifest.query_prefix.as_str(), manifest.passage_prefix.as_str()), ("query: ", "passage: "));
    assert_eq!(manifest.fastembed.as_deref(), Some(NAME));
    assert_eq!(verify_folder(&fetched.folder), ModelState::Verified);
    let asked = server.counts().0;
    assert!(fetch(models.path(), &server).unwrap().was_here);
    assert_eq!(server.counts().0, asked, "a local model is not fetched");
    assert_eq!(fs::read_dir(models.path()).unwrap().count(), 1, "no temporary folder is left");
}

#[test]
fn an_interrupted_download_is_resumed() {
    let (files, models) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let expected = hub(files.path());
    let server = Server::start(&["--files", files.path().to_str().unwrap(), "--half", "1"]);
    let error = fetch(models.path(), &server).unwrap_err().to_string();
    assert!(error.contains("model.onnx") && error.contains("retry, or put model.onnx"), "{error}");
    assert!(!models.path().join(NAME).exists(), "a partial model is not visible");
    let mut first = None;
    let told = &mut |file: &str, bytes: u64| {
        if file == "model.onnx" {
            first.get_or_insert(bytes);
        }
    };
    let address = server.url.trim_end_matches("/v1");
    let fetched = fetch_into(NAME, models.path(), address, None, told).unwrap();
    assert!(first.unwrap() > 150_000, "it resumes: {first:?}");
    for (file, bytes) in &expected {
        assert_eq!(&fs::read(fetched.folder.join(file)).unwrap(), bytes, "{file}");
    }
}

#[test]
fn a_failed_download_says_how_to_install_the_model() {
    let models = tempfile::tempdir().unwrap();
    let error = fetch_into(NAME, models.path(), "http://127.0.0.1:9", None, &mut |_, _| {}).unwrap_err().to_string();
    for part in
        ["cannot fetch http://127.0.0.1:9/", "put model.onnx, model.onnx_data, tokenizer.json", "huggingface.co/"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    let files = tempfile::tempdir().unwrap();
    hub(files.path());
    fs::remove_file(files.path().join("Qdrant/multilingual-e5-large-onnx/resolve/main/tokenizer.json")).unwrap();
    let server = Server::start(&["--files", files.path().to_str().unwrap()]);
    let error = fetch(models.path(), &server).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json: not found"), "{error}");
    assert!(matches!(
        fetch_into("no-such-model", models.path(), "http://127.0.0.1:9", None, &mut |_, _| {}),
        Err(FetchError::Unknown { .. })
    ));
}
