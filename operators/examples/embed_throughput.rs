//! Chunks a second of the embedders, beside fastembed called in a plain loop.
//!
//! ```text
//! cargo run --release -p gristmill-operators --example embed_throughput -- FOLDER [MODEL…]
//! ```
//!
//! The chunks are cut from the source files under FOLDER, in three sizes, and are of
//! uneven length as real ones are. Models are `static`, and folders among the local
//! models; by default `static minilm minilm-int8`.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use fastembed::{InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel};
use gristmill_operators::chunk::estimate_tokens;
use gristmill_operators::embed::models::models_folder;
use gristmill_operators::embed::{FastEmbed, OnnxConfig, StaticConfig, StaticEmbed};
use gristmill_pipeline::port::{Header, Passage, Text, Vector};
use gristmill_pipeline::{Batch, Emitter, Operator, TokenCount};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Chunks that a model is measured on; a static table takes all.
const CHUNKS: usize = 256;

/// How often each is measured; the median is shown.
const REPEATS: usize = 3;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("which folder? embed_throughput FOLDER [MODEL…]")?;
    let mut models: Vec<String> = args.collect();
    if models.is_empty() {
        models = ["static", "minilm", "minilm-int8"].map(str::to_owned).into();
    }
    let mut files = Vec::new();
    source_files(Path::new(&folder), &mut files)?;
    files.sort();
    println!("{:<12} {:>6} {:>7}  {:<34} {:>9} {:>8}", "model", "tokens", "chunks", "how", "chunks/s", "padding");
    for model in &models {
        for tokens in [50, 100, 200] {
            let chunks = chunks(&files, tokens)?;
            if model == "static" {
                let embed = StaticEmbed::new(&StaticConfig::default())?;
                for workers in [1, 2] {
                    show(model, tokens, &chunks, &format!("operator, {workers} worker(s)"), || {
                        operator(&embed, &chunks, workers)
                    })?;
                }
                continue;
            }
            let few = chunks.get(..CHUNKS.min(chunks.len())).unwrap_or_default();
            for (threads, batch) in [(1, 8), (1, 1), (2, 8), (2, 1)] {
                let mut bare = bare(model, threads)?;
                // The library refuses to cut what it is given where vectors depend on it.
                show(model, tokens, few, &format!("fastembed, {threads} thread(s), batch {batch}"), || {
                    for texts in few.chunks(batch) {
                        bare.embed(texts, None)?;
                    }
                    Ok(TokenCount::default())
                })?;
            }
            for (sessions, threads) in [(1, 1), (1, 2), (2, 1)] {
                let config = OnnxConfig {
                    model: model.clone(),
                    sessions: NonZeroUsize::new(sessions),
                    threads: NonZeroUsize::new(threads),
                    ..OnnxConfig::default()
                };
                let embed = FastEmbed::open(&config, Path::new("."))?;
                // Loads the sessions.
                operator(&embed, few.get(..16.min(few.len())).unwrap_or_default(), sessions)?;
                let how = format!("operator, {sessions} session(s) × {threads} thread(s)");
                show(model, tokens, few, &how, || operator(&embed, few, sessions))?;
            }
        }
    }
    Ok(())
}

fn show(
    model: &str,
    tokens: u32,
    chunks: &[String],
    how: &str,
    mut work: impl FnMut() -> Outcome<TokenCount>,
) -> Outcome<()> {
    let mut rates = Vec::new();
    let mut counted = TokenCount::default();
    for _ in 0..REPEATS {
        let started = Instant::now();
        counted = work()?;
        rates.push(chunks.len() as f64 / started.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let rate = rates.get(REPEATS / 2).copied().unwrap_or_default();
    let computed = counted.tokens + counted.padding;
    let padding = match computed {
        0 => String::new(),
        computed => format!("{:.1}%", counted.padding as f64 / computed as f64 * 100.0),
    };
    println!("{model:<12} {tokens:>6} {:>7}  {how:<34} {rate:>9.1} {padding:>8}", chunks.len());
    Ok(())
}

/// Runs an operator as an executor does: in batches of its wish, on some workers.
fn operator<O>(operator: &O, chunks: &[String], workers: usize) -> Outcome<TokenCount>
where
    O: Operator<In = Arc<Passage>, Out = Vector>,
{
    let passages: Vec<Arc<Passage>> = chunks.iter().enumerate().map(|(key, text)| passage(key as u128, text)).collect();
    let batches: Vec<&[Arc<Passage>]> = passages.chunks(operator.batch_size().items).collect();
    let next = AtomicUsize::new(0);
    let work = || -> Outcome<TokenCount> {
        let mut out = Emitter::new("embed".into());
        while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
            operator.process(Batch(batch.to_vec()), &mut out)?;
        }
        Ok(out.counted())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = TokenCount::default();
        for worker in workers {
            let counted = worker.join().map_err(|_| "a worker panicked")??;
            all.tokens += counted.tokens;
            all.padding += counted.padding;
        }
        Ok(all)
    })
}

fn passage(key: u128, text: &str) -> Arc<Passage> {
    Arc::new(Passage {
        key,
        header: Header::None,
        path: "src/lib.rs".into(),
        scope: "".into(),
        symbol: "".into(),
        text: Text::new(text),
        tokens: 0,
    })
}

/// fastembed as its users call it. The operator loaded the library before.
fn bare(model: &str, threads: usize) -> Outcome<TextEmbedding> {
    let embed = FastEmbed::open(&OnnxConfig { model: model.into(), ..OnnxConfig::default() }, Path::new("."))?;
    embed.embed_query("a").ok_or("it embeds no queries")??;
    let read = |file: &str| fs::read(models_folder().join(model).join(file));
    let tokenizer_files = TokenizerFiles {
        tokenizer_file: read("tokenizer.json")?,
        config_file: read("config.json")?,
        special_tokens_map_file: read("special_tokens_map.json")?,
        tokenizer_config_file: read("tokenizer_config.json")?,
    };
    let model = UserDefinedEmbeddingModel::new(read("model.onnx")?, tokenizer_files).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new().with_max_length(256).with_intra_threads(threads);
    Ok(TextEmbedding::try_new_from_user_defined(model, options)?)
}

fn source_files(folder: &Path, out: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            source_files(&path, out)?;
        } else if path.extension().is_some_and(|extension| {
            ["rs", "py", "go", "js", "ts", "java", "c"].iter().any(|known| extension == *known)
        }) {
            out.push(path);
        }
    }
    Ok(())
}

/// Cuts files at line ends into chunks of half to three halves of `tokens` tokens.
fn chunks(files: &[PathBuf], tokens: u32) -> Outcome<Vec<String>> {
    let mut chunks = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let mut chunk = String::new();
        for line in text.split_inclusive('\n') {
            chunk.push_str(line);
            // A spread of lengths that is the same in every run.
            let wanted = tokens / 2 + (chunks.len() as u32 * 37) % tokens;
            if estimate_tokens(&chunk) >= wanted {
                chunks.push(std::mem::take(&mut chunk));
            }
        }
    }
    if chunks.is_empty() { Err("there are no source files in the folder".into()) } else { Ok(chunks) }
}
