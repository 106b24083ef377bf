//! Answers as text, so long and no longer.

use std::fmt::Write as _;

use crate::query::{Note, Response};
use crate::table::thousands;

/// An answer with what to know about it, cut to so many letters.
pub(super) fn answer(response: &Response, notes: &[Note], rendered: &str, max_chars: usize) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(out, "epoch {}, {} files", response.epoch, thousands(response.coverage.files));
    if let Some(revision) = &response.revision {
        let _ = write!(out, ", revision {revision}");
    }
    out.push('\n');
    for note in notes {
        let _ = writeln!(out, "note: {}", note.message);
    }
    push_cut(&mut out, rendered, max_chars);
    out
}

/// Adds a text, cut after the last line that fits if it is too long.
fn push_cut(out: &mut String, text: &str, max_chars: usize) {
    let Some((end, _)) = text.char_indices().nth(max_chars) else {
        out.push_str(text);
        return;
    };
    let kept = text.get(..end).unwrap_or_default();
    let kept = kept.rfind('\n').map_or(kept, |line| kept.split_at(line + 1).0);
    out.push_str(kept);
    if !kept.ends_with('\n') {
        out.push('\n');
    }
    let letters = text.chars().count();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "… cut here: {} of {} letters; narrow the question, or give `max_chars`",
        thousands(kept.chars().count() as u64),
        thousands(letters as u64)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, max_chars: usize) -> String {
        let mut out = String::new();
        push_cut(&mut out, text, max_chars);
        out
    }

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(cut("äöü\n", 4), "äöü\n");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn it_is_cut_between_lines_where_there_are_any() {
        assert!(cut("one\ntwo\nthree\n", 9).starts_with("one\ntwo\n… cut here: 8 of 14 letters"));
        assert!(cut("ääää", 2).starts_with("ää\n… cut here: 2 of 4 letters"));
    }

    #[test]
    fn the_first_line_says_the_epoch() {
        let response = Response {
            request: "r".into(),
            epoch: 7,
            revision: None,
            committed_ms: 0,
            coverage: crate::query::Coverage { files: 1940, chunks: 0, vectors: 0 },
            answers: Vec::new(),
        };
        let note = Note::new("words_only", "by words alone");
        let told = answer(&response, &[note], "a.rs:1\n", 100);
        assert_eq!(told, "epoch 7, 1,940 files\nnote: by words alone\na.rs:1\n");
    }
}
