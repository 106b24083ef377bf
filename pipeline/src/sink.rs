//! Sinks: where rows go, in two steps (law 3: one epoch everywhere, or nowhere).
//!
//! ```text
//! SinkConfig ──open──► Sink ──begin──► EpochWriter ──stage──► StagedEpoch ──publish──► Sink, Token
//!                                      remove, add*             │
//!                                           └──────abort────────┘
//! ```
//!
//! Each step consumes what the step before gave, so that a wrong order does not compile.
//! `stage` makes everything durable and visible to nobody; `publish` makes it the sink's
//! newest state and returns a [`Token`] that finds this very state again, in any
//! process. An epoch exists once its commit record names the tokens; what a sink holds
//! beyond the newest record is rolled back by the next `open`. A step that fails leaves
//! nothing open: the store is opened anew, at the epoch that stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_ids::{ContentHash, Epoch, Fingerprint, Hash, RowKey};
use gristmill_views::{ViewDelta, ViewSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::extra::{ExtraColumn, Extras};
use crate::index::Depth;
use crate::past_files::PastFiles;
use crate::path::RelPath;
use crate::port::{Chunk, Definition, Import, Port, Reference, Text};

/// What a sink needs to find a published state again: for Lance the version of each
/// table, for Tantivy the name of the epoch's `meta` file.
pub type Token = serde_json::Value;

/// Names all rows that one path has while it holds one content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowId {
    /// The path.
    pub path: RelPath,
    /// The hash of what it holds.
    pub content_hash: ContentHash,
}

impl RowId {
    /// The key by which a store finds the rows.
    #[must_use]
    pub fn key(&self) -> RowKey {
        row_key(self.path.as_str(), &self.content_hash)
    }
}

/// The key of the rows that `path` has while it holds `content_hash`.
#[must_use]
pub fn row_key(path: &str, content_hash: &ContentHash) -> RowKey {
    RowKey::from(&Hash::of_parts([path.as_bytes(), content_hash.as_bytes()]))
}

/// All that one path holds at an epoch, as far as a sink's inputs go.
///
/// A record comes from a content that was just processed, or was recalled from what is
/// stored: a sink cannot tell which, and must store the same rows for both. It must use only
/// the text of chunks: the text of a recalled record has gaps between them.
#[derive(Clone, Debug)]
pub struct Record {
    /// The path.
    pub path: RelPath,
    /// What its content is.
    pub analysis: Arc<Analysis>,
    /// Its chunks with their vectors; `None` for a sink with no input of chunks or vectors.
    pub chunks: Option<RecordChunks>,
}

/// The chunks of a [`Record`].
#[derive(Clone, Debug)]
pub struct RecordChunks {
    /// The chunks, in order.
    pub chunks: Arc<[Chunk]>,
    /// For each chunk the hash by which its vector is looked up: the hash of everything that
    /// the embedder sees of it. A chunk that could not be embedded has a different hash, so
    /// that a lookup does not return the zeros stored in place of its vector.
    pub hashes: Vec<Hash>,
    /// For each chunk its vector, one after the other (`chunks.len() × dimension`);
    /// `None` for a sink whose input is chunks.
    pub vectors: Option<Vec<f32>>,
}

/// What the operators found in one content.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// BLAKE3 of the file's bytes.
    pub content_hash: ContentHash,
    /// The language's name in lower case; `text` if none is known, `binary` for content
    /// that is no text.
    pub language: Box<str>,
    /// The file's size in bytes.
    pub bytes: u64,
    /// Its lines; a last line without a line feed counts.
    pub lines: u32,
    /// The decoded text, as the last operator on texts returned it; empty if an operator
    /// dropped the file.
    pub text: Text,
    /// What it defines, in order.
    pub definitions: Vec<Definition>,
    /// Names that it uses, in order.
    pub references: Vec<Reference>,
    /// What it imports, in order.
    pub imports: Vec<Import>,
    /// What there is to say about it.
    pub diagnostics: Vec<Diagnostic>,
    /// Values of extra columns of files.
    pub extras: Extras,
}

