//! Records made from a few numbers, and an index folder to put them in.

use std::path::PathBuf;
use std::sync::Arc;

use gristmill_pipeline::port::{
    Chunk, Definition, DefinitionKind, Header, Import, Port, Reference, ReferenceKind, Span, Text,
};
use gristmill_pipeline::{
    Analysis, Diagnostic, Epoch, EpochMeta, Hash, Record, RecordChunks, RelPath, RowId, Severity, Sink, SinkContext,
    Token, ViewColumn, ViewDelta, ViewRow, ViewSchema, ViewValue,
};
use gristmill_sinks::{ArrowConfig, ArrowSink, LanceConfig, LanceSink, TantivyConfig, TantivySink};

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
            views: Vec::new(),
            single_threaded: false,
        }
    }

    pub fn lance(&self) -> LanceSink {
        self.lance_with(&LanceConfig { sync: false, ..LanceConfig::default() })
    }

    pub fn lance_with(&self, config: &LanceConfig) -> LanceSink {
        self.lance_with_views(config, &[])
    }

    pub fn lance_with_views(&self, config: &LanceConfig, views: &[Arc<ViewSchema>]) -> LanceSink {
        let context = SinkContext { views: views.to_vec(), ..self.context(&[Port::Syntax, Port::Vectors]) };
        LanceSink::new(config, &context).expect("a sink")
    }

    pub fn tantivy(&self) -> TantivySink {
        self.tantivy_with(TantivyConfig { sync: false, writer_memory: 15_000_000, ..TantivyConfig::default() })
    }

    pub fn tantivy_with(&self, config: TantivyConfig) -> TantivySink {
        TantivySink::new(config, &self.context(&[Port::Chunks])).expect("a sink")
    }

    pub fn arrow(&self, port: Port) -> ArrowSink {
        ArrowSink::new(&ArrowConfig::default(), &self.context(&[port])).expect("a sink")
    }
}

pub fn meta(epoch: Epoch) -> EpochMeta {
    EpochMeta { epoch, merkle_root: Hash::of(&epoch.to_le_bytes()) }
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
pub fn stage(sink: &mut dyn Sink, epoch: Epoch, replace: bool, removed: &[(&str, u32)], added: &[Record]) {
    stage_with_views(sink, epoch, replace, removed, added, &[]);
}

/// Removes and adds, and changes views, up to and with `stage`.
pub fn stage_with_views(
    sink: &mut dyn Sink,
    epoch: Epoch,
    replace: bool,
    removed: &[(&str, u32)],
    added: &[Record],
    views: &[ViewDelta],
) {
    sink.begin(epoch, replace).expect("begin");
    sink.remove(&rows(removed)).expect("remove");
    sink.add(added).expect("add");
    sink.change_views(views).expect("views");
    sink.stage(&meta(epoch)).expect("stage");
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
pub fn publish(sink: &mut dyn Sink, epoch: Epoch, removed: &[(&str, u32)], added: &[Record]) -> Token {
    stage(sink, epoch, false, removed, added);
    sink.publish().expect("publish")
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
    let (a, b) = (found.chunks.as_ref().expect("chunks"), expected.chunks.as_ref().expect("chunks"));
    assert_eq!(a.chunks, b.chunks);
    assert_eq!(a.hashes, b.hashes);
    assert_eq!(a.vectors.as_deref().unwrap_or_default(), b.vectors.as_deref().unwrap_or_default());
}
