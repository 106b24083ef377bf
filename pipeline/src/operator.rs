//! Operators: the synchronous code that a stage runs.

mod answers;
mod config;
mod contained;
mod erased;
mod modules;
mod role;

pub use answers::AnswerLog;
pub(crate) use answers::KeepAnswers;
pub use config::{OperatorConfig, OperatorConfigError};
pub use contained::{contained, is_contained};
pub(crate) use contained::{outcome_of, panic_message};
pub use erased::{AnyOperator, ErasedChunker, ErasedEmbedder, ErasedOperator, ErasedParser, ErasedVectorMap};
pub use modules::{Declared, ModuleName, ModulePlace, ModuleUnit, NamedPlace};
pub(crate) use modules::{path_chain, path_parts};
pub use role::RolePorts;

use std::sync::Arc;
use std::time::Duration;

use gristmill_ids::Fingerprint;

use crate::diagnostic::{Diagnostic, Severity};
use crate::extra::ExtraColumn;
use crate::interrupt::Interrupt;
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
    /// Adds an item if the batch has room for it, and returns whether it had. An empty batch
    /// has room for any item.
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

    /// The bytes of all items.
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
///
/// An operator fits wherever its ports do. This one takes and outputs [`Content`], so it may
/// stand anywhere between the read stage and the [`Parser`]:
///
/// ```
/// use std::sync::Arc;
/// use gristmill_pipeline::port::Content;
/// use gristmill_pipeline::testing::{content, outputs};
/// use gristmill_pipeline::{Batch, Emitter, Fingerprint, Hash, Operator, OperatorError};
///
/// /// Writes line ends as line feeds.
/// struct LineFeeds;
///
/// impl Operator for LineFeeds {
///     type In = Arc<Content>;
///     type Out = Arc<Content>;
///
///     fn name(&self) -> &str {
///         "line_feeds"
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(b"line_feeds 1")
///     }
///
///     fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
///         for content in batch {
///             out.emit(Arc::new(content.with_text(content.text.replace("\r\n", "\n"))));
///         }
///         Ok(())
///     }
/// }
///
/// let given = outputs(&LineFeeds, [content("a.txt", "one\r\ntwo\r\n")]);
/// assert_eq!(&*given[0].text, "one\ntwo\n");
/// ```
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

    /// How many requests to something outside of the machine, such as a server, it has under way
    /// at once; 0 if it computes.
    ///
    /// An embedder that waits for requests gets threads of its own, and batches that are filled
    /// across files; see [`Emitter::count_wait`].
    fn requests(&self) -> usize {
        0
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
    /// Each item yields at most one output; the order is free. An item without output is
    /// dropped, and its diagnostics should say why. Further outputs of an item are ignored.
    ///
    /// # Errors
    /// Only for what is no item's fault, such as a model that stopped working: it ends
    /// the epoch. A bad item becomes a diagnostic.
    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError>;
}

