//! The embed operator over a scripted model.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gristmill_operators::embed::{BatchLimits, Embed, EmbedSettings, EmbeddingModel, EmbeddingModelError, Exactness};
use gristmill_pipeline::port::{Header, Passage, Text};
use gristmill_pipeline::{
    Batch, Embedder as _, Emitter, Fingerprint, Hash, Operator, OperatorError, PassageKey, Severity, TokenCount,
};
use proptest::prelude::*;

/// A model whose vectors are (bytes, words); some words make it fail.
struct Scripted {
    exactness: Exactness,
    limits: BatchLimits,
    calls: Mutex<Vec<Vec<String>>>,
    running: AtomicUsize,
    max_running: AtomicUsize,
}

const LIMITS: BatchLimits = BatchLimits { max_texts: 4, max_tokens: 40, pads: true, concurrency: 1 };

impl Scripted {
    fn new(exactness: Exactness, limits: BatchLimits) -> Self {
        let (calls, zero) = (Mutex::default(), AtomicUsize::default);
        Self { exactness, limits, calls, running: zero(), max_running: zero() }
    }
}

impl EmbeddingModel for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    fn identity(&self) -> Fingerprint {
        Hash::of(b"scripted")
    }

    fn dimension(&self) -> usize {
        2
    }

    fn max_tokens(&self) -> usize {
        10
    }

    fn exactness(&self) -> Exactness {
        self.exactness
    }

    fn batch_limits(&self) -> BatchLimits {
        self.limits
    }

    fn count_tokens(&self, text: &str) -> Result<usize, EmbeddingModelError> {
        Ok(text.split_whitespace().count())
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingModelError> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.max_running.fetch_max(now, Ordering::SeqCst);
        self.calls.lock().unwrap().push(texts.iter().map(|text| (*text).to_owned()).collect());
        let has = |word: &str| texts.iter().any(|text| text.contains(word));
        let result = match () {
            () if has("BREAK") => Err(EmbeddingModelError::Failed("it is broken; mend it".into())),
            () if has("REFUSE") => Err(EmbeddingModelError::Rejected("it is too long".into())),
            () if has("FEW") => Ok(Vec::new()),
            () => Ok(texts.iter().map(|text| vector(text)).collect()),
        };
        self.running.fetch_sub(1, Ordering::SeqCst);
        result
    }

    fn embed_query(&self, text: &str) -> Result<Vec<f32>, EmbeddingModelError> {
        Ok(vector(text))
    }
}

fn vector(text: &str) -> Vec<f32> {
    match text {
        text if text.contains("NAN") => vec![f32::NAN, 1.0],
        text if text.contains("INF") => vec![1.0, f32::INFINITY],
        text if text.contains("SHORT") => vec![1.0],
        text => vec![text.len() as f32, text.split_whitespace().count() as f32],
    }
}

fn passages(texts: &[&str]) -> Batch<Arc<Passage>> {
    let passage = |(index, text): (usize, &&str)| {
        Arc::new(Passage {
            key: PassageKey::from_bits(index as u128),
            header: Header::None,
            path: format!("src/{index}.rs").as_str().into(),
            scope: "".into(),
            symbol: "".into(),
            context: "".into(),
            text: Text::new(*text),
            tokens: 0,
        })
    };
    Batch(texts.iter().enumerate().map(passage).collect())
}

type Vectors = Vec<(u128, Vec<f32>)>;

/// Path, severity, and code and message of each diagnostic.
type Reports = Vec<(String, Severity, String)>;

/// Returns the vectors sorted by the bits of their keys, the diagnostics, and the token counts.
fn run(embed: &Embed<Scripted>, texts: &[&str]) -> Result<(Vectors, Reports, TokenCount), OperatorError> {
    let mut out = Emitter::new("embed".into());
    embed.process(passages(texts), &mut out)?;
    let counted = out.counted();
    let (vectors, reports) = out.into_parts();
    let mut vectors: Vectors =
        vectors.into_iter().map(|vector| (vector.key.to_bits(), vector.values.into_vec())).collect();
    vectors.sort_by_key(|(key, _)| *key);
    let reports = reports
        .into_iter()
        .map(|(path, found)| (path.to_string(), found.severity, format!("{}: {}", found.code, found.message)));
    Ok((vectors, reports.collect(), counted))
}

fn plain(exactness: Exactness, limits: BatchLimits) -> Embed<Scripted> {
    Embed::new(Scripted::new(exactness, limits), EmbedSettings::default())
}

#[test]
fn texts_of_similar_length_share_a_batch() {
    let embed = plain(Exactness::Within(1e-6), LIMITS);
    let texts = ["a", "a b c d e f", "b", "a b c d e g", "c"];
    let (vectors, reports, counted) = run(&embed, &texts).unwrap();
    let expected: Vectors = texts.iter().enumerate().map(|(index, text)| (index as u128, vector(text))).collect();
    assert_eq!((vectors, reports), (expected, vec![]));
    assert_eq!(counted, TokenCount { tokens: 15, padding: 0 });
    let calls = embed.model().calls.lock().unwrap();
    assert_eq!(*calls, [vec!["a b c d e f", "a b c d e g"], vec!["a", "b", "c"]]);
}

#[test]
fn a_model_that_depends_on_the_batch_gets_one_text_at_a_time() {
    let embed = plain(Exactness::BatchDependent, LIMITS);
    let (vectors, _, counted) = run(&embed, &["a b", "c d", "e f"]).unwrap();
    assert_eq!((vectors.len(), counted.padding), (3, 0));
    assert!(embed.model().calls.lock().unwrap().iter().all(|texts| texts.len() == 1));
}

