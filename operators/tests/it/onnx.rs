//! ONNX models: the real ones if they are installed, and damaged copies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use gristmill_operators::embed::models::{MANIFEST, Manifest, models_folder};
use gristmill_operators::embed::{EmbeddingModel as _, FastEmbed, OnnxConfig, OnnxError, runtime_library};
use gristmill_pipeline::port::{Header, Passage, Text};
use gristmill_pipeline::{Batch, Embedder as _, Emitter, Operator, PassageKey};

/// Returns the folder of a model; `None`, which skips the test, if it is not installed. Panics
/// instead with `GRISTMILL_REQUIRE_MODELS=1`.
#[expect(clippy::print_stderr, reason = "skipped tests should be visible")]
fn model(name: &str) -> Option<PathBuf> {
    let folder = models_folder().join(name);
    if folder.join(MANIFEST).is_file() && runtime_library().is_file() {
        return Some(folder);
    }
    let is_required = std::env::var("GRISTMILL_REQUIRE_MODELS").is_ok_and(|value| value == "1");
    assert!(!is_required, "{name} or ONNX Runtime is missing; `./dev models` builds them");
    eprintln!("skipped: {name} or ONNX Runtime is missing; `./dev models` builds them");
    None
}

fn open(model: &str) -> Result<FastEmbed, OnnxError> {
    open_with(OnnxConfig { model: model.into(), ..OnnxConfig::default() })
}

fn open_with(config: OnnxConfig) -> Result<FastEmbed, OnnxError> {
    FastEmbed::open(&config, Path::new("."))
}

/// Texts of many lengths.
fn texts() -> Vec<String> {
    let source = include_str!("onnx.rs");
    let lines: Vec<&str> = source.lines().filter(|line| line.len() > 20).collect();
    (1..12).map(|lines_each| lines[lines_each..].iter().take(lines_each * 2).copied().collect::<String>()).collect()
}

fn passages(texts: &[String]) -> Batch<Arc<Passage>> {
    let passage = |(index, text): (usize, &String)| {
        Arc::new(Passage {
            key: PassageKey::from_bits(index as u128),
            header: Header::None,
            path: "src/lib.rs".into(),
            scope: "".into(),
            symbol: "".into(),
            context: "".into(),
            text: Text::new(text.as_str()),
            tokens: 0,
        })
    };
    Batch(texts.iter().enumerate().map(passage).collect())
}

fn embed(embed: &FastEmbed, texts: &[String]) -> Vec<Vec<f32>> {
    let mut out = Emitter::new("embed".into());
    embed.process(passages(texts), &mut out).unwrap();
    let (mut vectors, reports) = out.into_parts();
    assert_eq!(reports.len(), 0, "{reports:?}");
    vectors.sort_by_key(|vector| vector.key);
    vectors.into_iter().map(|vector| vector.values.into_vec()).collect()
}

fn furthest(left: &[Vec<f32>], right: &[Vec<f32>]) -> f32 {
    assert_eq!(left.len(), right.len());
    let both = left.iter().flatten().zip(right.iter().flatten());
    both.map(|(left, right)| (left - right).abs()).fold(0.0, f32::max)
}

#[test]
fn float_vectors_agree_within_the_tolerance_in_any_batch() {
    if model("minilm").is_none() {
        return;
    }
    let texts = texts();
    let wide = OnnxConfig { batch_tokens: 4_096.try_into().ok(), ..OnnxConfig::default() };
    let threads = OnnxConfig { threads: 2.try_into().ok(), sessions: 1.try_into().ok(), ..OnnxConfig::default() };
    let embedder = open("minilm").unwrap();
    let together = embed(&embedder, &texts);
    let alone: Vec<Vec<f32>> = texts.iter().flat_map(|text| embed(&embedder, std::slice::from_ref(text))).collect();
    assert!(furthest(&together, &alone) < 1e-4);
    assert!(furthest(&together, &embed(&open_with(wide).unwrap(), &texts)) < 1e-4);
    assert!(furthest(&together, &embed(&open_with(threads).unwrap(), &texts)) < 1e-4);
    for vector in &together {
        assert_eq!(vector.len(), 384);
        assert!((vector.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let query = embedder.embed_query(&texts[3]).unwrap().unwrap();
    assert!(furthest(&[query], &alone[3..4]) < 1e-4);
}

#[test]
fn int8_vectors_are_bit_identical_in_any_batch() {
    if model("minilm-int8").is_none() {
        return;
    }
    let texts = texts();
    let embedder = open("minilm-int8").unwrap();
    let together = embed(&embedder, &texts);
    let alone: Vec<Vec<f32>> = texts.iter().flat_map(|text| embed(&embedder, std::slice::from_ref(text))).collect();
    assert_eq!(together, alone);
    let close = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(a, b)| a * b).sum::<f32>();
    if model("minilm").is_some() {
        let floats = embed(&open("minilm").unwrap(), &texts);
        assert!(floats.iter().zip(&together).all(|(float, byte)| close(float, byte) > 0.95));
    }
}

#[test]
fn several_threads_share_the_sessions() {
    if model("minilm-int8").is_none() {
        return;
    }
    let texts = texts();
    let sessions = OnnxConfig { model: "minilm-int8".into(), sessions: 2.try_into().ok(), ..OnnxConfig::default() };
    let embedder = open_with(sessions).unwrap();
    let expected = embed(&embedder, &texts);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(embed(&embedder, &texts), expected));
        }
    });
}

