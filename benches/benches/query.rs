//! The query runner: access to a snapshot, look-ups from memory by many threads, searches,
//! and several tools in one request beside one after another.
//!
//! The corpus is the folder that `GRISTMILL_BENCH_CORPUS` names, or this repository.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a bench that cannot go on fails")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gristmill::commands::run::{Rebuild, run};
use gristmill::progress::Progress;
use gristmill_config::{Job, Override, Registry};
use gristmill_pipeline::run::Interrupt;
use gristmill_query::{BlockingRunner, CallContext, QueriedIndex, Request, RequestOptions, Runner, Tool, ToolCall};
use gristmill_tools::{GetSymbols, GotoDefinition, References, Search, SearchMode};
use serde_json::json;

const THREADS: [usize; 5] = [1, 2, 4, 8, 16];

fn job(index: &Path) -> Job {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let corpus = std::env::var_os("GRISTMILL_BENCH_CORPUS").map_or(repository, PathBuf::from);
    let value = |section, path: &Path| Override::Value {
        origin: "bench",
        section,
        key: "path",
        value: path.to_str().unwrap().to_owned(),
    };
    let overrides =
        [value("source", &corpus), value("index", index), Override::Assignment("views.edges=true".to_owned())];
    let request = gristmill_config::JobRequest {
        file: None,
        overrides: &overrides,
        environment: &|_| None,
        folder: index,
        check_places: true,
    };
    gristmill_config::load(&request, &Registry::standard()).unwrap()
}

fn call() -> CallContext {
    CallContext::new("bench", Duration::from_secs(600))
}

fn ask<T: Tool>(index: &QueriedIndex, question: T) -> T::Answer {
    index.answer(&RequestOptions::default(), &call(), question).unwrap().answer
}

/// Asks `iterations` questions from some threads; the time from the first to the last.
fn from_threads(threads: usize, iterations: u64, ask: impl Fn(usize) + Sync) -> Duration {
    let started = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let ask = &ask;
            scope.spawn(move || (thread as u64..iterations).step_by(threads).for_each(|nth| ask(nth as usize)));
        }
    });
    started.elapsed()
}

fn query(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let job = Arc::new(job(&folder.path().join("index")));
    run(&job, Rebuild::Nothing, Duration::ZERO, &Interrupt::default(), Progress::hidden(), None).unwrap();
    let index = Arc::new(QueriedIndex::new("bench", job));
    let all =
        GetSymbols { names: Vec::new(), paths: Vec::new(), kinds: vec!["function".into()], docs: false, limit: 1000 };
    let mut names: Vec<String> = ask(&index, all).symbols.into_iter().map(|symbol| symbol.name).collect();
    names.sort();
    names.dedup();
    let name = |nth: usize| names[nth * 7 % names.len()].clone();

    criterion.bench_function("access to the snapshot", |bencher| bencher.iter(|| black_box(index.current().unwrap())));

    let mut group = criterion.benchmark_group("from memory");
    group.throughput(Throughput::Elements(1));
    for threads in THREADS {
        group.bench_function(BenchmarkId::new("goto_definition", threads), |bencher| {
            let one = |nth| {
                black_box(ask(&index, GotoDefinition { symbol: Some(name(nth)), ..GotoDefinition::default() }));
            };
            bencher.iter_custom(|iterations| from_threads(threads, iterations, one));
        });
    }
    for threads in THREADS {
        group.bench_function(BenchmarkId::new("references", threads), |bencher| {
            let one = |nth| {
                let (symbol, kinds) = (name(nth), Vec::new());
                black_box(ask(&index, References { symbol, path: None, kinds, limit: 100, min_confidence: None }));
            };
            bencher.iter_custom(|iterations| from_threads(threads, iterations, one));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("search");
    for mode in [SearchMode::Text, SearchMode::Vector, SearchMode::Hybrid] {
        group.bench_function(format!("{mode:?}").to_lowercase(), |bencher| {
            let question = || Search { mode, ..Search::new("where are the results written to disk") };
            bencher.iter(|| black_box(ask(&index, question())));
        });
    }
    group.finish();

    let runner = BlockingRunner::new(Runner::new([index], gristmill_tools::standard(), 16)).unwrap();
    let calls: Vec<ToolCall> = [
        ("search", json!({"query": "where are the results written to disk"})),
        ("search", json!({"query": "fn \\w+_of", "mode": "regex", "limit": 100})),
        ("references", json!({"symbol": name(1)})),
    ]
    .into_iter()
    .map(|(tool, input)| ToolCall { tool: tool.into(), input })
    .collect();
    let request = |calls: &[ToolCall]| Request { calls: calls.to_vec(), options: RequestOptions::default() };
    let mut group = criterion.benchmark_group("three tools");
    group.bench_function("one request", |bencher| {
        bencher.iter(|| black_box(runner.ask(request(&calls), call()).unwrap()));
    });
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| {
            for one in calls.chunks(1) {
                black_box(runner.ask(request(one), call()).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = query }
criterion_main!(benches);
