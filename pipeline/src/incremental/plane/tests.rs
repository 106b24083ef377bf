use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::{ChunkFact, ContentFact, Difference, PassageId, Place, RowFact};
use super::*;

const LANES: [PassageLane; 2] =
    [PassageLane { chunk_lane: 0, path_in_header: true }, PassageLane { chunk_lane: 0, path_in_header: false }];

fn chunk(body: Key) -> ContentFact {
    ContentFact::Chunk(ChunkFact { lane: 0, body })
}

fn at(path: Key) -> Place {
    Place { path, folder: 0 }
}

fn row(path: Key, content: Key) -> RowFact {
    RowFact { path, content }
}

#[test]
fn equal_contents_are_analysed_once_and_a_rename_never() {
    let mut plane = FactPlane::start(1, &LANES, &[]).expect("starts");
    // Paths 1 and 2 hold content 7.
    let first = plane.round(Facts { files: vec![((7, at(1)), 1), ((7, at(2)), 1)], ..Facts::default() });
    let first = first.expect("runs");
    assert_eq!(first.contents, [((7, 1), 1)], "once, for the least path");
    assert_eq!((first.rows.len(), first.passages.len()), (0, 0), "nothing is known of it yet");

    let facts = Facts { analysed: vec![(7, 1)], contents: vec![((7, chunk(40)), 1)], ..Facts::default() };
    let second = plane.round(facts).expect("runs");
    assert_eq!(second.rows, [(row(1, 7), 1), (row(2, 7), 1)]);
    let passage = |lane, header| (PassageId { lane, header, body: 40 }, 1);
    assert_eq!(second.passages, [passage(0, 1), passage(0, 2), passage(1, 0)], "one for each path, one without");

    // Path 2 is renamed to 3.
    let third = plane.round(Facts { files: vec![((7, at(2)), -1), ((7, at(3)), 1)], ..Facts::default() });
    let third = third.expect("runs");
    assert_eq!(third.contents, []);
    assert_eq!(third.rows, [(row(2, 7), -1), (row(3, 7), 1)]);
    let moved = [(PassageId { lane: 0, header: 2, body: 40 }, -1), (PassageId { lane: 0, header: 3, body: 40 }, 1)];
    assert_eq!(third.passages, moved, "the lane whose header holds no path has nothing to do");
}

#[test]
fn a_content_whose_first_path_vanished_is_taken_from_the_next() {
    let mut plane = FactPlane::start(2, &LANES, &[]).expect("starts");
    let first = plane.round(Facts { files: vec![((7, at(1)), 1), ((7, at(2)), 1)], ..Facts::default() });
    assert_eq!(first.expect("runs").contents, [((7, 1), 1)]);
    let second = plane.round(Facts { files: vec![((7, at(1)), -1)], ..Facts::default() }).expect("runs");
    assert_eq!(second.contents, [((7, 1), -1), ((7, 2), 1)]);
}

#[test]
fn what_nothing_holds_any_more_can_be_forgotten_and_learned_again() {
    let mut plane = FactPlane::start(2, &LANES, &[]).expect("starts");
    let known = Facts {
        files: vec![((7, at(1)), 1)],
        analysed: vec![(7, 1)],
        contents: vec![((7, chunk(40)), 1)],
        ..Facts::default()
    };
    plane.round(known).expect("runs");
    let deltas = plane.round(Facts { files: vec![((7, at(1)), -1)], ..Facts::default() }).expect("runs");
    let forgotten = deltas.forgotten();
    assert_eq!((&forgotten.analysed[..], &forgotten.contents[..]), (&[(7, -1)][..], &[((7, chunk(40)), -1)][..]));
    let after = plane.round(forgotten).expect("runs");
    assert_eq!((after.rows.len(), after.passages.len(), after.contents.len()), (0, 0, 0));
    assert!(after.forgotten().is_empty());
    let again = plane.round(Facts { files: vec![((7, at(2)), 1)], ..Facts::default() }).expect("runs");
    assert_eq!(again.contents, [((7, 2), 1)], "nothing is known of it");
}

/// The same questions answered from nothing, with plain maps.
#[derive(Clone, Default)]
struct Oracle {
    files: BTreeSet<(Key, Key)>,
    analysed: BTreeSet<Key>,
    chunks: BTreeSet<(Key, ContentFact)>,
}

