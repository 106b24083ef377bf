//! Writes an index of made-up chunks, and prints what each step costs.
//!
//! `cargo run --release -p gristmill-sinks --example measure -- <folder> [chunks]`
//!
//! The folder is laid out as an index is (`HEAD`, `commits/`, one folder per sink), so
//! that `benches/interop/check.py` can be tried on it. With `SINGLE` in the environment the
//! sinks work as in sequential mode.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_pipeline::port::{Chunk, Definition, DefinitionKind, Header, NamePath, Port, Span, Text};
use gristmill_pipeline::{
    Analysis, Epoch, EpochMeta, Extras, Hash, Published, Record, RecordChunks, RelPath, RowId, Sink, SinkConfig,
    SinkContext, SinkError, Token,
};
use gristmill_sinks::tantivy::SearchOptions;
use gristmill_sinks::{LanceConfig, LanceReader, TantivyConfig, TantivyReader};
use serde_json::json;

const DIMENSION: usize = 256;
const CHUNKS_OF_A_FILE: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: measure <folder> [chunks]")?;
    let chunks: usize = arguments.next().map_or(Ok(17_000), |chunks| chunks.parse())?;
    let folder = Path::new(&folder);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let records: Vec<_> = (0..chunks.div_ceil(CHUNKS_OF_A_FILE) as u64).map(|nth| file(nth, nth)).collect();
    let bytes: u64 = records.iter().map(|record| record.analysis.bytes).sum();
    println!("{} files, {} chunks, {} bytes", records.len(), records.len() * CHUNKS_OF_A_FILE, bytes);

    let context = |name: &str, inputs: &[Port]| SinkContext {
        name: name.into(),
        folder: folder.join(name),
        inputs: inputs.to_vec(),
        dimension: Some(DIMENSION),
        columns: Vec::new(),
        views: Vec::new(),
        single_threaded: std::env::var_os("SINGLE").is_some(),
        memory_limit: u64::MAX,
        past_files: Default::default(),
    };
    let (lance, lance_context) = (LanceConfig::default(), context("lance", &[Port::Syntax, Port::Vectors]));
    let lance_token = epochs(&lance, &lance_context, &records)?;
    let start = Instant::now();
    drop(lance.open(lance_context.clone(), Some(&lance_token))?);
    println!("  open at a token: {:?}", start.elapsed());
    if let Some(mut facts) = lance.open_facts(lance_context, &lance_token)? {
        let start = Instant::now();
        let mut bodies = 0;
        facts.facts(&mut |of_path| bodies += of_path.bodies.len())?;
        println!("  facts of {bodies} chunks: {:?}", start.elapsed());
        let all = records.iter().filter_map(|record| record.chunks.as_ref()).flat_map(|chunks| &chunks.hashes);
        let hashes: Vec<_> = all.copied().step_by(40).collect();
        let start = Instant::now();
        facts.vectors(&hashes, None)?;
        println!("  {} vectors by hash: {:?}", hashes.len(), start.elapsed());
        let rows: Vec<_> = records.iter().step_by(20).map(row_of).collect();
        let start = Instant::now();
        facts.records(&rows, None)?;
        println!("  {} records: {:?}", rows.len(), start.elapsed());
    }
    let start = Instant::now();
    let reader = LanceReader::open(&folder.join("lance"), &lance_token)?;
    println!("  open a reader: {:?}", start.elapsed());
    let start = Instant::now();
    let vectors = reader.vectors()?;
    println!("  all {} vectors: {:?}", vectors.ordinals.len(), start.elapsed());
    let start = Instant::now();
    reader.digest()?;
    println!("  digest: {:?}", start.elapsed());

    let tantivy_token = epochs(&TantivyConfig::default(), &context("tantivy", &[Port::Chunks]), &records)?;
    let start = Instant::now();
    let reader = TantivyReader::open(&folder.join("tantivy"), &tantivy_token)?;
    println!("  open a reader: {:?}", start.elapsed());
    for query in ["parse_Request17", "validate the token stream of a node", "\"open socket\""] {
        let start = Instant::now();
        let hits = reader.search(query, &SearchOptions::default())?;
        println!("  search {query:?}: {} hits, {:?}", hits.len(), start.elapsed());
    }
    let start = Instant::now();
    reader.digest()?;
    println!("  digest: {:?}", start.elapsed());

    fs::create_dir_all(folder.join("commits"))?;
    let record = json!({ "tokens": { "lance": lance_token, "tantivy": tantivy_token } });
    fs::write(folder.join("commits/9.json"), record.to_string())?;
    fs::write(folder.join("HEAD"), "9")?;
    Ok(())
}

