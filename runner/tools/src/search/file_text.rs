//! The text of a file, put together from its chunks.

use gristmill_query::{ChunkRows, Row};

/// Consecutive chunks of a file, joined. A file has several such parts only where an operator of the
/// job dropped chunks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) text: String,
    /// The line of the first byte, counted from 1.
    pub(crate) start_line: u32,
    /// The first byte of each chunk, and its index among the chunks of the file, in order.
    chunks: Vec<(usize, usize)>,
}

impl Part {
    /// Returns the index of the chunk that a byte lies in.
    pub(crate) fn chunk_at(&self, byte: usize) -> usize {
        let after = self.chunks.partition_point(|(start, _)| *start <= byte);
        self.chunks.get(after.saturating_sub(1)).map_or(0, |(_, chunk)| *chunk)
    }

    /// Returns the text of a chunk, without what overlaps the next one.
    pub(crate) fn text_of(&self, chunk: usize) -> &str {
        let at = self.chunks.iter().position(|(_, nth)| *nth == chunk).unwrap_or_default();
        let start = self.chunks.get(at).map_or(0, |(start, _)| *start);
        let end = self.chunks.get(at + 1).map_or(self.text.len(), |(start, _)| *start);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Ends all lines with a line feed alone, so that expressions match whatever the line ends are.
    pub(crate) fn normalise_line_ends(&mut self) {
        if !self.text.contains("\r\n") {
            return;
        }
        let mut removed = 0;
        let mut ends = self.text.match_indices("\r\n").map(|(at, _)| at).peekable();
        for (start, _) in &mut self.chunks {
            while ends.next_if(|at| *at < *start).is_some() {
                removed += 1;
            }
            *start -= removed;
        }
        drop(ends);
        self.text = self.text.replace("\r\n", "\n");
    }
}

/// A chunk of a file: its first byte and line, and its text.
pub(crate) type Piece<'a> = (usize, u32, &'a str);

/// Returns the first byte and line of a chunk.
pub(crate) fn place(chunk: Row<'_, ChunkRows>) -> (usize, u32) {
    let (rows, row) = (chunk.table(), chunk.row);
    (rows.start_byte.value(row) as usize, rows.start_line.value(row))
}

/// Joins the chunks of a file, which are in order. They may overlap.
pub(crate) fn join<'a>(pieces: impl Iterator<Item = Piece<'a>> + Clone) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut left: usize = pieces.clone().map(|(.., text)| text.len()).sum();
    // One past the last byte of the text so far.
    let mut end = 0;
    for (nth, (start, line, text)) in pieces.enumerate() {
        let stop = start + text.len();
        left = left.saturating_sub(text.len());
        match parts.last_mut().filter(|_| start <= end) {
            Some(part) => {
                // It may overlap the chunks before it.
                let rest = text.get(end - start..).unwrap_or_default();
                part.chunks.push((part.text.len() - (end - start).min(part.text.len()), nth));
                part.text.push_str(rest);
                end = end.max(stop);
            }
            None => {
                // Growing a text would copy it several times.
                let mut whole = String::with_capacity(text.len() + left);
                whole.push_str(text);
                parts.push(Part { text: whole, start_line: line, chunks: vec![(0, nth)] });
                end = stop;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_chunks_are_one_part() {
        let parts = join([(0, 1, "fn a()"), (6, 1, " {\n"), (9, 2, "}\n")].into_iter());
        let [part] = parts.as_slice() else { panic!("{parts:?}") };
        assert_eq!((part.text.as_str(), part.start_line), ("fn a() {\n}\n", 1));
        assert_eq!([0, 5, 6, 8, 9, 11].map(|byte| part.chunk_at(byte)), [0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn gaps_part_the_text_and_overlaps_do_not_repeat_it() {
        let parts = join([(10, 3, "ab\n"), (20, 9, "cd"), (21, 9, "de")].into_iter());
        let texts: Vec<(&str, u32)> = parts.iter().map(|part| (part.text.as_str(), part.start_line)).collect();
        assert_eq!(texts, [("ab\n", 3), ("cde", 9)]);
        assert_eq!(parts[1].chunk_at(0), 1);
        assert_eq!(parts[1].chunk_at(2), 2);
        let within = join([(0, 1, "abcdef"), (2, 1, "cd")].into_iter());
        assert_eq!(within[0].text, "abcdef");
    }

    #[test]
    fn line_ends_are_normalised() {
        let mut parts = join([(0, 1, "a\r\nb\r"), (5, 2, "\nc\rd\r\n")].into_iter());
        parts[0].normalise_line_ends();
        assert_eq!(parts[0].text, "a\nb\nc\rd\n");
        assert_eq!(["a", "b", "c"].map(|text| parts[0].chunk_at(parts[0].text.find(text).unwrap())), [0, 0, 1]);
    }
}