impl Analysis {
    /// Whether the file is quarantined: a diagnostic says that it could not be indexed.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == crate::Severity::Error)
    }
}

/// The epoch that a sink is asked to stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EpochMeta {
    /// Its number.
    pub epoch: Epoch,
    /// The root of the Merkle tree that it holds.
    pub merkle_root: Hash,
}

/// A sink could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("sink `{sink}`: {action}: {message}")]
pub struct SinkError {
    /// The stage's name.
    pub sink: Box<str>,
    /// What it was doing, such as `cannot write table chunks`.
    pub action: Box<str>,
    /// Why, and what to do where something can be done.
    pub message: Box<str>,
}

/// A parameter of a sink has a value that the sink cannot work with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SinkConfigError {
    /// The parameter.
    pub parameter: &'static str,
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// What builds a sink: its configuration.
///
/// Deriving `Deserialize` for it and registering the type is all that a job file needs to
/// name the sink.
///
/// This sink stores the set of rows, with its whole state in the token:
///
/// ```
/// use std::collections::BTreeSet;
/// use gristmill_pipeline::port::Port;
/// use gristmill_pipeline::testing::record;
/// use gristmill_pipeline::{
///     Epoch, EpochMeta, EpochWriter, Fingerprint, Hash, PastFiles, Published, Record, RowId, Sink, SinkConfig, SinkContext,
///     SinkError, StagedEpoch, StagedRows, Token,
/// };
///
/// struct RowSet;
///
/// #[derive(Default)]
/// struct Rows {
///     rows: BTreeSet<RowId>,
///     staged: StagedRows,
/// }
///
/// impl SinkConfig for RowSet {
///     fn kind(&self) -> &str {
///         "row_set"
///     }
///
///     fn accepts(&self) -> &[Port] {
///         &[Port::Syntax]
///     }
///
///     fn fingerprint(&self) -> Fingerprint {
///         Hash::of(b"row_set 1")
///     }
///
///     fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError> {
///         let Some(base) = base else { return Ok(Box::new(Rows::default())) };
///         let rows = serde_json::from_value(base.clone()).map_err(|error| SinkError {
///             sink: context.name,
///             action: "cannot read its token".into(),
///             message: error.to_string().into(),
///         })?;
///         Ok(Box::new(Rows { rows, ..Rows::default() }))
///     }
/// }
///
/// impl Sink for Rows {
///     fn begin(self: Box<Self>, _: Epoch, replace: bool) -> Result<Box<dyn EpochWriter>, SinkError> {
///         let rows = if replace { BTreeSet::new() } else { self.rows };
///         Ok(Box::new(Self { rows, ..Self::default() }))
///     }
/// }
///
/// impl EpochWriter for Rows {
///     fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError> {
///         self.staged.deleted += rows.iter().filter(|row| self.rows.remove(row)).count() as u64;
///         Ok(())
///     }
///
///     fn add(&mut self, records: &[Record]) -> Result<(), SinkError> {
///         self.staged.added += records.len() as u64;
///         let row = |it: &Record| RowId { path: it.path.clone(), content_hash: it.analysis.content_hash };
///         self.rows.extend(records.iter().map(row));
///         Ok(())
///     }
///
///     fn stage(self: Box<Self>, _: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError> {
///         Ok(self)
///     }
///
///     fn abort(self: Box<Self>) -> Result<(), SinkError> {
///         Ok(())
///     }
/// }
///
/// impl StagedEpoch for Rows {
///     fn rows(&self) -> StagedRows {
///         self.staged
///     }
///
///     fn publish(self: Box<Self>) -> Result<Published, SinkError> {
///         Ok(Published::new(serde_json::json!(self.rows), self))
///     }
///
///     fn abort(self: Box<Self>) -> Result<(), SinkError> {
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), SinkError> {
/// // The steps of a run.
/// let context = SinkContext {
///     name: "rows".into(),
///     folder: "/index/rows".into(),
///     inputs: vec![Port::Syntax],
///     dimension: None,
///     columns: Vec::new(),
///     views: Vec::new(),
///     single_threaded: true,
///     memory_limit: u64::MAX,
///     past_files: PastFiles::default(),
/// };
/// let meta = EpochMeta { epoch: Epoch::FIRST, merkle_root: Hash::of(b"") };
/// let mut writer = RowSet.open(context, None)?.begin(meta.epoch, true)?;
/// writer.add(&[record("a.txt", "one"), record("b.txt", "two")])?;
/// let staged = writer.stage(&meta)?;
/// assert_eq!(staged.rows().added, 2);
/// let Published { token, .. } = staged.publish()?;
/// assert_eq!(token[1]["path"], "b.txt");
/// # Ok(())
/// # }
/// ```
pub trait SinkConfig: Send + Sync {
    /// The sink's name in configuration, such as `lance`.
    fn kind(&self) -> &str;

    /// The ports that it can store.
    fn accepts(&self) -> &[Port];

    /// Hash of what shapes the rows, apart from its inputs: schema version and
    /// configuration.
    fn fingerprint(&self) -> Fingerprint;

    /// Whether it keeps tables of views.
    fn keeps_views(&self) -> bool {
        false
    }

    /// Whether the sink gives rows back, and how. One that does has an
    /// [`EpochWriter::fact_store`].
    fn facts(&self, _context: &SinkContext) -> Option<FactForm> {
        None
    }

    /// How many rows it makes of a record.
    fn rows_of(&self, _context: &SinkContext, record: &Record) -> u64 {
        record.chunks.as_ref().map_or(0, |chunks| chunks.chunks.len() as u64)
    }

    /// Checks the parameters that their types do not check, such as ranges. A job that names
    /// the sink is refused if it fails.
    ///
    /// # Errors
    /// If a parameter has a value that the sink cannot work with.
    fn check(&self) -> Result<(), SinkConfigError> {
        Ok(())
    }

    /// Opens the store at the state of `base`, rolling back whatever is newer; without
    /// `base`, anything found is leftover of an epoch that never was, and is dropped.
    ///
    /// # Errors
    /// If the store cannot be read or written, or does not have the state.
    fn open(&self, context: SinkContext, base: Option<&Token>) -> Result<Box<dyn Sink>, SinkError>;

    /// Opens what a sink that [gives rows back](Self::facts) holds at a state, only to read
    /// it: nothing is rolled back or written. `None` if the sink does not give rows back.
    ///
    /// # Errors
    /// If the store cannot be read, or does not have the state.
    fn open_facts(&self, _context: SinkContext, _base: &Token) -> Result<Option<Box<dyn FactStore>>, SinkError> {
        Ok(None)
    }

    /// Compares the files of a state that [`Published::files`] leaves out with checksums or lengths of their own, and
    /// returns the damaged ones, relative to `folder`, each with what is wrong.
    fn verify(&self, _folder: &Path, _base: &Token, _depth: Depth) -> Vec<(PathBuf, String)> {
        Vec::new()
    }

    /// Deletes files in the place of folders, and the reverse, that would be in the way of the next epoch and that no
    /// epoch names. No sink is open in the folder.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    fn tidy(&self, _folder: &Path) -> Result<(), SinkError> {
        Ok(())
    }

    /// Deletes the damaged parts of a state, given its damaged files relative to `folder`, and returns what is left;
    /// `None` if the state is of no use any more. The index is then built from what is left, and the sink from
    /// nothing where nothing is. No sink is open in the folder.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    fn salvage(&self, _folder: &Path, _base: &Token, _damaged: &[PathBuf]) -> Result<Option<Salvaged>, SinkError> {
        Ok(None)
    }

    /// Deletes what only other epochs need than those of these tokens, of which the last
    /// is the newest. No sink is open in the folder.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    fn retain(&self, _folder: &Path, _tokens: &[Token]) -> Result<(), SinkError> {
        Ok(())
    }
}

