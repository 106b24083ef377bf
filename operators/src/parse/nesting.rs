//! How deep a text nests, by a count of brackets and tags alone.
//!
//! Some grammars take time quadratic in the depth, in code that looks at no limit meanwhile.

/// The deepest place of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nesting {
    /// What nests there.
    pub what: &'static str,
    /// Its line, counted from 1.
    pub line: u32,
    pub depth: u32,
}

/// Elements that have no end tag, or whose end tag may be left out.
const WITHOUT_END: &[&str] = &[
    "area", "base", "basefont", "bgsound", "br", "caption", "col", "colgroup", "command", "dd", "dt", "embed", "frame",
    "hr", "image", "img", "input", "isindex", "keygen", "li", "link", "menuitem", "meta", "nextid", "optgroup",
    "option", "p", "param", "rb", "rp", "rt", "rtc", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track",
    "wbr",
];

/// Returns the deepest bracket, or, in HTML, the deepest tag where that is deeper.
pub(super) fn deepest(language: &str, text: &str) -> Nesting {
    let bracket = deepest_bracket(text);
    if language != "html" {
        return bracket;
    }
    let tag = deepest_tag(text);
    if tag.depth > bracket.depth { tag } else { bracket }
}

/// Returns the deepest bracket.
///
/// Brackets in strings and comments count too; a closing one without its opening one
/// does not. The limit is so far above what people nest that this is exact enough.
fn deepest_bracket(text: &str) -> Nesting {
    let (mut line, mut depth) = (1, 0_u32);
    let mut deepest = Nesting { what: "brackets", line: 0, depth: 0 };
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > deepest.depth {
                    (deepest.line, deepest.depth) = (line, depth);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
    }
    deepest
}

/// Returns the deepest tag that has an end tag, or lacks the one that it ought to have.
fn deepest_tag(text: &str) -> Nesting {
    let mut deepest = Nesting { what: "tags", line: 0, depth: 0 };
    let (mut depth, mut deepest_at) = (0_u32, 0);
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', text.as_bytes().get(at..).unwrap_or_default()) {
        at += found + 1;
        let rest = text.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("!--") {
            at = comment.find("-->").map_or(text.len(), |end| at + 3 + end);
        } else if let Some(end) = rest.strip_prefix('/') {
            let counts = is_counted(name(end));
            depth = depth.saturating_sub(u32::from(counts));
        } else if is_counted(name(rest)) {
            let raw = ["script", "style"].into_iter().find(|raw| name(rest).eq_ignore_ascii_case(raw));
            if let Some(raw) = raw {
                at = end_of_raw(text, at, raw);
                continue;
            }
            let end = memchr::memchr(b'>', rest.as_bytes());
            if end.is_some_and(|end| rest.get(..end).is_some_and(|tag| tag.ends_with('/'))) {
                continue;
            }
            depth += 1;
            if depth > deepest.depth {
                (deepest_at, deepest.depth) = (at, depth);
            }
        }
    }
    let before = text.as_bytes().get(..deepest_at).unwrap_or_default();
    deepest.line = 1 + u32::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(u32::MAX);
    deepest
}

/// Returns the name at the beginning of a text; empty if there is none.
fn name(text: &str) -> &str {
    let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':')));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn is_counted(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !WITHOUT_END.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// Returns where the raw text of a script or style that begins at `at` ends: behind its end tag.
fn end_of_raw(text: &str, mut at: usize, element: &str) -> usize {
    while let Some(found) = memchr::memmem::find(text.as_bytes().get(at..).unwrap_or_default(), b"</") {
        at += found + 2;
        if name(text.get(at..).unwrap_or_default()).eq_ignore_ascii_case(element) {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_bracket_counts() {
        let found = deepest("rust", "f(a)\n{ [ ( ) ] }\n}}} (\n");
        assert_eq!(found, Nesting { what: "brackets", line: 2, depth: 3 });
    }

    #[test]
    fn only_tags_that_ought_to_end_nest() {
        let depth = |text: &str| deepest("html", text).depth;
        assert_eq!(depth("<a>\n<b>\n<i></i></b></a>"), 3);
        assert_eq!(deepest("html", "<a>\n<b>\n<i></i></b></a>").line, 3);
        assert_eq!(depth("<p>one<p>two<br><li>three<img src=x><td>"), 0);
        assert_eq!(depth("<div/><div /><x-y/>"), 0);
        assert_eq!(depth("<!-- <a><a><a> --><a>"), 1);
        assert_eq!(depth("<SCRIPT>if (a<b && c<d) x = '<a><a><a>'</Script><a>"), 1);
        assert_eq!(depth("a < b, a <3, <é>"), 0);
        assert_eq!(depth("<a "), 1);
        assert_eq!(depth("<"), 0);
        assert_eq!(depth("<script>"), 0);
        assert_eq!(depth(&"<a>".repeat(30_000)), 30_000);
        assert_eq!(deepest("xml", &"<a>".repeat(30_000)).depth, 0);
    }
}
