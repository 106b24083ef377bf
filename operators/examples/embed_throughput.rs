//! Measures the chunks per second of the embedders, and of fastembed in a plain loop.
//!
//! ```text
//! cargo run --release -p gristmill-operators --example embed_throughput -- FOLDER [MODEL…]
//! ```
//!
//! The chunks are cut from the source files under FOLDER, in three sizes, with varying lengths as
//! in real use. MODEL is `static` or the name of a local model; the default is `static minilm
//! minilm-int8`.
#![allow(clippy::print_stdout, reason = "it prints a table")]

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
use gristmill_pipeline::{Batch, Embedder as _, Emitter, Operator, PassageKey, TokenCount};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Number of chunks per measurement of a model; a static table gets all.
const CHUNKS: usize = 128;

/// Number of chunks that warm up a model's sessions.
const WARM_UP: usize = 16;

/// Number of measurements.
const ROUNDS: usize = 5;

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().ok_or("usage: embed_throughput FOLDER [MODEL…]")?;
    let mut models: Vec<String> = args.collect();
    if models.is_empty() {
        models = ["static", "minilm", "minilm-int8"].map(str::to_owned).into();
    }
    let mut files = Vec::new();
    source_files(Path::new(&folder), &mut files)?;
    files.sort();
    println!(
        "{:<12} {:>6} {:>7}  {:<34} {:>9} {:>8} {:>8}",
        "model", "tokens", "chunks", "how", "chunks/s", "to bare", "padding"
    );
    for model in &models {
        for tokens in [50, 100, 200] {
            let chunks = chunks(&files, tokens)?;
            match model.as_str() {
                "static" => compare(model, tokens, &chunks, static_table()?)?,
                model => compare(model, tokens, chunks.get(..CHUNKS).unwrap_or(&chunks), transformer(model)?)?,
            }
        }
    }
    Ok(())
}

/// Embeds chunks, and returns the token counts where they are known.
type Embedding = Box<dyn FnMut(&[String]) -> Outcome<TokenCount>>;

/// A configuration to measure.
struct Contender {
    how: String,
    /// The threads of a plain loop with one text per batch, or of an operator that is compared with
    /// such a loop.
    threads: Option<usize>,
    is_bare: bool,
    embed: Embedding,
}

fn static_table() -> Outcome<Vec<Contender>> {
    let embed = Arc::new(StaticEmbed::new(&StaticConfig::default())?);
    let with = |workers: usize| {
        let embed = Arc::clone(&embed);
        let embed = Box::new(move |chunks: &[String]| operator(&*embed, chunks, workers));
        Contender { how: format!("operator, {workers} worker(s)"), threads: None, is_bare: false, embed }
    };
    Ok([1, 2].map(with).into())
}

fn transformer(model: &str) -> Outcome<Vec<Contender>> {
    let mut contenders = Vec::new();
    for (threads, batch) in [(1, 1), (2, 1), (2, 8)] {
        let mut bare = bare(model, threads)?;
        let embed = Box::new(move |chunks: &[String]| {
            for texts in chunks.chunks(batch) {
                bare.embed(texts, None)?;
            }
            Ok(TokenCount::default())
        });
        let threads_of_one = (batch == 1).then_some(threads);
        let how = format!("fastembed, {threads} thread(s), batch {batch}");
        contenders.push(Contender { how, threads: threads_of_one, is_bare: true, embed });
    }
    for (sessions, threads) in [(1, 1), (1, 2), (2, 1)] {
        let config = OnnxConfig {
            model: model.into(),
            sessions: NonZeroUsize::new(sessions),
            threads: NonZeroUsize::new(threads),
            ..OnnxConfig::default()
        };
        let onnx = FastEmbed::open(&config, Path::new("."))?;
        let embed = Box::new(move |chunks: &[String]| operator(&onnx, chunks, sessions));
        let how = format!("operator, {sessions} session(s) × {threads} thread(s)");
        contenders.push(Contender { how, threads: Some(sessions * threads), is_bare: false, embed });
    }
    Ok(contenders)
}

/// Measures all contenders in turn, for several rounds. Prints the median rate of each, and the
/// median ratio to the plain loop of the same round, which cancels out other load on the machine.
fn compare(model: &str, tokens: u32, chunks: &[String], mut contenders: Vec<Contender>) -> Outcome<()> {
    let mut rates = vec![Vec::new(); contenders.len()];
    let mut padding = vec![0.0; contenders.len()];
    // The first round warms up and is not measured.
    for round in 0..=ROUNDS {
        for (nth, contender) in contenders.iter_mut().enumerate() {
            let few = chunks.get(..WARM_UP).filter(|_| round == 0).unwrap_or(chunks);
            let started = Instant::now();
            let counted = (contender.embed)(few)?;
            if round > 0 {
                rates[nth].push(few.len() as f64 / started.elapsed().as_secs_f64());
                padding[nth] = counted.padding as f64 / (counted.tokens + counted.padding).max(1) as f64;
            }
        }
    }
    for (nth, contender) in contenders.iter().enumerate() {
        let is_compared =
            |other: &Contender| other.is_bare && other.threads.is_some() && other.threads == contender.threads;
        let bare = contenders.iter().position(is_compared).filter(|_| !contender.is_bare);
        let ratio = bare.map_or(String::new(), |bare| {
            let ratios = rates[nth].iter().zip(&rates[bare]).map(|(rate, bare)| rate / bare).collect();
            format!("{:+.1}%", (median(ratios) - 1.0) * 100.0)
        });
        let how = &contender.how;
        let (rate, padding) = (median(rates[nth].clone()), padding[nth] * 100.0);
        println!("{model:<12} {tokens:>6} {:>7}  {how:<34} {rate:>9.1} {ratio:>8} {padding:>7.1}%", chunks.len());
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Runs an operator as an executor does: in batches of its size, on several workers.
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
        key: PassageKey::from_bits(key),
        header: Header::None,
        path: "src/lib.rs".into(),
        scope: "".into(),
        symbol: "".into(),
        context: "".into(),
        text: Text::new(text),
        tokens: 0,
    })
}

/// Returns fastembed as its users call it. Building the operator first loads the library.
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

/// Cuts files at line ends into chunks of 0.5 to 1.5 times `tokens` tokens.
fn chunks(files: &[PathBuf], tokens: u32) -> Outcome<Vec<String>> {
    let mut chunks = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let mut chunk = String::new();
        for line in text.split_inclusive('\n') {
            chunk.push_str(line);
            // Lengths that vary, but are the same in every run.
            let wanted = tokens / 2 + (chunks.len() as u32 * 37) % tokens;
            if estimate_tokens(&chunk) >= wanted {
                chunks.push(std::mem::take(&mut chunk));
            }
        }
    }
    if chunks.is_empty() { Err("the folder contains no source files".into()) } else { Ok(chunks) }
}
