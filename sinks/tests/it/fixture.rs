//! Records made from a few numbers, and an index folder to put them in.

use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::port::{
    Anchor, Chunk, Definition, DefinitionKind, Header, Import, NamePath, Port, Reference, ReferenceKind, Span, Text,
};
use gristmill_pipeline::{
    Analysis, Diagnostic, Epoch, EpochMeta, EpochWriter, Extras, FactStore, Hash, Published, Record, RecordChunks,
    RelPath, RowId, Severity, Sink, SinkConfig, SinkContext, SinkError, StagedEpoch, Token, ViewColumn, ViewDelta,
    ViewRow, ViewSchema, ViewValue,
};
use gristmill_sinks::{ArrowConfig, LanceConfig, TantivyConfig};

pub const DIMENSION: usize = 4;

/// A folder that goes away with the test.
pub struct Index {
    _root: tempfile::TempDir,
    pub folder: PathBuf,
}

impl Index {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder for the test");
        let folder = root.path().join("store");
        Self { _root: root, folder }
    }

    pub fn context(&self, inputs: &[Port]) -> SinkContext {
        SinkContext {
            name: "store".into(),
            folder: self.folder.clone(),
            inputs: inputs.to_vec(),
            dimension: inputs.contains(&Port::Vectors).then_some(DIMENSION),
            columns: Vec::new(),
            views: Vec::new(),
            single_threaded: false,
            memory_limit: u64::MAX,
            past_files: Default::default(),
        }
    }

    pub fn lance(&self) -> Store {
        self.lance_with(&LanceConfig { sync: false, ..LanceConfig::default() })
    }

    pub fn lance_with(&self, config: &LanceConfig) -> Store {
        self.lance_with_views(config, &[])
    }

    pub fn lance_with_views(&self, config: &LanceConfig, views: &[Arc<ViewSchema>]) -> Store {
        let context = SinkContext { views: views.to_vec(), ..self.context(&[Port::Syntax, Port::Vectors]) };
        Store::new(config.clone(), context)
    }

    pub fn tantivy(&self) -> Store {
        self.tantivy_with(TantivyConfig { sync: false, writer_memory: 15_000_000, ..TantivyConfig::default() })
    }

    pub fn tantivy_with(&self, config: TantivyConfig) -> Store {
        Store::new(config, self.context(&[Port::Chunks]))
    }

    pub fn arrow(&self, port: Port) -> Store {
        Store::new(ArrowConfig::default(), self.context(&[port]))
    }
}

/// A store that goes through one epoch after the other. A step at the wrong time fails the
/// test.
pub struct Store {
    pub config: Arc<dyn SinkConfig>,
    pub context: SinkContext,
    step: Step,
    /// The state at which it was opened, or that it published last.
    token: Option<Token>,
}

enum Step {
    Closed,
    Open(Box<dyn Sink>),
    Writing(Box<dyn EpochWriter>),
    Staged(Box<dyn StagedEpoch>),
}

impl Store {
    pub fn new(config: impl SinkConfig + 'static, context: SinkContext) -> Self {
        Self { config: Arc::new(config), context, step: Step::Closed, token: None }
    }

    fn take(&mut self) -> Step {
        std::mem::replace(&mut self.step, Step::Closed)
    }

    pub fn try_open(&mut self, base: Option<&Token>) -> Result<(), SinkError> {
        self.step = Step::Closed;
        self.step = Step::Open(self.config.open(self.context.clone(), base)?);
        self.token = base.cloned();
        Ok(())
    }

    /// Opens the store, as a process does that starts at this state.
    pub fn open(&mut self, base: Option<&Token>) {
        self.try_open(base).expect("open");
    }

    pub fn begin(&mut self, epoch: u64, replace: bool) {
        let Step::Open(sink) = self.take() else { panic!("the store is not open") };
        self.step = Step::Writing(sink.begin(Epoch::new(epoch), replace).expect("begin"));
    }

    pub fn writer(&mut self) -> &mut dyn EpochWriter {
        let Step::Writing(writer) = &mut self.step else { panic!("no epoch was begun") };
        &mut **writer
    }

    pub fn try_stage(&mut self, epoch: u64) -> Result<(), SinkError> {
        let Step::Writing(writer) = self.take() else { panic!("no epoch was begun") };
        self.step = Step::Staged(writer.stage(&meta(epoch))?);
        Ok(())
    }

    pub fn try_publish(&mut self) -> Result<Token, SinkError> {
        let Step::Staged(staged) = self.take() else { panic!("no epoch was staged") };
        let Published { token, sink, .. } = staged.publish()?;
        self.step = Step::Open(sink);
        self.token = Some(token.clone());
        Ok(token)
    }

    pub fn publish(&mut self) -> Token {
        self.try_publish().expect("publish")
    }

