//! The expressions of the search modes `regex` and `literal`.

use gristmill_query::ToolError;
use regex::{Regex, RegexBuilder};
use unicode_normalization::UnicodeNormalization as _;

use super::needle::Needle;
use super::query::SearchMode;

/// The maximum size of a compiled expression.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) regex: Regex,
    /// Whether it matches texts whose lines end with a line feed alone: `$` and `\n` then match
    /// whatever the line ends are. One that names carriage returns matches texts as they are.
    pub(super) ignores_line_ends: bool,
    /// What its matches begin with, if that is known.
    pub(super) needle: Option<Needle>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// If it is malformed, or too large.
    pub(super) fn new(mode: SearchMode, text: &str) -> Result<Self, ToolError> {
        let is_literal = mode == SearchMode::Literal;
        let pattern = if is_literal { literal(text) } else { text.to_owned() };
        let ignores_line_ends = is_literal || !names_carriage_return(text);
        let built = RegexBuilder::new(&pattern)
            .multi_line(true)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .build();
        let regex = built.map_err(|error| {
            let help = "the syntax is that of the Rust crate `regex`: no look-around, no back-references";
            ToolError::bad_input(format!("invalid regular expression: {error}")).help(help)
        })?;
        Ok(Self { regex, ignores_line_ends, needle: Needle::of(&pattern) })
    }
}

/// Returns the expression of a literal text, in either Unicode normal form.
fn literal(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut forms = vec![regex::escape(&text)];
    if !text.is_ascii() {
        for form in [text.nfc().collect::<String>(), text.nfd().collect()] {
            let form = regex::escape(&form);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms.join("|")
}

fn names_carriage_return(pattern: &str) -> bool {
    ["\r", "\\r", "\\x0d", "\\x0D", "\\x{d}", "\\x{D}", "\\cM"].into_iter().any(|name| pattern.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(mode: SearchMode, pattern: &str, text: &str) -> bool {
        Expression::new(mode, pattern).unwrap().regex.is_match(text)
    }

    #[test]
    fn literals_match_in_either_normal_form() {
        for text in ["caf\u{e9}()", "cafe\u{301}()"] {
            assert!(matches(SearchMode::Literal, "caf\u{e9}(", text));
            assert!(matches(SearchMode::Literal, "cafe\u{301}(", text));
        }
        assert!(!matches(SearchMode::Literal, "a.b", "axb"));
        assert!(matches(SearchMode::Literal, "a\r\nb", "a\nb"));
    }

    #[test]
    fn line_ends_are_ignored_unless_they_are_named() {
        let ignores = |pattern| Expression::new(SearchMode::Regex, pattern).unwrap().ignores_line_ends;
        assert!(ignores("total\\(\\)$") && ignores("a\\nb"));
        assert!(!ignores("\\r\\n") && !ignores("\\r?$"));
        assert!(matches(SearchMode::Regex, "^b$", "a\nb\nc"));
    }
}