/// How a sink gives rows back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactForm {
    /// Whether vectors are stored rounded. Where another sink stores those of the same
    /// embedder, they are then embedded anew rather than taken from here.
    pub rounds_vectors: bool,
}

/// A store of rows that is open at a published state, between epochs. Calls come from one
/// thread at a time. [`SinkConfig`] has an example.
pub trait Sink: Send {
    /// Begins an epoch. With `replace`, it starts from no rows at all.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn begin(self: Box<Self>, epoch: Epoch, replace: bool) -> Result<Box<dyn EpochWriter>, SinkError>;
}

/// A sink within an epoch. [`SinkConfig`] has an example.
pub trait EpochWriter: Send {
    /// Removes all of these rows, which the base holds. Comes before any `add` of the
    /// epoch.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn remove(&mut self, rows: &[RowId]) -> Result<(), SinkError>;

    /// Adds the rows of these records. Each path comes at most once an epoch with a content.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn add(&mut self, records: &[Record]) -> Result<(), SinkError>;

    /// Changes the tables of views; comes at most once an epoch for each view. A sink
    /// that was given no [`SinkContext::views`] is not asked.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn change_views(&mut self, _deltas: &[ViewDelta]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Rewrites what the epoch keeps so that it takes less space and is read faster. Rows
    /// stay as they are.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn compact(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// The facts that this sink stores, if it gives rows back. It sees the base state.
    fn fact_store(&mut self) -> Option<&mut dyn FactStore> {
        None
    }

