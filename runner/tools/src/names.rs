//! From a name, as somebody writes it, to definitions.

use std::collections::HashSet;

use gristmill_query::{At, Row, SymbolRows, ToolError, all};
use gristmill_sinks::lance::Resident;

use super::symbols::{bare_name, definitions_of};
use crate::words::words_of;

/// Names that are tried in place of one that nothing has.
const MOST_CORRECTIONS: usize = 3;

/// The definitions that a name may mean. Where nothing has it, names that are nearly the
/// same, or have the same words, are tried, once, and the answer's notes say so.
pub(super) fn definitions<'a>(at: &At<'a>, name: &'a str) -> Result<Vec<Row<'a, SymbolRows>>, ToolError> {
    let table = at.epoch.tables()?.symbols()?;
    let found: Vec<_> = definitions_of(table, name).filter(|row| at.visible.shows(row.key())).collect();
    if !found.is_empty() || name.is_empty() {
        return Ok(found);
    }
    let near = nearest_names(at, table, bare_name(name))?;
    if near.is_empty() {
        return Ok(found);
    }
    let names: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
    at.note("corrected", format!("nothing is called `{name}`; this is about {}", names.join(", ")));
    Ok(near
        .into_iter()
        .flat_map(|near| SymbolRows::named(table, near))
        .filter(|row| at.visible.shows(row.key()))
        .collect())
}

/// The names that are most like this one, if any is enough so.
fn nearest_names<'a>(at: &At<'_>, table: &'a Resident<SymbolRows>, name: &str) -> Result<Vec<&'a str>, ToolError> {
    let (wanted, lower) = (words_of(name), name.to_lowercase());
    let mut seen: HashSet<&str> = HashSet::new();
    let mut best: Vec<(f64, &str)> = Vec::new();
    for (nth, row) in all(table).enumerate() {
        at.check_row(nth)?;
        let known = row.table().name.value(row.row);
        if !seen.insert(known) {
            continue;
        }
        if let Some(likeness) = likeness(&lower, &wanted, known) {
            best.push((likeness, known));
        }
    }
    best.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    best.truncate(MOST_CORRECTIONS);
    Ok(best.into_iter().map(|(_, name)| name).collect())
}

/// How like a name is to what is wanted, from 0 to 1, if it is at all: by letters where few
/// differ, by the stems of its words where it has all or most of them.
fn likeness(lower: &str, wanted: &HashSet<String>, known: &str) -> Option<f64> {
    let allowed = (lower.len() / 4).clamp(1, 3);
    if lower.len().abs_diff(known.len()) <= allowed {
        let distance = strsim::osa_distance(lower, &known.to_lowercase());
        if distance <= allowed {
            return Some(1.0 - distance as f64 / (lower.len() as f64 + 1.0));
        }
    }
    if wanted.len() < 2 {
        return None;
    }
    let words = words_of(known);
    let shared = words.intersection(wanted).count();
    let all = words.union(wanted).count();
    let likeness = shared as f64 / all.max(1) as f64;
    // Of three words two.
    (likeness >= 0.6).then_some(likeness * 0.9)
}

/// Why a definition is thought to be the one that is meant, the surest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The view `edges` leads there.
    Edge,
    /// It is in the same file.
    File,
    /// It is in the same folder.
    Folder,
    /// It is in the same language.
    Language,
    /// It has the name.
    Name,
}

/// Why a definition is meant by a use in a file of this language.
pub(super) fn reason(definition: Row<'_, SymbolRows>, from: Option<(&str, Option<&str>)>) -> Reason {
    let Some((path, language)) = from else { return Reason::Name };
    let of = definition.path().as_str();
    let folder = |path: &'_ str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    if of == path {
        Reason::File
    } else if folder(of) == folder(path) {
        Reason::Folder
    } else if language == Some(definition.table().language.value(definition.row)) {
        Reason::Language
    } else {
        Reason::Name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_by_letters_or_by_words() {
        let like = |wanted: &str, known: &str| likeness(&wanted.to_lowercase(), &words_of(wanted), known).is_some();
        assert!(like("parseConfg", "parseConfig"));
        assert!(like("ParseConfig", "parse_config"));
        assert!(like("config_parser", "ParseConfig"));
        assert!(!like("parse", "render"));
        assert!(!like("parse_config", "parse_json"));
    }
}