/// One epoch from nothing, then small ones: 20 chunks or so removed and added.
fn epochs(config: &dyn SinkConfig, context: &SinkContext, records: &[Record]) -> Result<Token, SinkError> {
    let name = config.kind();
    println!("{name}: from nothing");
    let mut state = epoch(config.open(context.clone(), None)?, 1, &[], records)?;
    let mut held: Vec<Record> = records.to_vec();
    for number in 2..=9 {
        let changed: Vec<_> = (0..2).map(|nth| file(number * 7 + nth, number * 1_000_000 + nth)).collect();
        let mut removed = Vec::new();
        for new in &changed {
            for held in held.iter_mut().filter(|held| held.path == new.path) {
                removed.push(row_of(held));
                *held = new.clone();
            }
        }
        println!("{name}: small epoch");
        state = epoch(state.sink, number, &removed, &changed)?;
    }
    Ok(state.token)
}

fn row_of(record: &Record) -> RowId {
    RowId { path: record.path.clone(), content_hash: record.analysis.content_hash }
}

fn epoch(sink: Box<dyn Sink>, number: u64, removed: &[RowId], added: &[Record]) -> Result<Published, SinkError> {
    let (start, busy) = (Instant::now(), cpu_time());
    let mut writer = sink.begin(Epoch::new(number), false)?;
    writer.remove(removed)?;
    let begun = start.elapsed();
    for batch in added.chunks(64) {
        writer.add(batch)?;
    }
    let added = start.elapsed();
    let staged_epoch = writer.stage(&EpochMeta { epoch: Epoch::new(number), merkle_root: Hash::of(b"root") })?;
    let staged = start.elapsed();
    let published = staged_epoch.publish()?;
    let total = start.elapsed();
    let busy = cpu_time().saturating_sub(busy);
    println!(
        "  remove {begun:?}, add {:?}, stage {:?}, publish {:?}; total {total:?}, CPU {busy:?}",
        added - begun,
        staged - added,
        total - staged
    );
    Ok(published)
}

/// CPU time of all threads of the process so far; nothing where the system does not say.
fn cpu_time() -> Duration {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return Duration::ZERO };
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

const WORDS: [&str; 24] = [
    "parse", "Request", "open", "socket", "validate", "token", "stream", "node", "visit", "Tree", "buffer", "write",
    "flush", "index", "Chunk", "embed", "vector", "search", "query", "Result", "error", "handle", "state", "config",
];

/// A file of nine chunks of about 600 bytes.
fn file(path: u64, seed: u64) -> Record {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let path = RelPath::from(format!("src/module{}/file{path}.rs", path % 40).as_str());
    let mut text = String::new();
    let mut chunks = Vec::new();
    let mut definitions = Vec::new();
    for nth in 0..CHUNKS_OF_A_FILE {
        let start = text.len();
        let mut word = || WORDS[random(24) as usize];
        let name = format!("{}_{}{}", word(), word(), seed % 5000);
        text.push_str(&format!("fn {name}(input: &str) {{\n"));
        while text.len() < start + 590 {
            let line = format!("    let {}{} = self.{}_{}({});\n", word(), word(), word(), word(), word());
            text.push_str(&line);
        }
        text.push_str("}\n");
        let first = chunks.last().map_or(1, |chunk: &Chunk| chunk.span.end_line + 1);
        let span = Span {
            start_byte: start as u32,
            end_byte: text.len() as u32,
            start_line: first,
            end_line: first + text[start..].lines().count() as u32 - 1,
        };
        chunks.push(Chunk {
            span,
            kind: "function",
            symbol: name.as_str().into(),
            scope: "module".into(),
            tokens: 150,
            body_hash: Header::Scope.body_hash("module", &name, &text[start..]),
            extras: Extras::default(),
        });
        definitions.push(Definition {
            qualified_name: format!("module::{name}").into(),
            signature: format!("fn {name}(input: &str)").into(),
            name: name.into(),
            kind: DefinitionKind::Function,
            doc: "".into(),
            span,
            extent_start: span.start_byte,
            parent: (nth > 0).then_some(0),
            key: NamePath::UNKNOWN,
        });
    }
    let hashes: Vec<_> = chunks.iter().map(|chunk| Header::Scope.chunk_hash(&path, &chunk.body_hash)).collect();
    let vectors = (0..chunks.len() * DIMENSION).map(|_| random(1 << 24) as f32 / (1 << 23) as f32 - 1.0).collect();
    let analysis = Analysis {
        content_hash: Hash::of(text.as_bytes()),
        language: "rust".into(),
        bytes: text.len() as u64,
        lines: text.lines().count() as u32,
        text: Text::new(text),
        definitions,
        references: Vec::new(),
        imports: Vec::new(),
        diagnostics: Vec::new(),
        extras: Extras::default(),
    };
    let chunks = RecordChunks { chunks: chunks.into(), hashes, vectors: Some(vectors) };
    Record { path, analysis: Arc::new(analysis), chunks: Some(chunks) }
}
