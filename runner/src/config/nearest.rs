//! The name that was probably meant.

/// The candidate nearest to `name`, if it is near enough to be a slip of the finger: one
/// edit, and one more for each four letters (Damerau-Levenshtein distance).
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let scored = candidates.into_iter().map(|candidate| (strsim::damerau_levenshtein(&lower, candidate), candidate));
    let near = scored.filter(|(distance, _)| *distance <= 1 + name.len() / 4);
    near.min().map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c`, as it stands in a sentence.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["mode", "name", "memory_limit"];
        assert_eq!(nearest("modee", names), Some("mode"));
        assert_eq!(nearest("MODE", names), Some("mode"));
        assert_eq!(nearest("memorylimit", names), Some("memory_limit"));
        assert_eq!(nearest("threads", names), None);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