/// An operator that finds what a text defines, uses and imports.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_pipeline::port::{Content, Import, Syntax};
/// use gristmill_pipeline::testing::{content, outputs};
/// use gristmill_pipeline::{
///     AnyOperator, Batch, Emitter, Extras, Fingerprint, Hash, ModuleName, Operator, OperatorError, Parser, RelPath,
/// };
///
/// /// Finds lines such as `include other.txt`.
/// struct Includes;
///
/// impl Operator for Includes {
///     type In = Arc<Content>;
///     type Out = Arc<Syntax>;
///
///     fn name(&self) -> &str {
///         "includes"
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(b"includes 1")
///     }
///
///     fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
///         for content in batch {
///             let included = (1..).zip(content.text.lines()).filter_map(|(line, text)| {
///                 let module = text.strip_prefix("include ")?.into();
///                 Some(Import { module, name: "".into(), alias: "".into(), line })
///             });
///             let (imports, lines) = (included.collect(), content.text.lines().count() as u32);
///             let (definitions, references, blocks) = Default::default();
///             let (language, extras) = ("text", Extras::default());
///             out.emit(Arc::new(Syntax { content, language, lines, definitions, references, imports, blocks, extras }));
///         }
///         Ok(())
///     }
/// }
///
/// impl Parser for Includes {
///     fn module_names(&self, path: &RelPath) -> Vec<String> {
///         vec![path.as_str().into()]
///     }
///
///     fn import_names(&self, _path: &RelPath, import: &Import) -> Vec<ModuleName> {
///         vec![ModuleName::whole(&*import.module)]
///     }
/// }
///
/// let given = outputs(&Includes, [content("a.txt", "one\ninclude b.txt\n")]);
/// let import = &given[0].imports[0];
/// assert_eq!(import.line, 2);
/// let meant = &Includes.import_names(&"a.txt".into(), import)[0].name;
/// assert_eq!(*meant, Includes.module_names(&"b.txt".into())[0]);
/// let _stage = AnyOperator::parser(Includes);
/// ```
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
    fn import_names(&self, _path: &RelPath, _import: &Import) -> Vec<ModuleName> {
        Vec::new()
    }

    /// The names that an import in the file at `path` binds there, as a path: `a` and `b` of
    /// `import a.b` in Python. Empty if it binds none, as one of all names.
    fn local_names(&self, _path: &RelPath, _import: &Import) -> Vec<Box<str>> {
        Vec::new()
    }

    /// The places at which manifests that name folders find the file at `path`: the path of
    /// the file, as imports write it, and that of a folder which it stands for.
    fn module_places(&self, _path: &RelPath) -> Vec<ModulePlace> {
        Vec::new()
    }

    /// The name (see [`import_names`](Self::import_names)) by which imports in other files may mean
    /// what this import means, whatever file that is: a package's, where this one stands in a
    /// manifest and says which file is the package's module. `None` for every other import.
    fn declared(&self, _path: &RelPath, _import: &Import) -> Option<Declared> {
        None
    }

    /// Imports that every file at such a path has without saying so, such as `crate` in Rust.
    fn implied_imports(&self, _path: &RelPath) -> Vec<Import> {
        Vec::new()
    }

    /// The unit whose definitions the file at `path` shares; by default its own.
    fn unit(&self, path: &RelPath) -> ModuleUnit {
        ModuleUnit { unit: path.as_str().into(), ..ModuleUnit::default() }
    }

    /// Names the languages that share names with this one: a use in one of them may mean
    /// a definition in another.
    fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        language
    }
}

/// An operator that cuts a text into chunks.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_pipeline::port::{Chunk, Chunked, Header, Span, Syntax};
/// use gristmill_pipeline::testing::{outputs, syntax};
/// use gristmill_pipeline::{AnyOperator, Batch, Chunker, Emitter, Extras, Fingerprint, Hash, Operator, OperatorError};
///
/// /// Makes one chunk of each file.
/// struct Whole;
///
/// impl Operator for Whole {
///     type In = Arc<Syntax>;
///     type Out = Arc<Chunked>;
///
///     fn name(&self) -> &str {
///         "whole"
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(b"whole 1")
///     }
///
///     fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
///         for syntax in batch {
///             let text = &syntax.content.text;
///             let chunk = Chunk {
///                 span: Span { start_byte: 0, end_byte: text.len() as u32, start_line: 1, end_line: syntax.lines },
///                 kind: "text",
///                 symbol: "".into(),
///                 scope: "".into(),
///                 tokens: text.split_whitespace().count() as u32,
///                 body_hash: self.header().body_hash("", "", text),
///                 extras: Extras::default(),
///             };
///             let chunks = vec![chunk];
///             out.emit(Arc::new(Chunked { syntax, chunks }));
///         }
///         Ok(())
///     }
/// }
///
/// impl Chunker for Whole {
///     fn header(&self) -> Header {
///         Header::None
///     }
/// }
///
/// let given = outputs(&Whole, [syntax("a.txt", "one two\n")]);
/// assert_eq!(given[0].chunks[0].tokens, 2);
/// let _stage = AnyOperator::chunker(Whole);
/// ```
pub trait Chunker: Operator<In = Arc<Syntax>, Out = Arc<Chunked>> {
    /// The header of the passages that are made from its chunks.
    fn header(&self) -> Header;
}