impl Oracle {
    fn contents(&self) -> BTreeMap<(Key, Key), Difference> {
        let mut least: BTreeMap<Key, Key> = BTreeMap::new();
        for &(content, path) in self.files.iter().filter(|(content, _)| !self.analysed.contains(content)) {
            let known = least.entry(content).or_insert(path);
            *known = path.min(*known);
        }
        least.into_iter().map(|pair| (pair, 1)).collect()
    }

    fn rows(&self) -> BTreeMap<RowFact, Difference> {
        let known = self.files.iter().filter(|(content, _)| self.analysed.contains(content));
        known.map(|&(content, path)| (row(path, content), 1)).collect()
    }

    fn passages(&self) -> BTreeMap<PassageId, Difference> {
        let mut passages = BTreeMap::new();
        for &(content, path) in &self.files {
            for (_, fact) in self.chunks.iter().filter(|(of, _)| *of == content) {
                let ContentFact::Chunk(chunk) = fact else { continue };
                passages.insert(PassageId { lane: 0, header: path, body: chunk.body }, 1);
                passages.insert(PassageId { lane: 1, header: 0, body: chunk.body }, 1);
            }
        }
        passages
    }

    /// Does what a caller does that forgets.
    fn forget(&mut self, forgotten: &Facts) {
        for (content, _) in &forgotten.analysed {
            assert!(self.analysed.remove(content));
            assert!(!self.files.iter().any(|(held, _)| held == content), "{content} is held");
        }
        for (fact, _) in &forgotten.contents {
            assert!(self.chunks.remove(fact));
        }
        let known = |(content, _): &(Key, ContentFact)| self.analysed.contains(content);
        assert!(self.chunks.iter().all(known), "all facts of what is forgotten are");
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

    /// After every round the sum of all deltas equals the oracle's answer, whether or not
    /// what is dead is forgotten.
    #[test]
    fn deltas_add_up_to_a_plain_recomputation(
        rounds in prop::collection::vec(
            (prop::collection::vec((0_u128..6, prop::option::of(0_u128..5)), 0..6), prop::collection::vec(0_u128..5, 0..3)),
            1..8,
        ),
        forgets in any::<bool>(),
        workers in 1_usize..4,
    ) {
        let mut plane = FactPlane::start(workers, &LANES, &[]).expect("starts");
        let mut oracle = Oracle::default();
        let mut holds: BTreeMap<Key, Key> = BTreeMap::new();
        let (mut contents, mut rows, mut passages) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut pending = Facts::default();
        for (edits, analysed) in rounds {
            let mut facts = std::mem::take(&mut pending);
            for (path, content) in edits {
                let before = match content {
                    Some(content) => holds.insert(path, content),
                    None => holds.remove(&path),
                };
                facts.files.extend(before.map(|content| ((content, at(path)), -1)));
                facts.files.extend(content.map(|content| ((content, at(path)), 1)));
            }
            oracle.files = holds.iter().map(|(path, content)| (*content, *path)).collect();
            // Only what is wanted is analysed.
            for content in analysed.into_iter().filter(|content| oracle.files.iter().any(|(held, _)| held == content)) {
                if oracle.analysed.insert(content) {
                    facts.analysed.push((content, 1));
                    // Contents share bodies, and hold 0 to 2 chunks.
                    for body in 0..content % 3 {
                        oracle.chunks.insert((content, chunk(body)));
                        facts.contents.push(((content, chunk(body)), 1));
                    }
                }
            }
            let deltas = plane.round(facts).expect("runs");
            if forgets {
                let forgotten = deltas.forgotten();
                oracle.forget(&forgotten);
                let quiet = plane.round(forgotten).expect("runs");
                prop_assert!(quiet.rows.is_empty() && quiet.passages.is_empty() && quiet.contents.is_empty());
            }
            add(&mut contents, deltas.contents);
            add(&mut rows, deltas.rows);
            add(&mut passages, deltas.passages);
            prop_assert_eq!(&contents, &oracle.contents());
            prop_assert_eq!(&rows, &oracle.rows());
            prop_assert_eq!(&passages, &oracle.passages());
        }
    }
}
