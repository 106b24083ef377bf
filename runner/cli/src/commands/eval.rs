//! `gristmill eval`: measures retrieval quality on an annotation set.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_config::Job;
use gristmill_eval::{
    ASKED, AnnotatedQuery, AnnotationSet, Answer, Cost, Evaluation, Found, Repository, by_category, by_language, csv,
    html, judge, overview,
};
use gristmill_pipeline::run::Interrupt;
use gristmill_pipeline::source::{GitConfig, GitSource, Revisions, SourceError};
use gristmill_query::Snapshot;
use gristmill_query::{CallContext, ErrorCode, QueriedIndex, RequestOptions, ToolError};
use gristmill_sinks::tables::Table;
use gristmill_tools::Search;
use gristmill_tools::{SearchHit, SearchMode};

use super::job::JobArgs;
use super::run::run;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::keep_quiet_about_contained_panics;
use crate::progress::Progress;
use crate::report_file::write_report;
use crate::signals::watch_signals;
use crate::terminal;

/// Measures retrieval quality: indexes the repositories of an annotation set, asks its
/// queries, and judges the answers, for several variants of a job side by side.
///
/// The figure is NDCG@10 over chunks, the mean over all queries.
#[derive(Clone, Debug, clap::Args)]
pub struct EvalArgs {
    /// The annotation set: a folder of `repos.json` and `annotations/`.
    #[arg(value_name = "SET")]
    pub set: PathBuf,
    /// Where the repositories lie, each under its name in the set: git repositories that
    /// have the pinned revision, or folders of files.
    #[arg(long, value_name = "DIR")]
    pub repos: PathBuf,
    /// The job that says how to index. Default: the default graph.
    #[arg(long, value_name = "JOB")]
    pub job: Option<PathBuf>,
    /// A way to index: a name, and what it sets in the job: `long:stage.chunk.max_tokens=400`,
    /// with `;` between several settings. Default: the job as it is.
    #[arg(long = "variant", value_name = "NAME[:KEY=VALUE[;…]]")]
    pub variants: Vec<String>,
    /// A way to ask. Default: all.
    #[arg(long = "mode", value_enum)]
    pub modes: Vec<SearchMode>,
    /// Also measure the ranking by scores alone, without what names and places of files say.
    #[arg(long)]
    pub plain: bool,
    /// Only these repositories of the set.
    #[arg(long = "only", value_name = "NAME")]
    pub only: Vec<String>,
    /// Write all measures, each query's among them, to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a line for each query to this file as CSV.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// A way to index.
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

/// Measures.
///
/// # Errors
/// If the set cannot be read, a job is wrong, or no repository of the set is there.
pub fn execute(args: EvalArgs) -> Result<Exit, CommandError> {
    let bad = |message: String| Failure::new(Exit::BadConfig, message);
    let mut set = AnnotationSet::read(&args.set).map_err(|error| bad(error.to_string()))?;
    if let Some(unknown) = args.only.iter().find(|only| !set.repositories.iter().any(|(it, _)| it.name == **only)) {
        return Err(bad(format!("the set has no repository `{unknown}`")).into());
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
    let ways: Vec<(SearchMode, bool)> =
        modes.iter().flat_map(|mode| plain.iter().map(move |plain| (*mode, *plain))).collect();
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    keep_quiet_about_contained_panics();

    let mut evaluations: Vec<Evaluation> = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    for variant in &variants {
        let first = evaluations.len();
        evaluations.extend(ways.iter().map(|(mode, plain)| Evaluation {
            variant: variant.name.clone(),
            mode: format!("{}{}", if *plain { "plain " } else { "" }, mode.as_str()),
            ..Evaluation::default()
        }));
        for (repository, queries) in &set.repositories {
            let folder = args.repos.join(&repository.name);
            let source = match settings_of(repository, &folder) {
                Ok(source) => source,
                Err(reason) => {
                    if !left_out.contains(&reason) {
                        terminal::print_error(&format!("left out: {reason}\n"));
                        left_out.push(reason);
                    }
                    continue;
                }
            };
            let place = tempfile::tempdir()
                .map_err(|error| Failure::new(Exit::Failed, format!("cannot make a temporary folder: {error}")))?;
            let index = place.path().join("index");
            let settings = source.into_iter().chain(variant.settings.iter().cloned()).collect();
            let (job_file, source) = (args.job.clone(), Some(folder));
            let job = Arc::new(JobArgs { job: job_file, source, index: Some(index), mode: None, settings }.load(true)?);
            let cost = index_of(&job, &interrupt)?;
            for (evaluation, way) in evaluations.iter_mut().skip(first).zip(&ways) {
                let total = &mut evaluation.cost;
                *total = Cost {
                    chunks: total.chunks + cost.chunks,
                    seconds: total.seconds + cost.seconds,
                    cpu_seconds: total.cpu_seconds + cost.cpu_seconds,
                    bytes: total.bytes + cost.bytes,
                };
                let answers = answers(&job, *way, repository, queries)
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
        let failure = Failure::new(Exit::BadConfig, format!("no repository of the set is in {}", args.repos.display()));
        return Err(failure.help("clone those that `repos.json` lists there, each under its name").into());
    }
    terminal::print(&[overview(&evaluations), by_language(&evaluations), by_category(&evaluations)].join("\n"))?;
    if let Some(path) = &args.json {
        write_report(path, &evaluations, "the measures are printed above")?;
    }
    for (path, text) in [(&args.csv, csv as fn(&[Evaluation]) -> String), (&args.html, html)] {
        let Some(path) = path else { continue };
        std::fs::write(path, text(&evaluations))
            .map_err(|error| Failure::new(Exit::Failed, format!("cannot write {}", path.display())).caused_by(error))?;
    }
    Ok(Exit::Done)
}

/// The settings by which a job reads a repository of the set; a reason where it cannot.
fn settings_of(repository: &Repository, folder: &Path) -> Result<Vec<String>, String> {
    if !folder.is_dir() {
        return Err(format!("{}: there is no folder {}", repository.name, folder.display()));
    }
    let mut settings = Vec::new();
    let opened = GitSource::open(GitConfig {
        path: folder.to_owned(),
        revisions: Revisions::One(repository.revision.clone()),
        include: Vec::new(),
        exclude: Vec::new(),
        hidden: false,
        max_file_bytes: 0,
    });
    match opened {
        Ok(_) => {
            settings.push("source.kind=git".to_owned());
            settings.push(format!("source.revision={}", repository.revision));
        }
        // A folder of files is taken as it is.
        Err(SourceError::NoRepository { .. }) => {}
        Err(error) => return Err(format!("{}: {error}", repository.name)),
    }
    if let Some(root) = &repository.benchmark_root {
        settings.push(format!("source.include=[\"{root}/**\"]"));
    }
    Ok(settings)
}

fn index_of(job: &Job, interrupt: &Interrupt) -> Result<Cost, CommandError> {
    let report = run(job, false, interrupt, Progress::hidden())?;
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

/// What a query may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks the queries of one repository.
fn answers(
    job: &Arc<Job>,
    (mode, plain): (SearchMode, bool),
    repository: &Repository,
    queries: &[AnnotatedQuery],
) -> Result<Vec<Answer>, ToolError> {
    let index = QueriedIndex::new(job.name.clone(), Arc::clone(job));
    let ask = |text: &str| {
        let question = Search { mode, limit: ASKED, plain, ..Search::new(text) };
        let answered = index.answer(&RequestOptions::default(), &CallContext::new("eval", PATIENCE), question)?;
        match answered.notes.first() {
            // An answer by other means than those asked for is none to be judged.
            Some(note) => Err(ToolError::new(ErrorCode::MissingCapability, note.full_message())),
            None => Ok(answered.answer.hits),
        }
    };
    // The first search of all reads what the others find read.
    if let Some(first) = queries.first() {
        ask(&first.text)?;
    }
    queries
        .iter()
        .map(|query| {
            let started = Instant::now();
            let hits = ask(&query.text)?;
            let latency_ms = started.elapsed().as_secs_f64() * 1e3;
            let chunks: Vec<Found<'_>> = hits.iter().map(found).collect();
            let mut files: Vec<Found<'_>> = Vec::new();
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

fn found(hit: &SearchHit) -> Found<'_> {
    Found { path: hit.path.as_str(), start_line: hit.start_line, end_line: hit.end_line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_a_name_and_settings() {
        let variant = Variant::parse("long: stage.chunk.max_tokens=400; stage.chunk.header=none");
        assert_eq!(variant.name, "long");
        assert_eq!(variant.settings, ["stage.chunk.max_tokens=400", "stage.chunk.header=none"]);
        assert!(Variant::parse("plain").settings.is_empty());
    }
}
