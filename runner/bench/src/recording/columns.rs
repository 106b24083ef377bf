//! Items as rows of Arrow files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryBuilder, FixedSizeBinaryArray, FixedSizeBinaryBuilder, FixedSizeListArray,
    Float32Array, RecordBatch, StringArray, StringBuilder, UInt32Array, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use gristmill_pipeline::port::{
    Block, Chunk, Chunked, Content, Definition, FileItem, Import, Item, Port, Reference, Span, Syntax, Text, Vector,
};
use gristmill_pipeline::source::{Object, Origin};
use gristmill_pipeline::{ExtraValue, Extras, Hash, PassageKey, RelPath};
use parking_lot::Mutex;

use crate::error::BenchError;

/// The length of the key of a passage.
const KEY_BYTES: i32 = 16;

/// Bytes of text after which a batch of rows is written.
const BATCH_BYTES: usize = 32 << 20;

/// The bytes of a recorded file.
pub(super) struct Recorded(pub(super) Arc<[u8]>);

impl Object for Recorded {
    fn read(&self) -> std::io::Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }
}

/// What parsing found, in the binary column of `syntax`: definitions, references, imports and blocks.
type Found = (Vec<Definition>, Vec<Reference>, Vec<Import>, Vec<Block>);

/// Writes rows in batches.
pub(super) struct Writer {
    path: std::path::PathBuf,
    port: Port,
    file: Option<FileWriter<BufWriter<File>>>,
    rows: Rows,
}

/// The rows of a batch, column by column.
enum Rows {
    Files {
        paths: StringBuilder,
        variants: StringBuilder,
        hashes: StringBuilder,
        bytes: BinaryBuilder,
    },
    Contents {
        files: UInt32Builder,
        texts: StringBuilder,
        hashes: StringBuilder,
        encodings: StringBuilder,
        extras: StringBuilder,
    },
    Syntax {
        files: UInt32Builder,
        languages: StringBuilder,
        lines: UInt32Builder,
        found: BinaryBuilder,
        extras: StringBuilder,
    },
    Chunks(Box<ChunkRows>),
    Vectors {
        keys: FixedSizeBinaryBuilder,
        values: Vec<f32>,
        dimension: usize,
    },
}

#[derive(Default)]
struct ChunkRows {
    files: UInt32Builder,
    /// Start and end byte, start and end line, tokens.
    numbers: [UInt32Builder; 5],
    kinds: StringBuilder,
    symbols: StringBuilder,
    scopes: StringBuilder,
    hashes: StringBuilder,
    extras: StringBuilder,
    bytes: usize,
}

const CHUNK_NUMBERS: [&str; 5] = ["start_byte", "end_byte", "start_line", "end_line", "tokens"];

impl Rows {
    fn new(port: Port) -> Self {
        let (text, number) = (StringBuilder::new, UInt32Builder::new);
        match port {
            Port::Files => Self::Files { paths: text(), variants: text(), hashes: text(), bytes: BinaryBuilder::new() },
            Port::Contents => {
                Self::Contents { files: number(), texts: text(), hashes: text(), encodings: text(), extras: text() }
            }
            Port::Syntax => Self::Syntax {
                files: number(),
                languages: text(),
                lines: number(),
                found: BinaryBuilder::new(),
                extras: text(),
            },
            Port::Chunks => Self::Chunks(Box::default()),
            Port::Vectors => {
                Self::Vectors { keys: FixedSizeBinaryBuilder::new(KEY_BYTES), values: Vec::new(), dimension: 0 }
            }
        }
    }