/// An operator that makes vectors of passages.
///
/// It returns one vector per passage, under the passage's key and of the declared dimension. A
/// diagnostic about a passage is used only if the passage has no vector: it is the reason.
///
/// ```
/// use std::sync::Arc;
/// use gristmill_pipeline::port::{Passage, Vector};
/// use gristmill_pipeline::testing::{outputs, passage};
/// use gristmill_pipeline::{AnyOperator, Batch, Embedder, Emitter, Fingerprint, Hash, Operator, OperatorError};
///
/// /// Counts vowels and digits.
/// struct Letters;
///
/// fn count(text: &str) -> [f32; 2] {
///     let count = |set: &str| text.chars().filter(|letter| set.contains(*letter)).count() as f32;
///     [count("aeiou"), count("0123456789")]
/// }
///
/// impl Operator for Letters {
///     type In = Arc<Passage>;
///     type Out = Vector;
///
///     fn name(&self) -> &str {
///         "letters"
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(b"letters 1")
///     }
///
///     fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
///         for passage in batch {
///             let mut text = String::new();
///             passage.write_to(&mut text);
///             out.emit(Vector { key: passage.key, values: count(&text).into() });
///         }
///         Ok(())
///     }
/// }
///
/// impl Embedder for Letters {
///     fn dimension(&self) -> usize {
///         2
///     }
///
///     fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
///         Some(Ok(count(text).into()))
///     }
/// }
///
/// let given = outputs(&Letters, [passage("area 51")]);
/// assert_eq!(*given[0].values, [3.0, 2.0]);
/// let _stage = AnyOperator::embedder(Letters);
/// ```
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
/// for each, under the same key. It runs on the vectors of queries too.
///
/// ```
/// use gristmill_pipeline::port::Vector;
/// use gristmill_pipeline::{
///     AnyOperator, Batch, Emitter, Fingerprint, Hash, Operator, OperatorError, PassageKey, VectorMap,
/// };
/// use gristmill_pipeline::testing::outputs;
///
/// /// Keeps the first components.
/// struct First(usize);
///
/// impl Operator for First {
///     type In = Vector;
///     type Out = Vector;
///
///     fn name(&self) -> &str {
///         "first"
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(format!("first 1 {}", self.0).as_bytes())
///     }
///
///     fn process(&self, batch: Batch<Vector>, out: &mut Emitter<Vector>) -> Result<(), OperatorError> {
///         for Vector { key, values } in batch {
///             out.emit(Vector { key, values: values.iter().copied().take(self.0).collect() });
///         }
///         Ok(())
///     }
/// }
///
/// impl VectorMap for First {
///     fn dimension(&self, input: usize) -> usize {
///         self.0.min(input)
///     }
/// }
///
/// let vector = Vector { key: PassageKey::NONE, values: [1.0, 2.0, 3.0].into() };
/// assert_eq!(*outputs(&First(2), [vector])[0].values, [1.0, 2.0]);
/// assert_eq!(First(2).dimension(3), 2);
/// let _stage = AnyOperator::vector_map(First(2));
/// ```
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
    pub(crate) cpu: Duration,
    pub(crate) waited: Duration,
    interrupt: Interrupt,
    answers: AnswerLog,
}

impl<T> Emitter<T> {
    /// An emitter for the stage of that name.
    #[must_use]
    pub fn new(stage: Arc<str>) -> Self {
        Self::within(stage, Interrupt::default())
    }

    /// An emitter for a stage of a run that `interrupt` ends.
    pub(crate) fn within(stage: Arc<str>, interrupt: Interrupt) -> Self {
        let (counted, cpu, waited) = (TokenCount::default(), Duration::ZERO, Duration::ZERO);
        let answers = AnswerLog::default();
        Self { stage, items: Vec::new(), diagnostics: Vec::new(), counted, cpu, waited, interrupt, answers }
    }

    /// The same with a log of answers.
    pub(crate) fn with_answers(self, answers: AnswerLog) -> Self {
        Self { answers, ..self }
    }

    /// Where an embedder that asks a server writes down what it is answered.
    #[must_use]
    pub fn answers(&self) -> AnswerLog {
        self.answers.clone()
    }

    /// An empty emitter of the same stage and run.
    pub(crate) fn sibling<U>(&self) -> Emitter<U> {
        Emitter::within(Arc::clone(&self.stage), self.interrupt.clone()).with_answers(self.answers.clone())
    }

    /// Whether the run was asked to stop. An operator in a long wait returns any error then: the run ends with [`RunError::Interrupted`](crate::run::RunError::Interrupted).
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupt.is_requested()
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

    /// Counts CPU time that a process of the operator's own took; it is part of the stage's measures.
    pub fn count_cpu(&mut self, more: Duration) {
        self.cpu += more;
    }

    /// Counts time that [requests](Operator::requests) took, added up over those that were under way
    /// together. No run can take less than it over the number of requests at once.
    pub fn count_wait(&mut self, more: Duration) {
        self.waited += more;
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
