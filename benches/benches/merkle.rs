//! The Merkle tree: building, storing and comparing.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gristmill_pipeline::merkle::{Leaf, Stat, Tree, diff};
use gristmill_pipeline::{Hash, RelPath};

const FILES: u32 = 10_000;

fn files(edited: Option<u32>) -> Vec<(RelPath, Leaf)> {
    let leaf = |number: u32| {
        let content = if edited == Some(number) { u32::MAX } else { number };
        Leaf { content_hash: Hash::of(&content.to_le_bytes()), stat: Stat::default(), note: None }
    };
    let path = |number: u32| RelPath::new(format!("crate{}/src/part{}/file{number}.rs", number % 100, number % 7));
    (0..FILES).map(|number| (path(number), leaf(number))).collect()
}

fn merkle(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("merkle tree of 10,000 files");
    group.bench_function("build", |bencher| {
        bencher.iter_batched(|| files(None), |files| Tree::build(files, 0), BatchSize::LargeInput);
    });
    let (before, after) = (Tree::build(files(None), 0), Tree::build(files(Some(4_321)), 0));
    group.bench_function("diff of one edit", |bencher| bencher.iter(|| diff(&before, &after)));
    let bytes = before.to_bytes();
    group.bench_function("write", |bencher| bencher.iter(|| before.to_bytes()));
    group.bench_function("read", |bencher| bencher.iter(|| Tree::from_bytes(&bytes).unwrap()));
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = merkle }
criterion_main!(benches);
