//! The text of a file, put together from its chunks.

/// The text of a file whose chunks, or some of them, have these first bytes and texts.
///
/// Every chunk lies at its own byte offsets, so that spans into the text stay right. What
/// chunks do not cover, since an operator dropped some, is filled with spaces; the text ends
/// with the last chunk.
pub(super) fn join(mut chunks: Vec<(usize, &str)>) -> String {
    // Chunks nearly always come in order.
    chunks.sort_by_key(|(start, _)| *start);
    let mut joined = String::with_capacity(chunks.last().map_or(0, |(start, text)| start + text.len()));
    for (start, text) in chunks {
        if let Some(gap) = start.checked_sub(joined.len()) {
            joined.extend(std::iter::repeat_n(' ', gap));
            joined.push_str(text);
        } else {
            // It overlaps the chunks before it, which end on a character of the same text.
            joined.push_str(text.get(joined.len() - start..).unwrap_or_default());
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn chunks_without_gaps_are_the_text() {
        assert_eq!(join(vec![(0, "fn größe"), (10, "() {"), (14, "}\n")]), "fn größe() {}\n");
        assert_eq!(join(Vec::new()), "");
    }

    #[test]
    fn gaps_are_filled_with_spaces() {
        let text = "größe\nfn a() {}\nfn b() {}\n";
        let at = |part: &str| text.find(part).expect("a part of the text");
        let chunks = ["fn a() {}\n", "b()"].map(|part| (at(part), part));
        let joined = join(chunks.to_vec());
        assert_eq!(joined, "        fn a() {}\n   b()");
        for (start, part) in chunks {
            assert_eq!(joined.get(start..start + part.len()), Some(part));
        }
    }

    #[test]
    fn chunks_may_overlap_and_come_in_any_order() {
        assert_eq!(join(vec![(4, "ef"), (0, "aéd"), (1, "éde")]), "aédef");
        assert_eq!(join(vec![(0, "abcdef"), (2, "cd")]), "abcdef");
    }
}
