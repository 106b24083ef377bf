//! The operator over any [`EmbeddingModel`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gristmill_pipeline::port::{Passage, Vector};
use gristmill_pipeline::{
    Batch, BatchSize, Embedder, Emitter, Fingerprint, Hash, Operator, OperatorError, Severity, TokenCount,
};

use super::batches::batches;
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};

/// What is done to texts before the model sees them, and to vectors after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbedSettings {
    /// Stands before each passage.
    pub passage_prefix: String,
    /// Stands before each query.
    pub query_prefix: String,
    /// Divides each vector by its norm.
    pub normalize: bool,
}

/// Embeds passages with a model.
///
/// A passage without tokens has a zero vector. One that the model refuses, or for which
/// it gives no finite vector of the right length, has none, and a warning says so: its
/// row stays, and a search by words finds it.
#[derive(Debug)]
pub struct Embed<M> {
    model: M,
    settings: EmbedSettings,
    fingerprint: Fingerprint,
}

/// What became of the texts of a batch, by their index: a vector, or why there is none.
type Embedded = Vec<(usize, Result<Vec<f32>, String>)>;

/// Passages that the operator takes at once, per batch of the model: among so many, there
/// are enough of like length.
const BATCHES_AT_ONCE: usize = 4;

/// Fewer than this at once leave no choice of like lengths.
const LEAST_PASSAGES: usize = 32;

impl<M: EmbeddingModel> Embed<M> {
    /// An operator over `model`.
    pub fn new(model: M, settings: EmbedSettings) -> Self {
        let fingerprint = Hash::of_parts([
            b"embed".as_slice(),
            model.kind().as_bytes(),
            b"1",
            model.identity().as_bytes(),
            settings.passage_prefix.as_bytes(),
            &[u8::from(settings.normalize)],
        ]);
        Self { model, settings, fingerprint }
    }

    /// The model.
    pub const fn model(&self) -> &M {
        &self.model
    }

    /// What is done before and after the model.
    pub const fn settings(&self) -> &EmbedSettings {
        &self.settings
    }

    fn limits(&self) -> BatchLimits {
        let limits = self.model.batch_limits();
        match self.model.exactness() {
            Exactness::Batch => BatchLimits { texts: 1, ..limits },
            Exactness::Bitwise | Exactness::Within(_) => limits,
        }
    }

    fn broken(&self, message: impl Into<Box<str>>) -> OperatorError {
        OperatorError { stage: self.model.kind().into(), message: message.into() }
    }

    fn tokens(&self, text: &str) -> Result<usize, OperatorError> {
        self.model.count_tokens(text).map_err(|failure| self.broken(failure.to_string()))
    }

    /// Embeds texts. Those that the model refuses together are given to it in halves,
    /// down to the text that it refuses alone.
    fn embed(&self, texts: &[&str], indices: &[usize], done: &mut Embedded) -> Result<(), OperatorError> {
        match self.model.embed(texts) {
            Ok(vectors) if vectors.len() == texts.len() => {
                done.extend(indices.iter().copied().zip(vectors.into_iter().map(|vector| self.checked(vector))));
                Ok(())
            }
            Ok(vectors) => Err(self.broken(format!(
                "the model gave {} vectors for {} texts; check the model, or take another",
                vectors.len(),
                texts.len()
            ))),
            Err(EmbeddingModelError::Rejected(_)) if texts.len() > 1 => {
                let (left, right) = texts.split_at(texts.len() / 2);
                let (left_indices, right_indices) = indices.split_at(left.len());
                self.embed(left, left_indices, done)?;
                self.embed(right, right_indices, done)
            }
            Err(EmbeddingModelError::Rejected(reason)) => {
                done.extend(indices.iter().map(|&index| (index, Err(reason.clone()))));
                Ok(())
            }
            Err(EmbeddingModelError::Failed(message)) => Err(self.broken(message)),
        }
    }

