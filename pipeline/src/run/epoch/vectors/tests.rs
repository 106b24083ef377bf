use std::collections::HashMap as Map;

use gristmill_ids::{ChunkKey, ContentHash, ContentKey, Epoch, PathKey};
use gristmill_plane::{PassageIdentity, PassageLane, RowFact};

use super::*;
use crate::execute::{Budget, Outcome};
use crate::extra::Extras;
use crate::graph::StageSpec;
use crate::index::IndexFolder;
use crate::measure::Meters;
use crate::merkle::{Leaf, Stat};
use crate::operator::OperatorError;
use crate::port::{Chunk, Header, Span};
use crate::run::sinks::{Opening, SinkGroup};
use crate::testing::{Embed, Lines, Memory, Parse, Read};
use crate::{AnyOperator, Severity};

const LANE: EmbedLaneId = EmbedLaneId::new(0);

/// Keeps the passages that it is given.
#[derive(Default)]
struct Asked(Vec<Arc<Passage>>);

impl Executor for Asked {
    fn submit(&mut self, task: Task) {
        if let Task::Embed { passages, .. } = task {
            self.0.extend(passages);
        }
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        None
    }

    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        None
    }

    fn analysing(&self) -> usize {
        0
    }
}

#[derive(Default)]
struct Log {
    vectors: Map<PassageKey, Vec<f32>>,
    recovered: bool,
}

impl VectorLog for Log {
    fn contains(&self, key: PassageKey) -> bool {
        self.vectors.contains_key(&key)
    }

    fn is_recovered(&self, _: PassageKey) -> bool {
        self.recovered
    }

    fn read(&mut self, key: PassageKey) -> std::io::Result<Vec<f32>> {
        Ok(self.vectors[&key].clone())
    }

    fn append(&mut self, key: PassageKey, values: &[f32]) -> std::io::Result<()> {
        self.vectors.insert(key, values.to_vec());
        Ok(())
    }

    fn flush_if_due(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }

    fn asked_again(&self) -> u64 {
        0
    }
}

fn graph() -> Graph {
    Graph::build(vec![
        StageSpec::new("read", ["source"], AnyOperator::plain(Read)),
        StageSpec::new("parse", ["read"], AnyOperator::parser(Parse::default())),
        StageSpec::new("chunk", ["parse"], AnyOperator::chunker(Lines { header: Header::None })),
        StageSpec::new("embed", ["chunk"], AnyOperator::embedder(Embed::default())),
        StageSpec::new("store", ["parse", "embed"], Arc::new(Memory::default())),
    ])
    .expect("is sound")
}

/// A content with one chunk of this body.
fn known(budget: &Budget, body: &[u8]) -> Known {
    let leaf = Leaf { content_hash: ContentHash::of(body), stat: Stat::default(), note: None };
    let mut known = Known::from_note(&leaf, 1, budget.force(0));
    known.lanes = vec![Arc::from([Chunk {
        span: Span::default(),
        kind: "code",
        symbol: "".into(),
        scope: "".into(),
        tokens: 1,
        body_hash: Hash::of(body),
        extras: Extras::default(),
    }])];
    known
}

/// What came of resolving one row for each of `bodies`, with these passages announced so
/// often each.
struct Resolved {
    result: Result<usize, RunError>,
    asked: usize,
    complete: usize,
    work: Work,
}

