//! Graphs that fan out: lanes that share an embedder or a chunker, and stores that have a
//! part of what is known each.

use std::sync::Arc;

use gristmill_pipeline::graph::StageSpec;
use gristmill_pipeline::port::Header;
use gristmill_pipeline::run::{Ending, forecast};
use gristmill_pipeline::testing::{Contextualise, Embed, Lines, Memory, Parse, Read, Select, Shorten, differences};
use gristmill_pipeline::views::Rollups;
use gristmill_pipeline::{AnyOperator, Mode, Record};

use crate::agreement::from_scratch;
use crate::job::{Job, memory};

/// From the source to one chunk a line.
fn line(job: &Job) -> Vec<StageSpec> {
    let parse = Parse { counts: Arc::clone(&job.counts), version: job.parse_version };
    vec![
        StageSpec::new("read", ["source"], AnyOperator::plain(Read)),
        StageSpec::new("parse", ["read"], AnyOperator::parser(parse)),
        StageSpec::new("chunk", ["parse"], AnyOperator::chunker(Lines { header: job.header })),
    ]
}

fn embed(job: &Job, name: &str, input: &str) -> StageSpec {
    let embed = Embed { counts: Arc::clone(&job.counts), version: job.embed_version };
    StageSpec::new(name, [input], AnyOperator::embedder(embed))
}

fn select(name: &str, input: &str) -> StageSpec {
    StageSpec::new(name, [input], AnyOperator::plain(Select { version: 1 }))
}

/// One embedder, whose vectors are stored as they are and shortened.
fn mapped_and_not(job: &Job) -> Vec<StageSpec> {
    let shorten = Shorten { dimension: 1, factor: 3 };
    let mut stages = line(job);
    stages.extend([
        embed(job, "embed", "chunk"),
        StageSpec::new("shorten", ["embed"], AnyOperator::vector_map(shorten)),
        StageSpec::new("whole", ["parse", "embed"], memory(&job.disk)),
        StageSpec::new("short", ["parse", "shorten"], memory(&job.text_disk)),
    ]);
    stages
}

/// All chunks in one store, and those that are not dropped in another one; both embedded by
/// models that are the same.
fn filtered_and_not(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    stages.extend([
        select("select", "chunk"),
        embed(job, "embed", "chunk"),
        embed(job, "embed selected", "select"),
        // The first store does not have the whole text.
        StageSpec::new("selected", ["parse", "embed selected"], memory(&job.text_disk)),
        StageSpec::new("all", ["parse", "embed"], memory(&job.disk)),
    ]);
    stages
}

/// Two chunk lanes, of which each has a context of its own.
fn contexts_side_by_side(job: &Job) -> Vec<StageSpec> {
    let context = |version| AnyOperator::plain(Contextualise { header: job.header, version });
    let mut stages = line(job);
    stages.extend([
        StageSpec::new("context 1", ["chunk"], context(1)),
        StageSpec::new("context 2", ["chunk"], context(2)),
        embed(job, "embed 1", "context 1"),
        embed(job, "embed 2", "context 2"),
        StageSpec::new("store 1", ["parse", "embed 1"], memory(&job.disk)),
        StageSpec::new("store 2", ["parse", "embed 2"], memory(&job.text_disk)),
    ]);
    stages
}

/// A store of chunks that has no symbols comes first, and one that has only symbols last.
fn stores_of_parts(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    stages.extend([
        select("select", "chunk"),
        StageSpec::new("chunks", ["select"], memory(&job.text_disk)),
        StageSpec::new("symbols", ["parse", "chunk"], memory(&job.disk)),
    ]);
    stages
}

type Stages = fn(&Job) -> Vec<StageSpec>;

const GRAPHS: [(&str, Stages); 4] = [
    ("mapped and not", mapped_and_not),
    ("filtered and not", filtered_and_not),
    ("contexts side by side", contexts_side_by_side),
    ("stores of parts", stores_of_parts),
];

fn job(stages: Stages, header: Header) -> Job {
    let job = Job { stages: Some(stages), header, ..Job::new() };
    job.write("a.x", "def one\nuse two\ndrop this\nlast\n");
    job.write("b.x", "drop all\ndef two\n");
    job.write("c.x", "drop one\ndrop two\n");
    job
}

fn record(disk: &Arc<parking_lot::Mutex<gristmill_pipeline::testing::Disk>>, path: &str) -> Record {
    let disk = disk.lock();
    let rows = disk.newest().expect("has an epoch");
    rows.iter().find(|(row, _)| row.path.as_str() == path).expect("has the row").1.clone()
}

#[test]
fn lanes_agree_in_all_modes_and_come_to_what_a_build_from_nothing_comes_to() {
    for (name, stages) in GRAPHS {
        for mode in Mode::ALL {
            for header in [Header::Path, Header::None] {
                let job = job(stages, header);
                let check = |what: &str| {
                    let expected = job.with_plan(mode, false, forecast).expect("forecasts");
                    let report = job.run(mode);
                    let what = format!("{name}, {mode}, {header:?}, {what}");
                    assert_eq!(job.rows(), from_scratch(&job), "{what}");
                    assert_eq!((expected.work, expected.rows), (report.work, report.rows), "{what}");
                    assert_eq!(report.rebuilt_because, None, "{what}");
                };
                check("first");
                job.rename("a.x", "moved.x");
                check("renamed");
                job.write("b.x", "drop all\ndef three\nlast\n");
                check("edited");
                job.write("b.x", "drop all\ndef two\n");
                job.write("copy.x", "def one\nuse two\ndrop this\nlast\n");
                check("reverted and copied");
                job.remove("moved.x");
                check("removed");
            }
        }
    }
}