    /// The vector as it is stored, or what is wrong with it.
    fn checked(&self, mut vector: Vec<f32>) -> Result<Vec<f32>, String> {
        let dimension = self.model.dimension();
        if vector.len() != dimension {
            return Err(format!("the model gave a vector of {} components, not {dimension}", vector.len()));
        }
        if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
            return Err(format!("the model gave a vector that holds {value}"));
        }
        if self.settings.normalize {
            let norm = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
            }
        }
        Ok(vector)
    }

    /// Embeds batches, as many at once as the model takes from one caller.
    fn embed_all(&self, texts: &[String], batches: &[Vec<usize>]) -> Result<Embedded, OperatorError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Embedded::new();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let batch_texts: Vec<&str> =
                    batch.iter().filter_map(|&index| texts.get(index)).map(String::as_str).collect();
                if let Err(error) = self.embed(&batch_texts, batch, &mut done) {
                    // The others need not begin what will not be used.
                    next.store(batches.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(done)
        };
        let others = self.limits().concurrency.min(batches.len()).saturating_sub(1);
        std::thread::scope(|scope| {
            let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                let done = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                match (&mut all, done) {
                    (Ok(all), Ok(mut done)) => all.append(&mut done),
                    (Ok(_), Err(error)) => all = Err(error),
                    (Err(_), _) => {}
                }
            }
            all
        })
    }
}

impl<M: EmbeddingModel> Operator for Embed<M> {
    type In = Arc<Passage>;
    type Out = Vector;

    fn name(&self) -> &str {
        self.model.kind()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn batch_size(&self) -> BatchSize {
        let limits = self.limits();
        let items = match limits.texts {
            1 => 8,
            texts => texts.saturating_mul(limits.concurrency.max(BATCHES_AT_ONCE)).max(LEAST_PASSAGES),
        };
        BatchSize { items, bytes: u64::MAX, tokens: u64::MAX }
    }

    fn process(&self, batch: Batch<Arc<Passage>>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        let prefix = &self.settings.passage_prefix;
        let added = if prefix.is_empty() { 0 } else { self.tokens(prefix)? };
        let most = self.model.max_tokens();
        let (mut passages, mut texts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for passage in batch {
            let mut text = prefix.clone();
            passage.write_to(&mut text);
            let tokens = self.tokens(text.get(prefix.len()..).unwrap_or_default())?;
            if tokens == 0 {
                out.emit(Vector { key: passage.key, values: vec![0.0; self.model.dimension()].into() });
                continue;
            }
            passages.push(passage);
            texts.push(text);
            lengths.push((added + tokens).min(most));
        }
        let limits = self.limits();
        let batches = batches(&lengths, limits);
        out.count_tokens(computed(&lengths, &batches, limits.pads));
        for (index, vector) in self.embed_all(&texts, &batches)? {
            let Some(passage) = passages.get(index) else { continue };
            match vector {
                Ok(values) => out.emit(Vector { key: passage.key, values: values.into() }),
                Err(reason) => out.report(
                    &passage.path,
                    Severity::Warning,
                    "no_vector",
                    0,
                    format!("{reason}; a chunk of this file is found by its words only"),
                ),
            }
        }
        Ok(())
    }
}

impl<M: EmbeddingModel> Embedder for Embed<M> {
    fn dimension(&self) -> usize {
        self.model.dimension()
    }

    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        let prefixed = format!("{}{text}", self.settings.query_prefix);
        let vector = self.model.embed_query(&prefixed).map_err(|failure| failure.to_string());
        Some(vector.and_then(|vector| self.checked(vector)).map_err(|message| self.broken(message)))
    }
}

/// The tokens of the texts, and those that pad them to the longest of their batch.
fn computed(lengths: &[usize], batches: &[Vec<usize>], pads: bool) -> TokenCount {
    let tokens: usize = lengths.iter().sum();
    let longest = |batch: &Vec<usize>| batch.iter().filter_map(|&index| lengths.get(index)).max().copied();
    let all: usize = batches.iter().map(|batch| longest(batch).unwrap_or_default() * batch.len()).sum();
    let padding = if pads { all - tokens } else { 0 };
    TokenCount { tokens: tokens as u64, padding: padding as u64 }
}
