//! Any series of epochs against a plain map.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_pipeline::{FactStore, Hash, Record, SinkConfig as _, Token};
use gristmill_sinks::{LanceConfig, LanceReader, TantivyConfig, TantivyReader};
use proptest::prelude::*;

use crate::fixture::{
    self, Index, Store, assert_same, publish, record, row, rows, stage_with_views, view, view_delta, write,
};

/// How an epoch ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Publish,
    /// Aborted before it is staged.
    AbortEarly,
    Abort,
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
        1 => Just(End::AbortEarly),
        1 => Just(End::Abort),
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

/// What `run` calls its check at.
enum Moment<'a> {
    /// An epoch has begun on what was committed.
    Begun,
    /// An epoch was committed: its token, what it must hold, and whether it replaced all rows.
    Committed(&'a Token, &'a Content, bool),
}

/// Runs the steps, calls `check` as they go, and returns what was committed last.
fn run(
    steps: &[Step],
    with_view: bool,
    mut new: impl FnMut() -> Store,
    mut check: impl FnMut(&mut Store, Moment<'_>),
) -> Option<(Token, Content)> {
    let schema = view("held");
    let mut content = Content::new();
    let mut committed: Option<Token> = None;
    let mut sink = new();
    sink.open(None);
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

        // A view whose rows are the paths and what they hold.
        let held: Vec<(&str, u32)> = next.iter().map(|(path, of)| (&**path, *of)).collect();
        let fresh: Vec<_> = added.iter().map(|(path, of)| (&**path, *of)).collect();
        let replace = step.replace || committed.is_none();
        let delta = match replace {
            true => view_delta(&schema, true, &[], &held),
            false => view_delta(&schema, false, &removed, &fresh),
        };
        let views = if with_view { std::slice::from_ref(&delta) } else { &[] };
        sink.begin(epoch, step.replace);
        check(&mut sink, Moment::Begun);
        write(&mut sink, &removed, &records(&added), views);
        if !matches!(step.end, End::AbortEarly | End::DieEarly) {
            sink.try_stage(epoch).expect("stage");
        }
        match step.end {
            End::Publish => {
                let token = sink.publish();
                content = next;
                check(&mut sink, Moment::Committed(&token, &content, step.replace));
                committed = Some(token);
            }
            End::Abort | End::AbortEarly => {
                sink.abort();
                sink.open(committed.as_ref());
            }
            End::Die | End::DieEarly | End::DieUncommitted => {
                if matches!(step.end, End::DieUncommitted) {
                    sink.publish();
                }
                drop(sink);
                sink = new();
                sink.open(committed.as_ref());
            }
        }
    }
    Some((committed?, content))
}

fn scratch(sink: &mut Store, content: &Content) -> Token {
    sink.open(None);
    publish(sink, 1, &[], &records(content))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, ..ProptestConfig::default() }
}

/// Committed epochs, oldest first.
type History = Vec<(Token, Content)>;

