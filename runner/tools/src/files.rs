//! The tool `get_files`.

use std::fmt::Write as _;

use gristmill_pipeline::RelPath;
use gristmill_query::{ChunkRows, FileRows, Row, Tool, ToolContext, ToolError, did_you_mean, in_range, quote};
use gristmill_sinks::tables::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::search::file_text::{join, place};

/// The input of `get_files`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(deny_unknown_fields)]
pub struct GetFiles {
    /// The paths, relative to the source; each may end in a line range: `src/lib.rs:10-40`.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    /// Return metadata only, no text.
    #[serde(default)]
    #[arg(long)]
    pub no_text: bool,
    /// Maximum size of the text of all files, in bytes, between 1 and 4,000,000. Longer text is
    /// truncated.
    #[serde(default = "default_bytes")]
    #[arg(long, default_value_t = default_bytes(), value_name = "N")]
    pub max_bytes: usize,
}

fn default_bytes() -> usize {
    200_000
}

/// The maximum number of files per call.
const MAX_FILES: usize = 200;

/// An indexed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// The path.
    #[schemars(with = "String")]
    pub path: RelPath,
    /// The language.
    pub language: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The number of lines.
    pub lines: u32,
    /// The number of definitions.
    pub symbols: u32,
    /// The BLAKE3 hash of the content, in hexadecimal.
    pub content_hash: String,
    /// Whether the file is quarantined: its content is not indexed.
    pub quarantined: bool,
    /// The line at which `text` starts, counted from 1.
    pub start_line: u32,
    /// The text, decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether `text` was truncated.
    pub truncated: bool,
}

/// The answer of `get_files`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesAnswer {
    /// The files, in the order of the paths.
    pub files: Vec<File>,
    /// Paths that are not in the index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found: Vec<String>,
}

impl Tool for GetFiles {
    const NAME: &'static str = "get_files";
    const ABOUT: &'static str = "Read indexed files, or line ranges of them. Takes any number of paths; a range is written as \
        `src/lib.rs:10-40`.";
    const OF_EPOCH: bool = true;
    type Answer = FilesAnswer;

    fn answer(self, context: &ToolContext<'_>) -> Result<FilesAnswer, ToolError> {
        let mut left = in_range("max_bytes", self.max_bytes, 1..=4_000_000)?;
        in_range("paths", self.paths.len(), 1..=MAX_FILES)?;
        let mut answer = FilesAnswer::default();
        for wanted in &self.paths {
            context.call.check()?;
            let (mut path, mut range) = path_and_lines(wanted)?;
            let mut row = context.file(path)?;
            if row.is_none() && range.is_some() {
                // The name of a file may end like a line range.
                (path, range) = (wanted, None);
                row = context.file(path)?;
            }
            let Some(row) = row else {
                note_missing(context, path)?;
                answer.not_found.push(wanted.clone());
                continue;
            };
            let mut file = file(row);
            if !self.no_text {
                read(context, row, range, &mut left, &mut file)?;
            }
            answer.files.push(file);
        }
        Ok(answer)
    }

    fn render(answer: &FilesAnswer) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        for file in &answer.files {
            let _ = writeln!(out, "{}  {}, {} lines, {} bytes", file.path, file.language, file.lines, file.bytes);
            for (line, nth) in file.text.as_deref().unwrap_or_default().lines().zip(file.start_line..) {
                let _ = writeln!(out, "{nth:>6}  {line}");
            }
            if file.truncated {
                out.push_str("        … truncated; read further lines with PATH:FROM-TO\n");
            }
        }
        for path in &answer.not_found {
            let _ = writeln!(out, "not in the index: {path}");
        }
        out
    }
}

/// Adds a note about a path that is no file: it is a folder, or there are similar paths.
fn note_missing(context: &ToolContext<'_>, path: &str) -> Result<(), ToolError> {
    if context.folder(path)?.is_some() {
        context.note("folder", format!("{} is a folder; list it with `list_preview`", quote(path)));
        return Ok(());
    }
    let near = context.near_paths(path)?;
    if !near.is_empty() {
        context.note("not_found", format!("no file {} in the index; {}", quote(path), did_you_mean(&near)));
    }
    Ok(())
}

