//! Operators that are small enough to see through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gristmill_ids::{Fingerprint, Hash};

use crate::diagnostic::Severity;
use crate::extra::Extras;
use crate::operator::{
    Batch, BatchSize, Chunker, Declared, Embedder, Emitter, ModuleName, ModulePlace, ModuleUnit, NamedPlace, Operator,
    OperatorError, Parser,
};
use crate::path::RelPath;
use crate::port::{
    Anchor, Chunk, Chunked, Content, Definition, DefinitionKind, FileItem, Header, Import, Lead, LeadKind, NamePath,
    Passage, Reference, ReferenceKind, Span, Syntax, Text, Vector,
};
use crate::source::Origin;

/// How often operators were asked.
#[derive(Debug, Default)]
pub struct Counts {
    /// Contents that were parsed.
    pub parsed: AtomicU64,
    /// Passages that were embedded.
    pub embedded: AtomicU64,
    /// Calls of the embedder.
    pub embed_calls: AtomicU64,
}

impl Counts {
    /// What was counted since the last call: contents parsed, passages embedded.
    pub fn take(&self) -> (u64, u64) {
        (self.parsed.swap(0, Ordering::Relaxed), self.embedded.swap(0, Ordering::Relaxed))
    }
}

/// Reads UTF-8; a content that begins with `binary` gives nothing. A file called `gone`
/// vanishes before it is read, and one called `moving` changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read;

impl Operator for Read {
    type In = Arc<FileItem>;
    type Out = Arc<Content>;

    fn name(&self) -> &str {
        "read"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(b"read")
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for file in batch {
            if file.path.file_name().starts_with("gone") {
                out.report(&file.path, Severity::Note, "vanished", 0, "it is gone");
                continue;
            }
            let mut bytes = match &file.origin {
                Origin::File(location) => std::fs::read(location),
                Origin::Object(object) => object.read(),
            }
            .expect("reads");
            if file.path.file_name().starts_with("moving") {
                bytes.extend(b"more\n");
            }
            let content_hash = Hash::of(&bytes);
            let text = String::from_utf8(bytes).expect("tests write UTF-8");
            if text.starts_with("binary") {
                out.report(&file.path, Severity::Note, "binary", 0, "no text");
                continue;
            }
            let extras = Extras::default();
            out.emit(Arc::new(Content { file, text: Text::new(text), content_hash, encoding: "UTF-8", extras }));
        }
        Ok(())
    }
}

/// A file can be imported by its path and by its name, both without extension.
pub fn module_names(path: &RelPath) -> Vec<String> {
    let stem = path.as_str().rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
    let name = stem.rsplit('/').next().unwrap_or(stem);
    if name == stem { vec![stem.into()] } else { vec![stem.into(), name.into()] }
}

/// A file of the same folder comes first.
pub fn import_names(path: &RelPath, import: &Import) -> Vec<ModuleName> {
    let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    let then: Vec<Box<str>> = Some(import.name.clone()).into_iter().filter(|name| !name.is_empty()).collect();
    let names = [format!("{folder}/{}", import.module), import.module.to_string(), format!("={}", import.module)];
    let below = import.module.split_once('/').map(|(name, below)| ModuleName::in_folder(format!("~{name}"), below));
    let names = names.into_iter().map(ModuleName::whole).chain(below);
    names.map(|name| ModuleName { then: then.clone(), ..name }).collect()
}

/// The path of a file without its extension.
pub fn module_places(path: &RelPath) -> Vec<ModulePlace> {
    let stem = path.as_str().rsplit_once('.').map_or(path.as_str(), |(stem, _)| stem);
    vec![ModulePlace { root: "toy/".into(), path: stem.into() }]
}

/// The alias, else what is taken; what has neither brings in all names.
pub fn local_names(import: &Import) -> Vec<Box<str>> {
    [&import.alias, &import.name].into_iter().find(|name| !name.is_empty()).cloned().into_iter().collect()
}

/// What an alias of these forms says, as told at [`Parse`].
pub fn declared(path: &RelPath, import: &Import) -> Option<Declared> {
    if import.alias.starts_with('=') {
        return Some(Declared::Module(import.alias.to_string()));
    }
    let name = import.alias.strip_prefix('~')?;
    let root = "toy/".to_owned();
    let scope = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    if name == "|" || name == "/" {
        return Some(Declared::Boundary { root, scope, is_passed: name == "/" });
    }
    let (is_public, order) = (name.starts_with('+'), u8::from(path.file_name().starts_with("late")));
    let name = format!("~{}", name.trim_start_matches('+'));
    let place = ModulePlace { root, path: import.module.to_string() };
    Some(Declared::Place(NamedPlace { name, place, scope, is_public, order }))
}

