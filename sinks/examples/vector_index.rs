//! Measures the approximate index over vectors beside exact search.
//!
//! `cargo run --release -p gristmill-sinks --example vector_index -- <folder> [vectors] [dimension] [kind] [metric]`
//!
//! Vectors are made up: `CLUSTERS` in the environment makes them lie in so many clusters of
//! equal spread; otherwise they lie in clusters within clusters, in fewer directions than
//! they have components, as those of language models do. `VECTORS=<file>` takes them from a
//! file of little-endian 32-bit floats instead. The last vectors are not stored but asked
//! for, 200 of them or as many as `QUERIES` says.
//! With `SINGLE` the sink works as in sequential mode.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_pipeline::port::{Chunk, Header, Port, Span, Text};
use gristmill_pipeline::{
    Analysis, Epoch, EpochMeta, Extras, Hash, Published, Record, RecordChunks, RelPath, RowKey, Sink, SinkConfig as _,
    SinkContext, SinkError, Token,
};
use gristmill_sinks::lance::{ChunkLocator, NearChunk, VectorIndexConfig};
use gristmill_sinks::{LanceConfig, LanceReader};
use serde_json::json;

const CHUNKS_OF_A_FILE: usize = 10;
/// Rows that an epoch adds.
const MORE: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |nth: usize, default: &str| arguments.get(nth).cloned().unwrap_or_else(|| default.to_owned());
    let folder = arguments.first().ok_or("usage: vector_index <folder> [vectors] [dimension] [kind] [metric]")?;
    let count: usize = argument(1, "200000").parse()?;
    let dimension: usize = argument(2, "256").parse()?;
    let index: VectorIndexConfig = serde_json::from_value(json!({
        "kind": argument(3, "ivf_sq"), "metric": argument(4, "cosine"), "rows": count, "unindexed_rows": MORE - 1,
    }))?;
    let folder = Path::new(folder);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let start = Instant::now();
    let asked: usize = std::env::var("QUERIES").map_or(Ok(200), |asked| asked.parse())?;
    let vectors = vectors(count + 2 * MORE + asked, dimension)?;
    let (stored, queries) = vectors.split_at((count + 2 * MORE) * dimension);
    let files: Vec<Record> =
        (0..).zip(stored.chunks_exact(CHUNKS_OF_A_FILE * dimension)).map(|(nth, vectors)| file(nth, vectors)).collect();
    println!("{count} vectors of {dimension}, made in {:?}; {index:?}", start.elapsed());

    let context = SinkContext {
        name: "lance".into(),
        folder: folder.to_path_buf(),
        inputs: vec![Port::Vectors],
        dimension: Some(dimension),
        columns: Vec::new(),
        views: Vec::new(),
        single_threaded: std::env::var_os("SINGLE").is_some(),
        memory_limit: u64::MAX,
        past_files: Default::default(),
    };
    let config = LanceConfig { vector_index: index, ..LanceConfig::default() };
    let sink = config.open(context, None)?;
    let (first, later) = files.split_at(count / CHUNKS_OF_A_FILE);
    let mut state = epoch(sink, 1, "all rows and the index", first, false)?;
    println!("  {} MB, of which the index {} MB", size(folder)? >> 20, index_size(folder)? >> 20);
    let measure = |token: &Token| -> Result<(), Box<dyn Error>> { search(folder, token, dimension, stored, queries) };
    measure(&state.token)?;
    for (number, more) in (3..).zip(later.chunks(MORE / CHUNKS_OF_A_FILE)) {
        let (half, rest) = more.split_at(more.len() / 2);
        state = epoch(state.sink, 2 * number, "half as many rows as the index takes up", half, false)?;
        state = epoch(state.sink, 2 * number + 1, "the other half, and all go into the index", rest, false)?;
    }
    measure(&state.token)?;
    state = epoch(state.sink, 20, "compaction", &[], true)?;
    measure(&state.token)?;
    Ok(())
}

fn epoch(
    sink: Box<dyn Sink>,
    number: u64,
    what: &str,
    added: &[Record],
    compact: bool,
) -> Result<Published, SinkError> {
    let (start, busy) = (Instant::now(), cpu_time());
    let mut writer = sink.begin(Epoch::new(number), false)?;
    for batch in added.chunks(64) {
        writer.add(batch)?;
    }
    if compact {
        writer.compact()?;
    }
    let staged_epoch = writer.stage(&EpochMeta { epoch: Epoch::new(number), merkle_root: Hash::of(b"root") })?;
    let staged = start.elapsed();
    let published = staged_epoch.publish()?;
    let publish = start.elapsed() - staged;
    let busy = cpu_time().saturating_sub(busy);
    let peak = peak_memory();
    println!("{what}: add and stage {staged:?}, publish {publish:?}, CPU {busy:?}; peak so far {peak} MB");
    Ok(published)
}