fn file(row: Row<'_, FileRows>) -> File {
    let (table, at) = (row.table(), row.row);
    let hash = table.content_hash.value(at).iter().fold(String::new(), |mut hash, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    File {
        path: row.path().clone(),
        language: table.language.value(at).to_owned(),
        bytes: table.bytes.value(at),
        lines: table.lines.value(at),
        symbols: table.symbols.value(at),
        content_hash: hash,
        quarantined: table.quarantined.value(at),
        start_line: 1,
        text: None,
        truncated: false,
    }
}

/// A line range, counted from 1, inclusive.
type Lines = (u32, u32);

/// Splits a path from its line range.
fn path_and_lines(wanted: &str) -> Result<(&str, Option<Lines>), ToolError> {
    let Some((path, lines)) = wanted.rsplit_once(':') else { return Ok((wanted, None)) };
    let is_range = !lines.is_empty() && lines.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !is_range {
        // File names may contain colons.
        return Ok((wanted, None));
    }
    let (from, to) = lines.split_once('-').unwrap_or((lines, lines));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if 0 < from && from <= to => Ok((path, Some((from, to)))),
        _ => Err(ToolError::bad_input(format!("invalid line range `{lines}`"))
            .help("write PATH:FROM-TO; the first line is 1")),
    }
}

/// Assembles the text from the chunks, which cover the file in order.
fn read(
    context: &ToolContext<'_>,
    row: Row<'_, FileRows>,
    range: Option<Lines>,
    left: &mut usize,
    file: &mut File,
) -> Result<(), ToolError> {
    let tables = context.epoch.tables()?;
    if !tables.has(&Table::Chunks) {
        context.note("no_text", "no text: the job of this index stores no chunks");
        return Ok(());
    }
    let (from, to) = range.unwrap_or((1, u32::MAX));
    let chunks = ChunkRows::of_file(tables.chunks()?, row.key());
    let chunks: Vec<_> = chunks
        .into_iter()
        .filter(|chunk| {
            chunk.table().end_line.value(chunk.row) >= from && chunk.table().start_line.value(chunk.row) <= to
        })
        .collect();
    let Some(first) = chunks.first() else { return Ok(()) };
    let first_line = first.table().start_line.value(first.row);
    let addresses: Vec<u64> = chunks.iter().filter_map(Row::address).collect();
    let texts = tables.texts(&addresses)?;
    let mut text = String::new();
    let pieces = chunks.iter().enumerate().map(|(nth, chunk)| {
        let (byte, line) = place(*chunk);
        (byte, line, texts.get(nth))
    });
    let parts = join(pieces);
    file.start_line = first_line.max(from);
    // Chunks may start within a line.
    let lines = parts.iter().flat_map(|part| (part.start_line..).zip(part.text.split_inclusive('\n')));
    for (_, piece) in lines.filter(|(line, _)| (from..=to).contains(line)) {
        if text.len() + piece.len() > *left {
            file.truncated = true;
            break;
        }
        text.push_str(piece);
    }
    *left -= text.len();
    file.text = Some(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_end_in_a_line_range() {
        assert_eq!(path_and_lines("a/b.rs").ok(), Some(("a/b.rs", None)));
        assert_eq!(path_and_lines("a/b.rs:3-9").ok(), Some(("a/b.rs", Some((3, 9)))));
        assert_eq!(path_and_lines("a/b.rs:3").ok(), Some(("a/b.rs", Some((3, 3)))));
        assert_eq!(path_and_lines("a:b").ok(), Some(("a:b", None)));
        for wrong in ["a:0-3", "a:9-3", "a:-", "a:1-99999999999", "a:1-2-3"] {
            assert!(path_and_lines(wrong).is_err(), "{wrong}");
        }
    }
}
