//! Parsing and chunking on one core: bytes of Rust a second.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gristmill_benches::{rust_files, total_bytes};
use gristmill_operators::chunk::{ChunkConfig, Chunking};
use gristmill_operators::parse::{Parse, ParseConfig};
use gristmill_pipeline::{Batch, Emitter, Operator};

fn parse_and_chunk(criterion: &mut Criterion) {
    let files = rust_files();
    let parse = Parse::new(ParseConfig::default());
    let chunking = Chunking::new(ChunkConfig::default()).unwrap();
    let parsed = || {
        let mut out = Emitter::new("parse".into());
        parse.process(Batch(files.clone()), &mut out).unwrap();
        out.into_parts().0
    };
    let mut group = criterion.benchmark_group("rust source");
    group.throughput(Throughput::Bytes(total_bytes(&files)));
    group.bench_function("parse", |bencher| bencher.iter(parsed));
    let syntax = parsed();
    group.bench_function("chunk", |bencher| {
        bencher.iter(|| {
            let mut out = Emitter::new("chunk".into());
            chunking.process(Batch(syntax.clone()), &mut out).unwrap();
            out.into_parts().0
        });
    });
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = parse_and_chunk }
criterion_main!(benches);