    /// Makes the epoch durable, visible to nobody.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn stage(self: Box<Self>, meta: &EpochMeta) -> Result<Box<dyn StagedEpoch>, SinkError>;

    /// Drops what was written since [`Sink::begin`].
    ///
    /// # Errors
    /// If the store cannot be written.
    fn abort(self: Box<Self>) -> Result<(), SinkError>;
}

/// An epoch of a sink that is on disk, and that nobody sees yet. [`SinkConfig`] has an
/// example.
pub trait StagedEpoch: Send {
    /// How many rows it adds and deletes.
    fn rows(&self) -> StagedRows;

    /// Makes it the newest state.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn publish(self: Box<Self>) -> Result<Published, SinkError>;

    /// Drops it.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn abort(self: Box<Self>) -> Result<(), SinkError>;
}

/// What [`StagedEpoch::publish`] returns.
pub struct Published {
    /// Finds the state again, in any process.
    pub token: Token,
    /// The store, open at that state.
    pub sink: Box<dyn Sink>,
    /// What the user should know, such as what was left out.
    pub notice: Option<String>,
    /// The files that the state reaches, relative to [`SinkContext::folder`]. They must not change as long as an
    /// epoch has the state: their lengths are compared whenever it is opened, their checksums by `gristmill status
    /// --verify`. Damage to a file that is not among them is for the sink to find.
    pub files: Vec<PathBuf>,
}

impl Published {
    /// A state without files and without anything to tell.
    #[must_use]
    pub fn new(token: Token, sink: Box<dyn Sink>) -> Self {
        Self { token, sink, notice: None, files: Vec::new() }
    }
}

/// What is left of a state whose files are damaged: what [`SinkConfig::salvage`] returns.
#[derive(Clone, Debug, PartialEq)]
pub struct Salvaged {
    /// Opens what is left.
    pub token: Token,
    /// Whether all rows of records are left.
    pub has_rows: bool,
    /// Whether the vectors are left.
    pub has_vectors: bool,
    /// The views whose tables are lost.
    pub lost_views: Vec<Box<str>>,
}

/// How many rows a sink staged, over all its tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StagedRows {
    /// Rows added.
    pub added: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// What is stored of one path, as far as facts are made of it.
#[derive(Clone, Debug)]
pub struct StoredFacts {
    /// The path.
    pub path: RelPath,
    /// What it holds, without text, diagnostics, signatures and doc comments.
    pub analysis: Analysis,
    /// [`Chunk::body_hash`] of its chunks, in order.
    pub bodies: Vec<Hash>,
}

/// Vectors of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoredVectors {
    /// For each hash that was asked for, whether the store has its vector.
    pub found: Vec<bool>,
    /// The vectors found, one after the other, in the order asked for.
    pub values: Vec<f32>,
}

