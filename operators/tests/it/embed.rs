//! The static model against its fixture, and its tokenizer against the `tokenizers` crate.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use gristmill_operators::embed::{
    Scratch, StaticConfig, StaticEmbed, StaticModel, StaticModelError, Tokenizer, split_identifiers,
};
use gristmill_pipeline::port::{Header, Passage, Text, Vector};
use gristmill_pipeline::{Batch, Embedder as _, Emitter, Operator, PassageKey};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

fn model_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/static-code")
}

fn tokenizer_json() -> Vec<u8> {
    fs::read(model_folder().join("tokenizer.json")).expect("the model is in the repository")
}

static REFERENCE: LazyLock<tokenizers::Tokenizer> =
    LazyLock::new(|| tokenizers::Tokenizer::from_bytes(tokenizer_json()).expect("a tokenizer"));
static PLAIN: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::from_json(&tokenizer_json(), false).expect("a tokenizer"));
static SPLITTING: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::from_json(&tokenizer_json(), true).expect("a tokenizer"));

/// Checks the tokenizer that splits identifiers against the reference on the split text.
fn check_split_tokens(text: &str) -> Result<(), TestCaseError> {
    let mut scratch = Scratch::default();
    SPLITTING.encode(text, usize::MAX, &mut scratch);
    let mut split = String::new();
    split_identifiers(text, &mut split);
    let expected = REFERENCE.encode_fast(split, false).expect("encodes");
    prop_assert_eq!(scratch.ids(), expected.get_ids(), "split: {:?}", text);
    Ok(())
}

/// Checks both of our tokenizers against the reference on one text.
fn check_tokens(text: &str) -> Result<(), TestCaseError> {
    let mut scratch = Scratch::default();
    PLAIN.encode(text, usize::MAX, &mut scratch);
    let expected = REFERENCE.encode_fast(text, false).expect("encodes");
    prop_assert_eq!(scratch.ids(), expected.get_ids(), "plain: {:?}", text);
    check_split_tokens(text)
}

#[test]
fn tokens_equal_the_reference_on_hard_cases() {
    let long = "a".repeat(101);
    let accents = "é".repeat(100);
    for text in [
        "",
        " ",
        "readFileHTTPServer2Go __init__",
        "[UNK] x[PAD]y [UNK[UNK]] [unk] [U\u{1}NK]",
        "a\u{1}b\u{b}c\u{7f}d\u{85}e",
        "a\u{1}\u{301}b =\u{338} e\u{301}e",
        "İstanbul ΣΑΣ ß ẞ K ÅÅ",
        "日本語のコメント and 中文字符 豈",
        "한국어 텍스트 \u{1100}\u{1161}\u{11a8}",
        "a\u{2028}b\u{3000}c\u{a0}d\u{200b}e\u{feff}f",
        "“quotes” — dash… ；（full）\u{37e}\u{1fef}",
        "\u{302e}\u{302f}\u{1d165}\u{1d16e}x\u{5b0}\u{591}",
        "emoji 👩‍👩‍👧 🎉x🎉 \u{fffd} \u{e000}",
        "telecommunications interdisciplinarytelecommunicationsabc zabcdefghijklmnopqrstuvwxyz",
        &long,
        &accents,
        "##s ## # s##s",
    ] {
        check_tokens(text).expect("equal");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn tokens_equal_the_reference_on_any_unicode(text in "\\PC{0,40}") {
        check_tokens(&text)?;
    }

    #[test]
    fn tokens_equal_the_reference_on_any_characters(chars in proptest::collection::vec(any::<char>(), 0..40)) {
        check_tokens(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn tokens_equal_the_reference_on_marks_and_breaks(
        text in "([a-dA-D0-3_ .#\\[\\]\n\u{0}-\u{8}]|\\[UNK\\]|\\[PAD\\]|\\p{Mn}|\\p{Mc}|\\p{Lu}|\\p{Han}|\\p{P}|\\p{Z}|\\p{Cf}){0,30}",
    ) {
        check_tokens(&text)?;
    }

    #[test]
    fn a_limit_takes_the_first_tokens(text in "\\PC{0,60}", limit in 0_usize..12) {
        let mut scratch = Scratch::default();
        SPLITTING.encode(&text, usize::MAX, &mut scratch);
        let all = scratch.ids().to_vec();
        SPLITTING.encode(&text, limit, &mut scratch);
        prop_assert_eq!(scratch.ids(), &all[..limit.min(all.len())]);
    }
}

/// Source files of the packages that Cargo has unpacked, a few of each extension.
fn registry_files() -> Vec<PathBuf> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let Some(cargo) = cargo.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))) else {
        return Vec::new();
    };
    let mut by_extension: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut folders = vec![cargo.join("registry/src")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let wanted =
                ["rs", "c", "h", "cc", "cpp", "py", "js", "ts", "go", "md", "txt", "toml", "json", "html", "sh", "rb"];
            let is_small = fs::metadata(&path).is_ok_and(|metadata| metadata.len() < 8_000);
            let files = by_extension.entry(extension.to_owned()).or_default();
            if wanted.contains(&extension) && is_small && files.len() < 15 {
                files.push(path);
            }
        }
    }
    by_extension.into_values().flatten().collect()
}

