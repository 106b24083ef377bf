//! The name that was probably meant.

/// The nearest of `names` whatever the case, if it is near enough to be a slip of the finger: one
/// edit, and one more for each four letters (Damerau-Levenshtein distance).
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let scored =
        names.into_iter().map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate));
    scored.filter(|(distance, _)| *distance <= 1 + name.len() / 4).min().map(|(_, candidate)| candidate)
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
}
