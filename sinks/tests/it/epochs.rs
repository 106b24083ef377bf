//! Any series of epochs against a plain map.

use std::collections::BTreeMap;

use gristmill_pipeline::{Hash, Record, Sink, Token};
use gristmill_sinks::{LanceConfig, LanceReader, TantivyConfig, TantivyReader};
use proptest::prelude::*;

use crate::fixture::{Index, assert_same, publish, record, row, rows, stage};

/// How an epoch ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Publish,
    /// Abandoned before it is staged.
    AbandonEarly,
    Abandon,
    /// The process ends before it is staged.
    DieEarly,
    Die,
    /// The process ends after `publish`, before the commit record.
    DieUncommitted,
}

#[derive(Clone, Debug)]
struct Step {
    removed: Vec<u8>,
    added: Vec<(u8, u32)>,
    replace: bool,
    end: End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        5 => Just(End::Publish),
        1 => Just(End::AbandonEarly),
        1 => Just(End::Abandon),
        1 => Just(End::DieEarly),
        1 => Just(End::Die),
        1 => Just(End::DieUncommitted),
    ];
    let step = (
        proptest::collection::vec(0..6_u8, 0..4),
        proptest::collection::vec((0..6_u8, 0..30_u32), 0..4),
        proptest::bool::weighted(0.1),
        end,
    );
    let step = step.prop_map(|(removed, added, replace, end)| Step { removed, added, replace, end });
    proptest::collection::vec(step, 1..9)
}

fn path_of(nth: u8) -> String {
    format!("dir{}/f{nth}", nth % 2)
}

type Content = BTreeMap<String, u32>;

fn records(content: &Content) -> Vec<Record> {
    content.iter().map(|(path, version)| record(path, *version)).collect()
}

/// Runs the steps, and calls `check` with each committed token and what it must hold.
fn run<S: Sink>(
    steps: &[Step],
    mut new: impl FnMut() -> S,
    mut check: impl FnMut(&mut S, &Token, &Content),
) -> Option<(Token, Content)> {
    let mut content = Content::new();
    let mut committed: Option<Token> = None;
    let mut sink = new();
    sink.open(None).expect("open");
    for (step, epoch) in steps.iter().zip(1..) {
        let mut next = if step.replace { Content::new() } else { content.clone() };
        let mut paths: Vec<_> = step.removed.iter().map(|nth| path_of(*nth)).collect();
        // What changes is removed first, as an epoch's deltas say.
        paths.extend(step.added.iter().map(|(nth, _)| path_of(*nth)));
        next.retain(|path, _| !paths.contains(path));
        let removed: Vec<(&str, u32)> =
            content.iter().filter(|(path, _)| paths.contains(path)).map(|(path, of)| (&**path, *of)).collect();
        let added: Content = step.added.iter().map(|(nth, version)| (path_of(*nth), *version)).collect();
        next.extend(added.clone());

        if matches!(step.end, End::AbandonEarly | End::DieEarly) {
            sink.begin(epoch, step.replace).expect("begin");
            sink.remove(&rows(&removed)).expect("remove");
            sink.add(&records(&added)).expect("add");
        } else {
            stage(&mut sink, epoch, step.replace, &removed, &records(&added));
        }
        match step.end {
            End::Publish => {
                let token = sink.publish().expect("publish");
                content = next;
                check(&mut sink, &token, &content);
                committed = Some(token);
            }
            End::Abandon | End::AbandonEarly => sink.abandon().expect("abandon"),
            End::Die | End::DieEarly | End::DieUncommitted => {
                if matches!(step.end, End::DieUncommitted) {
                    sink.publish().expect("publish");
                }
                drop(sink);
                sink = new();
                sink.open(committed.as_ref()).expect("open");
            }
        }
    }
    Some((committed?, content))
}

fn scratch(sink: &mut dyn Sink, content: &Content) -> Token {
    sink.open(None).expect("open");
    publish(sink, 1, &[], &records(content))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn lance_holds_what_a_map_holds(steps in steps()) {
        let (index, expected) = (Index::new(), Index::new());
        let config = LanceConfig { max_fragments: 2, batch_rows: 5, sync: false, ..LanceConfig::default() };
        let digest = |index: &Index, token: &Token| -> Hash {
            LanceReader::open(&index.folder, token).expect("a reader").digest().expect("digest")
        };
        let mut history = Vec::new();
        let end = run(&steps, || index.lance_with(&config), |sink, token, content| {
            let facts = sink.fact_store().expect("facts");
            let held: Vec<_> = content.iter().map(|(path, version)| row(path, *version)).collect();
            for (found, expected) in facts.records(&held, None).expect("records").iter().zip(records(content)) {
                assert_same(found.as_ref().expect("it is stored"), &expected);
            }
            let mut paths = Vec::new();
            facts.facts(&mut |of_path| paths.push(of_path.path.to_string())).expect("facts");
            paths.sort();
            assert_eq!(paths, content.keys().cloned().collect::<Vec<_>>());
            history.push((token.clone(), digest(&index, token)));
        });
        for (token, expected) in &history {
            prop_assert_eq!(digest(&index, token), *expected);
        }
        if let Some((token, content)) = end {
            let scratch = scratch(&mut expected.lance(), &content);
            prop_assert_eq!(digest(&index, &token), digest(&expected, &scratch));
        }
    }

}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn tantivy_holds_what_a_map_holds(steps in steps()) {
        let (index, expected) = (Index::new(), Index::new());
        let config =
            TantivyConfig { max_segments: 2, sync: false, writer_memory: 15_000_000, ..TantivyConfig::default() };
        let digest = |index: &Index, token: &Token| -> Hash {
            TantivyReader::open(&index.folder, token).expect("a reader").digest().expect("digest")
        };
        let mut history = Vec::new();
        let end = run(&steps, || index.tantivy_with(config.clone()), |_, token, _| {
            history.push((token.clone(), digest(&index, token)));
        });
        for (token, expected) in &history {
            prop_assert_eq!(digest(&index, token), *expected);
        }
        if let Some((token, content)) = end {
            let scratch = scratch(&mut expected.tantivy(), &content);
            prop_assert_eq!(digest(&index, &token), digest(&expected, &scratch));
        }
    }
}