#[test]
fn tokens_equal_the_reference_on_source_files() {
    for path in registry_files() {
        if let Ok(text) = fs::read_to_string(&path) {
            check_split_tokens(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

#[derive(serde::Deserialize)]
struct Fixture {
    text: String,
    vector: Vec<f32>,
}

fn embed(stage: &StaticEmbed, text: &str) -> Vec<f32> {
    let mut out = vec![f32::NAN; stage.dimension()];
    stage.embed_text(text, &mut out);
    out
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|value| value * value).sum::<f32>().sqrt()
}

#[test]
fn vectors_equal_the_fixture() {
    let fixtures: Vec<Fixture> =
        serde_json::from_slice(&fs::read(model_folder().join("fixture.json")).expect("fixture")).expect("fixture");
    assert_eq!(fixtures.len(), 6);
    let built_in = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    let from_folder =
        StaticEmbed::new(&StaticConfig { model: Some(model_folder()), ..StaticConfig::default() }).expect("folder");
    assert_eq!(built_in.fingerprint(), from_folder.fingerprint());
    for fixture in fixtures {
        let vector = embed(&built_in, &fixture.text);
        assert_eq!(vector.len(), fixture.vector.len());
        for (got, wanted) in vector.iter().zip(&fixture.vector) {
            assert!((got - wanted).abs() < 1e-5, "{got} {wanted} in {:?}", fixture.text);
        }
        assert_eq!(vector, embed(&from_folder, &fixture.text));
    }
}

#[test]
fn a_text_without_known_tokens_has_a_zero_vector() {
    let stage = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    for text in ["", " \n", "[UNK]", "\u{10348}"] {
        assert!(embed(&stage, text).iter().all(|value| *value == 0.0), "{text:?}");
    }
}

#[test]
fn fewer_dimensions_are_a_normalised_prefix() {
    let whole = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    let part = StaticEmbed::new(&StaticConfig { dimensions: Some(50), ..StaticConfig::default() }).expect("built in");
    assert_eq!(part.dimension(), 50);
    assert_ne!(part.fingerprint(), whole.fingerprint());
    let (long, short) = (embed(&whole, "open a file"), embed(&part, "open a file"));
    assert!((norm(&short) - 1.0).abs() < 1e-6);
    let scale = norm(&long[..50]);
    for (a, b) in long.iter().zip(&short) {
        assert!((a / scale - b).abs() < 1e-6);
    }
    let mut longer = vec![1.0; 300];
    whole.embed_text("open a file", &mut longer);
    assert_eq!((&longer[..256], &longer[256..]), (long.as_slice(), [0.0; 44].as_slice()));
}

#[test]
fn the_token_limit_counts_unknown_tokens() {
    let config = StaticConfig { max_tokens: Some(2), ..StaticConfig::default() };
    let stage = StaticEmbed::new(&config).expect("built in");
    let whole = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    assert_eq!(embed(&stage, "[UNK] file read"), embed(&whole, "file"));
    assert_ne!(stage.fingerprint(), whole.fingerprint());
}

#[test]
fn vectors_do_not_depend_on_the_batch() {
    let stage = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    let passage = |key: u128, text: &str| {
        Arc::new(Passage {
            key: PassageKey::from_bits(key),
            header: Header::Path,
            path: "src/read_file.rs".into(),
            scope: "Reader".into(),
            symbol: "readFile".into(),
            context: "".into(),
            text: Text::new(text),
            tokens: 0,
        })
    };
    let passages =
        [passage(1, "fn readFile() {}"), passage(2, "日本 fn x(y: u8)"), passage(3, ""), passage(4, "a a a b")];
    let run = |batch: &[Arc<Passage>]| -> Vec<Vector> {
        let mut out = Emitter::new("embed".into());
        stage.process(Batch(batch.to_vec()), &mut out).expect("static models do not fail");
        out.into_parts().0
    };
    let alone: Vec<Vector> = passages.iter().flat_map(|passage| run(std::slice::from_ref(passage))).collect();
    assert_eq!(run(&passages), alone);
    let mut text = String::new();
    passages[0].write_to(&mut text);
    assert_eq!(&*alone[0].values, embed(&stage, &text), "the header and the text are embedded");
    let with_context = Arc::new(Passage { context: "Opens a file.".into(), ..Passage::clone(&passages[0]) });
    text.clear();
    with_context.write_to(&mut text);
    assert!(text.contains("Opens a file.\nfn readFile"));
    assert_eq!(&*run(&[with_context])[0].values, embed(&stage, &text), "the context too");
}

/// A model with three tokens in a temporary folder.
struct TinyModel(tempfile::TempDir);

impl TinyModel {
    const TOKENIZER: &str = r#"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
        "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
        "model":{"type":"WordLevel","vocab":{"[UNK]":0,"red":1,"green":2},"unk_token":"[UNK]"}}"#;

    fn new(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let views = tensors.iter().map(|(name, dtype, shape, data)| {
            (*name, TensorView::new(*dtype, shape.clone(), data).expect("shape fits data"))
        });
        let bytes = safetensors::serialize(views, None).expect("serializes");
        fs::write(folder.path().join("model.safetensors"), bytes).expect("writes");
        fs::write(folder.path().join("tokenizer.json"), Self::TOKENIZER).expect("writes");
        fs::write(folder.path().join("config.json"), r#"{"normalize": false}"#).expect("writes");
        Self(folder)
    }

    fn with(self, file: &str, text: &str) -> Self {
        fs::write(self.0.path().join(file), text).expect("writes");
        self
    }

    fn load(&self) -> Result<StaticEmbed, StaticModelError> {
        StaticEmbed::new(&StaticConfig { model: Some(self.0.path().into()), ..StaticConfig::default() })
    }
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn tiny_rows() -> (&'static str, Dtype, Vec<usize>, Vec<u8>) {
    ("embeddings", Dtype::F32, vec![3, 2], f32_bytes(&[9.0, 9.0, 1.0, 2.0, 3.0, 4.0]))
}

#[test]
fn a_plain_model_averages_its_rows() {
    let stage = TinyModel::new(&[tiny_rows()]).load().expect("loads");
    assert_eq!(embed(&stage, "red green green blue"), [7.0 / 3.0, 10.0 / 3.0]);
    let normalised = TinyModel::new(&[tiny_rows()]).with("config.json", r#"{"normalize": true}"#);
    assert!((norm(&embed(&normalised.load().expect("loads"), "red green")) - 1.0).abs() < 1e-6);
}

#[test]
fn weights_mapping_and_halves_are_honoured() {
    let halves = [0x3c00_u16, 0x4000, 0x4200, 0x4400].iter().flat_map(|half| half.to_le_bytes()).collect();
    let mapping = [0_i64, 0, 1].iter().flat_map(|row| row.to_le_bytes()).collect();
    let model = TinyModel::new(&[
        ("embeddings", Dtype::F16, vec![2, 2], halves),
        ("mapping", Dtype::I64, vec![3], mapping),
        ("weights", Dtype::F32, vec![3], f32_bytes(&[1.0, 10.0, 100.0])),
    ]);
    let stage = model.load().expect("loads");
    assert_eq!(embed(&stage, "red"), [10.0, 20.0]);
    assert_eq!(embed(&stage, "green"), [300.0, 400.0]);
}

#[test]
fn int8_components_are_signed() {
    let model = TinyModel::new(&[("embeddings", Dtype::I8, vec![3, 2], vec![0, 0, 255, 127, 128, 1])]);
    let stage = model.load().expect("loads");
    assert_eq!(embed(&stage, "red"), [-1.0, 127.0]);
    assert_eq!(embed(&stage, "green"), [-128.0, 1.0]);
}

#[test]
fn bad_models_say_what_is_wrong() {
    let fine = || TinyModel::new(&[tiny_rows()]);
    let few_rows = TinyModel::new(&[("embeddings", Dtype::F32, vec![2, 2], f32_bytes(&[1.0; 4]))]);
    let no_number = TinyModel::new(&[("embeddings", Dtype::F32, vec![3, 1], f32_bytes(&[1.0, f32::NAN, 1.0]))]);
    let other_type = TinyModel::new(&[("embeddings", Dtype::U8, vec![3, 1], vec![1; 3])]);
    let other_name = TinyModel::new(&[("vectors", Dtype::F32, vec![3, 1], f32_bytes(&[1.0; 3]))]);
    let wide_mapping = TinyModel::new(&[tiny_rows(), ("mapping", Dtype::I32, vec![3], vec![7; 12])]);
    let few_weights = TinyModel::new(&[tiny_rows(), ("weights", Dtype::F32, vec![2], f32_bytes(&[1.0; 2]))]);
    for (model, wanted) in [
        (few_rows, "has 3 tokens"),
        (no_number, "finite"),
        (other_type, "U8"),
        (other_name, "no tensor `embeddings`"),
        (wide_mapping, "`mapping` refers to row"),
        (few_weights, "`weights`"),
        (fine().with("model.safetensors", "nonsense"), "model.safetensors"),
        (fine().with("tokenizer.json", "{}"), "tokenizer.json"),
        (fine().with("config.json", "["), "config.json"),
        (fine().with("config.json", r#"{"gristmill": {"term_frequency": "cubic"}}"#), "cubic"),
    ] {
        let message = model.load().expect_err(wanted).to_string();
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    let missing = fine();
    fs::remove_file(missing.0.path().join("tokenizer.json")).expect("removes");
    assert!(matches!(missing.load(), Err(StaticModelError::Read { .. })));
    for dimensions in [0, 257] {
        let config = StaticConfig { dimensions: Some(dimensions), ..StaticConfig::default() };
        assert!(matches!(StaticEmbed::new(&config), Err(StaticModelError::Dimensions { .. })));
    }
    let config = StaticConfig { max_tokens: Some(0), ..StaticConfig::default() };
    assert!(matches!(StaticEmbed::new(&config), Err(StaticModelError::MaxTokens)));
}

#[test]
fn a_cased_tokenizer_keeps_its_case() {
    let json = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
        "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":false},
        "pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,"decoder":null,
        "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
        "vocab":{"[UNK]":0,"Red":1,"red":2,"##s":3,".":4}}}"###;
    let mut scratch = Scratch::default();
    for (splits, text, expected) in
        [(false, "Red reds. RED", [1, 2, 3, 4, 0].as_slice()), (true, "redRed_reds", &[2, 1, 2, 3])]
    {
        let tokenizer = Tokenizer::from_json(json.as_bytes(), splits).expect("a tokenizer");
        tokenizer.encode(text, usize::MAX, &mut scratch);
        assert_eq!(scratch.ids(), expected, "{text}");
        assert_eq!((tokenizer.tokens(), tokenizer.highest(), tokenizer.unknown()), (5, 4, Some(0)));
    }
}

#[test]
fn the_built_in_model_is_shared() {
    let (a, b) = (StaticModel::built_in().expect("built in"), StaticModel::built_in().expect("built in"));
    assert!(Arc::ptr_eq(&a, &b));
}

#[test]
fn a_query_has_the_vector_of_its_text() {
    let stage = StaticEmbed::new(&StaticConfig::default()).expect("built in");
    let query = stage.embed_query("open a file").expect("embeds queries").expect("a vector");
    assert_eq!(query, embed(&stage, "open a file"));
}
