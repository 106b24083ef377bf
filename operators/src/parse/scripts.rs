//! Scripts in markup: what lies in `<script>` elements is parsed in the language of the scripts, in
//! a text of the same length that is blank elsewhere, so that offsets and lines are those of the file.

use std::ops::Range;

use gristmill_pipeline::port::Block;

use super::walk::Outline;
use crate::language;
use crate::spec::Language;

/// The languages of scripts, each of which includes those before it.
const LANGUAGES: [&str; 3] = ["javascript", "typescript", "tsx"];

/// Returns the scripts of a text and their language, the widest of all; `None` if it has none.
pub(super) fn masked(text: &str) -> Option<(&'static Language, String)> {
    let scripts = find(text);
    let widest = scripts.iter().map(|(width, _)| *width).max()?;
    let language = language::of_name(LANGUAGES.get(widest)?)?;
    let mut masked = Vec::with_capacity(text.len());
    let mut done = 0;
    for (_, script) in scripts {
        blank(&mut masked, text.as_bytes().get(done..script.start)?);
        done = script.end;
        masked.extend_from_slice(text.as_bytes().get(script)?);
    }
    blank(&mut masked, text.as_bytes().get(done..)?);
    Some((language, String::from_utf8(masked).ok()?))
}

fn blank(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { *byte } else { b' ' }));
}

/// Adds what was found in the scripts of a text to what was found in its markup, which defines nothing.
pub(super) fn add(markup: &mut Outline, scripts: Outline) {
    let lines = markup.lines;
    let blocks = nested(std::mem::take(&mut markup.blocks).into_iter().chain(scripts.blocks).collect());
    *markup = Outline { lines, blocks, ..scripts };
}

/// Puts blocks in preorder. One that overlaps another in part is left out.
fn nested(mut blocks: Vec<Block>) -> Vec<Block> {
    // Of equal ones the first, which is that of the markup, comes around the other.
    blocks.sort_by_key(|block| (block.start, std::cmp::Reverse(block.end)));
    let mut nested: Vec<Block> = Vec::with_capacity(blocks.len());
    let mut open: Vec<usize> = Vec::new();
    for block in blocks {
        let place = nested.len();
        let ended = |open: &mut Vec<usize>, nested: &mut Vec<Block>| {
            let last = open.last().and_then(|last| nested.get_mut(*last)).filter(|last| last.end <= block.start);
            let is_over = last.map(|last| last.next = u32::try_from(place).unwrap_or(u32::MAX)).is_some();
            is_over && open.pop().is_some()
        };
        while ended(&mut open, &mut nested) {}
        let around = open.last().and_then(|around| nested.get(*around));
        if around.is_none_or(|around| block.end <= around.end) {
            open.push(place);
            nested.push(block);
        }
    }
    let end = u32::try_from(nested.len()).unwrap_or(u32::MAX);
    for place in open {
        if let Some(block) = nested.get_mut(place) {
            block.next = end;
        }
    }
    nested
}

/// Returns the contents of all script elements that hold code, each with its language's place in
/// [`LANGUAGES`].
fn find(text: &str) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', text.as_bytes().get(at..).unwrap_or_default()).map(|next| at + next) {
        let rest = text.get(open..).unwrap_or_default();
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(text.len(), |end| open + end + 3);
            continue;
        }
        let name = ["script", "style"].into_iter().find(|name| begins(rest, name));
        let Some(name) = name else {
            at = open + 1;
            continue;
        };
        let Some(tag) = tag(rest) else { break };
        let start = open + tag.len();
        if tag.ends_with("/>") {
            at = start;
            continue;
        }
        let end = closing(text, start, name).unwrap_or(text.len());
        if name == "script"
            && let Some(width) = width(tag)
        {
            found.push((width, start..end));
        }
        at = end.max(start);
    }
    found
}