/// Prints how long searches take, and how much of the exact answer they find.
fn search(
    folder: &Path,
    token: &Token,
    dimension: usize,
    stored: &[f32],
    queries: &[f32],
) -> Result<(), Box<dyn Error>> {
    let reader = LanceReader::open(folder, token)?;
    let start = Instant::now();
    let all = reader.vectors()?;
    println!(
        "  all {} vectors read in {:?} ({} stored)",
        all.ordinals.len(),
        start.elapsed(),
        stored.len() / dimension
    );
    for share in [1, 10, 100] {
        let among: HashSet<RowKey> = all.files.iter().step_by(share).map(|(_, key)| *key).collect();
        let among = (share > 1).then_some(&among);
        for count in [10, 100] {
            let (mut exact_time, mut times) = (Duration::ZERO, Vec::new());
            let (mut found, mut expected) = (0, 0);
            for wanted in queries.chunks_exact(dimension) {
                let start = Instant::now();
                let to = reader.metric().to(wanted);
                let is_wanted = |row: usize| {
                    let key = all.files.get(*all.file.get(row)? as usize)?.1;
                    Some(among.is_none_or(|among| among.contains(&key)))
                };
                let scores = all.values.chunks_exact(dimension).map(|vector| to.of(vector)).enumerate();
                let mut scores: Vec<_> = scores.filter(|(row, _)| is_wanted(*row) == Some(true)).collect();
                let last = count.min(scores.len()) - 1;
                scores.select_nth_unstable_by(last, |left, right| right.1.total_cmp(&left.1));
                scores.truncate(count);
                exact_time += start.elapsed();

                let start = Instant::now();
                let near: Vec<NearChunk> = reader.nearest(wanted, count, among)?;
                times.push(start.elapsed());
                let near: HashSet<ChunkLocator> = near.iter().map(|near| near.row).collect();
                let exact = scores.iter().filter_map(|(row, _)| {
                    let row_key = all.files.get(*all.file.get(*row)? as usize)?.1;
                    Some(ChunkLocator { row: row_key, ordinal: *all.ordinals.get(*row)? })
                });
                found += exact.filter(|key| near.contains(key)).count();
                expected += scores.len();
            }
            let first = times.first().copied().unwrap_or_default();
            times.sort_unstable();
            let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
            println!(
                "  {count} nearest among 1/{share}: recall {:.4}; index median {:?}, p95 {:?}, first {first:?}; exact in memory {:?}",
                found as f64 / expected as f64,
                at(50),
                at(95),
                exact_time / (queries.len() / dimension) as u32,
            );
        }
    }
    Ok(())
}

fn file(number: u64, vectors: &[f32]) -> Record {
    let path = RelPath::from(format!("src/module{}/file{number}.rs", number % 40).as_str());
    let line = |nth: usize| format!("fn f{nth}_of_{number}() {{}}\n");
    let text: String = (0..CHUNKS_OF_A_FILE).map(line).collect();
    let mut start = 0;
    let chunk = |nth: usize| {
        let (from, end) = (start, start + line(nth).len() as u32);
        start = end;
        let line_number = nth as u32 + 1;
        Chunk {
            span: Span { start_byte: from, end_byte: end, start_line: line_number, end_line: line_number },
            kind: "function",
            symbol: "".into(),
            scope: "".into(),
            tokens: 10,
            body_hash: Header::None.body_hash("", "", &line(nth)),
            extras: Extras::default(),
        }
    };
    let chunks: Vec<Chunk> = (0..CHUNKS_OF_A_FILE).map(chunk).collect();
    let hashes = chunks.iter().map(|chunk| Header::None.chunk_hash(&path, &chunk.body_hash)).collect();
    let analysis = Analysis {
        content_hash: Hash::of(text.as_bytes()),
        language: "rust".into(),
        bytes: text.len() as u64,
        lines: CHUNKS_OF_A_FILE as u32,
        text: Text::new(text),
        definitions: Vec::new(),
        references: Vec::new(),
        imports: Vec::new(),
        diagnostics: Vec::new(),
        extras: Extras::default(),
    };
    let chunks = RecordChunks { chunks: chunks.into(), hashes, vectors: Some(vectors.to_vec()) };
    Record { path, analysis: Arc::new(analysis), chunks: Some(chunks) }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// About normally distributed.
    fn normal(&mut self) -> f32 {
        let mut uniform = || (self.next() >> 40) as f32 / (1 << 24) as f32;
        (0..4).map(|_| uniform() - 0.5).sum::<f32>() * 1.732
    }
}

fn vectors(count: usize, dimension: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    if let Some(path) = std::env::var_os("VECTORS") {
        let bytes = fs::read(path)?;
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let needed = count * dimension;
        let wanted = values.get(..needed).ok_or(format!("the file has {} of {needed} numbers", values.len()))?;
        return Ok(wanted.to_vec());
    }
    let clusters: Option<u64> = std::env::var("CLUSTERS").ok().map(|clusters| clusters.parse()).transpose()?;
    let mut random = Random(1);
    let mut values = Vec::with_capacity(count * dimension);
    for _ in 0..count {
        let mut vector = vec![0.0_f32; dimension];
        let mut add = |seed: u64, weight: f32| {
            let mut place = Random(seed);
            for (nth, value) in vector.iter_mut().enumerate() {
                // Later components vary less.
                let spread = if clusters.is_some() { 1.0 } else { 1.0 / (1.0 + nth as f32 / 16.0).sqrt() };
                *value += weight * spread * place.normal();
            }
        };
        match clusters {
            Some(clusters) => add(random.next() % clusters, 1.0),
            None => {
                // Language, library, matter: each of the next within one of the last.
                let language = random.next() % 12;
                let library = language * 1000 + random.next() % 60;
                let matter = library * 1000 + random.next() % 40;
                add(1 << 40 | language, 0.6);
                add(2 << 40 | library, 0.6);
                add(3 << 40 | matter, 0.7);
            }
        }
        add(random.next(), 0.6);
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.extend(vector.iter().map(|value| value / length));
    }
    Ok(values)
}

fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}

fn index_size(folder: &Path) -> std::io::Result<u64> {
    let folder = folder.join("chunks.lance/_indices");
    if folder.exists() { size(&folder) } else { Ok(0) }
}

/// CPU time of all threads of the process so far; nothing where the system does not say.
fn cpu_time() -> Duration {
    let Ok(stat) = fs::read_to_string("/proc/self/stat") else { return Duration::ZERO };
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory the process had so far, in MB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or_default() >> 10
}
