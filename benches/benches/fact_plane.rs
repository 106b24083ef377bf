//! The fact plane: loading an epoch's facts, and one edit after that.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_pipeline::Key;
use gristmill_pipeline::incremental::{ChunkFact, FactPlane, Facts, PassageLane};

const LANES: [PassageLane; 1] = [PassageLane { chunk_lane: 0, path_in_header: true }];
const CHUNKS_PER_FILE: Key = 9;

/// Spreads small numbers over the key space, as hashes would.
fn key(of: Key) -> Key {
    of.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
}

fn file(facts: &mut Facts, path: Key, content: Key) {
    facts.files.push(((key(content), key(path)), 1));
    facts.analysed.push((key(content), 1));
    for chunk in 0..CHUNKS_PER_FILE {
        let body = key(content * CHUNKS_PER_FILE + chunk + 1);
        facts.chunks.push(((key(content), ChunkFact { lane: 0, body }), 1));
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
                || (FactPlane::start(workers, &LANES).unwrap(), facts.clone()),
                |(mut plane, facts)| plane.round(facts).unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn edit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one edit");
    for files in [1_000, 10_000] {
        let mut plane = FactPlane::start(1, &LANES).unwrap();
        plane.round(epoch(files)).unwrap();
        let mut next = files;
        group.bench_function(BenchmarkId::from_parameter(format!("{files} files")), |bencher| {
            bencher.iter(|| {
                let mut facts = Facts::default();
                let before = if next == files { 0 } else { next - 1 };
                facts.files.push(((key(before), key(0)), -1));
                file(&mut facts, 0, next);
                next += 1;
                plane.round(facts).unwrap()
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = load, edit }
criterion_main!(benches);
