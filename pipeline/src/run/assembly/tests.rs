use super::*;
use crate::Severity;
use crate::graph::StageSpec;
use crate::port::{Header, Span};
use crate::testing::{Embed, Lines, Memory, Parse, Read};
use crate::{AnyOperator, Hash};

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

/// A content of two chunks.
fn known(budget: &Budget) -> Known {
    let chunk = |line: u32| Chunk {
        span: Span { start_byte: line * 2, end_byte: line * 2 + 2, start_line: line + 1, end_line: line + 1 },
        kind: "code",
        symbol: "".into(),
        scope: "".into(),
        tokens: 1,
        body_hash: Hash::of(&[line as u8]),
        extras: Extras::default(),
    };
    let lease = Arc::new(budget.try_lease(4).expect("fits"));
    let leaf = Leaf { content_hash: Hash::of(b"a\nb\n"), stat: crate::merkle::Stat::default(), note: None };
    let mut known = Known::from_note(&leaf, 1, budget.force(0));
    known.lanes = vec![Arc::from([chunk(0), chunk(1)])];
    known.lease = lease;
    known
}

fn slot(assembly: AssemblyId, chunk: usize) -> Slot {
    Slot { assembly, chunk }
}

#[test]
fn a_record_is_complete_with_its_last_vector_and_not_before() {
    let (graph, budget) = (graph(), Budget::new(1000));
    let known = known(&budget);
    let lane = EmbedLaneId::new(0);
    let mut assembler = Assembler::default();
    let id = assembler.begin(&graph, &budget, &"a.x".into(), &known);
    assembler.wait_for(slot(id, 0));
    assembler.wait_for(slot(id, 1));
    assembler.settle(id);
    assert!(assembler.take_complete().is_none(), "it waits for two");
    assembler.fill(slot(id, 1), lane, &[3.0, 4.0]);
    assert!(assembler.take_complete().is_none(), "it waits for one");
    assembler.fill(slot(id, 0), lane, &[1.0, 2.0]);
    let (mut complete, _) = assembler.take_complete().expect("is complete");
    assert!(assembler.is_idle());
    let record = complete[0].record(Some(ChunkLaneId::new(0)), Some(lane), true);
    let chunks = record.chunks.expect("has chunks");
    assert_eq!(chunks.vectors, Some(vec![1.0, 2.0, 3.0, 4.0]), "each in its place");
    assert_eq!(chunks.hashes.len(), 2);
}

#[test]
fn a_vector_that_will_not_come_is_reported_on_its_path_alone() {
    let (graph, budget) = (graph(), Budget::new(1000));
    let known = known(&budget);
    let mut assembler = Assembler::default();
    let ids = ["a.x", "b.x"].map(|path| assembler.begin(&graph, &budget, &path.into(), &known));
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        stage: "embed".into(),
        code: "no_vector".into(),
        line: 0,
        message: "none".into(),
    };
    assembler.wait_for(slot(ids[0], 0));
    assembler.wait_for(slot(ids[0], 1));
    let lane = EmbedLaneId::new(0);
    assert_eq!(assembler.fail(slot(ids[0], 0), lane, &diagnostic), Some("a.x".into()));
    assert_eq!(assembler.fail(slot(ids[0], 1), lane, &diagnostic), None, "it is known");
    assembler.settle(ids[1]);
    let (mut complete, _) = assembler.take_complete().expect("both are complete");
    let found: Vec<usize> = complete.iter().map(|assembly| assembly.analysis.diagnostics.len()).collect();
    assert_eq!(found, [1, 0]);
    let mut hashes =
        |embed| complete[0].record(Some(ChunkLaneId::new(0)), embed, false).chunks.expect("has some").hashes;
    let of_text = hashes(None);
    assert_eq!(hashes(Some(lane)), [without_vector(&of_text[0]), without_vector(&of_text[1])], "nobody finds zeros");
}

#[test]
fn memory_is_freed_with_the_last_record() {
    let (graph, budget) = (graph(), Budget::new(1000));
    let mut assembler = Assembler::default();
    {
        let known = known(&budget);
        let id = assembler.begin(&graph, &budget, &"a.x".into(), &known);
        assembler.settle(id);
    }
    // 4 bytes of text, and two vectors of 8 bytes of which the text's lease covers 4.
    assert_eq!(budget.held(), 4 + 12);
    drop(assembler.take_complete());
    assert_eq!(budget.held(), 0);
}
