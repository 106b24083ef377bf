//! The names that are most like one that has no definition.

use std::collections::HashSet;

use gristmill_query::{SymbolRows, ToolContext, ToolError, all};
use gristmill_sinks::lance::Resident;

use crate::words::words_of;

/// The maximum number of similar names for one without definitions.
const MAX_CORRECTIONS: usize = 3;

/// Returns the most similar names, if any is similar enough. O(definitions).
pub(crate) fn similar_names<'a>(
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
        if !context.visible.shows(row.key()) || !seen.insert(known) {
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
