//! The fact plane: loading an epoch's facts, and changes after that beside a plain
//! recomputation with hash maps.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use std::collections::{HashMap, HashSet};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_pipeline::plane::{
    ChunkFact, ContentFact, FactPlane, Facts, PassageId, PassageIdentity, PassageLane, Place, PlaneConfig, RowFact,
};
use gristmill_pipeline::{ChunkKey, ChunkLaneId, ContentKey, EmbedLaneId, NameKey, PathKey};

const LANE: PassageLane =
    PassageLane { lane: EmbedLaneId::new(0), chunk_lane: ChunkLaneId::new(0), identity: PassageIdentity::Path };
const CHUNKS_PER_FILE: u128 = 9;
const FILES: u128 = 100_000;

/// Spreads small numbers over the key space, as hashes would.
fn spread(number: u128) -> u128 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn place(path: u128) -> Place {
    Place { path: PathKey::from_bits(spread(path)), unit: NameKey::NONE, package: NameKey::NONE }
}

fn content(number: u128) -> ContentKey {
    ContentKey::from_bits(spread(number))
}

fn bodies(of: u128) -> impl Iterator<Item = ChunkKey> {
    (0..CHUNKS_PER_FILE).map(move |chunk| ChunkKey::from_bits(spread(of * CHUNKS_PER_FILE + chunk + 1)))
}

fn file(facts: &mut Facts, path: u128, holds: u128) {
    facts.files.push(((content(holds), place(path)), 1));
    facts.analysed.push((content(holds), 1));
    let chunk = |body| ContentFact::Chunk(ChunkFact { lane: LANE.chunk_lane, body });
    facts.contents.extend(bodies(holds).map(|body| ((content(holds), chunk(body)), 1)));
}

fn epoch(files: u128) -> Facts {
    let mut facts = Facts::default();
    (0..files).for_each(|path| file(&mut facts, path, path));
    facts
}

fn plane(workers: usize) -> FactPlane {
    FactPlane::start(PlaneConfig { workers, lanes: vec![LANE], derived: None, broken: None }).unwrap()
}

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load an epoch");
    for (files, workers) in [(1_000, 1), (10_000, 1), (10_000, 2)] {
        let facts = epoch(files);
        group.throughput(Throughput::Elements(facts.len() as u64));
        group.bench_function(BenchmarkId::new(format!("{workers} workers"), format!("{files} files")), |bencher| {
            bencher.iter_batched(
                || (plane(workers), facts.clone()),
                |(mut plane, facts)| plane.round(facts).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// The same answers without a plane: everything is computed again from what every path
/// holds, and compared with the answers of before.
#[derive(Default)]
struct Plain {
    holds: HashMap<PathKey, ContentKey>,
    chunks: HashMap<ContentKey, Vec<ChunkKey>>,
    rows: HashSet<RowFact>,
    passages: HashSet<PassageId>,
}

impl Plain {
    fn change(&mut self, path: u128, holds: u128) {
        self.holds.insert(place(path).path, content(holds));
        self.chunks.entry(content(holds)).or_insert_with(|| bodies(holds).collect());
    }

    /// Rows and passages that came and went.
    fn recompute(&mut self) -> (usize, usize) {
        let rows: HashSet<RowFact> =
            self.holds.iter().map(|(path, content)| RowFact { path: *path, content: *content }).collect();
        let passages: HashSet<PassageId> = self
            .holds
            .iter()
            .flat_map(|(path, content)| {
                let row = RowFact { path: *path, content: *content };
                self.chunks[content].iter().map(move |body| LANE.passage(row, *body))
            })
            .collect();
        let changed = rows.symmetric_difference(&self.rows).count();
        let moved = passages.symmetric_difference(&self.passages).count();
        (self.rows, self.passages) = (rows, passages);
        (changed, moved)
    }
}

fn change(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(format!("changed files of {FILES}"));
    for workers in [1, 2] {
        let mut plane = plane(workers);
        plane.round(epoch(FILES)).unwrap();
        let mut holds: Vec<u128> = (0..FILES).collect();
        let mut next = FILES;
        for changed in [1, 100, 10_000, 100_000] {
            group.bench_function(BenchmarkId::new(format!("plane, {workers} workers"), changed), |bencher| {
                bencher.iter(|| {
                    let mut facts = Facts::default();
                    for (path, held) in (0..).zip(&mut holds).take(changed) {
                        facts.files.push(((content(*held), place(path)), -1));
                        *held = next;
                        file(&mut facts, path, next);
                        next += 1;
                    }
                    let deltas = plane.round(facts).unwrap();
                    assert_eq!(deltas.rows.len(), 2 * changed);
                    plane.round(deltas.forgotten()).unwrap()
                });
            });
        }
    }
    let mut plain = Plain::default();
    (0..FILES).for_each(|path| plain.change(path, path));
    plain.recompute();
    let mut next = FILES;
    for changed in [1, 100, 10_000, 100_000] {
        group.bench_function(BenchmarkId::new("plain maps", changed), |bencher| {
            bencher.iter(|| {
                for path in 0..changed {
                    plain.change(path, next);
                    next += 1;
                }
                let (rows, passages) = plain.recompute();
                assert_eq!(rows as u128, 2 * changed);
                passages
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = load, change }
criterion_main!(benches);
