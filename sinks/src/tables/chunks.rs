//! Rows of the `chunks` table.

use std::collections::HashMap;

use gristmill_pipeline::port::DefinitionKind;
use gristmill_pipeline::{Epoch, Hash, Record, RecordChunks};

use super::{RowError, Rows, TableSchema, extras};

/// Appends a row for each chunk.
pub(super) fn append(record: &Record, epoch: Epoch, schema: &TableSchema, rows: &mut Rows) -> Result<(), RowError> {
    let path = record.path.as_str();
    let analysis = &*record.analysis;
    let missing = || RowError::Missing { path: path.into(), missing: "chunks" };
    let chunks = record.chunks.as_ref().ok_or_else(missing)?;
    // Checked first, so that an error leaves no column longer than another.
    for (ordinal, chunk) in chunks.chunks.iter().enumerate() {
        if analysis.text.get(chunk.span.bytes()).is_none() {
            return Err(RowError::OutOfText { path: path.into(), ordinal });
        }
        extras::check(&schema.extras, &chunk.extras, path)?;
    }
    if chunks.hashes.len() != chunks.chunks.len() {
        return Err(RowError::Missing { path: path.into(), missing: "hash for each chunk" });
    }
    let mut vectors = vectors_of(path, chunks, schema.dimension)?;

    // How many chunks had each hash so far.
    let mut seen: HashMap<Hash, u32> = HashMap::with_capacity(chunks.hashes.len());
    for (ordinal, (chunk, hash)) in chunks.chunks.iter().zip(&chunks.hashes).enumerate() {
        let occurrence = seen.entry(*hash).or_default();
        let id = chunk_id(path, hash, *occurrence);
        *occurrence += 1;
        let row = rows
            .row()
            .text(id.as_ref().get(..32).unwrap_or_default())
            .text(path)
            .text(&analysis.language)
            .text(chunk.kind)
            .text(&chunk.symbol)
            .text(&chunk.scope)
            .small(chunk.span.start_line)
            .small(chunk.span.end_line)
            .small(chunk.span.start_byte)
            .small(chunk.span.end_byte)
            .count(ordinal)
            .small(chunk.tokens)
            .hash(&analysis.content_hash)
            .hash(&chunk.body_hash)
            .hash(hash)
            .text(analysis.text.get(chunk.span.bytes()).unwrap_or_default());
        let row = match vectors.next() {
            Some(vector) => row.vector(vector),
            None => row,
        };
        extras::append(&schema.extras, &chunk.extras, row.large(epoch.get()));
    }
    Ok(())
}

/// The vector of each chunk; none for a table without vectors.
fn vectors_of<'a>(
    path: &str,
    chunks: &'a RecordChunks,
    dimension: Option<usize>,
) -> Result<impl Iterator<Item = &'a [f32]> + use<'a>, RowError> {
    let missing = || RowError::Missing { path: path.into(), missing: "vectors" };
    let values = match dimension {
        Some(_) => chunks.vectors.as_deref().ok_or_else(missing)?,
        None => &[],
    };
    let expected = chunks.chunks.len() * dimension.unwrap_or(0);
    if values.len() != expected {
        return Err(RowError::VectorLength { path: path.into(), expected, found: values.len() });
    }
    Ok(values.chunks_exact(dimension.unwrap_or(1).max(1)))
}

/// Identifies a chunk across epochs: 128 bits over path, hash, and index among equal hashes.
fn chunk_id(path: &str, chunk_hash: &Hash, occurrence: u32) -> impl AsRef<str> + use<> {
    let hash = Hash::of_parts([path.as_bytes(), chunk_hash.as_bytes().as_slice(), &occurrence.to_le_bytes()]);
    // `to_hex` keeps its digits on the stack, where `Display` would need a string.
    blake3::Hash::from_bytes(*hash.as_bytes()).to_hex()
}

/// The `'static` name of a chunk's kind, as [`Chunk::kind`](gristmill_pipeline::port::Chunk)
/// holds it.
pub(crate) fn chunk_kind(name: &str) -> Option<&'static str> {
    match name {
        "code" => Some("code"),
        "text" => Some("text"),
        _ => name.parse::<DefinitionKind>().ok().map(DefinitionKind::as_str),
    }
}
