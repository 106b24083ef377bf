//! Looks definitions up by the names that they are listed under.

use gristmill_query::{Row, SymbolRows};
use gristmill_sinks::lance::Resident;
use unicode_normalization::UnicodeNormalization as _;

/// The signs that separate the parts of qualified names. Names may contain them: `operator/=`,
/// `<.>`, `My.App`.
const SEPARATORS: [char; 5] = [':', '.', '#', '/', '\\'];

/// Returns the definitions of a name, unqualified or qualified, in either Unicode normal form.
///
/// As names may contain separators, every end of the name is tried as the unqualified name, and what
/// is before it as the enclosing definitions.
pub(crate) fn definitions_of<'a>(table: &'a Resident<SymbolRows>, name: &str) -> Vec<Row<'a, SymbolRows>> {
    let mut found = Vec::new();
    for form in normal_forms(name) {
        for start in starts(&form) {
            let (qualifier, bare) = form.split_at_checked(start).unwrap_or(("", &form));
            found.extend(
                SymbolRows::named(table, bare)
                    .filter(|row| is_qualified_by(row.table().qualified_name.value(row.row), qualifier, bare)),
            );
        }
    }
    found
}

/// Returns a name as it is written and in both normal forms, each once.
fn normal_forms(name: &str) -> Vec<String> {
    let mut forms = vec![name.to_owned()];
    if !name.is_ascii() {
        for form in [name.nfc().collect(), name.nfd().collect()] {
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// Returns where the unqualified name may start: at the start, and after each separator.
fn starts(name: &str) -> impl Iterator<Item = usize> {
    let is_end = |(at, sign): &(usize, char)| {
        SEPARATORS.contains(sign)
            || (*sign == '>' && name.get(..*at).is_some_and(|before| before.ends_with(['-', ' '])))
    };
    let after = name.char_indices().filter(is_end).map(|(at, sign)| at + sign.len_utf8());
    // A Markdown heading is qualified as `Title > Section`.
    let after = after.map(|at| at + usize::from(name.get(at..).is_some_and(|rest| rest.starts_with(' '))));
    std::iter::once(0).chain(after.filter(|at| *at < name.len()))
}

/// Returns whether the definition of a qualified and an unqualified name lies within what a qualifier
/// names.
fn is_qualified_by(qualified: &str, qualifier: &str, bare: &str) -> bool {
    let qualifier = parts(qualifier);
    if qualifier.is_empty() {
        return true;
    }
    match qualified.strip_suffix(bare) {
        Some(enclosing) => parts(enclosing).ends_with(&qualifier),
        None => ends_with_parts(qualified, &[qualifier, parts(bare)].concat()),
    }
}

/// Returns whether a qualified name ends with the parts of another, whatever separates the parts.
pub(super) fn ends_with_parts(qualified: &str, wanted: &[&str]) -> bool {
    !wanted.is_empty() && parts(qualified).ends_with(wanted)
}

/// Splits a qualified name into its parts.
pub(super) fn parts(name: &str) -> Vec<&str> {
    let split = name.split(SEPARATORS).flat_map(|part| part.split("->")).flat_map(|part| part.split(" > "));
    split.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Returns the last part of a qualified name: what follows the last separator before a letter.
pub(crate) fn bare_name(name: &str) -> &str {
    let is_letter = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '$' | '~' | '@');
    let bare = starts(name).filter_map(|start| name.get(start..)).filter(|bare| bare.starts_with(is_letter)).last();
    bare.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_a_name_starts_with_a_letter() {
        for (name, bare) in [
            ("Config::parse", "parse"),
            ("parse", "parse"),
            ("a.b#c", "c"),
            ("Vec::operator/=", "operator/="),
            ("App\\Models\\User", "User"),
            ("<.>", "<.>"),
            ("Ratio.empty?", "empty?"),
            ("this->run", "run"),
        ] {
            assert_eq!(bare_name(name), bare, "{name}");
        }
    }

    #[test]
    fn every_end_of_a_name_may_be_the_unqualified_name() {
        let ends = |name: &'static str| starts(name).filter_map(|at| name.get(at..)).collect::<Vec<_>>();
        assert_eq!(ends("Vec::operator/="), ["Vec::operator/=", ":operator/=", "operator/=", "="]);
        assert_eq!(ends("Title > Part"), ["Title > Part", "Part"]);
        assert_eq!(ends("a.<.>"), ["a.<.>", "<.>", ">"]);
        assert_eq!(ends("//"), ["//", "/"]);
    }

    #[test]
    fn enclosing_definitions_are_compared_part_by_part() {
        for (qualified, qualifier, bare) in [
            ("config.Config.parse", "Config::", "parse"),
            ("Config::parse", "", "parse"),
            ("Vec::operator/=", "Vec::", "operator/="),
            ("Data.Grain.Ops.<.>", "Ops.", "<.>"),
            ("My.App.Silo.full?", "My.App.Silo.", "full?"),
        ] {
            assert!(is_qualified_by(qualified, qualifier, bare), "{qualified}");
        }
        assert!(!is_qualified_by("OtherConfig::parse", "Config::", "parse"));
    }
}