#[test]
fn similar_texts_are_near_and_max_tokens_truncates() {
    if model("minilm").is_none() {
        return;
    }
    let embedder = open("minilm").unwrap();
    let vector = |text: &str| embedder.embed_query(text).unwrap().unwrap();
    let near = |left: &str, right: &str| vector(left).iter().zip(vector(right)).map(|(a, b)| a * b).sum::<f32>();
    assert!(near("open a file", "reading a document from disk") > near("open a file", "the colour of the sky") + 0.2);
    let short = open_with(OnnxConfig { max_tokens: Some(4), ..OnnxConfig::default() }).unwrap();
    let two = ["alpha beta".to_owned(), "alpha beta gamma delta".to_owned()];
    let cut = embed(&short, &two);
    assert!(furthest(&cut[..1], &cut[1..]) < 1e-6, "tokens beyond the limit are ignored");
    let whole = embed(&embedder, &two);
    assert!(furthest(&whole[..1], &whole[1..]) > 1e-3);
    assert_ne!(short.fingerprint(), embedder.fingerprint());
    let error = open_with(OnnxConfig { max_tokens: Some(513), ..OnnxConfig::default() }).unwrap_err();
    assert_eq!((error.parameter(), error.to_string().contains("between 3 and 512")), ("max_tokens", true), "{error}");
}

/// Copies a model's folder, to damage it.
fn copy(of: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(of).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

fn open_folder(folder: &Path) -> Result<FastEmbed, OnnxError> {
    open(folder.to_str().unwrap())
}

/// Returns the error of the first use of a model folder.
fn failure(folder: &Path) -> String {
    let embedder = open_folder(folder).unwrap();
    let error = embedder.embed_query("a").unwrap().unwrap_err();
    error.message.into()
}

#[test]
fn a_folder_without_a_manifest_gives_the_same_vectors() {
    let Some(original) = model("minilm-int8") else { return };
    let folder = copy(&original);
    fs::remove_file(folder.path().join(MANIFEST)).unwrap();
    let bare = open_with(OnnxConfig { max_tokens: Some(256), ..config_of(folder.path()) }).unwrap();
    let described = open("minilm-int8").unwrap();
    assert_eq!(bare.dimension(), 384);
    assert_eq!(bare.model().exactness(), described.model().exactness(), "quantization is detected in the file");
    assert_eq!(bare.fingerprint(), described.fingerprint(), "the same files are the same model");
    assert_eq!(embed(&bare, &texts()), embed(&described, &texts()));
    // The layout of sentence-transformers.
    fs::create_dir(folder.path().join("onnx")).unwrap();
    fs::rename(folder.path().join("model.onnx"), folder.path().join("onnx/model.onnx")).unwrap();
    fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 128}"#).unwrap();
    let exported = open_folder(folder.path()).unwrap();
    assert_eq!((exported.dimension(), exported.model().max_tokens()), (384, 128));
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    fs::write(folder.path().join("1_Pooling/config.json"), r#"{"pooling_mode_cls_token": true}"#).unwrap();
    assert_ne!(open_folder(folder.path()).unwrap().fingerprint(), exported.fingerprint());
}

fn config_of(folder: &Path) -> OnnxConfig {
    OnnxConfig { model: folder.to_str().unwrap().into(), ..OnnxConfig::default() }
}

#[test]
fn damaged_files_are_reported() {
    let Some(original) = model("minilm-int8") else { return };
    let folder = copy(&original);
    let onnx = folder.path().join("model.onnx");
    let mut bytes = fs::read(&onnx).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&onnx, &bytes).unwrap();
    assert!(open_folder(folder.path()).is_ok(), "files are read on first use");
    assert!(failure(folder.path()).contains("its SHA-256 differs"), "{}", failure(folder.path()));
    fs::write(&onnx, &bytes[..1_000]).unwrap();
    let error = open_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("found 1000"), "{error}");

    fs::remove_file(folder.path().join(MANIFEST)).unwrap();
    let error = open_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot load the model"), "{error}");
    fs::write(&onnx, b"no model at all").unwrap();
    let error = open_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("cannot load the model"), "{error}");
    fs::remove_file(&onnx).unwrap();
    assert!(matches!(open_folder(folder.path()), Err(OnnxError::Missing { file, .. }) if file == "model.onnx"));
}

