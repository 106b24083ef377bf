//! The operator that runs an [`EmbeddingModel`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gristmill_pipeline::port::{Passage, Vector};
use gristmill_pipeline::{
    AnswerLog, Batch, BatchSize, Embedder, Emitter, Fingerprint, Hash, Operator, OperatorError, Severity, TokenCount,
};

use super::batches::batches;
use super::embedding_model::{BatchLimits, EmbeddingModel, EmbeddingModelError, Exactness};

/// How texts are prepared for the model, and vectors after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmbedSettings {
    /// Is prepended to each passage.
    pub passage_prefix: String,
    /// Is prepended to each query.
    pub query_prefix: String,
    /// Whether vectors are normalised to unit length.
    pub normalize: bool,
}

/// Embeds passages with a model.
///
/// A passage without tokens gets a zero vector. One that the model rejects, or for which it
/// returns a vector of the wrong length or with a value that is not finite, gets no vector and a
/// diagnostic `no_vector`; its row stays in the index, where lexical search finds it.
#[derive(Debug)]
pub struct Embed<M> {
    model: M,
    settings: EmbedSettings,
    fingerprint: Fingerprint,
}

/// The results of texts, by index: a vector, or the reason why there is none.
type Embedded = Vec<Answer>;

type Answer = (usize, Result<Vec<f32>, String>);

/// Model batches per batch of the operator: enough to group passages of similar length.
const BATCHES_AT_ONCE: usize = 4;

/// Minimum number of passages per batch of the operator, for the same reason.
const MIN_PASSAGES: usize = 32;

impl<M: EmbeddingModel> Embed<M> {
    /// Returns an operator that runs `model`.
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

    /// Returns the model.
    pub const fn model(&self) -> &M {
        &self.model
    }

    /// Returns the settings.
    pub const fn settings(&self) -> &EmbedSettings {
        &self.settings
    }

    /// Returns the limits of a model batch.
    fn limits(&self) -> BatchLimits {
        let limits = self.model.batch_limits();
        match self.model.exactness() {
            Exactness::BatchDependent => BatchLimits { max_texts: 1, ..limits },
            Exactness::Bitwise | Exactness::Within(_) => limits,
        }
    }

    fn error(&self, message: impl Into<Box<str>>) -> OperatorError {
        OperatorError { stage: self.model.kind().into(), message: message.into() }
    }

    fn count_tokens(&self, text: &str) -> Result<usize, OperatorError> {
        self.model.count_tokens(text).map_err(|error| self.error(error.to_string()))
    }

    /// Embeds a batch. If the model rejects it, embeds its halves, down to the single text that
    /// is rejected.
    fn embed(
        &self,
        texts: &[&str],
        indices: &[usize],
        answered: &(dyn Fn(&[Answer]) + Sync),
        done: &mut Embedded,
    ) -> Result<(), OperatorError> {
        match self.model.embed(texts) {
            Ok(vectors) if vectors.len() == texts.len() => {
                let before = done.len();
                done.extend(indices.iter().copied().zip(vectors.into_iter().map(|vector| self.checked(vector))));
                answered(done.get(before..).unwrap_or_default());
                Ok(())
            }
            Ok(vectors) => Err(self.error(format!(
                "the model returned {} vectors for {} texts; check the model or use another one",
                vectors.len(),
                texts.len()
            ))),
            Err(EmbeddingModelError::Rejected(_)) if texts.len() > 1 => {
                let (left, right) = texts.split_at(texts.len() / 2);
                let (left_indices, right_indices) = indices.split_at(left.len());
                self.embed(left, left_indices, answered, done)?;
                self.embed(right, right_indices, answered, done)
            }
            Err(EmbeddingModelError::Rejected(reason)) => {
                done.extend(indices.iter().map(|&index| (index, Err(reason.clone()))));
                Ok(())
            }
            Err(EmbeddingModelError::Failed(message)) => Err(self.error(message)),
        }
    }

    /// Returns the vector as it is stored, or what is wrong with it.
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

    /// Embeds batches, with the concurrency that the model allows, and writes down what a server answers as it comes.
    fn embed_all(
        &self,
        passages: &[Arc<Passage>],
        texts: &[String],
        batches: &[Vec<usize>],
        answers: &AnswerLog,
    ) -> Result<Embedded, OperatorError> {
        let key = |index: usize| passages.get(index).map(|passage| passage.key);
        let answered = |done: &[Answer]| {
            answers.answered(done.iter().filter_map(|(index, vector)| Some((key(*index)?, vector.as_deref().ok()?))));
        };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Embedded::new();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                let batch_texts: Vec<&str> =
                    batch.iter().filter_map(|&index| texts.get(index)).map(String::as_str).collect();
                let _turn = self.model.turn();
                answers.asks(batch.iter().filter_map(|&index| key(index)));
                if let Err(error) = self.embed(&batch_texts, batch, &answered, &mut done) {
                    // Stops the other threads: their results would not be used.
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

    fn requests(&self) -> usize {
        self.model.requests()
    }

    fn batch_size(&self) -> BatchSize {
        let limits = self.limits();
        let items = match limits.max_texts {
            1 => 8,
            max_texts => max_texts.saturating_mul(limits.concurrency.max(BATCHES_AT_ONCE)).max(MIN_PASSAGES),
        };
        BatchSize { items, bytes: u64::MAX, tokens: u64::MAX }
    }

    fn process(&self, batch: Batch<Arc<Passage>>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
        let prefix = &self.settings.passage_prefix;
        let added = if prefix.is_empty() { 0 } else { self.count_tokens(prefix)? };
        let max_tokens = self.model.max_tokens();
        let (mut passages, mut texts, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for passage in batch {
            let mut text = prefix.clone();
            passage.write_to(&mut text);
            let tokens = self.count_tokens(text.get(prefix.len()..).unwrap_or_default())?;
            if tokens == 0 {
                out.emit(Vector { key: passage.key, values: vec![0.0; self.model.dimension()].into() });
                continue;
            }
            passages.push(passage);
            texts.push(text);
            lengths.push((added + tokens).min(max_tokens));
        }
        let limits = self.limits();
        let batches = batches(&lengths, limits);
        out.count_tokens(count_computed(&lengths, &batches, limits.pads));
        let vectors = self.embed_all(&passages, &texts, &batches, &out.answers());
        out.count_wait(self.model.take_wait());
        for (index, vector) in vectors? {
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
        let vector = self.model.embed_query(&prefixed).map_err(|error| error.to_string());
        Some(vector.and_then(|vector| self.checked(vector)).map_err(|message| self.error(message)))
    }
}

/// Counts the tokens of the texts, and those that pad them to the longest of their batch.
fn count_computed(lengths: &[usize], batches: &[Vec<usize>], pads: bool) -> TokenCount {
    let tokens: usize = lengths.iter().sum();
    let longest = |batch: &Vec<usize>| batch.iter().filter_map(|&index| lengths.get(index)).max().copied();
    let all: usize = batches.iter().map(|batch| longest(batch).unwrap_or_default() * batch.len()).sum();
    let padding = if pads { all - tokens } else { 0 };
    TokenCount { tokens: tokens as u64, padding: padding as u64 }
}
