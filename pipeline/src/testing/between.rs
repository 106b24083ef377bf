//! Operators whose output port is their input port: one of each kind.

use std::sync::Arc;

use gristmill_ids::{Fingerprint, Hash};

use crate::diagnostic::Severity;
use crate::extra::{ExtraColumn, ExtraOwner, ExtraType};
use crate::operator::{Batch, BatchSize, Emitter, Operator, OperatorError, VectorMap};
use crate::path::RelPath;
use crate::port::{CONTEXT, Chunk, Chunked, Content, Definition, Header, Syntax, Vector};

/// Up to four items per batch.
const SEVERAL: BatchSize = BatchSize { items: 4, bytes: u64::MAX, tokens: u64::MAX };

fn column(owner: ExtraOwner, name: &str, kind: ExtraType) -> ExtraColumn {
    ExtraColumn { owner, name: name.into(), kind, description: "A column of a test.".into() }
}

/// `Contents → Contents`: removes lines that begin with `mark`, and stores their number in the
/// extra column `column` of files. A text with `generated` is dropped with a note; one with
/// `boom contents` panics.
#[derive(Clone, Debug)]
pub struct Strip {
    /// The first character of the lines that it removes.
    pub mark: char,
    /// The name of the extra column.
    pub column: &'static str,
    /// The version of its code, which is stored in the column too.
    pub version: u32,
}

impl Operator for Strip {
    type In = Arc<Content>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "strip"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("strip {} {} {}", self.mark, self.column, self.version).as_bytes())
    }

    fn batch_size(&self) -> BatchSize {
        SEVERAL
    }

    /// Nothing is removed from files whose name begins with `whole`.
    fn variant(&self, path: &RelPath) -> &'static str {
        if path.file_name().starts_with("whole") { "whole" } else { "" }
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![column(ExtraOwner::Files, self.column, ExtraType::Text)]
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for content in batch {
            assert!(!content.text.contains("boom contents"), "asked to");
            if content.text.contains("generated") {
                out.report(&content.file.path, Severity::Note, "generated", 0, "left out");
                continue;
            }
            let is_whole = self.variant(&content.file.path) == "whole";
            let is_kept = |line: &&str| is_whole || !line.starts_with(self.mark);
            let kept: String = content.text.split_inclusive('\n').filter(is_kept).collect();
            let count = content.text.lines().count() - kept.lines().count();
            let mut stripped = content.with_text(kept);
            stripped.extras.set(self.column, format!("{count} by v{}", self.version));
            out.emit(Arc::new(stripped));
        }
        Ok(())
    }
}

/// `Syntax → Syntax`: appends `@` and its version to the qualified names of definitions, and
/// stores their number in the extra column `column` of files. A text that defines `hidden` is
/// dropped without a diagnostic; one that defines `boom_syntax` panics.
#[derive(Clone, Debug)]
pub struct Qualify {
    /// The name of the extra column.
    pub column: &'static str,
    /// The version of its code.
    pub version: u32,
}

impl Operator for Qualify {
    type In = Arc<Syntax>;
    type Out = Arc<Syntax>;

    fn name(&self) -> &str {
        "qualify"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("qualify {} {}", self.column, self.version).as_bytes())
    }

    fn batch_size(&self) -> BatchSize {
        SEVERAL
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![column(ExtraOwner::Files, self.column, ExtraType::Integer)]
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for syntax in batch {
            let defines = |name: &str| syntax.definitions.iter().any(|definition| &*definition.name == name);
            assert!(!defines("boom_syntax"), "asked to");
            if defines("hidden") {
                continue;
            }
            let qualified = |definition: &Definition| Definition {
                qualified_name: format!("{}@{}", definition.qualified_name, self.version).into(),
                ..definition.clone()
            };
            let mut extras = syntax.extras.clone();
            extras.set(self.column, syntax.definitions.len() as i64);
            out.emit(Arc::new(Syntax {
                content: Arc::clone(&syntax.content),
                language: syntax.language,
                lines: syntax.lines,
                definitions: syntax.definitions.iter().map(qualified).collect(),
                references: syntax.references.clone(),
                imports: syntax.imports.clone(),
                blocks: syntax.blocks.clone(),
                extras,
            }));
        }
        Ok(())
    }
}