/// The files of a folder are a unit, and a member of that of the folder above. All are of one
/// package.
pub fn unit(path: &RelPath) -> ModuleUnit {
    let unit = |folder: &str| format!("{folder}/");
    let folder = path.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
    let above = folder.rsplit_once('/').unwrap_or(("", folder));
    let member_of = Some(above).filter(|_| !folder.is_empty()).map(|(above, name)| (unit(above), name.to_owned()));
    ModuleUnit { unit: unit(folder), package: "toy".into(), member_of: member_of.into_iter().collect() }
}

/// Finds what lines say. `panic` panics.
///
/// | line | says |
/// |---|---|
/// | `def a`, `def a.b` | defines a type, or a member of one |
/// | `use a`, `use a.b` | uses it |
/// | `type a b`, `base a b` | uses `b`: `a` is of that type, or inherits from it |
/// | `import m`, `import m as n`, `import m.x` | imports all of a file, a file, or a name of one |
/// | `import m as =n` | names a file `n` for every import |
/// | `import m as ~n` | names a folder `n` for imports such as `n/m` in and below the file's folder |
/// | `import m as ~+n` | the same, for imports elsewhere too |
/// | `import m as ~\|`, `import m as ~/` | ends what folders above say of such names, or passes it on |
#[derive(Debug, Default)]
pub struct Parse {
    /// Where it counts.
    pub counts: Arc<Counts>,
    /// The version of its code: another one parses everything anew.
    pub version: u32,
}

impl Operator for Parse {
    type In = Arc<Content>;
    type Out = Arc<Syntax>;

    fn name(&self) -> &str {
        "parse"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"parse".as_slice(), &self.version.to_le_bytes()])
    }

    fn variant(&self, path: &RelPath) -> &'static str {
        if path.extension() == Some("md") { "prose" } else { "" }
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for content in batch {
            self.counts.parsed.fetch_add(1, Ordering::Relaxed);
            assert!(!content.text.contains("panic"), "asked to");
            let (mut definitions, mut references, mut imports) = (Vec::new(), Vec::new(), Vec::new());
            let mut start = 0;
            for (line, text) in (1..).zip(content.text.split_inclusive('\n')) {
                let end = start + text.len() as u32;
                if let Some(name) = text.strip_prefix("def ") {
                    let qualified_name: Box<str> = name.trim().into();
                    let mut parts = qualified_name.split('.').filter(|name| !name.is_empty());
                    let (key, name) =
                        (NamePath::new(Anchor::Unit, parts.clone()), parts.next_back().unwrap_or("_").into());
                    let span = Span { start_byte: start, end_byte: end, start_line: line, end_line: line };
                    definitions.push(Definition {
                        qualified_name,
                        name,
                        kind: DefinitionKind::Class,
                        signature: format!("v{}", self.version).into(),
                        doc: "".into(),
                        span,
                        extent_start: start,
                        parent: None,
                        key,
                    });
                }
                let mut words = text.split_whitespace();
                let (first, second, third) = (words.next(), words.next().unwrap_or_default(), words.next());
                let used = match (first, third) {
                    (Some("use"), _) => Some((second, None)),
                    (Some("type"), Some(of)) => Some((of, Some(LeadKind::Type))),
                    (Some("base"), Some(of)) => Some((of, Some(LeadKind::Base))),
                    _ => None,
                };
                if let Some((path, lead)) = used {
                    let names = path.split(['.', '@']).filter(|name| !name.is_empty());
                    let from = NamePath::new(Anchor::Unit, second.split('.').filter(|name| !name.is_empty()));
                    references.push(Reference {
                        name: names.clone().next_back().unwrap_or("_").into(),
                        qualifier: "".into(),
                        kind: ReferenceKind::Call,
                        start_byte: start + 4,
                        line,
                        within: (definitions.len() as u32).checked_sub(1),
                        target: match path.split_once('@') {
                            Some((class, path)) => {
                                let names = class.split('.').chain(Some(NamePath::SEEN)).chain(path.split('.'));
                                NamePath::new(Anchor::Unit, names.filter(|name| !name.is_empty()))
                            }
                            None => NamePath::new(Anchor::Free, names),
                        },
                        lead: lead.map(|kind| Lead { kind, from, then: "".into() }),
                    });
                }
                if first == Some("import") {
                    let (module, name) = second.rsplit_once('.').unwrap_or((second, ""));
                    let alias = words.next().unwrap_or_default().into();
                    imports.push(Import { module: module.into(), name: name.into(), alias, line });
                }
                start = end;
            }
            let language = if content.file.variant.is_empty() { "toy" } else { content.file.variant };
            let lines = content.text.lines().count() as u32;
            out.emit(Arc::new(Syntax {
                content,
                language,
                lines,
                definitions,
                references,
                imports,
                blocks: Vec::new(),
                extras: Extras::default(),
            }));
        }
        Ok(())
    }
}

