//! The static embedder: chunks a second on one core, by chunk size.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill_benches::rust_files;
use gristmill_operators::embed::{StaticConfig, StaticEmbed};

/// Texts of about this many bytes, cut from the corpus at line ends.
fn texts(bytes: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    for content in rust_files() {
        for line in content.text.split_inclusive('\n') {
            if texts.last().unwrap().len() + line.len() > bytes {
                texts.push(String::new());
            }
            texts.last_mut().unwrap().push_str(line);
        }
    }
    texts
}

fn embed(criterion: &mut Criterion) {
    let embedder = StaticEmbed::new(&StaticConfig::default()).unwrap();
    let mut group = criterion.benchmark_group("static embedder");
    let mut out = vec![0.0; 256];
    // About 50, 100 and 200 tokens of code.
    for bytes in [170, 340, 680] {
        let texts = texts(bytes);
        group.throughput(Throughput::Elements(texts.len() as u64));
        group.bench_with_input(BenchmarkId::new("chunks", format!("{bytes} bytes")), &texts, |bencher, texts| {
            bencher.iter(|| {
                for text in texts {
                    embedder.embed_text(black_box(text), &mut out);
                }
            });
        });
    }
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = embed }
criterion_main!(benches);