/// `Chunks → Chunks`: drops chunks that begin with `drop`. A text with `boom chunks` panics.
#[derive(Clone, Debug)]
pub struct Select {
    /// The version of its code.
    pub version: u32,
}

impl Operator for Select {
    type In = Arc<Chunked>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "select"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("select {}", self.version).as_bytes())
    }

    fn batch_size(&self) -> BatchSize {
        SEVERAL
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for chunked in batch {
            let text = &chunked.syntax.content.text;
            assert!(!text.contains("boom chunks"), "asked to");
            let is_kept = |chunk: &&Chunk| !text.get(chunk.span.bytes()).expect("lies in it").starts_with("drop");
            let chunks = chunked.chunks.iter().filter(is_kept).cloned().collect();
            out.emit(Arc::new(Chunked { syntax: Arc::clone(&chunked.syntax), chunks }));
        }
        Ok(())
    }
}

/// `Chunks → Chunks`: sets the context of each chunk to the name of the file's first definition
/// with the operator's version, and stores the chunk's length in the extra column `length`. A
/// file without definitions gets no context.
#[derive(Clone, Debug)]
pub struct Contextualise {
    /// The header of the chunker before it.
    pub header: Header,
    /// The version of its code.
    pub version: u32,
}

impl Operator for Contextualise {
    type In = Arc<Chunked>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "contextualise"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("contextualise {:?} {}", self.header, self.version).as_bytes())
    }

    fn batch_size(&self) -> BatchSize {
        SEVERAL
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        vec![
            column(ExtraOwner::Chunks, CONTEXT, ExtraType::Text),
            column(ExtraOwner::Chunks, "length", ExtraType::Integer),
        ]
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for chunked in batch {
            let syntax = Arc::clone(&chunked.syntax);
            let first = syntax.definitions.first();
            let context = first.map_or_else(String::new, |first| format!("{} v{}", first.name, self.version));
            let chunks = chunked.chunks.iter().map(|chunk| {
                let text = syntax.content.text.get(chunk.span.bytes()).expect("lies in it");
                let mut chunk = chunk.clone();
                chunk.set_context(&context, self.header, text);
                chunk.extras.set("length", text.len() as i64);
                chunk
            });
            let chunks = chunks.collect();
            out.emit(Arc::new(Chunked { syntax, chunks }));
        }
        Ok(())
    }
}

/// `Vectors → Vectors`: keeps the first components, multiplied by a factor. It drops vectors
/// whose first component is -1, and panics on -2 (see [`Embed`](super::Embed)).
#[derive(Clone, Debug)]
pub struct Shorten {
    /// The number of components to keep.
    pub dimension: usize,
    /// The factor.
    pub factor: u32,
}

impl Operator for Shorten {
    type In = Vector;
    type Out = Vector;

    fn name(&self) -> &str {
        "shorten"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("shorten {} {}", self.dimension, self.factor).as_bytes())
    }

    fn batch_size(&self) -> BatchSize {
        BatchSize { items: 2, ..BatchSize::ONE }
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for Vector { key, values } in batch {
            let first = values.first().copied().unwrap_or_default();
            assert!(first > -2.0, "asked to");
            if first >= 0.0 {
                let values = values.iter().take(self.dimension).map(|value| value * self.factor as f32).collect();
                out.emit(Vector { key, values });
            }
        }
        Ok(())
    }
}

impl VectorMap for Shorten {
    fn dimension(&self, input: usize) -> usize {
        self.dimension.min(input)
    }
}