/// Asks for all that `history` held, as far as epochs from `since` on held it, and fails
/// where the answer is another.
#[track_caller]
fn check_since(facts: &mut dyn FactStore, history: &History, since: Option<usize>, from: usize) {
    let held = |from: usize| -> BTreeSet<(&str, u32)> {
        history.iter().skip(from).flat_map(|(_, content)| content.iter().map(|(path, of)| (&**path, *of))).collect()
    };
    let all: Vec<(&str, u32)> = held(0).into_iter().collect();
    let kept = held(from);
    let since = since.and_then(|nth| history.get(nth)).map(|(token, _)| token);
    let found = facts.records(&rows(&all), since).expect("records");
    for ((path, version), found) in all.iter().zip(&found) {
        assert_eq!(found.is_some(), kept.contains(&(*path, *version)), "{path} of version {version}");
        if let Some(found) = found {
            assert_same(found, &record(path, *version));
        }
    }

    let hashes = |rows: &mut dyn Iterator<Item = &(&str, u32)>| -> BTreeSet<Hash> {
        rows.flat_map(|(path, version)| record(path, *version).chunks.expect("chunks").hashes).collect()
    };
    let (asked, kept_hashes) = (hashes(&mut all.iter()), hashes(&mut kept.iter()));
    let asked: Vec<Hash> = asked.into_iter().collect();
    let found = facts.vectors(&asked, since).expect("vectors");
    assert_eq!(found.found, asked.iter().map(|hash| kept_hashes.contains(hash)).collect::<Vec<_>>());
    assert_eq!(found.values, kept_hashes.iter().flat_map(fixture::vector).collect::<Vec<f32>>());

    let contents: BTreeSet<_> = all.iter().map(|(path, version)| row(path, *version).content_hash).collect();
    let contents: Vec<_> = contents.into_iter().collect();
    for (content, found) in contents.iter().zip(facts.holders(&contents, since).expect("holders")) {
        let holders: BTreeSet<_> = kept.iter().map(|(path, version)| row(path, *version)).collect();
        let expected: Vec<_> = holders.into_iter().filter(|row| row.content_hash == *content).collect();
        assert_eq!(found, expected);
    }
}

proptest! {
    #![proptest_config(cases(6))]

    #[test]
    fn lance_holds_what_a_map_holds(steps in steps(), kept in 1..4_usize) {
        let (index, expected) = (Index::new(), Index::new());
        let config = LanceConfig { max_fragments: 2, batch_rows: 5, sync: false, ..LanceConfig::default() };
        let views = [view("held")];
        let digest = |index: &Index, token: &Token| -> Hash {
            LanceReader::open(&index.folder, token).expect("a reader").digest().expect("digest")
        };
        let mut digests = Vec::new();
        // Epochs since all rows were last replaced.
        let mut history = History::new();
        let end = run(&steps, true, || index.lance_with_views(&config, &views), |sink, moment| {
            if let Moment::Committed(token, content, replaced) = moment {
                if replaced {
                    history.clear();
                }
                history.push((token.clone(), content.clone()));
                digests.push((token.clone(), digest(&index, token)));
            }
            // What is committed comes back through the writer and to one who only reads.
            let Some((last, (_, content))) = history.iter().enumerate().next_back() else { return };
            sink.read(|facts| {
                check_since(facts, &history, None, last);
                check_since(facts, &history, Some(last / 2), last / 2);
                check_since(facts, &history, Some(0), 0);
                let mut paths = Vec::new();
                facts.facts(&mut |of_path| paths.push(of_path.path.to_string())).expect("facts");
                paths.sort();
                assert_eq!(paths, content.keys().cloned().collect::<Vec<_>>());
            });
        });
        for (token, expected) in &digests {
            prop_assert_eq!(digest(&index, token), *expected);
        }
        if let Some((token, content)) = end {
            let mut sink = expected.lance_with_views(&config, &views);
            sink.open(None);
            let held: Vec<_> = content.iter().map(|(path, of)| (&**path, *of)).collect();
            let delta = view_delta(&views[0], true, &[], &held);
            stage_with_views(&mut sink, 1, false, &[], &records(&content), &[delta]);
            let scratch = sink.publish();
            prop_assert_eq!(digest(&index, &token), digest(&expected, &scratch));

            // What only dropped epochs had does not come back.
            let from = history.len().saturating_sub(kept);
            let tokens: Vec<_> = history.iter().skip(from).map(|(token, _)| token.clone()).collect();
            config.retain(&index.folder, &tokens).expect("retain");
            let mut sink = index.lance_with_views(&config, &views);
            sink.open(Some(&token));
            sink.read(|facts| {
                check_since(facts, &history, Some(0), from);
                check_since(facts, &history, Some(from), from);
                check_since(facts, &history, None, history.len() - 1);
            });
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
        let end = run(&steps, false, || index.tantivy_with(config.clone()), |_, moment| {
            if let Moment::Committed(token, ..) = moment {
                history.push((token.clone(), digest(&index, token)));
            }
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
