//! What the preprocessor would take away before C and C++ are parsed.
//!
//! Bytes are overwritten with blanks, so that positions stay. Only the parser sees them; names and
//! signatures are read from the text itself.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// The words between `class` and a name that it defines: `class CORE_EXPORT(x) Name : Base {`.
static EXPORTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+((?:[A-Z][A-Z0-9_]+(?:\s*\([^()\n]*\))?\s+)+)([A-Za-z_]\w*)\s*(?:<[^;{}()]*>\s*)?(?:final\s*)?(?:\{|:[^:])";
    Regex::new(pattern).ok()
});

/// Returns the text without macros in the heads of types and without the branches of `#if` that
/// open or close braces a second time. `None` if the text has none.
pub(in crate::languages) fn prepare(text: &str) -> Option<String> {
    let mut blank = Vec::new();
    if let Some(exports) = EXPORTS.as_ref() {
        for groups in exports.captures_iter(text) {
            let is_name = groups.get(2).is_some_and(|name| !matches!(name.as_str(), "final" | "class" | "struct"));
            blank.extend(groups.get(1).filter(|_| is_name).map(|words| words.range()));
        }
    }
    if memchr::memmem::find(text.as_bytes(), b"#else").is_some()
        || memchr::memmem::find(text.as_bytes(), b"#elif").is_some()
    {
        blank.extend(torn_branches(text));
    }
    if blank.is_empty() {
        return None;
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in blank {
        for byte in bytes.get_mut(range).into_iter().flatten() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A conditional that has not ended.
struct Conditional {
    /// Its directives so far.
    directives: Vec<Range<usize>>,
    /// Braces that its branches leave open, or close.
    balances: Vec<i32>,
    /// Whether all lines that open or close them are of statements.
    is_of_statements: bool,
}

/// Returns the directives, and all branches but the first, of conditionals whose branches each leave
/// the same braces of statements open: `if (a) {` in one and `if (b) {` in the other. Heads of functions
/// stay, as each is a definition.
fn torn_branches(text: &str) -> Vec<Range<usize>> {
    let mut blank = Vec::new();
    let mut open: Vec<Conditional> = Vec::new();
    let mut at = 0;
    let mut is_comment = false;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let directive = line.trim_start().strip_prefix('#').map(str::trim_start).unwrap_or_default();
        if directive.starts_with("if") {
            open.push(Conditional { directives: vec![range], balances: vec![0], is_of_statements: true });
        } else if directive.starts_with("el") {
            if let Some(conditional) = open.last_mut() {
                conditional.directives.push(range);
                conditional.balances.push(0);
            }
        } else if directive.starts_with("endif") {
            let Some(mut conditional) = open.pop() else { continue };
            conditional.directives.push(range);
            let balance = conditional.balances.first().copied().unwrap_or_default();
            let is_torn = balance != 0
                && conditional.is_of_statements
                && conditional.balances.len() > 1
                && conditional.balances.iter().all(|other| *other == balance);
            if is_torn {
                let (first, others) = (conditional.directives.first(), conditional.directives.get(1));
                blank.extend(first.cloned());
                blank.extend(others.map(|second| second.start..at));
            }
            // Outside, the first branch counts.
            if let Some(outer) = open.last_mut() {
                outer.is_of_statements &= balance == 0 || conditional.is_of_statements;
                if let Some(sum) = outer.balances.last_mut() {
                    *sum += balance;
                }
            }
        } else if let Some(conditional) = open.last_mut() {
            let balance = balance_of(line, &mut is_comment);
            conditional.is_of_statements &= balance == 0 || begins_statement(line);
            if let Some(sum) = conditional.balances.last_mut() {
                *sum += balance;
            }
        }
    }
    blank
}

fn begins_statement(line: &str) -> bool {
    let line = line.trim_start();
    let word = line.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    line.starts_with(['{', '}']) || matches!(word, "if" | "else" | "for" | "while" | "do" | "switch" | "case" | "try")
}

/// Returns how many more braces a line opens than it closes, outside of strings and comments.
fn balance_of(line: &str, is_comment: &mut bool) -> i32 {
    let mut balance = 0;
    let mut quote = None;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'*', _) if *is_comment && bytes.peek() == Some(&b'/') => *is_comment = false,
            _ if *is_comment => {}
            (b'\\', Some(_)) => {
                bytes.next();
            }
            (_, Some(mark)) if byte == mark => quote = None,
            (_, Some(_)) => {}
            (b'/', None) if bytes.peek() == Some(&b'/') => break,
            (b'/', None) if bytes.peek() == Some(&b'*') => *is_comment = true,
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'{', None) => balance += 1,
            (b'}', None) => balance -= 1,
            _ => {}
        }
    }
    balance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_heads_with_macros_are_changed() {
        for (text, expected) in [
            ("class API Foo {};", Some("class     Foo {};")),
            ("struct DLL(x) Foo : B {};", Some("struct        Foo : B {};")),
            ("enum class API E {};", Some("enum class     E {};")),
            ("class Foo final {};", None),
            ("class FOO final {};", None),
            ("class FOO {};", None),
            ("struct STAT buffer;", None),
            ("struct STAT f(int a) {}", None),
        ] {
            assert_eq!(prepare(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn branches_that_open_a_brace_twice_are_left_out() {
        let torn = "#if A\nif (a) {\n#else\nif (b) {\n#endif\n}\n";
        assert_eq!(prepare(torn).as_deref(), Some("     \nif (a) {\n     \n        \n      \n}\n"));
        let heads = "#if A\nint f(int a) {\n#else\nint g(int a) {\n#endif\n}\n";
        assert_eq!(prepare(heads), None);
        let whole = "#if A\nint f() { return '{'; }\n#else\nint f() { return 1; }\n#endif\n";
        assert_eq!(prepare(whole), None);
    }
}