/// Whether a text begins with the opening tag of an element.
fn begins(text: &str, name: &str) -> bool {
    let is_named = text.get(1..=name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
    is_named
        && text
            .as_bytes()
            .get(1 + name.len())
            .is_some_and(|next| matches!(next, b'>' | b'/') || next.is_ascii_whitespace())
}

/// Returns the tag that a text begins with, up to its `>` that is not in quotes.
fn tag(text: &str) -> Option<&str> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return text.get(..=at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Returns where the closing tag of an element begins.
fn closing(text: &str, from: usize, name: &str) -> Option<usize> {
    let rest = text.get(from..)?;
    let mut places = rest.match_indices("</");
    let is_end =
        |at: usize| rest.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
    places.find(|(at, _)| is_end(*at)).map(|(at, _)| from + at)
}

/// Returns the place of a script's language in [`LANGUAGES`]; `None` if it holds no code, such as
/// JSON or a template.
fn width(tag: &str) -> Option<usize> {
    let kind = attribute(tag, "lang").or_else(|| attribute(tag, "type")).unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        ""
        | "js"
        | "javascript"
        | "module"
        | "text/javascript"
        | "application/javascript"
        | "text/ecmascript"
        | "application/ecmascript"
        | "application/x-javascript" => Some(0),
        "ts" | "typescript" | "text/typescript" | "application/typescript" => Some(1),
        "tsx" | "jsx" | "text/babel" | "text/jsx" | "text/tsx" => Some(2),
        _ => None,
    }
}

/// Returns the value of an attribute in a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''));
        let (value, next) = match quote {
            Some(quote) => after.get(1..)?.split_once(quote)?,
            None => after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len())),
        };
        let found = before.trim_end().rsplit(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).next()?;
        if found.eq_ignore_ascii_case(name) {
            return Some(value.trim());
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(text: &str) -> Vec<(usize, &str)> {
        find(text).into_iter().map(|(width, range)| (width, &text[range])).collect()
    }

    #[test]
    fn finds_scripts_and_their_languages() {
        assert_eq!(scripts("<script>a</script><SCRIPT\nlang='ts' setup>b</Script >"), [(0, "a"), (1, "b")]);
        assert_eq!(scripts("<!-- <script>a</script> --><script type=module>b</script>"), [(0, "b")]);
        assert_eq!(scripts("<script type=\"application/ld+json\">{}</script><script src=x />"), []);
        assert_eq!(scripts("<script data-x='a > b' type='text/babel'>c"), [(2, "c")]);
        assert_eq!(scripts("<style>a<script>b</script></style><scripted>c</scripted>"), []);
        assert_eq!(scripts("<script lang=\"ts\" generic=\"T extends 'a' | 'b'\">x</script>"), [(1, "x")]);
        assert_eq!(scripts("a < b <script"), []);
    }

    #[test]
    fn masks_keep_offsets_and_lines() {
        let text = "<p>é\r\n<script>f()</script>\n<script lang=ts>g()</script>";
        let (language, masked) = masked(text).expect("has scripts");
        assert_eq!((language.name, masked.len()), ("typescript", text.len()));
        assert_eq!((masked.find("f()"), masked.find("g()")), (text.find("f()"), text.find("g()")));
        assert_eq!(masked.split_whitespace().collect::<Vec<_>>(), ["f()", "g()"]);
        assert_eq!(masked.lines().count(), text.lines().count());
    }

    #[test]
    fn blocks_are_nested_anew() {
        let block = |start, end, definition| Block { start, end, next: 0, definition };
        let all = [
            block(0, 100, 9),
            block(10, 50, 9),
            block(60, 90, 9),
            block(20, 30, 0),
            block(22, 25, 1),
            block(45, 55, 2),
        ];
        let nested: Vec<_> = nested(all.into()).iter().map(|block| (block.start, block.end, block.next)).collect();
        assert_eq!(nested, [(0, 100, 5), (10, 50, 4), (20, 30, 4), (22, 25, 4), (60, 90, 5)]);
    }
}