    /// Aborts the epoch, which closes the store.
    pub fn abort(&mut self) {
        match self.take() {
            Step::Writing(writer) => writer.abort().expect("abort"),
            Step::Staged(staged) => staged.abort().expect("abort"),
            Step::Open(_) | Step::Closed => panic!("no epoch was begun"),
        }
    }

    /// Reads what the store gives back: within an epoch from its writer, otherwise as a
    /// process does that only reads.
    pub fn read<R>(&mut self, read: impl FnOnce(&mut dyn FactStore) -> R) -> R {
        if let Step::Writing(writer) = &mut self.step {
            return read(writer.fact_store().expect("a store that gives rows back"));
        }
        let token = self.token.as_ref().expect("a published state");
        let facts = self.config.open_facts(self.context.clone(), token).expect("open");
        read(&mut *facts.expect("a store that gives rows back"))
    }

    pub fn records(&mut self, rows: &[RowId], since: Option<&Token>) -> Vec<Option<Record>> {
        self.read(|facts| facts.records(rows, since)).expect("records")
    }
}

pub fn meta(epoch: u64) -> EpochMeta {
    EpochMeta { epoch: Epoch::new(epoch), merkle_root: Hash::of(&epoch.to_le_bytes()) }
}

/// The rows of `record(path, version)`.
pub fn row(path: &str, version: u32) -> RowId {
    RowId { path: path.into(), content_hash: content_hash(version) }
}

/// The rows of the record of each path and version.
pub fn rows(of: &[(&str, u32)]) -> Vec<RowId> {
    of.iter().map(|(path, version)| row(path, *version)).collect()
}

fn content_hash(version: u32) -> Hash {
    Hash::of(&version.to_le_bytes())
}

/// Removes and adds, up to and with `stage`.
pub fn stage(sink: &mut Store, epoch: u64, replace: bool, removed: &[(&str, u32)], added: &[Record]) {
    stage_with_views(sink, epoch, replace, removed, added, &[]);
}

/// Removes and adds, and changes views, up to and with `stage`.
pub fn stage_with_views(
    sink: &mut Store,
    epoch: u64,
    replace: bool,
    removed: &[(&str, u32)],
    added: &[Record],
    views: &[ViewDelta],
) {
    sink.begin(epoch, replace);
    write(sink, removed, added, views);
    sink.try_stage(epoch).expect("stage");
}

/// Removes and adds, and changes views, within an epoch.
pub fn write(sink: &mut Store, removed: &[(&str, u32)], added: &[Record], views: &[ViewDelta]) {
    sink.writer().remove(&rows(removed)).expect("remove");
    sink.writer().add(added).expect("add");
    sink.writer().change_views(views).expect("views");
}

/// A view whose rows are a text and a number.
pub fn view(name: &str) -> Arc<ViewSchema> {
    Arc::new(ViewSchema {
        name: name.into(),
        description: "A text and a number.".into(),
        columns: vec![ViewColumn::text("path", "A text."), ViewColumn::number("version", "A number.")],
        fingerprint: Hash::of(name.as_bytes()),
    })
}

/// A change of such a view.
pub fn view_delta(
    schema: &Arc<ViewSchema>,
    replace: bool,
    removed: &[(&str, u32)],
    added: &[(&str, u32)],
) -> ViewDelta {
    let row = |&(path, version): &(&str, u32)| ViewRow {
        values: vec![ViewValue::Text(path.into()), ViewValue::Number(version.into())],
    };
    let (removed, added) = (removed.iter().map(row).collect(), added.iter().map(row).collect());
    ViewDelta { schema: Arc::clone(schema), replace, removed, added }
}

/// A whole epoch.
pub fn publish(sink: &mut Store, epoch: u64, removed: &[(&str, u32)], added: &[Record]) -> Token {
    stage(sink, epoch, false, removed, added);
    sink.publish()
}

