//! Names as people write them: with brackets, quotes and keywords, in another case, or in part.

use gristmill_query::{Row, SymbolRows, ToolContext, ToolError, all};
use gristmill_sinks::lance::Resident;
use unicode_normalization::UnicodeNormalization as _;

use super::lookup::{bare_name, ends_with_parts, parts};

/// Words before a name in a declaration.
const KEYWORDS: [&str; 15] = [
    "class",
    "const",
    "def",
    "enum",
    "fn",
    "fun",
    "func",
    "function",
    "impl",
    "interface",
    "module",
    "pub",
    "struct",
    "trait",
    "type",
];

/// Returns the name in what was copied from code or prose: without quotes, arguments, type
/// arguments and keywords around it. `None` if there is nothing to remove.
pub(super) fn without_decoration(written: &str) -> Option<&str> {
    let quotes = ['`', '"', '\'', ' ', '\t', ',', ';'];
    let mut name = written.trim_matches(quotes);
    while let Some((first, rest)) = name.split_once(char::is_whitespace) {
        if !KEYWORDS.contains(&first) {
            break;
        }
        name = rest.trim_start();
    }
    for (open, close) in [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')] {
        if name.ends_with(close)
            && let Some((before, _)) = name.split_once(open)
            && !before.is_empty()
        {
            name = before;
        }
    }
    let name = name.trim_matches(quotes).trim_end_matches(':').trim_start_matches(['&', '*']);
    (!name.is_empty() && name != written).then_some(name)
}

/// The definitions whose names are another spelling of a name.
#[derive(Default)]
pub(super) struct Respelled<'a> {
    /// The name is the end of their qualified name: `Silo` for `My.App.Silo`.
    pub(super) by_end: Vec<Row<'a, SymbolRows>>,
    /// They differ in case.
    pub(super) by_case: Vec<Row<'a, SymbolRows>>,
}

/// Finds the definitions whose names are another spelling of a name. O(definitions).
pub(super) fn respelled<'a>(
    context: &ToolContext<'_>,
    table: &'a Resident<SymbolRows>,
    name: &str,
) -> Result<Respelled<'a>, ToolError> {
    let composed: String = name.nfc().collect();
    let folded = composed.to_lowercase();
    let (wanted, wanted_folded) = (parts(&composed), parts(&folded));
    let bare = bare_name(&folded);
    let mut found = Respelled::default();
    for (nth, row) in all(table).enumerate() {
        context.check_row(nth)?;
        let (known, qualified) = (row.table().name.value(row.row), row.table().qualified_name.value(row.row));
        if !context.visible.shows(row.key()) || !may_end_with(qualified, bare) {
            continue;
        }
        let qualified: String = qualified.nfc().collect();
        if qualified == composed || ends_with_parts(&qualified, &wanted) {
            found.by_end.push(row);
        } else if lower_composed(known) == folded || ends_with_parts(&qualified.to_lowercase(), &wanted_folded) {
            found.by_case.push(row);
        }
    }
    Ok(found)
}

/// Returns whether a name may end with another, which is in lower case: rules nearly all names out
/// without a copy.
fn may_end_with(name: &str, end: &str) -> bool {
    if !name.is_ascii() || !end.is_ascii() {
        return true;
    }
    let rest = name.len().checked_sub(end.len()).and_then(|start| name.get(start..));
    rest.is_some_and(|rest| rest.eq_ignore_ascii_case(end))
}

fn lower_composed(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoration_is_removed() {
        for (written, name) in [
            ("parse()", "parse"),
            ("`parse`", "parse"),
            ("\"Config::parse\"", "Config::parse"),
            ("parse(text, 3)", "parse"),
            ("fn parse", "parse"),
            ("pub fn parse(text: &str)", "parse"),
            ("Vec<T>", "Vec"),
            ("class Config:", "Config"),
            ("&Config", "Config"),
        ] {
            assert_eq!(without_decoration(written), Some(name), "{written}");
        }
        for plain in ["parse", "operator/=", "<.>", "()", "Config::parse", "empty?"] {
            assert_eq!(without_decoration(plain), None, "{plain}");
        }
    }

    #[test]
    fn ends_are_compared_without_regard_to_case() {
        assert!(may_end_with("My.App.Silo", "silo") && may_end_with("größe", "se"));
        assert!(!may_end_with("My.App.Silos", "silo") && !may_end_with("lo", "silo"));
    }
}
