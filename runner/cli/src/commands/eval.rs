//! `gristmill eval`: measures retrieval quality on an annotation set.

mod truth;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_config::{Job, Registry};
use gristmill_eval::{
    AnnotatedQuery, AnnotationSet, Answer, Cost, Evaluation, MAX_HITS, RankedChunk, Repository, by_category,
    by_language, csv, html, judge, overview,
};
use gristmill_pipeline::run::Interrupt;
use gristmill_pipeline::source::{GitConfig, GitSource, Revisions, SourceError};
use gristmill_query::Snapshot;
use gristmill_query::{CallContext, ErrorCode, QueriedIndex, RequestOptions, ToolError};
use gristmill_sinks::tables::Table;
use gristmill_tools::Search;
use gristmill_tools::{SearchHit, SearchMode};

use super::job::JobArgs;
use super::run::{Rebuild, run};
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::silence_operator_panics;
use crate::progress::Progress;
use crate::report_file::{write_file, write_report};
use crate::signals::watch_signals;
use crate::terminal;

/// Measure retrieval quality on an annotation set, or the reference graph against a compiler's index.
///
/// With SET: indexes the repositories of the set, runs its queries and compares the hits with the
/// annotations. The main metric is NDCG@10 over chunks, averaged over all queries.
///
/// With `--truth`: indexes a source and compares its edges with a SCIP index of it, as recall by kind
/// of use and precision by evidence.
#[derive(Clone, Debug, clap::Args)]
pub struct EvalArgs {
    /// Annotation set: a folder with `repos.json` and `annotations/`.
    #[arg(value_name = "SET", required_unless_present = "truth")]
    pub set: Option<PathBuf>,
    /// Folder with the repositories, each under its name in the set: git repositories with the pinned
    /// revision, or plain folders.
    #[arg(long, value_name = "DIR", required_unless_present = "truth")]
    pub repos: Option<PathBuf>,
    /// SCIP index to compare edges with, as `scip-python`, `scip-typescript` and `rust-analyzer scip`
    /// write it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["set", "repos", "variants", "modes", "plain", "only", "csv", "html"])]
    pub truth: Option<PathBuf>,
    /// The folder that the SCIP index is of [default: the working directory]
    #[arg(long, value_name = "DIR", requires = "truth")]
    pub source: Option<PathBuf>,
    /// Job to index with [default: a job with the default graph]
    #[arg(long, value_name = "JOB")]
    pub job: Option<PathBuf>,
    /// Variant of the job: a name and settings, such as `long:stage.chunk.max_tokens=400`, separated by
    /// `;`; repeatable [default: the job itself]
    #[arg(long = "variant", value_name = "NAME[:KEY=VALUE[;…]]")]
    pub variants: Vec<String>,
    /// Search mode to evaluate; repeatable [default: text, vector and hybrid]
    #[arg(long = "mode", value_enum)]
    pub modes: Vec<SearchMode>,
    /// Also evaluate the fused scores alone, without signals of names and files.
    #[arg(long)]
    pub plain: bool,
    /// Evaluate only this repository of the set; repeatable.
    #[arg(long = "only", value_name = "NAME")]
    pub only: Vec<String>,
    /// Write all metrics, including those of every query, to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write one line per query to this file as CSV.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write an HTML page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// A variant of the job.
struct Variant {
    name: String,
    settings: Vec<String>,
}

impl Variant {
    fn parse(text: &str) -> Self {
        let (name, settings) = text.split_once(':').unwrap_or((text, ""));
        let settings = settings.split(';').map(str::trim).filter(|setting| !setting.is_empty());
        Self { name: name.to_owned(), settings: settings.map(ToOwned::to_owned).collect() }
    }
}

/// Evaluates all variants and modes.
///
/// # Errors
/// If the set cannot be read, a job is invalid, or no repository of the set exists.
pub fn execute(args: EvalArgs, registry: &Registry) -> Result<Exit, CommandError> {
    let bad = |message: String| Failure::new(Exit::BadConfig, message);
    if let Some(truth) = &args.truth {
        return truth::execute(&args, truth, registry);
    }
    let (Some(set), Some(repos)) = (&args.set, &args.repos) else {
        return Err(bad("an annotation set and `--repos`, or `--truth` is required".into()).into());
    };
    let mut set = AnnotationSet::read(set).map_err(|error| bad(error.to_string()))?;
    if let Some(unknown) = args.only.iter().find(|only| !set.repositories.iter().any(|(it, _)| it.name == **only)) {
        return Err(bad(format!("unknown repository `{unknown}` in the set")).into());
    }
    set.repositories.retain(|(repository, _)| args.only.is_empty() || args.only.contains(&repository.name));
    let mut variants: Vec<Variant> = args.variants.iter().map(|text| Variant::parse(text)).collect();
    if variants.is_empty() {
        variants.push(Variant { name: "job".into(), settings: Vec::new() });
    }
    let modes = match &args.modes[..] {
        [] => &[SearchMode::Text, SearchMode::Vector, SearchMode::Hybrid],
        modes => modes,
    };
    let plain: &[bool] = if args.plain { &[true, false] } else { &[false] };
    let configurations: Vec<(SearchMode, bool)> =
        modes.iter().flat_map(|mode| plain.iter().map(move |plain| (*mode, *plain))).collect();
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    silence_operator_panics();

    let mut evaluations: Vec<Evaluation> = Vec::new();
    let mut skipped: Vec<String> = Vec::new();
    for variant in &variants {
        let first = evaluations.len();
        evaluations.extend(configurations.iter().map(|(mode, plain)| Evaluation {
            variant: variant.name.clone(),
            mode: format!("{}{}", if *plain { "plain " } else { "" }, mode.as_str()),
            ..Evaluation::default()
        }));
        for (repository, queries) in &set.repositories {
            let folder = repos.join(&repository.name);
            let source = match source_settings(repository, &folder) {
                Ok(source) => source,
                Err(reason) => {
                    if !skipped.contains(&reason) {
                        terminal::print_error(&format!("skipped: {reason}\n"));
                        skipped.push(reason);
                    }
                    continue;
                }
            };
            let place = tempfile::tempdir()
                .map_err(|error| Failure::new(Exit::Failed, format!("cannot create a temporary folder: {error}")))?;
            let index = place.path().join("index");
            let settings = source.into_iter().chain(variant.settings.iter().cloned()).collect();
            let (job_file, source) = (args.job.clone(), Some(folder));
            let job = Arc::new(
                JobArgs { job: job_file, source, index: Some(index), mode: None, settings }.load(registry, true)?,
            );
            let cost = build_index(&job, &interrupt)?;
            for (evaluation, configuration) in evaluations.iter_mut().skip(first).zip(&configurations) {
                let total = &mut evaluation.cost;
                *total = Cost {
                    chunks: total.chunks + cost.chunks,
                    seconds: total.seconds + cost.seconds,
                    cpu_seconds: total.cpu_seconds + cost.cpu_seconds,
                    bytes: total.bytes + cost.bytes,
                };
                let answers = answers(&job, *configuration, repository, queries)
                    .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", repository.name)))?;
                evaluation.answers.extend(answers);
            }
            terminal::print_error(&format!(
                "{}: {} indexed in {:.1} s, {} chunks\n",
                variant.name, repository.name, cost.seconds, cost.chunks
            ));
        }
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    if evaluations.iter().all(|evaluation| evaluation.answers.is_empty()) {
        let failure = Failure::new(Exit::BadConfig, format!("no repository of the set is in {}", repos.display()));
        return Err(failure.help("clone the repositories in `repos.json` into it, each under its name").into());
    }
    terminal::print(&[overview(&evaluations), by_language(&evaluations), by_category(&evaluations)].join("\n"))?;
    if let Some(path) = &args.json {
        write_report("--json", path, &evaluations, "the metrics are printed above")?;
    }
    for (path, text) in [(&args.csv, csv as fn(&[Evaluation]) -> String), (&args.html, html)] {
        let Some(path) = path else { continue };
        write_file(path, &text(&evaluations))?;
    }
    Ok(Exit::Done)
}

/// Returns the job settings for a repository of the set, or the reason to skip it.
fn source_settings(repository: &Repository, folder: &Path) -> Result<Vec<String>, String> {
    if !folder.is_dir() {
        return Err(format!("{}: no folder {}", repository.name, folder.display()));
    }
    let mut settings = Vec::new();
    let opened = GitSource::open(GitConfig {
        path: folder.to_owned(),
        revisions: Revisions::One(repository.revision.clone()),
        include: Vec::new(),
        exclude: Vec::new(),
        hidden: false,
        generated: true,
        max_file_bytes: 0,
    });
    match opened {
        Ok(_) => {
            settings.push("source.kind=git".to_owned());
            settings.push(format!("source.revision={}", repository.revision));
        }
        // A plain folder is indexed as it is.
        Err(SourceError::NoRepository { .. }) => {}
        Err(error) => return Err(format!("{}: {error}", repository.name)),
    }
    if let Some(root) = &repository.benchmark_root {
        settings.push(format!("source.include=[\"{root}/**\"]"));
    }
    Ok(settings)
}

fn build_index(job: &Job, interrupt: &Interrupt) -> Result<Cost, CommandError> {
    let report = run(job, Rebuild::Nothing, Duration::ZERO, interrupt, Progress::hidden(), None)?;
    let snapshot = Snapshot::open(&job.index, None).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let chunks = match snapshot.sinks("lance").next() {
        Some(name) => snapshot.lance(name).map(|reader| reader.count_rows(&Table::Chunks)),
        None => snapshot.sinks("tantivy").next().map_or(Ok(0), |name| Ok(snapshot.tantivy(name)?.count())),
    };
    Ok(Cost {
        chunks: chunks.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?,
        seconds: report.time.wall_ms / 1e3,
        cpu_seconds: report.time.cpu_ms / 1e3,
        bytes: snapshot.folder.bytes(),
    })
}

/// The deadline of a query.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the queries of one repository.
fn answers(
    job: &Arc<Job>,
    (mode, plain): (SearchMode, bool),
    repository: &Repository,
    queries: &[AnnotatedQuery],
) -> Result<Vec<Answer>, ToolError> {
    let index = QueriedIndex::new(job.name.clone(), Arc::clone(job));
    let search = |text: &str| {
        let query = Search { mode, limit: MAX_HITS, plain, ..Search::new(text) };
        let answered = index.answer(&RequestOptions::default(), &CallContext::new("eval", TIMEOUT), query)?;
        match answered.notes.first() {
            // An answer with a fallback is not an answer of this mode.
            Some(note) => Err(ToolError::new(ErrorCode::MissingCapability, note.full_message())),
            None => Ok(answered.answer.hits),
        }
    };
    // Warms the caches.
    if let Some(first) = queries.first() {
        search(&first.text)?;
    }
    queries
        .iter()
        .map(|query| {
            let started = Instant::now();
            let hits = search(&query.text)?;
            let latency_ms = started.elapsed().as_secs_f64() * 1e3;
            let chunks: Vec<RankedChunk<'_>> = hits.iter().map(ranked_chunk).collect();
            let mut files: Vec<RankedChunk<'_>> = Vec::new();
            for chunk in &chunks {
                if files.iter().all(|file| file.path != chunk.path) {
                    files.push(*chunk);
                }
            }
            Ok(Answer {
                repository: repository.name.clone(),
                language: repository.language.clone(),
                category: query.category.clone(),
                query: query.text.clone(),
                chunks: judge(&query.targets, &chunks),
                files: judge(&query.targets, &files),
                latency_ms,
            })
        })
        .collect()
}

fn ranked_chunk(hit: &SearchHit) -> RankedChunk<'_> {
    RankedChunk { path: hit.path.as_str(), start_line: hit.start_line, end_line: hit.end_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_a_name_with_settings() {
        let variant = Variant::parse("long: stage.chunk.max_tokens=400; stage.chunk.header=none");
        assert_eq!(variant.name, "long");
        assert_eq!(variant.settings, ["stage.chunk.max_tokens=400", "stage.chunk.header=none"]);
        assert!(Variant::parse("plain").settings.is_empty());
    }
}
