//! Answers as text of limited length.

use std::fmt::Write as _;

use gristmill_display::thousands;
use gristmill_query::{AnswerNote, Response, ToolError};

/// An answer with its epoch and notes, truncated to `max_chars` characters.
pub(super) fn answer(response: &Response, notes: &[AnswerNote], rendered: &str, max_chars: usize) -> String {
    let mut out = head(response);
    push(&mut out, notes, rendered, max_chars);
    out
}

/// An error with what to do.
pub(super) fn error(error: &ToolError) -> String {
    let help = error.help.as_deref().map(|help| format!("\n{help}")).unwrap_or_default();
    format!("{}: {}{help}", error.code.as_str(), error.message)
}

/// The line that says which epoch answers.
pub(super) fn head(response: &Response) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(out, "epoch {}, {} files", response.epoch, thousands(response.coverage.files));
    if let Some(revision) = &response.revision {
        let _ = write!(out, ", revision {revision}");
    }
    out.push('\n');
    out
}

/// Appends notes, and an answer truncated to `max_chars` characters.
pub(super) fn push(out: &mut String, notes: &[AnswerNote], rendered: &str, max_chars: usize) {
    for note in notes {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "note: {}", note.message);
    }
    push_truncated(out, rendered, max_chars);
}

/// Appends a text; one that is too long is truncated after the last line that fits.
fn push_truncated(out: &mut String, text: &str, max_chars: usize) {
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
    let total = text.chars().count();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "… truncated: showing {} of {} characters; narrow the query or raise `max_chars`",
        thousands(kept.chars().count() as u64),
        thousands(total as u64)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated(text: &str, max_chars: usize) -> String {
        let mut out = String::new();
        push_truncated(&mut out, text, max_chars);
        out
    }

    #[test]
    fn short_text_is_not_truncated() {
        assert_eq!(truncated("äöü\n", 4), "äöü\n");
        assert_eq!(truncated("", 0), "");
    }

    #[test]
    fn text_is_truncated_between_lines() {
        let text = truncated("one\ntwo\nthree\n", 9);
        assert!(text.starts_with("one\ntwo\n… truncated: showing 8 of 14 characters"), "{text}");
        let text = truncated("ääää", 2);
        assert!(text.starts_with("ää\n… truncated: showing 2 of 4 characters"), "{text}");
    }

    #[test]
    fn the_first_line_is_the_epoch() {
        let response = Response {
            context: gristmill_query::AnswerContext::default(),
            request: "r".into(),
            epoch: gristmill_pipeline::Epoch::new(7),
            revision: None,
            committed_ms: 0,
            coverage: gristmill_query::Coverage { files: 1940, chunks: 0, vectors: 0 },
            answers: Vec::new(),
        };
        let note = AnswerNote::new("lexical_only", "lexical search only");
        let text = answer(&response, &[note], "a.rs:1\n", 100);
        assert_eq!(text, "epoch 7, 1,940 files\nnote: lexical search only\na.rs:1\n");
    }
}