    /// Bytes of the columns that grow with the text.
    fn bytes(&self) -> usize {
        match self {
            Self::Files { bytes, .. } => bytes.values_slice().len(),
            Self::Contents { texts, .. } => texts.values_slice().len(),
            Self::Syntax { found, .. } => found.values_slice().len(),
            Self::Chunks(rows) => rows.bytes,
            Self::Vectors { values, .. } => size_of_val(&values[..]),
        }
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let column = |name: &'static str, array: ArrayRef| (name, array);
        let columns: Vec<(&str, ArrayRef)> = match self {
            Self::Files { paths, variants, hashes, bytes } => vec![
                column("path", Arc::new(paths.finish())),
                column("variant", Arc::new(variants.finish())),
                column("content_hash", Arc::new(hashes.finish())),
                column("bytes", Arc::new(bytes.finish())),
            ],
            Self::Contents { files, texts, hashes, encodings, extras } => vec![
                column("file", Arc::new(files.finish())),
                column("text", Arc::new(texts.finish())),
                column("content_hash", Arc::new(hashes.finish())),
                column("encoding", Arc::new(encodings.finish())),
                column("extras", Arc::new(extras.finish())),
            ],
            Self::Syntax { files, languages, lines, found, extras } => vec![
                column("file", Arc::new(files.finish())),
                column("language", Arc::new(languages.finish())),
                column("lines", Arc::new(lines.finish())),
                column("found", Arc::new(found.finish())),
                column("extras", Arc::new(extras.finish())),
            ],
            Self::Chunks(rows) => {
                rows.bytes = 0;
                let mut columns = vec![column("file", Arc::new(rows.files.finish()) as ArrayRef)];
                for (name, numbers) in CHUNK_NUMBERS.into_iter().zip(&mut rows.numbers) {
                    columns.push(column(name, Arc::new(numbers.finish())));
                }
                let texts = [&mut rows.kinds, &mut rows.symbols, &mut rows.scopes, &mut rows.hashes, &mut rows.extras];
                for (name, texts) in ["kind", "symbol", "scope", "body_hash", "extras"].into_iter().zip(texts) {
                    columns.push(column(name, Arc::new(texts.finish())));
                }
                columns
            }
            Self::Vectors { keys, values, dimension } => {
                let item = Arc::new(Field::new("item", DataType::Float32, false));
                let length = i32::try_from(*dimension).unwrap_or(i32::MAX);
                let values = Arc::new(Float32Array::from(std::mem::take(values)));
                vec![
                    column("key", Arc::new(keys.finish())),
                    column("vector", Arc::new(FixedSizeListArray::try_new(item, length, values, None)?)),
                ]
            }
        };
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }
}

impl Writer {
    pub(super) fn create(path: std::path::PathBuf, port: Port) -> Self {
        Self { path, port, file: None, rows: Rows::new(port) }
    }

    /// Adds an item; `file` is the position of its file.
    pub(super) fn push(&mut self, file: u32, item: &Item) -> Result<(), BenchError> {
        match (&mut self.rows, item) {
            (Rows::Files { paths, variants, hashes, bytes }, Item::File(item)) => {
                paths.append_value(item.path.as_str());
                variants.append_value(item.variant);
                hashes.append_value(item.content_hash.to_string());
                let raw = match &item.origin {
                    Origin::Object(object) => object.read(),
                    Origin::File(path) => std::fs::read(path),
                };
                bytes.append_value(raw.map_err(BenchError::file("read", item.path.as_str()))?);
            }
            (Rows::Contents { files, texts, hashes, encodings, extras }, Item::Content(content)) => {
                files.append_value(file);
                texts.append_value(&*content.text);
                hashes.append_value(content.content_hash.to_string());
                encodings.append_value(content.encoding);
                extras.append_value(extras_json(&content.extras));
            }
            (Rows::Syntax { files, languages, lines, found, extras }, Item::Syntax(syntax)) => {
                let all = (&syntax.definitions, &syntax.references, &syntax.imports, &syntax.blocks);
                let encoded = postcard::to_allocvec(&all).map_err(|error| invalid(&self.path, error));
                files.append_value(file);
                languages.append_value(syntax.language);
                lines.append_value(syntax.lines);
                found.append_value(encoded?);
                extras.append_value(extras_json(&syntax.extras));
            }
            (Rows::Chunks(rows), Item::Chunked(chunked)) => rows.push(file, &chunked.chunks),
            (Rows::Vectors { keys, values, dimension }, Item::Vector(vector)) => {
                let key = keys.append_value(vector.key.to_le_bytes());
                key.map_err(|error| invalid(&self.path, error))?;
                values.extend_from_slice(&vector.values);
                *dimension = vector.values.len();
            }
            // Of another port, which no stage gives.
            _ => {}
        }
        if self.rows.bytes() >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), BenchError> {
        let written = self.rows.finish().and_then(|batch| {
            if self.file.is_none() {
                let file = BufWriter::new(File::create(&self.path)?);
                self.file = Some(FileWriter::try_new(file, &batch.schema())?);
            }
            self.file.as_mut().map_or(Ok(()), |file| file.write(&batch))
        });
        self.rows = Rows::new(self.port);
        written.map_err(|error| invalid(&self.path, error))
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<(), BenchError> {
        self.flush()?;
        let finished = self.file.as_mut().map_or(Ok(()), FileWriter::finish);
        finished.map_err(|error| invalid(&self.path, error))
    }
}

impl ChunkRows {
    fn push(&mut self, file: u32, chunks: &[Chunk]) {
        for chunk in chunks {
            let Span { start_byte, end_byte, start_line, end_line } = chunk.span;
            self.files.append_value(file);
            let numbers = [start_byte, end_byte, start_line, end_line, chunk.tokens];
            self.numbers.iter_mut().zip(numbers).for_each(|(column, number)| column.append_value(number));
            self.kinds.append_value(chunk.kind);
            self.symbols.append_value(&chunk.symbol);
            self.scopes.append_value(&chunk.scope);
            self.hashes.append_value(chunk.body_hash.to_string());
            self.extras.append_value(extras_json(&chunk.extras));
            self.bytes += chunk.symbol.len() + chunk.scope.len() + 128;
        }
    }
}

/// Reads the files of a recording.
pub(super) fn read_files(path: &Path) -> Result<Vec<Arc<FileItem>>, BenchError> {
    let mut files = Vec::new();
    for batch in batches(path)? {
        let columns = Columns { path, batch: batch? };
        let (paths, variants) = (columns.texts("path")?, columns.texts("variant")?);
        let (hashes, bytes) = (columns.texts("content_hash")?, columns.get::<BinaryArray>("bytes")?);
        for row in 0..columns.batch.num_rows() {
            let raw: Arc<[u8]> = bytes.value(row).into();
            files.push(Arc::new(FileItem {
                path: RelPath::from(paths.value(row)),
                bytes: raw.len() as u64,
                origin: Origin::Object(Arc::new(Recorded(raw))),
                content_hash: columns.hash(hashes.value(row))?,
                variant: known(variants.value(row)),
            }));
        }
    }
    Ok(files)
}

/// Reads what a stage gave, each item with the position of its file. `before` is what the stage took.
pub(super) fn read(
    path: &Path,
    port: Port,
    files: &[Arc<FileItem>],
    before: &[(u32, Item)],
) -> Result<Vec<(u32, Item)>, BenchError> {
    let before: HashMap<u32, &Item> = before.iter().map(|(file, item)| (*file, item)).collect();
    let mut chunks: BTreeMap<u32, Vec<Chunk>> = BTreeMap::new();
    let mut items = Vec::new();
    for batch in batches(path)? {
        let columns = Columns { path, batch: batch? };
        match port {
            Port::Files => columns.files(&before, &mut items)?,
            Port::Contents => columns.contents(files, &mut items)?,
            Port::Syntax => columns.syntax(&before, &mut items)?,
            Port::Chunks => columns.chunks(&mut chunks)?,
            Port::Vectors => columns.vectors(&mut items)?,
        }
    }
    if port == Port::Chunks {
        let syntax = before.iter().filter_map(|(file, item)| match item {
            Item::Syntax(syntax) => Some((*file, Arc::clone(syntax))),
            Item::Chunked(chunked) => Some((*file, Arc::clone(&chunked.syntax))),
            _ => None,
        });
        let chunked = syntax.map(|(file, syntax)| {
            let chunks = chunks.remove(&file).unwrap_or_default();
            (file, Item::Chunked(Arc::new(Chunked { syntax, chunks })))
        });
        items.extend(chunked);
        items.sort_by_key(|(file, _)| *file);
    }
    Ok(items)
}

/// A batch of rows of a file.
struct Columns<'a> {
    path: &'a Path,
    batch: RecordBatch,
}

