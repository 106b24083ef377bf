//! `gristmill eval --truth`: compares the reference graph with a compiler's index.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gristmill_config::Registry;
use gristmill_eval::{Accuracy, FoundDefinition, FoundEdge, Truth, TruthError};
use gristmill_pipeline::run::Interrupt;
use gristmill_query::{EdgeRows, QueriedIndex, SymbolRows, ToolError, all};

use super::{EvalArgs, build_index};
use crate::commands::job::JobArgs;
use crate::exit::Exit;
use crate::failure::{CommandError, Failure};
use crate::panics::silence_operator_panics;
use crate::report_file::write_report;
use crate::signals::watch_signals;
use crate::terminal;

/// Indexes the source with the view `edges` and prints how it compares.
pub(super) fn execute(args: &EvalArgs, truth: &Path, registry: &Registry) -> Result<Exit, CommandError> {
    let source = args.source.clone().unwrap_or_else(|| PathBuf::from("."));
    let truth = Truth::read(truth, &source).map_err(|error| {
        let exit = if matches!(error, TruthError::Read { .. }) { Exit::Failed } else { Exit::BadConfig };
        Failure::new(exit, error.to_string())
    })?;
    let interrupt = Interrupt::default();
    let over = watch_signals(&interrupt)?;
    silence_operator_panics();
    let place = tempfile::tempdir()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot create a temporary folder: {error}")))?;
    let (job, source, index) = (args.job.clone(), Some(source), Some(place.path().join("index")));
    let settings = vec!["views.edges=true".to_owned()];
    let job = Arc::new(JobArgs { job, source, index, mode: None, settings }.load(registry, true)?);
    build_index(&job, &interrupt)?;
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    let index = QueriedIndex::new(job.name.clone(), Arc::clone(&job));
    let accuracy = compare(&index, &truth).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    terminal::print(&accuracy.render())?;
    if let Some(path) = &args.json {
        write_report("--json", path, &accuracy, "the figures are printed above")?;
    }
    Ok(Exit::Done)
}

fn compare(index: &QueriedIndex, truth: &Truth) -> Result<Accuracy, ToolError> {
    let epoch = index.current()?;
    let tables = epoch.tables()?;
    let edge = |row: gristmill_query::Row<'_, EdgeRows>| {
        let (rows, at) = (row.table(), row.row);
        FoundEdge {
            from_path: rows.from_path.value(at).to_owned(),
            from_line: rows.from_line.value(at),
            name: rows.name.value(at).to_owned(),
            to_path: rows.to_path.value(at).to_owned(),
            to_line: rows.to_line.value(at),
            evidence: rows.evidence.value(at).to_owned(),
        }
    };
    let edges: Vec<FoundEdge> = tables
        .edges()?
        .into_iter()
        .flat_map(all)
        .filter(|row| row.table().kind.value(row.row) != "import")
        .map(edge)
        .collect();
    let definition = |row: gristmill_query::Row<'_, SymbolRows>| -> FoundDefinition {
        let (rows, at) = (row.table(), row.row);
        let (start, end) = (rows.start_line.value(at).into(), rows.end_line.value(at).into());
        (row.path().as_str().to_owned(), rows.name.value(at).to_owned(), start, end)
    };
    let definitions: Vec<FoundDefinition> = all(tables.symbols()?).map(definition).collect();
    Ok(Accuracy::of(truth, &edges, &definitions))
}