/// The bodies of the rows of a round, and the passages that the plane announces with it.
type Round<'a> = (&'a [&'a [u8]], &'a [(&'a [u8], Difference)]);

fn resolve(log: &mut Log, rounds: &[Round<'_>], answer: Option<Diagnostic>) -> Resolved {
    let (graph, budget) = (graph(), Budget::new(1 << 20));
    let meters = Meters::new(&graph);
    let opening = Opening {
        graph: &graph,
        meters: &meters,
        index: "/nowhere".into(),
        tables: Vec::new(),
        threaded: false,
        memory_limit: u64::MAX,
        base: None,
        rebuilt: &std::collections::BTreeSet::new(),
    };
    let mut group = SinkGroup::closed(&opening).expect("is sound");
    group.open(&opening).expect("opens");
    let mut sinks = group.begin(Epoch::FIRST, true).expect("begins");
    let folder = IndexFolder::at("/nowhere".as_ref());
    let mut history = History::new(&graph, None, &folder, Map::new());
    let (mut asked, mut assembler, mut work) = (Asked::default(), Assembler::default(), Work::default());
    let identity =
        PassageLane { lane: LANE, chunk_lane: graph.embed_lane(LANE).chunk_lane, identity: PassageIdentity::Body };
    let row = |nth: usize| RowFact { path: PathKey::of(&nth.to_string()), content: ContentKey::from_bits(nth as u128) };
    let logs = std::slice::from_mut(log);
    let mut resolver = VectorResolver::new(&graph, logs, &mut []);
    let (mut result, mut answered, mut complete) = (Ok(0), 0, 0);
    for (bodies, passages) in rounds {
        let knowns: Vec<Known> = bodies.iter().map(|body| known(&budget, body)).collect();
        let paths: Vec<RelPath> = (0..bodies.len()).map(|nth| format!("{nth}.x").as_str().into()).collect();
        let mut wants = Vec::new();
        for (nth, (known, path)) in knowns.iter().zip(&paths).enumerate() {
            let slot = Slot { assembly: assembler.begin(&graph, &budget, path, known), chunk: 0 };
            let body = known.lanes[0][0].body_hash;
            let hash = Header::None.chunk_hash(path, &body);
            let passage = identity.passage(row(nth), ChunkKey::from(&body));
            wants.push(Want { lane: LANE, passage, hash, slot, path, known });
        }
        let passages: Vec<(PassageId, Difference)> = passages
            .iter()
            .map(|(body, times)| (identity.passage(row(0), ChunkKey::from(&Hash::of(body))), *times))
            .collect();
        let mut stores = Stores {
            sinks: &mut sinks,
            history: &mut history,
            executor: &mut asked,
            assembler: &mut assembler,
            work: &mut work,
        };
        match (resolver.resolve(wants, &passages, &mut stores), &mut result) {
            (Ok(told), Ok(all)) => *all += told.len(),
            (Err(error), result) => *result = Err(error),
            (Ok(_), Err(_)) => {}
        }
        let new: Vec<Arc<Passage>> = asked.0[answered..].to_vec();
        answered = asked.0.len();
        let vectors = |passage: &Arc<Passage>| Vector { key: passage.key, values: [1.0, 2.0].into() };
        let (made, failed) = match &answer {
            None => (new.iter().map(vectors).collect(), Vec::new()),
            Some(why) => {
                (Vec::new(), new.iter().map(|passage| (passage.key, passage.path.clone(), why.clone())).collect())
            }
        };
        let told = resolver.embedded(LANE, made, failed, &mut assembler).expect("journals");
        if let Ok(all) = &mut result {
            *all += told.len();
        }
        complete += assembler.take_complete().map_or(0, |(complete, _)| complete.len());
    }
    Resolved { result, asked: asked.0.len(), complete, work }
}

#[test]
fn whoever_waits_for_an_announced_passage_shares_one_embedding() {
    let found = resolve(&mut Log::default(), &[(&[b"same", b"same", b"own"], &[(b"same", 1), (b"own", 1)])], None);
    assert!(matches!(found.result, Ok(0)));
    assert_eq!((found.asked, found.complete, found.work.passages_shared), (2, 3, 1));
}

#[test]
fn what_was_announced_earlier_in_the_epoch_comes_from_the_journal() {
    let rounds: &[Round<'_>] = &[(&[b"same"], &[(b"same", 1)]), (&[b"same"], &[])];
    let found = resolve(&mut Log::default(), rounds, None);
    assert!(matches!(found.result, Ok(0)));
    assert_eq!((found.asked, found.complete, found.work.passages_shared), (1, 2, 1));
}

#[test]
fn what_was_never_announced_is_never_embedded() {
    let found = resolve(&mut Log::default(), &[(&[b"lost"], &[])], None);
    assert!(matches!(found.result, Err(RunError::LostVector { .. })));
    assert_eq!((found.asked, found.complete), (0, 0));
}

#[test]
fn what_dies_or_that_nobody_waits_for_is_not_embedded() {
    let found = resolve(&mut Log::default(), &[(&[], &[(b"dead", -1), (b"elsewhere", 1)])], None);
    assert!(matches!(found.result, Ok(0)));
    assert_eq!(found.asked, 0);
}

#[test]
fn what_is_announced_twice_is_embedded_twice() {
    let found = resolve(&mut Log::default(), &[(&[b"same"], &[(b"same", 2)])], None);
    assert_eq!((found.asked, found.complete), (2, 1));
}

#[test]
fn what_an_interrupted_run_left_is_not_embedded_again() {
    let hash = Header::None.chunk_hash(&"0.x".into(), &Hash::of(b"done"));
    let vectors = Map::from([(PassageKey::from(&hash), vec![1.0, 2.0])]);
    let mut log = Log { vectors, recovered: true };
    let found = resolve(&mut log, &[(&[b"done"], &[(b"done", 1)])], None);
    assert_eq!((found.asked, found.complete, found.work.passages_recovered), (0, 1, 1));
}

#[test]
fn every_row_hears_that_its_passage_cannot_be_embedded() {
    let why = Diagnostic {
        severity: Severity::Error,
        stage: "embed".into(),
        code: "too_long".into(),
        line: 0,
        message: "too long".into(),
    };
    let rounds: &[Round<'_>] = &[(&[b"bad", b"bad"], &[(b"bad", 1)]), (&[b"bad"], &[])];
    let found = resolve(&mut Log::default(), rounds, Some(why));
    assert!(matches!(found.result, Ok(3)), "two of the first round, one of the second");
    assert_eq!((found.asked, found.complete), (1, 3), "it is tried once");
}
