//! The fact plane: loading an epoch's facts, and changes after that beside a plain
//! recomputation with hash maps.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use std::collections::{HashMap, HashSet};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_pipeline::Key;
use gristmill_pipeline::incremental::{
    ChunkFact, ContentFact, FactPlane, Facts, PassageId, PassageLane, Place, RowFact,
};

const LANES: [PassageLane; 1] = [PassageLane { chunk_lane: 0, path_in_header: true }];
const CHUNKS_PER_FILE: Key = 9;
const FILES: Key = 100_000;

/// Spreads small numbers over the key space, as hashes would.
fn key(of: Key) -> Key {
    of.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn bodies(content: Key) -> impl Iterator<Item = Key> {
    (0..CHUNKS_PER_FILE).map(move |chunk| key(content * CHUNKS_PER_FILE + chunk + 1))
}

fn file(facts: &mut Facts, path: Key, content: Key) {
    facts.files.push(((key(content), Place { path: key(path), folder: 0 }), 1));
    facts.analysed.push((key(content), 1));
    for body in bodies(content) {
        facts.contents.push(((key(content), ContentFact::Chunk(ChunkFact { lane: 0, body })), 1));
    }
}

fn epoch(files: Key) -> Facts {
    let mut facts = Facts::default();
    (0..files).for_each(|path| file(&mut facts, path, path));
    facts
}

fn load(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load an epoch");
    for (files, workers) in [(1_000, 1), (10_000, 1), (10_000, 2)] {
        let facts = epoch(files);
        group.throughput(Throughput::Elements(facts.len() as u64));
        group.bench_function(BenchmarkId::new(format!("{workers} workers"), format!("{files} files")), |bencher| {
            bencher.iter_batched(
                || (FactPlane::start(workers, &LANES, &[]).unwrap(), facts.clone()),
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
    holds: HashMap<Key, Key>,
    chunks: HashMap<Key, Vec<Key>>,
    rows: HashSet<RowFact>,
    passages: HashSet<PassageId>,
}

impl Plain {
    fn change(&mut self, path: Key, content: Key) {
        self.holds.insert(key(path), key(content));
        self.chunks.entry(key(content)).or_insert_with(|| bodies(content).collect());
    }

    /// Rows and passages that came and went.
    fn recompute(&mut self) -> (usize, usize) {
        let rows: HashSet<RowFact> =
            self.holds.iter().map(|(path, content)| RowFact { path: *path, content: *content }).collect();
        let passages: HashSet<PassageId> = self
            .holds
            .iter()
            .flat_map(|(path, content)| {
                self.chunks[content].iter().map(|body| PassageId { lane: 0, header: *path, body: *body })
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
        let mut plane = FactPlane::start(workers, &LANES, &[]).unwrap();
        plane.round(epoch(FILES)).unwrap();
        let mut holds: Vec<Key> = (0..FILES).collect();
        let mut next = FILES;
        for changed in [1, 100, 10_000, 100_000] {
            group.bench_function(BenchmarkId::new(format!("plane, {workers} workers"), changed), |bencher| {
                bencher.iter(|| {
                    let mut facts = Facts::default();
                    for (path, held) in (0..).zip(&mut holds).take(changed) {
                        facts.files.push(((key(*held), Place { path: key(path), folder: 0 }), -1));
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
                assert_eq!(rows as Key, 2 * changed);
                passages
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = load, change }
criterion_main!(benches);