/// A record of `path` whose content follows from `version` alone: some have no chunks,
/// some are quarantined, some have many chunks.
pub fn record(path: &str, version: u32) -> Record {
    let quarantined = version % 7 == 6;
    let lines = if quarantined { 0 } else { version % 5 };
    let text: String = (0..lines)
        .map(|line| format!("fn parse_Line{line}(input{version}: Größe) {{ body_{} }}\n", version % 3))
        .collect();
    let text = Text::new(text);
    let kinds = [DefinitionKind::Function, DefinitionKind::Method, DefinitionKind::Section];
    let spans: Vec<Span> = text
        .split_inclusive('\n')
        .scan(0, |start, line| {
            let end = *start + line.len();
            let span = (std::mem::replace(start, end), end);
            Some(span)
        })
        .zip(1..)
        .map(|((start, end), line)| Span {
            start_byte: start as u32,
            end_byte: end as u32,
            start_line: line,
            end_line: line,
        })
        .collect();
    let definitions: Vec<_> = spans
        .iter()
        .enumerate()
        .map(|(nth, span)| Definition {
            name: format!("parse_Line{nth}").into(),
            qualified_name: format!("Outer::parse_Line{nth}").into(),
            kind: kinds[nth % kinds.len()],
            signature: format!("fn parse_Line{nth}(input{version}: Größe)").into(),
            doc: if nth == 1 { "Parses a line.".into() } else { "".into() },
            span: *span,
            extent_start: span.start_byte,
            parent: (nth > 0).then_some(0),
            key: NamePath::new(Anchor::Unit, ["Outer", format!("parse_Line{nth}").as_str()]),
        })
        .collect();
    let chunks: Vec<_> = spans
        .iter()
        .enumerate()
        .map(|(nth, span)| {
            let (scope, symbol) = ("Outer", format!("parse_Line{nth}"));
            // Equal lines make equal chunks, as repeated code does.
            let body = if version.is_multiple_of(2) { "same" } else { &text[span.bytes()] };
            Chunk {
                span: *span,
                kind: if nth == 3 { "code" } else { kinds[nth % kinds.len()].as_str() },
                body_hash: Header::Scope.body_hash(scope, if version.is_multiple_of(2) { "" } else { &symbol }, body),
                symbol: symbol.into(),
                scope: scope.into(),
                tokens: span.end_byte - span.start_byte,
                extras: Extras::default(),
            }
        })
        .collect();
    let path = RelPath::from(path);
    let hashes: Vec<_> = chunks.iter().map(|chunk| Header::Scope.chunk_hash(&path, &chunk.body_hash)).collect();
    let vectors = hashes.iter().flat_map(vector).collect();
    let mut diagnostics = Vec::new();
    for nth in 0..version % 3 {
        diagnostics.push(Diagnostic {
            severity: if nth == 0 { Severity::Warning } else { Severity::Note },
            stage: "parse".into(),
            code: "odd".into(),
            line: 9 - nth,
            message: format!("finding {nth} of version {version}").into(),
        });
    }
    if quarantined {
        diagnostics.push(Diagnostic {
            severity: Severity::Error,
            stage: "read".into(),
            code: "binary".into(),
            line: 0,
            message: "no text".into(),
        });
    }
    let references = (0..if quarantined { 0 } else { version % 4 })
        .map(|nth| Reference {
            name: format!("body_{nth}").into(),
            qualifier: if nth == 0 { "".into() } else { "std::größe".into() },
            kind: ReferenceKind::ALL[nth as usize % 3],
            start_byte: nth * 7,
            line: nth + 1,
            within: (nth > 0 && nth < lines).then_some(nth),
            target: if nth == 0 { NamePath::LOCAL } else { NamePath::from("free größe ()") },
            lead: (nth == 2).then(|| "type unit Outer > ()".parse().expect("is a lead")),
        })
        .collect();
    let imports = (0..if quarantined { 0 } else { version % 3 })
        .map(|nth| Import {
            module: format!("os.path{version}").into(),
            name: if nth == 0 { "*".into() } else { "".into() },
            alias: if nth == 1 { "p".into() } else { "".into() },
            line: nth + 1,
        })
        .collect();
    let analysis = Analysis {
        content_hash: content_hash(version),
        language: if quarantined { "binary".into() } else { "rust".into() },
        bytes: text.len() as u64 + u64::from(version),
        lines,
        text,
        definitions,
        references,
        imports,
        diagnostics,
        extras: Extras::default(),
    };
    let chunks = RecordChunks { chunks: chunks.into(), hashes, vectors: Some(vectors) };
    Record { path, analysis: Arc::new(analysis), chunks: Some(chunks) }
}

/// The vector of every chunk with this hash.
pub fn vector(hash: &Hash) -> [f32; DIMENSION] {
    let bytes = hash.as_bytes();
    std::array::from_fn(|nth| f32::from(bytes[nth]) / 7.0 - f32::from(bytes[nth + 4]))
}

/// Fails unless the two records store alike.
#[track_caller]
pub fn assert_same(found: &Record, expected: &Record) {
    assert_eq!(found.path, expected.path);
    let (a, b) = (&found.analysis, &expected.analysis);
    assert_eq!(a.content_hash, b.content_hash, "{}", found.path);
    assert_eq!((&a.language, a.bytes, a.lines), (&b.language, b.bytes, b.lines), "{}", found.path);
    assert_eq!(&*a.text, &*b.text);
    assert_eq!(a.definitions, b.definitions);
    assert_eq!(a.references, b.references);
    assert_eq!(a.imports, b.imports);
    assert_eq!(a.diagnostics, b.diagnostics);
    assert_eq!(a.extras, b.extras);
    let (a, b) = (found.chunks.as_ref().expect("chunks"), expected.chunks.as_ref().expect("chunks"));
    assert_eq!(a.chunks, b.chunks);
    assert_eq!(a.hashes, b.hashes);
    assert_eq!(a.vectors.as_deref().unwrap_or_default(), b.vectors.as_deref().unwrap_or_default());
}
