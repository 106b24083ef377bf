//! Documentation and signatures as one reads them: without marks, on few lines.

/// Signatures are cut after this many bytes.
const SIGNATURE_BYTES: usize = 200;
/// Documentation is cut after this many bytes.
const DOC_BYTES: usize = 2048;

/// The head of a definition on one line: white space collapsed, no trailing commas in
/// lists, without what opens the body; at most 200 bytes, then `…`.
pub(crate) fn signature(head: &str) -> Box<str> {
    let mut line = String::new();
    for word in head.split_whitespace() {
        if line.len() + 1 + word.len() > SIGNATURE_BYTES {
            if line.is_empty() {
                line.push_str(&word[..floor(word, SIGNATURE_BYTES)]);
            }
            line.push('…');
            return line.into();
        }
        if word.starts_with([')', ']']) {
            line.truncate(line.trim_end_matches(',').len());
        } else if !line.is_empty() && !line.ends_with(['(', '[']) {
            line.push(' ');
        }
        line.push_str(word);
    }
    line.truncate(line.trim_end_matches([' ', '{', ':', ';', ',', '=']).len());
    if let Some(head) = line.strip_suffix(" where") {
        line.truncate(head.len());
    }
    line.into()
}

/// Joins comments into documentation of at most 2 KiB.
#[derive(Debug, Default)]
pub(crate) struct Doc {
    lines: String,
    blanks: usize,
    full: bool,
}

impl Doc {
    /// Appends one comment, docstring or string, with its marks removed.
    pub fn push(&mut self, comment: &str) {
        let (body, star) = strip_marks(comment.trim());
        for line in body.lines() {
            if self.full {
                return;
            }
            self.line(strip_line(line.trim(), star));
        }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.blanks += usize::from(!self.lines.is_empty());
            return;
        }
        // One blank line says as much as several.
        let joint = match (self.lines.is_empty(), self.blanks) {
            (true, _) => "",
            (false, 0) => "\n",
            (false, _) => "\n\n",
        };
        let room = DOC_BYTES.saturating_sub(self.lines.len() + joint.len());
        let line_end = floor(line, room);
        self.full = line_end < line.len();
        if line_end > 0 {
            self.lines.push_str(joint);
            self.lines.push_str(&line[..line_end]);
        }
        self.blanks = 0;
    }

    pub fn finish(self) -> Box<str> {
        self.lines.into()
    }
}

/// The greatest character boundary up to `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

/// The text between a comment's marks, and which mark its lines may begin with.
fn strip_marks(comment: &str) -> (&str, Option<char>) {
    if let Some(body) = comment.strip_prefix("/*") {
        let body = body.strip_suffix("*/").unwrap_or(body);
        return (body.trim_start_matches(['*', '!']), Some('*'));
    }
    if comment.starts_with("//") {
        return (comment, Some('/'));
    }
    if let Some(body) = comment.strip_prefix("--[") {
        let body = body.trim_start_matches(['=', '[']);
        return (body.trim_end_matches(['=', ']', '-']), None);
    }
    if comment.starts_with("--") {
        return (comment, Some('-'));
    }
    if let Some(body) = comment.strip_prefix("{-") {
        let body = body.strip_suffix("-}").unwrap_or(body);
        return (body.trim_start().trim_start_matches(['|', '^']), None);
    }
    if comment.starts_with('#') {
        return (comment, Some('#'));
    }
    let quoted = comment.trim_start_matches(|c: char| c.is_ascii_alphabetic() || c == '~');
    if quoted.len() + 2 >= comment.len() {
        for quote in ["\"\"\"", "'''", "\"", "'"] {
            if let Some(body) = quoted.strip_prefix(quote) {
                return (body.strip_suffix(quote).unwrap_or(body), None);
            }
        }
    }
    (comment, None)
}

fn strip_line(line: &str, mark: Option<char>) -> &str {
    let line = match mark {
        // `--` and `-- |` open Haskell and Lua comments alike.
        Some('-') if line.starts_with("--") => line.trim_start_matches('-').trim_start().trim_start_matches(['|', '^']),
        Some('-') | None => line,
        Some('/') if line.starts_with("//") => line.trim_start_matches('/').trim_start_matches('!'),
        Some('/') => line,
        Some(mark) => line.trim_start_matches(mark),
    };
    let line = line.trim();
    let line = line.strip_prefix("<summary>").unwrap_or(line);
    line.strip_suffix("</summary>").unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(comments: &[&str]) -> String {
        let mut doc = Doc::default();
        for comment in comments {
            doc.push(comment);
        }
        doc.finish().into()
    }

    #[test]
    fn marks_are_removed() {
        assert_eq!(doc(&["/// One.", "///", "/// Two."]), "One.\n\nTwo.");
        assert_eq!(doc(&["/**\n * One.\n *\n * Two.\n */"]), "One.\n\nTwo.");
        assert_eq!(doc(&["/* One. */"]), "One.");
        assert_eq!(doc(&["# One.", "## Two."]), "One.\nTwo.");
        assert_eq!(doc(&["-- | One.\n-- two."]), "One.\ntwo.");
        assert_eq!(doc(&["--- One.", "-- @param x"]), "One.\n@param x");
        assert_eq!(doc(&["--[[ One. ]]"]), "One.");
        assert_eq!(doc(&["{- | One. -}"]), "One.");
        assert_eq!(doc(&["\"\"\"One.\n\n    Two.\n    \"\"\""]), "One.\n\nTwo.");
        assert_eq!(doc(&["r'One.'"]), "One.");
        assert_eq!(doc(&["/// <summary>", "/// One.", "/// </summary>"]), "One.");
    }

    #[test]
    fn documentation_is_capped_wherever_it_ends() {
        for first in DOC_BYTES - 8..DOC_BYTES + 2 {
            let doc = doc(&[&format!("// {}", "a".repeat(first)), "//", "// more"]);
            assert!(doc.len() <= DOC_BYTES && !doc.ends_with('\n'), "{first}: {}", doc.len());
        }
    }

    #[test]
    fn documentation_is_capped_at_a_character() {
        let long = format!("// {}", "é".repeat(DOC_BYTES));
        let doc = doc(&[&long, "// more"]);
        assert!(doc.len() <= DOC_BYTES && doc.len() > DOC_BYTES - 4, "{}", doc.len());
        assert!(!doc.contains("more"));
    }

    #[test]
    fn signatures_are_one_line() {
        assert_eq!(&*signature("pub fn a(\n    x: u8,\n) -> u8 {"), "pub fn a(x: u8) -> u8");
        assert_eq!(&*signature("def a(self):"), "def a(self)");
        assert_eq!(&*signature("const f = (n) =>"), "const f = (n) =>");
        let long = signature(&"abc ".repeat(100));
        assert!(long.ends_with('…') && long.len() <= SIGNATURE_BYTES + '…'.len_utf8());
        assert!(signature(&"é".repeat(300)).len() <= SIGNATURE_BYTES + '…'.len_utf8());
    }
}
