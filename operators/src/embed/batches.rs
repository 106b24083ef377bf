//! Forming batches of texts of similar length.

use super::embedding_model::BatchLimits;

/// At most one token in this many of a batch is padding.
const MIN_TOKENS_PER_PADDING: usize = 16;

/// Groups texts, given by their lengths in tokens, into batches of indices.
///
/// Where texts are padded, the longest come first, so that several workers finish at about the
/// same time.
pub(super) fn batches(lengths: &[usize], limits: BatchLimits) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    if limits.pads {
        order.sort_by_key(|&index| (std::cmp::Reverse(lengths.get(index)), index));
    }
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let (mut longest, mut total) = (0, 0);
    for index in order {
        let length = lengths.get(index).copied().unwrap_or_default();
        match batches.last_mut() {
            Some(batch) if fits(batch.len(), longest, total, length, limits) => {
                total += length;
                batch.push(index);
            }
            _ => {
                (longest, total) = (length, length);
                batches.push(vec![index]);
            }
        }
    }
    batches
}

/// Whether a text of `length` tokens fits into a batch of `texts` texts with `total` tokens, the
/// longest of which has `longest`.
fn fits(texts: usize, longest: usize, total: usize, length: usize, limits: BatchLimits) -> bool {
    let total = total + length;
    let computed = if limits.pads { longest * (texts + 1) } else { total };
    texts < limits.max_texts && computed <= limits.max_tokens && (computed - total) * MIN_TOKENS_PER_PADDING <= computed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: BatchLimits = BatchLimits { max_texts: 4, max_tokens: 300, pads: true, concurrency: 1 };

    #[test]
    fn similar_lengths_are_batched_together() {
        assert_eq!(batches(&[10, 100, 20, 99, 500], LIMITS), [vec![4], vec![1, 3], vec![2], vec![0]]);
        let unpadded = BatchLimits { pads: false, ..LIMITS };
        assert_eq!(batches(&[10, 100, 20, 99, 500], unpadded), [vec![0, 1, 2, 3], vec![4]]);
        assert!(batches(&[], LIMITS).is_empty());
    }

    proptest! {
        #[test]
        fn each_text_is_in_one_batch_and_limits_hold(
            lengths in proptest::collection::vec(1_usize..400, 0..60),
            texts in 1_usize..9,
            tokens in 1_usize..1_000,
            pads: bool,
        ) {
            let limits = BatchLimits { max_texts: texts, max_tokens: tokens, pads, concurrency: 1 };
            let batches = batches(&lengths, limits);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                prop_assert!(batch.len() <= texts);
                let total: usize = batch.iter().map(|&index| lengths[index]).sum();
                let longest = batch.iter().map(|&index| lengths[index]).max().unwrap_or_default();
                let computed = if pads { longest * batch.len() } else { total };
                prop_assert!(batch.len() == 1 || computed <= tokens);
                prop_assert!((computed - total) * MIN_TOKENS_PER_PADDING <= computed);
            }
        }
    }
}