/// A sink that gives back what it stores, so that known content is neither parsed nor
/// embedded again. All calls come before [`EpochWriter::stage`], and see the base state.
///
/// Rows that an epoch deleted stay readable for as long as an epoch that has them is
/// kept. `since` is the token of the oldest epoch whose rows may be given; without it,
/// only rows of the base may.
///
/// A store returns what it takes: one without [`Port::Syntax`] need not return definitions,
/// references and imports.
///
/// ```
/// use gristmill_pipeline::port::Port;
/// use gristmill_pipeline::testing::{Memory, record};
/// use gristmill_pipeline::{Epoch, EpochMeta, Hash, SinkConfig, SinkContext, SinkError};
///
/// # fn main() -> Result<(), SinkError> {
/// # let context = SinkContext {
/// #     name: "store".into(),
/// #     folder: "/index/store".into(),
/// #     inputs: vec![Port::Syntax],
/// #     dimension: None,
/// #     columns: Vec::new(),
/// #     views: Vec::new(),
/// #     single_threaded: true,
/// #     memory_limit: u64::MAX,
/// #     past_files: Default::default(),
/// # };
/// # let meta = EpochMeta { epoch: Epoch::FIRST, merkle_root: Hash::of(b"") };
/// let memory = Memory::default();
/// let mut writer = memory.open(context.clone(), None)?.begin(meta.epoch, true)?;
/// writer.add(&[record("a.txt", "one"), record("copy.txt", "one")])?;
/// let token = writer.stage(&meta)?.publish()?.token;
///
/// // A later run finds the content under another path.
/// if let Some(mut store) = memory.open_facts(context, &token)? {
///     let holders = store.holders(&[Hash::of(b"one")], None)?;
///     assert_eq!(holders[0].len(), 2);
///     let records = store.records(&holders[0], None)?;
///     assert_eq!(records.iter().flatten().count(), 2, "recalled, not parsed");
/// }
/// # Ok(())
/// # }
/// ```
pub trait FactStore: Send {
    /// Calls `visit` with the facts of all rows of the base, in any order.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn facts(&mut self, visit: &mut dyn FnMut(StoredFacts)) -> Result<(), SinkError>;

    /// The records of these rows, in the order asked for, with chunks and vectors as
    /// stored; `None` for rows that the store does not have. The text is put together
    /// from the chunks: where none covers it, because an operator dropped some, it is
    /// blank (spaces), and it ends with the last chunk.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn records(&mut self, rows: &[RowId], since: Option<&Token>) -> Result<Vec<Option<Record>>, SinkError>;

    /// The vectors stored for these chunk hashes.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn vectors(&mut self, chunk_hashes: &[Hash], since: Option<&Token>) -> Result<StoredVectors, SinkError>;

    /// For each content all rows, deleted ones too, that hold or held it.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn holders(&mut self, contents: &[ContentHash], since: Option<&Token>) -> Result<Vec<Vec<RowId>>, SinkError>;
}

/// What a sink is built with, apart from its own parameters.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// The stage's name; it names errors and the folder.
    pub name: Box<str>,
    /// The folder that belongs to this sink alone: `<index>/<name>`.
    pub folder: PathBuf,
    /// The ports of its inputs.
    pub inputs: Vec<Port>,
    /// The dimension of the vectors it takes, if it takes vectors.
    pub dimension: Option<usize>,
    /// The extra columns of the rows that it stores.
    pub columns: Vec<ExtraColumn>,
    /// The views whose tables this sink keeps.
    pub views: Vec<Arc<ViewSchema>>,
    /// Whether to work on the calling thread alone as far as the store allows
    /// (sequential mode), rather than on threads of its own.
    pub single_threaded: bool,
    /// Bytes that the process should stay within. A store leaves out what is not part of its rows, such as an
    /// index, rather than exceed it, and says so in [`Published::notice`].
    pub memory_limit: u64,
    /// Whether files of epochs before the newest are whole.
    pub past_files: PastFiles,
}
