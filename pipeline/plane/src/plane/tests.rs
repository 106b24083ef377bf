use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use gristmill_ids::{ChunkKey, ChunkLaneId, ContentKey, EmbedLaneId, NameKey, PathKey};

use super::super::{ChunkFact, ContentFact, Difference, PassageId, PassageIdentity, Place, RowFact};
use super::*;

const LANES: [PassageLane; 3] =
    [lane(0, PassageIdentity::Path), lane(1, PassageIdentity::Body), lane(2, PassageIdentity::Row)];

const fn lane(lane: usize, identity: PassageIdentity) -> PassageLane {
    PassageLane { lane: EmbedLaneId::new(lane), chunk_lane: ChunkLaneId::new(0), identity }
}

fn start(workers: usize, broken: Option<Broken>) -> FactPlane {
    let config = PlaneConfig { workers, lanes: LANES.to_vec(), derived: None, broken };
    FactPlane::start(config).expect("starts")
}

const fn content(bits: u128) -> ContentKey {
    ContentKey::from_bits(bits)
}

const fn path(bits: u128) -> PathKey {
    PathKey::from_bits(bits)
}

fn chunk(body: u128) -> ContentFact {
    ContentFact::Chunk(ChunkFact { lane: ChunkLaneId::new(0), body: ChunkKey::from_bits(body) })
}

fn at(bits: u128) -> Place {
    Place { path: path(bits), unit: NameKey::NONE, package: NameKey::NONE }
}

fn row(at: u128, holds: u128) -> RowFact {
    RowFact { path: path(at), content: content(holds) }
}

fn held(holds: u128, by: u128, difference: Difference) -> ((ContentKey, Place), Difference) {
    ((content(holds), at(by)), difference)
}

fn wanted(holds: u128, by: u128, difference: Difference) -> ((ContentKey, PathKey), Difference) {
    ((content(holds), path(by)), difference)
}

fn files(changes: impl IntoIterator<Item = ((ContentKey, Place), Difference)>) -> Facts {
    Facts { files: changes.into_iter().collect(), ..Facts::default() }
}

fn analysed(of: u128, body: u128) -> Facts {
    Facts { analysed: vec![(content(of), 1)], contents: vec![((content(of), chunk(body)), 1)], ..Facts::default() }
}

/// Panics when there are facts, on the worker that gets them.
struct Panics;

impl Derive for Panics {
    fn derive<'scope>(
        &self,
        facts: crate::LiveFacts<'scope>,
    ) -> crate::VecCollection<'scope, crate::Tick, (u16, crate::FactRow), Difference> {
        facts.rows.flat_map(|row| -> Option<(u16, crate::FactRow)> { panic!("asked to, at {row:?}") })
    }
}

/// The other workers wait for the one that panicked, for ever.
#[test]
fn a_worker_that_panics_ends_the_round() {
    for workers in [1, 2, 3] {
        let derived: Option<Arc<dyn Derive>> = Some(Arc::new(Panics));
        let config = PlaneConfig { workers, lanes: LANES.to_vec(), derived, broken: None };
        let mut plane = FactPlane::start(config).expect("starts");
        plane.round(files([held(7, 1, 1), held(8, 2, 1)])).expect("no content is known yet");
        let mut both = analysed(7, 40);
        both.append(analysed(8, 40));
        assert!(matches!(plane.round(both), Err(PlaneError::Ended)), "{workers} workers");
    }
}

/// The passages of a body in a row, each with this difference.
fn passages(of: RowFact, body: u128, difference: Difference) -> [(PassageId, Difference); 3] {
    LANES.map(|lane| (lane.passage(of, ChunkKey::from_bits(body)), difference))
}

#[test]
fn equal_contents_are_analysed_once_and_a_rename_never() {
    let mut plane = start(1, None);
    // Paths 1 and 2 hold content 7.
    let first = plane.round(files([held(7, 1, 1), held(7, 2, 1)])).expect("runs");
    assert_eq!(first.contents, [wanted(7, 1, 1)], "once, for the least path");
    assert_eq!((first.rows.len(), first.passages.len()), (0, 0), "nothing is known of it yet");

    let second = plane.round(analysed(7, 40)).expect("runs");
    assert_eq!(second.rows, [(row(1, 7), 1), (row(2, 7), 1)]);
    let of_lane = |nth: usize| second.passages.iter().filter(|(found, _)| found.lane.index() == nth).count();
    assert_eq!([of_lane(0), of_lane(1), of_lane(2)], [2, 1, 2], "one a path, one in all, one a row");

    // Path 2 is renamed to 3.
    let third = plane.round(files([held(7, 2, -1), held(7, 3, 1)])).expect("runs");
    assert_eq!(third.contents, []);
    assert_eq!(third.rows, [(row(2, 7), -1), (row(3, 7), 1)]);
    let moved = [passages(row(2, 7), 40, -1), passages(row(3, 7), 40, 1)].concat();
    let mut moved: Vec<_> = moved.into_iter().filter(|(found, _)| found.lane.index() != 1).collect();
    moved.sort_unstable();
    assert_eq!(third.passages, moved, "the lane whose header holds no path has nothing to do");
}