impl Columns<'_> {
    fn get<T: Array + 'static>(&self, name: &str) -> Result<&T, BenchError> {
        let column = self.batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
        column.ok_or_else(|| invalid(self.path, format!("it has no column `{name}` of the expected type")))
    }

    fn texts(&self, name: &str) -> Result<&StringArray, BenchError> {
        self.get(name)
    }

    fn numbers(&self, name: &str) -> Result<&UInt32Array, BenchError> {
        self.get(name)
    }

    fn hash(&self, text: &str) -> Result<Hash, BenchError> {
        text.parse().map_err(|_| invalid(self.path, format!("`{text}` is no hash")))
    }

    fn extras(&self, json: &str) -> Result<Extras, BenchError> {
        let mut extras = Extras::default();
        if !json.is_empty() {
            let values: BTreeMap<String, ExtraValue> =
                serde_json::from_str(json).map_err(|error| invalid(self.path, error))?;
            values.into_iter().for_each(|(column, value)| extras.set(&column, value));
        }
        Ok(extras)
    }

    fn files(&self, before: &HashMap<u32, &Item>, items: &mut Vec<(u32, Item)>) -> Result<(), BenchError> {
        let paths = self.texts("path")?;
        let by_path: HashMap<&str, (u32, &Item)> =
            before.iter().filter_map(|(file, item)| Some((item.path()?.as_str(), (*file, *item)))).collect();
        let taken = paths.iter().flatten().filter_map(|path| by_path.get(path));
        items.extend(taken.map(|(file, item)| (*file, (*item).clone())));
        Ok(())
    }

    fn contents(&self, files: &[Arc<FileItem>], items: &mut Vec<(u32, Item)>) -> Result<(), BenchError> {
        let (of, texts, hashes) = (self.numbers("file")?, self.texts("text")?, self.texts("content_hash")?);
        let (encodings, extras) = (self.texts("encoding")?, self.texts("extras")?);
        for row in 0..self.batch.num_rows() {
            let Some(file) = files.get(of.value(row) as usize) else {
                return Err(invalid(self.path, "it is about a file that `source.arrow` does not have"));
            };
            let content = Content {
                file: Arc::clone(file),
                text: Text::new(texts.value(row)),
                content_hash: self.hash(hashes.value(row))?,
                encoding: known(encodings.value(row)),
                extras: self.extras(extras.value(row))?,
            };
            items.push((of.value(row), Item::Content(Arc::new(content))));
        }
        Ok(())
    }

    fn syntax(&self, before: &HashMap<u32, &Item>, items: &mut Vec<(u32, Item)>) -> Result<(), BenchError> {
        let (of, languages, lines) = (self.numbers("file")?, self.texts("language")?, self.numbers("lines")?);
        let (found, extras) = (self.get::<BinaryArray>("found")?, self.texts("extras")?);
        for row in 0..self.batch.num_rows() {
            let content = match before.get(&of.value(row)) {
                Some(Item::Content(content)) => Arc::clone(content),
                Some(Item::Syntax(syntax)) => Arc::clone(&syntax.content),
                _ => return Err(invalid(self.path, "it is about a content that the stage before did not give")),
            };
            let found = postcard::from_bytes(found.value(row)).map_err(|error| invalid(self.path, error));
            let (definitions, references, imports, blocks): Found = found?;
            let (language, lines) = (known(languages.value(row)), lines.value(row));
            let extras = self.extras(extras.value(row))?;
            let syntax = Syntax { content, language, lines, definitions, references, imports, blocks, extras };
            items.push((of.value(row), Item::Syntax(Arc::new(syntax))));
        }
        Ok(())
    }

    fn chunks(&self, chunks: &mut BTreeMap<u32, Vec<Chunk>>) -> Result<(), BenchError> {
        let of = self.numbers("file")?;
        let [start_byte, end_byte, start_line, end_line, tokens] = CHUNK_NUMBERS.map(|name| self.numbers(name));
        let (start_byte, end_byte, start_line, end_line, tokens) =
            (start_byte?, end_byte?, start_line?, end_line?, tokens?);
        let (kinds, symbols, scopes) = (self.texts("kind")?, self.texts("symbol")?, self.texts("scope")?);
        let (hashes, extras) = (self.texts("body_hash")?, self.texts("extras")?);
        for row in 0..self.batch.num_rows() {
            let span = Span {
                start_byte: start_byte.value(row),
                end_byte: end_byte.value(row),
                start_line: start_line.value(row),
                end_line: end_line.value(row),
            };
            chunks.entry(of.value(row)).or_default().push(Chunk {
                span,
                kind: known(kinds.value(row)),
                symbol: symbols.value(row).into(),
                scope: scopes.value(row).into(),
                tokens: tokens.value(row),
                body_hash: self.hash(hashes.value(row))?,
                extras: self.extras(extras.value(row))?,
            });
        }
        Ok(())
    }

    fn vectors(&self, items: &mut Vec<(u32, Item)>) -> Result<(), BenchError> {
        let (keys, vectors) = (self.get::<FixedSizeBinaryArray>("key")?, self.get::<FixedSizeListArray>("vector")?);
        for row in 0..self.batch.num_rows() {
            let key = keys.value(row).try_into().map_err(|_| invalid(self.path, "a key has not 16 bytes"))?;
            let vector = vectors.value(row);
            let values = vector.as_any().downcast_ref::<Float32Array>();
            let values = values.ok_or_else(|| invalid(self.path, "a vector is not of 32-bit floats"))?;
            let vector = Vector { key: PassageKey::from_le_bytes(key), values: values.values()[..].into() };
            items.push((0, Item::Vector(vector)));
        }
        Ok(())
    }
}

fn batches(path: &Path) -> Result<impl Iterator<Item = Result<RecordBatch, BenchError>> + '_, BenchError> {
    let file = File::open(path).map_err(BenchError::file("read", path))?;
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(|error| invalid(path, error))?;
    Ok(reader.map(move |batch| batch.map_err(|error| invalid(path, error))))
}

fn invalid(path: &Path, reason: impl std::fmt::Display) -> BenchError {
    BenchError::Invalid { path: path.into(), reason: reason.to_string() }
}

fn extras_json(extras: &Extras) -> String {
    if extras.is_empty() {
        return String::new();
    }
    let values: BTreeMap<&str, &ExtraValue> = extras.iter().collect();
    // Maps of text to numbers and text are always JSON, but for floats that are not numbers.
    serde_json::to_string(&values).unwrap_or_default()
}

/// A text that lives as long as the program. There are few: languages, encodings, kinds of chunks.
fn known(text: &str) -> &'static str {
    static KNOWN: LazyLock<Mutex<BTreeSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock();
    if let Some(known) = known.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    known.insert(text);
    text
}