impl Parser for Parse {
    fn module_names(&self, path: &RelPath) -> Vec<String> {
        module_names(path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName> {
        import_names(path, import)
    }

    fn local_names(&self, _path: &RelPath, import: &Import) -> Vec<Box<str>> {
        local_names(import)
    }

    fn module_places(&self, path: &RelPath) -> Vec<ModulePlace> {
        module_places(path)
    }

    fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared> {
        declared(path, import)
    }

    fn unit(&self, path: &RelPath) -> ModuleUnit {
        unit(path)
    }
}

/// One chunk a line.
#[derive(Debug)]
pub struct Lines {
    /// The header of its passages.
    pub header: Header,
}

impl Operator for Lines {
    type In = Arc<Syntax>;
    type Out = Arc<Chunked>;

    fn name(&self) -> &str {
        "chunk"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of(format!("lines {:?}", self.header).as_bytes())
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for syntax in batch {
            let mut start = 0;
            let mut chunks = Vec::new();
            for (line, text) in (1..).zip(syntax.content.text.split_inclusive('\n')) {
                let end = start + text.len() as u32;
                chunks.push(Chunk {
                    span: Span { start_byte: start, end_byte: end, start_line: line, end_line: line },
                    kind: "code",
                    symbol: "".into(),
                    scope: "".into(),
                    tokens: 1,
                    body_hash: self.header.body_hash("", "", text),
                    extras: Extras::default(),
                });
                start = end;
            }
            out.emit(Arc::new(Chunked { syntax, chunks }));
        }
        Ok(())
    }
}

impl Chunker for Lines {
    fn header(&self) -> Header {
        self.header
    }
}

/// Two numbers: one from the hash of the passage, and the version. The first is -1 for a passage
/// with `lost` and -2 for one with `explosive`, and not negative for others. A passage with
/// `unembeddable` panics, except in version 2.
#[derive(Debug, Default)]
pub struct Embed {
    /// Where it counts.
    pub counts: Arc<Counts>,
    /// The version of its code: another one gives other vectors.
    pub version: u32,
    /// How many requests it says that it has under way at once.
    pub requests: usize,
}

impl Operator for Embed {
    type In = Arc<Passage>;
    type Out = Vector;

    fn name(&self) -> &str {
        "embed"
    }

    fn fingerprint(&self) -> Fingerprint {
        Hash::of_parts([b"embed".as_slice(), &self.version.to_le_bytes()])
    }

    fn batch_size(&self) -> BatchSize {
        match self.requests {
            0 => BatchSize { items: 3, bytes: 64, tokens: u64::MAX },
            _ => BatchSize { items: 7, bytes: u64::MAX, tokens: u64::MAX },
        }
    }

    fn requests(&self) -> usize {
        self.requests
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        self.counts.embed_calls.fetch_add(1, Ordering::Relaxed);
        for passage in batch {
            let mut seen = String::new();
            passage.write_to(&mut seen);
            assert!(self.version == 2 || !seen.contains("unembeddable"), "asked to");
            self.counts.embedded.fetch_add(1, Ordering::Relaxed);
            let hash = Hash::of(seen.as_bytes()).key().to_bits();
            let first = match () {
                () if seen.contains("lost") => -1.0,
                () if seen.contains("explosive") => -2.0,
                () => (hash % 1000) as f32,
            };
            let values = [first, self.version as f32];
            out.emit(Vector { key: passage.key, values: values.into() });
        }
        Ok(())
    }
}

impl Embedder for Embed {
    fn dimension(&self) -> usize {
        2
    }

    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        let first = match text {
            "lost" => -1.0,
            "explosive" => -2.0,
            text => text.len() as f32,
        };
        Some(Ok(vec![first, self.version as f32]))
    }
}
