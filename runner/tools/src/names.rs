//! Resolves a name, as a user writes it, to definitions.

use std::collections::HashSet;

use gristmill_query::{Row, SymbolRows, ToolContext, ToolError, all};
use gristmill_sinks::lance::Resident;

use super::symbols::{bare_name, definitions_of};
use crate::words::words_of;

/// The maximum number of similar names for one without definitions.
const MAX_CORRECTIONS: usize = 3;

/// Finds the definitions of a name. If there are none, falls back to the definitions of similar
/// names (by edit distance, or with the same words) and adds the note `corrected`.
pub(super) fn definitions<'a>(context: &ToolContext<'a>, name: &'a str) -> Result<Vec<Row<'a, SymbolRows>>, ToolError> {
    let table = context.epoch.tables()?.symbols()?;
    let found: Vec<_> = definitions_of(table, name).filter(|row| context.visible.shows(row.key())).collect();
    if !found.is_empty() || name.is_empty() {
        return Ok(found);
    }
    let near = nearest_names(context, table, bare_name(name))?;
    if near.is_empty() {
        return Ok(found);
    }
    let names: Vec<String> = near.iter().map(|near| format!("`{near}`")).collect();
    context.note("corrected", format!("no definition of `{name}`; showing {}", names.join(", ")));
    Ok(near
        .into_iter()
        .flat_map(|near| SymbolRows::named(table, near))
        .filter(|row| context.visible.shows(row.key()))
        .collect())
}

/// Returns the most similar names, if any is similar enough. O(definitions).
fn nearest_names<'a>(
    context: &ToolContext<'_>,
    table: &'a Resident<SymbolRows>,
    name: &str,
) -> Result<Vec<&'a str>, ToolError> {
    let (wanted, lower) = (words_of(name), name.to_lowercase());
    let mut seen: HashSet<&str> = HashSet::new();
    let mut best: Vec<(f64, &str)> = Vec::new();
    for (nth, row) in all(table).enumerate() {
        context.check_row(nth)?;
        let known = row.table().name.value(row.row);
        if !seen.insert(known) {
            continue;
        }
        if let Some(similarity) = similarity(&lower, &wanted, known) {
            best.push((similarity, known));
        }
    }
    best.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    best.truncate(MAX_CORRECTIONS);
    Ok(best.into_iter().map(|(_, name)| name).collect())
}

/// Computes the similarity of two names, between 0 and 1: by edit distance if few letters differ, else
/// by the shared stems of their words. `None` if they are not similar.
fn similarity(lower: &str, wanted: &HashSet<String>, known: &str) -> Option<f64> {
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
    let similarity = shared as f64 / all.max(1) as f64;
    // Two of three words are enough.
    (similarity >= 0.6).then_some(similarity * 0.9)
}

/// Why a definition was chosen, the most certain reason first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The view `edges` resolves the reference to it.
    Edge,
    /// The reference is bound to it by the scopes of its file.
    Scope,
    /// It is in the file of the reference.
    File,
    /// It is in the folder of the reference.
    Folder,
    /// It is in the language of the reference.
    Language,
    /// It has the name, nothing more.
    Name,
}

/// Returns the reason to choose a definition for a reference in a file of this path and language.
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
    fn names_are_similar_by_letters_or_by_words() {
        let like = |wanted: &str, known: &str| similarity(&wanted.to_lowercase(), &words_of(wanted), known).is_some();
        assert!(like("parseConfg", "parseConfig"));
        assert!(like("ParseConfig", "parse_config"));
        assert!(like("config_parser", "ParseConfig"));
        assert!(!like("parse", "render"));
        assert!(!like("parse_config", "parse_json"));
    }
}