#[test]
fn a_changed_embedder_embeds_recalled_texts_whole_in_every_lane() {
    for (name, stages) in GRAPHS {
        let mut job = job(stages, Header::None);
        job.run(Mode::Parallel);
        job.counts.take();
        job.embed_version = 2;
        job.run(Mode::Parallel);
        assert_eq!(job.counts.take().0, 0, "{name}: nothing is parsed");
        assert_eq!(job.rows(), from_scratch(&job), "{name}");
    }
}

#[test]
fn an_embedder_with_and_without_a_map_makes_two_lanes() {
    for mode in Mode::ALL {
        let mut job = job(mapped_and_not, Header::None);
        job.run(mode);
        let vectors = |disk| record(disk, "a.x").chunks.expect("has chunks").vectors.expect("has vectors");
        let (whole, short) = (vectors(&job.disk), vectors(&job.text_disk));
        let expected: Vec<f32> = whole.chunks(2).map(|vector| vector[0] * 3.0).collect();
        assert_eq!(short, expected, "{mode}");
        assert_eq!(job.counts.take(), (3, 16), "{mode}: eight passages, embedded for each lane");
        job.embed_version = 2;
        job.run(mode);
        assert_eq!(job.counts.take(), (0, 16), "{mode}");
    }
}

/// Lanes whose embedders are the same share vectors, and the journal that has them.
#[test]
fn lanes_of_one_embedding_space_embed_a_passage_once() {
    for mode in Mode::ALL {
        for header in [Header::Path, Header::None] {
            let job = job(filtered_and_not, header);
            let report = job.run(mode);
            assert_eq!((job.counts.take().1, report.work.passages_embedded), (8, 8), "{mode}, {header:?}");
            assert_eq!(report.work.passages_shared, 4, "{mode}, {header:?}: what `select` keeps");
            job.write("d.x", "def two\nnew\n");
            let report = job.run(mode);
            // Where the path is no part of it, `def two` lives in both lanes.
            let embedded = if header == Header::None { 1 } else { 2 };
            assert_eq!(
                (job.counts.take().1, report.work.passages_embedded),
                (embedded, embedded),
                "{mode}, {header:?}"
            );
        }
    }
}

/// A passage that lives in one lane alone comes to life in another one of its space.
#[test]
fn what_one_lane_has_stored_another_does_not_embed() {
    // Text that begins with `drop` is in the lane of all chunks only, until another file
    // holds it behind something else: chunks are lines, so there is no such text; a store
    // that is new is asked for nothing, and the job begins anew.
    let job = Job { stages: Some(filtered_and_not), header: Header::None, ..Job::new() };
    job.write("a.x", "drop this\n");
    job.run(Mode::Parallel);
    assert_eq!(job.counts.take().1, 1);
    job.write("b.x", "drop this\nkept\n");
    job.run(Mode::Parallel);
    assert_eq!(job.counts.take().1, 1, "`kept`, for both lanes");
}

#[test]
fn views_are_of_the_first_chunk_lane_whichever_store_comes_first() {
    for stages in [filtered_and_not as Stages, stores_of_parts] {
        let mut job = job(stages, Header::Scope);
        job.views = vec![Arc::new(Rollups)];
        let views = |job: &Job| {
            let disks = [&job.disk, &job.text_disk].map(|disk| disk.lock().newest_views());
            disks.into_iter().find(|views| !views.is_empty()).expect("one of them keeps views")
        };
        job.run(Mode::Parallel);
        // A cold run loads all facts from the stores.
        job.write("a.x", "def other\nlast\n");
        job.run(Mode::Parallel);
        let mut fresh = Job { stages: Some(stages), header: Header::Scope, ..Job::new() };
        fresh.views = vec![Arc::new(Rollups)];
        for (path, text) in
            [("a.x", "def other\nlast\n"), ("b.x", "drop all\ndef two\n"), ("c.x", "drop one\ndrop two\n")]
        {
            fresh.write(path, text);
        }
        fresh.run(Mode::Sequential);
        assert_eq!(differences(&views(&job), &views(&fresh)), "");
    }
}

/// A sink that nobody gives back takes what texts define; the store has chunks alone.
fn symbols_nowhere(job: &Job) -> Vec<StageSpec> {
    let mut stages = line(job);
    let tap = Memory { disk: Arc::clone(&job.disk), gives_nothing_back: true };
    stages.extend([
        embed(job, "embed", "chunk"),
        StageSpec::new("tap", ["parse"], Arc::new(tap)),
        StageSpec::new("store", ["embed"], memory(&job.text_disk)),
    ]);
    stages
}

#[test]
fn what_no_store_gives_back_is_parsed_anew_and_not_embedded() {
    let job = job(symbols_nowhere, Header::None);
    for resident in [false, true] {
        job.try_run(Mode::Parallel, true).expect("runs");
        job.counts.take();
        job.with_plan(Mode::Parallel, false, |plan| {
            let mut indexer = gristmill_pipeline::run::Indexer::open(*plan).expect("opens");
            for (from, to) in [("a.x", "z.x"), ("z.x", "a.x")] {
                job.rename(from, to);
                if !resident {
                    drop(indexer);
                    indexer = gristmill_pipeline::run::Indexer::open(*plan).expect("opens");
                }
                let report = indexer.update(plan.source, false).expect("updates");
                assert_eq!((report.ending, report.rebuilt_because), (Ending::Committed, None));
                assert!(report.notice.expect("says so").contains("parsed anew"));
                assert_eq!(job.counts.take(), (3, 0), "resident: {resident}");
                assert_eq!(job.rows(), from_scratch(&job), "resident: {resident}");
            }
        });
    }
}
