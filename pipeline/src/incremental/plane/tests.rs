use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::{ChunkFact, Difference, PassageId};
use super::*;

const LANES: [PassageLane; 2] =
    [PassageLane { chunk_lane: 0, path_in_header: true }, PassageLane { chunk_lane: 0, path_in_header: false }];

fn chunk(body: Key) -> ChunkFact {
    ChunkFact { lane: 0, body }
}

#[test]
fn equal_contents_are_analysed_once_and_a_rename_never() {
    let mut plane = FactPlane::start(1, &LANES).expect("starts");
    // Paths 1 and 2 hold content 7.
    let first = plane.round(Facts { files: vec![((7, 1), 1), ((7, 2), 1)], ..Facts::default() }).expect("runs");
    assert_eq!(first.contents, [((7, 1), 1)], "once, for the least path");
    assert_eq!((first.rows.len(), first.passages.len()), (0, 0), "nothing is known of it yet");

    let facts = Facts { analysed: vec![(7, 1)], chunks: vec![((7, chunk(40)), 1)], ..Facts::default() };
    let second = plane.round(facts).expect("runs");
    assert_eq!(second.rows, [((1, 7), 1), ((2, 7), 1)]);
    let passage = |lane, header| (PassageId { lane, header, body: 40 }, 1);
    assert_eq!(second.passages, [passage(0, 1), passage(0, 2), passage(1, 0)], "one for each path, one without");

    // Path 2 is renamed to 3.
    let third = plane.round(Facts { files: vec![((7, 2), -1), ((7, 3), 1)], ..Facts::default() }).expect("runs");
    assert_eq!(third.contents, []);
    assert_eq!(third.rows, [((2, 7), -1), ((3, 7), 1)]);
    let moved = [(PassageId { lane: 0, header: 2, body: 40 }, -1), (PassageId { lane: 0, header: 3, body: 40 }, 1)];
    assert_eq!(third.passages, moved, "the lane whose header holds no path has nothing to do");
}

#[test]
fn a_content_whose_first_path_vanished_is_taken_from_the_next() {
    let mut plane = FactPlane::start(2, &LANES).expect("starts");
    let first = plane.round(Facts { files: vec![((7, 1), 1), ((7, 2), 1)], ..Facts::default() }).expect("runs");
    assert_eq!(first.contents, [((7, 1), 1)]);
    let second = plane.round(Facts { files: vec![((7, 1), -1)], ..Facts::default() }).expect("runs");
    assert_eq!(second.contents, [((7, 1), -1), ((7, 2), 1)]);
}

/// The same questions answered from nothing, with plain maps.
#[derive(Clone, Default)]
struct Oracle {
    files: BTreeMap<(Key, Key), Difference>,
    analysed: BTreeSet<Key>,
    chunks: BTreeSet<(Key, ChunkFact)>,
}

impl Oracle {
    fn contents(&self) -> BTreeMap<(Key, Key), Difference> {
        let mut least: BTreeMap<Key, Key> = BTreeMap::new();
        for &(content, path) in self.files.keys().filter(|(content, _)| !self.analysed.contains(content)) {
            let known = least.entry(content).or_insert(path);
            *known = path.min(*known);
        }
        least.into_iter().map(|pair| (pair, 1)).collect()
    }

    fn rows(&self) -> BTreeMap<(Key, Key), Difference> {
        let known = self.files.keys().filter(|(content, _)| self.analysed.contains(content));
        known.map(|&(content, path)| ((path, content), 1)).collect()
    }

    fn passages(&self) -> BTreeMap<PassageId, Difference> {
        let mut passages = BTreeMap::new();
        for &(content, path) in self.files.keys() {
            for (_, chunk) in self.chunks.iter().filter(|(of, _)| *of == content) {
                passages.insert(PassageId { lane: 0, header: path, body: chunk.body }, 1);
                passages.insert(PassageId { lane: 1, header: 0, body: chunk.body }, 1);
            }
        }
        passages
    }
}

fn add<D: Ord>(sum: &mut BTreeMap<D, Difference>, changes: Vec<(D, Difference)>) {
    for (fact, difference) in changes {
        let known = sum.entry(fact).or_default();
        *known += difference;
    }
    sum.retain(|_, difference| *difference != 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// After every round the sum of all deltas equals the oracle's answer.
    #[test]
    fn deltas_add_up_to_a_plain_recomputation(
        rounds in prop::collection::vec(
            (prop::collection::vec((0_u128..6, prop::option::of(0_u128..5)), 0..6), prop::collection::vec(0_u128..5, 0..3)),
            1..8,
        ),
        workers in 1_usize..4,
    ) {
        let mut plane = FactPlane::start(workers, &LANES).expect("starts");
        let mut oracle = Oracle::default();
        let mut holds: BTreeMap<Key, Key> = BTreeMap::new();
        let (mut contents, mut rows, mut passages) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (edits, analysed) in rounds {
            let mut facts = Facts::default();
            for (path, content) in edits {
                let before = match content {
                    Some(content) => holds.insert(path, content),
                    None => holds.remove(&path),
                };
                facts.files.extend(before.map(|content| ((content, path), -1)));
                facts.files.extend(content.map(|content| ((content, path), 1)));
            }
            for content in analysed {
                if oracle.analysed.insert(content) {
                    facts.analysed.push((content, 1));
                    // Contents share bodies, and hold 0 to 2 chunks.
                    for body in 0..content % 3 {
                        oracle.chunks.insert((content, chunk(body)));
                        facts.chunks.push(((content, chunk(body)), 1));
                    }
                }
            }
            oracle.files = holds.iter().map(|(path, content)| ((*content, *path), 1)).collect();
            let deltas = plane.round(facts).expect("runs");
            add(&mut contents, deltas.contents);
            add(&mut rows, deltas.rows);
            add(&mut passages, deltas.passages);
            prop_assert_eq!(&contents, &oracle.contents());
            prop_assert_eq!(&rows, &oracle.rows());
            prop_assert_eq!(&passages, &oracle.passages());
        }
    }
}
