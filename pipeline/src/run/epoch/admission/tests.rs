use std::path::{Path, PathBuf};

use gristmill_ids::Hash;

use super::*;
use crate::execute::Outcome;
use crate::graph::StageSpec;
use crate::merkle::Stat;
use crate::operator::OperatorError;
use crate::port::Header;
use crate::sink::RowId;
use crate::source::{LastScan, Origin, Scan, ScanOptions, SourceError};
use crate::testing::{Embed, Lines, Memory, Parse, Read};
use crate::{AnyOperator, RelPath};

/// Takes tasks and never does them.
#[derive(Default)]
struct Stuck(Vec<Task>);

impl Executor for Stuck {
    fn submit(&mut self, task: Task) {
        self.0.push(task);
    }

    fn next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        None
    }

    fn try_next(&mut self) -> Option<Result<Outcome, OperatorError>> {
        None
    }

    fn analysing(&self) -> usize {
        self.0.len()
    }
}

struct Nowhere;

impl Source for Nowhere {
    fn scan(&self, _: Option<&LastScan<'_>>, _: &ScanOptions) -> Result<Scan, SourceError> {
        unreachable!("nothing is scanned")
    }

    fn origin(&self, _: &RowId) -> Origin {
        Origin::File(PathBuf::new())
    }

    fn place(&self) -> &Path {
        Path::new("")
    }
}

fn graph() -> Graph {
    Graph::build(vec![
        StageSpec::new("read", ["source"], AnyOperator::plain(Read)),
        StageSpec::new("parse", ["read"], AnyOperator::parser(Parse::default())),
        StageSpec::new("chunk", ["parse"], AnyOperator::chunker(Lines { header: Header::None })),
        StageSpec::new("embed", ["chunk"], AnyOperator::embedder(Embed::default())),
        StageSpec::new("store", ["parse", "embed"], Arc::new(Memory::default())),
    ])
    .expect("is sound")
}

/// `count` files of 400 bytes each, which come to 400 bytes of text and 8 of vectors.
fn queued(graph: &Graph, admission: &mut Admission, count: usize) -> Ledger {
    let mut ledger = Ledger::default();
    let rows = (0..count).map(|nth| {
        let path = RelPath::from(format!("{nth}.x").as_str());
        let stat = Stat { bytes: 400, ..Stat::default() };
        let leaf = Leaf { content_hash: Hash::of(&nth.to_le_bytes()), stat, note: None };
        let (content, place) = ledger.comes(graph, &graph.rows_fingerprint(), &path, &leaf);
        RowFact { path: place.path, content }
    });
    let rows: Vec<RowFact> = rows.collect();
    admission.queue(rows);
    ledger
}

#[test]
fn files_come_in_as_far_as_memory_allows() {
    let graph = graph();
    let mut admission = Admission::new(&graph, Budget::new(3 * 408), None, 8);
    let ledger = queued(&graph, &mut admission, 5);
    let mut executor = Stuck::default();
    admission.admit(&graph, &Nowhere, &ledger, &mut executor);
    assert_eq!(executor.analysing(), 3, "a fourth does not fit");
    assert_eq!(admission.budget().held(), 3 * 408);
    executor.0.pop();
    admission.admit(&graph, &Nowhere, &ledger, &mut executor);
    assert_eq!(executor.analysing(), 3, "one left, one came");
    assert!(!admission.is_empty());
}

#[test]
fn no_more_wait_than_the_workers_can_soon_take() {
    let graph = graph();
    let mut admission = Admission::new(&graph, Budget::new(1 << 30), None, 1);
    let ledger = queued(&graph, &mut admission, 20);
    let mut executor = Stuck::default();
    admission.admit(&graph, &Nowhere, &ledger, &mut executor);
    assert_eq!(executor.analysing(), QUEUED_PER_WORKER);
}

#[test]
fn what_does_not_come_after_all_is_passed_over() {
    let graph = graph();
    let mut admission = Admission::new(&graph, Budget::new(1 << 30), None, 8);
    let mut ledger = queued(&graph, &mut admission, 2);
    let first = *admission.backlog.front().expect("waits");
    ledger.retract(&first);
    let mut executor = Stuck::default();
    admission.admit(&graph, &Nowhere, &ledger, &mut executor);
    assert_eq!(executor.analysing(), 1);
    assert!(admission.is_empty());
}