#[test]
fn tokenizers_that_do_not_match_are_rejected() {
    let Some(original) = model("minilm-int8") else { return };
    let folder = copy(&original);
    let tokenizer = folder.path().join("tokenizer.json");
    let kept = fs::read(&tokenizer).unwrap();
    fs::remove_file(&tokenizer).unwrap();
    assert!(matches!(open_folder(folder.path()), Err(OnnxError::Missing { file, .. }) if file == "tokenizer.json"));
    fs::remove_file(folder.path().join(MANIFEST)).unwrap();
    assert!(matches!(open_folder(folder.path()), Err(OnnxError::Missing { file, .. }) if file == "tokenizer.json"));

    fs::write(&tokenizer, b"{}").unwrap();
    let error = open_folder(folder.path()).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
    // The built-in table's tokenizer has more tokens than the model has rows.
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/static-code/tokenizer.json");
    fs::copy(other, &tokenizer).unwrap();
    assert!(matches!(open_folder(folder.path()), Err(OnnxError::Mismatch { rows: 30_522, .. })));
    // Without `vocab_size`, the model fails on a text with such a token.
    fs::write(folder.path().join("config.json"), b"{}").unwrap();
    let embedder = open_folder(folder.path()).unwrap();
    let vocabulary: serde_json::Value = serde_json::from_slice(&fs::read(&tokenizer).unwrap()).unwrap();
    let vocabulary = vocabulary["model"]["vocab"].as_object().unwrap();
    let (beyond, _) = vocabulary
        .iter()
        .find(|(token, id)| id.as_u64() > Some(30_522) && token.bytes().all(|byte| byte.is_ascii_lowercase()))
        .unwrap();
    let error =
        embedder.process(passages(std::slice::from_ref(beyond)), &mut Emitter::new("embed".into())).unwrap_err();
    assert!(error.message.contains("check that tokenizer.json belongs to the model"), "{}", error.message);
    fs::write(&tokenizer, kept).unwrap();
    assert!(open_folder(folder.path()).is_ok());
}

#[test]
fn invalid_manifests_are_reported() {
    let Some(original) = model("minilm-int8") else { return };
    let folder = copy(&original);
    let path = folder.path().join(MANIFEST);
    let manifest: Manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let write = |manifest: &Manifest| fs::write(&path, serde_json::to_vec(manifest).unwrap()).unwrap();
    write(&Manifest { dimension: 100, ..manifest.clone() });
    assert_eq!(open_folder(folder.path()).unwrap().dimension(), 100);
    assert!(failure(folder.path()).contains("384 components, but model.json declares 100"));
    write(&Manifest { format: 2, ..manifest.clone() });
    assert!(open_folder(folder.path()).unwrap_err().to_string().contains("`format` must be 1, got 2"));
    let mut fewer = manifest.clone();
    fewer.files.remove("tokenizer.json");
    write(&fewer);
    assert!(open_folder(folder.path()).unwrap_err().to_string().contains("no entry for `tokenizer.json`"));
    fs::write(&path, b"{").unwrap();
    assert!(matches!(open_folder(folder.path()), Err(OnnxError::Manifest { .. })));
}

#[test]
fn unknown_names_say_what_to_do() {
    let error = open("BGESmalENV15").unwrap_err().to_string();
    assert!(error.contains("did you mean `BGESmallENV15`?"), "{error}");
    let error = open("no-such-model-at-all").unwrap_err().to_string();
    assert!(!error.contains("did you mean") && error.contains("gristmill model list"), "{error}");
    let error = open("MultilingualE5Large").unwrap_err().to_string();
    assert!(error.contains("gristmill model fetch MultilingualE5Large"), "{error}");
    assert!(error.contains("model.onnx, model.onnx_data, tokenizer.json"), "{error}");
}

/// Uses a model with the library in the environment; run by the test below.
#[test]
#[ignore = "run by `an_invalid_library_is_reported` in its own process"]
fn use_a_model() {
    let embedder = open("minilm-int8").unwrap();
    match embedder.embed_query("a").unwrap() {
        Ok(_) => println!("embedded"),
        Err(error) => println!("failed: {}", error.message),
    }
}

#[test]
fn an_invalid_library_is_reported() {
    if model("minilm-int8").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libonnxruntime.so");
    fs::write(&text, "no library").unwrap();
    let with = |library: &Path| {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["onnx::use_a_model", "--exact", "--ignored", "--nocapture"])
            .env("ORT_DYLIB_PATH", library)
            .output()
            .unwrap();
        String::from_utf8_lossy(&child.stdout).into_owned()
    };
    let output = with(&text);
    assert!(output.contains("failed: ") && output.contains("cannot load ONNX Runtime"), "{output}");
    let output = with(&folder.path().join("nowhere.so"));
    assert!(output.contains("failed: ONNX Runtime is not installed"), "{output}");
    // A valid library, but not ONNX Runtime.
    let other = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"];
    if let Some(other) = other.iter().map(Path::new).find(|path| path.is_file()) {
        let output = with(other);
        assert!(output.contains("cannot load ONNX Runtime"), "{output}");
    }
    assert!(with(&runtime_library()).contains("embedded"));
}