#[test]
fn a_passage_leaves_once_unless_distinct_is_broken() {
    let counts = |broken| {
        let mut plane = start(1, broken);
        plane.round(files([held(7, 1, 1), held(8, 2, 1)])).expect("runs");
        let mut both = analysed(7, 40);
        both.append(analysed(8, 40));
        let deltas = plane.round(both).expect("runs");
        let shared = deltas.passages.iter().filter(|(found, _)| found.lane.index() == 1);
        shared.map(|(_, difference)| *difference).sum::<Difference>()
    };
    assert_eq!(counts(None), 1);
    assert_eq!(counts(Some(Broken::PassagesRepeat)), 2);
    assert_eq!(counts(Some(Broken::PassagesMissing)), 0);
}

#[test]
fn a_content_whose_first_path_vanished_is_taken_from_the_next() {
    let mut plane = start(2, None);
    let first = plane.round(files([held(7, 1, 1), held(7, 2, 1)])).expect("runs");
    assert_eq!(first.contents, [wanted(7, 1, 1)]);
    let second = plane.round(files([held(7, 1, -1)])).expect("runs");
    assert_eq!(second.contents, [wanted(7, 1, -1), wanted(7, 2, 1)]);
}

#[test]
fn what_nothing_holds_any_more_can_be_forgotten_and_learned_again() {
    let mut plane = start(2, None);
    let mut known = files([held(7, 1, 1)]);
    known.append(analysed(7, 40));
    plane.round(known).expect("runs");
    let deltas = plane.round(files([held(7, 1, -1)])).expect("runs");
    let forgotten = deltas.forgotten();
    assert_eq!(forgotten.analysed, [(content(7), -1)]);
    assert_eq!(forgotten.contents, [((content(7), chunk(40)), -1)]);
    let after = plane.round(forgotten).expect("runs");
    assert_eq!((after.rows.len(), after.passages.len(), after.contents.len()), (0, 0, 0));
    assert!(after.forgotten().is_empty());
    let again = plane.round(files([held(7, 2, 1)])).expect("runs");
    assert_eq!(again.contents, [wanted(7, 2, 1)], "nothing is known of it");
}

/// The same questions answered from nothing, with plain maps.
#[derive(Clone, Default)]
struct Oracle {
    files: BTreeSet<(ContentKey, PathKey)>,
    analysed: BTreeSet<ContentKey>,
    chunks: BTreeSet<(ContentKey, ContentFact)>,
}

impl Oracle {
    fn contents(&self) -> BTreeMap<(ContentKey, PathKey), Difference> {
        let mut least: BTreeMap<ContentKey, PathKey> = BTreeMap::new();
        for &(content, path) in self.files.iter().filter(|(content, _)| !self.analysed.contains(content)) {
            let known = least.entry(content).or_insert(path);
            *known = path.min(*known);
        }
        least.into_iter().map(|pair| (pair, 1)).collect()
    }

    fn rows(&self) -> BTreeMap<RowFact, Difference> {
        let known = self.files.iter().filter(|(content, _)| self.analysed.contains(content));
        known.map(|&(content, path)| (RowFact { path, content }, 1)).collect()
    }

    fn passages(&self) -> BTreeMap<PassageId, Difference> {
        let mut passages = BTreeMap::new();
        for &(content, path) in &self.files {
            for (_, fact) in self.chunks.iter().filter(|(of, _)| *of == content) {
                let ContentFact::Chunk(chunk) = fact else { continue };
                passages.extend(LANES.map(|lane| (lane.passage(RowFact { path, content }, chunk.body), 1)));
            }
        }
        passages
    }

    /// Does what a caller does that forgets.
    fn forget(&mut self, forgotten: &Facts) {
        for (content, _) in &forgotten.analysed {
            assert!(self.analysed.remove(content));
            assert!(!self.files.iter().any(|(held, _)| held == content), "{content:?} is held");
        }
        for (fact, _) in &forgotten.contents {
            assert!(self.chunks.remove(fact));
        }
        let known = |(content, _): &(ContentKey, ContentFact)| self.analysed.contains(content);
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
        let mut plane = start(workers, None);
        let mut oracle = Oracle::default();
        let mut holds: BTreeMap<u128, u128> = BTreeMap::new();
        let (mut contents, mut rows, mut passages) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut pending = Facts::default();
        for (edits, analysed) in rounds {
            let mut facts = std::mem::take(&mut pending);
            for (path, now) in edits {
                let before = match now {
                    Some(now) => holds.insert(path, now),
                    None => holds.remove(&path),
                };
                facts.files.extend(before.map(|before| held(before, path, -1)));
                facts.files.extend(now.map(|now| held(now, path, 1)));
            }
            oracle.files = holds.iter().map(|(&by, &holds)| (content(holds), path(by))).collect();
            // Only what is wanted is analysed.
            for bits in analysed {
                let of = content(bits);
                if oracle.files.iter().any(|(held, _)| *held == of) && oracle.analysed.insert(of) {
                    facts.analysed.push((of, 1));
                    // Contents share bodies, and hold 0 to 2 chunks.
                    for body in 0..bits % 3 {
                        oracle.chunks.insert((of, chunk(body)));
                        facts.contents.push(((of, chunk(body)), 1));
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
