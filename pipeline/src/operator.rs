//! Operators: the synchronous code that a stage runs.

mod config;
mod contained;
mod erased;
mod role;

pub use config::{OperatorConfig, OperatorConfigError};
pub(crate) use contained::{contained, in_operator};
pub use erased::{AnyOperator, ErasedChunker, ErasedEmbedder, ErasedOperator, ErasedParser, ErasedVectorMap};
pub use role::RolePorts;

use std::sync::Arc;

use gristmill_ids::Fingerprint;

use crate::diagnostic::{Diagnostic, Severity};
use crate::extra::ExtraColumn;
use crate::path::RelPath;
use crate::port::{Chunked, Content, Header, Import, Passage, PortItem, Syntax, Vector};

/// Items that a stage takes at once, in path order.
#[derive(Debug)]
pub struct Batch<T>(pub Vec<T>);

impl<T> IntoIterator for Batch<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// How much a stage wants to take at once. The executor forms the batches; a batch ends
/// at whichever limit it reaches first, and holds at least one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// At most this many items.
    pub items: usize,
    /// At most this many bytes.
    pub bytes: u64,
    /// At most this many model tokens.
    pub tokens: u64,
}

impl BatchSize {
    /// One item at a time.
    pub const ONE: Self = Self { items: 1, bytes: u64::MAX, tokens: u64::MAX };
}

/// How full a batch is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Filled {
    items: usize,
    bytes: u64,
    tokens: u64,
}

impl Filled {
    /// Takes one more item, if a batch of that size has room for it.
    pub(crate) fn takes(&mut self, size: &BatchSize, bytes: u64, tokens: u64) -> bool {
        let has_room = self.items < size.items
            && self.bytes.saturating_add(bytes) <= size.bytes
            && self.tokens.saturating_add(tokens) <= size.tokens;
        if self.items > 0 && !has_room {
            return false;
        }
        self.items += 1;
        self.bytes += bytes;
        self.tokens += tokens;
        true
    }

    /// The bytes of its items.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A step of the data plane: plain synchronous code that owns no thread, no channel and
/// no clock, and may be called from several threads at once.
///
/// The result for an item depends on nothing but the item and the operator's
/// configuration: not on the batch, the thread, or what came before. That is what makes
/// the modes agree (law 1).
pub trait Operator: Send + Sync {
    /// What it takes.
    type In: PortItem;
    /// What it gives.
    type Out: PortItem;

    /// The operator's name, such as `parse`.
    fn name(&self) -> &str;

    /// Hash of the operator's code version and configuration. Whatever changes a result
    /// must change this.
    fn fingerprint(&self) -> Fingerprint;

    /// The batches it wants.
    fn batch_size(&self) -> BatchSize {
        BatchSize::ONE
    }

    /// What a file's path says about how its content is to be processed, such as the
    /// language. Two files with equal bytes and equal variants of all operators are
    /// processed once.
    fn variant(&self, _path: &RelPath) -> &'static str {
        ""
    }

    /// The columns that its output has beside those of gristmill; see [`ExtraColumn`].
    fn columns(&self) -> Vec<ExtraColumn> {
        Vec::new()
    }

    /// Processes a batch.
    ///
    /// An item that yields no output has been dealt with: its diagnostics say how.
    ///
    /// # Errors
    /// Only for what is no item's fault, such as a model that stopped working: it ends
    /// the epoch. A bad item becomes a diagnostic.
    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError>;
}

/// An operator that finds what a text defines, uses and imports.
pub trait Parser: Operator<In = Arc<Content>, Out = Arc<Syntax>> {
    /// The names by which imports in other files may mean the file at `path`, such as
    /// `a/b/c` and `b/c`. Names of different languages never mean each other: the operator
    /// says so in the names, by a prefix for example.
    fn module_names(&self, _path: &RelPath) -> Vec<String> {
        Vec::new()
    }

    /// The names (see [`module_names`](Self::module_names)) that an import in the file at
    /// `path` may mean, the likeliest first; the first that some file has is what it
    /// means. Empty if it can mean no file of the source.
    fn import_names(&self, _path: &RelPath, _import: &Import) -> Vec<String> {
        Vec::new()
    }

    /// Names the languages that share names with this one: a use in one of them may mean
    /// a definition in another.
    fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        language
    }
}

/// An operator that cuts a text into chunks.
pub trait Chunker: Operator<In = Arc<Syntax>, Out = Arc<Chunked>> {
    /// The header of the passages that are made from its chunks.
    fn header(&self) -> Header;
}

/// An operator that makes vectors of passages.
pub trait Embedder: Operator<In = Arc<Passage>, Out = Vector> {
    /// The number of components of its vectors.
    fn dimension(&self) -> usize;

    /// The vector of a query, to be compared with the vectors of passages. It never waits
    /// for a batch that is being processed.
    ///
    /// `None` if the operator embeds no queries.
    fn embed_query(&self, _text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        None
    }
}

/// An operator that turns vectors into others, such as shorter ones. It gives one vector
/// for each, under the same key.
pub trait VectorMap: Operator<In = Vector, Out = Vector> {
    /// The number of components of its vectors, given that of those it takes.
    fn dimension(&self, input: usize) -> usize;
}

/// What an embed operator gave its model to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Tokens of the texts themselves.
    pub tokens: u64,
    /// Tokens that only made the texts of a batch equally long.
    pub padding: u64,
}

/// Takes what an operator makes of a batch.
#[derive(Debug)]
pub struct Emitter<T> {
    pub(crate) stage: Arc<str>,
    pub(crate) items: Vec<T>,
    pub(crate) diagnostics: Vec<(RelPath, Diagnostic)>,
    pub(crate) counted: TokenCount,
}

impl<T> Emitter<T> {
    /// An emitter for the stage of that name.
    #[must_use]
    pub fn new(stage: Arc<str>) -> Self {
        Self { stage, items: Vec::new(), diagnostics: Vec::new(), counted: TokenCount::default() }
    }

    /// Gives an output.
    pub fn emit(&mut self, item: T) {
        self.items.push(item);
    }

    /// Reports something about a file. `line` is 1-based, 0 for the whole file; `code`
    /// is a stable word; the message must not hold the file's text.
    pub fn report(&mut self, path: &RelPath, severity: Severity, code: &str, line: u32, message: impl Into<Box<str>>) {
        let stage = Arc::clone(&self.stage);
        let diagnostic = Diagnostic { severity, stage, code: code.into(), line, message: message.into() };
        self.diagnostics.push((path.clone(), diagnostic));
    }

    /// Counts tokens that a model computed; they are part of the stage's measures.
    pub fn count_tokens(&mut self, more: TokenCount) {
        self.counted.tokens += more.tokens;
        self.counted.padding += more.padding;
    }

    /// The tokens counted so far.
    #[must_use]
    pub const fn counted(&self) -> TokenCount {
        self.counted
    }

    /// What was given so far.
    #[must_use]
    pub fn into_parts(self) -> (Vec<T>, Vec<(RelPath, Diagnostic)>) {
        (self.items, self.diagnostics)
    }
}

/// An operator can no longer work at all.
#[derive(Debug, thiserror::Error)]
#[error("stage `{stage}`: {message}")]
pub struct OperatorError {
    /// The stage that failed.
    pub stage: Box<str>,
    /// What, where, and what to do.
    pub message: Box<str>,
}