#[test]
fn texts_without_tokens_get_zero_vectors_without_the_model() {
    let embed = plain(Exactness::Bitwise, LIMITS);
    let (vectors, reports, counted) = run(&embed, &["", " \n"]).unwrap();
    assert_eq!((vectors, reports), (vec![(0, vec![0.0; 2]), (1, vec![0.0; 2])], vec![]));
    assert_eq!(counted, TokenCount::default());
    assert!(embed.model().calls.lock().unwrap().is_empty());
}

#[test]
fn invalid_vectors_are_reported_and_the_others_kept() {
    let embed = plain(Exactness::Bitwise, LIMITS);
    let (vectors, reports, _) = run(&embed, &["fine", "NAN", "INF", "SHORT"]).unwrap();
    assert_eq!(vectors, [(0, vector("fine"))]);
    assert_eq!(reports.len(), 3);
    for ((path, severity, message), (expected, what)) in
        reports.iter().zip([("src/1.rs", "NaN"), ("src/2.rs", "inf"), ("src/3.rs", "1 components, not 2")])
    {
        assert_eq!((path.as_str(), *severity), (expected, Severity::Warning));
        assert!(message.starts_with("no_vector: ") && message.contains(what), "{message}");
    }
}

#[test]
fn a_rejected_batch_is_halved_down_to_the_rejected_text() {
    let embed = plain(Exactness::Bitwise, LIMITS);
    let (vectors, reports, _) = run(&embed, &["a", "b", "REFUSE", "d"]).unwrap();
    let keys: Vec<u128> = vectors.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [0, 1, 3]);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].0, "src/2.rs");
    assert!(reports[0].2.contains("it is too long"), "{}", reports[0].2);
    assert_eq!(embed.model().calls.lock().unwrap().len(), 5);
}

#[test]
fn a_failed_model_fails_the_stage() {
    let embed = plain(Exactness::Bitwise, LIMITS);
    let error = run(&embed, &["a", "BREAK"]).unwrap_err();
    assert_eq!((&*error.stage, &*error.message), ("scripted", "it is broken; mend it"));
    let error = run(&embed, &["a", "FEW"]).unwrap_err();
    assert!(error.message.contains("0 vectors for 2 texts"), "{}", error.message);
}

#[test]
fn prefixes_and_the_norm_are_applied() {
    let settings = EmbedSettings { passage_prefix: "p: ".into(), query_prefix: "query: ".into(), normalize: true };
    let embed = Embed::new(Scripted::new(Exactness::Bitwise, LIMITS), settings.clone());
    let (vectors, _, counted) = run(&embed, &["abc d"]).unwrap();
    let expected = [8.0_f32, 3.0].map(|value| value / 73.0_f32.sqrt());
    assert_eq!(counted.tokens, 3);
    for (got, wanted) in vectors[0].1.iter().zip(expected) {
        assert!((got - wanted).abs() < 1e-6);
    }
    assert_eq!(embed.model().calls.lock().unwrap()[0], ["p: abc d"]);
    let query = embed.embed_query("x").unwrap().unwrap();
    assert!((query[0] / query[1] - 4.0).abs() < 1e-6, "8 bytes, 2 words");
    assert!(embed.embed_query("NAN").unwrap().is_err());

    let print = |settings: EmbedSettings| Embed::new(Scripted::new(Exactness::Bitwise, LIMITS), settings).fingerprint();
    let (same, first) = (settings.clone(), print(settings.clone()));
    assert_eq!(print(EmbedSettings { query_prefix: "q".into(), ..same.clone() }), first, "vectors stay");
    assert_ne!(print(EmbedSettings { passage_prefix: "q".into(), ..same.clone() }), first);
    assert_ne!(print(EmbedSettings { normalize: false, ..same }), first);
}

#[test]
fn the_context_of_a_passage_is_embedded_before_its_text() {
    let embed = plain(Exactness::Bitwise, LIMITS);
    let Batch(mut batch) = passages(&["text"]);
    Arc::get_mut(&mut batch[0]).unwrap().context = "context".into();
    embed.process(Batch(batch), &mut Emitter::new("embed".into())).unwrap();
    assert_eq!(embed.model().calls.lock().unwrap()[0], ["context\ntext"]);
}

#[test]
fn batches_run_with_the_concurrency_of_the_model() {
    let limits = BatchLimits { max_texts: 1, concurrency: 3, ..LIMITS };
    let embed = plain(Exactness::Bitwise, limits);
    let texts: Vec<String> = (0..40).map(|index| format!("text {index}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (vectors, _, _) = run(&embed, &texts).unwrap();
    assert_eq!(vectors.len(), 40);
    assert!(embed.model().max_running.load(Ordering::SeqCst) <= 3);
    assert!(run(&embed, &["a", "BREAK", "c", "d", "e"]).is_err());
}

proptest! {
    #[test]
    fn every_passage_has_the_vector_of_its_text(
        texts in proptest::collection::vec("( ?[a-z]{1,3}){0,8}", 0..40),
        concurrency in 1_usize..4,
        alone: bool,
    ) {
        let exactness = if alone { Exactness::BatchDependent } else { Exactness::Bitwise };
        let embed = plain(exactness, BatchLimits { concurrency, ..LIMITS });
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (vectors, reports, _) = run(&embed, &texts).unwrap();
        prop_assert!(reports.is_empty());
        let wanted = |text: &str| if text.trim().is_empty() { vec![0.0; 2] } else { vector(text) };
        let expected: Vectors = texts.iter().enumerate().map(|(index, text)| (index as u128, wanted(text))).collect();
        prop_assert_eq!(vectors, expected);
    }
}
